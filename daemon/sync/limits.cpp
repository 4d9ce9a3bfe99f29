#include "sync/limits.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace liaisond::sync {
namespace json = boost::json;
namespace {

constexpr std::array<Milliseconds, 3> periods{Milliseconds(1000), Milliseconds(60'000),
                                              Milliseconds(3'600'000)};
constexpr std::int64_t hour_ms = 3'600'000;
// Any 24 hours touch 25 hours of the clock; counting them all never allows too much.
constexpr std::int64_t hours_counted = 25;
constexpr double least_share = 1.0 / 32;
// A vendor that answers 429 without saying how long.
constexpr Milliseconds usual_hold{1000};
constexpr double nearly_one = 1 - 1e-9;

std::int64_t hour_of(Instant wall) { return to_unix_ms(wall) / hour_ms; }

}  // namespace

void Allowance::configure(const config::Limits& limits, Milliseconds now) {
    limits_ = limits;
    const std::array<std::uint32_t, 3> rates{limits.per_second, limits.per_minute, limits.per_hour};
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        Bucket& bucket = buckets_[i];
        const bool is_new = bucket.per_ms == 0;
        const double left = is_new ? 0 : tokens_of(bucket, now);
        if (rates[i] == 0) {
            bucket = {};
            continue;
        }
        const std::uint32_t burst = limits.burst != 0 ? limits.burst : std::max(1u, rates[i] / 5);
        bucket.capacity = std::min(burst, rates[i]);
        bucket.per_ms = (rates[i] - bucket.capacity + 1) / static_cast<double>(periods[i].count());
        bucket.tokens = is_new ? bucket.capacity : std::min(left, bucket.capacity);
        bucket.at = now;
    }
}

double Allowance::tokens_of(const Bucket& bucket, Milliseconds now) const {
    const auto passed = static_cast<double>(std::max(Milliseconds(0), now - bucket.at).count());
    return std::min(bucket.capacity, bucket.tokens + passed * bucket.per_ms * share_);
}

std::int64_t Allowance::used_in_a_day(std::int64_t hour) const {
    std::int64_t used = 0;
    for (const auto& [at, count] : used_by_hour_) used += at > hour - hours_counted ? count : 0;
    return used;
}

Milliseconds Allowance::wait(Milliseconds now, Instant wall) const {
    Milliseconds longest = std::max(Milliseconds(0), next_ - now);
    for (const Bucket& bucket : buckets_) {
        if (bucket.per_ms == 0) continue;
        const double missing = 1 - tokens_of(bucket, now);
        if (missing <= 1 - nearly_one) continue;
        longest = std::max(
            longest, Milliseconds(static_cast<std::int64_t>(std::ceil(missing / (bucket.per_ms * share_)))));
    }
    std::int64_t hour = hour_of(wall);
    if (limits_.per_day != 0 && used_in_a_day(hour) >= limits_.per_day) {
        while (used_in_a_day(hour) >= limits_.per_day) ++hour;
        longest = std::max(longest, Milliseconds(hour * hour_ms) - wall.time_since_epoch());
    }
    return longest;
}

void Allowance::take(Milliseconds now, Instant wall) {
    for (Bucket& bucket : buckets_) {
        if (bucket.per_ms == 0) continue;
        bucket.tokens = tokens_of(bucket, now) - 1;
        bucket.at = now;
    }
    next_ = std::max(next_, now + limits_.min_gap);
    if (limits_.per_day == 0) return;
    const std::int64_t hour = hour_of(wall);
    // What a clock that was ahead put into the future counts as now.
    while (!used_by_hour_.empty() && used_by_hour_.rbegin()->first > hour) {
        const std::uint32_t count = used_by_hour_.rbegin()->second;
        used_by_hour_.erase(std::prev(used_by_hour_.end()));
        used_by_hour_[hour] += count;
    }
    ++used_by_hour_[hour];
    used_by_hour_.erase(used_by_hour_.begin(), used_by_hour_.upper_bound(hour - hours_counted));
}

void Allowance::refused(Milliseconds advised, Milliseconds now) {
    for (Bucket& bucket : buckets_) {
        bucket.tokens = std::min(tokens_of(bucket, now), 1.0);
        bucket.at = now;
    }
    share_ = std::max(least_share, share_ / 2);
    next_ = std::max(next_, now + (advised.count() > 0 ? advised : usual_hold));
}

bool Allowance::is_fresh(Milliseconds now, Instant wall) const {
    if (next_ > now || share_ < 1 || used_in_a_day(hour_of(wall)) != 0) return false;
    return std::all_of(buckets_.begin(), buckets_.end(), [&](const Bucket& bucket) {
        return bucket.per_ms == 0 || tokens_of(bucket, now) >= bucket.capacity;
    });
}

std::string Allowance::to_json(Milliseconds now, Instant wall) const {
    if (is_fresh(now, wall)) return {};
    json::array tokens;
    for (const Bucket& bucket : buckets_) {
        tokens.emplace_back(static_cast<std::int64_t>(std::floor(1000 * tokens_of(bucket, now))));
    }
    json::object hours;
    for (const auto& [hour, count] : used_by_hour_) hours[std::to_string(hour)] = count;
    const Milliseconds held = std::max(Milliseconds(0), next_ - now);
    return json::serialize(json::object{{"at", to_unix_ms(wall)},
                                        {"held_until", to_unix_ms(wall + held)},
                                        {"share", static_cast<std::int64_t>(1000 * share_)},
                                        {"tokens", std::move(tokens)},
                                        {"hours", std::move(hours)}});
}

void Allowance::restore(std::string_view text, Milliseconds now, Instant wall) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return;
    const json::object& from = value.get_object();
    const auto number = [&](const char* key) {
        const json::value* found = from.if_contains(key);
        return found != nullptr && found->is_int64() ? found->get_int64() : 0;
    };
    const Milliseconds age = std::max(Milliseconds(0), wall - from_unix_ms(number("at")));
    share_ = std::clamp(static_cast<double>(number("share")) / 1000, least_share, 1.0);
    // No longer than it was to be held when this was kept: the clock may have been set back since.
    const Instant held_until = from_unix_ms(number("held_until"));
    next_ = std::max(next_, now + std::min(held_until - wall, held_until - from_unix_ms(number("at"))));
    const json::value* tokens = from.if_contains("tokens");
    for (std::size_t i = 0; i < buckets_.size() && tokens != nullptr && tokens->is_array(); ++i) {
        if (i >= tokens->get_array().size() || !tokens->get_array()[i].is_int64()) continue;
        const double kept = static_cast<double>(tokens->get_array()[i].get_int64()) / 1000;
        Bucket& bucket = buckets_[i];
        bucket.tokens = std::min(bucket.capacity, kept + static_cast<double>(age.count()) * bucket.per_ms);
        bucket.at = now;
    }
    const json::value* hours = from.if_contains("hours");
    if (hours == nullptr || !hours->is_object()) return;
    for (const auto& [hour, count] : hours->get_object()) {
        if (count.is_int64())
            used_by_hour_[std::atoll(std::string(hour).c_str())] =
                static_cast<std::uint32_t>(count.get_int64());
    }
}

}  // namespace liaisond::sync
