#include "sync/recognition.hpp"

#include <algorithm>

#include "records/canonical_schemas.hpp"

namespace liaisond::sync {
namespace {

using records::matches_by;

std::string normalised(std::string_view text) {
    std::string value;
    for (const char c : text) value += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    value.erase(value.begin(), std::find_if_not(value.begin(), value.end(), blank));
    while (!value.empty() && blank(value.back())) value.pop_back();
    return value;
}

void collect(const json::value& value, const std::vector<std::string>& place, std::size_t depth,
             const std::string& name, MatchValues& into) {
    if (depth == place.size()) {
        if (!value.is_string()) return;
        std::string text = normalised(value.get_string());
        if (!text.empty()) into.emplace_back(name, std::move(text));
    } else if (place[depth] == "*" && value.is_array()) {
        for (const json::value& item : value.get_array()) collect(item, place, depth + 1, name, into);
    } else if (value.is_object()) {
        const json::value* member = value.get_object().if_contains(place[depth]);
        if (member != nullptr) collect(*member, place, depth + 1, name, into);
    }
}

}  // namespace

MatchValues match_values(const Schema& schema, const std::vector<std::string>& names,
                         const json::object& record) {
    MatchValues values;
    for (const std::string& name : names) {
        for (const std::vector<std::string>& place : schema.match()) {
            if (place.empty() || !matches_by(name, place)) continue;
            const json::value* member = record.if_contains(place.front());
            if (member != nullptr) collect(*member, place, 1, name, values);
        }
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::string unknown_match_name(const Schema& schema, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const bool known = std::any_of(schema.match().begin(), schema.match().end(),
                                       [&](const auto& place) { return matches_by(name, place); });
        if (!known) return name;
    }
    return {};
}

}  // namespace liaisond::sync
