// Points in time as the simulated vendors write them: RFC 3339, UTC, milliseconds; and plain dates.
// Inside the simulator an instant is a count of milliseconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace liaison_sim {

std::int64_t now_ms();
// "2026-01-31T08:15:00.250Z"
std::string format_instant(std::int64_t ms);
// "2026-01-31"
std::string format_date(std::int64_t days_since_1970);
// Any RFC 3339 offset, 0 to 9 fraction digits; digits after the millisecond are cut.
std::optional<std::int64_t> parse_instant(std::string_view text);
bool is_date(std::string_view text);

}  // namespace liaison_sim
