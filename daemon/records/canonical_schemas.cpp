#include "records/canonical_schemas.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/text.hpp"
#include "records/canonical_data.hpp"

namespace liaisond::records {
namespace json = boost::json;

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

std::string field_fault(const Schema& schema, std::string_view pointer) {
    if (!pointer.starts_with('/')) return "is no JSON pointer; write \"/status\", say";
    if (pointer == "/") return {};  // the whole record
    std::vector<std::string> path;
    std::string group;
    for (const std::string& token : split(pointer.substr(1), '/')) {
        const Schema::Shape shape = schema.shape(path).value_or(Schema::Shape());
        const bool is_money =
            std::find(shape.members.begin(), shape.members.end(), "currency") != shape.members.end();
        if (!path.empty() && (shape.is_list || is_money)) {
            return std::string("is inside ") + (shape.is_list ? "a list" : "an amount of money") +
                   ", which is decided as a whole; write \"" + group + "\"";
        }
        path.push_back(token);
        if (schema.shape(path)) {
            group += "/" + token;
            continue;
        }
        std::string text = "is no field: there is no '" + token + "' in " +
                           (group.empty() ? std::string("the record") : group);
        return text + did_you_mean(token, shape.members);
    }
    return {};
}

bool matches_by(std::string_view name, const std::vector<std::string>& place) {
    return std::any_of(place.begin(), place.end(), [&](const std::string& token) {
        return token == name ||
               (token.size() == name.size() + 1 && token.starts_with(name) && token.back() == 's');
    });
}

std::vector<std::string> match_names(const Schema& schema) {
    std::vector<std::string> names;
    for (const std::vector<std::string>& place : schema.match()) {
        if (place.empty()) continue;
        std::string name = place.front();
        if (place.size() > 1 && name.ends_with('s')) name.pop_back();
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    return names;
}

std::vector<std::string> referred_entities(const Schema& schema) {
    std::vector<std::string> names;
    for (const Schema::Reference& reference : schema.references()) {
        if (std::find(names.begin(), names.end(), reference.entity) == names.end())
            names.push_back(reference.entity);
    }
    return names;
}

}  // namespace liaisond::records
