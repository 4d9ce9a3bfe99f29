// SAP Business One writes dates and times as the clock of the company shows them, without a zone. What that
// clock is, the settings say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <liaison/kit/local_time.hpp>

namespace sap_b1 {

namespace kit = liaison::kit;
using kit::SummerTime;
using CompanyTime = kit::LocalTime;

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
