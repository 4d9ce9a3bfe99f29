// The administrator's API over an engine in virtual time.
#include "api/routes.hpp"

#include <gtest/gtest.h>

#include "sync/sim_house.hpp"

namespace liaisond::api {
namespace {

using namespace sync_test;

class Api : public testing::Test {
  protected:
    World world{1};
    Shop shop;
    SimNetwork network{world,
                       {{"http://shop.example:80", [this](const http::Request& r) { return shop(r); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
    Routes routes{Backend{*house.engine, house.store, house.secrets, [] { return json::object(); },
                          [] { return json::object(); }, [] { return std::vector<std::string>(); },
                          [] { return std::map<std::string, Milliseconds>(); }}};

    void SetUp() override {
        auto link = shop_link();
        link->config.schedule.kind = config::Schedule::Kind::cron;
        link->config.schedule.cron = config::Cron::parse("10 2 * * *").value();
        link->config.schedule.text = "daily at 02:10";
        link->tenant.timezone = "Europe/Paris";
        house.start({link});
        world.run_until([] { return false; }, Milliseconds(20));
    }
    std::pair<unsigned, json::object> ask(const std::string& method, const std::string& target) {
        std::pair<unsigned, json::object> heard{0, {}};
        routes.handle({method, "/api/v1/" + target, ""}, [&](HttpAnswer answer) {
            heard = {answer.status, json::parse(answer.body).as_object()};
        });
        world.run_until([&] { return heard.first != 0; }, Milliseconds(1000));
        return heard;
    }
};

TEST_F(Api, TheComingRuns) {
    const auto [status, body] = ask("GET", "integrations/shop/schedule?next=2");
    EXPECT_EQ(status, 200u);
    EXPECT_EQ(body.at("schedule"), "daily at 02:10");
    ASSERT_EQ(body.at("items").as_array().size(), 2u);
    EXPECT_EQ(
        json::serialize(body.at("items").at(0)),
        R"({"at":"2026-03-02T01:10:00.000Z","local":"2026-03-02T02:10:00+01:00","kind":"quick","why":""})");
    EXPECT_EQ(ask("GET", "integrations/nobody/schedule").first, 404u);
    EXPECT_EQ(ask("GET", "integrations/shop/schedule?next=many").first, 400u);
}

TEST_F(Api, SuspendAndResume) {
    EXPECT_EQ(ask("POST", "integrations/shop/resume").first, 409u) << "it is not suspended";
    EXPECT_EQ(ask("POST", "integrations/shop/suspend").first, 200u);
    const json::object suspended = ask("GET", "integrations/shop").second;
    EXPECT_EQ(suspended.at("state"), "suspended");
    EXPECT_EQ(suspended.at("suspended"), "operator");
    EXPECT_EQ(ask("POST", "integrations/shop/sync").first, 409u);
    EXPECT_EQ(ask("POST", "integrations/shop/resume").first, 200u);
    EXPECT_EQ(ask("GET", "integrations/shop").second.at("state"), "idle");
    EXPECT_EQ(ask("POST", "integrations/nobody/suspend").first, 404u);
}

TEST_F(Api, ABreakerIsShownAndReset) {
    EXPECT_EQ(ask("POST", "integrations/shop/breaker/reset").first, 409u) << "it is not open";
    network.down = true;
    for (int i = 0; i < 2; ++i) house.run("shop");
    const json::object waiting = ask("GET", "integrations/shop").second;
    EXPECT_EQ(waiting.at("state"), "waiting");
    EXPECT_EQ(waiting.at("breaker"), "open");
    EXPECT_TRUE(waiting.at("breaker_until").is_string());
    network.down = false;
    EXPECT_EQ(ask("POST", "integrations/shop/breaker/reset").first, 200u);
    EXPECT_EQ(ask("GET", "integrations/shop").second.at("breaker"), "closed");
}

}  // namespace
}  // namespace liaisond::api
