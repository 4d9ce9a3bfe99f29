// What the daemon does about vendors in trouble, and what it asks people: limits, breakers, suspension,
// conflicts and the mass-delete brake, as seen on the screen of liaisonctl.
#include <gmock/gmock.h>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(RateLimits, AreWaitedOutWhenRead) {
    House house;
    house.seed("shop/products", 1'000);
    house.set("shop", R"({"rate_limit":{"per_second":8,"burst":4}})");
    house.configure(shop({"[product]"}));
    house.start();
    const std::int64_t run = house.trigger("shop");
    EXPECT_EQ(text_of(house.wait_for_status("shop", run - 1, "success"), "status"), "success");
    expect_hub_equals_shop(house);
    const std::int64_t refused = house.stat("shop", "rate_limited");
    EXPECT_GT(refused, 0) << "nothing was put to the test";
    EXPECT_LT(refused, 12) << "Retry-After was not respected";
    EXPECT_THAT(house.ctl("integrations show shop").text, Not(HasSubstr("breaker")));
}

TEST(RateLimits, AreWaitedOutWhenWritten) {
    House house;
    house.seed("shop/products", 300);
    house.configure(shop({"[product]"}) + office({"[product]"}));
    house.start();
    house.run("shop");
    house.set("backoffice", R"({"rate_limit":{"per_second":400,"burst":40}})");
    house.trigger("office");
    ASSERT_TRUE(house.wait_until_at_vendor("backoffice/products", 300)) << house.last_lines();
    const Hub hub(house);
    ASSERT_TRUE(until([&] { return hub.open_intents() == 0; })) << house.last_lines();
    expect_office_holds(house, 300, 0);
    EXPECT_GT(house.stat("backoffice", "rate_limited"), 0);
    EXPECT_EQ(house.stat("backoffice", "writes_committed"), 300) << "something was written twice";
    EXPECT_EQ(house.get("/api/v1/dead-letters").at("items").as_array().size(), 0u);
}

TEST(CircuitBreaker, OpensIsShownOutlivesAKillAndIsClosedByAProbe) {
    House house;
    house.defaults = "  circuit_breaker: { window: 5, min_calls: 3, open_for: 3s, max_open_for: 3s }\n";
    house.seed("shop/products", 300);
    house.configure(shop({"[product]", "{ every: 1s }"}));
    house.start();
    house.set("shop", R"({"down":true})");
    const std::int64_t run = house.trigger("shop");
    const auto is_open = [&] {
        const std::string screen = house.ctl("status").text;
        return screen.find("waiting") != std::string::npos &&
               screen.find("left alone until") != std::string::npos;
    };
    ASSERT_TRUE(until(is_open)) << house.ctl("status").text << house.last_lines();
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "failed");
    house.kill_daemon();
    house.start();
    EXPECT_TRUE(is_open()) << house.ctl("status").text;
    house.set("shop", R"({"down":false})");
    house.wait_for_status("shop", run, "success");
    EXPECT_FALSE(is_open()) << house.ctl("status").text;
    expect_hub_equals_shop(house);
}

TEST(Suspension, ComesAfterFailuresOutlivesARestartAndEndsByHand) {
    House house;
    house.seed("shop/products", 100);
    house.set("shop", R"({"fail_every":1,"fail_status":404})");
    house.configure(shop({"[product]", "{ every: 1s }", "    suspend_after_failures: 3\n"}));
    house.start();
    const auto is_suspended = [&] { return house.ctl("status").text.find("suspended") != std::string::npos; };
    ASSERT_TRUE(until(is_suspended)) << house.ctl("status").text << house.last_lines();
    EXPECT_THAT(house.ctl("status").text, HasSubstr("3 failed runs in a row"));
    EXPECT_THAT(house.ctl("status").text, HasSubstr("liaisonctl integrations resume shop"));
    EXPECT_EQ(house.runs("shop").size(), 3u);
    EXPECT_EQ(house.stop(), 0);
    house.start();
    EXPECT_TRUE(is_suspended()) << house.ctl("status").text;
    EXPECT_EQ(house.runs("shop").size(), 3u) << "nothing is started";
    house.set("shop", R"({"fail_every":0})");
    const House::Told resumed = house.ctl("integrations resume shop");
    EXPECT_EQ(resumed.code, 0) << resumed.text;
    house.wait_for_status("shop", 3, "success");
    EXPECT_FALSE(is_suspended());
    expect_hub_equals_shop(house);
}

