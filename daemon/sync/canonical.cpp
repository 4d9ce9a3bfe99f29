#include "sync/canonical.hpp"

#include <boost/json/parse.hpp>

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
