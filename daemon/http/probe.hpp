// Whether hosts answer at all: one HEAD each, all at once, for `liaisonctl doctor`. Not for the daemon, whose
// requests go through a Transport.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace liaisond::http {

struct ProbeTarget {
    std::string origin;   // "https://host:443"
    std::string ca_file;  // as in Request
    auto operator<=>(const ProbeTarget&) const = default;
};

struct ProbeAnswer {
    // How far it came.
    enum class Reached : std::uint8_t { nothing, name, connection, answer } reached = Reached::nothing;
    bool is_distrusted = false;  // the certificate was not accepted
    std::string error;           // one sentence; empty when an answer came
    unsigned status = 0;
    Instant at;                     // when the answer came, by the clock given
    Milliseconds duration{0};       // from the first byte out to the answer
    std::optional<Instant> date;    // as the host says in its header Date
    std::optional<Instant> expiry;  // of its certificate
};

// Blocks for `limit` at most; the answers are in the order of the targets. [any thread]
std::vector<ProbeAnswer> probe(const std::vector<ProbeTarget>& targets, Milliseconds limit,
                               const Clock& clock);

}  // namespace liaisond::http
