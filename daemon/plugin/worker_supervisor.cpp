#include "plugin/worker_supervisor.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/fault_point.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "plugin/abi_bridge.hpp"
#include "plugin/library.hpp"
#include "plugin/limits.hpp"
#include "plugin/manifest.hpp"

namespace liaisond::plugin {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t max_version_bytes = 64;
// A deadline that is found out later than that is extended, at most so many times.
constexpr milliseconds standstill{250};
constexpr unsigned most_extensions = 3;

std::string job_text(const WorkerSupervisor::JobState& job) {
    return std::string(to_string(job.kind)) + " job for " + job.instance->spec.integration;
}

Error internal(std::string text, milliseconds retry_after = {}) {
    return {ErrorKind::internal, std::move(text), retry_after, {}};
}

}  // namespace

std::string_view to_string(WorkerState state) {
    switch (state) {
        case WorkerState::idle: return "idle";
        case WorkerState::starting: return "starting";
        case WorkerState::ready: return "ready";
        case WorkerState::backoff: return "backoff";
        case WorkerState::quarantine: return "quarantine";
    }
    return "idle";
}

WorkerSupervisor::WorkerSupervisor(boost::asio::io_context& io, const WorkerOptions& options, LogSink log,
                                   std::string library, std::string digest, std::string key)
    : io_(io),
      options_(options),
      log_(std::move(log)),
      library_(std::move(library)),
      digest_(std::move(digest)),
      plugin_(library_name(library_)),
      key_(std::move(key)),
      timer_(io) {}

// ---- jobs ----

std::shared_ptr<WorkerSupervisor::JobState> WorkerSupervisor::create_job(const InstanceSpec& spec,
                                                                         JobKind kind) {
    const auto known = std::find_if(instances_.begin(), instances_.end(),
                                    [&](const auto& instance) { return instance->spec == spec; });
    std::shared_ptr<Instance> instance;
    if (known != instances_.end()) {
        instance = *known;
    } else {
        instance = std::make_shared<Instance>();
        instance->spec = spec;
        instance->id = next_id_++;
        instances_.push_back(instance);
    }
    ++instance->jobs;
    auto job = std::make_shared<JobState>();
    job->id = next_id_++;
    job->kind = kind;
    job->instance = std::move(instance);
    jobs_.emplace(job->id, job);
    if (state_ == WorkerState::ready && !outstanding_) timer_.cancel();  // of idleness
    return job;
}

void WorkerSupervisor::step(const std::shared_ptr<JobState>& job, Event event, StepDone done) {
    if (stopped_ || job->destroyed) return;
    if (!job->dead && state_ == WorkerState::backoff && backoff_left() > options_.longest_wait) {
        job->dead = backoff_error();
    }
    if (!job->dead && state_ == WorkerState::quarantine) job->dead = quarantine_error();
    if (job->dead) return complete_later(job, std::move(done), *job->dead);
    queue_.push_back({job, std::move(event), std::move(done)});
    pump();
}

void WorkerSupervisor::destroy(const std::shared_ptr<JobState>& job) {
    if (job->destroyed) return;
    job->destroyed = true;
    jobs_.erase(job->id);
    Instance& instance = *job->instance;
    --instance.jobs;
    if (stopped_) return;
    if (process_ && job->started_in == generation_) {
        (void)append_frame(process_->output(), 0, Destroy{job->id});
        process_->flush();
    }
    if (instance.forgotten && instance.jobs == 0) close_instance(instance);
    if (jobs_.empty()) pump();
}

void WorkerSupervisor::forget(const std::string& integration) {
    std::erase_if(instances_, [&](const std::shared_ptr<Instance>& instance) {
        if (instance->spec.integration != integration) return false;
        instance->forgotten = true;
        if (instance->jobs == 0) close_instance(*instance);
        return true;
    });
}

void WorkerSupervisor::retire() {
    const std::vector<std::shared_ptr<Instance>> all = instances_;
    for (const std::shared_ptr<Instance>& instance : all) forget(instance->spec.integration);
}

void WorkerSupervisor::close_instance(Instance& instance) {
    if (!process_ || instance.opened_in != generation_) return;
    (void)append_frame(process_->output(), 0, Close{instance.id});
    process_->flush();
}

// ---- the worker ----

