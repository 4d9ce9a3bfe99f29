// SecondLooks: asks a vendor once more for creates that were sent more than once, because an answer was
// missing. That a vendor executes what it was sent within the settle time is an assumption; one that takes
// longer has the record twice, and somebody must know (reliability.md 2.3).
#pragma once

#include <string>
#include <vector>

#include "sync/find_job.hpp"

namespace liaisond::sync {

// From the answer on, and from look to look while the vendor has it twice.
inline constexpr Milliseconds second_look_after{6 * 3'600'000};

// Whether a connector that looked for a record by our reference found more than one.
bool is_twice(const plugin::PushResult& answer);

class SecondLooks {
  public:
    SecondLooks(const Ports& ports, Requester& requester, RunControl& control);

    // Those that are due, of all entities.
    Task<Status> run();

  private:
    Task<Status> look();
    void judge(const std::vector<plugin::PushResult>& answers, Instant now);
    Await<Result<std::vector<store::SecondLook>>> load_due();
    Await<Status> note();

    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    std::vector<store::SecondLook> asked_;  // of one entity
};

}  // namespace liaisond::sync
