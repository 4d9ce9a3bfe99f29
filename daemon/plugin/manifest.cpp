#include "plugin/manifest.hpp"

#include <algorithm>
#include <array>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/time.hpp"

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 4> effect_words = {"upsert", "keyed", "findable", "blind"};
constexpr std::array<std::string_view, 14> webhook_keys = {
    "profile",         "secret",           "header",    "prefix",    "encoding", "signed",   "algorithm",
    "secret_encoding", "timestamp_header", "id_header", "tolerance", "username", "event_id", "event_type"};
constexpr std::array<std::string_view, 8> job_words = {"",     "test",  "pull",   "push",
                                                       "find", "login", "logout", "webhook"};

bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// Walks the document; the first problem is kept, and everything after it reads as empty.
class ManifestReader {
  public:
    Result<Manifest> read(const json::value& value) {
        Manifest manifest;
        if (!value.is_object()) {
            problem_ = "the manifest is not a JSON object";
        } else {
            const json::object& root = value.get_object();
            manifest.id = text(root, "id", "id", true);
            manifest.version = text(root, "version", "version", true);
            manifest.vendor = text(root, "vendor", "vendor", true);
            read_connectors(root, manifest);
        }
        if (!problem_.empty()) return fail(ErrorKind::config, problem_);
        return manifest;
    }

  private:
    void wrong(const std::string& path, const json::value* found, std::string_view expected) {
        if (!problem_.empty()) return;
        problem_ = path + (found == nullptr ? " is missing" : " is " + shorten(json::serialize(*found))) +
                   "; " + std::string(expected);
    }
    static std::string shorten(std::string found) {
        if (found.size() > 60) found = found.substr(0, 57) + "...";
        return found;
    }
    std::string text(const json::object& from, std::string_view key, const std::string& path, bool required) {
        const json::value* found = from.if_contains(key);
        if (found == nullptr && !required) return {};
        if (found == nullptr || !found->is_string() || (required && found->get_string().empty())) {
            return wrong(path, found, "it must be a text"), std::string();
        }
        return std::string(found->get_string());
    }
    json::object object(const json::object& from, std::string_view key, const std::string& path) {
        const json::value* found = from.if_contains(key);
        if (found == nullptr || found->is_null()) return {};
        if (!found->is_object()) return wrong(path, found, "it must be an object"), json::object();
        return found->get_object();
    }

