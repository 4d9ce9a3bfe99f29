// InProcessRuntime: plugin code inside this process, for plugins trusted as much as the daemon, and for
// tests. A plugin that crashes takes the process with it; one that loops is not interrupted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugin/log_sink.hpp"
#include "plugin/runtime.hpp"

namespace liaisond::plugin {

class InProcessRuntime : public Runtime {
  public:
    // Runs a function later, on the core thread, in the order given.
    using Post = std::function<void(std::function<void()>)>;

    explicit InProcessRuntime(Post post, LogSink log = {});
    ~InProcessRuntime() override;

    std::unique_ptr<Job> create_job(const InstanceSpec& spec, JobKind kind) override;
    void forget(const std::string& integration) override;

  private:
    class Instances;
    class InProcessJob;
    Post post_;
    std::shared_ptr<Instances> instances_;
};

}  // namespace liaisond::plugin
