#include "app/links.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "connectors/origins.hpp"

namespace liaisond::app {
namespace json = boost::json;
namespace {

// What the operator chose in the setting at that pointer; "{entity}" in it stands for the name.
const json::value* chosen_at(std::string pointer, const std::string& entity, const json::value& settings) {
    if (const std::size_t at = pointer.find("{entity}"); at != std::string::npos)
        pointer.replace(at, 8, pointer_token(entity));
    boost::system::error_code error;
    return settings.find_pointer(pointer, error);
}

sync::EffectClass effect_of(const plugin::EffectRule& rule, const std::string& entity,
                            const json::value& settings) {
    if (rule.setting.empty()) return rule.value;
    const json::value* chosen = chosen_at(rule.setting, entity, settings);
    if (chosen == nullptr || !chosen->is_string()) return rule.value;
    return plugin::parse_effect_class(chosen->get_string()).value_or(rule.value);
}

Milliseconds lifetime_of(const plugin::KeyLifetime& rule, const std::string& entity,
                         const json::value& settings) {
    if (rule.setting.empty()) return rule.value;
    const json::value* chosen = chosen_at(rule.setting, entity, settings);
    if (chosen == nullptr || !chosen->is_string()) return rule.value;
    return parse_duration(std::string_view(chosen->get_string())).value_or(rule.value);
}

bool shows_all(const plugin::ConnectorManifest& connector, const std::string& entity,
               const json::value& settings) {
    const plugin::EntityRule* rule = connector.entity(entity);
    if (rule != nullptr && rule->complete_listing) return *rule->complete_listing;
    if (connector.complete_listing.setting.empty()) return connector.complete_listing.value;
    const json::value* chosen = chosen_at(connector.complete_listing.setting, entity, settings);
    return chosen != nullptr && chosen->is_bool() ? chosen->get_bool() : connector.complete_listing.value;
}

bool knows_ranges(const plugin::ConnectorManifest& connector, const std::string& entity,
                  const json::value& settings) {
    const plugin::EntityRule* rule = connector.entity(entity);
    if (rule != nullptr && rule->date_range) return true;
    if (connector.date_range.setting.empty()) return connector.date_range.value;
    return chosen_at(connector.date_range.setting, entity, settings) != nullptr;
}

plugin::Isolation isolation_of(config::Isolation isolation) {
    switch (isolation) {
        case config::Isolation::plugin: return plugin::Isolation::plugin;
        case config::Isolation::integration: return plugin::Isolation::integration;
        case config::Isolation::none: return plugin::Isolation::none;
    }
    return plugin::Isolation::plugin;
}

// Names of the values by which records are recognised, by entity.
using Recognition = std::map<std::string, std::vector<std::string>>;

// Of one connector, shared by its integrations.
struct Schemes {
    std::shared_ptr<const auth::Schemes> schemes;
    std::string fault;          // of the manifest; empty: none
    bool ask_settings = false;  // most never do; then nobody need keep them
};

Schemes schemes_of(const plugin::ConnectorManifest& connector) {
    Schemes made;
    auth::Schemes schemes;
    for (const plugin::AuthScheme& one : connector.auth) {
        auto scheme = auth::parse_scheme(one.name, one.definition);
        if (scheme)
            schemes[one.name] = std::move(*scheme);
        else
            made.fault = scheme.error().message;
        made.ask_settings = made.ask_settings || one.definition.contains("when") ||
                            json::serialize(one.definition).find("{{setting:") != std::string::npos;
    }
    made.schemes = std::make_shared<const auth::Schemes>(std::move(schemes));
    return made;
}

// Credentials that the manifest does not mark as secrets.
std::set<std::string> public_names(const json::object& schema) {
    std::set<std::string> names;
    const json::value* properties = schema.if_contains("properties");
    if (properties == nullptr || !properties->is_object()) return names;
    for (const auto& [name, property] : properties->get_object()) {
        const json::value* format =
            property.is_object() ? property.get_object().if_contains("format") : nullptr;
        if (format == nullptr || *format != "liaison-secret") names.insert(std::string(name));
    }
    return names;
}

std::shared_ptr<sync::Link> make_link(config::Integration&& integration, const config::Tenant& tenant,
                                      const plugin::Catalog::Found& found, const Schemes& schemes,
                                      const auth::Secrets& vault) {
    auto link = std::make_shared<sync::Link>();
    const plugin::ConnectorManifest& connector = *found.connector;
    const std::string settings_text = std::exchange(integration.settings, {});  // the instance has them
    const json::value chosen = json::parse(settings_text);
    const json::object& settings = chosen.get_object();
    link->tenant = tenant;
    link->connector_title = connector.title;
    link->instance.library = found.plugin->path;
    link->instance.library_digest = found.plugin->digest;
    link->instance.tenant = tenant.id;
    link->instance.integration = integration.id;
    link->instance.isolation = isolation_of(integration.isolation);
    link->instance.config =
        json::serialize(json::object{{"connector", integration.connector}, {"settings", settings}});
    link->dropped_elements = connector.dropped_elements;
    link->can_find = connector.has(plugin::JobKind::find);
    link->can_test = connector.has(plugin::JobKind::test);
    link->can_pull = connector.has(plugin::JobKind::pull);
    link->takes_events = connector.has(plugin::JobKind::webhook);
    for (const config::Entity& entity : integration.entities) {
        const plugin::EntityRule* rule = connector.entity(entity.name);
        link->effects[entity.name] = rule != nullptr && rule->effect
                                         ? *rule->effect
                                         : effect_of(connector.effect, entity.name, chosen);
        if (link->effects[entity.name] == sync::EffectClass::keyed)
            link->key_lifetimes[entity.name] = lifetime_of(connector.key_lifetime, entity.name, chosen);
    }
    for (const config::Entity& entity : integration.entities) {
        if (shows_all(connector, entity.name, chosen)) link->complete_listings.insert(entity.name);
        if (knows_ranges(connector, entity.name, chosen)) link->date_ranges.insert(entity.name);
    }

    auto egress = std::make_shared<http::Egress>();
    egress->origins = connectors::origins_of(connector.settings, settings, integration.allow_hosts);
    egress->folders = connectors::strings_of_format(connector.settings, settings, "liaison-folder");
    egress->origins.shrink_to_fit();
    egress->folders.shrink_to_fit();
    link->egress = std::move(egress);

    link->instance.config.shrink_to_fit();
    auto secrets = auth::read_secrets(integration.credentials, &vault, public_names(connector.credentials));
    link->unusable = !secrets ? secrets.error().message : schemes.fault;
    link->authorizer = std::make_shared<auth::Authorizer>(
        schemes.schemes, schemes.ask_settings ? settings_text : std::string("{}"),
        secrets ? std::move(*secrets) : auth::Credentials());
    integration.allow_hosts = {};  // the egress has them
    link->config = std::move(integration);
    return link;
}

}  // namespace

std::vector<std::shared_ptr<const sync::Link>> make_links(config::Config& config,
                                                          const plugin::Catalog& catalog,
                                                          const auth::Secrets& secrets) {
    std::map<std::string, Recognition> recognition;  // by tenant
    for (const auto& [id, integration] : config.integrations) {
        for (const config::Entity& entity : integration.entities) {
            if (entity.match.empty()) continue;
            std::vector<std::string>& names = recognition[integration.tenant][entity.name];
            names.insert(names.end(), entity.match.begin(), entity.match.end());
            std::sort(names.begin(), names.end());
            names.erase(std::unique(names.begin(), names.end()), names.end());
        }
    }
    std::vector<std::shared_ptr<const sync::Link>> links;
    std::map<std::string, Schemes> schemes;  // by connector
    links.reserve(config.integrations.size());
    for (auto& [id, integration] : std::exchange(config.integrations, {})) {
        const plugin::Catalog::Found found = catalog.connector(integration.connector);
        const auto tenant = config.tenants.find(integration.tenant);
        if (!found || tenant == config.tenants.end()) continue;
        Schemes& shared = schemes[integration.connector];
        if (shared.schemes == nullptr) shared = schemes_of(*found.connector);
        const Recognition& recognised = recognition[integration.tenant];
        std::shared_ptr<sync::Link> link =
            make_link(std::move(integration), tenant->second, found, shared, secrets);
        link->recognition = recognised;
        links.push_back(std::move(link));
    }
    return links;
}

std::string reload_text(const Fingerprints& before, const Fingerprints& now) {
    std::map<std::string_view, std::string> lists;
    const auto note = [&](std::string_view what, const std::string& id) { lists[what] += " " + id; };
    for (const auto& [id, fingerprint] : now) {
        const auto known = before.find(id);
        if (known == before.end())
            note("added", id);
        else if (known->second != fingerprint)
            note("changed", id);
    }
    for (const auto& entry : before)
        if (!now.contains(entry.first)) note("removed", entry.first);
    std::string text = "configuration reloaded";
    for (const auto& [what, ids] : lists) text += "; " + std::string(what) + ":" + shortened(ids, 300);
    return text;
}

}  // namespace liaisond::app
