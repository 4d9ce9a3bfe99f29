// Canonical records: the schemas of the hub's entities, and what can be done with a record by schema alone.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/schema.hpp"

namespace liaisond::sync {

namespace json = boost::json;

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

// Calls visit(entity, text) for every reference in the record; the text may be replaced.
void visit_references(const Schema& schema, json::object& record,
                      const std::function<void(const std::string& entity, json::string& text)>& visit);

// A stored content as an object; empty where the text is none.
json::object parsed_object(std::string_view text);

}  // namespace liaisond::sync
