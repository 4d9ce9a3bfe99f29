// Engine: when runs start.
#include <algorithm>
#include <utility>

#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "sync/backoff.hpp"
#include "sync/engine.hpp"

namespace liaisond::sync {
namespace {

constexpr Milliseconds disk_retry{5000};

// Worth another try by itself; the rest waits for a person or for the schedule.
bool passes_by_itself(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient:
        case ErrorKind::rate_limited:
        case ErrorKind::conflict:
        case ErrorKind::unknown_outcome:
        case ErrorKind::internal: return true;
        case ErrorKind::auth:
        case ErrorKind::invalid_record:
        case ErrorKind::permanent:
        case ErrorKind::config: return false;
    }
    return false;
}

}  // namespace

Rota Engine::rota(const Slot& slot) const {
    return {slot.link->config.schedule, slot.link->tenant.timezone, ports_.zones, ports_.random};
}

// A timetable from nothing: the integration is new, or its configuration is.
void Engine::plan_anew(Slot& slot) {
    const Instant now = scheduler_.now();
    std::optional<Instant> last_start;
    if (slot.last_run) last_start = slot.last_run->started;
    slot.timetable.begin(rota(slot), last_start, now);
    if (to_unix_ms(slot.vitals.known_since) == 0) slot.vitals.known_since = now;
    set_times(slot);
    keep(slot);
}

// Puts everything that follows from the slot's state on the agenda. What was only put there by an event (a
// retry, a change in the hub) stays as it is.
void Engine::set_times(Slot& slot) {
    if (!slot.link->config.enabled || slot.removed) return scheduler_.clear(*slot.id, slot.times);
    scheduler_.set(*slot.id, slot.times, Cause::quick, slot.timetable.due(false));
    scheduler_.set(*slot.id, slot.times, Cause::full, slot.timetable.due(true));
    if (slot.breaker.state() == Breaker::State::open)
        scheduler_.set(*slot.id, slot.times, Cause::probe, slot.breaker.open_until());
    const Instant now = scheduler_.now();
    const std::optional<Instant> alarm = slot.vitals.alarm_due(patience(slot));
    const bool is_news = alarm && *alarm <= now && !alerts_.any(*slot.id);
    scheduler_.set(
        *slot.id, slot.times, Cause::alarm,
        is_news ? alarm : slot.vitals.next_look(slot.link->config.supervision, patience(slot), now));
}

void Engine::on_due(const std::string& id, Cause cause) {
    const auto found = slots_.find(id);
    if (stopping_ || found == slots_.end() || found->second.removed) return;
    Slot& slot = found->second;
    switch (cause) {
        case Cause::quick: return on_slot(slot, false);
        case Cause::full: return on_slot(slot, true);
        case Cause::retry: return start_planned(slot, "retry", false);
        case Cause::change: return start_planned(slot, "on_change", false);
        case Cause::events: slot.inbox_waits = true; return start_waiting(slot);
        case Cause::backfill: return start_backfill(slot);
        case Cause::probe: return probe(slot);
        case Cause::alarm: return look_for_problems(slot, false);
    }
}

void Engine::on_slot(Slot& slot, bool full) {
    const Instant now = scheduler_.now();
    const std::optional<Instant> full_due = slot.timetable.due(true);
    const Instant due = slot.timetable.due(full).value_or(now);
    const bool covered = !full && full_due && *full_due <= now;  // by the full run of this moment
    slot.timetable.take(rota(slot), full, now);
    set_times(slot);
    if (covered) return;
    const bool waits = slot.live.control != nullptr || is_held(slot);
    if (waits && slot.link->config.schedule.catch_up == config::CatchUp::none) return;
    if (!is_held(slot)) note_due(slot, due);
    start_planned(slot, "schedule", full);
}

// Starts a run now, or remembers that one is due until something can be started again.
void Engine::start_planned(Slot& slot, const std::string& trigger, bool full) {
    if (is_held(slot)) {
        if (slot.missed.empty() || trigger == "schedule") slot.missed = trigger;
        slot.missed_full = slot.missed_full || full;
        return;
    }
    // What was missed before is made good by this one.
    slot.missed.clear();
    RunRequest request;
    request.trigger = trigger;
    request.full = std::exchange(slot.missed_full, false) || full;
    this->trigger(*slot.id, std::move(request), [id = *slot.id](Result<std::int64_t> run) {
        if (!run)
            log(LogLevel::warning, "a planned run could not begin: " + run.error().message,
                {{"integration", id}});
    });
}

void Engine::start_missed(Slot& slot) {
    if (slot.missed.empty()) return;
    const std::string trigger = std::exchange(slot.missed, {});
    start_planned(slot, trigger, std::exchange(slot.missed_full, false));
}

