#include "sync/engine.hpp"

#include <algorithm>
#include <array>

#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "sync/backoff.hpp"
#include "sync/job_pump.hpp"

namespace liaisond::sync {
namespace {

constexpr Milliseconds disk_retry{5000};
constexpr std::size_t longest_cassette = 32u << 20;
constexpr std::uint32_t kept_cassettes = 10;
constexpr std::chrono::minutes unhelped_pause{1};
constexpr std::size_t most_queued = 100;  // behind the run in flight, none of which covers another

constexpr std::array all_lanes{Lane::live, Lane::backfill, Lane::events};

// A test job has nothing to store.
class NoListener final : public JobListener {
  public:
    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&&) override {
        const int local = 0;
        (void)local;
        co_return fail(ErrorKind::internal, "the connector emitted records in a test job");
    }
    Task<Status> on_result(plugin::ResultEffect&&) override {
        const int local = 0;
        (void)local;
        co_return fail(ErrorKind::internal, "the connector reported results in a test job");
    }
    Task<Status> before_mutation() override {
        const int local = 0;
        (void)local;
        co_return Status();
    }
};

}  // namespace

Engine::Engine(const Ports& ports, const CanonicalSchemas& schemas)
    : clock_(ports.clock),
      ports_{clock_,      ports.zones,   ports.random,  ports.timers,  ports.transport,
             ports.store, ports.runtime, ports.secrets, ports.observer},
      schemas_(schemas),
      gates_(ports.timers, clock_),
      logins_(ports_, fibers_, gates_),
      alerts_(ports_),
      scheduler_(
          ports.timers, ports.clock, [this](const std::string& id, Cause cause) { on_due(id, cause); },
          [this](Milliseconds step) { on_step(step); }),
      fibers_(ports.timers) {}
// Who waits for an export to end goes with it, and is not told any more.
Engine::~Engine() {
    for (auto& [id, slot] : slots_) slot.exports.forget();
}

void Engine::configure(const std::vector<std::shared_ptr<const Link>>& links) {
    std::set<std::string_view> ids;
    for (const std::shared_ptr<const Link>& link : links) ids.insert(link->config.id);
    std::vector<std::string> gone;
    for (auto& [id, slot] : slots_) {
        if (ids.contains(id)) continue;
        slot.removed = true;
        for (const Lane lane : all_lanes) {
            stop_run(slot, lane, Stop::wind_down, store::RunStatus::cancelled,
                     "the integration was removed from the configuration");
        }
        scheduler_.clear(id, slot.times);
        list_exporter(*slot.link, false);
        gone.push_back(id);
    }
    for (const std::shared_ptr<const Link>& link : links) {
        const auto place = slots_.try_emplace(link->config.id).first;
        Slot& slot = place->second;
        slot.id = &place->first;
        slot.removed = false;
        slot.next_link = link;
        if (!slot.live.control && slot.tests == 0) adopt_link(slot);
    }
    for (const std::string& id : gone) erase_if_gone(id);
}

// Takes over the configuration that waits for the run in flight to end. A back-fill may be in flight for
// hours: it stops where nothing is half done, and goes on with the new one.
void Engine::adopt_link(Slot& slot) {
    if (!slot.next_link) return;
    const bool changed = slot.link && slot.link->config.fingerprint != slot.next_link->config.fingerprint;
    if (changed) {
        ports_.runtime.forget(slot.link->config.id);
        logins_.forget(slot.link->config.id);
        list_exporter(*slot.link, false);
        stop_run(slot, Lane::backfill, Stop::wind_down, store::RunStatus::interrupted,
                 "the configuration changed; the back-fill goes on with the new one");
        stop_run(slot, Lane::events, Stop::wind_down, store::RunStatus::interrupted,
                 "the configuration changed; events are taken in with the new one");
        // Whoever changes the configuration has looked at what was wrong.
        slot.breaker.close();
        slot.events_rest = {};
        if (slot.vitals.suspension == Vitals::Suspension::failures)
            slot.vitals.resume(slot.link->config.supervision, false);
    }
    const bool keep_plan = slot.link && !changed;
    slot.link = std::move(slot.next_link);
    slot.next_link = nullptr;
    list_exporter(*slot.link, !slot.removed);
    if (started_ && !keep_plan) plan_anew(slot);
    if (started_) look_for_problems(slot, false);
    if (started_ && !slot.live.control && !slot.removed && !is_held(slot)) start_missed(slot);
    if (started_) start_waiting(slot);
}

