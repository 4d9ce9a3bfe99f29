// Vitals: how one integration fares over its runs: failures, alarms, suspension, and whether it still does
// what it is there for. A value with pure transitions; it outlives a restart as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/policies.hpp"
#include "store/types.hpp"
#include "sync/finding.hpp"

namespace liaisond::sync {

struct Vitals {
    enum class Suspension : std::uint8_t { none, failures, by_operator };

    std::uint32_t failures = 0;      // failed runs in a row
    std::vector<Instant> failed_at;  // within the time of the alert, oldest first
    Suspension suspension = Suspension::none;
    Instant suspended_at{};
    Instant known_since{}, last_run{}, last_success{};  // epoch: never
    store::QueueSizes waiting;                          // for people, as of the last look
    Instant dead_since{};                               // when the dead letters last became more
    Instant resumed_at{};                               // by an operator; epoch: never
    // The store is a backup made then, and what was exported since may be at the vendor: nothing is sent
    // before the vendor was asked for it. Epoch: it is none.
    Instant restored_to{};

    // An imported entity whose listings always had something in them.
    struct Listing {
        std::string entity;
        std::uint32_t empty = 0;  // complete listings in a row without a record, after some with
    };
    std::vector<Listing> listings;

    void succeeded(Instant now);
    // True when this failure suspends the integration.
    bool failed(const config::Supervision& policy, Instant now);
    // A complete listing of the entity came to its end.
    void listed(const std::string& entity, bool anything);
    // The wall clock jumped: everything stays as long ago as it was.
    void step(Milliseconds step);
    void suspend(Suspension why, Instant now);
    // `probed`: because a probe succeeded; then one more failed run is enough to suspend it again.
    void resume(const config::Supervision& policy, bool probed);

    // What waits for people after a run.
    void queued(const store::QueueSizes& sizes, Instant now);

    // What a person should look at. `id`: of the integration; `patience`: how long it may go without success,
    // zero: as long as it likes.
    std::vector<Finding> findings(const std::string& id, const config::Supervision& policy,
                                  Milliseconds patience, Instant now) const;
    // When that may be something else by the mere passing of time.
    std::optional<Instant> next_look(const config::Supervision& policy, Milliseconds patience,
                                     Instant now) const;
    // When there was no success for too long.
    std::optional<Instant> alarm_due(Milliseconds patience) const;

    std::string to_json() const;
    static Vitals from_json(std::string_view text);
};

}  // namespace liaisond::sync
