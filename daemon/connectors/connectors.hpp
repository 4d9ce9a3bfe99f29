// InstalledConnectors: what the configuration must know of the connectors that installed plugins offer, with
// their schemas compiled. The joint between the layers config and plugin, which do not know each other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/schema.hpp"
#include "config/config.hpp"
#include "plugin/catalog.hpp"

namespace liaisond::connectors {

// A connector and where it comes from; pointers into the catalog.
struct ConnectorInfo {
    const plugin::ConnectorManifest* manifest = nullptr;
    std::string library;  // path of the .so
    std::string version;  // of the plugin
};

class InstalledConnectors final : public config::Connectors {
  public:
    // The catalog must outlive this. A connector whose schemas cannot be compiled counts as broken, not as
    // installed.
    explicit InstalledConnectors(const plugin::Catalog& catalog);

    std::optional<config::ConnectorSchemas> find(const std::string& name) const override;
    std::vector<std::string> names() const override;  // sorted
    std::vector<std::string> broken() const override;

    // Null when no installed plugin offers it. Valid as long as this object.
    const ConnectorInfo* info(std::string_view name) const;

  private:
    struct Entry {
        ConnectorInfo info;
        Schema settings, credentials;
        std::vector<std::string> entities, never_imported, never_exported;
        std::uint32_t concurrent;
        config::Limits limits;
    };
    void add(const plugin::PluginInfo& plugin, const plugin::ConnectorManifest& connector);

    std::map<std::string, Entry, std::less<>> entries_;
    std::vector<std::string> broken_;
};

// How this configuration wants plugins to be looked for. Without a cache.
plugin::CatalogOptions catalog_options(const config::Config& config);

// A catalog in the form of GET /plugins: {"items": [...], "broken": [...]}.
boost::json::object plugins_json(const plugin::Catalog& catalog);

}  // namespace liaisond::connectors
