// RunRequest: what a run is asked to do, and which requests one run can answer together.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace liaisond::sync {

using store::Lane;

// Whole days in the tenant's zone.
struct DateRange {
    std::chrono::local_days from{}, to{};  // `to` is the first day after it
    bool covers(const DateRange& other) const { return from <= other.from && to >= other.to; }
    bool operator==(const DateRange&) const = default;
};

// "2026-01-31", years 1980 to 2199; errors name what is wrong.
Result<std::chrono::local_days> parse_day(std::string_view text);
std::string format_day(std::chrono::local_days day);
// Of the texts that were given as from and to; errors are for the person who gave them.
Result<DateRange> parse_range(std::string_view from, std::string_view to);

struct RunRequest {
    std::string trigger =
        "manual";  // manual, schedule, retry, on_change, replay, backfill, approval, hint, webhook
    bool full = false;
    bool dry_run = false;  // nothing is changed anywhere; what would be is written down as a plan
    std::shared_ptr<const store::Plan> approved;  // a person agreed to that much
    bool confirm_deletes = false;
    std::vector<std::int64_t>
        replay;                      // dead letters of `entity` to import again, instead of asking the vendor
    std::string entity;              // empty: all of the integration's
    bool record = false;             // keep a cassette of it
    std::optional<DateRange> range;  // import what lies in it, beside the live runs

    bool events = false;  // take in what waits in the inbox, and nothing else

    Lane lane() const { return events ? Lane::events : range ? Lane::backfill : Lane::live; }
    // Whoever asked for the other one is served by this one too.
    bool covers(const RunRequest& other) const;
};

}  // namespace liaisond::sync
