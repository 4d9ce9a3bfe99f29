// Alerts over days in virtual time: opened once, counted, resolved by the rule that found them, and what
// people make of them.
#include <gtest/gtest.h>

#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class AlertRules : public testing::Test {
  protected:
    World world{1};
    Shop shop;
    unsigned answer_status = 200;
    SimNetwork network{world, {{"http://shop.example:80", [this](const http::Request& request) {
                                    return answer_status == 200 ? shop(request)
                                                                : answer_json(answer_status, {});
                                }}}};
    TempDir directory;
    std::unique_ptr<SimHouse> house;

    void SetUp() override {
        for (int id = 1; id <= 5; ++id) shop.names[id] = "Product " + std::to_string(id);
    }
    void live(const std::vector<std::shared_ptr<sync::Link>>& links) {
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        house->start(links);
        pass(Milliseconds(50));
    }
    static std::shared_ptr<sync::Link> every(Milliseconds duration) {
        auto link = shop_link();
        link->config.schedule.kind = config::Schedule::Kind::every;
        link->config.schedule.every = duration;
        link->config.schedule.usual = duration;
        link->config.retry.attempts = 1;
        return link;
    }
    void pass(Milliseconds time) {
        world.run_until([] { return false; }, time);
    }
    void run() {
        house->run("shop");
        pass(Milliseconds(50));  // what it found is written behind it
    }
    std::vector<store::Alert> alerts(const std::string& state = {}, const std::string& kind = {}) {
        store::Filter filter;
        filter.status = state;
        filter.kind = kind;
        return house->store.database().alerts(filter).value();
    }
    std::string kinds(const std::string& state = "unresolved") {
        std::string made;
        for (const store::Alert& one : alerts(state)) made = one.kind + " " + made;
        return made;
    }
};

TEST_F(AlertRules, FailuresOpenOneThatIsCountedAndEndsByItself) {
    auto link = every(minutes(10));
    link->config.supervision.suspend_after = 1000;
    link->config.supervision.expect_success_within = hours(1000);
    live({link});
    answer_status = 422;
    pass(minutes(50));
    EXPECT_EQ(kinds(), "") << "five failures are not more than five";
    pass(minutes(10));
    ASSERT_EQ(kinds(), "failures ");
    const store::Alert opened = alerts().at(0);
    EXPECT_EQ(opened.integration, "shop");
    EXPECT_EQ(opened.tenant, "house");
    EXPECT_EQ(opened.severity, store::Severity::warning);
    pass(minutes(40));
    ASSERT_EQ(alerts().size(), 1u);
    EXPECT_EQ(alerts().at(0).count, opened.count + 4);
    EXPECT_EQ(alerts().at(0).opened, opened.opened);
    EXPECT_GT(alerts().at(0).last, opened.last);
    answer_status = 200;
    pass(hours(20));
    EXPECT_EQ(kinds(), "failures ") << "they were within a day";
    pass(hours(6));
    EXPECT_EQ(kinds(), "");
    ASSERT_EQ(kinds("resolved"), "failures ");
    EXPECT_NE(to_unix_ms(alerts().at(0).resolved), 0);
}

TEST_F(AlertRules, ARestartNeitherDoublesNorForgets) {
    auto link = every(minutes(10));
    link->config.supervision.suspend_after = 3;
    live({link});
    answer_status = 401;
    pass(minutes(45));
    EXPECT_EQ(kinds(), "suspended no_success ");
    const std::int64_t count = alerts("", "suspended").at(0).count;
    live({link});
    EXPECT_EQ(kinds(), "suspended no_success ");
    EXPECT_EQ(alerts("", "suspended").at(0).count, count) << "nothing happened";
    live({});
    EXPECT_EQ(kinds(), "") << "who is no longer configured needs nobody";
}

