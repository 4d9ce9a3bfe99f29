// Full-jitter exponential backoff: a uniform draw between nothing and base * 2^(failures-1), bounded by max.
#pragma once

#include <algorithm>

#include "base/random.hpp"
#include "config/config.hpp"

namespace liaisond::sync {

inline Milliseconds backoff(const config::RetryPolicy& policy, std::uint32_t failures, Random& random) {
    const std::uint32_t doublings = std::min(failures > 0 ? failures - 1 : 0, 30u);
    const auto ceiling = std::min<std::int64_t>(policy.base.count() << doublings, policy.max.count());
    return Milliseconds(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ceiling) + 1)));
}

}  // namespace liaisond::sync