void WorkerSupervisor::pump() {
    if (stopped_ || outstanding_) return;
    while (!queue_.empty() && queue_.front().job->destroyed) queue_.pop_front();
    if (queue_.empty()) {
        if (state_ == WorkerState::ready && jobs_.empty())
            arm(options_.idle_exit, &WorkerSupervisor::idle_for_long);
        return;
    }
    if (state_ == WorkerState::idle) start();
    if (state_ != WorkerState::ready || process_->is_ending()) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    if (!send(next)) {
        next.job->dead =
            internal("an event for a " + job_text(*next.job) + " is larger than a message to the " + plugin_ +
                     " worker may be (" + std::to_string(max_frame_bytes >> 20) + " MiB)");
        complete_later(next.job, std::move(next.done), *next.job->dead);
        pump();
    }
}

void WorkerSupervisor::start() {
    ++generation_;
    if (generation_ > 1 && failures_ > 0) ++restarts_;
    WorkerProcess::Handlers handlers;
    handlers.message = [weak = weak_from_this()](const FrameHeader& header, Message&& message) {
        if (const auto self = weak.lock()) self->received(header, std::move(message));
    };
    handlers.ended = [weak = weak_from_this()](const std::string& how) {
        if (const auto self = weak.lock()) self->ended(how);
    };
    handlers.line = [weak = weak_from_this()](std::string line) {
        if (const auto self = weak.lock()) self->log(LIAISON_LOG_WARNING, std::move(line));
    };
    LIAISON_FAULT_POINT("supervisor.before_spawn");
    auto process = WorkerProcess::start(io_, worker_command(options_.worker_path, options_.sandbox),
                                        std::move(handlers));
    state_ = WorkerState::starting;
    if (!process) {
        last_problem_ = process.error().message;
        log(LIAISON_LOG_ERROR, last_problem_);
        return back_off();
    }
    LIAISON_FAULT_POINT("supervisor.spawned");
    process_ = std::move(*process);
    (void)append_frame(process_->output(), generation_, Hello{library_, digest_});
    process_->flush();
    arm_deadline(options_.start_deadline, &WorkerSupervisor::start_is_late);
}

bool WorkerSupervisor::send(Waiting& next) {
    std::string& out = process_->output();
    Instance& instance = *next.job->instance;
    const std::size_t before = out.size();
    if (instance.opened_in != generation_ && !append_frame(out, 0, Open{instance.id, instance.spec.config})) {
        return false;
    }
    const std::uint64_t request = next_id_++;
    if (!append_step(out, request, {next.job->id, instance.id, next.job->kind, {}}, next.event)) {
        out.resize(before);
        return false;
    }
    instance.opened_in = generation_;
    next.job->started_in = generation_;
    outstanding_ = Outstanding{std::move(next.job), std::move(next.done), request};
    process_->flush();
    arm_deadline(options_.step_deadline, &WorkerSupervisor::step_is_late);
    return true;
}

void WorkerSupervisor::received(const FrameHeader& header, Message&& message) {
    if (stopped_) return;
    std::visit([&](auto& body) { handle(header, body); }, message);
}

template <class T>
void WorkerSupervisor::handle(const FrameHeader&, T&) {
    garbage("a message that only the daemon sends");
}

void WorkerSupervisor::handle(const FrameHeader& header, Ready& ready) {
    if (state_ != WorkerState::starting || header.id != generation_) return garbage("READY out of turn");
    LIAISON_FAULT_POINT("supervisor.ready");
    state_ = WorkerState::ready;
    ready_at_ = Clock::now();
    version_ = shortened(ready.version, max_version_bytes);
    timer_.cancel();
    pump();
}

void WorkerSupervisor::handle(const FrameHeader& header, Refused& refused) {
    if (state_ != WorkerState::starting || header.id != generation_) return garbage("REFUSED out of turn");
    last_problem_ = refused.text.empty() ? plugin_ + " was refused without a reason"
                                         : shortened(refused.text, max_log_text_bytes);
    log(LIAISON_LOG_ERROR, last_problem_);
    rest();
    fail_waiting(internal(last_problem_));
    back_off();
}

