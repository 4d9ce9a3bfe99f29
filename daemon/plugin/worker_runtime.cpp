#include "plugin/worker_runtime.hpp"

#include <chrono>

#include "plugin/library.hpp"

namespace liaisond::plugin {

class WorkerRuntime::WorkerJob : public Job {
  public:
    WorkerJob(std::shared_ptr<WorkerSupervisor> supervisor, const InstanceSpec& spec, JobKind kind)
        : supervisor_(std::move(supervisor)), state_(supervisor_->create_job(spec, kind)) {}
    ~WorkerJob() override { supervisor_->destroy(state_); }

    void step(Event event, Completion<Result<Effect>> done) override {
        supervisor_->step(state_, std::move(event), std::move(done));
    }

  private:
    std::shared_ptr<WorkerSupervisor> supervisor_;
    std::shared_ptr<WorkerSupervisor::JobState> state_;
};

WorkerRuntime::WorkerRuntime(boost::asio::io_context& io, WorkerOptions options, LogSink log)
    : io_(io), options_(std::move(options)), log_(std::move(log)) {}

WorkerRuntime::~WorkerRuntime() {
    std::vector<std::shared_ptr<WorkerProcess>> processes;
    for (const auto& [key, supervisor] : supervisors_) {
        if (auto process = supervisor->stop()) processes.push_back(std::move(process));
    }
    const auto until = std::chrono::steady_clock::now() + options_.shutdown_grace;
    for (const auto& process : processes) process->finish(until);
}

std::unique_ptr<Job> WorkerRuntime::create_job(const InstanceSpec& spec, JobKind kind) {
    const Key key = key_of(spec);
    if (!supervisors_.contains(key)) retire_others(key);
    std::shared_ptr<WorkerSupervisor>& supervisor = supervisors_[key];
    if (!supervisor) {
        supervisor = std::make_shared<WorkerSupervisor>(
            io_, options_, log_, spec.library, spec.library_digest,
            spec.isolation == Isolation::integration ? spec.integration : spec.tenant);
    }
    return std::make_unique<WorkerJob>(supervisor, spec, kind);
}

void WorkerRuntime::forget(const std::string& integration) {
    std::erase_if(supervisors_, [&](const auto& one) {
        one.second->forget(integration);
        // A changed configuration does not mend a plugin that crashes.
        return one.second->quarantined().empty() && drop_if_unused(*one.second);
    });
}

std::string WorkerRuntime::quarantined(const InstanceSpec& spec) const {
    const auto found = supervisors_.find(key_of(spec));
    return found == supervisors_.end() ? std::string() : found->second->quarantined();
}

std::size_t WorkerRuntime::release(const std::string& plugin) {
    std::size_t released = 0;
    for (const auto& [key, supervisor] : supervisors_) {
        if (library_name(key.library) == plugin && supervisor->release()) ++released;
    }
    return released;
}

WorkerRuntime::Key WorkerRuntime::key_of(const InstanceSpec& spec) {
    const bool alone = spec.isolation == Isolation::integration;
    return {spec.library, alone ? spec.tenant + '\n' + spec.integration : spec.tenant, spec.library_digest};
}

// The same plugin from a file that has changed since: what is in flight with the old one comes to its end.
void WorkerRuntime::retire_others(const Key& key) {
    std::erase_if(supervisors_, [&](const auto& one) {
        if (one.first.library != key.library || one.first.holder != key.holder) return false;
        one.second->retire();
        return drop_if_unused(*one.second);
    });
}

bool WorkerRuntime::drop_if_unused(WorkerSupervisor& supervisor) {
    if (!supervisor.unused()) return false;
    if (const auto process = supervisor.stop()) process->release(options_.shutdown_grace);
    return true;
}

std::vector<WorkerInfo> WorkerRuntime::workers() const {
    std::vector<WorkerInfo> all;
    for (const auto& [key, supervisor] : supervisors_) all.push_back(supervisor->info());
    return all;
}

}  // namespace liaisond::plugin
