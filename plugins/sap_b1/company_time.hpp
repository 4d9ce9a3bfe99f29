// CompanyTime: SAP Business One writes dates and times as the clock of the company shows them, without a
// zone. What that clock is, the settings say: an offset, and by which rule it is put forward in summer. The
// hour that is repeated in autumn is taken for its first half; whoever compares such times must overlap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <liaison/kit/time.hpp>

namespace sap_b1 {

namespace kit = liaison::kit;

enum class SummerTime { none, europe, america };

class CompanyTime {
  public:
    CompanyTime(int offset_minutes, SummerTime rule) : offset_minutes_(offset_minutes), rule_(rule) {}

    // Unix milliseconds of what the company's clock shows.
    std::int64_t to_unix_ms(const kit::Date& date, std::int64_t ms_of_day) const {
        const std::int64_t standard = date.days() * kit::ms_per_day + ms_of_day - offset_minutes_ * minute_ms;
        return is_summer(standard - hour_ms) ? standard - hour_ms : standard;
    }
    // What the clock shows then, as if it were UTC: for dates and for comparing.
    std::int64_t shown_at(std::int64_t unix_ms) const {
        return unix_ms + offset_minutes_ * minute_ms + (is_summer(unix_ms) ? hour_ms : 0);
    }
    std::string date_at(std::int64_t unix_ms) const {
        return kit::date_text(kit::DateTime::from_unix_ms(shown_at(unix_ms)).date);
    }

  private:
    static constexpr std::int64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;

    // Day of the month's nth Sunday; -1: the last one.
    static kit::Date sunday(int year, int month, int nth) {
        const int first_of = nth > 0 ? 1 + (nth - 1) * 7 : kit::Date::days_in(year, month) - 6;
        const kit::Date first{year, month, first_of};
        const auto weekday = static_cast<int>((first.days() + 4) % 7);  // 0: Sunday
        return first.plus_days((7 - weekday) % 7);
    }
    bool is_summer(std::int64_t unix_ms) const {
        if (rule_ == SummerTime::none) return false;
        const int year = kit::DateTime::from_unix_ms(unix_ms + offset_minutes_ * minute_ms).date.year;
        if (rule_ == SummerTime::europe) {  // at 01:00 UTC everywhere
            return unix_ms >= sunday(year, 3, -1).days() * kit::ms_per_day + hour_ms &&
                   unix_ms < sunday(year, 10, -1).days() * kit::ms_per_day + hour_ms;
        }
        // At 02:00 by the clock that is being changed.
        const std::int64_t standard = unix_ms + offset_minutes_ * minute_ms;
        return standard >= sunday(year, 3, 2).days() * kit::ms_per_day + 2 * hour_ms &&
               standard < sunday(year, 11, 1).days() * kit::ms_per_day + hour_ms;
    }

    int offset_minutes_;
    SummerTime rule_;
};

// "14:05:33", "14:05", or 140533 as older versions write it; nothing when it is none of them.
inline std::optional<std::int64_t> parse_clock(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        for (const char* format : {"%H:%M:%S", "%H:%M"}) {
            const auto value = kit::parse_time(format, text);
            if (value) return value->ms_of_day;
        }
        return std::nullopt;
    }
    if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const std::string digits = std::string(6 - text.size(), '0') + std::string(text);
    const auto two = [&](std::size_t at) { return std::stoll(digits.substr(at, 2)); };
    if (two(0) > 23 || two(2) > 59 || two(4) > 59) return std::nullopt;
    return ((two(0) * 60 + two(2)) * 60 + two(4)) * 1000;
}

}  // namespace sap_b1
