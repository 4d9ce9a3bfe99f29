// Allowance: how many requests may go to a vendor, and when the next one may. Token buckets and a daily
// quota, a gap between requests, the vendor's Retry-After, and halving after a 429. A value; time comes in as
// arguments: `now` is monotonic, `wall` only tells how old kept state is and to which hour a request counts.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "config/policies.hpp"

namespace liaisond::sync {

class Allowance {
  public:
    // The limits from now on; what was used stays used.
    void configure(const config::Limits& limits, Milliseconds now);

    // How long until a request may go; zero: now.
    Milliseconds wait(Milliseconds now, Instant wall) const;
    void take(Milliseconds now, Instant wall);

    // The vendor answered 429, and said how long to stay away (zero: it did not).
    void refused(Milliseconds advised, Milliseconds now);
    // The vendor answered anything else.
    void accepted() { share_ = std::min(1.0, share_ + recovery); }
    // What is left of the limits after refusals, from above 0 to 1.
    double share() const { return share_; }

    // Nothing would be lost if this were made anew.
    bool is_fresh(Milliseconds now, Instant wall) const;
    std::string to_json(Milliseconds now, Instant wall) const;  // empty: is_fresh
    void restore(std::string_view text, Milliseconds now, Instant wall);

  private:
    // At most `limit` in any `period`: `capacity` at once after a rest, the others evenly.
    struct Bucket {
        double capacity = 0, per_ms = 0;  // per_ms 0: no limit
        double tokens = 0;
        Milliseconds at{0};
    };
    static constexpr double recovery = 0.05;  // of the share, for each request that was accepted

    double tokens_of(const Bucket& bucket, Milliseconds now) const;
    std::int64_t used_in_a_day(std::int64_t hour) const;

    std::array<Bucket, 3> buckets_;  // second, minute, hour
    config::Limits limits_;
    std::map<std::int64_t, std::uint32_t> used_by_hour_;  // hours since the epoch; only with a daily quota
    Milliseconds next_{0};                                // by the gap, and by what the vendor said
    double share_ = 1;
};

}  // namespace liaisond::sync
