#include "connectors/connectors.hpp"

#include <algorithm>
#include <utility>

namespace liaisond::connectors {
namespace json = boost::json;

namespace {

constexpr std::uint32_t most_concurrent = 64;  // as the configuration allows

// An empty schema means that there is nothing to write there, so every key is a slip.
Result<Schema> compiled(const json::object& schema) {
    if (schema.empty())
        return Schema::compile(json::object{{"type", "object"}, {"additionalProperties", false}});
    return Schema::compile(schema);
}

std::uint32_t concurrent_of(const json::value& limits) {
    constexpr std::uint32_t usual = 4;
    const json::object* members = limits.if_object();
    const json::value* found = members == nullptr ? nullptr : members->if_contains("concurrent");
    if (found == nullptr || !found->is_int64() || found->get_int64() < 1) return usual;
    return static_cast<std::uint32_t>(std::min<std::int64_t>(found->get_int64(), most_concurrent));
}

}  // namespace

InstalledConnectors::InstalledConnectors(const plugin::Catalog& catalog) {
    for (const plugin::PluginInfo& plugin : catalog.plugins()) {
        if (!plugin.usable()) {
            broken_.push_back(plugin.error);
            continue;
        }
        for (const plugin::ConnectorManifest& connector : plugin.manifest.connectors) {
            const bool hidden =
                catalog.connector(connector.name).plugin != &plugin;  // an earlier folder has it too
            if (!hidden) add(plugin, connector);
        }
    }
}

void InstalledConnectors::add(const plugin::PluginInfo& plugin, const plugin::ConnectorManifest& connector) {
    auto settings = compiled(connector.settings);
    auto credentials = compiled(connector.credentials);
    if (!settings || !credentials) {
        const Error& error = settings ? credentials.error() : settings.error();
        broken_.push_back("connector '" + connector.name + "' of " + plugin.path +
                          " cannot be used: in its " + (settings ? "credentials" : "settings") + " " +
                          error.message);
        return;
    }
    std::vector<std::string> entities;
    if (!connector.any_entity) {
        for (const plugin::EntityRule& entity : connector.entities) entities.push_back(entity.name);
    }
    entries_.emplace(connector.name, Entry{{&connector, plugin.path, plugin.manifest.version},
                                           std::move(*settings),
                                           std::move(*credentials),
                                           std::move(entities),
                                           concurrent_of(connector.limits)});
}

std::optional<config::ConnectorSchemas> InstalledConnectors::find(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    return config::ConnectorSchemas{&entry.settings, &entry.credentials, entry.entities, entry.concurrent};
}

std::vector<std::string> InstalledConnectors::names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) all.push_back(name);
    return all;
}

std::vector<std::string> InstalledConnectors::broken() const { return broken_; }

const ConnectorInfo* InstalledConnectors::info(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second.info;
}

json::object plugins_json(const plugin::Catalog& catalog) {
    json::array items, broken;
    for (const plugin::PluginInfo& one : catalog.plugins()) {
        if (!one.usable()) {
            broken.push_back(json::object{{"path", one.path}, {"error", one.error}});
            continue;
        }
        json::array connectors;
        for (const plugin::ConnectorManifest& connector : one.manifest.connectors) {
            json::array jobs;
            for (const plugin::JobKind kind : connector.jobs) jobs.emplace_back(plugin::to_string(kind));
            connectors.push_back(json::object{
                {"name", connector.name}, {"title", connector.title}, {"jobs", std::move(jobs)}});
        }
        items.push_back(
            json::object{{"id", one.manifest.id},
                         {"version", one.manifest.version},
                         {"vendor", one.manifest.vendor},
                         {"path", one.path},
                         {"abi", std::to_string(one.abi_major) + "." + std::to_string(one.abi_minor)},
                         {"connectors", std::move(connectors)},
                         {"warnings", json::array(one.warnings.begin(), one.warnings.end())}});
    }
    return {{"items", std::move(items)}, {"broken", std::move(broken)}};
}

}  // namespace liaisond::connectors
