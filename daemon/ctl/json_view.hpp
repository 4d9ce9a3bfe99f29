// Reading JSON that may lack anything: an absent or odd member reads as empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/time.hpp"

namespace liaisond::ctl {

// Null when `value` is no object or has no such member, or when the member is null.
const boost::json::value* member(const boost::json::value& value, std::string_view key);
std::string text_at(const boost::json::value& value,
                    std::string_view key);  // numbers and booleans as text too
std::int64_t number_at(const boost::json::value& value, std::string_view key);
bool flag_at(const boost::json::value& value, std::string_view key);
std::optional<Instant> instant_at(const boost::json::value& value, std::string_view key);
const boost::json::array& array_at(const boost::json::value& value, std::string_view key);

// Indented by two blanks, members in their order, short lists of plain values on one line.
std::string pretty(const boost::json::value& value, std::size_t indent = 0);
// "sku: 4711, name: Salt, price: 0.50": the plain members of a record on one line.
std::string summary(const boost::json::value& value);

}  // namespace liaisond::ctl
