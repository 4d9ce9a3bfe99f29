// CanonicalSchemas: the schemas of the hub's entities, and what configuration may say about their fields.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/schema.hpp"

namespace liaisond::records {

class CanonicalSchemas {
  public:
    // Those of plugin-api/schemas, embedded at build time.
    static const CanonicalSchemas& embedded();

    // Null for an unknown entity; names with the prefix `x_` are always allowed and have no schema.
    const Schema* find(std::string_view entity) const;
    bool allowed(std::string_view entity) const {
        return find(entity) != nullptr || entity.starts_with("x_");
    }
    std::vector<std::string> names() const;
    // Entities that others refer to come first: 0 refers to nothing.
    int rank(std::string_view entity) const;

  private:
    CanonicalSchemas();
    std::map<std::string, Schema, std::less<>> schemas_;
};

// Why there is no such field, or group of fields, that two systems can disagree about; empty when there is.
// Lists and amounts of money are decided as a whole.
std::string field_fault(const Schema& schema, std::string_view pointer);

// Whether `name` of a configuration's `match` reads this place: "email" is "/email" and "/emails/*/value".
bool matches_by(std::string_view name, const std::vector<std::string>& place);
// Names that read something, for a person to choose from.
std::vector<std::string> match_names(const Schema& schema);

// Other entities that records of this one refer to.
std::vector<std::string> referred_entities(const Schema& schema);

}  // namespace liaisond::records
