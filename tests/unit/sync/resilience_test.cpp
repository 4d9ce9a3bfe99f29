// The engine under bad vendors, bad clocks and restarts: what it starts, what it leaves alone, and what it
// says.
#include <gtest/gtest.h>

#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class Resilience : public testing::Test {
  protected:
    World world{1};
    Shop shop;
    unsigned answer_status = 200;
    std::string retry_after;
    std::vector<Instant> asked;
    SimNetwork network{world, {{"http://shop.example:80", [this](const http::Request& request) {
                                    asked.push_back(world.now());
                                    http::Response response =
                                        answer_status == 200 ? shop(request) : answer_json(answer_status, {});
                                    if (!retry_after.empty())
                                        response.headers.emplace_back("Retry-After", retry_after);
                                    return response;
                                }}}};
    TempDir directory;
    std::unique_ptr<SimHouse> house;

    void SetUp() override {
        for (int id = 1; id <= 5; ++id) shop.names[id] = "Product " + std::to_string(id);
    }
    void live(const std::shared_ptr<sync::Link>& link) {
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        house->start({link});
        pass(Milliseconds(20));
    }
    static std::shared_ptr<sync::Link> every(Milliseconds duration) {
        auto link = shop_link();
        link->config.schedule.kind = config::Schedule::Kind::every;
        link->config.schedule.every = duration;
        link->config.retry.attempts = 1;
        return link;
    }
    static std::shared_ptr<sync::Link> by_cron(const char* expression) {
        auto link = shop_link();
        link->config.schedule.kind = config::Schedule::Kind::cron;
        link->config.schedule.cron = config::Cron::parse(expression).value();
        link->config.schedule.text = expression;
        link->config.retry.attempts = 1;
        return link;
    }
    void pass(Milliseconds time) {
        world.run_until([] { return false; }, time);
    }
    std::size_t runs() {
        store::Filter filter;
        filter.limit = 1000;
        return house->store.database().runs(filter).value().size();
    }
    sync::IntegrationStatus status() { return house->engine->status().at(0); }
};

TEST_F(Resilience, ARestartKeepsTheBeatAndUsesNoSlotTwice) {
    const auto link = every(minutes(15));
    live(link);
    pass(minutes(1));
    EXPECT_EQ(runs(), 1u);
    const auto next = status().next_run;
    for (int i = 0; i < 5; ++i) {
        live(link);
        pass(minutes(1));
    }
    EXPECT_EQ(runs(), 1u);
    EXPECT_EQ(status().next_run, next);
    pass(minutes(15));
    EXPECT_EQ(runs(), 2u);
}

TEST_F(Resilience, SlotsMissedWhileTheDaemonWasDownRunOnce) {
    const auto link = by_cron("0 * * * *");
    live(link);
    pass(minutes(90));
    EXPECT_EQ(runs(), 1u);
    house.reset();
    pass(hours(10));
    live(link);
    pass(minutes(2));
    EXPECT_EQ(runs(), 2u);
    house.reset();
    pass(hours(10));
    link->config.schedule.catch_up = config::CatchUp::none;
    live(link);
    pass(minutes(2));
    EXPECT_EQ(runs(), 2u);
}

TEST_F(Resilience, ClockStepsRunAMissedSlotOnceAndRepeatNone) {
    live(by_cron("30 9 * * *"));
    pass(minutes(5));
    world.step_clock(hours(2));  // 08:05 becomes 10:05
    pass(minutes(2));
    EXPECT_EQ(runs(), 1u) << "09:30 was jumped over";
    world.step_clock(-hours(2));
    pass(hours(3));
    EXPECT_EQ(runs(), 1u) << "09:30 again";
    pass(hours(24));
    EXPECT_EQ(runs(), 2u);
}

TEST_F(Resilience, EveryGoesByMonotonicTime) {
    live(every(minutes(10)));
    pass(minutes(1));
    world.step_clock(-hours(24 * 365));
    pass(hours(1));
    EXPECT_EQ(runs(), 7u);
    world.step_clock(hours(24 * 365 * 2));
    pass(hours(1));
    EXPECT_EQ(runs(), 13u);
}

TEST_F(Resilience, AFullRunBesideTheQuickOnes) {
    auto link = every(hours(1));
    config::Rhythm full;
    full.kind = config::Rhythm::Kind::every;
    full.every = hours(4);
    link->config.schedule.full = full;
    live(link);
    pass(hours(8) + minutes(1));
    EXPECT_EQ(runs(), 9u) << "where they meet there is one run";
    const auto planned = house->engine->schedule("shop", 4).value();
    std::string kinds;
    for (const sync::PlannedRun& one : planned.runs) kinds += one.full ? 'f' : 'q';
    EXPECT_EQ(kinds, "qqqf");
}

