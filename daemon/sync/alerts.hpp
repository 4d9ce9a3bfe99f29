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
    // What is the matter with the daemon itself, as last found.
    const std::vector<Finding>& of_the_house() const { return of_the_house_; }

  private:
    void write(const std::string& integration, std::vector<store::Alert> raise, std::vector<Key> lower,
               Instant now);

    Ports ports_;
    using Known = std::map<Key, std::pair<store::Severity, std::string>>;  // with its text
    std::map<std::string, Known> raised_;  // by integration; none of them is empty
    std::vector<Finding> of_the_house_;
};

}  // namespace liaisond::sync
