#include "webhooks/card_data.hpp"

#include <algorithm>
#include <array>

#include "auth/digest.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "webhooks/signature.hpp"

namespace liaisond::webhooks {
namespace {

constexpr std::array<std::string_view, 10> code_names{
    "cvc",      "cvv",      "cvc2",          "cvv2",         "cvn",
    "card_cvc", "card_cvv", "security_code", "securitycode", "seriescode"};
constexpr std::size_t longest_name = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_code_name(std::string_view name) {
    const char first = name.empty() ? '\0' : static_cast<char>(name.front() | 0x20);
    return (first == 'c' || first == 's') &&
           std::any_of(code_names.begin(), code_names.end(),
                       [&](std::string_view one) { return equals_ignoring_case(name, one); });
}

// "cvc": "123"   "cvc": 123   <cvc>123</cvc>   cvc="123"   cvc=123: three or four digits soon after the name.
void blank_security_codes(std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        if (!is_word(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_word(text[end])) ++end;
        const std::string_view name = std::string_view(text).substr(at, std::min(end - at, longest_name));
        at = end;
        if (!is_code_name(name)) continue;
        std::size_t from = end;
        while (from < text.size() && std::string_view("\"': =>\t").find(text[from]) != std::string_view::npos)
            ++from;
        std::size_t until = from;
        while (until < text.size() && is_digit(text[until])) ++until;
        if (from == end || until - from < 3 || until - from > 4) continue;
        const bool is_bare_number = text[from - 1] == ':' || text[from - 1] == ' ';
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(from),
                  text.begin() + static_cast<std::ptrdiff_t>(until),
                  is_bare_number ? '9' : '0');  // 000 is no JSON number
        at = until;
    }
}

// A percent sign or a plus is what a form would have encoded.
std::string encoded(const std::string& text) { return auth::percent_encoded(text); }

}  // namespace

std::string without_card_data(std::string_view text) {
    std::string made = blank_issued_card_numbers(text);
    blank_security_codes(made);
    return made;
}

std::string form_without_card_data(std::string_view body) {
    std::string made;
    bool is_changed = false;
    for (const auto& [name, value] : parse_form(body)) {
        const std::string field =
            is_code_name(name) && !value.empty() ? std::string("000") : without_card_data(value);
        is_changed = is_changed || field != value;
        made += (made.empty() ? "" : "&") + encoded(name) + "=" + encoded(field);
    }
    return is_changed ? made : std::string(body);
}

}  // namespace liaisond::webhooks
