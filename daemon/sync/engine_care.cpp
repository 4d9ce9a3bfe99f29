// Engine: how its integrations fare - what it took over from the last life, breakers, suspension, alarms.
#include <algorithm>

#include <boost/json/parse.hpp>

#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "store/backup.hpp"
#include "sync/engine.hpp"
#include "sync/event_job.hpp"

namespace liaisond::sync {
namespace {

constexpr Milliseconds suspension_probe{3'600'000};
constexpr std::uint32_t most_alerts = 100'000;  // that a start takes up
// After a start nothing waits longer: the clock may have been wrong when it was told to.
constexpr Milliseconds longest_wait{3'600'000};
// A run that a crash ended goes on this long after the start, not at once: it may have been the reason.
constexpr Milliseconds after_interruption{10'000};

// Did the vendor answer at all?
bool was_answered(const Result<std::string>& answer) {
    if (answer) return true;
    const ErrorKind kind = answer.error().kind;
    return kind == ErrorKind::auth || kind == ErrorKind::permanent || kind == ErrorKind::invalid_record ||
           kind == ErrorKind::conflict;
}

// "*" stands for all; the names of entities have no blanks.
std::string hints_text(const std::set<std::string>& hints) {
    std::string text;
    for (const std::string& entity : hints)
        text += (text.empty() ? "" : " ") + (entity.empty() ? "*" : entity);
    return text;
}

std::set<std::string> hints_of(std::string_view text) {
    std::set<std::string> hints;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        hints.insert(word == "*" ? std::string() : std::string(word));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return hints;
}

std::string at_minute(Instant at) { return format_instant(at).substr(0, 16) + "Z"; }

}  // namespace

// ---- the start ----

struct Engine::Found {
    std::map<std::string, store::Run> last_runs;
    std::vector<store::Alert> alerts;
    std::string restored;  // what restore_backup() tells, if it does
    std::map<std::string, Instant> open_work;
    std::map<std::string, Instant> inboxes;  // when the next event is due
    std::map<std::string, std::string> schedules, vitals, breakers, backfills, hints, quotas;
};

void Engine::start(Completion<Status> done) {
    std::map<std::string, Milliseconds> ids;  // with their settle times
    std::set<std::string> by_events;
    for (const auto& [id, slot] : slots_) {
        ids.emplace(id, slot.link->config.settle);
        if (lives_by_events(slot)) by_events.insert(id);
    }
    const auto work = [now = ports_.clock.now(), ids, by_events](store::Database& database) -> Result<Found> {
        auto interrupted = database.interrupt_runs(now);
        if (!interrupted) return fail(interrupted.error());
        LIAISON_FAULT_POINT("engine.interrupted");
        if (*interrupted > 0) {
            log(LogLevel::warning, "runs were interrupted when the daemon last stopped; their work goes on",
                {{"runs", std::to_string(*interrupted)}});
        }
        Found found;
        store::Filter unresolved;
        unresolved.status = "unresolved";
        unresolved.limit = most_alerts;
        auto alerts = database.alerts(unresolved);
        if (!alerts) return fail(alerts.error());
        found.alerts = std::move(*alerts);
        auto restored = database.state(store::restored_state, "");
        if (!restored) return fail(restored.error());
        found.restored = std::move(*restored);
        for (const auto& [id, settle] : ids) {
            std::set<std::string_view> other_lanes{backfill_trigger};
            if (!by_events.contains(id)) other_lanes.insert(events_trigger);
            auto last = database.last_run(id, other_lanes);
            if (!last) return fail(last.error());
            if (*last) found.last_runs.emplace(id, std::move(**last));
            // Whether the clock jumped meanwhile, nobody knows.
            const Status settled = database.settle_anew(id, now + settle, now + longest_wait);
            if (!settled) return fail(settled.error());
            auto next = database.next_intent(id);
            if (!next) return fail(next.error());
            if (*next) found.open_work[id] = **next;
        }
        for (auto& [kind, into] : {std::pair{"schedule", &found.schedules},
                                   {"vitals", &found.vitals},
                                   {"breaker", &found.breakers},
                                   {"backfill", &found.backfills},
                                   {"hints", &found.hints},
                                   {"quota", &found.quotas}}) {
            auto states = database.states(kind);
            if (!states) return fail(states.error());
            *into = std::move(*states);
            if (into == &found.quotas) continue;
            for (const auto& [id, value] : *into) {
                if (ids.contains(id)) continue;  // gone from the configuration
                const Status forgotten = database.save_state(kind, id, "");
                if (!forgotten) return fail(forgotten.error());
            }
        }
        auto inboxes = database.waiting_inboxes();
        if (!inboxes) return fail(inboxes.error());
        found.inboxes = std::move(*inboxes);
        return found;
    };
    ports_.store.write(work, [this, done = std::move(done)](Result<Found> found) {
        if (!found) return done(fail(found.error()));
        take_up(*found);
        done({});
    });
}

void Engine::take_up(Found& found) {
    for (auto& [id, run] : found.last_runs) {
        const auto slot = slots_.find(id);
        if (slot != slots_.end() && !slot->second.last_run)
            slot->second.last_run = std::make_unique<store::Run>(std::move(run));
    }
    gates_.restore(std::move(found.quotas));
    LIAISON_FAULT_POINT("engine.started");
    started_ = true;
    const Instant now = scheduler_.now();
    took_up_at_ = now;
    for (const std::string& id : alerts_.restore(found.alerts)) {
        const auto slot = slots_.find(id);
        // Gone from the configuration meanwhile.
        if (slot == slots_.end() && !id.empty()) alerts_.found({}, id, {}, now, false);
    }
    for (auto& [id, slot] : slots_) {
        slot.vitals = Vitals::from_json(found.vitals[id]);
        slot.breaker = Breaker::from_json(found.breakers[id]);
        const bool known = to_unix_ms(slot.vitals.known_since) != 0;
        if (known && slot.timetable.restore(rota(slot), found.schedules[id], now))
            set_times(slot);
        else
            plan_anew(slot);
        if (slot.vitals.suspension == Vitals::Suspension::failures)
            scheduler_.set(id, slot.times, Cause::probe, now + suspension_probe);
        slot.backfills = backfills_from_json(found.backfills[id]);
        slot.hints = hints_of(found.hints[id]);
        slot.inbox_waits = found.inboxes.contains(id);
        if (!found.restored.empty()) hold_restored(slot, found.restored);
        look_for_problems(slot, false);
        if (!slot.link->config.enabled) continue;
        if (!slot.backfills.empty())
            scheduler_.set(id, slot.times, Cause::backfill, now + after_interruption);
        const bool planned = slot.timetable.due(false).has_value();
        const bool cut_short = slot.last_run && slot.last_run->status == store::RunStatus::interrupted;
        if (planned && cut_short && slot.link->config.schedule.catch_up == config::CatchUp::one)
            resume_open_work(slot, now + after_interruption);
        const auto open = found.open_work.find(id);
        if (open != found.open_work.end()) resume_open_work(slot, open->second);
        // A change whose debounce a crash cut short is looked for again.
        for (const config::Entity& entity : slot.link->config.entities) expect_change(slot, entity);
        if (!slot.hints.empty() || slot.inbox_waits) scheduler_.set(id, slot.times, Cause::events, now);
    }
    if (!found.restored.empty()) forget_restored();
}

// What was exported after the backup was made is not in it. Until somebody has looked nothing is sent.
void Engine::hold_restored(Slot& slot, const std::string& told) {
    const auto& entities = slot.link->config.entities;
    const bool exports = std::any_of(entities.begin(), entities.end(),
                                     [](const config::Entity& entity) { return entity.exports; });
    if (!exports) return;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(told, error);
    const boost::json::value* made =
        !error && value.is_object() ? value.get_object().if_contains("made_at") : nullptr;
    const auto at = made != nullptr && made->is_string() ? parse_instant(made->get_string()) : std::nullopt;
    slot.vitals.restored_to = at.value_or(scheduler_.now());
    slot.vitals.suspend(Vitals::Suspension::by_operator, scheduler_.now());
}

// With the suspensions, in one commit.
void Engine::forget_restored() {
    const auto states = std::make_shared<std::vector<Kept>>();
    for (auto& [id, slot] : slots_) {
        if (to_unix_ms(slot.vitals.restored_to) != 0) states->push_back(kept(slot));
    }
    const auto work = [states](store::Database& database) -> Status {
        for (const Kept& one : *states) {
            const Status saved = one.save(database);
            if (!saved) return saved;
        }
        return database.save_state(store::restored_state, "", "");
    };
    ports_.store.write(work, [](const Status& saved) {
        if (!saved)
            log(LogLevel::error, "that a backup was restored could not be noted: " + saved.error().message);
    });
}

// ---- after a run ----

bool Engine::is_held(const Slot& slot) const {
    return slot.vitals.suspension != Vitals::Suspension::none ||
           slot.breaker.state() == Breaker::State::open || slot.probing;
}

// Back-fills and events say nothing about how the live stream fares, only whether the vendor is there.
void Engine::judge(Slot& slot, Lane lane, const Status& outcome, const Aftermath& after) {
    if (lane != Lane::live) {
        if (outcome && slot.breaker.state() == Breaker::State::half_open) slot.breaker.close();
        if (slot.breaker.state() == Breaker::State::open) note_opened(slot, lane);
        return;
    }
    const RunControl& control = *slot.live.control;
    const bool told_to_stop =
        control.stop != Stop::none && control.stop_status != store::RunStatus::failed && !outcome;
    // A plan is no proof of anything, and a run that a guard held back neither succeeded nor failed.
    if (control.only_plans) return;
    if (!told_to_stop && !control.held_by_guard.empty()) return;
    if (!told_to_stop && outcome) {
        const bool was_suspended = slot.vitals.suspension != Vitals::Suspension::none;
        slot.vitals.succeeded(scheduler_.now());
        if (was_suspended && slot.vitals.suspension == Vitals::Suspension::none)
            log(LogLevel::info, LogEvent::resumed, "resumed, because a run succeeded",
                {{"integration", *slot.id}});
        // Whatever was exported after the backup has been asked for.
        if (control.doubts_all && control.only_entity.empty()) slot.vitals.restored_to = {};
        // A run that had nothing to ask of the vendor is no proof, but its breaker need not stay half open.
        if (slot.breaker.state() == Breaker::State::half_open) slot.breaker.close();
        for (const store::EntityCounters& one : control.run.entities) {
            if (one.direction != store::Direction::import) continue;
            if (control.full || after.without_cursor.contains(one.entity))
                slot.vitals.listed(one.entity, one.counters.fetched > 0);
        }
    } else if (!told_to_stop) {
        judge_failure(slot, outcome.error());
    }
    if (slot.breaker.state() == Breaker::State::open) note_opened(slot, lane);
}

void Engine::judge_failure(Slot& slot, const Error& error) {
    // Waiting for a vendor's limits is no failure.
    if (error.kind == ErrorKind::rate_limited) return;
    if (!slot.vitals.failed(slot.link->config.supervision, scheduler_.now())) return;
    if (slot.missed.empty()) slot.missed = "retry";
    scheduler_.set(*slot.id, slot.times, Cause::probe, scheduler_.now() + suspension_probe);
}

void Engine::note_opened(Slot& slot, Lane lane) {
    if (lane == Lane::live && slot.missed.empty()) slot.missed = "retry";
    scheduler_.set(*slot.id, slot.times, Cause::probe, slot.breaker.open_until());
}

// ---- probes ----

void Engine::probe(Slot& slot) {
    const bool suspended = slot.vitals.suspension == Vitals::Suspension::failures;
    const bool open = slot.breaker.state() == Breaker::State::open;
    if (!slot.link->config.enabled || (!suspended && !open)) return;
    if (slot.is_running() || slot.probing) {  // that will tell
        return scheduler_.set(*slot.id, slot.times, Cause::probe, scheduler_.now() + std::chrono::minutes(1));
    }
    if (slot.link->can_test) {
        slot.probing = true;
        return test(*slot.id, [](const Result<std::string>&) {});
    }
    if (suspended) return;  // nothing to ask with: a person decides
    slot.breaker.half_open();
    if (slot.missed.empty()) slot.missed = "retry";
    start_missed(slot);
}

// A test job ended, whether a probe or asked for by a person.
void Engine::probed(Slot& slot, const Result<std::string>& answer) {
    const bool was_probe = std::exchange(slot.probing, false);
    const config::Supervision& policy = slot.link->config.supervision;
    const Instant now = scheduler_.now();
    if (slot.breaker.state() == Breaker::State::open) {
        if (was_answered(answer))
            slot.breaker.close();
        else if (was_probe)
            slot.breaker.reopen(policy.breaker, now);
    }
    if (slot.vitals.suspension == Vitals::Suspension::failures) {
        if (answer) {
            slot.vitals.resume(policy, true);
            log(LogLevel::info, LogEvent::resumed, "resumed, because a test of the connection succeeded",
                {{"integration", *slot.id}});
        } else {
            scheduler_.set(*slot.id, slot.times, Cause::probe, now + suspension_probe);
        }
    }
    if (slot.removed || stopping_) return;
    set_times(slot);
    look_for_problems(slot);
    keep(slot);
    if (is_held(slot)) return;
    start_missed(slot);
    start_waiting(slot);
}

// ---- asked for by people ----

Result<const Engine::Slot*> Engine::find(const std::string& integration) const {
    const auto found = slots_.find(integration);
    if (found == slots_.end() || found->second.removed)
        return fail(
            {ErrorKind::permanent, "there is no integration '" + integration + "'", {}, no_such_integration});
    return &found->second;
}

Result<Engine::Slot*> Engine::find(const std::string& integration) {
    const auto found = std::as_const(*this).find(integration);
    if (!found) return fail(found.error());
    return const_cast<Slot*>(*found);
}

std::optional<std::string> Engine::tenant_of(const std::string& integration) const {
    const auto slot = find(integration);
    return slot ? std::optional((*slot)->link->tenant.id) : std::nullopt;
}

std::vector<std::string> Engine::recognised_by(const std::string& tenant, const std::string& entity) const {
    for (const auto& [id, slot] : slots_) {
        const auto names = slot.link->recognition.find(entity);
        if (slot.link->tenant.id == tenant && names != slot.link->recognition.end()) return names->second;
    }
    return {};
}

Status Engine::suspend(const std::string& integration) {
    const auto slot = find(integration);
    if (!slot) return fail(slot.error());
    (*slot)->vitals.suspend(Vitals::Suspension::by_operator, scheduler_.now());
    set_times(**slot);
    keep(**slot);
    look_for_problems(**slot, false);
    log(LogLevel::info, LogEvent::suspended, "suspended by an operator", {{"integration", integration}});
    return {};
}

Status Engine::resume(const std::string& integration) {
    const auto slot = find(integration);
    if (!slot) return fail(slot.error());
    if ((*slot)->vitals.suspension == Vitals::Suspension::none)
        return fail(ErrorKind::config, "the integration '" + integration + "' is not suspended");
    (*slot)->vitals.resume((*slot)->link->config.supervision, false);
    (*slot)->events_rest = {};
    (*slot)->vitals.resumed_at = scheduler_.now();
    set_times(**slot);
    keep(**slot);
    look_for_problems(**slot, false);
    log(LogLevel::info, LogEvent::resumed, "resumed by an operator", {{"integration", integration}});
    if (!(*slot)->live.control && !is_held(**slot)) start_missed(**slot);
    start_waiting(**slot);
    return {};
}

Status Engine::reset_breaker(const std::string& integration) {
    const auto slot = find(integration);
    if (!slot) return fail(slot.error());
    if ((*slot)->breaker.state() == Breaker::State::closed)
        return fail(ErrorKind::config, "the circuit breaker of '" + integration + "' is not open");
    (*slot)->breaker.close();
    (*slot)->events_rest = {};
    set_times(**slot);
    keep(**slot);
    look_for_problems(**slot, false);
    log(LogLevel::info, "circuit breaker reset by an operator", {{"integration", integration}});
    if (!(*slot)->live.control && !is_held(**slot)) start_missed(**slot);
    start_waiting(**slot);
    return {};
}

Result<std::string> Engine::begin_connect(const std::string& integration, const std::string& redirect_uri) {
    const auto slot = find(integration);
    if (!slot) return fail(slot.error());
    if (!(*slot)->link->unusable.empty()) return fail(ErrorKind::config, (*slot)->link->unusable);
    return logins_.begin_connect((*slot)->link, redirect_uri);
}

void Engine::finish_connect(const std::string& integration, const std::string& callback,
                            Completion<Result<std::map<std::string, std::string>>> done) {
    const auto slot = find(integration);
    if (!slot)
        return ports_.timers.post([done = std::move(done), error = slot.error()] { done(fail(error)); });
    auto connected = [this, integration,
                      done = std::move(done)](Result<std::map<std::string, std::string>> answer) {
        if (const auto now = find(integration); now) look_for_problems(**now, false);
        done(std::move(answer));
    };
    logins_.finish_connect((*slot)->link, callback, std::move(connected));
}

// ---- looking in ----

std::optional<store::Run> Engine::live_run(std::int64_t run) const {
    const auto found = runs_.find(run);
    if (found == runs_.end()) return std::nullopt;
    return found->second.first->track(found->second.second).control->run;
}

std::vector<IntegrationStatus> Engine::status() const {
    std::vector<IntegrationStatus> all;
    for (const auto& [id, slot] : slots_) {
        if (!slot.removed) all.push_back(status_of(id, slot));
    }
    return all;
}

std::optional<IntegrationStatus> Engine::status(const std::string& integration) const {
    const auto slot = find(integration);
    return slot ? std::optional(status_of(integration, **slot)) : std::nullopt;
}

IntegrationStatus Engine::status_of(const std::string& id, const Slot& slot) const {
    using Held = Vitals::Suspension;
    IntegrationStatus one;
    one.id = id;
    one.tenant = slot.link->tenant.id;
    one.connector = slot.link->config.connector;
    const bool suspended = slot.vitals.suspension != Held::none;
    const bool open = slot.breaker.state() == Breaker::State::open;
    for (const Cause cause : {Cause::quick, Cause::full, Cause::retry, Cause::change}) {
        const auto at = suspended ? std::nullopt : scheduler_.at(slot.times, cause);
        if (at && (!one.next_run || *at < *one.next_run)) one.next_run = at;
    }
    if (slot.last_run) one.last_run = *slot.last_run;
    one.failures = slot.vitals.failures;
    if (to_unix_ms(slot.vitals.last_success) != 0) one.last_success = slot.vitals.last_success;
    one.breaker = open ? "open" : slot.breaker.state() == Breaker::State::half_open ? "half_open" : "closed";
    if (open) one.breaker_until = slot.breaker.open_until();
    one.suspended = slot.vitals.suspension == Held::failures      ? "failures"
                    : slot.vitals.suspension == Held::by_operator ? "operator"
                                                                  : "";
    for (Finding& finding : findings(slot)) {
        if (!finding.is_state) one.problems.push_back(std::move(finding.text));
    }
    one.waiting_for = waiting_for(slot);
    const bool held = slot.last_run && slot.last_run->status == store::RunStatus::suspended;
    one.backfills = backfills_of(slot);
    const Track& shown = slot.live.control ? slot.live : slot.events.control ? slot.events : slot.backfill;
    if (slot.live.control) one.current_run = slot.live.control->run;
    if (shown.control) one.working_on = shown.control->working_on;
    one.state = slot.is_running()              ? "running"
                : !slot.link->config.enabled   ? "disabled"
                : !slot.link->unusable.empty() ? "unusable"
                : suspended                    ? "suspended"
                : open                         ? "waiting"
                : slot.vitals.failures > 0     ? "failing"
                : held                         ? "held"
                                               : "idle";
    const std::string error = slot.last_run ? slot.last_run->error : std::string();
    const std::string because = error.empty() ? "" : ": " + error;
    if (!slot.link->unusable.empty()) {
        one.detail = slot.link->unusable;
    } else if (suspended) {
        one.detail = std::string("suspended ") +
                     (slot.vitals.suspension == Held::by_operator
                          ? "by an operator "
                          : "after " + std::to_string(slot.vitals.failures) + " failed runs in a row, ") +
                     "since " + at_minute(slot.vitals.suspended_at) +
                     "; to go on: liaisonctl integrations resume " + id +
                     (slot.vitals.suspension == Held::failures ? because : "");
    } else if (open) {
        one.detail = "the vendor does not answer and is left alone until " +
                     format_instant(slot.breaker.open_until()) + because;
    } else {
        one.detail = error;
    }
    return one;
}

Result<PlannedRuns> Engine::schedule(const std::string& integration, std::size_t count) const {
    const auto found = find(integration);
    if (!found) return fail(found.error());
    const Slot& slot = **found;
    const config::Schedule& schedule = slot.link->config.schedule;
    const std::string& zone = slot.link->tenant.timezone;
    PlannedRuns made;
    made.zone = zone;
    made.schedule = schedule.kind == config::Rhythm::Kind::manual ? "manual" : schedule.text;
    if (schedule.full) made.schedule += ", full " + schedule.full->text;
    made.note = !slot.link->config.enabled                           ? "it is disabled"
                : slot.vitals.suspension != Vitals::Suspension::none ? "it is suspended"
                : slot.breaker.state() == Breaker::State::open       ? "its circuit breaker is open"
                : schedule.kind == config::Rhythm::Kind::manual && !schedule.full ? "it runs by hand only"
                                                                                  : "";
    const auto runs = config::coming_runs(schedule, slot.timetable.next(false), slot.timetable.next(true),
                                          count, zone, ports_.zones);
    for (const config::Occurrence& one : runs) {
        PlannedRun& run = made.runs.emplace_back();
        run.full = one.full;
        // Of the first of each kind the jitter is drawn already.
        const auto planned = slot.timetable.next(one.full);
        const bool drawn = planned && planned->slot == one.slot;
        run.at = drawn ? *slot.timetable.due(one.full) : one.at;
        run.local = ports_.zones.to_local(zone, run.at);
        run.offset = std::chrono::duration_cast<std::chrono::minutes>(run.local.time_since_epoch() -
                                                                      run.at.time_since_epoch());
        const config::Blackout* blackout = config::blackout_at(schedule, one.slot, zone, ports_.zones);
        if (one.at != one.slot && blackout != nullptr)
            run.why = "moved out of the blackout " + blackout->text;
        else if (run.at != one.at)
            run.why = format_duration(run.at - one.at) + " of jitter";
    }
    return made;
}

// ---- what is kept ----

Status Engine::Kept::save(store::Database& database) const {
    for (const auto& [kind, value] : {std::pair{"schedule", &schedule},
                                      {"vitals", &vitals},
                                      {"breaker", &breaker},
                                      {"backfill", &backfills},
                                      {"hints", &hints}}) {
        const Status saved = database.save_state(kind, id, *value);
        if (!saved) return saved;
    }
    const Status dropped = drops_cursors ? database.drop_cursors(id, Lane::backfill) : Status();
    if (!dropped) return dropped;
    return quota_key.empty() ? Status() : database.save_state("quota", quota_key, quota);
}

Engine::Kept Engine::kept(Slot& slot, bool with_quota) {
    Kept made{*slot.id,
              slot.timetable.to_json(rota(slot)),
              slot.vitals.to_json(),
              slot.breaker.to_json(),
              backfills_to_json(slot.backfills),
              hints_text(slot.hints),
              {},
              {}};
    if (with_quota && slot.link->config.limits.any()) {
        made.quota_key = Gates::key_of(*slot.link);
        made.quota = gates_.of(*slot.link)->kept();
    }
    return made;
}

void Engine::keep(Slot& slot) {
    const auto states = std::make_shared<Kept>(kept(slot));
    ports_.store.write([states](store::Database& database) { return states->save(database); },
                       [id = *slot.id](const Status& saved) {
                           if (!saved)
                               log(LogLevel::error, "its state could not be stored: " + saved.error().message,
                                   {{"integration", id}});
                       });
}

}  // namespace liaisond::sync
