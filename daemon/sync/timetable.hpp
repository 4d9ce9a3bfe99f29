// Timetable: the next quick and the next full run of one integration. A value; what it decides depends on its
// arguments only. It outlives a restart as JSON, so that rhythms keep their beat and no slot is used twice.
#pragma once

#include <optional>
#include <string>

#include "base/random.hpp"
#include "config/config.hpp"

namespace liaisond::sync {

// What a timetable is made from.
struct Rota {
    const config::Schedule& schedule;
    std::string_view zone;
    const TimeZones& zones;
    Random& random;

    // Changes when a kept timetable no longer fits.
    std::string fingerprint() const;
};

class Timetable {
  public:
    // From nothing: `every` counts from `last_start` (or begins now), the clock's rhythms from now.
    void begin(const Rota& rota, std::optional<Instant> last_start, Instant now);
    // As kept by to_json(): false when that is not about this rota. What is overdue stays so, for one run, or
    // is passed over if the schedule says so.
    bool restore(const Rota& rota, std::string_view kept, Instant now);
    std::string to_json(const Rota& rota) const;

    std::optional<Instant> due(bool full) const;
    // Of the quick or the full line; the slot itself, without jitter.
    std::optional<config::Occurrence> next(bool full) const { return line(full).next; }
    // The slot that is due was used or lost; the next one is later than `now`.
    void take(const Rota& rota, bool full, Instant now);
    // The wall clock jumped by `step` to `now`. `every` goes on as if nothing had happened. Of the clock's
    // slots those that were jumped over stay due, for one run; those that were used are not used again,
    // unless the clock went back by more than a day, which says that it was wrong before.
    void step(const Rota& rota, Milliseconds step, Instant now);

  private:
    struct Line {
        std::optional<config::Occurrence> next;
        Instant due{};   // with jitter
        Instant last{};  // slot that was used last; epoch: none
    };
    const Line& line(bool full) const { return full ? full_ : quick_; }
    Line& line(bool full) { return full ? full_ : quick_; }
    static void set(const Rota& rota, Line& line, std::optional<config::Occurrence> next);

    Line quick_, full_;
};

}  // namespace liaisond::sync
