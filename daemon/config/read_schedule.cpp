// The `schedule:` section: every, hourly, daily, weekly or cron, and what goes with them.
#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "config/section.hpp"

namespace liaisond::config {
namespace json = boost::json;
namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 7> long_day_names{"sunday",   "monday", "tuesday", "wednesday",
                                                         "thursday", "friday", "saturday"};
constexpr std::string_view time_hint = "write hours and minutes in quotes, such as \"02:30\"";
constexpr std::string_view week_hint = "write a day and a time, such as \"mon 02:30\"";
constexpr std::string_view blackout_hint =
    "write two times of day, such as \"02:00-03:30\", or with a day: \"sun 02:00-03:30\"";

std::optional<int> digits(std::string_view text, int most) {
    if (text.empty() || text.size() > 2) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value <= most ? std::optional<int>(value) : std::nullopt;
}

// "02:30"; "24:00" only as an end.
std::optional<minutes> time_of_day(std::string_view text, bool as_end = false) {
    if (as_end && text == "24:00") return minutes(24 * 60);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.size() != colon + 3) return std::nullopt;
    const auto hour = digits(text.substr(0, colon), 23), minute = digits(text.substr(colon + 1), 59);
    if (!hour || !minute) return std::nullopt;
    return minutes(*hour * 60 + *minute);
}

std::optional<std::uint8_t> weekday(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (std::size_t i = 0; i < day_names.size(); ++i) {
        if (lower == day_names[i] || lower == long_day_names[i]) return static_cast<std::uint8_t>(i);
    }
    return std::nullopt;
}

std::string clock_text(minutes at) {
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(at.count() / 60) + ":" + two(at.count() % 60);
}

Rhythm by_cron(std::string text, const std::string& expression, Milliseconds usual) {
    Rhythm made;
    made.kind = Rhythm::Kind::cron;
    made.cron = Cron::parse(expression).value();
    made.text = std::move(text);
    made.usual = usual;
    return made;
}

Rhythm read_every(const Section& from) {
    Rhythm made;
    made.kind = Rhythm::Kind::every;
    made.every = from.duration("every", minutes(1), Milliseconds(1000));
    made.usual = made.every;
    made.text = "every " + format_duration(made.every);
    return made;
}

// true, 15 or ":15"
Rhythm read_hourly(const Section& from) {
    const json::value& value = *from.find("hourly");
    std::optional<int> minute;
    if (value.is_bool() && value.get_bool()) minute = 0;
    if (value.is_int64() && value.get_int64() >= 0 && value.get_int64() < 60)
        minute = static_cast<int>(value.get_int64());
    if (value.is_string() && value.get_string().starts_with(":"))
        minute = digits(std::string_view(value.get_string()).substr(1), 59);
    if (!minute) {
        from.fault("hourly", "is " + json::serialize(value) + "; write the minute, such as \":15\", or true");
        minute = 0;
    }
    return by_cron("hourly at " + clock_text(minutes(*minute)).substr(2),
                   std::to_string(*minute) + " * * * *", std::chrono::hours(1));
}

std::string minute_and_hour(minutes at) {
    return std::to_string(at.count() % 60) + " " + std::to_string(at.count() / 60);
}

Rhythm read_daily(const Section& from) {
    const auto at = time_of_day(from.text("daily"));
    if (!at) from.fault("daily", "is '" + from.text("daily") + "'; " + std::string(time_hint));
    return by_cron("daily at " + clock_text(at.value_or(minutes(0))),
                   minute_and_hour(at.value_or(minutes(0))) + " * * *", std::chrono::hours(24));
}

