// Allowance, Breaker and Vitals: values with their rules.
#include "sync/limits.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "sync/breaker.hpp"
#include "sync/vitals.hpp"

namespace liaisond::sync {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Instant start = *parse_instant("2026-03-01T08:00:00Z");

// Sends as fast as it may for a time; the moments of all requests.
std::deque<Milliseconds> flood(Allowance& allowance, Milliseconds from, Milliseconds to) {
    std::deque<Milliseconds> sent;
    for (Milliseconds now = from; now < to;) {
        const Milliseconds wait = allowance.wait(now, start + now);
        if (wait.count() > 0) {
            now += wait;
            continue;
        }
        allowance.take(now, start + now);
        sent.push_back(now);
    }
    return sent;
}

std::size_t most_within(const std::deque<Milliseconds>& sent, Milliseconds period) {
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
        while (sent[last] - sent[first] >= period) ++first;
        most = std::max(most, last - first + 1);
    }
    return most;
}

TEST(Allowance, NeverMoreThanTheRateInAnyWindow) {
    for (const std::uint32_t rate : {1u, 2u, 7u, 60u, 1000u}) {
        for (const std::uint32_t burst : {0u, 1u, rate}) {
            config::Limits limits;
            limits.per_minute = rate;
            limits.burst = burst;
            Allowance allowance;
            allowance.configure(limits, Milliseconds(0));
            const auto sent = flood(allowance, Milliseconds(0), minutes(10));
            EXPECT_LE(most_within(sent, minutes(1)), rate) << rate << " a minute, burst " << burst;
            EXPECT_GE(sent.size(), burst == rate ? rate : 8 * rate) << "and not far below it";
        }
    }
}

TEST(Allowance, ManyLimitsHoldTogether) {
    config::Limits limits;
    limits.per_second = 5;
    limits.per_hour = 300;
    limits.per_day = 1000;
    limits.min_gap = Milliseconds(100);
    Allowance allowance;
    allowance.configure(limits, Milliseconds(0));
    const auto sent = flood(allowance, Milliseconds(0), hours(48));
    EXPECT_LE(most_within(sent, Milliseconds(1000)), 5u);
    EXPECT_LE(most_within(sent, Milliseconds(100)), 1u);
    EXPECT_LE(most_within(sent, hours(1)), 300u);
    EXPECT_LE(most_within(sent, hours(24)), 1000u);
    EXPECT_GE(sent.size(), 1800u);
}

TEST(Allowance, AQuotaSurvivesARestart) {
    config::Limits limits;
    limits.per_day = 10;
    limits.per_hour = 8;
    limits.burst = 8;
    Allowance before;
    before.configure(limits, Milliseconds(0));
    for (int i = 0; i < 8; ++i) before.take(Milliseconds(0), start);
    Allowance after;  // another boot: monotonic time begins anew
    after.configure(limits, Milliseconds(50));
    after.restore(before.to_json(Milliseconds(0), start), Milliseconds(50), start + minutes(1));
    EXPECT_GT(after.wait(Milliseconds(50), start + minutes(1)), minutes(40)) << "the hour";
    const auto later = start + hours(3);
    after.take(Milliseconds(hours(3)), later);
    after.take(Milliseconds(hours(3)), later);
    EXPECT_GT(after.wait(Milliseconds(hours(5)), start + hours(5)), hours(18)) << "the day";
    EXPECT_EQ(after.wait(Milliseconds(hours(26)), start + hours(26)), Milliseconds(0));
}

