#include "sync/breaker.hpp"

#include <algorithm>
#include <bit>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::sync {
namespace json = boost::json;
namespace {

constexpr std::uint8_t most_doublings = 20;

}  // namespace

bool Breaker::record(const config::BreakerPolicy& policy, bool failed, Instant now) {
    if (state_ == State::open) return false;  // an answer to a request from before
    if (state_ == State::half_open) {
        if (!failed) return close(), false;
        return reopen(policy, now), true;
    }
    const std::uint64_t kept =
        policy.window >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << policy.window) - 1;
    failures_ = (failures_ << 1 | (failed ? 1 : 0)) & kept;
    calls_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(calls_ + 1u, std::min(policy.window, 64u)));
    if (!failed || calls_ < policy.min_calls) return false;
    if (std::popcount(failures_) < policy.failure_rate * calls_) return false;
    return open(policy, now), true;
}

void Breaker::open(const config::BreakerPolicy& policy, Instant now) {
    Milliseconds wait = policy.open_for;
    for (std::uint8_t i = 0; i < openings_ && wait < policy.max_open_for; ++i) wait *= 2;
    state_ = State::open;
    open_until_ = now + std::min(wait, policy.max_open_for);
    openings_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(openings_ + 1), most_doublings);
    failures_ = calls_ = 0;
}

void Breaker::reopen(const config::BreakerPolicy& policy, Instant now) { open(policy, now); }

void Breaker::close() { *this = Breaker(); }

std::string Breaker::to_json() const {
    if (state_ == State::closed) return {};
    return json::serialize(
        json::object{{"open_until", to_unix_ms(open_until_)}, {"openings", static_cast<int>(openings_)}});
}

Breaker Breaker::from_json(std::string_view text) {
    Breaker made;
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return made;
    const json::value* until = value.get_object().if_contains("open_until");
    const json::value* openings = value.get_object().if_contains("openings");
    if (until == nullptr || !until->is_int64() || openings == nullptr || !openings->is_int64()) return made;
    made.state_ = State::open;
    made.open_until_ = from_unix_ms(until->get_int64());
    made.openings_ =
        static_cast<std::uint8_t>(std::clamp<std::int64_t>(openings->get_int64(), 1, most_doublings));
    return made;
}

}  // namespace liaisond::sync
