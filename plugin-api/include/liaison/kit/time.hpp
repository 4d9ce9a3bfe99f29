// Dates and instants with integers only: strptime-like formats, civil arithmetic, RFC 3339. No locale and no
// time zone database: a source without an offset needs one in its settings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <liaison/kit/text.hpp>

namespace liaison::kit {

inline constexpr std::int64_t ms_per_day = 86'400'000;

struct Date {
    int year = 1970, month = 1, day = 1;

    static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
    static int days_in(int year, int month) {
        static constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
    }
    bool is_valid() const {
        return year >= 0 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
               day <= days_in(year, month);
    }
    // Days since 1970-01-01.
    std::int64_t days() const {
        const std::int64_t y = year - (month <= 2 ? 1 : 0);
        const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
        const std::int64_t of_era = y - era * 400;
        const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    }
    static Date from_days(std::int64_t days) {
        days += 719468;
        const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
        const std::int64_t of_era = days - era * 146097;
        const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
        const std::int64_t month = (5 * of_year + 2) / 153;
        const int m = static_cast<int>(month < 10 ? month + 3 : month - 9);
        return {static_cast<int>(year + era * 400 + (m <= 2 ? 1 : 0)), m,
                static_cast<int>(of_year - (153 * month + 2) / 5 + 1)};
    }
    Date plus_days(std::int64_t count) const { return from_days(days() + count); }
    friend bool operator==(const Date&, const Date&) = default;
};

struct DateTime {
    Date date;
    std::int64_t ms_of_day = 0;
    std::optional<int> offset_minutes;  // east of UTC; absent when the text did not say

    std::int64_t unix_ms(int assumed_offset_minutes = 0) const {
        return date.days() * ms_per_day + ms_of_day -
               offset_minutes.value_or(assumed_offset_minutes) * 60'000;
    }
    static DateTime from_unix_ms(std::int64_t ms) {
        std::int64_t days = ms / ms_per_day, rest = ms % ms_per_day;
        if (rest < 0) --days, rest += ms_per_day;
        return {Date::from_days(days), rest, 0};
    }
};

namespace time_parts {

// Index 1..12 of an English or French month name, full or shortened, without accents, lower case.
inline int month_by_name(std::string_view name) {
    static constexpr std::array<std::string_view, 12> names = {"january jan janvier janv",
                                                               "february feb fevrier fevr fev",
                                                               "march mar mars",
                                                               "april apr avril avr",
                                                               "may mai",
                                                               "june jun juin",
                                                               "july jul juillet juil",
                                                               "august aug aout aou",
                                                               "september sep sept septembre",
                                                               "october oct octobre",
                                                               "november nov novembre",
                                                               "december dec decembre"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::string_view rest = names[i];
        while (!rest.empty()) {
            const std::size_t blank = rest.find(' ');
            if (rest.substr(0, blank) == name) return static_cast<int>(i) + 1;
            rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
        }
    }
    return 0;
}

inline constexpr std::array<std::string_view, 12> english = {"January",   "February", "March",    "April",
                                                             "May",       "June",     "July",     "August",
                                                             "September", "October",  "November", "December"};

// Reads one text along one format; every step says whether it matched.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool scan(std::string_view format) {
        for (std::size_t i = 0; i < format.size(); ++i) {
            if (format[i] == '%' && i + 1 < format.size()) {
                if (!directive(format[++i])) return false;
            } else if (is_blank(format[i])) {
                if (!take_blanks()) return false;
            } else if (!take(format[i])) {
                return false;
            }
        }
        return at_ == text_.size() && value.date.is_valid();
    }
    DateTime value;

  private:
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        return ++at_, true;
    }
    bool take_blanks() {
        const std::size_t start = at_;
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
        return at_ > start;
    }
    bool number(int& out, int least, int most, int limit) {
        int digits = 0;
        out = 0;
        for (; digits < most && at_ < text_.size() && is_digit(text_[at_]); ++digits, ++at_) {
            out = out * 10 + (text_[at_] - '0');
        }
        return digits >= least && out <= limit;
    }
    bool month_name() {
        std::string word;
        while (at_ < text_.size()) {
            const char c = to_lower(text_[at_]);
            const std::string_view pair = text_.substr(at_, 2);
            if (c >= 'a' && c <= 'z') {
                word.push_back(c);
                ++at_;
            } else if (pair == "\xC3\xA9" || pair == "\xC3\x89" || pair == "\xC3\xBB" || pair == "\xC3\x9B") {
                word.push_back(pair == "\xC3\xA9" || pair == "\xC3\x89" ? 'e' : 'u');
                at_ += 2;
            } else {
                break;
            }
        }
        take('.');
        value.date.month = month_by_name(word);
        return value.date.month != 0;
    }
    bool clock(std::int64_t unit, int limit) {
        int part = 0;
        if (!number(part, 1, 2, limit)) return false;
        value.ms_of_day += part * unit;
        return true;
    }
    bool seconds() {
        if (!clock(1000, 59)) return false;
        if (at_ + 1 < text_.size() && (text_[at_] == '.' || text_[at_] == ',') && is_digit(text_[at_ + 1])) {
            ++at_;
            std::int64_t weight = 100;
            for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, weight /= 10) {
                value.ms_of_day += (text_[at_] - '0') * weight;
            }
        }
        return true;
    }
    bool zone() {
        if (take('Z') || take('z')) return value.offset_minutes = 0, true;
        const bool west = at_ < text_.size() && text_[at_] == '-';
        if (!take('+') && !take('-')) return false;
        int hours = 0, minutes = 0;
        if (!number(hours, 2, 2, 23)) return false;
        take(':');
        if (at_ < text_.size() && !number(minutes, 2, 2, 59)) return false;
        const int offset = hours * 60 + minutes;
        return value.offset_minutes = west ? -offset : offset, true;
    }
    bool directive(char kind) {
        Date& date = value.date;
        switch (kind) {
            case 'Y': return number(date.year, 4, 4, 9999);
            case 'y': return number(date.year, 2, 2, 99) && (date.year += date.year < 69 ? 2000 : 1900, true);
            case 'm': return number(date.month, 1, 2, 12);
            case 'd': return number(date.day, 1, 2, 31);
            case 'B':
            case 'b': return month_name();
            case 'H': return clock(3'600'000, 23);
            case 'M': return clock(60'000, 59);
            case 'S': return seconds();
            case 'z': return zone();
            case '%': return take('%');
            default: return false;
        }
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

inline std::string padded(std::int64_t value, std::size_t width) {
    std::string out = std::to_string(value);
    if (out.size() < width) out.insert(0, width - out.size(), '0');
    return out;
}

}  // namespace time_parts

// Why a format cannot be used; empty when it can. Checked once, when the settings are read.
inline std::string time_format_fault(std::string_view format) {
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') continue;
        const char kind = ++i < format.size() ? format[i] : '\0';
        if (std::string_view("YymdBbHMSz%").find(kind) == std::string_view::npos || kind == '\0') {
            return "the format '" + std::string(format) + "' may use %Y %y %m %d %B %b %H %M %S %z only";
        }
    }
    return {};
}

