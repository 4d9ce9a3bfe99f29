// What can be done with a canonical record by its schema alone.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/schema.hpp"
#include "records/canonical_schemas.hpp"

namespace liaisond::sync {

namespace json = boost::json;

using records::CanonicalSchemas;

// Calls visit(entity, text) for every reference in the record; the text may be replaced.
void visit_references(const Schema& schema, json::object& record,
                      const std::function<void(const std::string& entity, json::string& text)>& visit);

// The stored content without what tells of a person (x-personal); nothing where it tells of none.
std::optional<std::string> without_personal_data(const Schema& schema, std::string_view content);

// A stored content as an object; empty where the text is none.
json::object parsed_object(std::string_view text);

}  // namespace liaisond::sync
