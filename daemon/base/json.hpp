// Small tools for JSON documents: pointers (RFC 6901) and numbers.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond {

// The key as a token of a pointer: "a/b" is "a~1b".
std::string pointer_token(std::string_view key);
// The keys that a pointer goes through: "/a~1b/0" goes through "a/b" and "0".
std::vector<std::string> pointer_keys(std::string_view pointer);

// Where the first number stands that JSON can write and a double cannot hold, as a pointer: 1e999 is read as
// infinite, and 0e999 by Boost.JSON 1.81 as no number at all, which is not even equal to itself. Limits to
// the range are a reader's right (RFC 8259, section 6).
std::optional<std::string> number_out_of_range(const boost::json::value& value);
// What to say of it, after the place.
inline constexpr std::string_view is_out_of_range =
    "is a number out of range: its exponent is too large; write it without one, or as a text";

}  // namespace liaisond
