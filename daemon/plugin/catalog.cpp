#include "plugin/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <liaison/plugin.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "plugin/describe.hpp"
#include "plugin/library.hpp"

namespace liaisond::plugin {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

std::vector<std::string> plugin_files(const std::vector<std::string>& folders) {
    std::vector<std::string> all;
    for (const std::string& folder : folders) {
        std::vector<std::string> here;
        std::error_code ignored;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
            if (entry.path().extension() == ".so")
                here.push_back(fs::absolute(entry.path()).lexically_normal());
        }
        std::sort(here.begin(), here.end());
        for (std::string& path : here) {
            if (std::find(all.begin(), all.end(), path) == all.end()) all.push_back(std::move(path));
        }
    }
    return all;
}

// Descriptions by path, each bound to the content of the file and to the ABI that looked at it.
class Cache {
  public:
    Cache(std::string file, std::vector<std::string>& warnings)
        : file_(std::move(file)), warnings_(warnings) {
        const std::optional<std::string> text = file_.empty() ? std::nullopt : read_file(file_);
        if (!text) return;
        boost::system::error_code problem;
        const json::value value = json::parse(*text, problem);
        if (!problem && value.is_object())
            old_ = value.get_object();
        else
            warnings_.push_back("plugin cache " + file_ + " is not readable; making it anew");
    }

    std::optional<json::object> find(const PluginInfo& info) const {
        const json::value* entry = old_.if_contains(info.path);
        if (entry == nullptr || !entry->is_object()) return std::nullopt;
        const json::value* identity = entry->get_object().if_contains("file");
        const json::value* description = entry->get_object().if_contains("description");
        if (identity == nullptr || description == nullptr || !description->is_object()) return std::nullopt;
        if (*identity != json::value(identity_of(info))) return std::nullopt;
        return description->get_object();
    }
    void keep(const PluginInfo& info, const json::object& description) {
        new_[info.path] = {{"file", identity_of(info)}, {"description", description}};
    }
    void write() const {
        if (file_.empty() || new_ == old_) return;
        const std::string temporary = file_ + ".new";
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        out << json::serialize(new_) << '\n';
        out.close();
        std::error_code problem;
        if (out) fs::rename(temporary, file_, problem);
        if (!out || problem)
            warnings_.push_back("plugin cache " + file_ + " cannot be written; proceeding without");
    }

  private:
    static std::string identity_of(const PluginInfo& info) {
        return info.digest + " abi " + std::to_string(LIAISON_ABI_MAJOR) + "." +
               std::to_string(LIAISON_ABI_MINOR);
    }

    std::string file_;
    std::vector<std::string>& warnings_;
    json::object old_, new_;
};

template <class T>
T number(const json::value* value) {
    boost::system::error_code problem;
    const T read = value == nullptr ? T() : value->to_number<T>(problem);
    return problem ? T() : read;
}

// Fills what is known of a plugin from its description; false when that is not one.
bool fill(PluginInfo& info, const json::object& description) {
    const json::value* manifest = description.if_contains("manifest");
    const json::value* abi = description.if_contains("abi");
    if (manifest == nullptr || !manifest->is_object() || abi == nullptr || !abi->is_array()) return false;
    auto parsed = parse_manifest(*manifest);
    if (!parsed) {
        info.error =
            library_name(info.path) + ".so carries a manifest that is not valid: " + parsed.error().message;
        return true;
    }
    info.manifest = std::move(*parsed);
    info.raw_manifest = manifest->get_object();
    info.abi_major = number<std::uint32_t>(abi->get_array().if_contains(0));
    info.abi_minor = number<std::uint32_t>(abi->get_array().if_contains(1));
    info.capabilities = number<std::uint64_t>(description.if_contains("capabilities"));
    for (const char* key : {"id", "version", "vendor"}) {
        const json::value* said = description.if_contains(key);
        const json::value* written = info.raw_manifest.if_contains(key);
        if (said != nullptr && written != nullptr && *said != *written) {
            info.warnings.push_back(library_name(info.path) + ".so calls its " + key + " " +
                                    json::serialize(*said) + ", its manifest " + json::serialize(*written));
        }
    }
    return true;
}

void compare_with_neighbour(PluginInfo& info) {
    const std::string path =
        (fs::path(info.path).parent_path() / (library_name(info.path) + ".manifest.json")).string();
    const std::optional<std::string> text = read_file(path);
    if (!text) return;
    boost::system::error_code problem;
    const json::value value = json::parse(*text, problem);
    if (problem || value != json::value(info.raw_manifest)) {
        info.warnings.push_back(path + " differs from the manifest inside " + library_name(info.path) +
                                ".so, which is the one that counts: install both from the same package");
    }
}

}  // namespace

Catalog Catalog::scan(const CatalogOptions& options) {
    Catalog catalog;
    Cache cache(options.cache_file, catalog.warnings_);
    std::vector<std::string> unknown;
    for (std::string& path : plugin_files(options.plugin_dirs)) {
        PluginInfo& info = catalog.plugins_.emplace_back();
        info.path = std::move(path);
        auto examined = examine(info.path, options.trust);
        if (!examined) {
            info.error = examined.error().message;
            continue;
        }
        info.digest = std::move(examined->digest);
        info.signed_by = std::move(examined->signed_by);
        if (!examined->warning.empty()) info.warnings.push_back(std::move(examined->warning));
        const auto description = cache.find(info);
        if (description && fill(info, *description))
            cache.keep(info, *description);
        else
            unknown.push_back(info.path);
    }
    const auto described = describe_all(options.worker_path, options.sandbox, unknown, options.time_limit);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        PluginInfo& info = *std::find_if(catalog.plugins_.begin(), catalog.plugins_.end(),
                                         [&](const PluginInfo& one) { return one.path == unknown[i]; });
        if (!described[i])
            info.error = described[i].error().message;
        else if (fill(info, *described[i]))
            cache.keep(info, *described[i]);
        else
            info.error = library_name(info.path) + ".so gave a description that is not one";
    }
    cache.write();
    for (PluginInfo& info : catalog.plugins_) {
        if (!info.usable()) continue;
        compare_with_neighbour(info);
        for (const ConnectorManifest& connector : info.manifest.connectors) {
            const Found first = catalog.connector(connector.name);
            if (first.plugin == &info) continue;
            info.warnings.push_back("connector '" + connector.name + "' also comes with " +
                                    first.plugin->path + ", which is used");
        }
    }
    return catalog;
}

Catalog::Found Catalog::connector(std::string_view name) const {
    for (const PluginInfo& info : plugins_) {
        if (!info.usable()) continue;
        if (const ConnectorManifest* found = info.manifest.connector(name)) return {&info, found};
    }
    return {};
}

std::vector<std::string> Catalog::names() const {
    std::vector<std::string> all;
    for (const PluginInfo& info : plugins_) {
        if (!info.usable()) continue;
        for (const ConnectorManifest& connector : info.manifest.connectors) all.push_back(connector.name);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

}  // namespace liaisond::plugin
