#include "access/throttle.hpp"

#include <algorithm>

namespace liaisond::access {
namespace {
constexpr std::size_t most_places = 10'000;  // of made-up names
}

Throttle::Place Throttle::guesser(const std::string& name, const std::string& address) const {
    return {name, known_.contains({name, address}) ? address : std::string()};
}

Milliseconds Throttle::wait(const Place& place, int allowed, Instant now) const {
    const auto found = counts_.find(place);
    if (found == counts_.end() || found->second.failures < allowed) return Milliseconds(0);
    const int doublings = std::min(found->second.failures - allowed, 20);
    const Milliseconds pause = std::min<Milliseconds>(longest, window * (1LL << doublings));
    return std::max<Milliseconds>(Milliseconds(0), found->second.last + pause - now);
}

Milliseconds Throttle::wait(const std::string& name, const std::string& address, Instant now) const {
    return std::max(wait(guesser(name, address), per_name, now), wait({"", address}, per_address, now));
}

void Throttle::count(const Place& place, Instant now) {
    if (counts_.size() >= most_places)
        std::erase_if(counts_, [now](const auto& one) { return now - one.second.last > longest; });
    if (counts_.size() >= most_places) return;
    Count& mine = counts_[place];
    // Few failures are forgotten after a minute, many only after the longest wait.
    const bool is_over = now - mine.last > (mine.failures < per_name ? window : longest);
    mine.failures = is_over ? 1 : mine.failures + 1;
    mine.last = now;
}

void Throttle::failed(const std::string& name, const std::string& address, Instant now) {
    count(guesser(name, address), now);
    if (!address.empty()) count({"", address}, now);
}

void Throttle::succeeded(const std::string& name, const std::string& address, Instant now) {
    counts_.erase(guesser(name, address));
    if (address.empty()) return;
    if (known_.size() >= most_places) {
        const auto is_older = [](const auto& one, const auto& other) { return one.second < other.second; };
        known_.erase(std::min_element(known_.begin(), known_.end(), is_older));
    }
    known_[{name, address}] = now;
}

}  // namespace liaisond::access
