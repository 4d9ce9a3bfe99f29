// LocalTime: the clock of a place of which only its offset in winter and the rule of its summer time are
// known, for systems that write dates without a zone. The hour that is repeated in autumn is taken for its
// first half; whoever compares such times must overlap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <liaison/kit/time.hpp>

namespace liaison::kit {

enum class SummerTime { none, europe, america };

class LocalTime {
  public:
    LocalTime(int offset_minutes, SummerTime rule) : offset_minutes_(offset_minutes), rule_(rule) {}

    // Unix milliseconds of what the clock there shows.
    std::int64_t to_unix_ms(const Date& date, std::int64_t ms_of_day) const {
        const std::int64_t standard = date.days() * ms_per_day + ms_of_day - offset_minutes_ * minute_ms;
        return is_summer(standard - hour_ms) ? standard - hour_ms : standard;
    }
    // What the clock shows then, as if it were UTC: for dates and for comparing.
    std::int64_t shown_at(std::int64_t unix_ms) const {
        return unix_ms + offset_minutes_ * minute_ms + (is_summer(unix_ms) ? hour_ms : 0);
    }
    std::string date_at(std::int64_t unix_ms) const {
        return date_text(DateTime::from_unix_ms(shown_at(unix_ms)).date);
    }

  private:
    static constexpr std::int64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;

    // Day of the month's nth Sunday; -1: the last one.
    static Date sunday(int year, int month, int nth) {
        const int first_of = nth > 0 ? 1 + (nth - 1) * 7 : Date::days_in(year, month) - 6;
        const Date first{year, month, first_of};
        const auto weekday = static_cast<int>((first.days() + 4) % 7);  // 0: Sunday
        return first.plus_days((7 - weekday) % 7);
    }
    bool is_summer(std::int64_t unix_ms) const {
        if (rule_ == SummerTime::none) return false;
        const int year = DateTime::from_unix_ms(unix_ms + offset_minutes_ * minute_ms).date.year;
        if (rule_ == SummerTime::europe) {  // at 01:00 UTC everywhere
            return unix_ms >= sunday(year, 3, -1).days() * ms_per_day + hour_ms &&
                   unix_ms < sunday(year, 10, -1).days() * ms_per_day + hour_ms;
        }
        // At 02:00 by the clock that is being changed.
        const std::int64_t standard = unix_ms + offset_minutes_ * minute_ms;
        return standard >= sunday(year, 3, 2).days() * ms_per_day + 2 * hour_ms &&
               standard < sunday(year, 11, 1).days() * ms_per_day + hour_ms;
    }

    int offset_minutes_;
    SummerTime rule_;
};

// Of the words that settings use: "eu", "us"; anything else is none.
inline SummerTime summer_time_of(std::string_view word) {
    if (word == "eu") return SummerTime::europe;
    return word == "us" ? SummerTime::america : SummerTime::none;
}

}  // namespace liaison::kit
