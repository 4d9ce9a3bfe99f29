// Plans and guards through the real daemon: nothing moves at the vendor or in the hub until a person agreed.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "hub.hpp"
#include "integrations.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

json::object plan(const House& house, std::int64_t run) {
    return house.get("/api/v1/plans/" + std::to_string(run)).as_object();
}

TEST(Plans, ADryRunShowsTheRequestsAndSendsNone) {
    House house;
    house.seed("shop/products", 30);
    house.configure(shop({"[product]"}) + office({"[product]"}));
    house.start();
    ASSERT_EQ(text_of(house.run("shop"), "status"), "success");
    const Reply begun = house.api("POST", "/api/v1/integrations/office/sync?dry_run=true");
    const std::int64_t run = number_of(begun.body.as_object(), "run");
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "planned");
    EXPECT_EQ(house.count("backoffice/products"), 0);
    EXPECT_EQ(Hub(house).open_intents(), 0);
    EXPECT_EQ(number_of(plan(house, run).at("vendor").as_object(), "creates"), 30);
    const json::value items = house.get("/api/v1/plans/" + std::to_string(run) + "/items?limit=1000");
    ASSERT_EQ(items.at("items").as_array().size(), 30u);
    const json::value& first = items.at("items").at(0).at("requests").at(0);
    EXPECT_THAT(std::string(first.at("url").as_string()), testing::StartsWith(house.sim_url()));
    EXPECT_THAT(json::serialize(items), testing::Not(testing::HasSubstr("Bearer")));

    house.run("office");
    EXPECT_EQ(house.count("backoffice/products"), 30);
    EXPECT_EQ(house.stop(), 0);
}

TEST(Plans, AGuardedImportWaitsAcrossAKillUntilItIsApproved) {
    House house;
    house.seed("shop/products", 30);
    house.configure(shop({"[product]", "manual", "    guard: { approval: { creates: 10 } }\n"}));
    house.start();
    const json::object held = house.run("shop");
    EXPECT_EQ(text_of(held, "status"), "suspended");
    EXPECT_THAT(text_of(held, "error"), testing::HasSubstr("30 creates in the hub (limit 10) need approval"));
    EXPECT_EQ(Hub(house).records("product"), 0);
    house.kill_daemon();

    house.start();
    const std::int64_t run = number_of(held, "id");
    EXPECT_EQ(text_of(plan(house, run), "state"), "waiting");
    const Reply approved = house.api("POST", "/api/v1/plans/" + std::to_string(run) + "/approve");
    ASSERT_EQ(approved.status, 202u) << json::serialize(approved.body);
    const json::object done = house.wait_for_run(number_of(approved.body.as_object(), "run"));
    EXPECT_EQ(text_of(done, "status"), "success");
    EXPECT_EQ(total_of(done, "created"), 30);
    EXPECT_EQ(Hub(house).records("product"), 30);
    EXPECT_EQ(house.api("POST", "/api/v1/plans/" + std::to_string(run) + "/approve").status, 409u);
    EXPECT_EQ(house.stop(), 0);
}

}  // namespace
}  // namespace liaison_system
