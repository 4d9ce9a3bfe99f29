// Breaker: leaves a vendor alone that does not answer. A sliding window of calls opens it; when its time is
// over one probe may close it, and every failed probe doubles the time. A value; time comes in as an
// argument.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "config/policies.hpp"

namespace liaisond::sync {

class Breaker {
  public:
    enum class State : std::uint8_t { closed, open, half_open };

    State state() const { return state_; }
    // When a probe may go; meaningful while open.
    Instant open_until() const { return open_until_; }

    // One call that was answered, or that failed (no connection, no answer, 5xx). True when it opened the
    // breaker.
    bool record(const config::BreakerPolicy& policy, bool failed, Instant now);
    void half_open() { state_ = State::half_open; }
    // The verdict of a probe.
    void close();
    void reopen(const config::BreakerPolicy& policy, Instant now);

    // The wall clock jumped to `now`: what remains of the open time stays the same.
    void step(const config::BreakerPolicy& policy, Milliseconds step, Instant now) {
        open_until_ = std::min(open_until_ + step, now + policy.max_open_for);
    }

    std::string to_json() const;  // empty: as if new
    static Breaker from_json(std::string_view text);

  private:
    void open(const config::BreakerPolicy& policy, Instant now);

    std::uint64_t failures_ = 0;  // the last calls, newest in the lowest bit
    std::uint8_t calls_ = 0;      // how many of those bits count
    State state_ = State::closed;
    std::uint8_t openings_ = 0;  // in a row
    Instant open_until_{};
};

}  // namespace liaisond::sync
