#include "sync/scheduler.hpp"

#include <algorithm>
#include <tuple>

namespace liaisond::sync {
namespace {

// A step of the wall clock is noticed at most this late; while nothing is scheduled nobody looks.
constexpr Milliseconds longest_sleep{60'000};
// Less is drift, which the next runs follow by themselves.
constexpr Milliseconds least_step{2'000};

}  // namespace

bool Scheduler::Entry::operator<(const Entry& other) const {
    return std::tie(at, *id, cause) < std::tie(other.at, *other.id, other.cause);
}

Scheduler::Scheduler(Timers& timers, const Clock& clock, Due due, std::function<void(Milliseconds)> stepped)
    : timers_(timers), clock_(clock), due_(std::move(due)), stepped_(std::move(stepped)) {
    offset_ = clock_.now().time_since_epoch() - monotonic();
}

Milliseconds Scheduler::monotonic() const {
    return std::chrono::duration_cast<Milliseconds>(clock_.monotonic());
}

void Scheduler::set(const std::string& id, Times& times, Cause cause, std::optional<Instant> at) {
    remove(id, times, cause);
    if (!at || stopped_) return;
    Milliseconds& mine = times.at_[static_cast<std::size_t>(cause)];
    mine = at->time_since_epoch() - offset_;
    agenda_.insert({mine, &id, cause, &times});
    arm();
}

std::optional<Instant> Scheduler::at(const Times& times, Cause cause) const {
    const Milliseconds mine = times.at_[static_cast<std::size_t>(cause)];
    if (mine == Times::never) return std::nullopt;
    return from_monotonic(mine);
}

void Scheduler::remove(const std::string& id, Times& times, Cause cause) {
    Milliseconds& mine = times.at_[static_cast<std::size_t>(cause)];
    if (mine == Times::never) return;
    agenda_.erase({mine, &id, cause, &times});
    mine = Times::never;
}

void Scheduler::clear(const std::string& id, Times& times) {
    for (std::size_t i = 0; i < causes; ++i) remove(id, times, static_cast<Cause>(i));
}

void Scheduler::stop() {
    stopped_ = true;
    ++generation_;
}

void Scheduler::arm() {
    if (agenda_.empty() || stopped_) return;
    const Milliseconds now = monotonic();
    const Milliseconds wanted = std::min(agenda_.begin()->at, now + longest_sleep);
    if (armed_for_ && *armed_for_ <= wanted) return;
    armed_for_ = wanted;
    const std::uint64_t generation = ++generation_;
    timers_.after(std::max(Milliseconds(0), wanted - now), [this, generation] {
        if (generation == generation_) wake();
    });
}

void Scheduler::wake() {
    armed_for_.reset();
    look_at_the_clock();
    const Milliseconds now = monotonic();
    while (!stopped_ && !agenda_.empty() && agenda_.begin()->at <= now) {
        const Entry entry = *agenda_.begin();
        const std::string id = *entry.id;  // what is called may end the integration
        remove(*entry.id, *entry.times, entry.cause);
        due_(id, entry.cause);
    }
    arm();
}

void Scheduler::look_at_the_clock() {
    const Milliseconds offset = clock_.now().time_since_epoch() - monotonic();
    const Milliseconds step = offset - offset_;
    if (std::chrono::abs(step) <= least_step) return;
    offset_ = offset;
    stepped_(step);
}

}  // namespace liaisond::sync
