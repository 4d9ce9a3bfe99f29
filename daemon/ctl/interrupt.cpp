#include "ctl/interrupt.hpp"

#include <algorithm>
#include <ctime>

namespace liaisond::ctl {
namespace {

volatile std::sig_atomic_t was_raised = 0;

void remember(int) { was_raised = 1; }

}  // namespace

Interrupt::Interrupt() {
    was_raised = 0;
    struct sigaction action {};
    action.sa_handler = remember;  // without SA_RESTART, so that a sleep ends
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &before_interrupt_);
    ::sigaction(SIGTERM, &action, &before_terminate_);
}

Interrupt::~Interrupt() {
    ::sigaction(SIGINT, &before_interrupt_, nullptr);
    ::sigaction(SIGTERM, &before_terminate_, nullptr);
}

bool Interrupt::raised() const { return was_raised != 0; }

// In short pieces, because a signal may come between the look at the flag and the sleep.
void Interrupt::wait(Milliseconds duration) const {
    constexpr Milliseconds piece{100};
    for (Milliseconds left = duration; left.count() > 0 && !raised(); left -= piece) {
        const timespec time{0, std::chrono::nanoseconds(std::min(left, piece)).count()};
        (void)::nanosleep(&time, nullptr);
    }
}

}  // namespace liaisond::ctl