// %Y %y %m %d %B %b (English and French names), %H %M %S (fractions allowed), %z (Z, +02:00, +0200).
inline std::optional<DateTime> parse_time(std::string_view format, std::string_view text) {
    time_parts::Scanner scanner(trimmed(text));
    if (!scanner.scan(format)) return std::nullopt;
    return scanner.value;
}

inline std::optional<Date> parse_date(std::string_view format, std::string_view text) {
    const std::optional<DateTime> value = parse_time(format, text);
    return value ? std::optional<Date>(value->date) : std::nullopt;
}

inline std::string format_time(std::string_view format, const DateTime& value) {
    using time_parts::padded;
    std::string out;
    const Date& date = value.date;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out.push_back(format[i]);
            continue;
        }
        switch (format[++i]) {
            case 'Y': out += padded(date.year, 4); break;
            case 'y': out += padded(date.year % 100, 2); break;
            case 'm': out += padded(date.month, 2); break;
            case 'd': out += padded(date.day, 2); break;
            case 'B': out += time_parts::english[static_cast<std::size_t>(date.month - 1)]; break;
            case 'b':
                out += time_parts::english[static_cast<std::size_t>(date.month - 1)].substr(0, 3);
                break;
            case 'H': out += padded(value.ms_of_day / 3'600'000, 2); break;
            case 'M': out += padded(value.ms_of_day / 60'000 % 60, 2); break;
            case 'S': out += padded(value.ms_of_day / 1000 % 60, 2); break;
            case 'z': {
                const int offset = value.offset_minutes.value_or(0);
                const int size = offset < 0 ? -offset : offset;
                out.push_back(offset == 0 ? 'Z' : offset < 0 ? '-' : '+');
                if (offset == 0) break;
                out += padded(size / 60, 2);
                out.push_back(':');
                out += padded(size % 60, 2);
                break;
            }
            default: out.push_back(format[i]);
        }
    }
    return out;
}

inline std::string date_text(const Date& date) { return format_time("%Y-%m-%d", DateTime{date, 0, {}}); }

// "2026-01-01T00:00:00Z", with milliseconds when there are any.
inline std::string rfc3339(std::int64_t unix_ms) {
    const DateTime value = DateTime::from_unix_ms(unix_ms);
    std::string out = format_time("%Y-%m-%dT%H:%M:%S", value);
    if (value.ms_of_day % 1000 != 0) out.append(1, '.').append(time_parts::padded(value.ms_of_day % 1000, 3));
    return out.append(1, 'Z');
}

// Unix milliseconds. A blank or 't' instead of 'T' is accepted, a missing offset is not.
inline std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
    std::string copy(trimmed(text));
    if (copy.size() > 10 && (copy[10] == ' ' || copy[10] == 't')) copy[10] = 'T';
    const std::optional<DateTime> value = parse_time("%Y-%m-%dT%H:%M:%S%z", copy);
    return value ? std::optional<std::int64_t>(value->unix_ms()) : std::nullopt;
}

// "Wed, 21 Oct 2015 07:28:00 GMT", as in Retry-After.
inline std::optional<std::int64_t> parse_http_date(std::string_view text) {
    const std::size_t comma = text.find(", ");
    if (comma == std::string_view::npos) return std::nullopt;
    const std::optional<DateTime> value = parse_time("%d %b %Y %H:%M:%S GMT", text.substr(comma + 2));
    return value ? std::optional<std::int64_t>(value->unix_ms()) : std::nullopt;
}

// "250ms", "30s", "5m", "2h", "7d" to milliseconds.
inline std::optional<std::int64_t> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    std::size_t at = 0;
    for (; at < text.size() && at < 12 && is_digit(text[at]); ++at) count = count * 10 + (text[at] - '0');
    if (at == 0) return std::nullopt;
    const std::string_view unit = text.substr(at);
    if (unit == "ms") return count;
    if (unit == "s") return count * 1000;
    if (unit == "m") return count * 60'000;
    if (unit == "h") return count * 3'600'000;
    if (unit == "d") return count * ms_per_day;
    return std::nullopt;
}

}  // namespace liaison::kit