void Engine::erase_if_gone(const std::string& id) {
    const auto found = slots_.find(id);
    if (found == slots_.end() || !found->second.removed || found->second.is_running() ||
        found->second.tests != 0)
        return;
    scheduler_.clear(found->first, found->second.times);
    gates_.release(Gates::key_of(*found->second.link));
    ports_.runtime.forget(id);
    slots_.erase(found);
    alerts_.found({}, id, {}, scheduler_.now(), false);
    Kept nothing;
    nothing.id = id;
    ports_.store.write([nothing](store::Database& database) { return nothing.save(database); },
                       [](Status) {});
}

// ---- runs ----

void Engine::trigger(const std::string& integration, RunRequest request,
                     Completion<Result<std::int64_t>> done) {
    const Status allowed = may_run(integration, request);
    if (!allowed) {
        return ports_.timers.post([done = std::move(done), error = allowed.error()] { done(fail(error)); });
    }
    Slot& slot = slots_.at(integration);
    // Who asks for it by hand wants it now: the run is the probe.
    if (slot.breaker.state() == Breaker::State::open) slot.breaker.half_open();
    Queued queued{std::move(request), {}};
    queued.waiting.push_back(std::move(done));
    if (queued.request.lane() == Lane::backfill) return add_backfill(slot, std::move(queued));
    if (!slot.live.control) return begin(slot, std::move(queued));
    enqueue(slot.queued, std::move(queued));
}

Status Engine::may_run(const std::string& integration, const RunRequest& request) const {
    const auto found = find(integration);
    if (!found) return fail(found.error());
    if (stopping_) return fail(ErrorKind::transient, "the daemon is stopping");
    const Slot& slot = **found;
    if (!slot.link->config.enabled)
        return fail(ErrorKind::config,
                    "the integration '" + integration + "' is disabled; set enabled: true and reload");
    if (slot.vitals.suspension == Vitals::Suspension::by_operator && !request.dry_run) {
        return fail(ErrorKind::config, "the integration '" + integration +
                                           "' is suspended; resume it with: liaisonctl integrations resume " +
                                           integration);
    }
    if (!request.entity.empty() && slot.link->config.entity(request.entity) == nullptr) {
        return fail(ErrorKind::permanent,
                    "the integration '" + integration + "' has no entity '" + request.entity + "'");
    }
    if (request.lane() == Lane::backfill) return may_backfill(slot, request);
    if (slot.live.control && slot.queued.size() >= most_queued) {
        return fail(ErrorKind::transient, std::to_string(most_queued) + " different requests wait for '" +
                                              integration + "' already; wait, or cancel the run in flight");
    }
    return {};
}

// One run behind the one in flight answers all who only want to be up to date, however often they ask. What
// says more is kept as it was asked, unless one that waits already does all of it.
void Engine::enqueue(std::vector<Queued>& queue, Queued asked) {
    const auto answer_by = [](Queued& by, Queued& covered) {
        for (auto& waiting : covered.waiting) by.waiting.push_back(std::move(waiting));
    };
    for (Queued& one : queue) {
        if (one.request.covers(asked.request)) return answer_by(one, asked);
    }
    const auto covered = [&](const Queued& one) { return asked.request.covers(one.request); };
    const auto place = std::find_if(queue.begin(), queue.end(), covered);
    if (place == queue.end()) return queue.push_back(std::move(asked));
    for (auto one = place; one != queue.end(); ++one) {
        if (covered(*one)) answer_by(asked, *one);
    }
    queue.erase(std::remove_if(std::next(place), queue.end(), covered), queue.end());
    *place = std::move(asked);
}

void Engine::begin(Slot& slot, Queued queued) {
    scheduler_.look_at_the_clock();
    const RunRequest& request = queued.request;
    const Lane lane = request.lane();
    Track& track = slot.track(lane);
    track.control = std::make_unique<RunControl>();
    RunControl& control = *track.control;
    control.link = slot.link;
    control.lane = lane;
    control.full = request.full;
    control.confirm_deletes = request.confirm_deletes;
    control.replay = request.replay;
    control.only_entity = request.entity;
    control.doubts_all = to_unix_ms(slot.vitals.restored_to) != 0;
    control.run.tenant = slot.link->tenant.id;
    control.run.integration = slot.link->config.id;
    control.run.trigger = request.trigger;
    control.run.started = scheduler_.now();
    if (request.range) {
        const std::string& zone = slot.link->tenant.timezone;
        control.from = ports_.zones.to_instant(zone, request.range->from);
        control.to = ports_.zones.to_instant(zone, request.range->to);
    }
    if (lane != Lane::live) control.exports = &slot.exports;
    if (request.record) {
        control.cassette = std::make_shared<plugin::Cassette>(
            "A run of " + slot.link->config.id + ", connector " + slot.link->config.connector + ", at " +
                format_instant(control.run.started),
            slot.link->instance.config, longest_cassette);
    }
    track.requester = std::make_unique<Requester>(ports_, fibers_, slot.link, gates_.of(*slot.link),
                                                  slot.breaker, logins_, lane);
    ++running_;
    // Whatever waited to be tried again or to be exported is part of a run of everything.
    if (request.covers({})) {
        note_begun(slot);
        scheduler_.set(*slot.id, slot.times, Cause::retry, std::nullopt);
        scheduler_.set(*slot.id, slot.times, Cause::change, std::nullopt);
    }
    auto body = run(slot, std::move(queued));
    fibers_.spawn(std::move(body));
}

