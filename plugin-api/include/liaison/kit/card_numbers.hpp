// Card numbers in free text: what guests and agents type into remarks, and nobody may keep.
#pragma once

#include <string>
#include <string_view>

#include <liaison/kit/text.hpp>

namespace liaison::kit {

namespace card_parts {

inline bool passes_luhn(std::string_view digits) {
    int sum = 0;
    bool twice = false;
    for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
        const int value = digits[i] - '0';
        sum += twice ? (value * 2 > 9 ? value * 2 - 9 : value * 2) : value;
    }
    return sum % 10 == 0;
}

}  // namespace card_parts

// Digits, single blanks, dots or dashes between them allowed, that make 13 to 19 and pass the Luhn check are
// shown with their last four.
inline std::string without_card_numbers(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (!is_digit(text[at])) {
            out.push_back(text[at++]);
            continue;
        }
        std::string digits;
        std::size_t end = at;
        for (std::size_t next = at; next < text.size(); ++next) {
            if (is_digit(text[next])) {
                digits.push_back(text[next]);
                end = next + 1;
            } else if (std::string_view(" .-").find(text[next]) == std::string_view::npos || next != end) {
                break;
            }
        }
        const bool is_card =
            digits.size() >= 13 && digits.size() <= 19 && digits[0] != '0' && card_parts::passes_luhn(digits);
        if (is_card)
            out.append("****").append(digits.substr(digits.size() - 4));
        else
            out += text.substr(at, end - at);
        at = end;
    }
    return out;
}

}  // namespace liaison::kit
