#include "config/schedule.hpp"

#include <algorithm>

namespace liaisond::config {
namespace {

using LocalTime = std::chrono::local_time<Milliseconds>;
using std::chrono::days;

// Blackouts that touch are passed one after the other; more steps than this mean that they never end.
constexpr int most_steps = 64;
// Slots that all move to one moment are passed over; a cron expression has at most this many in a day.
constexpr int most_slots = 2000;

// A blackout around one moment, as it falls in that week.
struct Window {
    const Blackout* blackout = nullptr;
    Instant begin, end;
};

class Calendar {
  public:
    Calendar(const Schedule& schedule, std::string_view zone, const TimeZones& zones)
        : schedule_(schedule), zone_(zone), zones_(zones) {}

    std::optional<Window> window_at(Instant at) const {
        const LocalTime local = zones_.to_local(zone_, at);
        for (const Blackout& one : schedule_.blackouts) {
            for (const days back : {days(0), days(1)}) {
                const auto day = std::chrono::floor<days>(local) - back;
                if (one.weekday && std::chrono::weekday{day}.c_encoding() != *one.weekday) continue;
                const LocalTime from = day + one.from;
                const LocalTime to = day + one.to + (one.to <= one.from ? days(1) : days(0));
                if (local < from || local >= to) continue;
                // In the repeated hour of autumn the zone answers with the first of the two; here it may be
                // the second.
                const Instant begin = std::min(zones_.to_instant(zone_, from), at);
                Instant end = zones_.to_instant(zone_, to);
                if (end <= at) end = at + (to - local);
                return Window{&one, begin, end};
            }
        }
        return std::nullopt;
    }

    std::optional<Instant> clear(Instant at) const {
        for (int step = 0; step < most_steps; ++step) {
            const auto window = window_at(at);
            if (!window) return at;
            at = window->end;
        }
        return std::nullopt;
    }

    // The moment from which slots may have moved beyond `after`.
    Instant first_that_counts(Instant after) const {
        for (int step = 0; step < most_steps; ++step) {
            const auto window = window_at(after);
            if (!window) break;
            after = window->begin - Milliseconds(1);
        }
        return after;
    }

    std::optional<Instant> slot_after(const Rhythm& rhythm, Instant slot) const {
        if (rhythm.kind == Rhythm::Kind::every) return slot + rhythm.every;
        if (rhythm.kind == Rhythm::Kind::cron && rhythm.cron) return rhythm.cron->next(slot, zone_, zones_);
        return std::nullopt;
    }

    std::optional<Occurrence> next(const Rhythm& rhythm, Instant last_slot, Instant after) const {
        std::optional<Instant> slot;
        if (rhythm.kind == Rhythm::Kind::every) {
            const std::int64_t passed = std::max<std::int64_t>(0, (after - last_slot) / rhythm.every);
            slot = last_slot + (passed == 0 ? rhythm.every : passed * rhythm.every);
        } else {
            slot = slot_after(rhythm, first_that_counts(after));
        }
        for (int i = 0; slot && i < most_slots; ++i) {
            const auto at = clear(*slot);
            if (!at) return std::nullopt;
            if (*at > after) return Occurrence{*slot, *at, false};
            slot = slot_after(rhythm, *slot);
        }
        return std::nullopt;
    }

  private:
    const Schedule& schedule_;
    std::string_view zone_;
    const TimeZones& zones_;
};

}  // namespace

std::optional<Occurrence> next_occurrence(const Schedule& schedule, const Rhythm& rhythm, Instant last_slot,
                                          Instant after, std::string_view zone, const TimeZones& zones) {
    return Calendar(schedule, zone, zones).next(rhythm, last_slot, after);
}

std::optional<Instant> next_run(const Schedule& schedule, Instant after, std::string_view zone,
                                const TimeZones& zones) {
    const Calendar calendar(schedule, zone, zones);
    const auto quick = calendar.next(schedule, after, after);
    const auto full = schedule.full ? calendar.next(*schedule.full, after, after) : std::nullopt;
    if (!quick && !full) return std::nullopt;
    if (!quick || !full) return quick ? quick->at : full->at;
    return std::min(quick->at, full->at);
}

std::vector<Occurrence> coming_runs(const Schedule& schedule, std::optional<Occurrence> quick,
                                    std::optional<Occurrence> full, std::size_t count, std::string_view zone,
                                    const TimeZones& zones) {
    const Calendar calendar(schedule, zone, zones);
    std::vector<Occurrence> runs;
    while (runs.size() < count && (quick || full)) {
        const bool take_full = full && (!quick || full->at <= quick->at);
        const bool both = quick && full && full->at == quick->at;
        const Occurrence taken = take_full ? *full : *quick;
        runs.push_back({taken.slot, taken.at, take_full});
        if (!take_full || both) quick = calendar.next(schedule, quick->slot, taken.at);
        if (take_full) full = calendar.next(*schedule.full, full->slot, taken.at);
    }
    return runs;
}

std::optional<Instant> clear_of_blackouts(const Schedule& schedule, Instant at, std::string_view zone,
                                          const TimeZones& zones) {
    return Calendar(schedule, zone, zones).clear(at);
}

const Blackout* blackout_at(const Schedule& schedule, Instant at, std::string_view zone,
                            const TimeZones& zones) {
    const auto window = Calendar(schedule, zone, zones).window_at(at);
    return window ? window->blackout : nullptr;
}

Milliseconds patience(const Schedule& schedule, Instant from, std::string_view zone, const TimeZones& zones) {
    Milliseconds usual = schedule.kind == Rhythm::Kind::every ? schedule.every : schedule.usual;
    Milliseconds least{std::chrono::minutes(1)};
    if (schedule.kind == Rhythm::Kind::manual) {
        if (!schedule.full) return Milliseconds(0);
        usual = schedule.full->kind == Rhythm::Kind::every ? schedule.full->every : schedule.full->usual;
    } else if (schedule.kind == Rhythm::Kind::cron && usual.count() == 0 && schedule.cron) {
        const auto first = schedule.cron->next(from, zone, zones);
        const auto second = first ? schedule.cron->next(*first, zone, zones) : std::nullopt;
        if (second) usual = *second - *first;
        least = days(1);
    }
    Milliseconds held{0};
    for (const Blackout& one : schedule.blackouts) {
        const auto length = one.to - one.from + (one.to <= one.from ? days(1) : days(0));
        held = std::max(held, std::chrono::duration_cast<Milliseconds>(length));
    }
    return std::max(3 * usual, least) + held + schedule.jitter;
}

}  // namespace liaisond::config