TEST_F(AlertRules, WhatHasNeverRunAndWhatStoppedAreTold) {
    auto link = every(hours(1));
    link->config.schedule.kind = config::Schedule::Kind::manual;
    link->config.supervision.expect_success_within = hours(2);
    live({link});
    pass(hours(2) - minutes(1));
    EXPECT_EQ(kinds(), "");
    pass(minutes(2));
    EXPECT_EQ(kinds(), "never_ran ");
    run();
    EXPECT_EQ(kinds(), "");
    pass(hours(2) + minutes(1));
    EXPECT_EQ(kinds(), "no_success ");
    EXPECT_EQ(alerts("unresolved").at(0).severity, store::Severity::critical);
}

TEST_F(AlertRules, AnOpenBreakerIsOneAsLongAsItIsOpen) {
    auto link = every(minutes(1));
    link->config.supervision.expect_success_within = hours(1000);
    link->config.supervision.suspend_after = 1000;
    live({link});
    answer_status = 500;
    ASSERT_TRUE(world.run_until([&] { return kinds().find("breaker_open") == 0; }, minutes(10)));
    answer_status = 200;
    ASSERT_TRUE(world.run_until([&] { return kinds("resolved").find("breaker_open") == 0; }, minutes(40)));
    EXPECT_EQ(alerts("", "breaker_open").size(), 1u);
}

TEST_F(AlertRules, DeadLettersAreNewsForADay) {
    live({every(hours(12))});
    shop.names[6] = std::string(5000, 'x');  // longer than a name may be
    run();
    ASSERT_EQ(kinds(), "dead_letters ");
    EXPECT_NE(alerts().at(0).text.find("1 record was refused and waits"), std::string::npos)
        << alerts().at(0).text;
    pass(hours(25));
    EXPECT_EQ(kinds(), "") << "nobody added to them";
    shop.names[7] = std::string(5000, 'y');
    run();
    EXPECT_EQ(kinds(), "dead_letters ");
    EXPECT_EQ(alerts("", "dead_letters").size(), 2u);
}

TEST_F(AlertRules, RunsThatTakeLongerThanTheirRhythmAreLate) {
    auto link = every(minutes(10));
    link->config.limits.min_gap = Milliseconds(25'000);
    link->config.timeouts.run = hours(10);
    live({link});
    for (int id = 6; id <= 500; ++id) shop.names[id] = "Product " + std::to_string(id);
    ASSERT_TRUE(world.run_until([&] { return kinds().find("schedule_lag") != std::string::npos; }, hours(4)));
    for (int id = 2; id <= 500; ++id) shop.names.erase(id);
    EXPECT_TRUE(world.run_until([&] { return kinds("resolved").find("schedule_lag") != std::string::npos; },
                                hours(8)));
}

TEST_F(AlertRules, PeopleAcknowledgeAndResolve) {
    auto link = every(minutes(10));
    link->config.supervision.suspend_after = 1000;
    live({link});
    answer_status = 403;
    pass(minutes(45));
    ASSERT_EQ(kinds(), "no_success ");
    const std::int64_t id = alerts().at(0).id;
    ASSERT_TRUE(house->store.database().acknowledge_alert(id, "marie"));
    pass(minutes(10));
    EXPECT_EQ(alerts().at(0).state, store::AlertState::acknowledged) << "counting does not open it again";
    EXPECT_EQ(alerts().at(0).acknowledged_by, "marie");
    ASSERT_TRUE(house->store.database().resolve_alert(id, world.now()));
    EXPECT_EQ(alerts("unresolved", "no_success").size(), 0u);
    pass(minutes(10));
    ASSERT_EQ(alerts("unresolved", "no_success").size(), 1u) << "it still is so";
    EXPECT_NE(alerts("unresolved", "no_success").at(0).id, id);
}

TEST_F(AlertRules, ADisabledIntegrationNeedsNobody) {
    auto link = every(minutes(10));
    live({link});
    answer_status = 403;
    pass(minutes(45));
    ASSERT_NE(kinds(), "");
    auto disabled = every(minutes(10));
    disabled->config.enabled = false;
    disabled->config.fingerprint = "another";
    house->engine->configure({disabled});
    pass(minutes(1));
    EXPECT_EQ(kinds(), "");
}

}  // namespace
}  // namespace liaisond::sync_test
