#include "ctl/config_view.hpp"

#include "ctl/format.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

// References inside an embedded schema point to its new place.
void move_references(json::value& schema, const std::string& root) {
    if (json::array* array = schema.if_array()) {
        for (json::value& one : *array) move_references(one, root);
    }
    json::object* object = schema.if_object();
    if (object == nullptr) return;
    for (auto& [key, one] : *object) {
        const bool reference = key == "$ref" && one.is_string() && one.get_string().starts_with('#');
        if (reference)
            one = root + std::string(one.get_string()).substr(1);
        else
            move_references(one, root);
    }
}

// Puts a connector's schema under $defs and returns a reference to it; an empty one means that no key is
// allowed.
json::object embed(json::object& definitions, const std::string& name, const json::object& schema) {
    json::value copy = schema;
    if (schema.empty()) copy = {{"type", "object"}, {"additionalProperties", false}};
    copy.get_object().erase("$schema");
    const std::string place = "#/$defs/" + name;
    move_references(copy, place);
    definitions[name] = std::move(copy);
    return {{"$ref", place}};
}

bool demands(const json::object& schema) {
    const json::value* required = schema.if_contains("required");
    return required != nullptr && required->is_array() && !required->get_array().empty();
}

json::object rule_for(const plugin::ConnectorManifest& connector, json::object& definitions) {
    json::object then{
        {"properties",
         {{"settings", embed(definitions, "connector_" + connector.name + "_settings", connector.settings)},
          {"credentials",
           embed(definitions, "connector_" + connector.name + "_credentials", connector.credentials)}}}};
    json::array required;
    if (demands(connector.settings)) required.emplace_back("settings");
    if (demands(connector.credentials)) required.emplace_back("credentials");
    if (!required.empty()) then["required"] = std::move(required);
    return {{"if",
             {{"properties", {{"connector", {{"const", connector.name}}}}},
              {"required", json::array{"connector"}}}},
            {"then", std::move(then)}};
}

}  // namespace

std::string check_text(const std::vector<config::Fault>& faults, const ConfigCounts& counts,
                       const Look& look) {
    std::string text;
    for (const config::Fault& fault : faults) text += many_lines(fault.text()) + "\n";
    const auto number = [](std::size_t n, std::string_view word) {
        return format_count(static_cast<std::int64_t>(n), word);
    };
    if (!faults.empty()) return text + toned(number(faults.size(), "problem"), Tone::bad, look) + "\n";
    return toned("configuration is fine", Tone::good, look) + ": " + number(counts.tenants, "tenant") + ", " +
           number(counts.integrations, "integration") + ", " + number(counts.connectors, "connector") + "\n";
}

json::object check_json(const std::vector<config::Fault>& faults, const ConfigCounts& counts) {
    json::array errors;
    for (const config::Fault& fault : faults) {
        errors.push_back(json::object{{"file", fault.place.file},
                                      {"line", fault.place.line},
                                      {"column", fault.place.column},
                                      {"path", fault.path},
                                      {"detail", fault.message}});
    }
    return {{"ok", faults.empty()},
            {"errors", std::move(errors)},
            {"tenants", counts.tenants},
            {"integrations", counts.integrations},
            {"connectors", counts.connectors}};
}

json::value full_schema(const json::value& daemon_schema,
                        const std::vector<const plugin::ConnectorManifest*>& connectors) {
    json::value schema = daemon_schema;
    if (connectors.empty()) return schema;
    json::object& definitions = schema.as_object()["$defs"].as_object();
    json::array rules, names;
    for (const plugin::ConnectorManifest* connector : connectors) {
        rules.push_back(rule_for(*connector, definitions));
        names.emplace_back(connector->name);
    }
    json::object& integration = definitions["integration"].as_object();
    integration["allOf"] = std::move(rules);
    integration["properties"].as_object()["connector"].as_object()["enum"] = std::move(names);
    return schema;
}

namespace {

// Where a secret comes from may be read; what is one may not.
void hide_secret(json::value& value) {
    if (json::array* both = value.if_array()) {
        for (json::value& one : *both) hide_secret(one);
        return;
    }
    const std::string_view text =
        value.is_string() ? std::string_view(value.get_string()) : std::string_view();
    if (!config::parse_secret_source(text)) value = "***";
}

}  // namespace

json::object shown_config(json::object root) {
    json::value* integrations = root.if_contains("integrations");
    if (integrations == nullptr || !integrations->is_object()) return root;
    for (auto& [id, integration] : integrations->get_object()) {
        if (!integration.is_object()) continue;
        json::value* credentials = integration.get_object().if_contains("credentials");
        if (credentials != nullptr && credentials->is_object()) {
            for (auto& [name, value] : credentials->get_object()) hide_secret(value);
        }
        json::value* webhook = integration.get_object().if_contains("webhook");
        if (webhook == nullptr || !webhook->is_object()) continue;
        if (json::value* secret = webhook->get_object().if_contains("secret")) hide_secret(*secret);
    }
    return root;
}

config::Config daemon_section(const Session& session) {
    std::vector<config::Fault> ignored;
    return config::check_daemon(
        config::Document::load(config::config_files(session.globals().config_file()), ignored), ignored);
}

}  // namespace liaisond::ctl
