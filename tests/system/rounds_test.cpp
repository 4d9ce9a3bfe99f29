// Whole rounds from the shop through the hub to the back office: nothing twice, nothing missed.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

constexpr char on_change[] =
    "{ product: { on_change: true, debounce: 100ms }, customer: { on_change: true, debounce: 100ms }, "
    "sales_order: { on_change: true, debounce: 100ms } }";
constexpr char all_entities[] = "[product, customer, sales_order]";

class Rounds : public testing::Test {
  protected:
    void begin(const std::string& office_entities = all_entities) {
        house.seed("shop/products", 100);
        house.seed("shop/customers", 20);
        house.seed("shop/orders", 50);
        house.configure(shop({all_entities}) + office({office_entities}));
        house.start();
    }
    std::string label(const std::string& code) const {
        for (const json::value& product : vendor_records(house, "backoffice/products")) {
            if (text_of(product.as_object(), "code") == code) return text_of(product.as_object(), "label");
        }
        return {};
    }
    bool has_order(const std::string& number) const {
        for (const json::value& order : vendor_records(house, "backoffice/orders")) {
            if (text_of(order.as_object(), "external_ref") == number) return true;
        }
        return false;
    }
    // The number of a new order at the shop.
    std::string add_order() const {
        const Reply made = house.sim("POST", "shop/orders", R"({"lines":[{"product_id":3,"quantity":2}]})");
        return made.body.is_object() ? text_of(made.body.get_object(), "number") : std::string();
    }
    House house;
};

TEST_F(Rounds, ASecondRoundOfTheSameWritesNothing) {
    begin();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    EXPECT_EQ(text_of(house.run("office"), "status"), "success");
    expect_office_holds(house, 100, 50);
    ASSERT_EQ(house.sim("POST", "stats/reset").status, 204u);
    const json::object imported = house.run("shop"), exported = house.run("office");
    EXPECT_EQ(total_of(imported, "created") + total_of(imported, "updated"), 0);
    EXPECT_EQ(total_of(exported, "exported"), 0);
    EXPECT_EQ(house.stat("backoffice", "writes_committed"), 0);
    EXPECT_EQ(house.stat("backoffice", "writes"), 0);
}

TEST_F(Rounds, AChangeArrivesAsAnUpdateAndANewOrderArrives) {
    begin();
    house.run("shop");
    house.run("office");
    ASSERT_EQ(house.sim("PUT", "shop/products/7", R"({"name":"Savon de Marseille"})").status, 200u);
    const std::string order = add_order();
    ASSERT_FALSE(order.empty());
    const json::object imported = house.run("shop"), exported = house.run("office");
    EXPECT_EQ(total_of(imported, "updated"), 1);
    EXPECT_EQ(total_of(imported, "created"), 1);
    EXPECT_EQ(total_of(exported, "exported"), 2);
    EXPECT_EQ(label("PRD-000007"), "Savon de Marseille");
    EXPECT_TRUE(has_order(order));
    expect_office_holds(house, 100, 51);
}

TEST_F(Rounds, OnChangeExportsWithoutATrigger) {
    begin(on_change);
    house.run("shop");
    ASSERT_TRUE(until([&] { return house.count("backoffice/orders") == 50; })) << house.last_lines();
    ASSERT_EQ(house.sim("PUT", "shop/products/7", R"({"name":"Savon de Marseille"})").status, 200u);
    const std::string order = add_order();
    house.run("shop");
    EXPECT_TRUE(until([&] { return label("PRD-000007") == "Savon de Marseille" && has_order(order); }))
        << house.last_lines();
    const Hub hub(house);
    EXPECT_TRUE(until([&] { return hub.open_intents() == 0; }));
    expect_office_holds(house, 100, 51);
}

TEST_F(Rounds, AChangeSurvivesAKillBeforeItIsExported) {
    begin("{ product: { on_change: true, debounce: 2s } }");
    house.run("shop");
    house.kill_daemon();
    ASSERT_EQ(house.count("backoffice/products"), 0);
    house.start();
    EXPECT_TRUE(until([&] { return house.count("backoffice/products") == 100; }))
        << "the changes wait in the hub, and nobody exports them";
}

TEST_F(Rounds, AnIntegrationMayGoWhileItsChangesWait) {
    begin("{ product: { on_change: true, debounce: 1s } }");
    house.run("shop");
    house.configure(shop({all_entities}));
    ASSERT_EQ(house.api("POST", "/api/v1/reload").status, 200u);
    ASSERT_EQ(house.get("/api/v1/integrations").at("items").as_array().size(), 1u);
    // Past the debounce there must still be a daemon.
    EXPECT_EQ(house.daemon().wait(std::chrono::milliseconds(1500)), std::nullopt) << house.last_lines();
}

// Where the plugin runs must not matter. Records refer to each other by ids of the hub, which differ.
TEST(Isolation, OfEachKindGivesTheSameHub) {
    std::vector<std::map<std::string, std::string>> hubs;
    for (const char* isolation : {"plugin", "integration", "none"}) {
        House house;
        house.seed("shop/products", 1000);
        house.seed("shop/customers", 100);
        house.configure(
            shop({"[product, customer]", "manual", std::string("    isolation: ") + isolation + "\n"}));
        house.start();
        EXPECT_EQ(text_of(house.run("shop"), "status"), "success") << house.last_lines();
        auto& content = hubs.emplace_back();
        for (const char* entity : {"product", "customer"}) {
            for (const auto& [id, record] : Hub(house).mapped("shop", entity)) {
                content[entity + (' ' + id)] = json::serialize(record.payload);
            }
        }
        EXPECT_EQ(content.size(), 1100u);
        EXPECT_EQ(
            house.worker("custom_api", isolation == std::string("integration") ? "shop" : "wholesaler") != 0,
            isolation != std::string("none"));
    }
    EXPECT_TRUE(hubs[0] == hubs[1]);
    EXPECT_TRUE(hubs[0] == hubs[2]);
}

}  // namespace
}  // namespace liaison_system
