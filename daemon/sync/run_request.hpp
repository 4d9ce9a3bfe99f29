// RunRequest: what a run is asked to do, and which requests one run can answer together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace liaisond::sync {

struct RunRequest {
    std::string trigger = "manual";  // manual, schedule, retry, on_change, replay
    bool full = false;
    bool confirm_deletes = false;
    std::vector<std::int64_t>
        replay;          // dead letters of `entity` to import again, instead of asking the vendor
    std::string entity;  // empty: all of the integration's

    // Whoever asked for the other one is served by this one too.
    bool covers(const RunRequest& other) const;
};

}  // namespace liaisond::sync
