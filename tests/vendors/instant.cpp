#include "instant.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace liaison_sim {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::int64_t day_ms = 86'400'000;

// A fixed number of digits at `at`, or -1.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) return -1;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::optional<std::int64_t> parse_days(std::string_view text) {
    const int year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
    if (text.size() != 10 || text[4] != '-' || text[7] != '-' || year < 1 || month < 0 || day < 0) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date}.time_since_epoch().count();
}

// "Z" or "+02:00", in minutes east.
std::optional<int> parse_offset(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    const int hours = number_at(text, 1, 2), minutes = number_at(text, 4, 2);
    if (text.size() != 6 || text[3] != ':' || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return std::nullopt;
    }
    if (text[0] != '+' && text[0] != '-') return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string format_date(std::int64_t days_since_1970) {
    const std::chrono::year_month_day date{sys_days{days{days_since_1970}}};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

std::string format_instant(std::int64_t ms) {
    const std::int64_t day = ms / day_ms;
    const int rest = static_cast<int>(ms % day_ms);
    char text[32];
    std::snprintf(text, sizeof text, "T%02d:%02d:%02d.%03dZ", rest / 3'600'000, rest / 60'000 % 60,
                  rest / 1000 % 60, rest % 1000);
    return format_date(day) + text;
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
    if (text.size() < 20 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
    const auto day = parse_days(text.substr(0, 10));
    const int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
    if (!day || text[13] != ':' || text[16] != ':') return std::nullopt;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
    std::string_view rest = text.substr(19);
    int milliseconds = 0;
    if (rest.starts_with('.')) {
        std::size_t digits = 1;
        for (int weight = 100; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
            milliseconds += (rest[digits] - '0') * weight;
            weight /= 10;
        }
        if (digits == 1 || digits > 10) return std::nullopt;
        rest.remove_prefix(digits);
    }
    const auto offset = parse_offset(rest);
    if (!offset) return std::nullopt;
    return *day * day_ms + ((hour * 60 + minute - *offset) * 60 + second) * std::int64_t{1000} + milliseconds;
}

bool is_date(std::string_view text) { return parse_days(text).has_value(); }

}  // namespace liaison_sim