Task<void> Engine::run(Slot& slot, Queued queued) {
    const Lane lane = queued.request.lane();
    RunControl& control = *slot.track(lane).control;
    LIAISON_FAULT_POINT("run.before_begin");
    Result<std::int64_t> id = co_await begin_run(slot, lane);
    LIAISON_FAULT_POINT("run.begun");
    if (id) control.run.id = *id;
    if (id) runs_[*id] = {&slot, lane};
    if (id && lane == Lane::backfill) slot.backfills.front().run = *id;
    for (const auto& waiting : queued.waiting) waiting(id);
    Status outcome = id ? Status() : Status(fail(id.error()));
    if (id) {
        limit_time(control);
        outcome = co_await work(slot, lane, queued.request);
    }
    conclude(control, outcome, ports_.clock.now());
    ports_.observer.ended(control.run);  // whoever sees that it has ended sees it counted
    Result<Aftermath> after = co_await aftermath(control.run);
    if (after) slot.vitals.queued(after->waiting, scheduler_.now());
    judge(slot, lane, outcome, after ? *after : Aftermath());
    if (lane == Lane::backfill) settle_backfill(slot, outcome);
    if (lane == Lane::events) settle_events(slot, outcome);
    Status saved;
    LIAISON_FAULT_POINT("run.before_save");
    if (id) saved = co_await save_run(slot, lane);
    LIAISON_FAULT_POINT("run.saved");
    // A full disk passes; a run that ended must not be shown as running until the next restart.
    while (!saved && saved.error().code == "disk_full" && !stopping_) {
        co_await pause(ports_.timers, disk_retry);
        saved = co_await save_run(slot, lane);
    }
    if (!saved)
        log(LogLevel::error, "the end of a run could not be stored: " + saved.error().message,
            {{"integration", control.run.integration}});
    runs_.erase(control.run.id);
    if (lane == Lane::live && !control.only_plans) {
        slot.last_run = std::make_unique<store::Run>(control.run);
        plan_retry(slot, outcome);
    }
    if (lane == Lane::events && lives_by_events(slot))
        slot.last_run = std::make_unique<store::Run>(control.run);
    look_for_problems(slot, !control.only_plans);
    after_run(slot, lane, after ? after->open_work : std::nullopt);
}

void Engine::limit_time(const RunControl& control) {
    const Milliseconds most = control.link->config.timeouts.run;
    ports_.timers.after(most, [this, run = control.run.id, most] {
        const auto found = runs_.find(run);
        if (found == runs_.end()) return;
        stop_run(*found->second.first, found->second.second, Stop::cancel, store::RunStatus::failed,
                 "the run took longer than " + format_duration(most));
    });
}

// The verdict on a run, in the run itself and in the log.
void Engine::conclude(RunControl& control, const Status& outcome, Instant now) {
    store::Run& run = control.run;
    run.ended = now;
    store::Counters total;
    for (const store::EntityCounters& one : run.entities) total += one.counters;
    const bool progress =
        total.created + total.updated + total.deleted + total.unchanged + total.exported > 0;
    if (control.stop != Stop::none && !outcome) {
        run.status = control.stop_status;
        run.error = control.stop_reason;
    } else if (!control.held_by_guard.empty()) {
        run.status = store::RunStatus::suspended;
        run.error = control.held_by_guard;
    } else if (!outcome) {
        run.status = progress ? store::RunStatus::partial : store::RunStatus::failed;
        run.error = redactor().scrub(outcome.error().message);
    } else if (control.only_plans) {
        run.status = store::RunStatus::planned;
    } else {
        run.status = total.rejected > 0 ? store::RunStatus::partial : store::RunStatus::success;
    }
    const bool fine = static_cast<bool>(outcome);
    const bool stopped = control.stop != Stop::none;
    log(fine      ? LogLevel::info
        : stopped ? LogLevel::warning
                  : LogLevel::error,
        fine ? LogEvent::run_ended : LogEvent::run_failed,
        "run " + std::to_string(run.id) + " ended: " + std::string(store::to_string(run.status)) +
            (run.error.empty() ? "" : ": " + run.error),
        {{"integration", run.integration},
         {"run", std::to_string(run.id)},
         {"fetched", std::to_string(total.fetched)},
         {"created", std::to_string(total.created)},
         {"updated", std::to_string(total.updated)},
         {"unchanged", std::to_string(total.unchanged)},
         {"exported", std::to_string(total.exported)},
         {"rejected", std::to_string(total.rejected)}});
}

