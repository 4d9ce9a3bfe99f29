// The faults a vendor can be told to have, and what it counted. Plain data; the vendor applies them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "json.hpp"

namespace liaison_sim {

using Credentials = std::map<std::string, std::string>;  // "token" -> "shop-token"
using Modes = std::map<std::string, std::string>;        // what only one vendor has: "approval" -> "none"

// "Every Nth": 0 is never. Setting N starts the count again.
struct Every {
    std::uint64_t period = 0;
    std::uint64_t seen = 0;

    bool is_due() { return period != 0 && ++seen % period == 0; }
};

struct RateLimit {
    double per_second = 0;
    double burst = 0;
};

struct Switches {
    enum class Only { all, reads, writes };
    // What the vendor's own people do to the oldest record while somebody reads pages.
    enum class Edit { remove, touch, add };

    std::int64_t latency_ms = 0;
    bool is_down = false;
    Every fail;
    unsigned fail_status = 503;
    std::int64_t retry_after = 0;  // seconds, sent with an injected failure; 0 sends none
    Every lose;
    Every reset;
    Every fault_after_commit;
    Every execute_late;
    std::int64_t execute_late_ms = 300;
    std::int64_t index_lag_ms = 0;
    std::optional<RateLimit> rate_limit;
    std::int64_t slow_body_bytes_per_second = 0;
    Only only = Only::all;
    Every edit_pages;  // before every Nth page that is not the first of its list
    Edit edit = Edit::remove;

    bool concerns(bool is_write) const;
    // Merges a patch: null puts one switch back to its default. Refuses unknown names and bad values.
    void merge(const Json& patch, Credentials& credentials, const Credentials& defaults);
    Json to_json(const Credentials& credentials) const;
};

struct Stats {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t writes_committed = 0;
    std::uint64_t answers_lost = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t unauthorized = 0;
    std::uint64_t refused = 0;  // 4xx other than 401 and 429
    std::uint64_t rate_limited = 0;
    std::uint64_t logins = 0, logouts = 0;  // where there are sessions
    std::uint64_t faults = 0;               // injected failures, resets and closes while down
    std::uint64_t in_flight = 0;
    std::uint64_t in_flight_max = 0;
    std::map<unsigned, std::uint64_t> by_status;

    void count_answer(unsigned status);
    void add(const Stats& other);
    // Everything but what is in flight now.
    void clear();
    Json to_json() const;
};

}  // namespace liaison_sim
