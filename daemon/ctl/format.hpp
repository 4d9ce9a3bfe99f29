// Numbers, durations and moments as people read them. Times are local to the machine (or to TZ).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace liaisond::ctl {

std::string format_number(std::int64_t number);  // "12,345"
std::string format_count(std::int64_t number, std::string_view one,
                         std::string_view many = {});  // "1 run", "3 runs"
std::string format_span(Milliseconds span);    // "350 ms", "1.2 s", "2 min 05 s", "3 h 10 min", "4 d 2 h"
std::string format_bytes(std::int64_t bytes);  // "812 B", "1.4 KiB", "32.0 MiB"
std::string format_local(Instant at);          // "2026-03-06 19:30:05"
std::string format_local(const std::optional<Instant>& at);  // empty where there is none
std::string format_age(Instant at, Instant now);             // "just now", "5 min ago"
std::string format_until(Instant at, Instant now);           // "now", "in 5 min"

// Control characters (escape sequences of a terminal among them) and broken UTF-8 as '?', line breaks as
// blanks: what vendors send may not steer the terminal.
std::string one_line(std::string_view text);
// The same, but line breaks stay.
std::string many_lines(std::string_view text);

}  // namespace liaisond::ctl
