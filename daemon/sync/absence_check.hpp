// AbsenceCheck: asks a vendor, record by record, whether what a listing lacks is really gone.
#pragma once

#include <string>
#include <vector>

#include "sync/job_pump.hpp"

namespace liaisond::sync {

class AbsenceCheck final : public JobListener {
  public:
    AbsenceCheck(const Ports& ports, Requester& requester, RunControl& control, std::string entity);

    // Those of the keys that the vendor says it does not have. Without a `find` the listing has to be
    // believed.
    Task<Result<std::vector<std::string>>> not_found(std::vector<std::string> keys);

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;

  private:
    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    std::string entity_;
    std::vector<std::string> asked_, gone_;
};

}  // namespace liaisond::sync
