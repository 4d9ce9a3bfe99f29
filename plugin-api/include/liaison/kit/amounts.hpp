// Numbers of vendors, read exactly; what is none is said with the words for people.
#pragma once

#include <string>

#include <liaison/kit/decimal.hpp>
#include <liaison/kit/text.hpp>

namespace liaison::kit {

// Of quantities and prices in the hub.
inline constexpr int hub_decimals = 6;

// `what`: names the number in the ValueError that is thrown when `text` is none.
inline Decimal decimal_of(const std::string& text, const std::string& what) {
    const auto value = Decimal::parse(text);
    if (!value) throw ValueError("number", what + " '" + excerpt(text, 40) + "' is no number");
    return *value;
}
// As the hub writes quantities and prices: at most six decimals.
inline std::string hub_number(const std::string& text, const std::string& what) {
    const auto rounded = decimal_of(text, what).rounded(hub_decimals);
    if (!rounded) throw ValueError("number", what + " '" + excerpt(text, 40) + "' is too large");
    return rounded->text();
}

}  // namespace liaison::kit
