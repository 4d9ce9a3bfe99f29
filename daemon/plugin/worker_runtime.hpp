// WorkerRuntime: plugin code in liaison-worker processes, one per plugin and tenant, or per integration.
// Lives on the core thread's io_context, without locks.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin/log_sink.hpp"
#include "plugin/runtime.hpp"
#include "plugin/worker_supervisor.hpp"

namespace liaisond::plugin {

class WorkerRuntime : public Runtime {
  public:
    // `io` outlives the runtime and its jobs.
    WorkerRuntime(boost::asio::io_context& io, WorkerOptions options, LogSink log = {});
    // Ends all workers and waits for them, at most options.shutdown_grace. Jobs may outlive the runtime;
    // their steps then never complete.
    ~WorkerRuntime() override;

    std::unique_ptr<Job> create_job(const InstanceSpec& spec, JobKind kind) override;
    void forget(const std::string& integration) override;
    std::string quarantined(const InstanceSpec& spec) const override;

    std::vector<WorkerInfo> workers() const;
    // Lets the workers of that plugin ("csv") start again that crashed too often; how many there were.
    std::size_t release(const std::string& plugin);

  private:
    class WorkerJob;
    // Of one plugin, told by its path and its digest, for one tenant or for one integration of it.
    struct Key {
        std::string library, holder, digest;
        auto operator<=>(const Key&) const = default;
    };
    static Key key_of(const InstanceSpec& spec);
    void retire_others(const Key& key);
    bool drop_if_unused(WorkerSupervisor& supervisor);

    boost::asio::io_context& io_;
    const WorkerOptions options_;
    const LogSink log_;
    std::map<Key, std::shared_ptr<WorkerSupervisor>> supervisors_;
};

}  // namespace liaisond::plugin
