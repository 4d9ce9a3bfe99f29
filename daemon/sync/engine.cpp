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

// Errors after which the other entities of the integration would fail the same way.
bool affects_all(ErrorKind kind) {
    return kind == ErrorKind::auth || kind == ErrorKind::config || kind == ErrorKind::transient ||
           kind == ErrorKind::rate_limited;
}

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
    : ports_(ports), schemas_(schemas), fibers_(ports.timers) {}
Engine::~Engine() = default;

void Engine::start(Completion<Status> done) {
    struct Found {
        std::vector<store::Run> runs;
        std::map<std::string, Instant> open_work;
    };
    std::vector<std::string> ids;
    for (const auto& [id, slot] : slots_) ids.push_back(id);
    const auto work = [now = ports_.clock.now(), ids](store::Database& database) -> Result<Found> {
        auto interrupted = database.interrupt_runs(now);
        if (!interrupted) return fail(interrupted.error());
        LIAISON_FAULT_POINT("engine.interrupted");
        if (*interrupted > 0) {
            log(LogLevel::warning, "runs were interrupted when the daemon last stopped; their work goes on",
                {{"runs", std::to_string(*interrupted)}});
        }
        store::Filter newest;
        newest.limit = 10'000;
        auto runs = database.runs(newest);
        if (!runs) return fail(runs.error());
        Found found{std::move(*runs), {}};
        for (const std::string& id : ids) {
            auto next = database.next_intent(id);
            if (!next) return fail(next.error());
            if (*next) found.open_work[id] = **next;
        }
        return found;
    };
    ports_.store.write(work, [this, done = std::move(done)](Result<Found> found) {
        if (!found) return done(fail(found.error()));
        for (store::Run& run : found->runs) {
            const auto slot = slots_.find(run.integration);
            if (slot != slots_.end() && !slot->second.last_run) slot->second.last_run = std::move(run);
        }
        started_ = true;
        for (auto& [id, slot] : slots_) {
            plan_next(slot, ports_.clock.now(), Status());
            const auto open = found->open_work.find(id);
            if (open != found->open_work.end()) resume_open_work(slot, open->second);
            // A change whose debounce a crash cut short is looked for again.
            for (const config::Entity& entity : slot.link->config.entities) expect_change(slot, entity);
        }
        LIAISON_FAULT_POINT("engine.started");
        done({});
    });
}

void Engine::configure(const std::vector<std::shared_ptr<const Link>>& links) {
    for (auto& entry : slots_) {
        Slot& slot = entry.second;
        const bool stays = std::any_of(links.begin(), links.end(),
                                       [&](const auto& link) { return link->config.id == entry.first; });
        if (stays) continue;
        slot.removed = true;
        stop_run(slot, Stop::wind_down, store::RunStatus::cancelled,
                 "the integration was removed from the configuration");
        forget_plan(slot);
    }
    for (const std::shared_ptr<const Link>& link : links) {
        Slot& slot = slots_[link->config.id];
        slot.removed = false;
        slot.next_link = link;
        if (!slot.control && slot.tests == 0) adopt_link(slot);
    }
    std::vector<std::string> gone;
    for (const auto& [id, slot] : slots_) gone.push_back(id);
    for (const std::string& id : gone) erase_if_gone(id);
}

// Takes over the configuration that waits for the run in flight to end.
void Engine::adopt_link(Slot& slot) {
    if (!slot.next_link) return;
    const bool changed = slot.link && slot.link->config.fingerprint != slot.next_link->config.fingerprint;
    if (changed) ports_.runtime.forget(slot.link->config.id);
    const bool keep_plan = slot.link && !changed;
    slot.link = std::move(slot.next_link);
    slot.next_link = nullptr;
    slot.requester = std::make_unique<Requester>(ports_, fibers_, slot.link);
    if (started_ && !keep_plan) plan_next(slot, ports_.clock.now(), Status());
}

void Engine::erase_if_gone(const std::string& id) {
    const auto found = slots_.find(id);
    if (found == slots_.end() || !found->second.removed || found->second.control || found->second.tests != 0)
        return;
    forget_plan(found->second);
    ports_.runtime.forget(id);
    slots_.erase(found);
}

