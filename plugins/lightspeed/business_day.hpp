// When the days of a venue begin: not at midnight, but when it says, in the morning. Between two instants at
// which the till was asked, summer time may have begun.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "settings.hpp"

namespace lightspeed {

class BusinessDay {
  public:
    // From what a till says about the end of a day, "2026-03-03T05:30:00+01:00". Nothing when it is none.
    static std::optional<BusinessDay> learned(const std::string& next_start, kit::SummerTime rule) {
        const auto moment = kit::parse_time("%Y-%m-%dT%H:%M:%S%z", next_start);
        if (!moment) return std::nullopt;
        const int offset = moment->offset_minutes.value_or(0);
        const kit::LocalTime winter(offset, rule), summer(offset - 60, rule);
        const std::int64_t at = moment->unix_ms();
        const bool is_summer = summer.shown_at(at) - at == std::int64_t{offset} * 60'000;
        return BusinessDay(is_summer ? summer : winter, moment->ms_of_day);
    }
    // From the setting, "05:30+01:00".
    static BusinessDay configured(const std::string& text, kit::SummerTime rule) {
        const auto moment = kit::parse_time("%H:%M%z", text);
        if (!moment) throw Failure(ErrorKind::config, "day_start: '" + text + "' is not like 05:30+01:00");
        return BusinessDay(kit::LocalTime(moment->offset_minutes.value_or(0), rule), moment->ms_of_day);
    }

    kit::Date of(std::int64_t unix_ms) const {
        return kit::DateTime::from_unix_ms(time_.shown_at(unix_ms) - starts_ms_).date;
    }

  private:
    BusinessDay(kit::LocalTime time, std::int64_t starts_ms) : time_(time), starts_ms_(starts_ms) {}

    kit::LocalTime time_;
    std::int64_t starts_ms_;  // after midnight
};

}  // namespace lightspeed
