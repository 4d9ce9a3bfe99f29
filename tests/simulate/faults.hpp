// What can go wrong in the simulated world. Each seed draws a subset of these, and how often each happens.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace liaisond::simulate {

enum class Fault : std::uint8_t {
    // per request
    refused,       // no connection, no address, no TLS: certainly not sent
    lost_request,  // a time-out; nothing was executed
    lost_answer,   // a reset, a cut body or a time-out after the vendor executed it
    late,          // a time-out; the vendor executes a create up to 120 s after we gave up
    late_update,   // the same for updates and deletes
    error_before,  // 500, 502, 503, 504; nothing was executed
    error_after,   // the same, but it was executed
    too_many,      // 429 with Retry-After in both forms
    slow,          // any answer just before the time-out
    portal,        // a proxy answers with its own web page
    // of the vendors
    moving_pages,      // records change and appear between two pages
    repeated_records,  // a page has records of the page before once more, in another order
    // of the machine
    small_clock_steps,  // up to +-30 s
    clock_steps,        // up to +-2 years
    suspend,
    disk_full,
    disk_error,
    // of the daemon
    crash_at_store,
    crash_at_send,
    plugin_crash,
    stop,  // and start again, politely
    // of people
    operator_runs,  // manual runs and cancellations
    reload,
    disable,
    // of what vendors send by webhook
    webhooks,  // some changes are told of as well: late, several times, in any order
    // of vendors with ETags
    touches,  // a record gets a new version and shows nothing new
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Fault::count)> fault_names{
    "refused",           "lost-request", "lost-answer", "late",          "late-update",  "error-before",
    "error-after",       "too-many",     "slow",        "portal",        "moving-pages", "repeated-records",
    "small-clock-steps", "clock-steps",  "suspend",     "disk-full",     "disk-error",   "crash-at-store",
    "crash-at-send",     "plugin-crash", "stop",        "operator-runs", "reload",       "disable",
    "webhooks",          "touches"};

inline std::string_view to_string(Fault fault) { return fault_names[static_cast<std::size_t>(fault)]; }
inline std::optional<Fault> parse_fault(std::string_view name) {
    for (std::size_t i = 0; i < fault_names.size(); ++i) {
        if (fault_names[i] == name) return static_cast<Fault>(i);
    }
    return std::nullopt;
}

// How often, by fault: a probability per occasion (request, commit, step) or a number of times a day.
using FaultRates = std::map<Fault, double>;

}  // namespace liaisond::simulate
