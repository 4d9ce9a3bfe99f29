#include "config/cron.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace liaisond::config {
namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    std::string_view name;
    int low, high;
    std::span<const std::string_view> words = {};
    int first_word = 0;
};

std::optional<int> value_of(std::string_view text, const Field& field) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (std::size_t i = 0; i < field.words.size(); ++i) {
        if (lower == field.words[i]) return field.first_word + static_cast<int>(i);
    }
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < field.low || value > field.high)
        return std::nullopt;
    return value;
}

// One element of a list: "*", "*/15", "5", "1-5", "1-5/2". Calls set(value) for each value.
template <class Set>
bool element(std::string_view text, const Field& field, Set set) {
    int step = 1;
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const Field any{"step", 1, field.high};
        const auto parsed = value_of(text.substr(slash + 1), any);
        if (!parsed) return false;
        step = *parsed;
        text = text.substr(0, slash);
    }
    int from = field.low;
    int to = field.high;
    if (text != "*") {
        const std::size_t dash = text.find('-');
        const auto first = value_of(text.substr(0, dash), field);
        if (!first) return false;
        from = *first;
        to = slash == std::string_view::npos ? *first : field.high;
        if (dash != std::string_view::npos) {
            const auto last = value_of(text.substr(dash + 1), field);
            if (!last || *last < from) return false;
            to = *last;
        }
    }
    for (int value = from; value <= to; value += step) set(value);
    return true;
}

template <std::size_t N>
Status parse_field(std::string_view text, const Field& field, std::bitset<N>& into, std::size_t modulo = 0) {
    for (const std::string& part : split(text, ',')) {
        const bool fine = element(part, field, [&](int value) {
            const auto bit = static_cast<std::size_t>(value);
            into.set(modulo != 0 ? bit % modulo : bit);
        });
        if (!fine) {
            return fail(ErrorKind::config, "the " + std::string(field.name) + " '" + part +
                                               "' is not a value from " + std::to_string(field.low) + " to " +
                                               std::to_string(field.high) +
                                               ", a range such as 1-5, or a step such as */15");
        }
    }
    return {};
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
    std::vector<std::string> fields;
    for (std::string& part : split(text, ' ')) {
        if (!part.empty()) fields.push_back(std::move(part));
    }
    if (fields.size() != 5) {
        return fail(ErrorKind::config, "'" + std::string(text) + "' has " + std::to_string(fields.size()) +
                                           " fields; cron needs five: minute hour day month weekday");
    }
    Cron cron;
    cron.text_ = text;
    if (auto ok = parse_field(fields[0], {"minute", 0, 59}, cron.minutes_); !ok) return fail(ok.error());
    if (auto ok = parse_field(fields[1], {"hour", 0, 23}, cron.hours_); !ok) return fail(ok.error());
    if (auto ok = parse_field(fields[2], {"day of the month", 1, 31}, cron.days_); !ok)
        return fail(ok.error());
    if (auto ok = parse_field(fields[3], {"month", 1, 12, month_names, 1}, cron.months_); !ok)
        return fail(ok.error());
    if (auto ok = parse_field(fields[4], {"weekday", 0, 7, day_names, 0}, cron.weekdays_, 7); !ok)
        return fail(ok.error());
    cron.any_hour_ = fields[1].starts_with('*');
    cron.any_day_ = fields[2].starts_with('*');
    cron.any_weekday_ = fields[4].starts_with('*');
    return cron;
}

// crontab(5): when both day fields are restricted, either may match.
bool Cron::day_matches(std::chrono::local_days day) const {
    const std::chrono::year_month_day date{day};
    const bool by_day = days_.test(static_cast<unsigned>(date.day()));
    const bool by_weekday = weekdays_.test(std::chrono::weekday{day}.c_encoding());
    if (!months_.test(static_cast<unsigned>(date.month()))) return false;
    return !any_day_ && !any_weekday_ ? by_day || by_weekday : by_day && by_weekday;
}

std::optional<Instant> Cron::next(Instant after, std::string_view zone, const TimeZones& zones) const {
    return any_hour_ ? next_interval(after, zone, zones) : next_fixed(after, zone, zones);
}

// Walks through real time, so that an hour that is there twice is walked through twice.
std::optional<Instant> Cron::next_interval(Instant after, std::string_view zone,
                                           const TimeZones& zones) const {
    using std::chrono::minutes;
    constexpr minutes quarter{15};  // zones change their offset at quarters of an hour only
    const Instant last = after + std::chrono::days(5 * 366);
    for (Instant at = std::chrono::floor<minutes>(after) + minutes(1); at <= last;) {
        const auto local = zones.to_local(zone, at);
        const auto day = std::chrono::floor<std::chrono::days>(local);
        if (!day_matches(day)) {
            at = std::max(at + quarter - (local - day) % quarter,
                          zones.to_instant(zone, day + std::chrono::days(1)));
            continue;
        }
        const auto minute_of_day = std::chrono::floor<minutes>(local - day).count();
        const auto minute = static_cast<std::size_t>(minute_of_day % 60);
        if (hours_.test(static_cast<std::size_t>(minute_of_day / 60))) {
            for (std::size_t ahead = 0; ahead < 15 - minute % 15; ++ahead) {
                if (minutes_.test(minute + ahead)) return at + minutes(ahead);
            }
        }
        at += minutes(15 - minute % 15);
    }
    return std::nullopt;
}

std::optional<Instant> Cron::next_fixed(Instant after, std::string_view zone, const TimeZones& zones) const {
    const auto local = zones.to_local(zone, after);
    // An hour or two back, so that nothing a change of clocks moved is missed; the comparison below sorts it
    // out.
    auto day = std::chrono::floor<std::chrono::days>(local) - std::chrono::days(1);
    for (const auto last = day + std::chrono::days(5 * 366); day <= last; day += std::chrono::days(1)) {
        if (!day_matches(day)) continue;
        for (int hour = 0; hour < 24; ++hour) {
            if (!hours_.test(static_cast<std::size_t>(hour))) continue;
            for (int minute = 0; minute < 60; ++minute) {
                if (!minutes_.test(static_cast<std::size_t>(minute))) continue;
                const std::chrono::local_time<Milliseconds> wanted =
                    day + std::chrono::hours(hour) + std::chrono::minutes(minute);
                const Instant at = zones.to_instant(zone, wanted);
                if (at > after) return at;
            }
        }
    }
    return std::nullopt;
}

}  // namespace liaisond::config
