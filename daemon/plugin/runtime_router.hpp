// RuntimeRouter: sends each integration to the runtime that its isolation asks for.
#pragma once

#include "plugin/runtime.hpp"

namespace liaisond::plugin {

class RuntimeRouter : public Runtime {
  public:
    // Both must outlive the router.
    RuntimeRouter(Runtime& in_process, Runtime& workers) : in_process_(in_process), workers_(workers) {}

    std::unique_ptr<Job> create_job(const InstanceSpec& spec, JobKind kind) override {
        return (spec.isolation == Isolation::none ? in_process_ : workers_).create_job(spec, kind);
    }
    void forget(const std::string& integration) override {
        in_process_.forget(integration);
        workers_.forget(integration);
    }
    std::string quarantined(const InstanceSpec& spec) const override {
        return (spec.isolation == Isolation::none ? in_process_ : workers_).quarantined(spec);
    }

  private:
    Runtime& in_process_;
    Runtime& workers_;
};

}  // namespace liaisond::plugin
