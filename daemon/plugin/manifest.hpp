// Manifest: what a plugin says about itself and its connectors, typed. Keys it does not know are ignored,
// because manifests grow; keys it knows are checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

// How a write behaves when nobody knows whether it was executed (reliability.md 2.1).
enum class EffectClass : std::uint8_t { upsert, keyed, findable, blind };

std::string_view to_string(EffectClass effect);
std::optional<EffectClass> parse_effect_class(std::string_view word);

// A fixed class, or one that the operator chooses in the setting at that JSON pointer ("{entity}" stands for
// the name).
struct EffectRule {
    EffectClass value = EffectClass::blind;  // also the default of the setting
    std::string setting;                     // empty: fixed
};

// How long the vendor remembers the key of a keyed create, from its first sending on; chosen as above.
struct KeyLifetime {
    std::chrono::milliseconds value = std::chrono::hours(24);  // also where nothing is said
    std::string setting;
};

// Whether a full pull shows all records there are, so that what it lacks is gone: fixed, or chosen as above.
struct CompleteListing {
    bool value = false;
    std::string setting;
};

// Whether a pull can be asked for a range of dates: fixed, or where the operator filled in the setting.
struct DateRange {
    bool value = false;
    std::string setting;
};

struct EntityRule {
    std::string name;
    bool pull = false, push = false;
    bool date_range = false;               // a pull of it can be asked for a range of dates
    std::optional<EffectClass> effect;     // of its writes, where it is not the connector's
    std::optional<bool> complete_listing;  // the same of its full pulls
};

struct AuthScheme {
    std::string name;
    boost::json::object definition;
};

// Requests that the vendor allows; zero: not said. The operator may configure others.
struct Limits {
    enum class Scope : std::uint8_t { integration, credential, vendor };
    Scope scope = Scope::integration;  // who shares them
    std::uint32_t concurrent = 0, per_second = 0, per_minute = 0, per_hour = 0, per_day = 0, burst = 0;
    std::chrono::milliseconds min_gap{0}, pause_after_429{0};
};

struct ConnectorManifest {
    std::string name, title, description;
    std::vector<JobKind> jobs;
    boost::json::object settings;     // JSON Schema; empty: no settings
    boost::json::object credentials;  // JSON Schema; empty: none
    std::vector<AuthScheme> auth;
    bool any_entity = false;  // "entities": "any"
    std::vector<EntityRule> entities;
    EffectRule effect;
    KeyLifetime key_lifetime;
    CompleteListing complete_listing;
    DateRange date_range;  // of all entities; single ones say so themselves
    Limits limits;         // what the vendor allows
    // "never_keep": XML elements of answers that the host empties before anybody sees them; "cc_*" is a
    // beginning
    std::vector<std::string> dropped_elements;
    // "webhook": how the vendor's deliveries prove themselves, in the words of the configuration; `secret` is
    // the name of the credential that does. Empty: not said.
    boost::json::object webhook;
    boost::json::object raw;  // the whole object, for keys that only some readers know

    bool has(JobKind kind) const;
    const EntityRule* entity(std::string_view entity_name) const;  // null when not listed
};

struct Manifest {
    std::string id, version, vendor;
    std::vector<ConnectorManifest> connectors;

    const ConnectorManifest* connector(std::string_view name) const;
};

std::string_view to_string(JobKind kind);
std::optional<JobKind> parse_job_kind(std::string_view word);

// Errors are of kind `config` and name the key: "connectors[0].jobs[1] is \"fetch\"; allowed are test, pull,
// ...".
Result<Manifest> parse_manifest(std::string_view text);
Result<Manifest> parse_manifest(const boost::json::value& value);

}  // namespace liaisond::plugin
