// Two promises, as numbers: a thousand orders with every hundredth answer lost, and a big import that is
// killed.
#include <gmock/gmock.h>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

constexpr int thousand = 1'000, big = 100'000;

// A house whose hub holds the records and whose vendor loses every hundredth answer after the commit.
class ThousandOrders : public testing::Test {
  protected:
    void export_all(const char* vendor, const char* integration, const char* entity, const char* at_vendor) {
        house.set(vendor, R"({"lose_every":100})");
        ASSERT_EQ(house.sim("POST", "stats/reset").status, 204u);
        house.wait_for_run(house.trigger(integration, entity));
        const Hub hub(house);
        EXPECT_TRUE(until([&] { return house.count(at_vendor) >= thousand && hub.open_intents() == 0; }))
            << house.last_lines();
        EXPECT_EQ(house.count(at_vendor), thousand);
        EXPECT_GE(house.stat(vendor, "answers_lost"), thousand / 100);
        EXPECT_EQ(house.stat(vendor, "duplicates"), 0);
    }
    void begin_office(int products, int orders) {
        house.seed("shop/products", products);
        house.seed("shop/customers", 20);
        if (orders > 0) house.seed("shop/orders", orders);
        house.configure(shop({"[product, customer, sales_order]"}) +
                        office({"[product, customer, sales_order]"}));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), products + 20 + orders);
    }
    House house;
};

TEST_F(ThousandOrders, ArriveOnceAtAFindableVendor) {
    house.write("in/a.csv", bookings(thousand));
    house.configure(bookings_import({"[reservation]"}) + pms({"[reservation]"}));
    house.start();
    ASSERT_EQ(total_of(house.run("bookings"), "created"), thousand);
    export_all("pms", "pms", "reservation", "pms/reservations");
    expect_pms_holds(house, thousand);
}

TEST_F(ThousandOrders, ArriveOnceAtAKeyedVendor) {
    begin_office(50, thousand);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("office", entity));
    export_all("backoffice", "office", "sales_order", "backoffice/orders");
    expect_office_holds(house, 50, thousand);
}

TEST_F(ThousandOrders, ArriveOnceAtAnUpsertingVendor) {
    begin_office(thousand, 0);
    export_all("backoffice", "office", "product", "backoffice/products");
    expect_office_holds(house, thousand, 0);
}

TEST(ABigImport, KilledAtFortyPercentGoesOnByItself) {
    House house;
    house.seed("shop/products", big);
    house.configure(shop({"[product]", "{ every: 1s }"}));
    house.start();
    ASSERT_TRUE(until([&] { return !house.runs("shop").empty(); }));
    const std::int64_t run = number_of(house.runs("shop").back(), "id");
    ASSERT_TRUE(house.wait_until_fetched(run, big / 100 * 40)) << "the run was over too soon";
    house.kill_daemon();
    const std::int64_t before = Hub(house).records("product");
    EXPECT_GE(before, big / 100 * 35);
    ASSERT_LT(before, big / 100 * 60);

    house.start();
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "interrupted");
    const json::object next = house.wait_for_status("shop", run, "success");
    EXPECT_EQ(total_of(next, "created"), big - before) << "what was there already is not made again";
    expect_hub_equals_shop(house);
    EXPECT_EQ(Hub(house).records("product"), big);
    EXPECT_EQ(house.stop(), 0);
}

// 20 records of page 1 move to the end of the list while the daemon is away, and the first of page 2 take
// their place: a pull that went on with page 2 would never see them.
TEST(AnInterruptedListing, MissesNothingThatMovedForwardMeanwhile) {
    House house;
    house.seed("shop/products", 300);
    house.configure(shop({"[product]"}));
    ASSERT_TRUE(house.start_armed("import.page_answered:1:exit"));
    house.api("POST", "/api/v1/integrations/shop/sync");
    ASSERT_TRUE(house.daemon().wait().has_value());
    ASSERT_EQ(Hub(house).records("product"), 100);
    for (int id = 1; id <= 20; ++id)
        ASSERT_EQ(house.sim("PUT", "shop/products/" + std::to_string(id), R"({"name":"Riz"})").status, 200u);
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    house.run("shop");
    expect_hub_equals_shop(house);
}

}  // namespace
}  // namespace liaison_system
