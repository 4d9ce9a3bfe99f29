// Catalog: which plugins are installed and which connectors they offer. Files are looked at by liaison-worker
// --describe, never loaded here, and only those that may be trusted are looked at; a broken one is listed
// with its sentence.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "plugin/manifest.hpp"
#include "plugin/sandbox.hpp"
#include "plugin/trust.hpp"

namespace liaisond::plugin {

struct PluginInfo {
    std::string path;       // of the .so
    std::string error;      // a sentence; empty: the plugin is usable, and the rest below is set
    std::string digest;     // SHA-256 of the file, hex
    std::string signed_by;  // name of a trusted key; empty: of none
    std::vector<std::string> warnings;
    std::uint32_t abi_major = 0, abi_minor = 0;
    std::uint64_t capabilities = 0;
    Manifest manifest;  // with id, version and vendor
    boost::json::object raw_manifest;

    bool usable() const { return error.empty(); }
};

struct CatalogOptions {
    std::vector<std::string> plugin_dirs;  // earlier ones win; a missing folder is no error
    std::string worker_path;
    SandboxOptions sandbox = {};
    std::string cache_file;  // empty: no cache
    TrustPolicy trust;
    std::chrono::milliseconds time_limit{5'000};
};

class Catalog {
  public:
    // A connector and the plugin it comes from; pointers into the catalog.
    struct Found {
        const PluginInfo* plugin = nullptr;
        const ConnectorManifest* connector = nullptr;
        explicit operator bool() const { return connector != nullptr; }
    };

    // Blocks until each is described or has used up its time limit (describe.hpp); unchanged files come from
    // the cache. [any thread]
    static Catalog scan(const CatalogOptions& options);

    const std::vector<PluginInfo>& plugins() const {
        return plugins_;
    }  // by path, in the order of the folders
    Found connector(std::string_view name) const;
    std::vector<std::string> names() const;  // of all usable connectors, sorted
    // Why the cache could not be used or written; nothing is lost but time.
    const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    std::vector<PluginInfo> plugins_;
    std::vector<std::string> warnings_;
};

}  // namespace liaisond::plugin