    void read_connectors(const json::object& root, Manifest& manifest) {
        const json::value* found = root.if_contains("connectors");
        if (found == nullptr || !found->is_array() || found->get_array().empty()) {
            return wrong("connectors", found, "it must be a list of at least one connector");
        }
        for (const json::value& one : found->get_array()) {
            const std::string path = "connectors[" + std::to_string(manifest.connectors.size()) + "]";
            if (!one.is_object()) return wrong(path, &one, "it must be an object");
            ConnectorManifest connector = read_connector(one.get_object(), path);
            if (manifest.connector(connector.name) != nullptr) {
                wrong(path + ".name", one.get_object().if_contains("name"),
                      "another connector has that name");
            }
            manifest.connectors.push_back(std::move(connector));
        }
    }
    ConnectorManifest read_connector(const json::object& from, const std::string& path) {
        ConnectorManifest connector;
        connector.raw = from;
        connector.name = text(from, "name", path + ".name", true);
        if (!is_word(connector.name)) {
            wrong(path + ".name", from.if_contains("name"), "it must be of lower-case letters, digits and _");
        }
        connector.title = text(from, "title", path + ".title", false);
        connector.description = text(from, "description", path + ".description", false);
        read_jobs(from, path, connector);
        connector.settings = object(from, "settings", path + ".settings");
        connector.credentials = object(from, "credentials", path + ".credentials");
        for (const auto& [name, scheme] : object(from, "auth", path + ".auth")) {
            if (!scheme.is_object())
                wrong(path + ".auth." + std::string(name), &scheme, "it must be an object");
            if (scheme.is_object()) connector.auth.push_back({std::string(name), scheme.get_object()});
        }
        read_entities(from, path, connector);
        read_effect(from, path, connector);
        read_key_lifetime(from, path + ".key_lifetime", connector.key_lifetime);
        read_complete_listing(from, path, connector);
        read_date_range(from, path, connector.date_range);
        read_limits(from, path + ".limits", connector.limits);
        read_never_keep(from, path + ".never_keep", connector);
        read_webhook(from, path + ".webhook", connector);
        return connector;
    }
    void read_webhook(const json::object& from, const std::string& path, ConnectorManifest& connector) {
        const json::object members = object(from, "webhook", path);
        for (const std::string_view key : webhook_keys) {
            const json::value* found = members.if_contains(key);
            if (found == nullptr) continue;
            if (!found->is_string()) return wrong(path + "." + std::string(key), found, "it must be a text");
            connector.webhook[key] = *found;
        }
        const json::value* secret = connector.webhook.if_contains("secret");
        if (secret == nullptr) return;
        const json::object properties = object(connector.credentials, "properties",
                                               path.substr(0, path.rfind('.')) + ".credentials.properties");
        if (!properties.contains(secret->get_string()))
            wrong(path + ".secret", secret, "it must be the name of one of the connector's credentials");
    }
    // A name that is misunderstood here would let through what must not be kept.
    void read_never_keep(const json::object& from, const std::string& path, ConnectorManifest& connector) {
        const json::object rules = object(from, "never_keep", path);
        for (const auto& [name, list] : rules) {
            if (name != "xml_elements" || !list.is_array())
                return wrong(path, &list, "it must be {\"xml_elements\": [names]}");
            for (const json::value& one : list.get_array()) {
                if (!one.is_string() || one.get_string().empty() || one.get_string() == "*")
                    return wrong(path + ".xml_elements", &one, "it must be the name of an element");
                connector.dropped_elements.emplace_back(one.get_string());
            }
        }
    }
    void read_jobs(const json::object& from, const std::string& path, ConnectorManifest& connector) {
        const json::value* found = from.if_contains("jobs");
        if (found == nullptr || !found->is_array() || found->get_array().empty()) {
            return wrong(path + ".jobs", found, "it must be a list of test, pull, push, find");
        }
        for (const json::value& one : found->get_array()) {
            const auto kind = one.is_string() ? parse_job_kind(one.get_string()) : std::nullopt;
            if (!kind) {
                const std::string index = std::to_string(connector.jobs.size());
                return wrong(path + ".jobs[" + index + "]", &one, "allowed are test, pull, push, find");
            }
            connector.jobs.push_back(*kind);
        }
    }
    void read_entities(const json::object& from, const std::string& path, ConnectorManifest& connector) {
        const json::value* found = from.if_contains("entities");
        if (found != nullptr && found->is_string() && found->get_string() == "any") {
            connector.any_entity = true;
            return;
        }
        if (found == nullptr || !found->is_array()) {
            return wrong(path + ".entities", found, "it must be \"any\" or a list of {name, directions}");
        }
        for (const json::value& one : found->get_array()) {
            const std::string at = path + ".entities[" + std::to_string(connector.entities.size()) + "]";
            if (!one.is_object()) return wrong(at, &one, "it must be {name, directions}");
            EntityRule rule;
            rule.name = text(one.get_object(), "name", at + ".name", true);
            const json::value* directions = one.get_object().if_contains("directions");
            if (directions == nullptr || !directions->is_array()) {
                return wrong(at + ".directions", directions, "it must be a list of pull, push");
            }
            for (const json::value& direction : directions->get_array()) {
                const bool pull = direction == "pull" || direction == "import";
                const bool push = direction == "push" || direction == "export";
                if (!pull && !push) return wrong(at + ".directions", &direction, "allowed are pull, push");
                (pull ? rule.pull : rule.push) = true;
            }
            if (const json::value* range = one.get_object().if_contains("date_range")) {
                if (!range->is_bool()) return wrong(at + ".date_range", range, "it must be true or false");
                rule.date_range = range->get_bool();
            }
            if (const json::value* complete = one.get_object().if_contains("complete_listing")) {
                if (!complete->is_bool())
                    return wrong(at + ".complete_listing", complete, "it must be true or false");
                rule.complete_listing = complete->get_bool();
            }
            if (const json::value* effect = one.get_object().if_contains("effect")) {
                rule.effect = effect->is_string() ? parse_effect_class(effect->get_string()) : std::nullopt;
                if (!rule.effect)
                    return wrong(at + ".effect", effect, "allowed are upsert, keyed, findable, blind");
            }
            connector.entities.push_back(std::move(rule));
        }
    }
    void read_complete_listing(const json::object& from, const std::string& path,
                               ConnectorManifest& connector) {
        const json::value* found = from.if_contains("complete_listing");
        if (found == nullptr) return;
        const json::value* flag = found;
        if (found->is_object()) {
            connector.complete_listing.setting =
                text(found->get_object(), "setting", path + ".complete_listing.setting", true);
            flag = found->get_object().if_contains("default");
        }
        if (flag == nullptr || !flag->is_bool())
            return wrong(path + ".complete_listing", flag,
                         "it must be true, false, or a setting with such a default");
        connector.complete_listing.value = flag->get_bool();
    }
    void read_date_range(const json::object& from, const std::string& path, DateRange& into) {
        const json::value* found = from.if_contains("date_range");
        if (found == nullptr) return;
        if (found->is_object()) {
            into.setting = text(found->get_object(), "setting", path + ".date_range.setting", true);
        } else if (found->is_bool()) {
            into.value = found->get_bool();
        } else {
            wrong(path + ".date_range", found, "it must be true, false, or {setting}");
        }
    }
    void read_duration(const json::value* found, const std::string& path, Milliseconds& into) {
        const auto parsed = found != nullptr && found->is_string()
                                ? parse_duration(std::string_view(found->get_string()))
                                : Result<Milliseconds>(fail(ErrorKind::config, ""));
        if (!parsed) return wrong(path, found, "it must be a duration such as 250ms or 2s");
        into = *parsed;
    }
    void read_limits(const json::object& from, const std::string& path, Limits& limits) {
        const json::object members = object(from, "limits", path);
        const auto number = [&](const char* key, std::uint32_t most, std::uint32_t& into) {
            const json::value* found = members.if_contains(key);
            if (found == nullptr) return;
            const std::int64_t value = found->is_int64() ? found->get_int64() : 0;
            if (value < 1 || value > most) {
                return wrong(path + "." + key, found,
                             "it must be a whole number from 1 to " + std::to_string(most));
            }
            into = static_cast<std::uint32_t>(value);
        };
        number("concurrent", 64, limits.concurrent);
        number("requests_per_second", 10'000, limits.per_second);
        number("requests_per_minute", 600'000, limits.per_minute);
        number("requests_per_hour", 10'000'000, limits.per_hour);
        number("requests_per_day", 100'000'000, limits.per_day);
        number("burst", 10'000, limits.burst);
        const auto duration = [&](const char* key, Milliseconds& into) {
            const json::value* found = members.if_contains(key);
            if (found != nullptr) read_duration(found, path + "." + key, into);
        };
        duration("min_gap", limits.min_gap);
        duration("pause_after_429", limits.pause_after_429);
        const std::string scope = text(members, "scope", path + ".scope", false);
        if (scope == "credential") limits.scope = Limits::Scope::credential;
        if (scope == "vendor") limits.scope = Limits::Scope::vendor;
        if (!scope.empty() && scope != "integration" && limits.scope == Limits::Scope::integration)
            wrong(path + ".scope", members.if_contains("scope"),
                  "allowed are integration, credential, vendor");
    }
    void read_effect(const json::object& from, const std::string& path, ConnectorManifest& connector) {
        const json::value* found = from.if_contains("effect");
        if (found == nullptr) {
            if (connector.has(JobKind::push)) {
                wrong(path + ".effect", found,
                      "a connector that pushes says upsert, keyed, findable or blind");
            }
            return;
        }
        const json::value* word = found;
        if (found->is_object()) {
            connector.effect.setting = text(found->get_object(), "setting", path + ".effect.setting", true);
            word = found->get_object().if_contains("default");
        }
        const auto parsed =
            word != nullptr && word->is_string() ? parse_effect_class(word->get_string()) : std::nullopt;
        if (!parsed) {
            return wrong(path + (found->is_object() ? ".effect.default" : ".effect"), word,
                         "allowed are upsert, keyed, findable, blind");
        }
        connector.effect.value = *parsed;
    }

    void read_key_lifetime(const json::object& from, const std::string& path, KeyLifetime& lifetime) {
        const json::value* found = from.if_contains("key_lifetime");
        if (found == nullptr) return;
        if (!found->is_object()) return read_duration(found, path, lifetime.value);
        lifetime.setting = text(found->get_object(), "setting", path + ".setting", true);
        read_duration(found->get_object().if_contains("default"), path + ".default", lifetime.value);
    }

    std::string problem_;
};

}  // namespace

std::string_view to_string(EffectClass effect) { return effect_words[static_cast<std::size_t>(effect)]; }

std::optional<EffectClass> parse_effect_class(std::string_view word) {
    for (std::size_t i = 0; i < effect_words.size(); ++i) {
        if (effect_words[i] == word) return static_cast<EffectClass>(i);
    }
    return std::nullopt;
}

std::string_view to_string(JobKind kind) { return job_words[static_cast<std::size_t>(kind)]; }

std::optional<JobKind> parse_job_kind(std::string_view word) {
    for (std::size_t i = 1; i < job_words.size(); ++i) {
        if (job_words[i] == word) return static_cast<JobKind>(i);
    }
    return std::nullopt;
}

bool ConnectorManifest::has(JobKind kind) const {
    return std::find(jobs.begin(), jobs.end(), kind) != jobs.end();
}

const EntityRule* ConnectorManifest::entity(std::string_view entity_name) const {
    for (const EntityRule& rule : entities) {
        if (rule.name == entity_name) return &rule;
    }
    return nullptr;
}

const ConnectorManifest* Manifest::connector(std::string_view name) const {
    for (const ConnectorManifest& one : connectors) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

Result<Manifest> parse_manifest(const json::value& value) { return ManifestReader().read(value); }

Result<Manifest> parse_manifest(std::string_view text) {
    boost::system::error_code problem;
    const json::value value = json::parse(text, problem);
    if (problem) return fail(ErrorKind::config, "the manifest is not JSON: " + problem.message());
    return parse_manifest(value);
}

}  // namespace liaisond::plugin
