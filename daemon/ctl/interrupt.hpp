// Interrupt: while one exists, Ctrl-C sets a flag instead of ending the program. One at a time.
#pragma once

#include <csignal>

#include "base/time.hpp"

namespace liaisond::ctl {

class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    bool raised() const;
    // Sleeps, at most until Ctrl-C.
    void wait(Milliseconds duration) const;

  private:
    struct sigaction before_interrupt_ {
    }, before_terminate_{};
};

}  // namespace liaisond::ctl
