// Stopping and reloading, as an operator does it.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <csignal>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::AnyOf;
using testing::HasSubstr;

constexpr int many = 20'000;

std::size_t integrations(const House& house) {
    return house.get("/api/v1/integrations").at("items").as_array().size();
}

TEST(Stop, InTheMiddleOfAnImportLosesNothing) {
    House house;
    start_with_slow_shop(house, many);
    const std::int64_t run = house.trigger("shop");
    ASSERT_TRUE(house.wait_until_fetched(run, many / 4));
    EXPECT_EQ(house.stop(), 0) << house.last_lines();
    house.start();
    EXPECT_THAT(text_of(house.wait_for_run(run), "status"), AnyOf("interrupted", "success"));
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    expect_hub_equals_shop(house);
}

TEST(Stop, InTheMiddleOfAnExportLosesAndDoublesNothing) {
    House house;
    house.write("in/a.csv", bookings(2000));
    house.configure(bookings_import({"[reservation]"}) + pms({"[reservation]"}));
    house.start();
    house.run("bookings");
    house.set("pms", R"({"latency_ms":5})");
    const std::int64_t run = house.trigger("pms");
    ASSERT_TRUE(house.wait_until_at_vendor("pms/reservations", 600));
    EXPECT_EQ(house.stop(), 0) << house.last_lines();
    EXPECT_LT(house.count("pms/reservations"), 2000);
    EXPECT_EQ(Hub(house).open_intents(), 0) << "sends in flight were not waited for";
    house.start();
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "interrupted");
    house.run("pms");
    expect_pms_holds(house, 2000);
}

TEST(Stop, AskedTwiceItStopsAtOnceWhateverTheVendorDoes) {
    House house;
    house.seed("shop/products", 100);
    house.set("shop", R"({"latency_ms":60000})");
    house.configure(shop({"[product]"}));
    house.start();
    house.trigger("shop");
    ASSERT_TRUE(until([&] { return house.stat("shop", "in_flight") > 0; }));
    house.daemon().kill(SIGTERM);
    ASSERT_TRUE(until([&] { return house.log().find("stopping") != std::string::npos; }));
    house.daemon().kill(SIGTERM);
    EXPECT_EQ(house.daemon().wait(std::chrono::seconds(5)), 0) << house.last_lines();
}

TEST(Reload, BringsANewIntegrationAndNothingElseChanges) {
    House house;
    house.seed("shop/products", 500);
    house.configure(shop({"[product]"}));
    house.start();
    house.run("shop");
    house.write("conf.d/more.yaml", "integrations:\n" + shop({"[product]"}, "second"));
    house.daemon().kill(SIGHUP);
    EXPECT_TRUE(until([&] { return house.api("GET", "/api/v1/integrations/second").status == 200; }))
        << house.last_lines();
    EXPECT_EQ(integrations(house), 2u);
    EXPECT_EQ(text_of(house.run("second"), "status"), "success");
    EXPECT_EQ(total_of(house.run("shop"), "created"), 0);
}

TEST(Reload, ABrokenFileLeavesTheOldConfigurationInForce) {
    House house;
    house.seed("shop/products", 500);
    house.configure(shop({"[product]"}));
    house.start();
    house.write("conf.d/more.yaml", "integrations:\n" + shop({"[product]", "hourly"}, "second"));
    house.daemon().kill(SIGHUP);
    EXPECT_TRUE(until([&] { return house.log().find("not reloaded") != std::string::npos; }))
        << house.last_lines();
    const std::string place = house.place_of("hourly", "conf.d/more.yaml");
    EXPECT_TRUE(until([&] { return house.log().find(place) != std::string::npos; })) << house.last_lines();
    EXPECT_EQ(integrations(house), 1u);
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    // The same by the API, with the fault in the answer.
    const Reply refused = house.api("POST", "/api/v1/reload");
    EXPECT_EQ(refused.status, 422u);
    EXPECT_THAT(json::serialize(refused.body), HasSubstr(place));
}

TEST(Reload, DoesNotDisturbARun) {
    House house;
    start_with_slow_shop(house, many);
    const std::int64_t run = house.trigger("shop");
    ASSERT_TRUE(house.wait_until_fetched(run, many / 10));
    house.configure(shop({"[product]", "manual", "    page_size: 250\n"}));
    house.daemon().kill(SIGHUP);
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "success");
    EXPECT_THAT(house.log(), HasSubstr("configuration reloaded"));
    expect_hub_equals_shop(house);
}

}  // namespace
}  // namespace liaison_system
