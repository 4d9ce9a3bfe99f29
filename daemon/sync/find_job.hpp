// FindJob: asks a connector for records, all of one entity, and collects what it said of each.
#pragma once

#include <string>
#include <vector>

#include "sync/job_pump.hpp"

namespace liaisond::sync {

class FindJob final : public JobListener {
  public:
    FindJob(const Ports& ports, Requester& requester, RunControl& control);

    // One answer for each query, in their order; outcome 0 where the connector said nothing.
    Task<Result<std::vector<plugin::PushResult>>> ask(std::string entity, std::vector<plugin::Query> queries);

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;

  private:
    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    std::vector<plugin::PushResult> answers_;
};

}  // namespace liaisond::sync