TEST_F(Resilience, TheBreakerOpensProbesAndRunsWhatWasMissed) {
    live(every(minutes(1)));
    pass(minutes(1));
    answer_status = 500;
    pass(minutes(8));
    EXPECT_EQ(status().state, "waiting") << status().detail;
    EXPECT_EQ(status().breaker, "open");
    EXPECT_NE(status().detail.find("left alone until"), std::string::npos) << status().detail;
    const std::size_t failed = runs();
    asked.clear();
    live(every(minutes(1)));
    EXPECT_EQ(status().state, "waiting") << "it survives a restart";
    pass(hours(2));
    EXPECT_EQ(runs(), failed) << "probes are no runs";
    EXPECT_LT(asked.size(), 20u) << "ever more seldom";
    answer_status = 200;
    EXPECT_TRUE(world.run_until([&] { return runs() > failed; }, minutes(31)));
    pass(Milliseconds(500));
    EXPECT_EQ(status().state, "idle");
    EXPECT_EQ(status().breaker, "closed");
}

TEST_F(Resilience, ABreakerThatOpensInTheMiddleOfARunSurvivesItsCrash) {
    live(every(minutes(1)));
    pass(minutes(1));
    answer_status = 500;
    ASSERT_TRUE(
        world.run_until([&] { return status().breaker == "open" && status().current_run; }, minutes(9)));
    pass(Milliseconds(2));  // one commit; the run needs another one
    ASSERT_TRUE(status().current_run) << "the run is over: this proves nothing";
    live(every(minutes(1)));
    EXPECT_EQ(status().breaker, "open");
}

TEST_F(Resilience, ResettingTheBreakerTriesAtOnce) {
    live(every(minutes(1)));
    answer_status = 500;
    world.run_until([&] { return status().breaker == "open" && house->engine->running() == 0; }, hours(1));
    ASSERT_EQ(status().breaker, "open");
    answer_status = 200;
    const std::size_t before = runs();
    ASSERT_TRUE(house->engine->reset_breaker("shop"));
    pass(Milliseconds(500));
    EXPECT_EQ(runs(), before + 1);
    EXPECT_EQ(status().state, "idle");
    EXPECT_FALSE(house->engine->reset_breaker("shop")) << "it is not open";
}

TEST_F(Resilience, RecordsAndLimitsOpenNoBreaker) {
    auto link = every(minutes(1));
    link->config.supervision.suspend_after = 1000;
    live(link);
    for (const unsigned code : {404u, 422u, 429u}) {
        answer_status = code;
        const std::size_t before = runs();
        pass(minutes(30));
        EXPECT_GE(runs() - before, 29u) << code << ": nothing held the runs back";
        EXPECT_EQ(status().breaker, "closed") << code;
    }
}

TEST_F(Resilience, SuspendsAfterFailuresAndAProbeResumes) {
    auto link = every(minutes(1));
    link->config.supervision.suspend_after = 3;
    live(link);
    answer_status = 401;
    pass(minutes(10));
    EXPECT_EQ(status().state, "suspended");
    EXPECT_EQ(status().failures, 3u);
    EXPECT_FALSE(status().problems.empty());
    EXPECT_EQ(status().next_run, std::nullopt);
    const std::size_t before = runs();
    live(link);
    EXPECT_EQ(status().state, "suspended");
    answer_status = 200;
    EXPECT_TRUE(world.run_until([&] { return runs() > before; }, minutes(62))) << "the hourly probe";
    pass(Milliseconds(500));
    EXPECT_EQ(status().state, "idle");
}

TEST_F(Resilience, WhatAnOperatorSuspendedOnlyAnOperatorResumes) {
    const auto link = every(minutes(10));
    live(link);
    pass(minutes(1));
    ASSERT_TRUE(house->engine->suspend("shop"));
    pass(Milliseconds(20));
    live(link);
    house->engine->test("shop", [](const Result<std::string>&) {});
    pass(hours(5));
    EXPECT_EQ(runs(), 1u);
    EXPECT_EQ(status().state, "suspended");
    Result<std::int64_t> refused = 0;
    house->engine->trigger("shop", {}, [&](Result<std::int64_t> run) { refused = std::move(run); });
    pass(Milliseconds(20));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("liaisonctl integrations resume shop"), std::string::npos);
    ASSERT_TRUE(house->engine->resume("shop"));
    pass(Milliseconds(500));
    EXPECT_EQ(runs(), 2u) << "the missed slots, once";
    EXPECT_FALSE(house->engine->resume("shop"));
}

