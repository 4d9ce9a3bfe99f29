// What the daemon does for itself every day, as configured: backups, and how long what is kept for.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace liaisond::config {

struct BackupPlan {
    std::string to;                        // folder; empty: none are made
    std::chrono::minutes at{3 * 60 + 30};  // of the day
    std::uint32_t daily = 7, weekly = 4;   // how many are kept
    bool operator==(const BackupPlan&) const = default;
};

// Zero: for ever.
struct Retention {
    static constexpr Milliseconds day{24 * 3'600'000};
    std::chrono::minutes at{4 * 60 + 10};  // of the day
    Milliseconds runs = 400 * day, logs = 7 * day, archive = 90 * day, inbox = 30 * day,
                 dead_letters = 180 * day,
                 reservations = 30 * day;  // what tells of a person, after departure
    bool operator==(const Retention&) const = default;
};

struct Upkeep {
    std::string timezone = "UTC";  // of the times of day
    BackupPlan backup;
    Retention retention;
};

}  // namespace liaisond::config
