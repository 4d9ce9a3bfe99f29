// Engine: which integration runs when, one run at a time each and lane, and what a run consists of. Decides
// and never does: all it touches comes through Ports. [core thread]
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sync/alerts.hpp"
#include "sync/backfill.hpp"
#include "sync/canonical.hpp"
#include "sync/engine_clock.hpp"
#include "sync/fiber.hpp"
#include "sync/gate.hpp"
#include "sync/logins.hpp"
#include "sync/requester.hpp"
#include "sync/run_control.hpp"
#include "sync/run_request.hpp"
#include "sync/scheduler.hpp"
#include "sync/timetable.hpp"
#include "sync/vitals.hpp"

namespace liaisond::sync {

// A back-fill that is not finished, as people see it.
struct BackfillStatus {
    DateRange range;
    std::string entity, state,
        error;             // entity empty: all; state: running, waiting (for the next attempt), queued
    std::int64_t run = 0;  // the latest one; 0: none yet
    std::optional<Instant> next_run;
};

// One integration as people see it.
struct IntegrationStatus {
    // state: idle, running, disabled, failing, unusable, suspended, waiting (its breaker is open), held (its
    // last run waits for approval)
    std::string id, tenant, connector, state;
    std::string detail;
    std::optional<Instant> next_run;
    std::optional<store::Run> last_run, current_run;  // of the live lane
    std::string working_on;
    std::vector<BackfillStatus> backfills;  // in their order
    std::uint32_t failures = 0;             // in a row
    std::optional<Instant> last_success;
    Milliseconds waiting_for{0};  // since when a planned run is due that has not begun; zero: none is
    std::string breaker;          // closed, open, half_open
    std::optional<Instant> breaker_until;
    std::string suspended;              // empty, failures, operator
    std::vector<std::string> problems;  // sentences about what a person should look at
};

// One run to come.
struct PlannedRun {
    Instant at{};
    std::chrono::local_time<Milliseconds> local{};  // wall time in the tenant's zone
    std::chrono::minutes offset{0};                 // of that zone from UTC, then
    bool full = false;
    std::string why;  // why it is not at its slot; empty: it is
};

// The code of the error about an integration that is not there.
inline constexpr const char* no_such_integration = "no_such_integration";

struct PlannedRuns {
    std::string zone, schedule;
    std::string note;  // why nothing will be started, if so
    std::vector<PlannedRun> runs;
};

class Engine {
  public:
    Engine(const Ports& ports, const CanonicalSchemas& schemas);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // Marks what a crash left behind and begins to schedule. Call configure() first.
    void start(Completion<Status> done);
    // The integrations from now on. Runs in flight end with the configuration they began with.
    void configure(const std::vector<std::shared_ptr<const Link>>& links);

    // Starts a run, or queues one behind the run in flight of its lane; completes with its id once it has
    // begun. Requests that one run can answer wait for the same one. A back-fill is kept until it is
    // finished: after a crash or a failure that passes it goes on by itself, in a run of its own.
    void trigger(const std::string& integration, RunRequest request, Completion<Result<std::int64_t>> done);
    // The integration's inbox has something new. Soon after it a run takes it in, unless the integration is
    // held back: then it waits.
    void events_arrived(const std::string& integration);
    // Runs the connector's `test` job; completes with its description of the account.
    void test(const std::string& integration, Completion<Result<std::string>> done);
    // A back-fill whose latest run that is ends for good, even while it waits for its next one.
    Status cancel(std::int64_t run);

    // No planned runs until somebody resumes it. An operator's suspension is lifted by nothing else.
    Status suspend(const std::string& integration);
    Status resume(const std::string& integration);
    // ---- connecting by hand: an integration whose vendor wants a person to let us in ----
    // The address for the person's browser, which is then sent to `redirect_uri`.
    Result<std::string> begin_connect(const std::string& integration, const std::string& redirect_uri);
    // With the address to which it was sent; completes with what else the vendor said there.
    void finish_connect(const std::string& integration, const std::string& callback,
                        Completion<Result<std::map<std::string, std::string>>> done);

    // The vendor is tried again at once.
    Status reset_breaker(const std::string& integration);
    // A plugin may be started again: what was found because of it is looked at anew.
    void plugin_released();
    // The coming runs, at most `count`.
    Result<PlannedRuns> schedule(const std::string& integration, std::size_t count) const;

    // No new runs. Those in flight wind down, and are cut short after `grace`; `done` when the last one has
    // ended.
    void stop(Milliseconds grace, std::function<void()> done);

