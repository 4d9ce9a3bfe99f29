// What bounds an integration's dealings with its vendor, as configured: rates, quotas, the circuit breaker,
// and when people are told.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace liaisond::config {

// Requests to a vendor. Zero: not limited.
struct Limits {
    // Who shares them: this integration alone; all of a tenant with the same connector and credentials; all
    // of the connector.
    enum class Scope : std::uint8_t { integration, credential, vendor };
    Scope scope = Scope::integration;
    std::uint32_t per_second = 0, per_minute = 0, per_hour = 0, per_day = 0;
    std::uint32_t burst = 0;  // how many may go at once when none went for a while; 0: a fifth of the rate
    Milliseconds min_gap{0};  // between the beginnings of two requests
    Milliseconds pause_after_429{0};  // where the answer has no Retry-After

    bool has_rate() const { return per_second != 0 || per_minute != 0 || per_hour != 0 || per_day != 0; }
    bool any() const { return has_rate() || min_gap.count() != 0; }
};

struct BreakerPolicy {
    std::uint32_t window = 20;  // last calls looked at; at most 64
    double failure_rate = 0.5;  // of the window that opens it
    std::uint32_t min_calls = 5;
    Milliseconds open_for{60'000}, max_open_for{30 * 60'000};  // doubles with every failed probe
};

struct AlertPolicy {
    std::uint32_t count = 5;  // more failed runs than that ...
    Milliseconds within{24 * 3'600'000};
};

struct Supervision {
    BreakerPolicy breaker;
    AlertPolicy alert;
    std::uint32_t suspend_after = 10;      // failed runs in a row
    Milliseconds expect_success_within{};  // zero: as the schedule suggests
    double retry_budget = 0.2;             // share of a run's requests that may be repetitions, besides ten
};

}  // namespace liaisond::config
