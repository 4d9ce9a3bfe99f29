// DryRun: what a plan collects while the jobs of a run work on a scratch copy of the store with their writes
// held back (engine.md 5). Nothing but the vendor's silence tells the jobs that it is one, so what it shows
// is what the run itself would decide. [core thread]
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "plugin/messages.hpp"
#include "store/types.hpp"
#include "sync/fiber.hpp"

namespace liaisond::sync {

namespace json = boost::json;

class DryRun {
  public:
    // It is about to be sent.
    void pushes(const store::Intent& intent);
    // A request that would have changed something at the vendor. `intent` null: it concerns none in
    // particular.
    void hold(const std::string& entity, const store::Intent* intent, const plugin::Request& request);
    bool has_held() const { return held_ > 0; }

    // One record on its way to the vendor, or requests beside records.
    struct Sending {
        store::Rid rid = 0;  // 0: no record
        std::string entity, record, external_id, content;
        bool deleted = false;
        json::array requests;
    };
    const std::vector<Sending>& sendings() const { return sendings_; }

  private:
    std::vector<Sending> sendings_;
    std::unordered_map<store::Rid, std::size_t> by_record_;
    std::unordered_map<std::string, std::size_t> by_entity_;  // requests beside records
    std::size_t held_ = 0;
};

// Compares the scratch copy with what it was, and writes down what the run would do as the plan of `run`.
// `plan` comes back with its counts. `limits`: whose fields are counted.
Task<Status> write_plan(const Ports& ports, store::Store& scratch, const DryRun& dry_run,
                        const config::Approval& limits, store::Plan& plan);

// The limits that a plan exceeds, as a sentence; empty: none. What was approved raises a limit.
std::string exceeded(const config::Approval& limits, const store::Plan& plan, const store::Plan* approved);

}  // namespace liaisond::sync
