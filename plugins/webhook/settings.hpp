// The settings of the webhook connector, checked and compiled. Immutable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liaison/kit/mapping.hpp>

namespace webhook {

using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
namespace kit = liaison::kit;

using Path = std::vector<std::string>;  // a JSON pointer, split

// What one type of event means.
struct EventRule {
    explicit EventRule(kit::Mapping mapping) : mapping(std::move(mapping)) {}
    kit::Mapping mapping;
    std::string entity;
    Path records, key;  // `records`: empty: the body itself
    std::optional<Path> version, changed;
    bool is_delete = false, is_partial = false;
    std::vector<std::pair<Path, Json>> constants;
};

struct Settings {
    std::string type_header;        // empty: the type is in the body
    std::optional<Path> type_path;  // nothing: as the host found it, else /type
    bool refuses_unknown = false;
    std::map<std::string, EventRule, std::less<>> events;  // by type
};

namespace settings_parts {

using kit::field_parts::flag_of;
using kit::field_parts::list_of;
using kit::field_parts::text_of;

inline Path path_of(const std::string& pointer, const std::string& name) {
    try {
        return liaison::split_pointer(pointer);
    } catch (const liaison::JsonError&) {
        throw Failure(ErrorKind::config, name + ": '" + pointer + "' is no JSON pointer such as /data/id");
    }
}

inline std::optional<Path> optional_path(const Json& spec, const std::string& name) {
    if (spec.find(name) == nullptr) return std::nullopt;
    return path_of(text_of(spec, name), name);
}

inline kit::MappingDefaults defaults_of(const Json& spec) {
    kit::MappingDefaults defaults;
    if (spec.find("nulls") != nullptr) defaults.nulls = list_of(spec, "nulls");
    if (flag_of(spec, "decimal_comma", false)) defaults.decimals.point = ',';
    const std::string thousands = text_of(spec, "thousands");
    if (thousands.size() == 1) defaults.decimals.thousands = thousands[0];
    defaults.zone = text_of(spec, "zone");
    return defaults;
}

inline EventRule rule_of(const Json& spec, const kit::MappingDefaults& defaults) {
    const Json* fields = spec.find("fields");
    EventRule rule(kit::Mapping::of_pointers(fields != nullptr ? *fields : Json::object(), defaults));
    rule.entity = text_of(spec, "entity");
    rule.records = optional_path(spec, "records").value_or(Path());
    rule.key = path_of(text_of(spec, "key"), "key");
    rule.version = optional_path(spec, "version");
    rule.changed = optional_path(spec, "changed");
    rule.is_delete = flag_of(spec, "delete", false);
    rule.is_partial = flag_of(spec, "partial", false);
    if (const Json* constants = spec.find("set")) {
        for (const Json::Member& member : constants->members())
            rule.constants.emplace_back(path_of(member.key, "set"), member.value);
    }
    const bool says_something = fields != nullptr || !rule.constants.empty();
    if (rule.is_delete && says_something)
        throw Failure(ErrorKind::config, "an event that deletes has no 'fields' and no 'set'");
    if (!rule.is_delete && !says_something)
        throw Failure(ErrorKind::config, "'fields' or 'set' is missing: what does the event tell?");
    return rule;
}

}  // namespace settings_parts

// `config` is what the host gives to open(). Throws Failure(config) that names the event type.
inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json* given = document.find("settings");
    const Json* events = given != nullptr ? given->find("events") : nullptr;
    if (events == nullptr || !events->is_object()) throw Failure(ErrorKind::config, "events: missing");
    Settings settings;
    if (const Json* type = given->find("event_type")) {
        if (type->is_object())
            settings.type_header = text_of(*type, "header");
        else
            settings.type_path = optional_path(*given, "event_type");
    }
    settings.refuses_unknown = text_of(*given, "unknown_events", "ignore") == "refuse";
    const kit::MappingDefaults defaults = defaults_of(*given);
    for (const Json::Member& member : events->members()) {
        try {
            settings.events.emplace(member.key, rule_of(member.value, defaults));
        } catch (const Failure& failure) {
            throw Failure(ErrorKind::config, "events/" + member.key + ": " + failure.what());
        }
    }
    return settings;
}

}  // namespace webhook
