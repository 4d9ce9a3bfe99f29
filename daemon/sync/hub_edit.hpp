// Hub edit: a record of the hub changed by the house's own software rather than by a vendor. It is a change
// like any other: the feed shows it, and whoever exports the entity is owed it.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/random.hpp"
#include "base/schema.hpp"
#include "store/database.hpp"
#include "sync/canonical.hpp"

namespace liaisond::sync {

// Who changed it, in the feed and in the provenance of fields.
inline constexpr const char* edited_by_api = "api";

struct HubEdit {
    // replace: the whole content; merge: what it mentions (RFC 7396, null removes a member); remove
    enum class Kind : std::uint8_t { replace, merge, remove } kind = Kind::replace;
    std::string tenant, entity;
    std::string record;  // UUID; empty: a new record, whose id is made here
    json::object content;
    std::optional<std::int64_t> version;     // the one that must be there; 0: none may
    std::vector<std::string> recognised_by;  // names of the entity's `match`
};

struct Edited {
    store::RecordRow record;
    bool created = false, changed = false;
};

// What the edit may not do: the status in words of HTTP, since nobody else asks for edits.
struct EditRefusal {
    enum class Why : std::uint8_t { not_found, invalid, changed_meanwhile, say_which_version } why;
    std::string text;
    std::vector<Schema::Fault> faults = {};
};

using EditOutcome = std::variant<Edited, EditRefusal>;

// Inside the transaction it is called in. References are ids of hub records of the same tenant. [thread of
// the database]
Result<EditOutcome> edit_record(store::Database& database, const CanonicalSchemas& schemas,
                                const HubEdit& edit, Instant now, Random& random);

}  // namespace liaisond::sync
