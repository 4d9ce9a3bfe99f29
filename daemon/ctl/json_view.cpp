#include "ctl/json_view.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr std::size_t short_list = 60;  // characters

bool is_plain(const json::value& value) { return !value.is_object() && !value.is_array(); }

std::string plain_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

}  // namespace

const json::value* member(const json::value& value, std::string_view key) {
    const json::object* object = value.if_object();
    const json::value* found = object == nullptr ? nullptr : object->if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_at(const json::value& value, std::string_view key) {
    const json::value* found = member(value, key);
    return found == nullptr ? std::string() : plain_text(*found);
}

std::int64_t number_at(const json::value& value, std::string_view key) {
    const json::value* found = member(value, key);
    if (found == nullptr || !found->is_number()) return 0;
    boost::system::error_code error;
    const auto number = found->to_number<std::int64_t>(error);
    return error ? 0 : number;
}

bool flag_at(const json::value& value, std::string_view key) {
    const json::value* found = member(value, key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<Instant> instant_at(const json::value& value, std::string_view key) {
    const json::value* found = member(value, key);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return parse_instant(found->get_string());
}

const json::array& array_at(const json::value& value, std::string_view key) {
    static const json::array none;
    const json::value* found = member(value, key);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string pretty(const json::value& value, std::size_t indent) {
    const std::string margin(indent, ' '), inner(indent + 2, ' ');
    if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
        std::string text = "{\n";
        std::size_t left = object->size();
        for (const auto& [key, one] : *object) {
            text += inner + json::serialize(json::string(key)) + ": " + pretty(one, indent + 2) +
                    (--left > 0 ? ",\n" : "\n");
        }
        return text + margin + "}";
    }
    if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        const std::string line = json::serialize(value);
        if (line.size() <= short_list && std::all_of(array->begin(), array->end(), is_plain)) return line;
        std::string text = "[\n";
        std::size_t left = array->size();
        for (const json::value& one : *array)
            text += inner + pretty(one, indent + 2) + (--left > 0 ? ",\n" : "\n");
        return text + margin + "]";
    }
    return json::serialize(value);
}

std::string summary(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return plain_text(value);
    std::string text;
    for (const auto& [key, one] : *object) {
        if (!is_plain(one) || one.is_null()) continue;
        text += (text.empty() ? "" : ", ") + std::string(key) + ": " + plain_text(one);
    }
    return text.empty() && !object->empty() ? json::serialize(value) : text;
}

}  // namespace liaisond::ctl
