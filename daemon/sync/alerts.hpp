// Alerts: what needs somebody's attention, kept in the store for as long as it does. Rules say what they
// find; this compares it with what they found before: what is new opens an alert and is logged once, what is
// still there is counted, what is gone is resolved. [core thread]
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sync/finding.hpp"
#include "sync/ports.hpp"

namespace liaisond::sync {

class Alerts {
  public:
    using Key = std::pair<std::string, std::string>;  // kind, subject

    explicit Alerts(const Ports& ports) : ports_(ports) {}

    // Alerts that the last life left open, before anything else. Returns the integrations that have some.
    std::set<std::string> restore(const std::vector<store::Alert>& open);

    // Everything that is the matter with one integration now (empty: with the daemon itself). `is_event`:
    // something happened; else somebody merely looked again, and what is known already is not counted.
    void found(const std::string& tenant, const std::string& integration,
               const std::vector<Finding>& findings, Instant now, bool is_event);
    // Is anything?
    bool any(const std::string& integration) const { return raised_.contains(integration); }

  private:
    void write(const std::string& integration, std::vector<store::Alert> raise, std::vector<Key> lower,
               Instant now);

    Ports ports_;
    std::map<std::string, std::set<Key>> raised_;  // by integration; none of them is empty
};

}  // namespace liaisond::sync
