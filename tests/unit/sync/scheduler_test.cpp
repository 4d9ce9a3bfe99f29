// Scheduler and Timetable: what is due when, across restarts and steps of the clock.
#include "sync/scheduler.hpp"

#include <gtest/gtest.h>

#include "sync/sim_house.hpp"
#include "sync/timetable.hpp"

namespace liaisond::sync_test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using sync::Cause;

class Scheduler : public testing::Test {
  protected:
    World world{1};
    std::vector<std::string> called;
    std::vector<Milliseconds> steps;
    sync::Scheduler scheduler{world, world,
                              [this](const std::string& id, Cause cause) {
                                  called.push_back(id + std::to_string(static_cast<int>(cause)));
                              },
                              [this](Milliseconds step) { steps.push_back(step); }};
    const std::string a = "a", b = "b";
    sync::Scheduler::Times times_a, times_b;
    void pass(Milliseconds time) {
        world.run_until([] { return false; }, time);
    }
};

TEST_F(Scheduler, CallsInOrderAndOnce) {
    const Instant now = scheduler.now();
    scheduler.set(b, times_b, Cause::quick, now + minutes(2));
    scheduler.set(a, times_a, Cause::retry, now + minutes(2));
    scheduler.set(a, times_a, Cause::full, now + minutes(1));
    scheduler.set(b, times_b, Cause::alarm, now + minutes(1));
    scheduler.set(b, times_b, Cause::alarm, std::nullopt);
    EXPECT_EQ(scheduler.at(times_a, Cause::full), now + minutes(1));
    pass(hours(1));
    EXPECT_EQ(called, (std::vector<std::string>{"a1", "a2", "b0"}));
    EXPECT_EQ(scheduler.at(times_a, Cause::full), std::nullopt);
}

TEST_F(Scheduler, AStepNeitherHurriesNorDelays) {
    scheduler.set(a, times_a, Cause::quick, scheduler.now() + hours(1));
    world.step_clock(-hours(24 * 700));
    pass(minutes(59));
    EXPECT_TRUE(called.empty());
    EXPECT_EQ(steps, (std::vector<Milliseconds>{-hours(24 * 700)}));
    pass(minutes(2));
    EXPECT_EQ(called.size(), 1u);
}

TEST_F(Scheduler, WakesAtMostOnceAMinuteBesidesWhatIsDue) {
    scheduler.set(a, times_a, Cause::quick, scheduler.now() + hours(24));
    const std::uint64_t before = world.events();
    pass(hours(23));
    EXPECT_LE(world.events() - before, 23u * 60u);
    scheduler.clear(a, times_a);
    pass(hours(1));
    const std::uint64_t after = world.events();
    pass(hours(24));
    EXPECT_EQ(world.events(), after) << "nothing is scheduled, nobody wakes";
}

class Timetable : public testing::Test {
  protected:
    World world{7};
    SystemTimeZones zones;
    config::Schedule schedule;
    sync::Timetable table;
    sync::Rota rota() { return {schedule, "Europe/Paris", zones, world}; }
    static Instant at(const char* text) { return *parse_instant(text); }
    std::string due(bool full = false) {
        return table.due(full) ? format_instant(*table.due(full)).substr(0, 16) : "never";
    }
    void daily() {
        schedule.kind = config::Rhythm::Kind::cron;
        schedule.cron = config::Cron::parse("30 2 * * *").value();
        schedule.text = "daily at 02:30";
    }
    void every(Milliseconds duration) {
        schedule.kind = config::Rhythm::Kind::every;
        schedule.every = duration;
    }
};

