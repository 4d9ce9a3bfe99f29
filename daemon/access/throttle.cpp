#include "access/throttle.hpp"

#include <algorithm>

namespace liaisond::access {
namespace {
constexpr std::size_t most_keys = 10'000;  // of made-up names
}

Milliseconds Throttle::wait(const Counts& counts, std::string_view key, int allowed, Instant now) {
    const auto found = counts.find(key);
    if (found == counts.end() || found->second.failures < allowed) return Milliseconds(0);
    const int doublings = std::min(found->second.failures - allowed, 20);
    const Milliseconds pause = std::min<Milliseconds>(longest, window * (1LL << doublings));
    return std::max<Milliseconds>(Milliseconds(0), found->second.last + pause - now);
}

Milliseconds Throttle::wait(std::string_view name, std::string_view address, Instant now) const {
    return std::max(wait(names_, name, per_name, now), wait(addresses_, address, per_address, now));
}

void Throttle::count(Counts& counts, std::string_view key, Instant now) {
    if (counts.size() >= most_keys)
        std::erase_if(counts, [now](const auto& one) { return now - one.second.last > longest; });
    if (counts.size() >= most_keys) return;
    Count& mine = counts[std::string(key)];
    // Few failures are forgotten after a minute, many only after the longest wait.
    const bool is_over = now - mine.last > (mine.failures < per_name ? window : longest);
    mine.failures = is_over ? 1 : mine.failures + 1;
    mine.last = now;
}

void Throttle::failed(std::string_view name, std::string_view address, Instant now) {
    count(names_, name, now);
    if (!address.empty()) count(addresses_, address, now);
}

void Throttle::succeeded(std::string_view name) {
    if (const auto found = names_.find(name); found != names_.end()) names_.erase(found);
}

}  // namespace liaisond::access