void WorkerSupervisor::handle(const FrameHeader& header, Stepped& stepped) {
    if (!outstanding_ || header.id != outstanding_->request || stepped.job != outstanding_->job->id) {
        return garbage("an effect that nobody asked for");
    }
    if (stepped.error.empty()) {
        const std::string problem = effect_problem(stepped.effect);
        if (!problem.empty()) return garbage("an effect that " + problem);
    }
    LIAISON_FAULT_POINT("supervisor.stepped");
    const Outstanding answered = *std::exchange(outstanding_, std::nullopt);
    timer_.cancel();
    if (!stepped.error.empty()) answered.job->dead = internal(shortened(stepped.error, max_log_text_bytes));
    pump();  // the worker goes on while the answer is looked at
    if (answered.job->destroyed) return;
    if (answered.job->dead)
        answered.done(fail(*answered.job->dead));
    else
        answered.done(std::move(stepped.effect));
}

void WorkerSupervisor::handle(const FrameHeader&, Log& line) {
    if (line.level > LIAISON_LOG_ERROR) return garbage("a log line of an unknown level");
    line.text.resize(std::min(line.text.size(), max_log_text_bytes));
    log(line.level, std::move(line.text));
}

void WorkerSupervisor::garbage(const std::string& what) {
    if (process_) process_->kill("sent " + what + " and was killed");
}

// ---- its end ----

void WorkerSupervisor::ended(const std::string& how) {
    if (stopped_) return;
    process_.reset();
    LIAISON_FAULT_POINT("supervisor.lost");
    last_problem_ = plugin_ + " worker " + how + " while " + what_runs();
    log(LIAISON_LOG_ERROR, last_problem_);
    if (state_ == WorkerState::ready && Clock::now() - ready_at_ >= options_.healthy_after) failures_ = 0;
    if (crashes_too_often()) return enter_quarantine();
    back_off();
    lose_jobs(last_problem_);
}

bool WorkerSupervisor::crashes_too_often() {
    const Clock::time_point now = Clock::now();
    crashes_.push_back(now);
    while (now - crashes_.front() > options_.quarantine_window) crashes_.pop_front();
    return crashes_.size() >= options_.quarantine_crashes;
}

void WorkerSupervisor::enter_quarantine() {
    state_ = WorkerState::quarantine;
    timer_.cancel();
    log(LIAISON_LOG_ERROR, quarantined());
    lose_jobs(last_problem_);
    fail_waiting(quarantine_error());
}

bool WorkerSupervisor::release() {
    if (state_ != WorkerState::quarantine) return false;
    crashes_.clear();
    failures_ = 0;
    state_ = WorkerState::idle;
    pump();
    return true;
}

void WorkerSupervisor::lose_jobs(const std::string& text) {
    std::optional<Outstanding> outstanding = std::exchange(outstanding_, std::nullopt);
    if (outstanding) {
        outstanding->job->dead = internal(text, backoff_left());
        complete_later(outstanding->job, std::move(outstanding->done), *outstanding->job->dead);
    }
    for (const auto& [id, job] : jobs_) {
        if (job->dead || job->started_in != generation_) continue;
        job->dead = internal(text + "; a " + job_text(*job) + " was lost with it", backoff_left());
    }
    std::deque<Waiting> waiting;
    waiting.swap(queue_);
    for (Waiting& one : waiting) {
        if (one.job->dead)
            complete_later(one.job, std::move(one.done), *one.job->dead);
        else
            queue_.push_back(std::move(one));
    }
}

void WorkerSupervisor::back_off() {
    constexpr unsigned most_doublings = 20;
    const milliseconds doubled = options_.first_backoff * (1L << std::min(failures_, most_doublings));
    const milliseconds delay = std::min(options_.longest_backoff, doubled);
    ++failures_;
    state_ = WorkerState::backoff;
    backoff_until_ = Clock::now() + delay;
    arm(delay, &WorkerSupervisor::backoff_is_over);
    if (delay > options_.longest_wait) fail_waiting(backoff_error());
}

void WorkerSupervisor::arm(milliseconds delay, Action action, unsigned extensions) {
    timer_.expires_after(delay);
    timer_.async_wait([weak = weak_from_this(), delay, action, extensions,
                       due = timer_.expiry()](boost::system::error_code problem) {
        const auto self = weak.lock();
        // A handler that was due when the timer was set anew still comes without an error.
        if (!self || problem || self->stopped_ || self->timer_.expiry() != due) return;
        if (extensions > 0 && Clock::now() - due > standstill)
            return self->arm(delay, action, extensions - 1);
        ((*self).*action)();
    });
}