// ---- when ----

std::optional<Instant> Engine::next_scheduled(const Slot& slot, Instant after) const {
    const config::Schedule& schedule = slot.link->config.schedule;
    if (!slot.link->config.enabled) return std::nullopt;
    std::optional<Instant> next;
    if (schedule.kind == config::Schedule::Kind::every) {
        next = slot.last_run ? std::max(after, slot.last_run->started + schedule.every) : after;
    } else if (schedule.kind == config::Schedule::Kind::cron && schedule.cron) {
        next = schedule.cron->next(after, slot.link->tenant.timezone, ports_.zones);
    }
    if (next && schedule.jitter.count() > 0) {
        *next += Milliseconds(static_cast<std::int64_t>(
            ports_.random.below(static_cast<std::uint64_t>(schedule.jitter.count()))));
    }
    return next;
}

void Engine::plan_next(Slot& slot, Instant after, const Status& outcome) {
    std::optional<Instant> due = next_scheduled(slot, after);
    std::string trigger = "schedule";
    const config::RetryPolicy& retry = slot.link->config.retry;
    if (!outcome && passes_by_itself(outcome.error().kind) && slot.failures < retry.attempts &&
        slot.link->config.enabled) {
        const Instant again =
            after + std::max(outcome.error().retry_after,
                             backoff(retry, slot.failures, ports_.random) + Milliseconds(1));
        if (!due || again < *due) {
            due = again;
            trigger = "retry";
        }
    }
    set_due(slot, due, trigger);
}

void Engine::set_due(Slot& slot, std::optional<Instant> due, const std::string& trigger) {
    const std::string& id = slot.link->config.id;
    if (slot.due) agenda_.erase({*slot.due, id});
    slot.due = due;
    slot.due_trigger = trigger;
    if (due) agenda_.insert({*due, id});
    arm();
}

void Engine::forget_plan(Slot& slot) {
    if (slot.change_due) agenda_.erase({*slot.change_due, slot.link->config.id});
    slot.change_due.reset();
    set_due(slot, std::nullopt, {});
}

// One timer for all: it fires when the first entry of the agenda is due.
void Engine::arm() {
    if (agenda_.empty() || stopping_) return;
    const Instant first = agenda_.begin()->first;
    if (armed_for_ && *armed_for_ <= first) return;
    armed_for_ = first;
    const std::uint64_t generation = ++arm_generation_;
    const Milliseconds delay = std::max(Milliseconds(0), first - ports_.clock.now());
    ports_.timers.after(delay, [this, generation] {
        if (generation == arm_generation_) wake();
    });
}

void Engine::wake() {
    armed_for_.reset();
    const Instant now = ports_.clock.now();
    while (!stopping_ && !agenda_.empty() && agenda_.begin()->first <= now) {
        const auto [due, id] = *agenda_.begin();
        agenda_.erase(agenda_.begin());
        Slot& slot = slots_.at(id);
        RunRequest request;
        if (slot.due == due) {
            request.trigger = slot.due_trigger;
            slot.due.reset();
        }
        if (slot.change_due == due) {
            if (request.trigger == "manual") request.trigger = "on_change";
            slot.change_due.reset();
        }
        trigger(id, std::move(request), [id = id](Result<std::int64_t> run) {
            if (!run)
                log(LogLevel::warning, "a planned run could not begin: " + run.error().message,
                    {{"integration", id}});
        });
    }
    arm();
}

void Engine::expect_change(Slot& slot, const config::Entity& entity) {
    if (!entity.exports || !entity.on_change || slot.change_due || !slot.link->config.enabled) return;
    LIAISON_FAULT_POINT("engine.change_due");
    slot.change_due = ports_.clock.now() + entity.debounce;
    agenda_.insert({*slot.change_due, slot.link->config.id});
    arm();
}

