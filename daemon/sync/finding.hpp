// Finding: what one rule found that needs somebody's attention.
#pragma once

#include <string>

#include "store/types.hpp"

namespace liaisond::sync {

struct Finding {
    std::string kind;     // failures, breaker_open, ...: a stable word
    std::string subject;  // which of several: an entity, a file; empty: there is only one
    store::Severity severity = store::Severity::warning;
    std::string text;
    bool is_state = false;  // who sees the integration's state sees it already
    bool operator==(const Finding&) const = default;
};

}  // namespace liaisond::sync
