// Engine: which integration runs when, one run at a time each, and what a run consists of. Decides and never
// does: all it touches comes through Ports. [core thread]
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sync/canonical.hpp"
#include "sync/fiber.hpp"
#include "sync/requester.hpp"
#include "sync/run_control.hpp"

namespace liaisond::sync {

struct RunRequest {
    std::string trigger = "manual";  // manual, schedule, retry, on_change
    bool full = false;
    bool confirm_deletes = false;
    std::vector<std::int64_t>
        replay;          // dead letters of `entity` to import again, instead of asking the vendor
    std::string entity;  // empty: all of the integration's
};

// One integration as people see it.
struct IntegrationStatus {
    std::string id, tenant, connector, state;  // state: idle, running, disabled, failing, unusable
    std::string detail;
    std::optional<Instant> next_run;
    std::optional<store::Run> last_run, current_run;
    std::string working_on;
    std::uint32_t failures = 0;  // in a row
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

    // Starts a run, or queues one behind the run in flight; completes with its id once it has begun.
    void trigger(const std::string& integration, RunRequest request, Completion<Result<std::int64_t>> done);
    // Runs the connector's `test` job; completes with its description of the account.
    void test(const std::string& integration, Completion<Result<std::string>> done);
    Status cancel(std::int64_t run);

    // No new runs. Those in flight wind down, and are cut short after `grace`; `done` when the last one has
    // ended.
    void stop(Milliseconds grace, std::function<void()> done);

    std::vector<IntegrationStatus> status() const;
    std::optional<store::Run> live_run(std::int64_t run) const;
    std::size_t running() const;

  private:
    struct Queued {
        Queued(RunRequest request, std::vector<Completion<Result<std::int64_t>>> waiting)
            : request(std::move(request)), waiting(std::move(waiting)) {}
        RunRequest request;
        std::vector<Completion<Result<std::int64_t>>> waiting;
    };
    struct Slot {
        std::shared_ptr<const Link> link, next_link;  // next_link: after the run in flight
        bool removed = false;
        std::unique_ptr<Requester> requester;
        std::unique_ptr<RunControl> control;  // while running
        std::optional<Queued> queued;
        std::optional<store::Run> last_run;
        std::optional<Instant> due;  // of the schedule or of a retry
        std::string due_trigger = "schedule";
        std::optional<Instant> change_due;  // of an export after a change
        std::uint32_t failures = 0;
        std::uint64_t tests = 0;  // test jobs in flight
    };

    void begin(Slot& slot, Queued queued);
    Task<void> run(Slot& slot, Queued queued);
    Task<Status> work(Slot& slot);
    Task<Status> one_entity(Slot& slot, const config::Entity& entity, store::Direction direction);
    Task<void> run_test(Slot& slot, Completion<Result<std::string>> done);
    void conclude(Slot& slot, const Status& outcome);
    void after_run(Slot& slot, std::optional<Instant> open_work);
    void adopt_link(Slot& slot);
    void erase_if_gone(const std::string& id);

    void plan_next(Slot& slot, Instant after, const Status& outcome);
    std::optional<Instant> next_scheduled(const Slot& slot, Instant after) const;
    void set_due(Slot& slot, std::optional<Instant> due, const std::string& trigger);
    void forget_plan(Slot& slot);
    void expect_change(Slot& slot, const config::Entity& entity);
    void resume_open_work(Slot& slot, Instant due);
    void arm();
    void wake();
    void changed(const std::string& tenant, const std::string& entity, const std::string& origin);
    void stop_run(Slot& slot, Stop how, store::RunStatus status, const std::string& reason);

    Await<Result<std::int64_t>> begin_run(const store::Run& run);
    Await<Status> save_run(const store::Run& run);
    Await<Result<std::optional<Instant>>> open_work(const std::string& integration);

    Ports ports_;
    const CanonicalSchemas& schemas_;
    std::map<std::string, Slot> slots_;
    std::set<std::pair<Instant, std::string>> agenda_;  // (due, integration)
    std::optional<Instant> armed_for_;
    std::uint64_t arm_generation_ = 0;
    bool started_ = false, stopping_ = false;
    std::function<void()> stopped_;
    Fibers fibers_;  // last: dies first, while what its frames refer to still lives
};

}  // namespace liaisond::sync
