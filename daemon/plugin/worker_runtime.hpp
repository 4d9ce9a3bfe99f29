// WorkerRuntime: plugin code in liaison-worker processes, one per plugin and tenant, or per integration.
// Lives on the core thread's io_context, without locks.
#pragma once

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

    std::vector<WorkerInfo> workers() const;

  private:
    class WorkerJob;
    using Key = std::pair<std::string, std::string>;  // library; tenant, or tenant and integration

    boost::asio::io_context& io_;
    const WorkerOptions options_;
    const LogSink log_;
    std::map<Key, std::shared_ptr<WorkerSupervisor>> supervisors_;
};

}  // namespace liaisond::plugin