    std::vector<IntegrationStatus> status() const;
    // Of one; nothing where it is not there.
    std::optional<IntegrationStatus> status(const std::string& integration) const;
    Alerts& alerts() { return alerts_; }
    // Nothing where there is no such integration.
    std::optional<std::string> tenant_of(const std::string& integration) const;
    // ---- for those who change the hub and are no integration ----
    // By which values records of the entity are recognised in that tenant.
    std::vector<std::string> recognised_by(const std::string& tenant, const std::string& entity) const;
    // Records of the entity have changed: whoever exports it on change does so soon.
    void hub_changed(const std::string& tenant, const std::string& entity) { changed(tenant, entity, {}); }
    std::optional<store::Run> live_run(std::int64_t run) const;
    std::size_t running() const { return running_; }

  private:
    struct Queued {
        Queued(RunRequest request, std::vector<Completion<Result<std::int64_t>>> waiting)
            : request(std::move(request)), waiting(std::move(waiting)) {}
        RunRequest request;
        std::vector<Completion<Result<std::int64_t>>> waiting;
    };
    // The run in flight of one lane; empty while there is none.
    struct Track {
        std::unique_ptr<RunControl> control;
        std::unique_ptr<Requester> requester;
    };
    struct Slot {
        Track& track(Lane lane) {
            return lane == Lane::live ? live : lane == Lane::backfill ? backfill : events;
        }
        const Track& track(Lane lane) const { return const_cast<Slot*>(this)->track(lane); }
        bool is_running() const { return live.control || backfill.control || events.control; }

        const std::string* id = nullptr;              // its key
        std::shared_ptr<const Link> link, next_link;  // next_link: after the run in flight
        bool removed = false;
        std::string missed;  // trigger of a run that was due while nothing could be started; empty: none
        bool missed_full = false;
        bool probing = false;
        std::uint32_t tests = 0;           // test jobs in flight
        std::optional<Instant> due_since;  // of a planned run that has not begun
        Milliseconds lag{0};               // of the latest planned run that has
        Track live, backfill, events;
        std::vector<Queued> queued;       // live; none of them covers another
        std::vector<Backfill> backfills;  // the first one is in flight, or the next
        bool inbox_waits = false;         // the inbox may have something that is due
        bool looking_into_inbox = false, look_again = false;
        std::uint32_t event_failures = 0;  // runs in a row that were held up
        Instant events_rest{};             // until then no event is looked at: what held them up may pass
        std::set<std::string> hints;       // entities that an event wants pulled; empty: all. They are kept
        std::set<std::string> pulling;     // those of them for which a run is asked for
        ExportWatch exports;               // of the live lane
        std::unique_ptr<store::Run> last_run;  // of the live lane
        Timetable timetable;
        Scheduler::Times times;
        Vitals vitals;
        Breaker breaker;
    };
    // What the store knows after a run.
    struct Aftermath {
        std::optional<Instant> open_work;
        std::set<std::string> without_cursor;  // imported entities that are listed completely every time
        store::QueueSizes waiting;
    };
    // What a slot keeps in the store, as JSON.
    struct Kept {
        std::string id, schedule, vitals, breaker, backfills, hints, quota_key, quota;
        bool drops_cursors = false;  // those of a back-fill that is over
        Status save(store::Database& database) const;
    };
    struct Found;  // what a start finds in the store
    using Slots = std::map<std::string, Slot>;

    // ---- runs (engine.cpp) ----
    Status may_run(const std::string& integration, const RunRequest& request) const;
    static void enqueue(std::vector<Queued>& queue, Queued asked);
    void begin(Slot& slot, Queued queued);
    Task<void> run(Slot& slot, Queued queued);
    void limit_time(const RunControl& control);
    Task<Status> work(Slot& slot, Lane lane, const RunRequest& request);
    Task<Status> all_entities(Slot& slot, Lane lane, const Ports& ports);
    static bool is_wanted(const Slot& slot, Lane lane, const config::Entity& entity,
                          store::Direction direction);
    Task<Status> one_entity(Slot& slot, Lane lane, const Ports& ports, const config::Entity& entity,
                            store::Direction direction);
    static void conclude(RunControl& control, const Status& outcome, Instant now);
    void after_run(Slot& slot, Lane lane, std::optional<Instant> open_work);
    void adopt_link(Slot& slot);
    void erase_if_gone(const std::string& id);
    Task<void> run_test(Slot& slot, Completion<Result<std::string>> done);
    void stop_run(Slot& slot, Lane lane, Stop how, store::RunStatus status, const std::string& reason);