// The wall clock jumped. What goes by monotonic time stands on the agenda already; the rest moves.
void Engine::on_step(Milliseconds step) {
    log(LogLevel::warning, LogEvent::clock_jumped,
        "the clock of this machine jumped; schedules were computed anew",
        {{"by", std::to_string(step.count() / 1000) + "s"}});
    // At no moment may a send that waits for its settle time seem to be due.
    if (step.count() < 0) clock_.move(step);
    move_open_work(step);
    const Instant now = scheduler_.now();
    for (auto& [id, slot] : slots_) {
        if (slot.removed) continue;
        slot.timetable.step(rota(slot), step, now);
        slot.breaker.step(slot.link->config.supervision.breaker, step, now);
        slot.vitals.step(step);
        if (slot.events_rest != Instant()) slot.events_rest += step;
        if (slot.due_since) *slot.due_since += step;
        set_times(slot);
    }
}

void Engine::move_open_work(Milliseconds step) {
    ports_.store.write(
        [step](store::Database& database) {
            const Status moved = database.move_intents(step);
            return moved ? database.move_events(step) : moved;
        },
        [this, step](const Status& moved) {
            if (moved && step.count() > 0) clock_.move(step);
            if (moved) look_into_inboxes();
            if (moved || stopping_) return;
            log(LogLevel::error,
                "sends and events that wait could not be moved with the clock, trying again: " +
                    moved.error().message);
            ports_.timers.after(disk_retry, [this, step] { move_open_work(step); });
        });
}

// After a run that failed for a reason that passes: another one, unless the schedule comes first.
void Engine::plan_retry(Slot& slot, const Status& outcome) {
    set_times(slot);
    if (outcome || !slot.link->config.enabled || !passes_by_itself(outcome.error().kind)) return;
    if (is_held(slot)) {
        if (slot.missed.empty()) slot.missed = "retry";
        return;
    }
    const config::RetryPolicy& retry = slot.link->config.retry;
    const bool asked_to_wait = outcome.error().kind == ErrorKind::rate_limited;
    if (!asked_to_wait && slot.vitals.failures >= retry.attempts) return;
    const std::uint32_t failures = std::max(1u, slot.vitals.failures);
    const Instant again =
        scheduler_.now() +
        std::max(outcome.error().retry_after, backoff(retry, failures, ports_.random) + Milliseconds(1));
    const std::optional<Instant> scheduled = slot.timetable.due(false);
    if (scheduled && *scheduled <= again) return;
    scheduler_.set(*slot.id, slot.times, Cause::retry, again);
}

// Sends that wait for their settle time or their next attempt are taken up when they are due, schedule or
// not. `due` is a time of the engine's clock, beside which the machine's, by which the scheduler goes, may be
// ahead a little: not so much that it counts as a jump, and yet a run that begins by it would find nothing
// due.
void Engine::resume_open_work(Slot& slot, Instant due) {
    if (stopping_ || slot.removed || !slot.link->config.enabled) return;
    due += std::max(Milliseconds(0), scheduler_.now() - ports_.clock.now());
    const std::optional<Instant> retry = scheduler_.at(slot.times, Cause::retry);
    const std::optional<Instant> scheduled = slot.timetable.due(false);
    if ((retry && *retry <= due) || (scheduled && *scheduled <= due)) return;
    scheduler_.set(*slot.id, slot.times, Cause::retry, std::max(due, scheduler_.now() + Milliseconds(50)));
}

void Engine::expect_change(Slot& slot, const config::Entity& entity) {
    if (!entity.exports || !entity.on_change || !slot.link->config.enabled || slot.removed) return;
    if (scheduler_.at(slot.times, Cause::change)) return;
    LIAISON_FAULT_POINT("engine.change_due");
    scheduler_.set(*slot.id, slot.times, Cause::change, scheduler_.now() + entity.debounce);
}

// A hub record changed: whoever exports that entity on change is due after its debounce.
void Engine::changed(const std::string& tenant, const std::string& entity, const std::string& origin) {
    const auto listed = exporters_.find({tenant, entity});
    if (listed == exporters_.end()) return;
    for (const std::string& id : listed->second) {
        const auto found = slots_.find(id);
        if (id == origin || found == slots_.end()) continue;
        const config::Entity* mine = found->second.link->config.entity(entity);
        if (mine != nullptr) expect_change(found->second, *mine);
    }
}

void Engine::list_exporter(const Link& link, bool listed) {
    for (const config::Entity& entity : link.config.entities) {
        if (!entity.exports || !entity.on_change) continue;
        std::set<std::string>& ids = exporters_[{link.tenant.id, entity.name}];
        if (listed)
            ids.insert(link.config.id);
        else
            ids.erase(link.config.id);
    }
}

}  // namespace liaisond::sync