void Engine::after_run(Slot& slot, Lane lane, std::optional<Instant> open_work) {
    const std::string id = slot.link->config.id;
    Track& track = slot.track(lane);
    // By the engine's clock, as what is due.
    const Instant began = track.control->run.started - (scheduler_.now() - ports_.clock.now());
    const std::string gate = Gates::key_of(*track.control->link);
    track.requester.reset();
    track.control.reset();
    --running_;
    gates_.release(gate);
    if (!slot.live.control && slot.tests == 0) adopt_link(slot);
    // What was due before this run and still is, the run could not help: no use in hurrying.
    if (open_work && lane == Lane::live)
        resume_open_work(slot, *open_work <= began ? ports_.clock.now() + unhelped_pause : *open_work);
    if (stopping_) {
        if (running_ == 0 && stopped_) logins_.log_out(std::exchange(stopped_, nullptr));
        return;
    }
    if (slot.removed) return erase_if_gone(id);
    start_waiting(slot);
    if (slot.live.control) return;
    if (!slot.queued.empty()) {
        Queued queued = std::move(slot.queued.front());
        slot.queued.erase(slot.queued.begin());
        return begin(slot, std::move(queued));
    }
    if (!is_held(slot)) start_missed(slot);
}

void Engine::test(const std::string& integration, Completion<Result<std::string>> done) {
    const auto slot = find(integration);
    if (!slot) {
        return ports_.timers.post([done = std::move(done), error = slot.error()] { done(fail(error)); });
    }
    ++(*slot)->tests;
    auto body = run_test(**slot, std::move(done));
    fibers_.spawn(std::move(body));
}

Task<void> Engine::run_test(Slot& slot, Completion<Result<std::string>> done) {
    RunControl control;
    control.link = slot.link;
    control.probing = true;
    Result<std::string> answer;
    if (!slot.link->unusable.empty()) {
        answer = fail(ErrorKind::config, slot.link->unusable);
    } else if (!slot.link->can_test) {
        answer = std::string("{\"note\":\"this connector has no test of its own\"}");
    } else {
        plugin::StartEvent start;
        ports_.random.fill(start.seed);
        NoListener listener;
        Requester requester(ports_, fibers_, slot.link, gates_.of(*slot.link), slot.breaker, logins_);
        JobPump pump(ports_, requester, control);
        answer = co_await pump.run(plugin::JobKind::test, std::move(start), listener);
        probed(slot, answer);
    }
    done(std::move(answer));
    --slot.tests;
    if (!slot.live.control && slot.tests == 0) adopt_link(slot);
    erase_if_gone(slot.link->config.id);
}

// ---- stopping ----

void Engine::stop_run(Slot& slot, Lane lane, Stop how, store::RunStatus status, const std::string& reason) {
    RunControl* control = slot.track(lane).control.get();
    if (control == nullptr || control->stop >= how) return;
    if (control->stop == Stop::none) {
        control->stop_status = status;
        control->stop_reason = reason;
    }
    control->stop = how;
    slot.exports.wake();
    if (how != Stop::cancel) return;
    ports_.transport.cancel(Requester::pool_of(*control->link, lane));
    gates_.of(*control->link)->stopped();
}

Status Engine::cancel(std::int64_t run) {
    const auto found = runs_.find(run);
    if (found == runs_.end()) {
        if (cancel_waiting_backfill(run)) return {};
        return fail(ErrorKind::permanent, "run " + std::to_string(run) + " is not running");
    }
    const auto [slot, lane] = found->second;
    stop_run(*slot, lane, Stop::cancel, store::RunStatus::cancelled, "cancelled by an operator");
    if (lane == Lane::backfill) {
        // At once, not with the end of the run: a crash between must not bring it back.
        slot->backfills.front().cancelled = true;
        keep(*slot);
    }
    return {};
}