    Await<Result<std::int64_t>> begin_run(const Slot& slot, Lane lane);
    Await<Status> save_run(Slot& slot, Lane lane);
    Await<Result<Aftermath>> aftermath(const store::Run& run);

    // ---- plans (engine_plan.cpp) ----
    Task<Status> plan(Slot& slot, const RunRequest& request, bool& go_on);
    Task<Status> rehearse(Slot& slot, store::Store& scratch);
    Await<Result<std::unique_ptr<store::Store>>> scratch_copy();
    Await<Status> save_plan(const store::Plan& plan);

    // ---- back-fills (engine_backfill.cpp) ----
    static Status may_backfill(const Slot& slot, const RunRequest& request);
    void add_backfill(Slot& slot, Queued asked);
    void start_backfill(Slot& slot);
    void begin_backfill(Slot& slot);
    Task<Status> finish_entity(Slot& slot, const std::string& entity);
    Await<Status> save_finished(Slot& slot);
    void settle_backfill(Slot& slot, const Status& outcome);
    bool cancel_waiting_backfill(std::int64_t run);
    std::vector<BackfillStatus> backfills_of(const Slot& slot) const;

    // ---- events (engine_events.cpp) ----
    class EventTies;
    bool may_take_events(const Slot& slot) const;
    void look_into_inbox(Slot& slot);
    void look_into_inboxes();
    void rest(Slot& slot, const Error& why);
    void found_in_inbox(Slot& slot, const Result<std::optional<Instant>>& next);
    void begin_events(Slot& slot);
    void take_as_hint(Slot& slot);
    Task<Status> take_in_events(Slot& slot);
    void settle_events(Slot& slot, const Status& outcome);
    void pull_hinted(Slot& slot);
    void start_waiting(Slot& slot);
    static bool lives_by_events(const Slot& slot);

    // ---- when (engine_agenda.cpp) ----
    Rota rota(const Slot& slot) const;
    void plan_anew(Slot& slot);
    void set_times(Slot& slot);
    void on_due(const std::string& id, Cause cause);
    void on_slot(Slot& slot, bool full);
    void on_step(Milliseconds step);
    void move_open_work(Milliseconds step);
    void start_planned(Slot& slot, const std::string& trigger, bool full);
    void start_missed(Slot& slot);
    void plan_retry(Slot& slot, const Status& outcome);
    void resume_open_work(Slot& slot, Instant due);
    void expect_change(Slot& slot, const config::Entity& entity);
    void changed(const std::string& tenant, const std::string& entity, const std::string& origin);
    void list_exporter(const Link& link, bool listed);

    // ---- how it fares (engine_care.cpp) ----
    void take_up(Found& found);
    void hold_restored(Slot& slot, const std::string& told);
    void forget_restored();
    void judge(Slot& slot, Lane lane, const Status& outcome, const Aftermath& after);
    void judge_failure(Slot& slot, const Error& error);
    void note_opened(Slot& slot, Lane lane);
    bool is_held(const Slot& slot) const;
    void probe(Slot& slot);
    void probed(Slot& slot, const Result<std::string>& answer);
    Kept kept(Slot& slot, bool with_quota = false);
    void keep(Slot& slot);
    Result<Slot*> find(const std::string& integration);
    Result<const Slot*> find(const std::string& integration) const;

    // ---- what people should look at (engine_alerts.cpp) ----
    std::vector<Finding> findings(const Slot& slot) const;
    void look_for_problems(Slot& slot, bool is_event = true);
    Milliseconds patience(const Slot& slot) const;
    Milliseconds waiting_for(const Slot& slot) const;
    void note_due(Slot& slot, Instant at);
    void note_begun(Slot& slot);

    IntegrationStatus status_of(const std::string& id, const Slot& slot) const;

    EngineClock clock_;
    Ports ports_;  // with that clock
    const CanonicalSchemas& schemas_;
    Gates gates_;
    Logins logins_;
    Slots slots_;
    Alerts alerts_;
    Scheduler scheduler_;
    Instant took_up_at_{};                                 // the start
    std::map<std::int64_t, std::pair<Slot*, Lane>> runs_;  // in flight, by id
    std::size_t running_ = 0;
    std::map<std::pair<std::string, std::string>, std::set<std::string>>
        exporters_;  // on change, by tenant and entity
    bool started_ = false, stopping_ = false;
    std::function<void()> stopped_;
    Fibers fibers_;  // last: dies first, while what its frames refer to still lives
};

}  // namespace liaisond::sync
