// Gate: the door through which requests to a vendor pass, in order of arrival: so many at once, and as fast
// as the Allowance lets them. Integrations that share limits share a gate. [core thread]
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "sync/fiber.hpp"
#include "sync/limits.hpp"
#include "sync/run_control.hpp"

namespace liaisond::sync {

// A request that would have to wait longer ends its job, which says when to come back.
inline constexpr Milliseconds longest_wait_in_run{30'000};

class Gate : public std::enable_shared_from_this<Gate> {
  public:
    struct Admission {
        bool admitted = false;  // then leave() must follow
        Milliseconds wait{0};   // not admitted: how long it would have to wait; zero: the run was stopped
    };

    Gate(Timers& timers, const Clock& clock) : timers_(timers), clock_(clock) {}
    void configure(const config::Limits& limits, std::uint32_t concurrent);

    Await<Admission> enter(const RunControl& control);
    void leave();
    // The vendor's answer to a request that entered.
    void answered(bool too_many, Milliseconds advised);
    // A run was cancelled: its requests wait no longer.
    void stopped() { pump(); }

    Milliseconds wait() const { return allowance_.wait(now(), clock_.now()); }
    // Nobody is in or waits, and a new gate would do as well.
    bool is_idle() const;
    // What to keep across a restart; empty: nothing. Due to be kept when `needs_keeping`.
    std::string kept();
    bool needs_keeping() const;
    void restore(std::string_view kept) { allowance_.restore(kept, now(), clock_.now()); }

  private:
    struct Waiting {
        const RunControl* control;
        Completion<Admission> done;
    };
    Milliseconds now() const { return std::chrono::duration_cast<Milliseconds>(clock_.monotonic()); }
    void pump();
    void answer_first(Admission admission);

    Timers& timers_;
    const Clock& clock_;
    Allowance allowance_;
    bool limited_ = false;
    std::uint32_t concurrent_ = 1, inside_ = 0;
    std::deque<Waiting> waiting_;
    std::uint64_t timer_ = 0;  // generation
    Milliseconds kept_at_{0};
};

// The gates of all integrations, by what they share.
class Gates {
  public:
    Gates(Timers& timers, const Clock& clock) : timers_(timers), clock_(clock) {}
    // What was kept of gates before a restart, by key.
    void restore(std::map<std::string, std::string> kept) { kept_ = std::move(kept); }
    // The gate of a link, configured as it says.
    std::shared_ptr<Gate> of(const Link& link);
    // Lets go of a gate that nobody needs.
    void release(const std::string& key);
    static std::string key_of(const Link& link);
    std::size_t size() const { return gates_.size(); }

  private:
    Timers& timers_;
    const Clock& clock_;
    std::map<std::string, std::shared_ptr<Gate>> gates_;
    std::map<std::string, std::string> kept_;
};

}  // namespace liaisond::sync
