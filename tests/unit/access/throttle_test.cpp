#include "access/throttle.hpp"

#include <gtest/gtest.h>

namespace liaisond::access {
namespace {

constexpr Instant start = Instant(Milliseconds(1'700'000'000'000));
using std::chrono::minutes;

TEST(Throttle, FiveAMinuteThenEverLonger) {
    Throttle throttle;
    Instant now = start;
    for (int i = 0; i < Throttle::per_name; ++i) {
        EXPECT_EQ(throttle.wait("marie", "10.0.0.1", now).count(), 0) << i;
        throttle.failed("marie", "10.0.0.1", now);
    }
    EXPECT_EQ(throttle.wait("marie", "10.0.0.2", now), Milliseconds(minutes(1)));
    EXPECT_EQ(throttle.wait("paul", "10.0.0.1", now).count(), 0) << "others are not concerned";
    for (const int expected : {2, 4, 8, 15, 15}) {
        now += throttle.wait("marie", "10.0.0.1", now);
        throttle.failed("marie", "10.0.0.1", now);
        EXPECT_EQ(throttle.wait("marie", "10.0.0.1", now), Milliseconds(minutes(expected)));
    }
    throttle.succeeded("marie", "10.0.0.1", now);
    EXPECT_EQ(throttle.wait("marie", "10.0.0.3", now).count(), 0);
}

TEST(Throttle, WhoeverGuessesKeepsNobodyOutWhereTheyHaveBeen) {
    Throttle throttle;
    throttle.succeeded("marie", "10.0.0.1", start);
    for (int i = 0; i < Throttle::per_name; ++i) throttle.failed("marie", "10.9.9.9", start);
    EXPECT_GT(throttle.wait("marie", "10.9.9.9", start).count(), 0);
    EXPECT_GT(throttle.wait("marie", "10.0.0.2", start).count(), 0);
    EXPECT_EQ(throttle.wait("marie", "10.0.0.1", start).count(), 0);
    for (int i = 0; i < Throttle::per_name; ++i) throttle.failed("marie", "10.0.0.1", start);
    EXPECT_GT(throttle.wait("marie", "10.0.0.1", start).count(), 0) << "guessing is slow there, too";
}

TEST(Throttle, TwentyFromOneAddressWhoeverTheyAre) {
    Throttle throttle;
    for (int i = 0; i + 1 < Throttle::per_address; ++i)
        throttle.failed("name" + std::to_string(i), "10.0.0.1", start);
    EXPECT_EQ(throttle.wait("another", "10.0.0.1", start).count(), 0);
    throttle.failed("one more", "10.0.0.1", start);
    EXPECT_GT(throttle.wait("another", "10.0.0.1", start).count(), 0);
    EXPECT_EQ(throttle.wait("another", "10.0.0.2", start).count(), 0);
}

// A hotel has one address for all who work there.
TEST(Throttle, BehindOneAddressNobodyPaysForWhatOthersMistypedThatDay) {
    Throttle throttle;
    Instant now = start;
    for (int i = 0; i < 200; ++i) {
        const std::string name = "name" + std::to_string(i % 50);
        EXPECT_EQ(throttle.wait(name, "10.0.0.1", now).count(), 0) << i;
        throttle.failed(name, "10.0.0.1", now);
        now += Milliseconds(4'000);
    }
}

TEST(Throttle, WhoGetsInIsNoneOfTheTwenty) {
    Throttle throttle;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "name" + std::to_string(i);
        EXPECT_EQ(throttle.wait(name, "10.0.0.1", start).count(), 0) << i;
        throttle.failed(name, "10.0.0.1", start);  // an attempt counts before it is looked at
        throttle.succeeded(name, "10.0.0.1", start);
    }
    for (int i = 0; i < Throttle::per_address; ++i) {
        throttle.failed("own", "10.0.0.1", start);
        throttle.succeeded("own", "10.0.0.1", start);
        throttle.failed("name" + std::to_string(i), "10.0.0.1", start);
    }
    EXPECT_GT(throttle.wait("another", "10.0.0.1", start).count(), 0) << "nor do their guesses go with it";
}

// ---- addresses that are known --------------------------------------------------------------------------

// Whether the wrong guesses of others keep that name out at that address.
bool is_known(Throttle throttle, const std::string& name, const std::string& address, Instant now) {
    for (int i = 0; i < Throttle::per_name; ++i) throttle.failed(name, "10.9.9.9", now);
    return throttle.wait(name, address, now).count() == 0;
}

// What a store keeps of it.
struct Kept : Throttle::States {
    void take(const Throttle::States& changed) {
        for (const auto& [key, value] : changed) {
            if (value.empty())
                EXPECT_EQ(erase(key), 1u) << key;
            else
                (*this)[key] = value;
        }
    }
};

TEST(Throttle, KnownAddressesOutliveARestart) {
    Kept kept;
    {
        Throttle throttle;
        throttle.load(Secret("key"), {}, start);
        kept.take(throttle.succeeded("marie", "10.0.0.1", start));
        kept.take(throttle.succeeded("paul", "10.0.0.2", start));
    }
    Throttle throttle;
    EXPECT_TRUE(throttle.load(Secret("key"), kept, start).empty());
    EXPECT_TRUE(is_known(throttle, "marie", "10.0.0.1", start));
    EXPECT_FALSE(is_known(throttle, "marie", "10.0.0.2", start)) << "that is paul's";
    EXPECT_TRUE(is_known(throttle, "paul", "10.0.0.2", start));
    throttle.load(Secret("another"), kept, start);
    EXPECT_FALSE(is_known(throttle, "marie", "10.0.0.1", start));
    for (const auto& [key, value] : kept) {
        for (const char* told : {"marie", "paul", "10.0.0"}) EXPECT_EQ(key.find(told), std::string::npos);
    }
}

TEST(Throttle, KnownAddressesAgeAndAreWrittenOnceADay) {
    Throttle throttle;
    Kept kept;
    kept.take(throttle.succeeded("marie", "10.0.0.1", start));
    EXPECT_TRUE(throttle.succeeded("marie", "10.0.0.1", start + std::chrono::hours(23)).empty());
    const Instant next = start + std::chrono::hours(24);
    EXPECT_EQ(throttle.succeeded("marie", "10.0.0.1", next).size(), 1u);
    kept.take(throttle.succeeded("paul", "10.0.0.1", next));
    const Instant last = next + Throttle::known_for;
    EXPECT_TRUE(is_known(throttle, "marie", "10.0.0.1", last));
    EXPECT_FALSE(is_known(throttle, "marie", "10.0.0.1", last + Milliseconds(1)));
    Throttle after;
    kept.take(after.load(Secret(), kept, last));
    EXPECT_EQ(kept.size(), 1u) << "marie's second day was not noted in them";
    EXPECT_TRUE(is_known(after, "paul", "10.0.0.1", last));
    kept["odd"] = "12";
    EXPECT_EQ(after.load(Secret(), kept, last).size(), 1u) << "what cannot be read goes, too";
}

TEST(Throttle, OfOneNameSoManyAddressesAreKnown) {
    Throttle throttle;
    Kept kept;
    kept.take(throttle.succeeded("paul", "10.1.0.1", start));
    for (std::size_t i = 0; i <= Throttle::most_known; ++i)
        kept.take(throttle.succeeded("marie", "10.0.0." + std::to_string(i), start + Milliseconds(i)));
    EXPECT_EQ(kept.size(), Throttle::most_known + 1);
    const Instant now = start + std::chrono::hours(1);
    EXPECT_FALSE(is_known(throttle, "marie", "10.0.0.0", now)) << "the oldest has made room";
    EXPECT_TRUE(is_known(throttle, "marie", "10.0.0.1", now));
    EXPECT_TRUE(is_known(throttle, "paul", "10.1.0.1", now));
    kept.take(throttle.forget("marie"));
    EXPECT_EQ(kept.size(), 1u);
    EXPECT_FALSE(is_known(throttle, "marie", "10.0.0.1", now));
    EXPECT_TRUE(throttle.forget("nobody").empty());
}

}  // namespace
}  // namespace liaisond::access