void WorkerSupervisor::arm_deadline(milliseconds delay, Action action) {
    arm(delay, action, most_extensions);
}

void WorkerSupervisor::step_is_late() {
    if (!outstanding_ || !process_) return;
    process_->kill("did not answer within " + format_duration(options_.step_deadline) + " and was killed");
}

void WorkerSupervisor::start_is_late() {
    if (state_ != WorkerState::starting || !process_) return;
    process_->kill("did not become ready within " + format_duration(options_.start_deadline) +
                   " and was killed");
}

void WorkerSupervisor::backoff_is_over() {
    if (state_ != WorkerState::backoff) return;
    state_ = WorkerState::idle;
    pump();
}

void WorkerSupervisor::idle_for_long() {
    if (state_ != WorkerState::ready || outstanding_ || !jobs_.empty()) return;
    rest();
    failures_ = 0;
    state_ = WorkerState::idle;
    pump();
}

void WorkerSupervisor::rest() {
    if (const auto process = std::exchange(process_, nullptr)) process->release(options_.shutdown_grace);
}

std::shared_ptr<WorkerProcess> WorkerSupervisor::stop() {
    stopped_ = true;
    timer_.cancel();
    queue_.clear();
    outstanding_.reset();
    if (process_) process_->close_socket();
    return std::exchange(process_, nullptr);
}

// ---- words ----

void WorkerSupervisor::complete_later(const std::shared_ptr<JobState>& job, StepDone done, Error error) {
    boost::asio::post(io_,
                      [self = shared_from_this(), job, done = std::move(done), error = std::move(error)] {
                          if (!self->stopped_ && !job->destroyed) done(fail(error));
                      });
}

void WorkerSupervisor::fail_waiting(const Error& error) {
    std::deque<Waiting> waiting;
    waiting.swap(queue_);
    for (Waiting& one : waiting) {
        if (!one.job->dead) one.job->dead = error;
        complete_later(one.job, std::move(one.done), *one.job->dead);
    }
}

// At most so many lines a second; what is left out is said once, so that a flood is noticed and harms nobody.
void WorkerSupervisor::log(std::uint32_t level, std::string text) {
    if (!log_ || stopped_) return;
    const Clock::time_point now = Clock::now();
    if (now - log_second_ >= std::chrono::seconds(1)) {
        log_second_ = now;
        log_lines_ = 0;
    }
    ++log_lines_;
    if (log_lines_ == fatal_log_lines_per_second) return garbage("far too many log lines");
    if (log_lines_ > max_log_lines_per_second + 1) return;
    if (log_lines_ == max_log_lines_per_second + 1) {
        level = LIAISON_LOG_WARNING;
        text = "writes too many log lines; leaving out the rest of this second";
    }
    log_({level, plugin_, outstanding_ ? outstanding_->job->instance->spec.integration : std::string(),
          std::move(text)});
}

std::string WorkerSupervisor::what_runs() const {
    if (outstanding_) return "running a " + job_text(*outstanding_->job);
    return state_ == WorkerState::starting ? "starting" : "idle";
}

milliseconds WorkerSupervisor::backoff_left() const {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(backoff_until_ - Clock::now()));
}

Error WorkerSupervisor::backoff_error() const {
    return internal(
        "the " + plugin_ +
            " worker fails again and again and rests before its next start; last: " + last_problem_,
        backoff_left());
}

std::string WorkerSupervisor::quarantined() const {
    if (state_ != WorkerState::quarantine) return {};
    return "plugin " + plugin_ + " crashed " + std::to_string(crashes_.size()) + " times within " +
           format_duration(options_.quarantine_window) +
           " and is not started any more; once it is replaced, or to try it again: liaisonctl plugin "
           "release " +
           plugin_ + "; last: " + last_problem_;
}

Error WorkerSupervisor::quarantine_error() const {
    Error error = internal(quarantined());
    error.code = "plugin_quarantined";
    return error;
}

WorkerInfo WorkerSupervisor::info() const {
    WorkerInfo info;
    info.plugin = plugin_;
    info.key = key_;
    info.version = version_;
    info.state = state_;
    info.pid = process_ ? process_->pid() : -1;
    info.jobs = jobs_.size();
    info.restarts = restarts_;
    info.last_problem = last_problem_;
    return info;
}

}  // namespace liaisond::plugin
