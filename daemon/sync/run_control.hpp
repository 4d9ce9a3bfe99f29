// What the parts of one run share: who is running, whether to stop, and the counters that people watch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/cassette.hpp"
#include "store/types.hpp"
#include "sync/export_watch.hpp"
#include "sync/link.hpp"

namespace liaisond::sync {

class DryRun;
struct LoginCapture;

// How a run ends early. `wind_down`: stop at the next point where nothing is half done. `cancel`: give up
// now.
enum class Stop : std::uint8_t { none, wind_down, cancel };

struct RunControl {
    std::shared_ptr<const Link> link;
    store::Run run;
    store::Lane lane = store::Lane::live;
    Instant from{}, to{};            // in the lane of back-fills: what to ask for
    ExportWatch* exports = nullptr;  // in other lanes than the live one: what that is doing meanwhile
    std::shared_ptr<plugin::Cassette> cassette;  // null: nobody asked for a recording
    Stop stop = Stop::none;
    store::RunStatus stop_status = store::RunStatus::cancelled;
    std::string stop_reason;
    bool full = false;
    bool confirm_deletes = false;         // an operator looked: the mass-delete brake is off
    bool doubts_all = false;              // the vendor is asked for every record before it is sent
    std::vector<std::int64_t> replay;     // dead letters to import again, and nothing else
    std::string only_entity;              // empty: all
    std::string working_on;               // "importing product", for people
    std::shared_ptr<DryRun> dry_run;      // set: writes are held back and collected there
    bool only_plans = false;              // the run is a plan and nothing else
    std::string held_by_guard;            // what it would do is more than may be done without approval
    std::shared_ptr<LoginCapture> login;  // set: this is a login, and that is what it brings
    bool probing = false;        // asks whether the vendor is there; the breaker does not hold it back
    std::uint32_t repeated = 0;  // requests that were sent again
    // Why requests were not sent: the circuit breaker, or a limit of the vendor's. What the connector makes
    // of that is a consequence.
    std::optional<Error> held_back;

    // What a part of a stopped run answers.
    tl::unexpected<Error> stopped() const {
        return fail(ErrorKind::transient, "the run was stopped: " + stop_reason);
    }

    store::EntityCounters& counters(const std::string& entity, store::Direction direction) {
        for (store::EntityCounters& one : run.entities) {
            if (one.entity == entity && one.direction == direction) return one;
        }
        return run.entities.emplace_back(store::EntityCounters{entity, direction, {}, 0});
    }
};

}  // namespace liaisond::sync
