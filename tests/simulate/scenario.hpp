// Scenario: everything that one seed draws before its first day - which systems there are, how they are
// connected, what goes wrong and how often.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulate/faults.hpp"
#include "simulate/vendor.hpp"
#include "sync/link.hpp"

namespace liaisond::simulate {

struct Options {
    std::optional<std::set<Fault>> faults;  // nothing: what the seed draws of the usual ones
    std::string topology;                   // empty: what the seed draws; chain, orders, pair
    bool two_way = false;                   // a pair whose both sides edit the same records
    int days = 3;
    bool trace = false;
};

// One system and what is exchanged with it.
struct System {
    std::unique_ptr<Vendor> vendor;
    std::vector<std::string> imports, exports;  // entities
    bool is_edited = false;                     // people work in it
    std::string cron;                           // empty: `every`
    Milliseconds every{0};
    std::uint32_t page_size = 10, push_batch = 10, attempts = 50, concurrent = 4, parallel = 4;
    Milliseconds request_timeout{20'000}, settle{300'000};
    bool on_change = false;
    config::ConflictPolicy conflict = config::ConflictPolicy::manual;
    bool recognises = false;  // products by sku
    bool enabled = true;
    int edition = 0;                         // of its configuration
    std::shared_ptr<const sync::Link> link;  // of that edition
};

struct Scenario {
    std::string topology, zone;
    Instant start;
    std::vector<System> systems;
    FaultRates rates;
    int changes_a_day = 10;
    bool two_way = false;  // people edit what came from the other side, too

    std::string describe_faults() const;
};

// Faults that a seed draws from unless told otherwise.
std::set<Fault> usual_faults();
Scenario draw_scenario(World& world, const Options& options);
// Made once for an edition, as a daemon that starts again reads the same configuration.
std::shared_ptr<const sync::Link> link_of(System& system, const std::string& zone);

}  // namespace liaisond::simulate
