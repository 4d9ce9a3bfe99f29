// What becomes of events from the inbox, in virtual time. The connector does what its events say
// (tests/abi/webhook_sample.cpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "paths.hpp"
#include "sync/decisions.hpp"
#include "sync/engine.hpp"
#include "sync/event_job.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

using namespace std::chrono_literals;
using store::EventState;

// An integration that is told of products.
std::shared_ptr<sync::Link> teller_link() {
    auto link = make_link("teller", "{}", true, "http://teller.example");
    link->instance = {paths::test_plugin("webhook_sample.so"), "house", "teller",
                      R"({"connector":"webhook_sample","settings":{}})", plugin::Isolation::none};
    link->config.connector = "webhook_sample";
    link->config.page_size = 100;
    link->config.retry.attempts = 3;
    link->can_find = link->can_test = link->can_pull = false;
    link->takes_events = true;
    return link;
}

std::string product(const std::string& key, const std::string& name, const std::string& version = "",
                    std::int64_t changed_ms = 0) {
    return json::serialize(json::object{{"entity", "product"},
                                        {"key", key},
                                        {"version", version},
                                        {"changed_ms", changed_ms},
                                        {"payload", {{"name", name}, {"sku", "S" + key}}}});
}

std::string body(const std::string& records, const std::string& then = "updated") {
    return R"({"records":[)" + records + R"(],"then":")" + then + R"("})";
}

class Events : public testing::Test {
  protected:
    store::Database& database() { return house.store.database(); }
    // As the endpoint does: into the inbox, and tell.
    void put(const std::string& id, const std::string& body, const std::string& integration = "teller") {
        store::InboxEvent event;
        event.tenant = "house";
        event.integration = integration;
        event.event_id = id;
        event.headers = "{}";
        event.body = body;
        event.received = event.next_at = world.now();
        ASSERT_TRUE(database().add_event(event).value());
    }
    void tell(const std::string& integration = "teller") { house.engine->events_arrived(integration); }
    store::InboxEvent event(const std::string& id) {
        store::Filter filter;
        filter.key = id;
        return database().inbox(filter).value().at(0);
    }
    std::size_t waiting() {
        store::Filter filter;
        filter.status = "waiting";
        filter.limit = 10'000;
        return database().inbox(filter).value().size();
    }
    bool quiet_within(Milliseconds time) {
        return world.run_until([&] { return waiting() == 0 && house.engine->running() == 0; }, time);
    }
    void pass(Milliseconds time) {
        (void)world.run_until([] { return false; }, time);
    }
    // Of the record that the key is mapped to; empty: there is none.
    std::string name_of(const std::string& sku) {
        store::Filter filter;
        filter.limit = 1000;
        const auto rows = database().records(filter).value();
        for (const store::RecordRow& row : rows) {
            const json::object payload = json::parse(row.payload).as_object();
            if (payload.at("sku").as_string() == sku && !row.deleted)
                return std::string(payload.at("name").as_string());
        }
        return {};
    }
    std::vector<store::Run> runs() {
        store::Filter filter;
        filter.limit = 1000;
        return database().runs(filter).value();
    }
    std::vector<store::DeadLetter> letters() { return database().dead_letters({}).value(); }
    sync::IntegrationStatus status(const std::string& id = "teller") {
        for (const sync::IntegrationStatus& one : house.engine->status()) {
            if (one.id == id) return one;
        }
        return {};
    }