void Engine::stop(Milliseconds grace, std::function<void()> done) {
    stopping_ = true;
    scheduler_.stop();
    for (auto& [id, slot] : slots_) {
        scheduler_.clear(id, slot.times);
        for (const Queued& queued : std::exchange(slot.queued, {})) {
            for (const auto& waiting : queued.waiting)
                waiting(fail(ErrorKind::transient, "the daemon is stopping"));
        }
        for (Backfill& backfill : slot.backfills) {
            for (const auto& waiting : std::exchange(backfill.waiting, {}))
                waiting(fail(ErrorKind::transient,
                             "the daemon is stopping; the back-fill is kept and begins after its start"));
        }
        for (const Lane lane : all_lanes)
            stop_run(slot, lane, Stop::wind_down, store::RunStatus::interrupted, "the daemon was stopped");
    }
    if (running() == 0) return logins_.log_out(std::move(done));
    stopped_ = std::move(done);
    ports_.timers.after(grace, [this] {
        for (auto& [id, slot] : slots_) {
            for (const Lane lane : all_lanes)
                stop_run(slot, lane, Stop::cancel, store::RunStatus::interrupted, "the daemon was stopped");
        }
    });
}

// ---- the store ----

// The slot that was used is written down with the run that uses it: a restart does not use it again. So is
// the run with the back-fill that it works for; the first one begins at the beginning.
Await<Result<std::int64_t>> Engine::begin_run(const Slot& slot, Lane lane) {
    const std::string timetable = slot.timetable.to_json(rota(slot));
    const auto backfills = std::make_shared<std::vector<Backfill>>(slot.backfills);
    for (Backfill& one : *backfills) one.waiting.clear();  // whoever waits stays on this thread
    return Await<Result<std::int64_t>>([this, &run = slot.track(lane).control->run, timetable, backfills,
                                        lane](Completion<Result<std::int64_t>> done) {
        const auto work = [&run, timetable, backfills,
                           lane](store::Database& database) -> Result<std::int64_t> {
            Status kept = database.save_state("schedule", run.integration, timetable);
            if (!kept) return fail(kept.error());
            auto id = database.begin_run(run);
            if (!id || lane != Lane::backfill) return id;
            if (backfills->front().run == 0) kept = database.drop_cursors(run.integration, lane);
            if (!kept) return fail(kept.error());
            backfills->front().run = *id;
            kept = database.save_state("backfill", run.integration, backfills_to_json(*backfills));
            if (!kept) return fail(kept.error());
            return id;
        };
        ports_.store.write(work, std::move(done));
    });
}

Await<Status> Engine::save_run(Slot& slot, Lane lane) {
    auto run = std::make_shared<store::Run>(slot.track(lane).control->run);
    auto states = std::make_shared<Kept>(kept(slot, true));
    // The one in flight was the first of them; it is over when it is no longer there.
    states->drops_cursors =
        lane == Lane::backfill && (slot.backfills.empty() || slot.backfills.front().run != run->id);
    const auto cassette = slot.track(lane).control->cassette;
    return Await<Status>([this, run, states, cassette](Completion<Status> done) {
        const auto work = [run, states, cassette](store::Database& database) {
            Status saved = database.save_run(*run);
            if (saved && cassette)
                saved = database.save_state("cassette", std::to_string(run->id), cassette->text());
            if (saved && cassette) saved = database.keep_newest_states("cassette", kept_cassettes);
            return saved ? states->save(database) : saved;
        };
        ports_.store.write(work, std::move(done));
    });
}

Await<Result<Engine::Aftermath>> Engine::aftermath(const store::Run& run) {
    std::vector<std::string> imported;
    for (const store::EntityCounters& one : run.entities) {
        if (one.direction == store::Direction::import) imported.push_back(one.entity);
    }
    return Await<Result<Aftermath>>(
        [this, integration = run.integration, imported](Completion<Result<Aftermath>> done) {
            const auto work = [integration, imported](store::Database& database) -> Result<Aftermath> {
                Aftermath after;
                auto next = database.next_intent(integration);
                if (!next) return fail(next.error());
                after.open_work = *next;
                for (const std::string& entity : imported) {
                    auto cursor = database.cursor(integration, entity);
                    if (!cursor) return fail(cursor.error());
                    if (cursor->empty()) after.without_cursor.insert(entity);
                }
                auto waiting = database.queue_sizes(integration);
                if (!waiting) return fail(waiting.error());
                after.waiting = *waiting;
                return after;
            };
            ports_.store.read(work, std::move(done));
        });
}

}  // namespace liaisond::sync
