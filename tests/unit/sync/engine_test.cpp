#include "sync/engine.hpp"

#include <gtest/gtest.h>

#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

struct Vendors {
    std::shared_ptr<Shop> shop = std::make_shared<Shop>();
    std::shared_ptr<Office> office = std::make_shared<Office>();
    std::map<std::string, Vendor> map() const {
        return {
            {"http://shop.example:80", [shop = shop](const http::Request& r) { return (*shop)(r); }},
            {"http://office.example:80", [office = office](const http::Request& r) { return (*office)(r); }}};
    }
};

std::map<std::string, std::string> names_in_hub(store::Database& database) {
    std::map<std::string, std::string> names;  // by SKU
    store::Filter filter;
    filter.limit = 1000;
    const auto rows = database.records(filter).value();
    for (const store::RecordRow& row : rows) {
        const json::object payload = json::parse(row.payload).as_object();
        names[std::string(payload.at("sku").as_string())] = std::string(payload.at("name").as_string());
    }
    return names;
}

std::map<std::string, std::string> names_in(const Shop& shop) {
    std::map<std::string, std::string> names;
    for (const auto& [id, name] : shop.names) names["S" + std::to_string(id)] = name;
    return names;
}

std::multiset<std::string> names_in(const Office& office) {
    std::multiset<std::string> names;
    for (const auto& [id, row] : office.rows) names.insert(row.name);
    return names;
}

std::multiset<std::string> values_of(const std::map<std::string, std::string>& names) {
    std::multiset<std::string> values;
    for (const auto& [sku, name] : names) values.insert(name);
    return values;
}

void fill(Shop& shop, int count) {
    for (int id = 1; id <= count; ++id) shop.names[id] = "Product " + std::to_string(id);
}

// One house, one shop, one office, one network.
class Engine : public testing::Test {
  protected:
    World world{1};
    Vendors vendors;
    SimNetwork network{world, vendors.map()};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
};

TEST_F(Engine, ImportsThenFindsEverythingUnchanged) {
    fill(*vendors.shop, 35);
    house.start({shop_link()});
    const store::Run first = house.run("shop");
    EXPECT_EQ(first.status, store::RunStatus::success) << first.error;
    EXPECT_EQ(first.entities.at(0).counters, (store::Counters{35, 35, 0, 0, 0, 0, 0}));
    EXPECT_EQ(names_in_hub(house.store.database()), names_in(*vendors.shop));

    vendors.shop->names[7] = "Renamed";
    sync::RunRequest full;
    full.full = true;
    const store::Run second = house.run("shop", full);
    EXPECT_EQ(second.entities.at(0).counters, (store::Counters{35, 0, 1, 0, 34, 0, 0}));
    EXPECT_EQ(names_in_hub(house.store.database()).at("S7"), "Renamed");
}

TEST_F(Engine, ExportsWhatIsNewOrChangedAndNothingElse) {
    fill(*vendors.shop, 20);
    house.start({shop_link(), office_link()});
    house.run("shop");
    EXPECT_EQ(house.run("office").entities.at(0).counters.exported, 20);
    EXPECT_EQ(names_in(*vendors.office), values_of(names_in(*vendors.shop)));

    const std::uint64_t before = network.requests;
    EXPECT_EQ(house.run("office").entities.at(0).counters.exported, 0);
    EXPECT_EQ(network.requests, before) << "an export without news asks nothing of the vendor";

    vendors.shop->names[3] = "Renamed";
    house.run("shop");
    EXPECT_EQ(house.run("office").entities.at(0).counters.exported, 1);
    EXPECT_EQ(names_in(*vendors.office), values_of(names_in(*vendors.shop)));
}

TEST_F(Engine, ALostAnswerMakesNoDuplicate) {
    fill(*vendors.shop, 40);
    house.start({shop_link(), office_link()});
    house.run("shop");
    network.lose_answer = 0.3;
    house.run("office");
    const auto quiet = [&] {
        return house.engine->running() == 0 && house.store.database().intents({}).value().empty();
    };
    EXPECT_TRUE(world.run_until(quiet, std::chrono::hours(12)));
    EXPECT_EQ(vendors.office->rows.size(), 40u);
    EXPECT_EQ(names_in(*vendors.office), values_of(names_in(*vendors.shop)));
}

