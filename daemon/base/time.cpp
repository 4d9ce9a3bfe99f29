#include "base/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace liaisond {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t ms;
};
constexpr std::array<Unit, 5> units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

// Reads exactly `digits` digits at `at` and moves on.
std::optional<int> number(std::string_view text, std::size_t& at, std::size_t digits) {
    if (at + digits > text.size()) return std::nullopt;
    int value = 0;
    const char* first = text.data() + at;
    const auto [end, error] = std::from_chars(first, first + digits, value);
    if (error != std::errc() || end != first + digits || *first == '-') return std::nullopt;
    at += digits;
    return value;
}

bool skip(std::string_view text, std::size_t& at, std::string_view any_of) {
    if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
    ++at;
    return true;
}

// "Z", "+02:00" or "+0200" as minutes east of UTC.
std::optional<int> zone_offset(std::string_view text, std::size_t& at) {
    if (skip(text, at, "Zz")) return 0;
    if (at >= text.size()) return std::nullopt;
    const int sign = text[at] == '-' ? -1 : 1;
    if (!skip(text, at, "+-")) return std::nullopt;
    const auto hours = number(text, at, 2);
    (void)skip(text, at, ":");
    const auto minutes = number(text, at, 2);
    if (!hours || !minutes) return std::nullopt;
    return sign * (*hours * 60 + *minutes);
}

// ".123456" as milliseconds; the rest of the precision is dropped.
int fraction_ms(std::string_view text, std::size_t& at) {
    if (!skip(text, at, ".,")) return 0;
    int value = 0;
    for (int digits = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
        if (digits < 3) value += (text[at] - '0') * (digits == 0 ? 100 : digits == 1 ? 10 : 1);
    }
    return value;
}

}  // namespace

std::string format_instant(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss<Milliseconds> time{at - day};
    char text[40];
    const int length =
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return std::string(text, static_cast<std::size_t>(length));
}

std::optional<Instant> parse_instant(std::string_view text) {
    std::size_t at = 0;
    const auto year = number(text, at, 4);
    if (!year || !skip(text, at, "-")) return std::nullopt;
    const auto month = number(text, at, 2);
    if (!month || !skip(text, at, "-")) return std::nullopt;
    const auto day = number(text, at, 2);
    if (!day || !skip(text, at, "Tt ")) return std::nullopt;
    const auto hour = number(text, at, 2);
    if (!hour || !skip(text, at, ":")) return std::nullopt;
    const auto minute = number(text, at, 2);
    if (!minute || !skip(text, at, ":")) return std::nullopt;
    const auto second = number(text, at, 2);
    if (!second) return std::nullopt;
    const int ms = fraction_ms(text, at);
    const auto offset = zone_offset(text, at);
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!offset || at != text.size() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    return Instant(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(*hour) +
           std::chrono::minutes(*minute - *offset) + std::chrono::seconds(*second) + Milliseconds(ms);
}

Result<Milliseconds> parse_duration(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (error == std::errc() && value >= 0) {
        for (const Unit& unit : units) {
            if (suffix != unit.name) continue;
            if (value > 10 * 365 * units[4].ms / unit.ms) break;  // ten years: above that it is a slip
            return Milliseconds(value * unit.ms);
        }
    }
    return fail(ErrorKind::config,
                "'" + std::string(text) +
                    "' is not a duration; write a whole number and a unit, such as 250ms, 30s, 5m, 2h or 7d");
}

std::string format_duration(Milliseconds duration) {
    const std::int64_t ms = duration.count();
    for (std::size_t i = units.size(); i-- > 1;) {
        if (ms != 0 && ms % units[i].ms == 0)
            return std::to_string(ms / units[i].ms) + std::string(units[i].name);
    }
    return std::to_string(ms) + "ms";
}

}  // namespace liaisond