    World world{3};
    std::shared_ptr<Shop> shop = std::make_shared<Shop>();
    std::shared_ptr<Office> office = std::make_shared<Office>();
    SimNetwork network{world,
                       {{"http://shop.example:80", [this](const http::Request& r) { return (*shop)(r); }},
                        {"http://office.example:80", [this](const http::Request& r) { return (*office)(r); }},
                        {"http://teller.example:80",
                         [](const http::Request&) { return answer_json(200, json::object()); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
};

TEST_F(Events, AreInTheHubWithinASecond) {
    house.start({teller_link()});
    pass(1s);
    put("e1", body(product("1", "Towel")));
    tell();
    EXPECT_TRUE(world.run_until([&] { return name_of("S1") == "Towel"; }, 1s));
    ASSERT_TRUE(quiet_within(1s));
    EXPECT_EQ(event("e1").state, EventState::done);
    EXPECT_EQ(event("e1").attempts, 1u);
    const store::Run run = runs().at(0);
    EXPECT_EQ(run.trigger, "webhook");
    EXPECT_EQ(run.status, store::RunStatus::success) << run.error;
}

TEST_F(Events, AreExportedToWhoeverWantsChangesSoon) {
    auto books = office_link();
    books->config.entities[0].on_change = true;
    books->config.entities[0].debounce = 1s;
    house.start({teller_link(), books});
    pass(1s);
    put("e1", body(product("1", "Towel")));
    tell();
    EXPECT_TRUE(world.run_until([&] { return office->rows.size() == 1; }, 5s));
}

TEST_F(Events, ThatArriveTogetherShareARun) {
    house.start({teller_link()});
    pass(1s);
    for (int i = 1; i <= 150; ++i) {
        put("e" + std::to_string(i), body(product(std::to_string(i), "Towel")));
        tell();
    }
    ASSERT_TRUE(quiet_within(5s));
    EXPECT_EQ(database().count_records("house", "product").value(), 150);
    EXPECT_LE(runs().size(), 2u) << "one run in flight, and one for what came meanwhile";
}

TEST_F(Events, ThatWaitWhenTheDaemonStartsAreTakenIn) {
    put("e1", body(product("1", "Towel")));
    house.start({teller_link()});
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "Towel");
}

TEST_F(Events, AnOlderStateNeverReplacesANewerOne) {
    house.start({teller_link()});
    pass(1s);
    const auto arrives = [&](const std::string& id, const std::string& record) {
        put(id, body(record));
        tell();
        ASSERT_TRUE(quiet_within(2s));
    };
    arrives("e1", product("1", "Nine", "9"));
    arrives("e2", product("1", "Ten", "10"));
    arrives("e3", product("1", "Eight", "8"));
    EXPECT_EQ(name_of("S1"), "Ten") << "versions are compared as numbers";
    EXPECT_EQ(event("e3").state, EventState::done);

    arrives("e4", product("2", "Late", "", 2'000));
    arrives("e5", product("2", "Early", "", 1'000));
    EXPECT_EQ(name_of("S2"), "Late") << "so are times of change";
    arrives("e6", product("2", "Later", "", 3'000));
    EXPECT_EQ(name_of("S2"), "Later");

    arrives("e7", product("3", "First", "abc"));
    arrives("e8", product("3", "Second", "abb"));
    EXPECT_EQ(name_of("S3"), "Second") << "markers that cannot be compared: in the order of arrival";
}

TEST_F(Events, StatesOfOneRecordInOneBatchAreTakenInTheirOrder) {
    house.start({teller_link()});
    pass(1s);
    put("e1", body(product("1", "New", "3")));
    put("e2", body(product("1", "Old", "1")));
    put("e3", body(product("1", "Middle", "2") + "," + product("2", "Other")));
    tell();
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "New");
    EXPECT_EQ(name_of("S2"), "Other");
    EXPECT_EQ(runs().size(), 1u);
}

TEST_F(Events, WhatChangesARecordThatIsNotThereIsToldToTheConnectorAlone) {
    house.start({teller_link()});
    pass(1s);
    const std::string patch =
        R"({"entity":"product","key":"1","version":"2","payload":{"$partial":true,"name":"Patched"}})";
    put("e1", body(patch));
    tell();
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(database().count_records("house", "product").value(), 0);
    EXPECT_TRUE(letters().empty());
    put("e2", body(product("1", "Whole", "1")));
    put("e3", body(patch));
    tell();
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "Patched") << "the SKU is still there, which the patch does not tell";
}

TEST_F(Events, ARefusedEventBecomesADeadLetterAndCanBeReplayed) {
    house.start({teller_link()});
    pass(1s);
    put("e1", R"({"then":"rejected","text":"no such shop","card":"4111111111111111"})");
    put("e2", R"({"then":"ignored"})");
    tell();
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(event("e1").state, EventState::dead);
    EXPECT_EQ(event("e1").error, "no such shop");
    EXPECT_EQ(event("e2").state, EventState::ignored);
    ASSERT_EQ(letters().size(), 1u);
    const store::DeadLetter letter = letters().at(0);
    EXPECT_EQ(letter.key, "e1");
    EXPECT_EQ(letter.reason, "event");
    EXPECT_EQ(letter.message, "no such shop");
    EXPECT_EQ(letter.direction, store::Direction::import);
    EXPECT_EQ(letter.payload.find("4111111111111111"), std::string::npos) << letter.payload;
    EXPECT_EQ(runs().at(0).status, store::RunStatus::partial);

    ASSERT_TRUE(sync::replay_event(database(), letter, world.now()));
    EXPECT_TRUE(letters().empty());
    EXPECT_EQ(event("e1").state, EventState::waiting);
    tell();
    ASSERT_TRUE(quiet_within(2s));
    EXPECT_EQ(event("e1").state, EventState::dead);
    EXPECT_EQ(letters().size(), 1u);
}

TEST_F(Events, AreTriedAgainAndGivenUpAfterTheConfiguredAttempts) {
    house.start({teller_link()});
    pass(1s);
    put("e1", R"({"then":"retry","text":"the shop is not ready"})");
    put("e2", R"({"then":"nothing"})");
    tell();
    EXPECT_TRUE(world.run_until([&] { return event("e1").attempts == 1; }, 2s));
    EXPECT_EQ(event("e1").state, EventState::waiting);
    EXPECT_EQ(event("e1").error, "the shop is not ready");
    EXPECT_GT(event("e1").next_at, world.now());
    ASSERT_TRUE(quiet_within(1min)) << "by itself, with nobody telling";
    EXPECT_EQ(event("e1").state, EventState::dead);
    EXPECT_EQ(event("e1").attempts, 3u);
    EXPECT_EQ(event("e2").error, "given up after 3 attempts: the connector did not answer this event");
    EXPECT_EQ(letters().size(), 2u);
}

TEST_F(Events, APoisonousOneDoesNotHoldTheOthers) {
    house.start({teller_link()});
    pass(1s);
    put("e1", body(product("1", "One")));
    put("e2", R"({"then":"throw"})");
    put("e3", body(product("3", "Three"), "throw-late"));
    put("e4", body(product("4", "Four")));
    put("e5", R"({"then":"fail","kind":6,"text":"this never works"})");
    tell();
    EXPECT_TRUE(world.run_until([&] { return !name_of("S4").empty(); }, 2s));
    ASSERT_TRUE(quiet_within(1min));
    for (const char* good : {"e1", "e4"}) EXPECT_EQ(event(good).state, EventState::done) << good;
    for (const char* bad : {"e2", "e3", "e5"}) EXPECT_EQ(event(bad).state, EventState::dead) << bad;
    EXPECT_EQ(event("e2").attempts, 3u) << "a crash may have been the machine's";
    EXPECT_EQ(event("e5").attempts, 1u) << "no use in trying that again";
    EXPECT_EQ(name_of("S3"), "Three") << "what was stored before the crash stays";
    EXPECT_EQ(letters().size(), 3u);
    EXPECT_EQ(status().failures, 0u) << "events are no reason to suspend the integration";
}

TEST_F(Events, AVendorThatIsDownCostsNoEvent) {
    house.start({teller_link()});
    pass(1s);
    network.down = true;
    for (int i = 1; i <= 20; ++i) {
        put("e" + std::to_string(i),
            R"({"get":"http://teller.example/x","records":[)" + product(std::to_string(i), "Towel") + "]}");
    }
    tell();
    pass(2h);
    EXPECT_EQ(waiting(), 20u);
    EXPECT_TRUE(letters().empty());
    EXPECT_LT(runs().size(), 100u) << "and it is left in peace";
    network.down = false;
    EXPECT_TRUE(world.run_until([&] { return waiting() == 0; }, 2h));
    EXPECT_EQ(database().count_records("house", "product").value(), 20);
}

TEST_F(Events, DoNotWaitForAClockThatWasWrong) {
    store::InboxEvent event;
    event.tenant = "house";
    event.integration = "teller";
    event.event_id = "e1";
    event.headers = "{}";
    event.body = body(product("1", "Towel"));
    event.received = event.next_at = world.now() + std::chrono::hours(24 * 365);
    ASSERT_TRUE(database().add_event(event).value());
    house.start({teller_link()});
    EXPECT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "Towel");
}

TEST_F(Events, WaitWhileTheIntegrationIsSuspended) {
    house.start({teller_link()});
    pass(1s);
    ASSERT_TRUE(house.engine->suspend("teller"));
    put("e1", body(product("1", "Towel")));
    tell();
    pass(1h);
    EXPECT_EQ(event("e1").state, EventState::waiting);
    EXPECT_EQ(event("e1").attempts, 0u);
    ASSERT_TRUE(house.engine->resume("teller"));
    EXPECT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "Towel");
}

TEST_F(Events, WaitWhileTheIntegrationIsDisabled) {
    auto off = teller_link();
    off->config.enabled = false;
    off->config.fingerprint = "off";
    house.start({off});
    pass(1s);
    put("e1", body(product("1", "Towel")));
    tell();
    pass(1min);
    EXPECT_EQ(event("e1").state, EventState::waiting);
    house.engine->configure({teller_link()});
    EXPECT_TRUE(quiet_within(2s));
    EXPECT_EQ(name_of("S1"), "Towel");
}

TEST_F(Events, AreOnlyAHintWhereTheConnectorTakesNone) {
    shop->names[1] = "Towel";
    house.start({shop_link()});
    pass(1s);
    put("e1", "whatever", "shop");
    put("e2", "whatever", "shop");
    tell("shop");
    EXPECT_TRUE(world.run_until([&] { return name_of("S1") == "Towel"; }, 2s));
    ASSERT_TRUE(quiet_within(1s));
    EXPECT_EQ(event("e1").state, EventState::done);
    ASSERT_EQ(runs().size(), 1u);
    EXPECT_EQ(runs().at(0).trigger, "hint");
    shop->names[1] = "Sheet";
    put("e3", "whatever", "shop");
    tell("shop");
    EXPECT_TRUE(world.run_until([&] { return name_of("S1") == "Sheet"; }, 2s));
}

TEST_F(Events, MayAskForAPullOfEntities) {
    auto link = shop_link();
    link->instance = teller_link()->instance;
    link->takes_events = true;
    link->can_pull = false;
    house.start({link});
    pass(1s);
    put("e1", R"({"changed":["product","x_unknown"]})", "shop");
    tell("shop");
    ASSERT_TRUE(quiet_within(2s));
    pass(1s);
    std::multiset<std::string> triggers;
    for (const store::Run& run : runs()) triggers.insert(run.trigger);
    EXPECT_EQ(triggers, (std::multiset<std::string>{"hint", "webhook"}));
    EXPECT_EQ(database().state("hints", "shop").value(), "");
}

// New, modified and cancelled, by the connector `webhook` and the settings of its example.
TEST_F(Events, OfAReservationMayArriveInAnyOrder) {
    std::ifstream file(paths::source("plugins/webhook/scripts/reservations.json"));
    std::stringstream config;
    config << file.rdbuf();
    auto link = teller_link();
    link->instance.library = paths::plugin("webhook.so");
    link->instance.config = config.str();
    link->config.connector = "webhook";
    link->config.entities[0].name = "reservation";
    house.start({link});
    pass(1s);
    const std::string common = R"("state":"BOOKED","arrival":"2026-07-01","total":"420")";
    const std::array<std::pair<std::string, std::string>, 3> told{
        std::pair<std::string, std::string>{"new_reservation",
                                            R"("revision":1,"departure":"2026-07-04",)" + common},
        {"modified_reservation", R"("revision":2,"departure":"2026-07-06",)" + common},
        {"cancelled_reservation", R"("revision":3,"updated":"2026-03-01T11:00:00Z")"}};
    std::array<std::size_t, 3> order{0, 1, 2};
    int number = 0;
    do {
        ++number;
        for (const std::size_t which : order) {
            store::InboxEvent event;
            event.tenant = "house";
            event.integration = "teller";
            event.event_id = std::to_string(number) + " " + std::to_string(which);
            event.headers = json::serialize(json::object{{"X-Event", told[which].first}});
            event.body =
                R"({"reservation":{"id":"R-)" + std::to_string(number) + R"(",)" + told[which].second + "}}";
            event.received = event.next_at = world.now();
            ASSERT_TRUE(database().add_event(event).value());
            tell();
            pass(200ms);
        }
    } while (std::next_permutation(order.begin(), order.end()));
    ASSERT_TRUE(quiet_within(1min));
    EXPECT_TRUE(letters().empty());
    const auto rows = database().records({}).value();
    ASSERT_EQ(rows.size(), 6u);
    for (const store::RecordRow& row : rows) {
        const json::object payload = json::parse(row.payload).as_object();
        EXPECT_EQ(payload.at("status"), "cancelled") << row.payload;
        EXPECT_EQ(payload.at("arrival_date"), "2026-07-01") << row.payload;
    }
}

// Every moment at which the daemon may die, one after the other.
TEST(EventCrashes, LoseNothingAndStoreNothingTwice) {
    for (int death = 1; death <= 40; ++death) {
        TempDir directory;
        World world{static_cast<std::uint64_t>(death)};
        SimNetwork network{world, {}};
        int passes = 0;
        bool dead = false;
        {
            SimHouse house{world, network, directory.path()};
            for (int i = 1; i <= 3; ++i) {
                store::InboxEvent event;
                event.tenant = "house";
                event.integration = "teller";
                event.event_id = "e" + std::to_string(i);
                event.headers = "{}";
                event.body = i == 3 ? R"({"then":"rejected","text":"no"})"
                                    : body(product(std::to_string(i), "Towel", "1"));
                event.received = event.next_at = world.now();
                ASSERT_TRUE(house.store.database().add_event(event).value());
            }
            house.store.dies_at = [&](std::string_view) { return dead = dead || ++passes == death; };
            house.start({teller_link()});
            (void)world.run_until([&] { return dead; }, 1min);
        }
        SimHouse again{world, network, directory.path()};
        again.start({teller_link()});
        store::Database& database = again.store.database();
        const auto settled = [&] {
            store::Filter waiting;
            waiting.status = "waiting";
            return database.inbox(waiting).value().empty() && again.engine->running() == 0;
        };
        ASSERT_TRUE(world.run_until(settled, 1min)) << "death " << death;
        EXPECT_EQ(database.count_records("house", "product").value(), 2) << "death " << death;
        EXPECT_EQ(database.dead_letters({}).value().size(), 1u) << "death " << death;
        store::Filter dead_events;
        dead_events.status = "dead";
        EXPECT_EQ(database.inbox(dead_events).value().size(), 1u) << "death " << death;
        if (!dead) return;
    }
    FAIL() << "there were more moments than expected";
}

}  // namespace
}  // namespace liaisond::sync_test