// The vendor executes what it was sent before the crash when a newer version may be there already.
TEST_F(Engine, AnUpdateThatACrashCutShortDoesNotUndoANewerOne) {
    vendors.shop->names[1] = "Tea";
    bool is_late = false;
    SimNetwork slow(
        world, {{"http://shop.example:80", [this](const http::Request& r) { return (*vendors.shop)(r); }},
                {"http://office.example:80", [&](const http::Request& r) {
                     if (!is_late || r.method != "PUT") return (*vendors.office)(r);
                     is_late = false;  // executed when the daemon is there again
                     return http::Response();
                 }}});
    TempDir folder;
    {
        SimHouse first(world, slow, folder.path());
        first.start({shop_link(), office_link()});
        first.run("shop");
        first.run("office");
        vendors.shop->names[1] = "Green tea";
        first.run("shop");
        is_late = true;
        first.engine->trigger("office", {}, [](Result<std::int64_t>) {});
        world.run_until([&] { return !is_late; }, std::chrono::seconds(10));
    }
    world.after(std::chrono::seconds(30), [this, office = vendors.office] {
        for (auto& [id, row] : office->rows) row.name = "Green tea";
    });
    SimHouse second(world, slow, folder.path());
    second.start({shop_link(), office_link()});
    vendors.shop->names[1] = "White tea";
    second.run("shop");
    second.run("office");
    world.run_until([] { return false; }, std::chrono::minutes(10));
    EXPECT_EQ(names_in(*vendors.office), std::multiset<std::string>{"White tea"});
    EXPECT_TRUE(second.store.database().intents({}).value().empty());
}

// What reads the clock again is ahead of what went by its first reading: by a millisecond through rounding,
// and here by more, because runs of the simulation take that long to look for what is due.
class RoundedClock final : public Clock {
  public:
    explicit RoundedClock(const Clock& machine) : machine_(machine) {}
    Instant now() const override { return machine_.now() + Milliseconds(readings_++ == 0 ? 0 : 500); }
    std::chrono::nanoseconds monotonic() const override { return machine_.monotonic(); }

  private:
    const Clock& machine_;
    mutable int readings_ = 0;
};