TEST(Allowance, A429HoldsEverythingAndHalvesTheRateForAWhile) {
    config::Limits limits;
    limits.per_second = 10;
    limits.burst = 1;
    Allowance allowance;
    allowance.configure(limits, Milliseconds(0));
    allowance.take(Milliseconds(0), start);
    allowance.refused(Milliseconds(7000), Milliseconds(0));
    EXPECT_EQ(allowance.wait(Milliseconds(0), start), Milliseconds(7000));
    EXPECT_EQ(flood(allowance, Milliseconds(7000), Milliseconds(17'000)).size(), 50u);
    for (int i = 0; i < 20; ++i) allowance.accepted();
    EXPECT_GE(flood(allowance, Milliseconds(17'000), Milliseconds(27'000)).size(), 99u);
    EXPECT_TRUE(allowance.is_fresh(Milliseconds(60'000), start));
    EXPECT_EQ(allowance.to_json(Milliseconds(60'000), start), "");
}

TEST(Breaker, OpensOnAShareOfTheLastCalls) {
    config::BreakerPolicy policy;
    Breaker breaker;
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.record(policy, true, start)) << "four calls are too few";
    EXPECT_TRUE(breaker.record(policy, true, start));
    EXPECT_EQ(breaker.state(), Breaker::State::open);
    EXPECT_EQ(breaker.open_until(), start + minutes(1));

    breaker.close();
    for (int i = 0; i < 20; ++i) (void)breaker.record(policy, false, start);
    for (int i = 0; i < 9; ++i) EXPECT_FALSE(breaker.record(policy, true, start));
    EXPECT_TRUE(breaker.record(policy, true, start)) << "ten of the last twenty";
}

TEST(Breaker, OldFailuresSlideOut) {
    config::BreakerPolicy policy;
    policy.window = 10;
    Breaker breaker;
    for (int i = 0; i < 2000; ++i) EXPECT_FALSE(breaker.record(policy, i % 10 < 4, start)) << i;
}

TEST(Breaker, EveryFailedProbeDoublesTheTimeUpToAMost) {
    config::BreakerPolicy policy;
    policy.min_calls = 1;
    policy.max_open_for = minutes(5);
    Breaker breaker;
    EXPECT_TRUE(breaker.record(policy, true, start));
    std::vector<Milliseconds> waits;
    for (int i = 0; i < 4; ++i) {
        breaker.half_open();
        EXPECT_TRUE(breaker.record(policy, true, start));
        waits.push_back(breaker.open_until() - start);
    }
    EXPECT_EQ(waits, (std::vector<Milliseconds>{minutes(2), minutes(4), minutes(5), minutes(5)}));
    const Breaker kept = Breaker::from_json(breaker.to_json());
    EXPECT_EQ(kept.state(), Breaker::State::open);
    EXPECT_EQ(kept.open_until(), breaker.open_until());
    breaker.half_open();
    EXPECT_FALSE(breaker.record(policy, false, start));
    EXPECT_EQ(breaker.state(), Breaker::State::closed);
    EXPECT_TRUE(breaker.record(policy, true, start));
    EXPECT_EQ(breaker.open_until(), start + minutes(1)) << "a success forgives";
}

std::vector<std::string> found(const Vitals& vitals, const config::Supervision& policy, Milliseconds patience,
                               Instant now) {
    std::vector<std::string> texts;
    for (const Finding& one : vitals.findings("shop", policy, patience, now)) texts.push_back(one.text);
    return texts;
}

TEST(Vitals, AlertsAndSuspendsAfterSoManyFailures) {
    config::Supervision policy;
    Vitals vitals;
    vitals.known_since = start;
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(vitals.failed(policy, start));
    EXPECT_TRUE(found(vitals, policy, hours(1), start).empty());
    EXPECT_FALSE(vitals.failed(policy, start));
    EXPECT_EQ(found(vitals, policy, hours(1), start),
              (std::vector<std::string>{"more than 5 failed runs within 1d"}));
    EXPECT_TRUE(found(vitals, policy, Milliseconds(0), start + hours(25)).empty());
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(vitals.failed(policy, start));
    EXPECT_TRUE(vitals.failed(policy, start));
    EXPECT_EQ(vitals.suspension, Vitals::Suspension::failures);

    Vitals kept = Vitals::from_json(vitals.to_json());
    EXPECT_EQ(kept.suspension, Vitals::Suspension::failures);
    EXPECT_EQ(kept.failures, 10u);
    EXPECT_EQ(kept.failed_at, vitals.failed_at);
    kept.resume(policy, true);
    EXPECT_TRUE(kept.failed(policy, start)) << "after a probe one more failure is enough";
    kept.resume(policy, false);
    EXPECT_FALSE(kept.failed(policy, start)) << "a person starts anew";
}

TEST(Vitals, NoSuccessWithinTheRhythmIsAProblem) {
    const config::Supervision policy;
    Vitals vitals;
    vitals.known_since = start;
    EXPECT_TRUE(found(vitals, policy, hours(1), start + minutes(59)).empty());
    EXPECT_EQ(found(vitals, policy, hours(1), start + hours(1)),
              (std::vector<std::string>{"has never run since it is known, 2026-03-01T08:00Z"}));
    vitals.succeeded(start + hours(1));
    EXPECT_TRUE(found(vitals, policy, hours(1), start + minutes(90)).empty());
    EXPECT_EQ(found(vitals, policy, hours(1), start + hours(2)),
              (std::vector<std::string>{"no success since 2026-03-01T09:00Z"}));
    EXPECT_TRUE(found(vitals, policy, Milliseconds(0), start + hours(2000)).empty()) << "by hand only";
    vitals.suspend(Vitals::Suspension::by_operator, start);
    EXPECT_TRUE(found(vitals, policy, hours(1), start + hours(2000)).empty()) << "somebody knows";
}

TEST(Vitals, ListingsThatDryUpAreAProblem) {
    const config::Supervision policy;
    Vitals vitals;
    for (int i = 0; i < 10; ++i) vitals.listed("order", false);
    EXPECT_TRUE(found(vitals, policy, Milliseconds(0), start).empty()) << "there never was anything";
    vitals.listed("order", true);
    for (int i = 0; i < 2; ++i) vitals.listed("order", false);
    EXPECT_TRUE(found(vitals, policy, Milliseconds(0), start).empty());
    vitals = Vitals::from_json(vitals.to_json());
    vitals.listed("order", false);
    EXPECT_EQ(found(vitals, policy, Milliseconds(0), start),
              (std::vector<std::string>{
                  "fetches nothing any more: order was empty in the last 3 complete listings"}));
    vitals.listed("order", true);
    EXPECT_TRUE(found(vitals, policy, Milliseconds(0), start).empty());
}

}  // namespace
}  // namespace liaisond::sync
