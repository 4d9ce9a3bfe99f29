// The real clock, randomness and time zones: the only implementations that touch the machine.
#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

namespace liaisond {

class SystemClock final : public Clock {
  public:
    Instant now() const override;
    std::chrono::nanoseconds monotonic() const override;
};

class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override;
};

// IANA database of the machine (package tzdata), through Howard Hinnant's date library.
class SystemTimeZones final : public TimeZones {
  public:
    bool exists(std::string_view zone) const override;
    std::chrono::local_time<Milliseconds> to_local(std::string_view zone, Instant at) const override;
    Instant to_instant(std::string_view zone, std::chrono::local_time<Milliseconds> local) const override;
};

}  // namespace liaisond