TEST_F(Engine, WhatIsInDoubtIsTakenUpWhenItIsDueThoughTheSchedulerIsAhead) {
    fill(*vendors.shop, 1);
    const RoundedClock clock(world);
    const SystemTimeZones zones;
    house.engine = std::make_unique<sync::Engine>(
        sync::Ports{clock, zones, world, world, network, house.store, house.runtime, house.secrets},
        sync::CanonicalSchemas::embedded());
    house.start({shop_link(), office_link()});
    house.run("shop");
    network.lose_answer = 1;
    house.run("office");
    network.lose_answer = 0;
    const auto settled = [&] { return house.store.database().intents({}).value().empty(); };
    EXPECT_TRUE(world.run_until(settled, Milliseconds(65'000))) << "60 s after the send";
    EXPECT_EQ(vendors.office->rows.size(), 1u);
    house.engine.reset();  // before its clock
}

TEST_F(Engine, ABlindVendorIsNeverAskedTwice) {
    fill(*vendors.shop, 40);
    auto office = office_link();
    office->effects["product"] = sync::EffectClass::blind;
    house.start({shop_link(), office});
    house.run("shop");
    network.lose_answer = 0.3;
    house.run("office");
    world.run_until([] { return false; }, std::chrono::hours(12));
    EXPECT_EQ(vendors.office->rows.size(), 40u);
    store::Filter filter;
    filter.limit = 100;
    const auto open = house.store.database().intents(filter).value();
    EXPECT_FALSE(open.empty()) << "with 30 % of the answers lost some must be in doubt";
    for (const store::Intent& intent : open) EXPECT_EQ(intent.state, store::IntentState::in_doubt);
}

TEST_F(Engine, AVendorThatIsDownIsTriedAgainByItself) {
    fill(*vendors.shop, 5);
    network.down = true;
    house.start({shop_link()});
    const store::Run failed = house.run("shop");
    EXPECT_EQ(failed.status, store::RunStatus::failed);
    EXPECT_NE(failed.error.find("importing product failed"), std::string::npos) << failed.error;
    network.down = false;
    EXPECT_TRUE(world.run_until([&] { return names_in_hub(house.store.database()).size() == 5; },
                                std::chrono::hours(1)));
}

TEST_F(Engine, OneRunAtATimeAndOneFollowUp) {
    fill(*vendors.shop, 5);
    house.start({shop_link()});
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 5; ++i)
        house.engine->trigger("shop", {},
                              [&ids](Result<std::int64_t> run) { ids.push_back(run.value_or(-1)); });
    world.run_until([&] { return ids.size() == 5 && house.engine->running() == 0; }, std::chrono::hours(1));
    ASSERT_EQ(ids.size(), 5u);
    EXPECT_EQ(std::set<std::int64_t>(ids.begin(), ids.end()).size(), 2u)
        << "the run itself, and one behind it for all the others";
}

// Asks for all of them at once behind a run in flight; the ids of the runs that answer.
std::vector<std::int64_t> ask_behind_a_run(World& world, SimHouse& house,
                                           const std::vector<sync::RunRequest>& requests) {
    std::vector<std::int64_t> ids;
    ids.resize(requests.size() + 1);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        house.engine->trigger("shop", i == 0 ? sync::RunRequest() : requests[i - 1],
                              [&ids, i](Result<std::int64_t> run) { ids[i] = run.value_or(-1); });
    }
    const auto quiet = [&] { return house.engine->running() == 0; };
    world.run_until([&] { return ids.back() != 0; }, std::chrono::hours(1));
    EXPECT_TRUE(world.run_until(quiet, std::chrono::hours(1)));
    return ids;
}

TEST_F(Engine, WhatSaysMoreThanBeUpToDateIsNotForgottenBehindARun) {
    fill(*vendors.shop, 25);
    house.start({shop_link()});
    house.run("shop");
    // A record that was refused comes back with a replay only.
    store::DeadLetter letter;
    letter.integration = "shop";
    letter.entity = "product";
    letter.key = "900";
    letter.reason = "invalid_record";
    letter.payload = R"({"name":"Corrected","sku":"S900"})";
    ASSERT_TRUE(house.store.database().add_dead_letters({letter}));
    sync::RunRequest plain, full, replay;
    full.full = true;
    replay.trigger = "replay";
    replay.entity = "product";
    replay.replay = {house.store.database().dead_letters({}).value().at(0).id};
    const auto ids = ask_behind_a_run(world, house, {plain, replay, plain, full, plain});
    EXPECT_EQ(ids[1], ids[3]) << "the full run answers those who only want to be up to date";
    EXPECT_EQ(ids[1], ids[4]);
    EXPECT_EQ(ids[1], ids[5]);
    EXPECT_NE(ids[1], ids[2]) << "a replay is a run of its own";
    EXPECT_EQ(std::set<std::int64_t>(ids.begin(), ids.end()).size(), 3u);
    EXPECT_EQ(names_in_hub(house.store.database()).at("S900"), "Corrected");
    store::Filter filter;
    filter.run = ids[2];
    EXPECT_EQ(house.store.database().runs(filter).value().at(0).trigger, "replay");
}

TEST_F(Engine, RequestsBehindARunMergeOnlyWhereOneDoesTheOthersWork) {
    sync::RunRequest all, product, full_product, confirmed, letters, more_letters;
    product.entity = full_product.entity = letters.entity = more_letters.entity = "product";
    full_product.full = true;
    confirmed.confirm_deletes = true;
    letters.replay = {1, 2};
    more_letters.replay = {3, 2, 1};
    EXPECT_TRUE(all.covers(all));
    EXPECT_TRUE(all.covers(product));
    EXPECT_FALSE(product.covers(all));
    EXPECT_FALSE(all.covers(full_product));
    EXPECT_FALSE(full_product.covers(all));
    EXPECT_TRUE(full_product.covers(product));
    EXPECT_TRUE(confirmed.covers(all));
    EXPECT_FALSE(all.covers(confirmed));
    EXPECT_FALSE(all.covers(letters));
    EXPECT_FALSE(letters.covers(product));
    EXPECT_TRUE(more_letters.covers(letters));
    EXPECT_FALSE(letters.covers(more_letters));
    fill(*vendors.shop, 5);
    house.start({shop_link()});
    const auto ids = ask_behind_a_run(world, house, {product, full_product, confirmed, product, all});
    EXPECT_EQ(ids[1], ids[2]) << "the full one took the other's place";
    EXPECT_EQ(ids[4], ids[2]);
    EXPECT_EQ(ids[5], ids[3]);
    EXPECT_LT(ids[2], ids[3]);
}

TEST_F(Engine, TheQueueBehindARunIsBounded) {
    fill(*vendors.shop, 5);
    house.start({shop_link()});
    std::vector<sync::RunRequest> requests(101);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].entity = "product";
        requests[i].replay = {static_cast<std::int64_t>(i) + 1};
    }
    const auto ids = ask_behind_a_run(world, house, requests);
    EXPECT_EQ(ids.back(), -1);
    EXPECT_GT(ids[100], ids[99]);
}