// A hub record changed: whoever exports that entity on change is due after its debounce.
void Engine::changed(const std::string& tenant, const std::string& entity, const std::string& origin) {
    for (auto& [id, slot] : slots_) {
        if (id == origin || slot.removed || !slot.link->config.enabled || slot.link->tenant.id != tenant)
            continue;
        const config::Entity* mine = slot.link->config.entity(entity);
        if (mine != nullptr) expect_change(slot, *mine);
    }
    arm();
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
    if (!request.entity.empty() && slot.link->config.entity(request.entity) == nullptr) {
        return refuse(ErrorKind::permanent,
                      "the integration '" + integration + "' has no entity '" + request.entity + "'");
    }
    if (!slot.control) {
        Queued queued{std::move(request), {}};
        queued.waiting.push_back(std::move(done));
        return begin(slot, std::move(queued));
    }
    // One run at a time, and one more behind it, however often it is asked for.
    if (!slot.queued)
        slot.queued = Queued{std::move(request), {}};
    else if (request.full)
        slot.queued->request.full = true;
    slot.queued->waiting.push_back(std::move(done));
}

void Engine::begin(Slot& slot, Queued queued) {
    slot.control = std::make_unique<RunControl>();
    slot.control->link = slot.link;
    slot.control->full = queued.request.full;
    slot.control->only_entity = queued.request.entity;
    slot.control->run.tenant = slot.link->tenant.id;
    slot.control->run.integration = slot.link->config.id;
    slot.control->run.trigger = queued.request.trigger;
    slot.control->run.started = ports_.clock.now();
    auto body = run(slot, std::move(queued));
    fibers_.spawn(std::move(body));
}

Task<void> Engine::run(Slot& slot, Queued queued) {
    RunControl& control = *slot.control;
    LIAISON_FAULT_POINT("run.before_begin");
    Result<std::int64_t> id = co_await begin_run(control.run);
    LIAISON_FAULT_POINT("run.begun");
    if (id) control.run.id = *id;
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
    LIAISON_FAULT_POINT("run.before_save");
    Status saved;
    if (id) saved = co_await save_run(control.run);
    LIAISON_FAULT_POINT("run.saved");
    if (!saved)
        log(LogLevel::error, "the end of a run could not be stored: " + saved.error().message,
            {{"integration", control.run.integration}});
    Result<std::optional<Instant>> open = co_await open_work(control.run.integration);
    slot.last_run = control.run;
    plan_next(slot, ports_.clock.now(), outcome);
    after_run(slot, open ? *open : std::nullopt);
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
        ImportJob job(ports_, fibers_, *slot.requester, control, schemas_, entity.name,
                      [this, tenant = control.run.tenant, name = entity.name, id = control.run.integration] {
                          changed(tenant, name, id);
                      });
        status = co_await job.run();
    } else {
        ExportJob job(ports_, *slot.requester, control, schemas_, entity.name);
        status = co_await job.run();
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.monotonic() - began);
    control.counters(entity.name, direction).duration_ms += took.count();
    if (!status) {
        Error error = status.error();
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
    slot.failures = fine ? 0 : slot.failures + 1;
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
    slot.control.reset();
    adopt_link(slot);
    // What was due before this run and still is, the run could not help: no use in hurrying.
    if (open_work)
        resume_open_work(slot,
                         *open_work <= began ? ports_.clock.now() + std::chrono::minutes(1) : *open_work);
    if (stopping_) {
        if (running() == 0 && stopped_) ports_.timers.post(std::exchange(stopped_, nullptr));
        return;
    }
    if (slot.removed) return erase_if_gone(id);
    if (slot.queued) {
        Queued queued = std::move(*slot.queued);
        slot.queued.reset();
        begin(slot, std::move(queued));
    }
}

// Sends that wait for their settle time or their next attempt are taken up when they are due, schedule or
// not.
void Engine::resume_open_work(Slot& slot, Instant due) {
    if (stopping_ || !slot.link->config.enabled || (slot.due && *slot.due <= due)) return;
    set_due(slot, std::max(due, ports_.clock.now() + Milliseconds(50)), "retry");
}

void Engine::test(const std::string& integration, Completion<Result<std::string>> done) {
    const auto found = slots_.find(integration);
    if (found == slots_.end() || found->second.removed) {
        return ports_.timers.post([done = std::move(done), integration] {
            done(fail(ErrorKind::permanent, "there is no integration '" + integration + "'"));
        });
    }
    ++found->second.tests;
    auto body = run_test(found->second, std::move(done));
    fibers_.spawn(std::move(body));
}

