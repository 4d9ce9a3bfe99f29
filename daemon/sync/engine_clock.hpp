// EngineClock: the wall clock as runs go by it. It moves with monotonic time; a jump of the machine's clock
// reaches it when the engine has moved everything that waits by the same distance, so that no settle time is
// cut short and nothing waits for a time that was never meant. [core thread]
#pragma once

#include "base/time.hpp"

namespace liaisond::sync {

class EngineClock final : public Clock {
  public:
    // `machine` must outlive it.
    explicit EngineClock(const Clock& machine)
        : machine_(machine), offset_(machine.now().time_since_epoch() - elapsed()) {}
    Instant now() const override { return Instant(elapsed() + offset_); }
    std::chrono::nanoseconds monotonic() const override { return machine_.monotonic(); }
    void move(Milliseconds step) { offset_ += step; }

  private:
    Milliseconds elapsed() const { return std::chrono::duration_cast<Milliseconds>(machine_.monotonic()); }
    const Clock& machine_;
    Milliseconds offset_;  // wall minus monotonic
};

}  // namespace liaisond::sync
