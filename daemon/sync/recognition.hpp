// Recognition: the values by which a record that another system brings is known to be one the hub has already
// ("customer by e-mail"). Which values count is configured by name; where they stand, the schema says
// (x-match).
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/schema.hpp"
#include "store/types.hpp"

namespace liaisond::sync {

namespace json = boost::json;

using store::MatchValues;

// Values of the record under these names, sorted, each once: ("email", "ana@example.org"). "email" reads
// every place of x-match that has a token `email` or `emails`. Letter case and surrounding blanks do not
// count.
MatchValues match_values(const Schema& schema, const std::vector<std::string>& names,
                         const json::object& record);

// The first name that reads no place of the schema; empty when all do.
std::string unknown_match_name(const Schema& schema, const std::vector<std::string>& names);

// The state, by integration and entity, that is there once an import has read everything that the vendor has.
// Before, what is created there may be a twin of what it has already.
inline constexpr const char* read_through_state = "read_through";
inline std::string read_through_key(const std::string& integration, const std::string& entity) {
    return integration + "/" + entity;
}

}  // namespace liaisond::sync
