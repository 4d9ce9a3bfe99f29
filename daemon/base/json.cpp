#include "base/json.hpp"

#include <cmath>

#include "base/text.hpp"

namespace liaisond {
namespace json = boost::json;

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char c : key) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return token;
}

std::vector<std::string> pointer_keys(std::string_view pointer) {
    std::vector<std::string> keys = split(pointer, '/');
    keys.erase(keys.begin());  // what stands before the first slash
    for (std::string& key : keys) {
        std::string plain;
        for (std::size_t i = 0; i < key.size(); ++i) {
            const bool is_escape = key[i] == '~' && i + 1 < key.size();
            plain += !is_escape ? key[i] : key[++i] == '1' ? '/' : '~';
        }
        key = std::move(plain);
    }
    return keys;
}

std::optional<std::string> number_out_of_range(const json::value& value) {
    if (const double* number = value.if_double())
        return std::isfinite(*number) ? std::nullopt : std::optional<std::string>("");
    if (const json::object* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (auto inside = number_out_of_range(member)) return "/" + pointer_token(key) + *inside;
        }
    } else if (const json::array* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (auto inside = number_out_of_range((*array)[i])) return "/" + std::to_string(i) + *inside;
        }
    }
    return std::nullopt;
}

}  // namespace liaisond
