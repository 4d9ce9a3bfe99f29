#include <gtest/gtest.h>

#include "plugins/sap_b1/company_time.hpp"
#include "plugins/sap_b1/seen_states.hpp"

using namespace sap_b1;

namespace {

std::string utc(const CompanyTime& time, const char* shown) {
    const auto moment = liaison::kit::parse_time("%Y-%m-%d %H:%M", shown);
    return liaison::kit::rfc3339(time.to_unix_ms(moment->date, moment->ms_of_day));
}

}  // namespace

TEST(SapCompanyTime, EuropeChangesAtOneOClockUtc) {
    const CompanyTime berlin(60, SummerTime::europe);
    EXPECT_EQ(utc(berlin, "2026-03-29 01:59"), "2026-03-29T00:59:00Z");
    EXPECT_EQ(utc(berlin, "2026-03-29 03:00"), "2026-03-29T01:00:00Z");
    EXPECT_EQ(utc(berlin, "2026-07-01 00:30"), "2026-06-30T22:30:00Z");
    EXPECT_EQ(utc(berlin, "2026-10-25 02:30"), "2026-10-25T00:30:00Z") << "the first of the two";
    EXPECT_EQ(utc(berlin, "2026-10-25 03:00"), "2026-10-25T02:00:00Z");
    EXPECT_EQ(utc(CompanyTime(0, SummerTime::europe), "2026-03-29 02:00"), "2026-03-29T01:00:00Z");
    EXPECT_EQ(berlin.date_at(*liaison::kit::parse_rfc3339("2026-06-30T22:30:00Z")), "2026-07-01");
    EXPECT_EQ(berlin.date_at(*liaison::kit::parse_rfc3339("2026-12-31T22:30:00Z")), "2026-12-31");
}

TEST(SapCompanyTime, AmericaChangesAtTwoByItsOwnClock) {
    const CompanyTime new_york(-300, SummerTime::america);
    EXPECT_EQ(utc(new_york, "2026-03-08 01:59"), "2026-03-08T06:59:00Z");
    EXPECT_EQ(utc(new_york, "2026-03-08 03:00"), "2026-03-08T07:00:00Z");
    EXPECT_EQ(utc(new_york, "2026-11-01 01:30"), "2026-11-01T05:30:00Z") << "the first of the two";
    EXPECT_EQ(utc(new_york, "2026-11-01 02:00"), "2026-11-01T07:00:00Z");
    EXPECT_EQ(utc(CompanyTime(330, SummerTime::none), "2026-07-01 00:00"), "2026-06-30T18:30:00Z");
}

TEST(SapClock, EveryFormOfUpdateTime) {
    EXPECT_EQ(parse_clock("14:05:33"), 50'733'000);
    EXPECT_EQ(parse_clock("14:05"), 50'700'000);
    EXPECT_EQ(parse_clock("140533"), 50'733'000);
    EXPECT_EQ(parse_clock("533"), 333'000);
    for (const char* text : {"", "nonsense", "250000", "1405331", "14:5x"})
        EXPECT_FALSE(parse_clock(text)) << text;
}

TEST(SapSeenStates, ForgetTheOldestFirst) {
    SeenStates seen(2);
    seen.add("a", "2026-01-01");
    seen.add("b", "2026-01-02");
    seen.add("b", "2026-01-02");
    EXPECT_TRUE(seen.knows("a"));
    seen.add("c", "2026-01-03");
    EXPECT_FALSE(seen.knows("a"));
    seen.forget_before("2026-01-03");
    EXPECT_FALSE(seen.knows("b"));
    SeenStates other(2);
    other.read(seen.to_json());
    EXPECT_TRUE(other.knows("c"));
    EXPECT_EQ(other.to_json(), seen.to_json());
}
