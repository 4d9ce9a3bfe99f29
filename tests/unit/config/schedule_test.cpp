// Moments of runs over the days on which clocks change, in four zones, and around blackouts.
#include "config/schedule.hpp"

#include <gtest/gtest.h>

#include "base/system.hpp"

namespace liaisond::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// UTC, -03:00 with an hour of daylight saving from midnight to midnight: the rules of America/Sao_Paulo in
// 2018, which ask for a gap and a fold around midnight.
constexpr const char* brazil = "America/Sao_Paulo";
constexpr const char* paris = "Europe/Paris";
constexpr const char* lord_howe = "Australia/Lord_Howe";  // half an hour of daylight saving

const SystemTimeZones zones;

Instant at(const char* text) { return *parse_instant(text); }

Schedule by_cron(const char* expression) {
    Schedule schedule;
    schedule.kind = Rhythm::Kind::cron;
    schedule.cron = Cron::parse(expression).value();
    return schedule;
}

Schedule every(Milliseconds duration) {
    Schedule schedule;
    schedule.kind = Rhythm::Kind::every;
    schedule.every = duration;
    return schedule;
}

// All runs after `from` and not later than `to`.
std::vector<std::string> runs(const Schedule& schedule, const char* from, const char* to, const char* zone) {
    std::vector<std::string> found;
    for (auto next = next_run(schedule, at(from), zone, zones); next && *next <= at(to);
         next = next_run(schedule, *next, zone, zones)) {
        found.push_back(format_instant(*next).substr(0, 16));
    }
    return found;
}
using Times = std::vector<std::string>;

TEST(Schedule, ADailyRunHappensOnceOnEveryDayOfTheYear) {
    for (const auto& [zone, year, time] : {std::tuple{paris, 2026, "30 2 * * *"},
                                           {brazil, 2018, "30 0 * * *"},
                                           {brazil, 2018, "30 23 * * *"},
                                           {lord_howe, 2026, "15 2 * * *"},
                                           {lord_howe, 2026, "45 1 * * *"},
                                           {"UTC", 2026, "30 2 * * *"}}) {
        const Schedule daily = by_cron(time);
        const std::string from = std::to_string(year) + "-01-02T12:00:00Z";
        auto last = next_run(daily, at(from.c_str()), zone, zones);
        ASSERT_TRUE(last);
        for (int day = 1; day < 360; ++day) {
            const auto next = next_run(daily, *last, zone, zones);
            ASSERT_TRUE(next);
            const auto days_between = std::chrono::floor<std::chrono::days>(zones.to_local(zone, *next)) -
                                      std::chrono::floor<std::chrono::days>(zones.to_local(zone, *last));
            EXPECT_EQ(days_between, std::chrono::days(1))
                << zone << " " << time << " after " << format_instant(*last);
            last = next;
        }
    }
}

