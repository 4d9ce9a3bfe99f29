#include "sync/engine.hpp"

#include <algorithm>

#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "sync/backoff.hpp"
#include "sync/export_job.hpp"
#include "sync/import_job.hpp"

namespace liaisond::sync {
namespace {

constexpr Milliseconds disk_retry{5000};
constexpr std::size_t most_queued = 100;  // behind the run in flight, none of which covers another

// Errors after which the other entities of the integration would fail the same way.
bool affects_all(ErrorKind kind) {
    return kind == ErrorKind::auth || kind == ErrorKind::config || kind == ErrorKind::transient ||
           kind == ErrorKind::rate_limited;
}

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
    : ports_(ports),
      schemas_(schemas),
      gates_(ports.timers, ports.clock),
      scheduler_(
          ports.timers, ports.clock, [this](const std::string& id, Cause cause) { on_due(id, cause); },
          [this](Milliseconds step) { on_step(step); }),
      fibers_(ports.timers) {}
Engine::~Engine() = default;

void Engine::configure(const std::vector<std::shared_ptr<const Link>>& links) {
    std::set<std::string_view> ids;
    for (const std::shared_ptr<const Link>& link : links) ids.insert(link->config.id);
    std::vector<std::string> gone;
    for (auto& [id, slot] : slots_) {
        if (ids.contains(id)) continue;
        slot.removed = true;
        stop_run(slot, Stop::wind_down, store::RunStatus::cancelled,
                 "the integration was removed from the configuration");
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
        if (!slot.control && slot.tests == 0) adopt_link(slot);
    }
    for (const std::string& id : gone) erase_if_gone(id);
}

// Takes over the configuration that waits for the run in flight to end.
void Engine::adopt_link(Slot& slot) {
    if (!slot.next_link) return;
    const bool changed = slot.link && slot.link->config.fingerprint != slot.next_link->config.fingerprint;
    if (changed) {
        ports_.runtime.forget(slot.link->config.id);
        list_exporter(*slot.link, false);
        // Whoever changes the configuration has looked at what was wrong.
        slot.breaker.close();
        if (slot.vitals.suspension == Vitals::Suspension::failures)
            slot.vitals.resume(slot.link->config.supervision, false);
    }
    const bool keep_plan = slot.link && !changed;
    slot.link = std::move(slot.next_link);
    slot.next_link = nullptr;
    list_exporter(*slot.link, !slot.removed);
    if (started_ && !keep_plan) plan_anew(slot);
    if (started_ && !slot.control && !slot.removed && !is_held(slot)) start_missed(slot);
}

void Engine::erase_if_gone(const std::string& id) {
    const auto found = slots_.find(id);
    if (found == slots_.end() || !found->second.removed || found->second.control || found->second.tests != 0)
        return;
    scheduler_.clear(found->first, found->second.times);
    gates_.release(Gates::key_of(*found->second.link));
    ports_.runtime.forget(id);
    slots_.erase(found);
    Kept nothing;
    nothing.id = id;
    ports_.store.write([nothing](store::Database& database) { return nothing.save(database); },
                       [](Status) {});
}

// ---- runs ----

void Engine::trigger(const std::string& integration, RunRequest request,
                     Completion<Result<std::int64_t>> done) {
    const auto found = slots_.find(integration);
    const auto refuse = [&](ErrorKind kind, std::string message) {
        ports_.timers.post(
            [done = std::move(done), error = Error{kind, std::move(message), {}, {}}] { done(fail(error)); });
    };
    if (found == slots_.end() || found->second.removed)
        return refuse(ErrorKind::permanent, "there is no integration '" + integration + "'");
    if (stopping_) return refuse(ErrorKind::transient, "the daemon is stopping");
    Slot& slot = found->second;
    if (!slot.link->config.enabled)
        return refuse(ErrorKind::config,
                      "the integration '" + integration + "' is disabled; set enabled: true and reload");
    if (slot.vitals.suspension == Vitals::Suspension::by_operator) {
        return refuse(ErrorKind::config,
                      "the integration '" + integration +
                          "' is suspended; resume it with: liaisonctl integrations resume " + integration);
    }
    if (!request.entity.empty() && slot.link->config.entity(request.entity) == nullptr) {
        return refuse(ErrorKind::permanent,
                      "the integration '" + integration + "' has no entity '" + request.entity + "'");
    }
    // Who asks for it by hand wants it now: the run is the probe.
    if (slot.breaker.state() == Breaker::State::open) slot.breaker.half_open();
    if (slot.control && slot.queued.size() >= most_queued) {
        return refuse(ErrorKind::transient, std::to_string(most_queued) + " different requests wait for '" +
                                                integration + "' already; wait, or cancel the run in flight");
    }
    Queued queued{std::move(request), {}};
    queued.waiting.push_back(std::move(done));
    if (!slot.control) return begin(slot, std::move(queued));
    enqueue(slot.queued, std::move(queued));
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
    slot.control = std::make_unique<RunControl>();
    slot.control->link = slot.link;
    slot.control->full = queued.request.full;
    slot.control->confirm_deletes = queued.request.confirm_deletes;
    slot.control->replay = queued.request.replay;
    slot.control->only_entity = queued.request.entity;
    slot.control->run.tenant = slot.link->tenant.id;
    slot.control->run.integration = slot.link->config.id;
    slot.control->run.trigger = queued.request.trigger;
    slot.control->run.started = ports_.clock.now();
    slot.requester =
        std::make_unique<Requester>(ports_, fibers_, slot.link, gates_.of(*slot.link), slot.breaker);
    ++running_;
    // Whatever waited to be tried again or to be exported is part of a run of everything.
    if (queued.request.covers({})) {
        scheduler_.set(*slot.id, slot.times, Cause::retry, std::nullopt);
        scheduler_.set(*slot.id, slot.times, Cause::change, std::nullopt);
    }
    auto body = run(slot, std::move(queued));
    fibers_.spawn(std::move(body));
}

Task<void> Engine::run(Slot& slot, Queued queued) {
    RunControl& control = *slot.control;
    LIAISON_FAULT_POINT("run.before_begin");
    Result<std::int64_t> id = co_await begin_run(slot);
    LIAISON_FAULT_POINT("run.begun");
    if (id) control.run.id = *id;
    if (id) runs_[*id] = &slot;
    for (const auto& waiting : queued.waiting) waiting(id);
    Status outcome = id ? Status() : Status(fail(id.error()));
    if (id) {
        ports_.timers.after(slot.link->config.timeouts.run, [this, integration = control.run.integration,
                                                             run = *id] {
            const auto found = slots_.find(integration);
            if (found == slots_.end() || !found->second.control || found->second.control->run.id != run)
                return;
            stop_run(found->second, Stop::cancel, store::RunStatus::failed,
                     "the run took longer than " + format_duration(found->second.link->config.timeouts.run));
        });
        outcome = co_await work(slot);
    }
    conclude(slot, outcome);
    Result<Aftermath> after = co_await aftermath(control.run);
    judge(slot, outcome, after ? *after : Aftermath());
    Status saved;
    LIAISON_FAULT_POINT("run.before_save");
    if (id) saved = co_await save_run(slot);
    LIAISON_FAULT_POINT("run.saved");
    // A full disk passes; a run that ended must not be shown as running until the next restart.
    while (!saved && saved.error().code == "disk_full" && !stopping_) {
        co_await pause(ports_.timers, disk_retry);
        saved = co_await save_run(slot);
    }
    if (!saved)
        log(LogLevel::error, "the end of a run could not be stored: " + saved.error().message,
            {{"integration", control.run.integration}});
    runs_.erase(control.run.id);
    slot.last_run = std::make_unique<store::Run>(control.run);
    plan_retry(slot, outcome);
    after_run(slot, after ? after->open_work : std::nullopt);
}

// All entities: first what comes in, then what goes out; what others refer to first.
Task<Status> Engine::work(Slot& slot) {
    RunControl& control = *slot.control;
    if (!slot.link->unusable.empty()) co_return fail(ErrorKind::config, slot.link->unusable);
    std::vector<config::Entity> entities = slot.link->config.entities;
    std::stable_sort(entities.begin(), entities.end(), [&](const config::Entity& a, const config::Entity& b) {
        return schemas_.rank(a.name) < schemas_.rank(b.name);
    });
    Status first_error;
    for (const store::Direction direction : {store::Direction::import, store::Direction::export_}) {
        for (const config::Entity& entity : entities) {
            const bool wanted = direction == store::Direction::import ? entity.imports : entity.exports;
            if (!control.replay.empty() && direction == store::Direction::export_) continue;
            if (!wanted || (!control.only_entity.empty() && control.only_entity != entity.name)) continue;
            if (control.stop != Stop::none) co_return fail(ErrorKind::transient, control.stop_reason);
            LIAISON_FAULT_POINT("run.entity");
            Status done = co_await one_entity(slot, entity, direction);
            if (done) continue;
            if (first_error) first_error = fail(done.error());
            if (affects_all(done.error().kind)) co_return first_error;
        }
    }
    co_return first_error;
}

Task<Status> Engine::one_entity(Slot& slot, const config::Entity& entity, store::Direction direction) {
    RunControl& control = *slot.control;
    const bool importing = direction == store::Direction::import;
    control.working_on = std::string(importing ? "importing " : "exporting ") + entity.name;
    const auto began = ports_.clock.monotonic();
    (void)control.counters(entity.name, direction);
    Status status;
    if (!schemas_.allowed(entity.name)) {
        status = fail(ErrorKind::config,
                      "the entity '" + entity.name + "' is unknown; entities of your own begin with x_");
    } else if (importing) {
        ImportJob job(ports_, fibers_, *slot.requester, control, schemas_, entity,
                      [this, tenant = control.run.tenant, name = entity.name, id = control.run.integration] {
                          changed(tenant, name, id);
                      });
        status = co_await job.run();
    } else {
        ExportJob job(ports_, fibers_, *slot.requester, control, schemas_, entity);
        status = co_await job.run();
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.monotonic() - began);
    control.counters(entity.name, direction).duration_ms += took.count();
    if (!status) {
        Error error = control.held_back.value_or(status.error());
        error.message = control.working_on + " failed: " + error.message;
        co_return fail(std::move(error));
    }
    co_return status;
}

// The verdict on a run, in the run itself and in the log.
void Engine::conclude(Slot& slot, const Status& outcome) {
    store::Run& run = slot.control->run;
    run.ended = ports_.clock.now();
    store::Counters total;
    for (const store::EntityCounters& one : run.entities) total += one.counters;
    const bool progress =
        total.created + total.updated + total.deleted + total.unchanged + total.exported > 0;
    if (slot.control->stop != Stop::none && !outcome) {
        run.status = slot.control->stop_status;
        run.error = slot.control->stop_reason;
    } else if (!outcome) {
        run.status = progress ? store::RunStatus::partial : store::RunStatus::failed;
        run.error = redactor().scrub(outcome.error().message);
    } else {
        run.status = total.rejected > 0 ? store::RunStatus::partial : store::RunStatus::success;
    }
    const bool fine = static_cast<bool>(outcome);
    const bool stopped = slot.control->stop != Stop::none;
    log(fine      ? LogLevel::info
        : stopped ? LogLevel::warning
                  : LogLevel::error,
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

void Engine::after_run(Slot& slot, std::optional<Instant> open_work) {
    const std::string id = slot.link->config.id;
    const Instant began = slot.control->run.started;
    slot.requester.reset();
    slot.control.reset();
    --running_;
    gates_.release(Gates::key_of(*slot.link));
    adopt_link(slot);
    // What was due before this run and still is, the run could not help: no use in hurrying.
    if (open_work)
        resume_open_work(slot,
                         *open_work <= began ? ports_.clock.now() + std::chrono::minutes(1) : *open_work);
    if (stopping_) {
        if (running_ == 0 && stopped_) ports_.timers.post(std::exchange(stopped_, nullptr));
        return;
    }
    if (slot.removed) return erase_if_gone(id);
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
        Requester requester(ports_, fibers_, slot.link, gates_.of(*slot.link), slot.breaker);
        JobPump pump(ports_, requester, control);
        answer = co_await pump.run(plugin::JobKind::test, std::move(start), listener);
        probed(slot, answer);
    }
    done(std::move(answer));
    --slot.tests;
    if (!slot.control && slot.tests == 0) adopt_link(slot);
    erase_if_gone(slot.link->config.id);
}

// ---- stopping ----

void Engine::stop_run(Slot& slot, Stop how, store::RunStatus status, const std::string& reason) {
    if (!slot.control || slot.control->stop >= how) return;
    if (slot.control->stop == Stop::none) {
        slot.control->stop_status = status;
        slot.control->stop_reason = reason;
    }
    slot.control->stop = how;
    if (how != Stop::cancel) return;
    ports_.transport.cancel(slot.link->config.id);
    gates_.of(*slot.link)->stopped();
}

Status Engine::cancel(std::int64_t run) {
    const auto found = runs_.find(run);
    if (found == runs_.end()) {
        return fail(ErrorKind::permanent, "run " + std::to_string(run) + " is not running");
    }
    stop_run(*found->second, Stop::cancel, store::RunStatus::cancelled, "cancelled by an operator");
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
        stop_run(slot, Stop::wind_down, store::RunStatus::interrupted, "the daemon was stopped");
    }
    if (running() == 0) return ports_.timers.post(std::move(done));
    stopped_ = std::move(done);
    ports_.timers.after(grace, [this] {
        for (auto& [id, slot] : slots_)
            stop_run(slot, Stop::cancel, store::RunStatus::interrupted, "the daemon was stopped");
    });
}

// ---- the store ----

// The slot that was used is written down with the run that uses it: a restart does not use it again.
Await<Result<std::int64_t>> Engine::begin_run(const Slot& slot) {
    const std::string timetable = slot.timetable.to_json(rota(slot));
    return Await<Result<std::int64_t>>(
        [this, &run = slot.control->run, timetable](Completion<Result<std::int64_t>> done) {
            const auto work = [&run, timetable](store::Database& database) -> Result<std::int64_t> {
                const Status kept = database.save_state("schedule", run.integration, timetable);
                if (!kept) return fail(kept.error());
                return database.begin_run(run);
            };
            ports_.store.write(work, std::move(done));
        });
}

Await<Status> Engine::save_run(Slot& slot) {
    auto run = std::make_shared<store::Run>(slot.control->run);
    auto states = std::make_shared<Kept>(kept(slot, true));
    return Await<Status>([this, run, states](Completion<Status> done) {
        const auto work = [run, states](store::Database& database) {
            const Status saved = database.save_run(*run);
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
                return after;
            };
            ports_.store.read(work, std::move(done));
        });
}

}  // namespace liaisond::sync