TEST_F(Timetable, ARestartShiftsNoRhythmAndDrawsNoJitterAnew) {
    every(minutes(15));
    schedule.jitter = minutes(5);
    table.begin(rota(), std::nullopt, at("2026-03-01T08:00:00Z"));
    table.take(rota(), false, at("2026-03-01T08:00:00Z"));
    const Instant before = *table.due(false);
    sync::Timetable again;
    const std::string kept = table.to_json(rota());
    ASSERT_TRUE(again.restore(rota(), kept, at("2026-03-01T08:07:00Z")));
    EXPECT_EQ(again.due(false), before);
    schedule.every = minutes(20);
    EXPECT_FALSE(again.restore(rota(), kept, at("2026-03-01T08:07:00Z"))) << "another schedule";
}

TEST_F(Timetable, MissedSlotsRunOnceOrNot) {
    every(minutes(15));
    table.begin(rota(), at("2026-03-01T08:00:00Z"), at("2026-03-01T08:01:00Z"));
    EXPECT_EQ(due(), "2026-03-01T08:15");
    const std::string kept = table.to_json(rota());
    ASSERT_TRUE(table.restore(rota(), kept, at("2026-03-01T12:07:00Z")));
    EXPECT_EQ(due(), "2026-03-01T08:15") << "overdue: runs at once";
    table.take(rota(), false, at("2026-03-01T12:07:00Z"));
    EXPECT_EQ(due(), "2026-03-01T12:15") << "and then on the old beat";
    schedule.catch_up = config::CatchUp::none;
    ASSERT_TRUE(table.restore(rota(), kept, at("2026-03-01T12:07:00Z")));
    EXPECT_EQ(due(), "2026-03-01T12:15");
}

TEST_F(Timetable, AUsedSlotIsNotUsedAgainWhenTheClockGoesBack) {
    daily();
    table.begin(rota(), std::nullopt, at("2026-03-01T00:00:00Z"));
    EXPECT_EQ(due(), "2026-03-01T01:30");
    table.take(rota(), false, at("2026-03-01T01:30:00Z"));
    table.step(rota(), -hours(1), at("2026-03-01T00:30:00Z"));
    EXPECT_EQ(due(), "2026-03-02T01:30");
    table.step(rota(), -hours(24 * 365), at("2025-03-01T00:30:00Z"));
    EXPECT_EQ(due(), "2025-03-01T01:30") << "the clock was wrong before; a year is not waited";
}

TEST_F(Timetable, AnIntervalDoesNotStallWhenTheClockGoesBack) {
    schedule.kind = config::Rhythm::Kind::cron;
    schedule.cron = config::Cron::parse("*/15 * * * *").value();
    table.begin(rota(), std::nullopt, at("2026-03-01T09:50:00Z"));
    table.take(rota(), false, at("2026-03-01T10:00:00Z"));
    table.step(rota(), -hours(1), at("2026-03-01T09:02:00Z"));
    EXPECT_EQ(due(), "2026-03-01T09:15");
    every(minutes(15));
    table.begin(rota(), at("2026-03-01T10:00:00Z"), at("2026-03-01T10:01:00Z"));
    table.step(rota(), -hours(24 * 700), at("2026-03-01T10:01:00Z") - hours(24 * 700));
    EXPECT_EQ(*table.due(false) - (at("2026-03-01T10:01:00Z") - hours(24 * 700)), minutes(14));
}

TEST_F(Timetable, AKeptTimeFarAheadDoesNotStallARestart) {
    every(minutes(15));
    table.begin(rota(), at("2028-03-01T10:00:00Z"), at("2028-03-01T10:01:00Z"));
    ASSERT_TRUE(table.restore(rota(), table.to_json(rota()), at("2026-03-01T10:00:00Z")));
    EXPECT_EQ(due(), "2026-03-01T10:15");
    daily();
    table.begin(rota(), std::nullopt, at("2028-03-01T10:01:00Z"));
    ASSERT_TRUE(table.restore(rota(), table.to_json(rota()), at("2026-03-01T10:00:00Z")));
    EXPECT_EQ(due(), "2026-03-02T01:30");
}

}  // namespace
}  // namespace liaisond::sync_test
