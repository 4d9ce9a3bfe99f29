#include "base/system.hpp"

#include <date/tz.h>
#include <sodium.h>

#include <algorithm>
#include <array>

namespace liaisond {

Instant SystemClock::now() const {
    return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}
std::chrono::nanoseconds SystemClock::monotonic() const {
    return std::chrono::steady_clock::now().time_since_epoch();
}

// A page of new records wants thousands of small draws: one system call serves many of them. Nothing is given
// twice.
void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    static thread_local std::array<std::uint8_t, 4096> pool;
    static thread_local std::size_t left = 0;
    if (bytes.size() > pool.size()) return randombytes_buf(bytes.data(), bytes.size());
    if (left < bytes.size()) {
        randombytes_buf(pool.data(), pool.size());
        left = pool.size();
    }
    std::uint8_t* const from = pool.data() + pool.size() - left;
    std::copy_n(from, bytes.size(), bytes.data());
    sodium_memzero(from, bytes.size());
    left -= bytes.size();
}

namespace {

// Null when the database has no such zone; the library tells by throwing.
const date::time_zone* find_zone(std::string_view zone) {
    try {
        return date::locate_zone(std::string(zone));
    } catch (const std::exception&) { return nullptr; }
}

}  // namespace

bool SystemTimeZones::exists(std::string_view zone) const { return find_zone(zone) != nullptr; }

std::chrono::local_time<Milliseconds> SystemTimeZones::to_local(std::string_view zone, Instant at) const {
    const date::time_zone* found = find_zone(zone);
    if (found == nullptr) return std::chrono::local_time<Milliseconds>(at.time_since_epoch());
    const auto local = found->to_local(date::sys_time<Milliseconds>(at.time_since_epoch()));
    return std::chrono::local_time<Milliseconds>(local.time_since_epoch());
}

Instant SystemTimeZones::to_instant(std::string_view zone,
                                    std::chrono::local_time<Milliseconds> local) const {
    const date::time_zone* found = find_zone(zone);
    if (found == nullptr) return Instant(local.time_since_epoch());
    const date::local_time<Milliseconds> wanted(local.time_since_epoch());
    const date::local_info info = found->get_info(wanted);
    if (info.result == date::local_info::nonexistent) {
        return Instant(std::chrono::duration_cast<Milliseconds>(info.second.begin.time_since_epoch()));
    }
    return Instant(local.time_since_epoch() - std::chrono::duration_cast<Milliseconds>(info.first.offset));
}

}  // namespace liaisond
