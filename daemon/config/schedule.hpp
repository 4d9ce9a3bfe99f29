// When an integration runs: its rhythms, the hours in which it must not run, and the moments that follow from
// them. Pure: a zone, a table of zones and a moment go in, the next moment comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rare.hpp"
#include "base/time.hpp"
#include "config/cron.hpp"

namespace liaisond::config {

// One sequence of slots. `every` counts from the slot before it; everything else goes by the wall clock.
struct Rhythm {
    enum class Kind : std::uint8_t { manual, every, cron };
    Kind kind = Kind::manual;
    Milliseconds every{0};
    Rare<Cron> cron;        // also for hourly, daily and weekly
    std::string text;       // as people read it: "daily 02:30"
    Milliseconds usual{0};  // between two slots; zero where only the cron expression knows
};

// Wall times between which nothing starts; `to` is free again and may lie on the next day.
struct Blackout {
    std::optional<std::uint8_t> weekday;  // of `from`, 0 is Sunday; nothing: every day
    std::chrono::minutes from{0}, to{0};  // since midnight; to <= from: on the next day
    std::string text;                     // as configured
};

// What becomes of slots that could not be used: one run for all of them, or none.
enum class CatchUp : std::uint8_t { one, none };

// The rhythm of quick runs, and with it everything else.
struct Schedule : Rhythm {
    Milliseconds jitter{0};
    std::vector<Blackout> blackouts;
    CatchUp catch_up = CatchUp::one;
    Rare<Rhythm> full;  // of full runs beside the quick ones
};

// One planned run.
struct Occurrence {
    Instant slot{};  // as the rhythm says
    Instant at{};    // when it happens: later than the slot if a blackout moved it
    bool full = false;
};

// The first run of `rhythm` later than `after`. `last_slot` is where `every` counts from; the clock's rhythms
// ignore it. Slots inside a blackout move to its end, all of them to one run. Nothing for `manual`, for a
// cron expression without a matching minute, and where blackouts leave no room.
std::optional<Occurrence> next_occurrence(const Schedule& schedule, const Rhythm& rhythm, Instant last_slot,
                                          Instant after, std::string_view zone, const TimeZones& zones);

// The first run later than `after`, quick or full, when `after` is itself a slot.
std::optional<Instant> next_run(const Schedule& schedule, Instant after, std::string_view zone,
                                const TimeZones& zones);

// The `count` runs from `quick` and `full` on (as far as they are planned), in order; of a quick and a full
// run at the same moment only the full one.
std::vector<Occurrence> coming_runs(const Schedule& schedule, std::optional<Occurrence> quick,
                                    std::optional<Occurrence> full, std::size_t count, std::string_view zone,
                                    const TimeZones& zones);

// `at`, or the end of the blackouts it lies in. Nothing when they never end.
std::optional<Instant> clear_of_blackouts(const Schedule& schedule, Instant at, std::string_view zone,
                                          const TimeZones& zones);
// The blackout that holds `at`; null when none does.
const Blackout* blackout_at(const Schedule& schedule, Instant at, std::string_view zone,
                            const TimeZones& zones);

// How long an integration may go without success before somebody should look: three times its rhythm (one
// day at least for a free cron expression) and the longest time it may be held up. Zero for `manual`.
Milliseconds patience(const Schedule& schedule, Instant from, std::string_view zone, const TimeZones& zones);

}  // namespace liaisond::config