TEST_F(Resilience, SilenceIsAProblem) {
    auto link = every(minutes(10));
    link->config.supervision.suspend_after = 1000;
    live(link);
    pass(minutes(1));
    answer_status = 403;
    pass(minutes(20));
    EXPECT_TRUE(status().problems.empty());
    pass(minutes(15));
    ASSERT_EQ(status().problems.size(), 1u);
    EXPECT_EQ(status().problems[0].find("no success since 2026-03-01T08:00Z"), 0u) << status().problems[0];
    answer_status = 200;
    pass(minutes(15));
    EXPECT_TRUE(status().problems.empty());
}

TEST_F(Resilience, ListingsThatDryUpAreAProblem) {
    live(shop_link());
    sync::RunRequest full;
    full.full = true;
    house->run("shop", full);
    shop.names.clear();
    for (int i = 0; i < 2; ++i) house->run("shop", full);
    EXPECT_TRUE(status().problems.empty());
    house->run("shop", full);
    ASSERT_EQ(status().problems.size(), 1u);
    EXPECT_EQ(status().problems[0].find("fetches nothing any more: product"), 0u);
}

TEST_F(Resilience, ARateIsKeptAndAQuotaOutlivesARestart) {
    for (int id = 6; id <= 100; ++id) shop.names[id] = "Product " + std::to_string(id);
    auto link = every(minutes(30));
    link->config.limits.per_day = 25;
    link->config.limits.min_gap = Milliseconds(500);
    live(link);
    pass(minutes(5));
    EXPECT_EQ(asked.size(), 19u) << "ten pages, and nine looks at where the page before ended";
    for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 1], Milliseconds(470));
    live(link);
    pass(hours(8));
    EXPECT_EQ(asked.size(), 25u) << "a quota, not a failure";
    EXPECT_EQ(status().failures, 0u);
    EXPECT_EQ(status().breaker, "closed");
    EXPECT_NE(status().last_run->error.find("limits are used up"), std::string::npos);
    pass(hours(20));
    EXPECT_GT(asked.size(), 30u);
}