TEST(Schedule, AnIntervalRunsThroughTheRepeatedHourAndKnowsNoGap) {
    for (const auto& [zone, year] :
         {std::pair{paris, 2026}, {brazil, 2018}, {lord_howe, 2026}, {"UTC", 2026}}) {
        const Schedule quarters = by_cron("*/15 * * * *");
        const std::string from = std::to_string(year) + "-01-01T00:00:00Z";
        Instant last = at(from.c_str());
        for (int i = 0; i < 365 * 96; ++i) {
            const auto next = next_run(quarters, last, zone, zones);
            ASSERT_TRUE(next);
            ASSERT_EQ(*next - last, minutes(15)) << zone << " after " << format_instant(last);
            last = *next;
        }
    }
    // Hourly on the day of 25 hours, and on the day of 23.
    EXPECT_EQ(runs(by_cron("15 * * * *"), "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", paris).size(), 25u);
    EXPECT_EQ(runs(by_cron("15 * * * *"), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", paris).size(), 23u);
    // Every second hour keeps to even hours by the wall: 00, 02, 02 again, 04.
    EXPECT_EQ(runs(by_cron("0 */2 * * *"), "2026-10-24T21:59:00Z", "2026-10-25T03:00:00Z", paris),
              (Times{"2026-10-24T22:00", "2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T03:00"}));
}

TEST(Schedule, WildcardHoursStillMindTheOtherFields) {
    EXPECT_EQ(runs(by_cron("59 * 1 1 *"), "2026-01-01T22:00:00Z", "2027-01-01T01:00:00Z", "UTC"),
              (Times{"2026-01-01T22:59", "2026-01-01T23:59", "2027-01-01T00:59"}));
    EXPECT_EQ(runs(by_cron("0 * * * mon"), "2026-03-08T22:30:00Z", "2026-03-09T02:00:00Z", paris),
              (Times{"2026-03-08T23:00", "2026-03-09T00:00", "2026-03-09T01:00", "2026-03-09T02:00"}));
    EXPECT_EQ(next_run(by_cron("* * 30 2 *"), at("2026-01-01T00:00:00Z"), paris, zones), std::nullopt);
}

TEST(Schedule, ASlotInABlackoutMovesToItsEndOnce) {
    Schedule quarters = by_cron("*/15 * * * *");
    quarters.blackouts = {{std::nullopt, minutes(120), minutes(210), "02:00-03:30"}};
    EXPECT_EQ(runs(quarters, "2026-03-01T01:40:00Z", "2026-03-01T04:00:00Z", "UTC"),
              (Times{"2026-03-01T01:45", "2026-03-01T03:30", "2026-03-01T03:45", "2026-03-01T04:00"}));
    Schedule daily = by_cron("10 2 * * *");
    daily.blackouts = quarters.blackouts;
    EXPECT_EQ(runs(daily, "2026-03-01T02:20:00Z", "2026-03-02T12:00:00Z", "UTC"),
              (Times{"2026-03-01T03:30", "2026-03-02T03:30"}))
        << "what was held up before is still to come";
    EXPECT_EQ(runs(daily, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", paris),
              (Times{"2026-10-25T02:30"}));

    Schedule interval = every(minutes(20));
    interval.blackouts = quarters.blackouts;
    EXPECT_EQ(runs(interval, "2026-03-01T01:30:00Z", "2026-03-01T04:00:00Z", "UTC"),
              (Times{"2026-03-01T01:50", "2026-03-01T03:30", "2026-03-01T03:50"}));
}

TEST(Schedule, BlackoutsWrapMidnightAndMayMeanOneDay) {
    Schedule hourly = by_cron("0 * * * *");
    hourly.blackouts = {{std::uint8_t{0}, minutes(22 * 60), minutes(120), "sun 22:00-02:00"}};
    EXPECT_EQ(runs(hourly, "2026-03-01T20:30:00Z", "2026-03-02T03:00:00Z", "UTC"),  // a Sunday
              (Times{"2026-03-01T21:00", "2026-03-02T02:00", "2026-03-02T03:00"}));
    EXPECT_EQ(runs(hourly, "2026-03-02T20:30:00Z", "2026-03-03T03:00:00Z", "UTC").size(), 7u);
    // Two that touch are one.
    hourly.blackouts.push_back({std::nullopt, minutes(120), minutes(150), "02:00-02:30"});
    EXPECT_EQ(runs(hourly, "2026-03-01T21:30:00Z", "2026-03-02T03:00:00Z", "UTC"),
              (Times{"2026-03-02T02:30", "2026-03-02T03:00"}));
    // And two that leave no room end the schedule.
    hourly.blackouts = {{std::nullopt, minutes(0), minutes(720), ""},
                        {std::nullopt, minutes(720), minutes(0), ""}};
    EXPECT_EQ(next_run(hourly, at("2026-03-01T00:00:00Z"), "UTC", zones), std::nullopt);
}

TEST(Schedule, ABlackoutInsideTheRepeatedHourHoldsBothTimes) {
    Schedule quarters = by_cron("*/15 * * * *");
    quarters.blackouts = {{std::nullopt, minutes(120), minutes(150), "02:00-02:30"}};
    EXPECT_EQ(runs(quarters, "2026-10-24T23:50:00Z", "2026-10-25T02:00:00Z", paris),
              (Times{"2026-10-25T00:30", "2026-10-25T00:45", "2026-10-25T01:30", "2026-10-25T01:45",
                     "2026-10-25T02:00"}));
}

TEST(Schedule, EveryCatchesUpOnItsOwnGrid) {
    const Schedule interval = every(minutes(5));
    const auto next = next_occurrence(interval, interval, at("2026-03-01T00:00:00Z"),
                                      at("2026-03-01T10:07:00Z"), "UTC", zones);
    EXPECT_EQ(format_instant(next.value().at), "2026-03-01T10:10:00.000Z");
}

TEST(Schedule, ComingRunsAreQuickAndFullAndOneWhereTheyMeet) {
    Schedule schedule = every(hours(1));
    schedule.full = by_cron("0 3 * * *");
    const Occurrence quick{at("2026-03-01T01:00:00Z"), at("2026-03-01T01:00:00Z"), false};
    const Occurrence full{at("2026-03-01T03:00:00Z"), at("2026-03-01T03:00:00Z"), false};
    const auto coming = coming_runs(schedule, quick, full, 4, "UTC", zones);
    ASSERT_EQ(coming.size(), 4u);
    Times texts;
    for (const Occurrence& one : coming)
        texts.push_back(format_instant(one.at).substr(11, 5) + (one.full ? " full" : ""));
    EXPECT_EQ(texts, (Times{"01:00", "02:00", "03:00 full", "04:00"}));
}

TEST(Schedule, PatienceIsThreeTimesTheRhythm) {
    const Instant now = at("2026-03-01T00:00:00Z");
    EXPECT_EQ(patience(every(minutes(5)), now, "UTC", zones), minutes(15));
    EXPECT_EQ(patience(by_cron("*/15 6-22 * * *"), now, "UTC", zones), hours(24)) << "nights are long";
    EXPECT_EQ(patience(by_cron("0 3 1 * *"), now, "UTC", zones), 3 * hours(31 * 24));
    EXPECT_EQ(patience(Schedule(), now, "UTC", zones), hours(0));
    Schedule held = every(minutes(5));
    held.blackouts = {{std::nullopt, minutes(22 * 60), minutes(6 * 60), "22:00-06:00"}};
    EXPECT_EQ(patience(held, now, "UTC", zones), hours(8) + minutes(15));
}

}  // namespace
}  // namespace liaisond::config
