// Comparing an effect with what a script expects, and writing effects in the notation of scripts.
#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "plugin/messages.hpp"
#include "plugin/script.hpp"

namespace liaisond::plugin {

// The first difference: its line and what is wrong; an empty text means equal.
struct Difference {
    int line = 0;
    std::string text;
};

Difference compare(const Exchange& exchange, const Effect& effect);

// As a script would say it, one line per item: "> GET https://...".
std::string describe(const Effect& effect);

// Is every member of `expected` in `actual`, deeply? Lists must have the same length.
bool is_subset(const boost::json::value& expected, const boost::json::value& actual);

}  // namespace liaisond::plugin
