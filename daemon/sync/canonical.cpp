#include "sync/canonical.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "sync/canonical_data.hpp"

namespace liaisond::sync {

const CanonicalSchemas& CanonicalSchemas::embedded() {
    static const CanonicalSchemas schemas;
    return schemas;
}

// The embedded texts are part of the build: that they compile is held by a test, so value() cannot throw
// here.
CanonicalSchemas::CanonicalSchemas() {
    for (const CanonicalSchemaText& text : canonical_schema_texts()) {
        schemas_.emplace(std::string(text.entity), Schema::compile(json::parse(text.json)).value());
    }
}

const Schema* CanonicalSchemas::find(std::string_view entity) const {
    const auto found = schemas_.find(entity);
    return found == schemas_.end() ? nullptr : &found->second;
}

std::vector<std::string> CanonicalSchemas::names() const {
    std::vector<std::string> names;
    for (const auto& [name, schema] : schemas_) names.push_back(name);
    return names;
}

int CanonicalSchemas::rank(std::string_view entity) const {
    const Schema* schema = find(entity);
    int rank = 0;
    if (schema == nullptr) return rank;
    for (const Schema::Reference& reference : schema->references()) {
        if (reference.entity != entity) rank = std::max(rank, this->rank(reference.entity) + 1);
    }
    return rank;
}

namespace {

using Visit = std::function<void(const std::string&, json::string&)>;

void walk(json::value& value, const Schema::Reference& reference, std::size_t depth, const Visit& visit) {
    if (depth == reference.path.size()) {
        if (value.is_string() && !value.get_string().empty()) visit(reference.entity, value.get_string());
        return;
    }
    const std::string& token = reference.path[depth];
    if (token == "*" && value.is_array()) {
        for (json::value& item : value.get_array()) walk(item, reference, depth + 1, visit);
    } else if (value.is_object()) {
        if (json::value* member = value.get_object().if_contains(token))
            walk(*member, reference, depth + 1, visit);
    }
}

}  // namespace

void visit_references(const Schema& schema, json::object& record, const Visit& visit) {
    for (const Schema::Reference& reference : schema.references()) {
        json::value* member = reference.path.empty() ? nullptr : record.if_contains(reference.path.front());
        if (member != nullptr) walk(*member, reference, 1, visit);
    }
}

json::object parsed_object(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return !error && value.is_object() ? std::move(value.get_object()) : json::object();
}

}  // namespace liaisond::sync
