#include "connectors/connectors.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/text.hpp"
#include "config/section.hpp"
#include "connectors/worker_program.hpp"

namespace liaisond::connectors {
namespace json = boost::json;

namespace {

// An empty schema means that there is nothing to write there, so every key is a slip.
Result<Schema> compiled(const json::object& schema) {
    if (schema.empty())
        return Schema::compile(json::object{{"type", "object"}, {"additionalProperties", false}});
    return Schema::compile(schema);
}

constexpr std::uint32_t usually_concurrent = 4;

config::Limits limits_of(const plugin::Limits& from) {
    using From = plugin::Limits::Scope;
    using To = config::Limits::Scope;
    config::Limits limits;
    limits.scope = from.scope == From::vendor       ? To::vendor
                   : from.scope == From::credential ? To::credential
                                                    : To::integration;
    limits.per_second = from.per_second;
    limits.per_minute = from.per_minute;
    limits.per_hour = from.per_hour;
    limits.per_day = from.per_day;
    limits.burst = from.burst;
    limits.min_gap = from.min_gap;
    limits.pause_after_429 = from.pause_after_429;
    return limits;
}

// What is wrong with it as a configuration; empty: nothing.
std::string webhook_fault(const json::object& webhook) {
    const json::value* profile = webhook.if_contains("profile");
    if (profile == nullptr) return {};  // the operator has to say it
    if (!config::webhook_preset(profile->as_string()))
        return "has the profile " + json::serialize(*profile) + "; known are " +
               list_of(config::webhook_profiles(), " and ");
    std::vector<config::Fault> faults;
    const config::Document document;
    json::object members = webhook;
    members.erase("secret");
    (void)config::read_webhook(config::Section(document, faults, members, ""));
    return faults.empty() ? std::string() : faults.front().path + " " + faults.front().message;
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
    if (std::string fault = webhook_fault(connector.webhook); !fault.empty()) {
        broken_.push_back("connector '" + connector.name + "' of " + plugin.path +
                          " cannot be used: its webhook " + fault);
        return;
    }
    std::vector<std::string> entities, never_imported, never_exported;
    if (!connector.any_entity) {
        for (const plugin::EntityRule& entity : connector.entities) {
            entities.push_back(entity.name);
            if (!entity.pull) never_imported.push_back(entity.name);
            if (!entity.push) never_exported.push_back(entity.name);
        }
    }
    entries_.emplace(connector.name, Entry{{&connector, plugin.path, plugin.manifest.version},
                                           std::move(*settings),
                                           std::move(*credentials),
                                           std::move(entities),
                                           std::move(never_imported),
                                           std::move(never_exported),
                                           connector.limits.concurrent != 0 ? connector.limits.concurrent
                                                                            : usually_concurrent,
                                           limits_of(connector.limits)});
}

std::optional<config::ConnectorSchemas> InstalledConnectors::find(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    return config::ConnectorSchemas{
        &entry.settings,      &entry.credentials,
        entry.entities,       entry.concurrent,
        entry.limits,         entry.never_imported,
        entry.never_exported, entry.info.manifest->webhook.empty() ? nullptr : &entry.info.manifest->webhook};
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

plugin::CatalogOptions catalog_options(const config::Config& config) {
    plugin::CatalogOptions options;
    options.plugin_dirs = config.plugin_dirs;
    options.worker_path = worker_program(config.worker);
    options.sandbox = sandbox_of(config);
    options.trust.require_signatures = config.plugin_trust.require_signatures;
    if (config.plugin_trust.own_user) options.trust.owner = plugin::TrustPolicy::Owner::self;
    for (const auto& [name, text] : config.plugin_trust.keys) {
        if (const auto key = plugin::PublicKey::parse(text)) options.trust.keys.emplace(name, *key);
    }
    return options;
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
                         {"digest", one.digest},
                         {"signed_by", one.signed_by},
                         {"connectors", std::move(connectors)},
                         {"warnings", json::array(one.warnings.begin(), one.warnings.end())}});
    }
    return {{"items", std::move(items)}, {"broken", std::move(broken)}};
}

}  // namespace liaisond::connectors