// Without Retry-After the usual backoff would ask again within a second.
TEST(Gates, A429WithoutRetryAfterIsWaitedOutAsConfigured) {
    World world{1};
    Shop shop;
    std::vector<Instant> asked;
    SimNetwork network{world, {{"http://shop.example:80", [&](const http::Request& request) {
                                    asked.push_back(world.now());
                                    http::Response refused;
                                    refused.status = 429;
                                    return asked.size() == 1 ? refused : shop(request);
                                }}}};
    TempDir directory;
    SimHouse house(world, network, directory.path());
    const auto link = shop_link();
    link->config.limits.pause_after_429 = Milliseconds(20'000);
    house.start({link});
    world.run_until([] { return false; }, Milliseconds(20));
    house.engine->trigger("shop", {}, [](Result<std::int64_t>) {});
    world.run_until([&] { return asked.size() >= 2; }, minutes(2));
    ASSERT_GE(asked.size(), 2u);
    EXPECT_GE(asked[1] - asked[0], Milliseconds(20'000));
}

TEST(Gates, AreSharedByScope) {
    World world{1};
    sync::Gates gates(world, world);
    const auto link = [](const std::string& id, const std::string& tenant, const std::string& secret,
                         config::Limits::Scope scope) {
        auto made = shop_link();
        made->config.id = id;
        made->config.tenant = tenant;
        made->config.credentials["token"] = {config::SecretSource::Kind::file, secret};
        made->config.limits.scope = scope;
        return made;
    };
    using Scope = config::Limits::Scope;
    EXPECT_NE(gates.of(*link("a", "t", "x", Scope::integration)),
              gates.of(*link("b", "t", "x", Scope::integration)));
    EXPECT_EQ(gates.of(*link("a", "t", "x", Scope::credential)),
              gates.of(*link("b", "t", "x", Scope::credential)));
    EXPECT_NE(gates.of(*link("a", "t", "x", Scope::credential)),
              gates.of(*link("b", "t", "y", Scope::credential)));
    EXPECT_NE(gates.of(*link("a", "t", "x", Scope::credential)),
              gates.of(*link("b", "u", "x", Scope::credential)));
    EXPECT_EQ(gates.of(*link("a", "t", "x", Scope::vendor)), gates.of(*link("b", "u", "y", Scope::vendor)));
    gates.release(sync::Gates::key_of(*link("a", "t", "x", Scope::vendor)));
    EXPECT_EQ(gates.size(), 5u);
}

TEST(Gates, TwoIntegrationsTogetherKeepTheLimitsOfTheirVendor) {
    World world{1};
    Shop shop;
    for (int id = 1; id <= 100; ++id) shop.names[id] = "Product";
    std::vector<Instant> asked;
    SimNetwork network{world, {{"http://shop.example:80", [&](const http::Request& request) {
                                    asked.push_back(world.now());
                                    return shop(request);
                                }}}};
    TempDir directory;
    SimHouse house(world, network, directory.path());
    const auto one = shop_link(), two = shop_link();
    two->config.id = two->instance.integration = "other";
    for (const auto& link : {one, two}) {
        link->config.limits.scope = config::Limits::Scope::vendor;
        link->config.limits.min_gap = Milliseconds(1000);
    }
    house.start({one, two});
    world.run_until([] { return false; }, Milliseconds(20));
    for (const char* id : {"shop", "other"}) house.engine->trigger(id, {}, [](Result<std::int64_t>) {});
    world.run_until([&] { return asked.size() >= 20; }, minutes(1));
    ASSERT_GE(asked.size(), 20u);
    for (std::size_t i = 1; i < 20; ++i) EXPECT_GE(asked[i] - asked[i - 1], Milliseconds(970));
}

TEST(Gates, ACancelledRunDoesNotWaitForItsTurn) {
    World world{1};
    Shop shop;
    SimNetwork network{world, {{"http://shop.example:80", [&](const http::Request& r) { return shop(r); }}}};
    TempDir directory;
    SimHouse house(world, network, directory.path());
    for (int id = 1; id <= 100; ++id) shop.names[id] = "Product";
    const auto link = shop_link();
    link->config.limits.min_gap = Milliseconds(25'000);
    house.start({link});
    world.run_until([] { return false; }, Milliseconds(20));
    std::int64_t run = 0;
    house.engine->trigger("shop", {}, [&](Result<std::int64_t> id) { run = id.value_or(-1); });
    world.run_until([&] { return network.requests == 1; }, minutes(1));
    world.run_until([] { return false; }, Milliseconds(500));
    ASSERT_TRUE(house.engine->cancel(run));
    EXPECT_TRUE(world.run_until([&] { return house.engine->running() == 0; }, Milliseconds(1000)));
    EXPECT_EQ(house.engine->status().at(0).failures, 0u) << "to be told to stop is no failure";
}

TEST_F(Resilience, RetryAfterHoldsEveryRequest) {
    live(every(minutes(1)));
    pass(minutes(1) - Milliseconds(100));
    answer_status = 429;
    retry_after = "600";
    pass(minutes(1));
    const std::size_t before = asked.size();
    answer_status = 200;
    retry_after.clear();
    pass(minutes(8));
    EXPECT_EQ(asked.size(), before);
    pass(minutes(4));
    EXPECT_GT(asked.size(), before);
}

TEST_F(Resilience, RepetitionsHaveABudget) {
    for (int id = 6; id <= 2000; ++id) shop.names[id] = "Product " + std::to_string(id);
    network.fail_every = 2;
    auto link = every(hours(24));
    link->config.supervision.breaker.failure_rate = 1;
    link->config.supervision.retry_budget = 0;
    link->config.retry.attempts = 5;
    link->config.retry.base = Milliseconds(10);
    live(link);
    world.run_until([&] { return status().last_run.has_value(); }, hours(1));
    EXPECT_FALSE(status().last_run->error.empty());
    EXPECT_EQ(network.requests - asked.size(), 11u) << "ten repetitions, and the one that was not repeated";
}

TEST_F(Resilience, TheScheduleIsShownWithTheReasons) {
    auto link = by_cron("10 2 * * *");
    link->tenant.timezone = "Europe/Paris";
    link->config.schedule.blackouts = {{std::nullopt, minutes(120), minutes(210), "02:00-03:30"}};
    live(link);
    const sync::PlannedRuns planned = house->engine->schedule("shop", 30).value();
    ASSERT_EQ(planned.runs.size(), 30u);
    EXPECT_EQ(planned.runs[0].why, "moved out of the blackout 02:00-03:30");
    EXPECT_EQ(planned.runs[0].offset, minutes(60));
    EXPECT_EQ(planned.runs[29].offset, minutes(120)) << "summer time since 29 March";
    EXPECT_EQ(format_instant(planned.runs[29].at), "2026-03-31T01:30:00.000Z");
    EXPECT_EQ(house->engine->schedule("nobody", 3).error().kind, ErrorKind::permanent);
}

TEST_F(Resilience, ARunCutShortByACrashGoesOnSoon) {
    const auto link = by_cron("0 9 * * *");
    for (int id = 6; id <= 200; ++id) shop.names[id] = "Product " + std::to_string(id);
    live(link);
    EXPECT_TRUE(world.run_until([&] { return asked.size() > 5; }, hours(2)));
    live(link);
    pass(minutes(1));
    EXPECT_EQ(runs(), 2u);
    EXPECT_EQ(status().last_run->status, store::RunStatus::success);
    EXPECT_EQ(status().last_run->trigger, "retry") << "the slot itself was used";
}

}  // namespace
}  // namespace liaisond::sync_test