TEST_F(Engine, SchedulesByTheClockAndWakesForNothingElse) {
    fill(*vendors.shop, 5);
    auto shop = shop_link();
    shop->config.schedule.kind = config::Schedule::Kind::every;
    shop->config.schedule.every = std::chrono::minutes(15);
    house.start({shop});
    world.run_until([] { return false; }, std::chrono::hours(24));
    store::Filter filter;
    filter.limit = 1000;
    EXPECT_NEAR(static_cast<double>(house.store.database().runs(filter).value().size()), 96.0, 1.0);
}

TEST_F(Engine, StopLetsTheRunReachASafePoint) {
    fill(*vendors.shop, 400);
    house.start({shop_link()});
    house.engine->trigger("shop", {}, [](Result<std::int64_t>) {});
    world.run_until([&] { return network.requests >= 10; }, std::chrono::hours(1));
    bool stopped = false;
    house.engine->stop(Milliseconds(20'000), [&] { stopped = true; });
    EXPECT_TRUE(world.run_until([&] { return stopped; }, std::chrono::minutes(1)));
    const store::Run run = house.store.database().runs({}).value().at(0);
    EXPECT_EQ(run.status, store::RunStatus::interrupted);
    const std::size_t kept = names_in_hub(house.store.database()).size();
    EXPECT_GT(kept, 0u);
    EXPECT_LT(kept, 400u);
}

TEST_F(Engine, ARemovedIntegrationLeavesNothingOnTheAgenda) {
    fill(*vendors.shop, 5);
    auto shop = shop_link();
    auto office = office_link();
    office->config.entities[0].on_change = true;
    house.start({shop, office});
    house.run("shop");  // the office is now due for an export on change
    house.engine->configure({shop});
    world.run_until([] { return false; }, std::chrono::hours(1));
    EXPECT_EQ(house.engine->status().size(), 1u);
    EXPECT_TRUE(vendors.office->rows.empty());
}

TEST_F(Engine, ExportsSoonAfterAChange) {
    fill(*vendors.shop, 5);
    auto office = office_link();
    office->config.entities[0].on_change = true;
    house.start({shop_link(), office});
    house.run("shop");
    EXPECT_TRUE(world.run_until([&] { return vendors.office->rows.size() == 5; }, std::chrono::seconds(5)));
}

// The whole story under one seed: days of changes, a bad network, and a daemon that dies at any store
// operation.
class EngineSimulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EngineSimulation, NothingLostNothingTwice) {
    World world(GetParam());
    Vendors vendors;
    fill(*vendors.shop, 30);
    SimNetwork network(world, vendors.map());
    network.lose_request = 0.02;
    network.lose_answer = 0.05;
    network.server_error = 0.03;
    TempDir directory;
    auto shop = shop_link();
    auto office = office_link();
    for (const auto& link : {shop, office}) {
        link->config.schedule.kind = config::Schedule::Kind::every;
        link->config.schedule.every = std::chrono::minutes(10);
        link->config.retry.attempts = 100;
    }
    int crashes = 0;
    for (int life = 0; life < 4; ++life) {
        SimHouse house(world, network, directory.path());
        bool crashed = false;
        house.store.dies_at = [&](std::string_view) { return crashed = crashed || world.chance(0.004); };
        house.start({shop, office});
        for (int change = 0; change < 6 && !crashed; ++change) {
            vendors.shop->names[1 + static_cast<int>(world.below(45))] =
                "Changed " + std::to_string(world.below(1000));
            world.run_until([&] { return crashed; }, std::chrono::hours(2));
        }
        crashes += crashed ? 1 : 0;
    }
    // The faults end; within two hours everything is equal everywhere.
    network.lose_request = network.lose_answer = network.server_error = 0;
    SimHouse house(world, network, directory.path());
    house.start({shop, office});
    world.run_until([] { return false; }, std::chrono::hours(2));
    EXPECT_EQ(names_in_hub(house.store.database()), names_in(*vendors.shop));
    // What was sent three times and never found is with the operator, as it should be.
    std::multiset<std::string> there_or_in_doubt = names_in(*vendors.office);
    const auto open = house.store.database().intents({}).value();
    for (const store::Intent& intent : open) {
        EXPECT_EQ(intent.state, store::IntentState::in_doubt) << intent.last_error;
        there_or_in_doubt.insert(std::string(json::parse(intent.payload).as_object().at("name").as_string()));
    }
    EXPECT_EQ(there_or_in_doubt, values_of(names_in(*vendors.shop)));
    std::set<std::string> references;
    for (const auto& [id, row] : vendors.office->rows)
        EXPECT_TRUE(references.insert(row.reference).second) << "two records with one reference";
    RecordProperty("crashes", crashes);
    RecordProperty("events", static_cast<int>(world.events()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineSimulation, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace liaisond::sync_test
