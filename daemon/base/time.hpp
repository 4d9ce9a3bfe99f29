// Time as the daemon speaks it: milliseconds since the Unix epoch in UTC, RFC 3339 text, and durations as in
// YAML.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace liaisond {

using Milliseconds = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Milliseconds>;

inline std::int64_t to_unix_ms(Instant at) { return at.time_since_epoch().count(); }
inline Instant from_unix_ms(std::int64_t ms) { return Instant(Milliseconds(ms)); }

// "2026-03-06T19:30:00.000Z"
std::string format_instant(Instant at);
// RFC 3339 with Z or an offset; nothing where the text is not one.
std::optional<Instant> parse_instant(std::string_view text);

// "250ms", "30s", "5m", "2h", "7d"; errors name what is allowed.
Result<Milliseconds> parse_duration(std::string_view text);
// The shortest of those forms that is exact: 90 s gives "90s", 120 s gives "2m".
std::string format_duration(Milliseconds duration);

// The seam behind which real time hides; the engine has no other clock.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;                         // wall clock; may step
    virtual std::chrono::nanoseconds monotonic() const = 0;  // never steps; for durations
};

// Time zones are host data too (IANA names), so that simulated runs do not depend on the machine.
class TimeZones {
  public:
    virtual ~TimeZones() = default;
    virtual bool exists(std::string_view zone) const = 0;
    // Local wall time of an instant.
    virtual std::chrono::local_time<Milliseconds> to_local(std::string_view zone, Instant at) const = 0;
    // The instant of a local wall time: in a gap the first instant after it, in a fold the earlier one.
    virtual Instant to_instant(std::string_view zone, std::chrono::local_time<Milliseconds> local) const = 0;
};

}  // namespace liaisond