Task<void> Engine::run_test(Slot& slot, Completion<Result<std::string>> done) {
    RunControl control;
    control.link = slot.link;
    Result<std::string> answer;
    if (!slot.link->unusable.empty()) {
        answer = fail(ErrorKind::config, slot.link->unusable);
    } else if (!slot.link->can_test) {
        answer = std::string("{\"note\":\"this connector has no test of its own\"}");
    } else {
        plugin::StartEvent start;
        ports_.random.fill(start.seed);
        NoListener listener;
        JobPump pump(ports_, *slot.requester, control);
        answer = co_await pump.run(plugin::JobKind::test, std::move(start), listener);
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
    if (how == Stop::cancel) ports_.transport.cancel(slot.link->config.id);
}

Status Engine::cancel(std::int64_t run) {
    for (auto& [id, slot] : slots_) {
        if (!slot.control || slot.control->run.id != run) continue;
        stop_run(slot, Stop::cancel, store::RunStatus::cancelled, "cancelled by an operator");
        return {};
    }
    return fail(ErrorKind::permanent, "run " + std::to_string(run) + " is not running");
}

void Engine::stop(Milliseconds grace, std::function<void()> done) {
    stopping_ = true;
    agenda_.clear();
    for (auto& [id, slot] : slots_) {
        slot.due.reset();
        slot.change_due.reset();
        if (slot.queued) {
            for (const auto& waiting : slot.queued->waiting)
                waiting(fail(ErrorKind::transient, "the daemon is stopping"));
            slot.queued.reset();
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

// ---- looking in ----

std::size_t Engine::running() const {
    return static_cast<std::size_t>(std::count_if(
        slots_.begin(), slots_.end(), [](const auto& entry) { return entry.second.control != nullptr; }));
}

std::vector<IntegrationStatus> Engine::status() const {
    std::vector<IntegrationStatus> all;
    for (const auto& [id, slot] : slots_) {
        if (slot.removed) continue;
        IntegrationStatus& one = all.emplace_back();
        one.id = id;
        one.tenant = slot.link->tenant.id;
        one.connector = slot.link->config.connector;
        one.next_run = slot.due;
        if (slot.change_due && (!one.next_run || *slot.change_due < *one.next_run))
            one.next_run = slot.change_due;
        one.last_run = slot.last_run;
        one.failures = slot.failures;
        if (slot.control) {
            one.current_run = slot.control->run;
            one.working_on = slot.control->working_on;
        }
        one.state = slot.control                   ? "running"
                    : !slot.link->config.enabled   ? "disabled"
                    : !slot.link->unusable.empty() ? "unusable"
                    : slot.failures > 0            ? "failing"
                                                   : "idle";
        one.detail = !slot.link->unusable.empty() ? slot.link->unusable
                     : slot.last_run              ? slot.last_run->error
                                                  : std::string();
    }
    return all;
}

std::optional<store::Run> Engine::live_run(std::int64_t run) const {
    for (const auto& [id, slot] : slots_) {
        if (slot.control && slot.control->run.id == run) return slot.control->run;
    }
    return std::nullopt;
}

// ---- the store ----

Await<Result<std::int64_t>> Engine::begin_run(const store::Run& run) {
    return Await<Result<std::int64_t>>([this, &run](Completion<Result<std::int64_t>> done) {
        ports_.store.write([&run](store::Database& database) { return database.begin_run(run); },
                           std::move(done));
    });
}

Await<Status> Engine::save_run(const store::Run& run) {
    auto copy = std::make_shared<store::Run>(run);
    return Await<Status>([this, copy](Completion<Status> done) {
        ports_.store.write([copy](store::Database& database) { return database.save_run(*copy); },
                           std::move(done));
    });
}

Await<Result<std::optional<Instant>>> Engine::open_work(const std::string& integration) {
    using Answer = Result<std::optional<Instant>>;
    return Await<Answer>([this, integration](Completion<Answer> done) {
        ports_.store.read(
            [integration](store::Database& database) { return database.next_intent(integration); },
            std::move(done));
    });
}

}  // namespace liaisond::sync
