#include "sync/run_request.hpp"

#include <algorithm>
#include <charconv>

namespace liaisond::sync {
namespace {

constexpr int first_year = 1980, last_year = 2199;

bool read_number(std::string_view text, int& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<std::chrono::local_days> parse_day(std::string_view text) {
    int year = 0, month = 0, day = 0;
    const bool has_form = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                          read_number(text.substr(0, 4), year) && read_number(text.substr(5, 2), month) &&
                          read_number(text.substr(8, 2), day);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!has_form || !date.ok() || year < first_year || year > last_year) {
        return fail(ErrorKind::config, "'" + std::string(text) + "' is no date such as 2026-01-31 (years " +
                                           std::to_string(first_year) + " to " + std::to_string(last_year) +
                                           ")");
    }
    return std::chrono::local_days(date);
}

std::string format_day(std::chrono::local_days day) {
    const Instant midnight(std::chrono::duration_cast<Milliseconds>(day.time_since_epoch()));
    return format_instant(midnight).substr(0, 10);
}

Result<DateRange> parse_range(std::string_view from, std::string_view to) {
    if (from.empty() || to.empty()) {
        return fail(ErrorKind::config,
                    "a back-fill needs both ends of its range: from (its first day) and to (the first day "
                    "after it), such as 2026-01-01 and 2026-02-01");
    }
    const auto first = parse_day(from), last = parse_day(to);
    if (!first) return fail(ErrorKind::config, "from: " + first.error().message);
    if (!last) return fail(ErrorKind::config, "to: " + last.error().message);
    if (*first >= *last) {
        return fail(ErrorKind::config, "the range from " + std::string(from) + " to " + std::string(to) +
                                           " is empty: `to` is the first day that is no longer part of it");
    }
    return DateRange{*first, *last};
}

bool RunRequest::covers(const RunRequest& other) const {
    if (range.has_value() != other.range.has_value() || (range && !range->covers(*other.range))) return false;
    if (events != other.events) return false;
    // A plan does nothing, and an approval is for one plan.
    if (dry_run != other.dry_run || approved != other.approved) return false;
    // A replay asks the vendor nothing, and no other run reads dead letters.
    if (replay.empty() != other.replay.empty()) return false;
    const bool all_letters = std::all_of(other.replay.begin(), other.replay.end(), [&](std::int64_t letter) {
        return std::find(replay.begin(), replay.end(), letter) != replay.end();
    });
    const bool all_entities = entity.empty() || entity == other.entity;
    return all_letters && all_entities && (full || !other.full) && (record || !other.record) &&
           (confirm_deletes || !other.confirm_deletes);
}

}  // namespace liaisond::sync
