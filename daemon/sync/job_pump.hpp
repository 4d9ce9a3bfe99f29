// JobPump: runs one plugin job from its start event to DONE or FAIL, carrying out its requests and sleeps.
// What a job emits or reports goes to the listener, which belongs to the kind of work (import, export, test).
#pragma once

#include <string>

#include "sync/requester.hpp"

namespace liaisond::sync {

class JobListener {
  public:
    virtual ~JobListener() = default;
    // Stores what was emitted; the answer goes back to the job.
    virtual Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) = 0;
    virtual Task<Status> on_result(plugin::ResultEffect&& results) = 0;
    // Everything emitted so far must be durable before a request that mutates leaves.
    virtual Task<Status> before_mutation() = 0;
    // A write is being handed to the transport, or was held back because the run is a plan.
    virtual void on_write(const plugin::Request& request, Requester::Write what) {
        (void)request, (void)what;
    }
};

class JobPump {
  public:
    JobPump(const Ports& ports, Requester& requester, RunControl& control)
        : ports_(ports), requester_(requester), control_(control) {}

    // The output of DONE, or the error of FAIL, of the plugin's runtime, or of the listener.
    // `start` must be a named object of the caller, which it outlives.
    Task<Result<std::string>> run(plugin::JobKind kind, plugin::StartEvent&& start, JobListener& listener);

  private:
    Await<Result<plugin::Effect>> step(plugin::Job& job, plugin::Event event);
    Task<Result<plugin::Event>> carry_out(plugin::Effect effect, JobListener& listener);
    plugin::Event event(decltype(plugin::Event::body) body) const;
    Status note_progress(const plugin::Effect& effect);

    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    int fruitless_ = 0;  // effects in a row that come to nothing
};

// "pulling product from paradise-booking"; used in messages.
Error failure_of(const plugin::FailEffect& fail);

}  // namespace liaisond::sync
