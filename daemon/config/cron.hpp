// Five-field cron expressions (minute, hour, day of month, month, day of week), as crontab(5) reads them.
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace liaisond::config {

class Cron {
  public:
    // Lists, ranges, steps and the English names of months and days; 7 is Sunday too.
    static Result<Cron> parse(std::string_view text);

    // The first matching wall-clock minute after `after` in `zone`. Across daylight-saving changes, as
    // cron(8) on Debian: fixed hours happen exactly once, inside a spring gap at the first instant after it
    // and in an autumn fold at the first of the two; an hour field that begins with `*` is an interval, which
    // knows no gap and runs in both hours of a fold. Nothing when no minute matches within five years (30
    // February).
    std::optional<Instant> next(Instant after, std::string_view zone, const TimeZones& zones) const;
    const std::string& text() const { return text_; }
    // Does the hour field begin with `*`?
    bool is_interval() const { return any_hour_; }

  private:
    bool day_matches(std::chrono::local_days day) const;
    std::optional<Instant> next_fixed(Instant after, std::string_view zone, const TimeZones& zones) const;
    std::optional<Instant> next_interval(Instant after, std::string_view zone, const TimeZones& zones) const;

    std::string text_;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<7> weekdays_;
    bool any_day_ = true, any_weekday_ = true, any_hour_ = true;
};

}  // namespace liaisond::config
