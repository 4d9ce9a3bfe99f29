// Vendors that recognise a repeated create by its key, and forget it some time.
#include <gtest/gtest.h>

#include "sync/engine.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

// An office that repeats its first answer to a key it remembers.
struct KeyedOffice {
    Office office;
    std::map<std::string, std::pair<http::Response, Instant>> keys;  // until when
    Milliseconds memory = std::chrono::hours(2);
    http::Response operator()(const http::Request& request, Instant now) {
        if (request.method != "POST") return office(request);
        std::string key;
        for (const auto& [name, value] : request.headers)
            if (name == "Idempotency-Key") key = value;
        const auto known = keys.find(key);
        if (known != keys.end() && now < known->second.second) return known->second.first;
        const http::Response answer = office(request);
        keys[key] = {answer, now + memory};
        return answer;
    }
};

std::shared_ptr<sync::Link> keyed_link(bool can_find) {
    const std::string find =
        R"(,"find":{"path":"/products","param":"reference","items":"/items","id":"/id","match":"/reference"})";
    auto link = make_link(
        "office",
        R"({"base_url":"http://office.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id","effect":"keyed",
        "fields":{"/name":"/name"},
        "create":{"method":"POST","path":"/products","reference":{"field":"/reference","header":"Idempotency-Key"},"id":"/id"},
        "update":{"method":"PUT","path":"/products/{key}"})" +
            (can_find ? find : std::string()) + "}}}",
        false, "http://office.example");
    link->effects["product"] = sync::EffectClass::keyed;
    link->key_lifetimes["product"] = std::chrono::hours(2);
    return link;
}

class KeyedCreate : public testing::Test {
  protected:
    // The answers to all creates are lost, and the daemon is not there for a while.
    void send_and_sleep(const std::shared_ptr<sync::Link>& link, Milliseconds until_stop, Milliseconds away) {
        SimHouse house(world, network, directory.path());
        house.start({shop_link(), link});
        house.run("shop");
        network.lose_answer = 1;
        house.engine->trigger("office", {}, [](Result<std::int64_t>) {});
        world.run_until([] { return false; }, until_stop);
        network.lose_answer = 0;
        EXPECT_EQ(house.store.database().intents({}).value().size(), 3u);
        asleep = away;
    }
    void wake(const std::shared_ptr<sync::Link>& link) {
        world.run_until([] { return false; }, asleep);
        SimHouse house(world, network, directory.path());
        house.start({shop_link(), link});
        house.engine->trigger("office", {}, [](Result<std::int64_t>) {});
        world.run_until([] { return false; }, std::chrono::minutes(30));
        open = house.store.database().intents({}).value();
    }

    void expect_left_to_a_person() const {
        EXPECT_EQ(office->office.rows.size(), 3u);
        ASSERT_EQ(open.size(), 3u);
        for (const store::Intent& intent : open) {
            EXPECT_EQ(intent.state, store::IntentState::in_doubt);
            EXPECT_NE(intent.last_error.find("look at the vendor"), std::string::npos) << intent.last_error;
        }
    }

    World world{1};
    std::shared_ptr<Shop> shop = std::make_shared<Shop>(Shop{{{1, "Tea"}, {2, "Milk"}, {3, "Salt"}}});
    std::shared_ptr<KeyedOffice> office = std::make_shared<KeyedOffice>();
    SimNetwork network{
        world,
        {{"http://shop.example:80", [this](const http::Request& r) { return (*shop)(r); }},
         {"http://office.example:80", [this](const http::Request& r) { return (*office)(r, world.now()); }}}};
    TempDir directory;
    Milliseconds asleep{0};
    std::vector<store::Intent> open;
};

TEST_F(KeyedCreate, IsRepeatedWhileItsKeyIsRemembered) {
    const auto link = keyed_link(false);
    send_and_sleep(link, Milliseconds(2'000), std::chrono::hours(1));
    wake(link);
    EXPECT_EQ(office->office.rows.size(), 3u);
    EXPECT_TRUE(open.empty()) << open.size() << " open";
}

// Sent again it would be a second record.
TEST_F(KeyedCreate, IsLookedForWhenItsKeyMayBeForgotten) {
    const auto link = keyed_link(true);
    send_and_sleep(link, Milliseconds(2'000), std::chrono::hours(3));
    wake(link);
    EXPECT_EQ(office->office.rows.size(), 3u);
    EXPECT_TRUE(open.empty()) << open.size() << " open";
}

TEST_F(KeyedCreate, CutShortByACrashIsLookedForWhenItsKeyMayBeForgotten) {
    const auto link = keyed_link(true);
    send_and_sleep(link, Milliseconds(50), std::chrono::hours(3));
    wake(link);
    EXPECT_EQ(office->office.rows.size(), 3u);
    EXPECT_TRUE(open.empty()) << open.size() << " open";
}

TEST_F(KeyedCreate, IsLeftToAPersonWhereItCannotBeLookedFor) {
    const auto link = keyed_link(false);
    link->can_find = false;
    send_and_sleep(link, Milliseconds(2'000), std::chrono::hours(3));
    wake(link);
    expect_left_to_a_person();
}

TEST_F(KeyedCreate, IsLeftToAPersonWhereItsEntityCannotBeLookedFor) {
    const auto link = keyed_link(false);
    send_and_sleep(link, Milliseconds(2'000), std::chrono::hours(3));
    wake(link);
    expect_left_to_a_person();
}

// So long that the retries themselves outlive it.
TEST_F(KeyedCreate, IsRepeatedOnlyWhileItsKeyIsRememberedThoughTheDaemonIsThere) {
    const auto link = keyed_link(true);
    link->key_lifetimes["product"] = office->memory = std::chrono::minutes(5);
    SimHouse house(world, network, directory.path());
    house.start({shop_link(), link});
    house.run("shop");
    network.lose_answer = 1;
    house.engine->trigger("office", {}, [](Result<std::int64_t>) {});
    world.run_until([] { return false; }, std::chrono::minutes(10));
    network.lose_answer = 0;
    world.run_until([] { return false; }, std::chrono::minutes(60));
    EXPECT_EQ(office->office.rows.size(), 3u);
    EXPECT_TRUE(house.store.database().intents({}).value().empty());
}

// Of a suspended machine the timers stand still, and the vendor's memory does not.
TEST_F(KeyedCreate, ItsKeyGrowsOldWhileTheMachineIsSuspended) {
    const auto link = keyed_link(true);
    SimHouse house(world, network, directory.path());
    house.start({shop_link(), link});
    house.run("shop");
    network.lose_answer = 1;
    house.engine->trigger("office", {}, [](Result<std::int64_t>) {});
    world.run_until([] { return false; }, Milliseconds(500));
    network.lose_answer = 0;
    ASSERT_EQ(house.store.database().intents({}).value().size(), 3u);
    world.suspend(std::chrono::hours(3));
    world.run_until([] { return false; }, std::chrono::minutes(30));
    EXPECT_EQ(office->office.rows.size(), 3u);
    EXPECT_TRUE(house.store.database().intents({}).value().empty());
}

}  // namespace
}  // namespace liaisond::sync_test
