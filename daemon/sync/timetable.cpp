#include "sync/timetable.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::sync {
namespace json = boost::json;
using config::next_occurrence;
using config::Occurrence;
using config::Rhythm;
namespace {

constexpr Milliseconds wrong_clock{24 * 3'600'000};
// Later than this a slot counts as missed rather than as due.
constexpr Milliseconds least_lateness{60'000};

const Rhythm* rhythm_of(const Rota& rota, bool full) {
    if (full) return rota.schedule.full ? &*rota.schedule.full : nullptr;
    return rota.schedule.kind == Rhythm::Kind::manual ? nullptr : &rota.schedule;
}

std::optional<Occurrence> following(const Rota& rota, const Rhythm& rhythm, Instant last_slot,
                                    Instant after) {
    return next_occurrence(rota.schedule, rhythm, last_slot, after, rota.zone, rota.zones);
}

std::int64_t number_at(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

}  // namespace

std::string Rota::fingerprint() const {
    std::string text = schedule.text + "|" + std::string(zone);
    if (schedule.full) text += "|full " + schedule.full->text;
    for (const config::Blackout& one : schedule.blackouts) text += "|not " + one.text;
    return text + "|" + std::to_string(schedule.every.count()) + "+" +
           std::to_string(schedule.jitter.count());
}

std::optional<Instant> Timetable::due(bool full) const {
    if (!line(full).next) return std::nullopt;
    return line(full).due;
}

void Timetable::set(const Rota& rota, Line& line, std::optional<Occurrence> next) {
    line.next = next;
    if (!next) return;
    const auto drawn = rota.random.below(static_cast<std::uint64_t>(rota.schedule.jitter.count()));
    const Instant late = next->at + Milliseconds(static_cast<std::int64_t>(drawn));
    line.due = config::clear_of_blackouts(rota.schedule, late, rota.zone, rota.zones).value_or(next->at);
}

void Timetable::begin(const Rota& rota, std::optional<Instant> last_start, Instant now) {
    for (const bool full : {false, true}) {
        Line& mine = line(full);
        mine = {};
        const Rhythm* rhythm = rhythm_of(rota, full);
        if (rhythm == nullptr) continue;
        if (rhythm->kind != Rhythm::Kind::every) {
            set(rota, mine, following(rota, *rhythm, now, now));
            continue;
        }
        // The first full run of an interval waits its interval: the first quick one reads everything anyway.
        const bool waits = full || (last_start && *last_start <= now && *last_start + rhythm->every > now);
        if (waits) {
            set(rota, mine, following(rota, *rhythm, full ? now : *last_start, now));
        } else if (const auto at = config::clear_of_blackouts(rota.schedule, now, rota.zone, rota.zones)) {
            set(rota, mine, Occurrence{now, *at, full});
        }
    }
}

bool Timetable::restore(const Rota& rota, std::string_view kept, Instant now) {
    boost::system::error_code error;
    const json::value value = json::parse(kept, error);
    if (error || !value.is_object()) return false;
    const json::value* of = value.get_object().if_contains("of");
    if (of == nullptr || !of->is_string() || of->get_string() != rota.fingerprint()) return false;
    for (const bool full : {false, true}) {
        Line& mine = line(full);
        mine = {};
        const Rhythm* rhythm = rhythm_of(rota, full);
        const json::value* found = value.get_object().if_contains(full ? "full" : "quick");
        if (rhythm == nullptr) continue;
        if (found == nullptr || !found->is_object()) return false;
        const json::object& from = found->get_object();
        mine.last = from_unix_ms(number_at(from, "last"));
        mine.due = from_unix_ms(number_at(from, "due"));
        mine.next =
            Occurrence{from_unix_ms(number_at(from, "slot")), from_unix_ms(number_at(from, "at")), full};
        const bool missed = mine.due + least_lateness < now;
        if (missed && rota.schedule.catch_up == config::CatchUp::none) take(rota, full, now);
        // A clock that was ahead when this was kept must not stall the rhythm; an interval may begin anew at
        // any time.
        const bool is_interval = rhythm->kind == Rhythm::Kind::every || rhythm->cron->is_interval();
        const bool was_ahead = mine.last > now + (is_interval ? least_lateness : wrong_clock);
        const auto fresh = following(rota, *rhythm, now, was_ahead ? now : std::max(now, mine.last));
        if (fresh && mine.next && mine.due > fresh->at + rota.schedule.jitter) set(rota, mine, fresh);
    }
    return true;
}

std::string Timetable::to_json(const Rota& rota) const {
    json::object made{{"of", rota.fingerprint()}};
    for (const bool full : {false, true}) {
        const Line& mine = line(full);
        if (!mine.next) continue;
        made[full ? "full" : "quick"] = json::object{{"slot", to_unix_ms(mine.next->slot)},
                                                     {"at", to_unix_ms(mine.next->at)},
                                                     {"due", to_unix_ms(mine.due)},
                                                     {"last", to_unix_ms(mine.last)}};
    }
    return json::serialize(made);
}

void Timetable::take(const Rota& rota, bool full, Instant now) {
    Line& mine = line(full);
    const Rhythm* rhythm = rhythm_of(rota, full);
    if (!mine.next || rhythm == nullptr) return;
    mine.last = mine.next->slot;
    set(rota, mine, following(rota, *rhythm, mine.last, std::max(now, mine.next->at)));
}

void Timetable::step(const Rota& rota, Milliseconds step, Instant now) {
    for (const bool full : {false, true}) {
        Line& mine = line(full);
        const Rhythm* rhythm = rhythm_of(rota, full);
        if (!mine.next || rhythm == nullptr) continue;
        if (rhythm->kind == Rhythm::Kind::every) {
            mine.next->slot += step;
            mine.next->at += step;
            mine.due += step;
            mine.last += step;
            continue;
        }
        if (step.count() > 0) {
            const bool missed = mine.due + least_lateness < now;
            if (missed && rota.schedule.catch_up == config::CatchUp::none) take(rota, full, now);
            continue;
        }
        // An interval by the wall runs on in the time that comes again, as in autumn.
        const bool again = mine.last > now + wrong_clock || rhythm->cron->is_interval();
        const auto fresh = following(rota, *rhythm, now, again ? now : std::max(now, mine.last));
        if (fresh && fresh->at < mine.next->at) set(rota, mine, fresh);
    }
}

}  // namespace liaisond::sync
