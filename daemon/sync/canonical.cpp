#include "sync/canonical.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::sync {

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

// Whether there was something.
bool erase(json::value& value, const std::vector<std::string>& place, std::size_t depth) {
    const std::string& token = place[depth];
    bool erased = false;
    if (token == "*" && value.is_array()) {
        for (json::value& item : value.get_array())
            erased = (depth + 1 < place.size() && erase(item, place, depth + 1)) || erased;
    } else if (value.is_object()) {
        json::object& object = value.get_object();
        if (depth + 1 == place.size()) return object.erase(token) != 0;
        if (json::value* member = object.if_contains(token)) erased = erase(*member, place, depth + 1);
    }
    return erased;
}

}  // namespace

std::optional<std::string> without_personal_data(const Schema& schema, std::string_view content) {
    json::value record = parsed_object(content);
    bool erased = false;
    for (const std::vector<std::string>& place : schema.personal())
        erased = (!place.empty() && erase(record, place, 0)) || erased;
    if (!erased) return std::nullopt;
    return json::serialize(record);
}

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
