// WorkerSupervisor: keeps one isolation key's worker alive and feeds it one step at a time. It decides about
// deadlines, restarts and what the jobs of a dead worker are told.  [core thread]
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/completion.hpp"
#include "plugin/log_sink.hpp"
#include "plugin/runtime.hpp"
#include "plugin/worker_process.hpp"

namespace liaisond::plugin {

struct WorkerOptions {
    using Duration = std::chrono::milliseconds;
    std::string worker_path;          // of liaison-worker
    SandboxOptions sandbox = {};      // its channel is not looked at
    Duration step_deadline{5'000};    // from the moment a step is sent
    Duration start_deadline{10'000};  // until READY
    Duration idle_exit{60'000};       // without jobs
    Duration first_backoff{100};      // doubles with each crash
    Duration longest_backoff{30'000};
    Duration healthy_after{60'000};  // a worker that lived so long starts again at first_backoff
    Duration longest_wait{5'000};    // jobs do not wait for a longer backoff
    Duration shutdown_grace{1'000};
    // So many crashes within that time, and no worker is started until somebody says so.
    unsigned quarantine_crashes = 5;
    Duration quarantine_window{600'000};
};

enum class WorkerState : std::uint8_t { idle, starting, ready, backoff, quarantine };

std::string_view to_string(WorkerState state);

// One worker for status displays.
struct WorkerInfo {
    std::string plugin, key;  // key: the tenant, or the integration when it has a worker of its own
    std::string version;      // of the plugin, as its worker said; empty before the first start
    WorkerState state = WorkerState::idle;
    pid_t pid = -1;  // -1: none runs
    std::size_t jobs = 0;
    std::uint64_t restarts = 0;
    std::string last_problem;  // why it ended last, a sentence; empty while it never has
};

class WorkerSupervisor : public std::enable_shared_from_this<WorkerSupervisor> {
  public:
    struct Instance {
        InstanceSpec spec;
        std::uint64_t id = 0;
        std::uint64_t opened_in = 0;  // generation of the worker that has it open
        std::size_t jobs = 0;
        bool forgotten = false;
    };
    struct JobState {
        std::uint64_t id = 0;
        JobKind kind{};
        std::shared_ptr<Instance> instance;
        std::uint64_t started_in = 0;  // generation of the worker that has it; 0: not sent yet
        bool destroyed = false;
        std::optional<Error> dead;
    };
    using StepDone = Completion<Result<Effect>>;

    WorkerSupervisor(boost::asio::io_context& io, const WorkerOptions& options, LogSink log,
                     std::string library, std::string digest, std::string key);

    std::shared_ptr<JobState> create_job(const InstanceSpec& spec, JobKind kind);
    void step(const std::shared_ptr<JobState>& job, Event event, StepDone done);
    void destroy(const std::shared_ptr<JobState>& job);
    void forget(const std::string& integration);
    // Of all integrations: the file has changed, and this one serves what was begun with the old one.
    void retire();
    // Ends a quarantine; false: there was none.
    bool release();
    // Why no worker is started until somebody releases the plugin, a sentence; empty: nothing is wrong.
    std::string quarantined() const;
    // Nothing uses it: it may be dropped after stop().
    bool unused() const { return jobs_.empty() && instances_.empty(); }
    WorkerInfo info() const;
    // No completion is called any more. The process is returned for a common, bounded farewell.
    std::shared_ptr<WorkerProcess> stop();

  private:
    struct Waiting {
        std::shared_ptr<JobState> job;
        Event event;
        StepDone done;
    };
    struct Outstanding {
        std::shared_ptr<JobState> job;
        StepDone done;
        std::uint64_t request = 0;
    };
    using Clock = std::chrono::steady_clock;

    void pump();
    void start();
    bool send(Waiting& next);
    void received(const FrameHeader& header, Message&& message);
    void handle(const FrameHeader& header, Ready& ready);
    void handle(const FrameHeader& header, Refused& refused);
    void handle(const FrameHeader& header, Stepped& stepped);
    void handle(const FrameHeader& header, Log& log);
    template <class T>
    void handle(const FrameHeader&, T&);  // what only daemons send
    void garbage(const std::string& what);
    void ended(const std::string& how);
    void lose_jobs(const std::string& text);
    void back_off();
    bool crashes_too_often();
    void enter_quarantine();
    using Action = void (WorkerSupervisor::*)();
    void arm(std::chrono::milliseconds delay, Action action, unsigned extensions = 0);
    // Extended when it is found out late: then this process, and maybe the worker, stood still.
    void arm_deadline(std::chrono::milliseconds delay, Action action);
    void step_is_late();
    void start_is_late();
    void backoff_is_over();
    void idle_for_long();
    void rest();
    void close_instance(Instance& instance);
    void complete_later(const std::shared_ptr<JobState>& job, StepDone done, Error error);
    void fail_waiting(const Error& error);
    void log(std::uint32_t level, std::string text);
    std::string what_runs() const;
    Error backoff_error() const;
    Error quarantine_error() const;
    std::chrono::milliseconds backoff_left() const;

    boost::asio::io_context& io_;
    const WorkerOptions options_;
    const LogSink log_;
    const std::string library_, digest_, plugin_, key_;
    WorkerState state_ = WorkerState::idle;
    bool stopped_ = false;
    std::shared_ptr<WorkerProcess> process_;
    boost::asio::steady_timer timer_;  // the one deadline that matters in this state
    std::uint64_t generation_ = 0;     // of the current or next worker; counts from 1
    std::uint64_t next_id_ = 1;        // jobs, instances and requests
    std::uint64_t restarts_ = 0;
    unsigned failures_ = 0;  // in a row
    Clock::time_point ready_at_, backoff_until_;
    std::deque<Clock::time_point> crashes_;  // within the window, oldest first
    std::string version_, last_problem_;
    std::deque<Waiting> queue_;
    std::optional<Outstanding> outstanding_;
    std::unordered_map<std::uint64_t, std::shared_ptr<JobState>> jobs_;
    std::vector<std::shared_ptr<Instance>> instances_;  // not forgotten ones
    Clock::time_point log_second_;
    std::uint32_t log_lines_ = 0;
};

}  // namespace liaisond::plugin
