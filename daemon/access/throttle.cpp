#include "access/throttle.hpp"

#include <algorithm>
#include <charconv>

#include "access/digest.hpp"
#include "base/ids.hpp"

namespace liaisond::access {
namespace {
constexpr std::size_t most_places = 10'000;  // of made-up names
constexpr Milliseconds between_notes{24LL * 3600 * 1000};
constexpr std::size_t digest_bytes = 16;

Instant instant_of(const std::string& text) {
    std::int64_t at = 0;
    std::from_chars(text.data(), text.data() + text.size(), at);
    return from_unix_ms(at);
}
}  // namespace

// Addresses and names are few enough to be guessed: without the key a digest would tell them.
std::string Throttle::digest(std::string_view name, std::string_view address) const {
    std::string all = key_.reveal();
    all.append(std::to_string(name.size())).append(":").append(name).append(address);
    const Secret whole(std::move(all));
    return to_hex(std::string_view(sha256(whole.reveal())).substr(0, digest_bytes));
}

Throttle::States Throttle::load(Secret key, const States& kept, Instant now) {
    key_ = std::move(key);
    known_.clear();
    States old;
    for (const auto& [state, text] : kept) {
        const std::size_t slash = state.find('/');
        const Instant at = instant_of(text);
        if (slash == std::string::npos || now - at > known_for)
            old.emplace(state, "");
        else
            known_[state.substr(0, slash)][state.substr(slash + 1)] = at;
    }
    return old;
}

Throttle::Place Throttle::guesser(const std::string& name, const std::string& address, Instant now) const {
    const auto mine = known_.find(digest(name, {}));
    if (address.empty() || mine == known_.end()) return {name, {}};
    const auto visit = mine->second.find(digest(name, address));
    const bool is_known = visit != mine->second.end() && now - visit->second <= known_for;
    return {name, is_known ? address : std::string()};
}

Milliseconds Throttle::wait(const Place& place, int allowed, Instant now) const {
    const auto found = counts_.find(place);
    if (found == counts_.end() || found->second.failures < allowed) return Milliseconds(0);
    const int doublings = std::min(found->second.failures - allowed, 20);
    const Milliseconds pause = std::min<Milliseconds>(longest, window * (1LL << doublings));
    return std::max<Milliseconds>(Milliseconds(0), found->second.last + pause - now);
}

Milliseconds Throttle::wait(const std::string& name, const std::string& address, Instant now) const {
    return std::max(wait(guesser(name, address, now), per_name, now), wait({"", address}, per_address, now));
}

void Throttle::count(const Place& place, int allowed, Instant now) {
    if (counts_.size() >= most_places)
        std::erase_if(counts_, [now](const auto& one) { return now - one.second.last > longest; });
    if (counts_.size() >= most_places) return;
    Count& mine = counts_[place];
    // What is allowed is allowed each minute; beyond it, failures are forgotten after the longest wait only.
    const bool is_over = mine.failures < allowed ? now - mine.first >= window : now - mine.last > longest;
    if (is_over) mine = {0, now, now};
    ++mine.failures;
    mine.last = now;
}

void Throttle::failed(const std::string& name, const std::string& address, Instant now) {
    count(guesser(name, address, now), per_name, now);
    if (!address.empty()) count({"", address}, per_address, now);
}

Throttle::States Throttle::succeeded(const std::string& name, const std::string& address, Instant now) {
    counts_.erase(guesser(name, address, now));
    if (address.empty()) return {};
    // Of those who share the address, only this one is known to be honest.
    const auto shared = counts_.find({"", address});
    if (shared != counts_.end() && --shared->second.failures <= 0) counts_.erase(shared);
    States changed;
    const std::string mine = digest(name, {}), here = digest(name, address);
    Visits& visits = known_[mine];
    const auto before = visits.find(here);
    if (before != visits.end() && now - before->second < between_notes) return {};
    visits[here] = now;
    changed[mine + "/" + here] = std::to_string(to_unix_ms(now));
    while (visits.size() > most_known) {
        const auto is_older = [](const auto& one, const auto& other) { return one.second < other.second; };
        const auto oldest = std::min_element(visits.begin(), visits.end(), is_older);
        changed[mine + "/" + oldest->first].clear();
        visits.erase(oldest);
    }
    return changed;
}

Throttle::States Throttle::forget(const std::string& name) {
    States gone;
    const auto mine = known_.find(digest(name, {}));
    if (mine == known_.end()) return gone;
    for (const auto& [here, at] : mine->second) gone.emplace(mine->first + "/" + here, "");
    known_.erase(mine);
    return gone;
}

}  // namespace liaisond::access