// "mon 02:30" or {day: mon, at: "02:30"}
Rhythm read_weekly(const Section& from) {
    std::string day, time;
    if (const json::value& value = *from.find("weekly"); value.is_object()) {
        day = from.section("weekly").text("day");
        time = from.section("weekly").text("at");
    } else {
        const std::vector<std::string> words = split(from.text("weekly"), ' ');
        if (words.size() == 2) day = words[0], time = words[1];
    }
    const auto number = weekday(day);
    const auto at = time_of_day(time);
    if (!number || !at) {
        from.fault("weekly", "is " + json::serialize(*from.find("weekly")) + "; " + std::string(week_hint));
        return {};
    }
    return by_cron("weekly on " + std::string(day_names[*number]) + " at " + clock_text(*at),
                   minute_and_hour(*at) + " * * " + std::to_string(*number), std::chrono::hours(7 * 24));
}

Rhythm read_cron(const Section& from) {
    auto cron = Cron::parse(from.text("cron"));
    if (!cron) {
        from.fault("cron", "is not a cron expression: " + cron.error().message);
        return {};
    }
    Rhythm made;
    made.kind = Rhythm::Kind::cron;
    made.text = "cron " + cron->text();
    made.cron = std::move(*cron);
    return made;
}

// Exactly one of the five; `otherwise` ends the complaint when there is none.
Rhythm read_rhythm(const Section& from, std::string_view otherwise) {
    using Read = Rhythm (*)(const Section&);
    static constexpr std::array<std::pair<std::string_view, Read>, 5> kinds{{{"every", read_every},
                                                                             {"hourly", read_hourly},
                                                                             {"daily", read_daily},
                                                                             {"weekly", read_weekly},
                                                                             {"cron", read_cron}}};
    std::vector<std::string> found;
    Read read = nullptr;
    for (const auto& [name, reader] : kinds) {
        if (!from.has(name)) continue;
        found.emplace_back(name);
        if (read == nullptr) read = reader;
    }
    if (found.size() > 1)
        from.fault("", "has " + std::string(found.size() == 2 ? "both " : "") + list_of(found, " and ") +
                           "; keep one");
    if (read == nullptr) {
        from.fault("", "needs every, hourly, daily, weekly or cron" + std::string(otherwise));
        return {};
    }
    return read(from);
}

void read_blackouts(const Section& from, std::vector<Blackout>& into) {
    const json::value* list = from.find("blackout");
    if (list == nullptr || !list->is_array()) return;
    for (std::size_t i = 0; i < list->get_array().size(); ++i) {
        const json::value& value = list->get_array()[i];
        if (!value.is_string()) continue;
        Blackout made;
        made.text = std::string(value.get_string());
        const std::vector<std::string> words = split(made.text, ' ');
        const std::string& times = words.back();
        const std::size_t dash = times.find('-');
        const auto begin = time_of_day(std::string_view(times).substr(0, dash));
        const auto end = dash == std::string::npos
                             ? std::nullopt
                             : time_of_day(std::string_view(times).substr(dash + 1), true);
        if (words.size() == 2) made.weekday = weekday(words[0]);
        const bool day_fine = words.size() == 1 || (words.size() == 2 && made.weekday);
        if (!day_fine || !begin || !end || *begin == *end) {
            from.section("blackout")
                .fault(std::to_string(i), "is '" + made.text + "'; " + std::string(blackout_hint));
            continue;
        }
        made.from = *begin;
        made.to = *end;
        into.push_back(std::move(made));
    }
}

}  // namespace

Schedule read_schedule(const Section& parent) {
    Schedule made;
    const json::value* value = parent.find("schedule");
    if (value == nullptr || !value->is_object()) return made;
    const Section from = parent.section("schedule");
    static_cast<Rhythm&>(made) = read_rhythm(from, " (or write schedule: manual)");
    made.jitter = from.duration("jitter", made.jitter);
    made.catch_up = from.text("catch_up") == "none" ? CatchUp::none : CatchUp::one;
    if (from.has("full")) made.full = read_rhythm(from.section("full"), "");
    read_blackouts(from, made.blackouts);
    return made;
}

}  // namespace liaisond::config
