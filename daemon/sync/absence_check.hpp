// AbsenceCheck: asks a vendor, record by record, whether what a listing lacks is really gone.
#pragma once

#include <string>
#include <vector>

#include "sync/find_job.hpp"

namespace liaisond::sync {

class AbsenceCheck {
  public:
    AbsenceCheck(const Ports& ports, Requester& requester, RunControl& control, std::string entity);

    // Those of the keys that the vendor says it does not have. Without a `find` the listing has to be
    // believed.
    Task<Result<std::vector<std::string>>> not_found(std::vector<std::string> keys);

  private:
    FindJob job_;
    RunControl& control_;
    std::string entity_;
};

}  // namespace liaisond::sync