// Product 1 gets another name in the office and in the shop: both differ from what was agreed.
class AConflict : public testing::Test {
  protected:
    void SetUp() override {
        house.seed("shop/products", 3);
        house.configure(shop({"[product]"}) + office_both_ways({"{ product: { conflict: manual } }"}));
        house.start();
        house.run("shop");
        house.run("office");
        ASSERT_EQ(house.count("backoffice/products"), 3) << house.last_lines();
        agreed = label();
        ASSERT_EQ(house.sim("PUT", "backoffice/products/PRD-000001", R"({"label":"By the office"})").status,
                  200u);
        ASSERT_EQ(house.sim("PUT", "shop/products/1", R"({"name":"By the shop"})").status, 200u);
        house.run("shop");
        house.run("office");
        ASSERT_TRUE(until([&] { return screen("conflicts").find("/name") != std::string::npos; }))
            << screen("conflicts") << house.last_lines();
    }
    std::string screen(const std::string& words) const { return house.ctl(words).text; }
    std::string label() const {
        for (const json::value& one : vendor_records(house, "backoffice/products")) {
            if (text_of(one.as_object(), "code") == "PRD-000001") return text_of(one.as_object(), "label");
        }
        return {};
    }
    std::string name_in_hub() const {
        return text_of(Hub(house).mapped("office", "product").at("PRD-000001").payload, "name");
    }
    House house;
    std::string agreed;
};

TEST_F(AConflict, IsShownWithAllValuesAndTheHubsReachesTheVendor) {
    EXPECT_THAT(screen("conflicts"), AllOf(HasSubstr("product"), HasSubstr("PRD-000001")));
    EXPECT_THAT(screen("conflicts show 1"),
                AllOf(HasSubstr(agreed), HasSubstr("By the office"), HasSubstr("By the shop")));
    house.run("office");
    EXPECT_EQ(label(), "By the office") << "nobody has decided yet";
    const House::Told resolved = house.ctl("conflicts resolve 1 --take hub");
    EXPECT_EQ(resolved.code, 0) << resolved.text;
    house.run("office");
    EXPECT_TRUE(until([&] { return label() == "By the shop"; })) << label() << house.last_lines();
    EXPECT_EQ(name_in_hub(), "By the shop");
    EXPECT_THAT(screen("conflicts"), HasSubstr("no open conflicts"));
    house.run("office");
    EXPECT_THAT(screen("conflicts"), HasSubstr("no open conflicts")) << "it stays decided";
}

TEST_F(AConflict, TheVendorsIsTakenAndOnlyOnce) {
    EXPECT_EQ(house.ctl("conflicts resolve 1 --take remote").code, 0);
    EXPECT_TRUE(until([&] { return name_in_hub() == "By the office"; })) << name_in_hub();
    house.run("office");
    EXPECT_EQ(label(), "By the office");
    EXPECT_THAT(screen("conflicts"), HasSubstr("no open conflicts"));
    EXPECT_NE(house.ctl("conflicts resolve 1 --take hub").code, 0);
}

TEST(MassDeletes, StopAnImportUntilSomebodyHasLooked) {
    House house;
    house.seed("shop/products", 200);
    std::string text = shop({"[product]"});
    const std::string list = "list: { path: /products,";
    text.replace(text.find(list), list.size(), "list: { complete: true, path: /products,");
    house.configure(text);
    house.start();
    ASSERT_EQ(house.ctl("run shop --full --wait").code, 0);
    for (int id = 1; id <= 40; ++id)
        ASSERT_EQ(house.sim("DELETE", "shop/products/" + std::to_string(id)).status, 204u);
    // Two complete listings must lack them before they count as deleted.
    house.ctl("run shop --full --wait");
    const House::Told stopped = house.ctl("run shop --full --wait");
    EXPECT_NE(stopped.code, 0) << stopped.text;
    EXPECT_THAT(stopped.text, AllOf(HasSubstr("40"), HasSubstr("--confirm-deletes")));
    EXPECT_THAT(house.ctl("status").text, HasSubstr("--confirm-deletes"));
    const std::string live = "SELECT count(*) FROM records WHERE deleted_at IS NULL";
    EXPECT_EQ(Hub(house).number(live), 200);
    const House::Told confirmed = house.ctl("run shop --full --confirm-deletes --wait");
    EXPECT_EQ(confirmed.code, 0) << confirmed.text;
    EXPECT_EQ(Hub(house).number(live), 160);
    EXPECT_EQ(house.ctl("run shop --full --wait").code, 0) << "and that was all";
}

}  // namespace
}  // namespace liaison_system
