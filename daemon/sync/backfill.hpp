// Backfill: an import of a range of dates that was asked for, from then until it is finished or cancelled. It
// outlives crashes: the engine keeps those of an integration in the store, in their order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/completion.hpp"
#include "sync/run_request.hpp"

namespace liaisond::sync {

inline constexpr const char* backfill_trigger = "backfill";  // of its runs

struct Backfill {
    RunRequest request;
    std::vector<std::string> done;                          // entities that are finished
    std::int64_t run = 0;                                   // the latest one for it; 0: none has begun
    std::uint32_t failures = 0;                             // in a row, without progress between
    std::string error;                                      // of the latest run; empty: it did not fail
    bool cancelled = false;                                 // its run winds down; not kept any more
    std::vector<Completion<Result<std::int64_t>>> waiting;  // for the next run; not kept
};

// "2026-01-01 to 2026-02-01"
std::string range_text(const DateRange& range);
std::string backfills_to_json(const std::vector<Backfill>& list);
// What cannot be read is left out.
std::vector<Backfill> backfills_from_json(std::string_view text);

}  // namespace liaisond::sync
