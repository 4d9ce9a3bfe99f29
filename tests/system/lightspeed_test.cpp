// Lightspeed K-Series through the real daemon: what the till sold is in the hub, what the hub changes arrives
// once.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "hub.hpp"
#include "lightspeed_house.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

const std::string location_prefix = std::string(till_location) + "/";

class Till : public testing::Test {
  protected:
    Till() { write_lightspeed_credentials(house); }
    void begin(const Options& options, const std::string& direction = "import",
               const std::string& settings = {}) {
        house.configure(lightspeed(options, direction, settings));
        house.start();
        connect();
    }
    // Lets the app in, and waits for the run that this begins.
    void connect() {
        const std::int64_t before = house.runs("till").empty() ? 0 : newest();
        connect_lightspeed(house);
        ASSERT_TRUE(until([&] { return !house.runs("till").empty() && newest() > before; }));
        first = house.wait_for_run(newest());
    }
    std::int64_t newest() const { return number_of(house.runs("till").front(), "id"); }
    // Every sale of the till is in the hub, with what was paid, once.
    void expect_sales_known() const {
        const auto mapped = Hub(house).mapped("till", "pos_transaction");
        const json::array sales = vendor_records(house, "lightspeed/sales");
        EXPECT_EQ(mapped.size(), sales.size());
        for (const json::value& one : sales) {
            const json::object& sale = one.as_object();
            const auto found = mapped.find(location_prefix + text_of(sale, "accountFiscId"));
            ASSERT_NE(found, mapped.end()) << text_of(sale, "accountFiscId");
            if (text_of(sale, "type") == "FLOAT") continue;
            const json::object& total = found->second.payload.at("total").as_object();
            EXPECT_EQ(number_of(total, "amount"), cents(one.at("payments").at(0).at("netAmountWithTax")))
                << json::serialize(found->second.payload);
        }
    }
    static std::int64_t cents(const json::value& amount) {
        std::string digits(amount.as_string());
        digits.erase(digits.find('.'), 1);
        return std::stoll(digits);
    }
    static std::int64_t changes(const json::object& run) {
        return total_of(run, "created") + total_of(run, "updated") + total_of(run, "deleted");
    }
    json::object sale_of(int number) const {
        return Hub(house)
            .mapped("till", "pos_transaction")
            .at(location_prefix + "A65315." + std::to_string(number))
            .payload;
    }
    House house;
    json::object first;
};

TEST_F(Till, SalesAreImportedOnceAndLateOnesArrive) {
    house.seed("lightspeed/sales", 3'000);
    begin({"[pos_transaction]"});
    EXPECT_EQ(text_of(first, "status"), "success") << json::serialize(first) << house.last_lines();
    EXPECT_EQ(total_of(first, "created"), 3'000);
    expect_sales_known();
    EXPECT_FALSE(sale_of(5).contains("extra") && sale_of(5).at("extra").as_object().contains("warnings"))
        << json::serialize(sale_of(5));
    EXPECT_EQ(text_of(sale_of(7), "kind"), "refund");
    EXPECT_EQ(text_of(sale_of(7), "related_ref"), "A65315.6");
    EXPECT_EQ(text_of(sale_of(21), "kind"), "correction");
    EXPECT_EQ(text_of(sale_of(97), "kind"), "non_revenue");
    EXPECT_EQ(house.stat("lightspeed", "in_flight_max"), 1);
    EXPECT_EQ(changes(house.run("till")), 0);
    // A till that was offline: closed before what is known already, but within the overlap.
    const json::value last = vendor_records(house, "lightspeed/sales").at(2'990);
    const std::string closed = R"({"timeClosed":")" + text_of(last.as_object(), "timeClosed") + R"("})";
    ASSERT_EQ(house.sim("PUT", "lightspeed/sales/A65315.9001", closed).status, 201u);
    EXPECT_EQ(changes(house.run("till")), 1);
    expect_sales_known();
    EXPECT_EQ(house.stat("lightspeed", "refused"), 0);
}

// A day is asked for again until the vendor says that it is complete. Sale 5616 was closed a day ago, 5759
// just now; the overlap does not reach back to the day before.
TEST_F(Till, ADayWithoutAllItsSalesIsReadAgain) {
    house.seed("lightspeed/sales", 1);
    for (const char* id : {"5616", "5759"})
        ASSERT_EQ(house.sim("PUT", std::string("lightspeed/sales/A65315.") + id, "{}").status, 201u);
    house.set("lightspeed", R"({"unsynced":"*"})");
    begin({"[pos_transaction]"}, "import", "      overlap: 1m\n");
    EXPECT_EQ(total_of(first, "created"), 3) << json::serialize(first) << house.last_lines();
    EXPECT_EQ(sale_of(5616).at("complete"), false);
    EXPECT_EQ(sale_of(1).at("complete"), true) << "of a day long ago";
    const json::value known = vendor_records(house, "lightspeed/sales").at(1);
    const std::string late = R"({"timeClosed":")" + text_of(known.as_object(), "timeClosed") + R"("})";
    ASSERT_EQ(house.sim("PUT", "lightspeed/sales/A65315.9001", late).status, 201u);
    EXPECT_EQ(total_of(house.run("till"), "created"), 1) << "by its day, not by its time";
    house.set("lightspeed", R"({"unsynced":""})");
    EXPECT_EQ(total_of(house.run("till"), "updated"), 2);
    EXPECT_EQ(sale_of(5616).at("complete"), true);
    EXPECT_EQ(changes(house.run("till")), 0);
}

TEST_F(Till, ATokenThatExpiresInTheMiddleIsRenewed) {
    house.seed("lightspeed/sales", 3'000);
    begin({"[pos_transaction]"});
    ASSERT_EQ(house.stat("lightspeed_login", "writes"), 1);
    house.set("lightspeed", R"({"latency_ms":20})");
    const std::int64_t before = newest();
    ASSERT_LT(house.api("POST", "/api/v1/integrations/till/sync?full=true").status, 300u);
    ASSERT_TRUE(until([&] { return newest() > before; }));
    const std::int64_t run = newest();
    ASSERT_TRUE(house.wait_until_fetched(run, 500));
    house.set("lightspeed_login", R"({"expire":true})");
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "success") << house.last_lines();
    EXPECT_GT(house.stat("lightspeed", "unauthorized"), 0) << "nothing was put to the test";
    EXPECT_EQ(house.stat("lightspeed_login", "writes"), 2) << "one renewal: the old refresh token is used up";
    EXPECT_EQ(house.stat("lightspeed_login", "duplicates"), 0);
    expect_sales_known();
}

// The vendor does not say how long to wait.
TEST_F(Till, TooManyRequestsAndFaultsAreWaitedOut) {
    house.seed("lightspeed/sales", 700);
    house.set("lightspeed", R"({"rate_limit":{"per_second":3,"burst":2},"fail_every":5})");
    begin({"[pos_transaction]"});
    ASSERT_TRUE(until([&] {
        house.run("till");
        return Hub(house).mapped("till", "pos_transaction").size() == 700;
    })) << house.last_lines();
    EXPECT_GT(house.stat("lightspeed", "rate_limited"), 0) << "nothing was put to the test";
    EXPECT_GT(house.stat("lightspeed", "faults"), 0);
    expect_sales_known();
}

TEST_F(Till, TheDaemonIsKilledWhileItReads) {
    house.seed("lightspeed/sales", 3'000);
    house.set("lightspeed", R"({"latency_ms":20})");
    house.configure(lightspeed({"[pos_transaction]"}, "import"));
    house.start();
    connect_lightspeed(house);
    ASSERT_TRUE(until([&] { return !house.runs("till").empty(); }));
    ASSERT_TRUE(house.wait_until_fetched(newest(), 800));
    house.kill_daemon();
    house.start();
    const std::int64_t reads = house.stat("lightspeed", "reads");
    EXPECT_EQ(text_of(house.run("till"), "status"), "success") << house.last_lines();
    EXPECT_LT(house.stat("lightspeed", "reads") - reads, 30) << "it went on where it was";
    expect_sales_known();
}

TEST_F(Till, ARangeOfDatesIsReadAgain) {
    house.seed("lightspeed/sales", 300);
    begin({"[pos_transaction]"}, "import", "      history: 1h\n");
    EXPECT_EQ(total_of(first, "created"), 0);
    const json::value sale = vendor_records(house, "lightspeed/sales").at(0);
    const std::string from = text_of(sale.as_object(), "timeClosed").substr(0, 10);
    const House::Told told = house.ctl("run till --from " + from + " --to 2199-01-01 --wait");
    EXPECT_EQ(told.code, 0) << told.text;
    expect_sales_known();
}

TEST_F(Till, TheMenuItsPricesAndWhatIsLeftAreListedEachTime) {
    house.seed("lightspeed/items", 120);
    house.seed("lightspeed/availability", 30);
    house.seed("lightspeed/discounts", 4);
    begin({"[menu_item, price, stock_level, promotion]"});
    EXPECT_EQ(text_of(first, "status"), "success") << json::serialize(first) << house.last_lines();
    const Hub hub(house);
    const auto items = hub.mapped("till", "menu_item");
    EXPECT_EQ(items.size(), 120u);
    EXPECT_EQ(text_of(items.at(location_prefix + "9107199254000017").payload, "sku"), "17");
    EXPECT_EQ(hub.mapped("till", "price").size(), 2u * (120 - 4)) << "four have no fixed price";
    EXPECT_EQ(hub.mapped("till", "stock_level").size(), 120u);
    const auto promotions = hub.mapped("till", "promotion");
    EXPECT_EQ(promotions.size(), 4u);
    EXPECT_EQ(promotions.at(location_prefix + "D2").payload.at("value_ppm"), 200'000);
    EXPECT_EQ(changes(house.run("till")), 0);
    ASSERT_EQ(house.sim("PUT", "lightspeed/items/9107199254000017", R"({"name":"Bouillabaisse"})").status,
              200u);
    ASSERT_EQ(house.sim("DELETE", "lightspeed/discounts/D4").status, 204u);
    const json::object second = house.run("till");
    EXPECT_EQ(total_of(second, "updated"), 1) << json::serialize(second);
    for (int i = 0; i < 2; ++i)
        ASSERT_EQ(house.ctl("run till --full --wait").code, 0);  // believed the second time
    EXPECT_EQ(total_of(house.runs("till").front(), "deleted"), 1) << house.last_lines();
}

TEST_F(Till, DiscountsAreNotWritten) {
    house.configure(lightspeed({"[promotion]"}, "export"));
    const House::Told told = house.ctl("config check --plugin-dir " + paths::plugin() + " " +
                                       (house.root() / "liaison.yaml").string());
    EXPECT_NE(told.code, 0);
    EXPECT_THAT(told.text, HasSubstr("promotion"));
}

// Menu items and prices of a file, and a till.
class Menu : public Till {
  protected:
    void write_menu(int items, const std::string& price) {
        house.write("in/menu_item.csv", menu_items_file(items, price));
        ASSERT_EQ(text_of(house.run("menu"), "status"), "success") << house.last_lines();
    }
    void begin_export(const std::string& entities = "[menu_item]", const std::string& more = {}) {
        house.configure(menu_import() + lightspeed({entities, "manual", more}, "export"));
        house.start();
    }
    bool wait_until_sent(std::int64_t items) {
        const Hub hub(house);
        return until([&] {
            if (house.count("lightspeed/items") >= items && hub.open_intents() == 0) return true;
            house.run("till");
            return false;
        });
    }
    void expect_menu(std::int64_t items, double price) const {
        const json::array there = vendor_records(house, "lightspeed/items");
        EXPECT_EQ(static_cast<std::int64_t>(there.size()), items);
        EXPECT_TRUE(all_differ(there, "/sku"));
        EXPECT_EQ(house.stat("lightspeed", "duplicates"), 0);
        for (const json::value& item : there)
            EXPECT_EQ(item.at("prices").at(0).at("amount").to_number<double>(), price)
                << json::serialize(item);
        EXPECT_EQ(Hub(house).open_intents(), 0);
        EXPECT_EQ(house.get("/api/v1/dead-letters").at("items").as_array().size(), 0u)
            << json::serialize(house.get("/api/v1/dead-letters"));
    }
};

TEST_F(Menu, ItemsArriveOnceAndThenOnlyWhatChanges) {
    begin_export();
    write_menu(20, "12.50");
    connect();
    ASSERT_TRUE(wait_until_sent(20)) << house.last_lines();
    expect_menu(20, 12.5);
    const std::int64_t writes = house.stat("lightspeed", "writes");
    house.run("till");
    EXPECT_EQ(house.stat("lightspeed", "writes"), writes);
    // People at the till add what the hub does not know.
    const std::string key = json::serialize(vendor_records(house, "lightspeed/items").at(4).at("id"));
    ASSERT_EQ(
        house.sim("PUT", "lightspeed/items/" + key, R"({"docketName":"PDJ","barcode":"376","costPrice":4.2})")
            .status,
        200u);
    write_menu(20, "13.00");
    ASSERT_TRUE(until([&] {
        house.run("till");
        return house.stat("lightspeed", "writes") >= writes + 20 && Hub(house).open_intents() == 0;
    })) << house.last_lines();
    expect_menu(20, 13);
    for (const json::value& item : vendor_records(house, "lightspeed/items")) {
        if (json::serialize(item.at("id")) != key) continue;
        EXPECT_EQ(text_of(item.as_object(), "docketName"), "PDJ")
            << "a write may not take away what it does not know";
        EXPECT_EQ(text_of(item.as_object(), "barcode"), "376");
        EXPECT_EQ(item.at("costPrice").to_number<double>(), 4.2);
    }
}

TEST_F(Menu, LostAnswersAndFaultsAfterTheWorkMakeNoSecondOne) {
    house.set("lightspeed", R"({"lose_every":4,"fault_after_commit_every":5})");
    begin_export();
    write_menu(24, "9.90");
    connect();
    ASSERT_TRUE(wait_until_sent(24)) << house.last_lines();
    expect_menu(24, 9.9);
    EXPECT_GT(house.stat("lightspeed", "answers_lost"), 3);
}

TEST_F(Menu, PricesAloneAreWrittenWhereTheyCanBe) {
    house.set("lightspeed", R"({"lose_every":3})");
    begin_export("[menu_item, price]");
    write_menu(12, "8.00");
    std::string text = "id,item,price\n";
    for (int i = 1; i <= 12; ++i) text += "P" + std::to_string(i) + ",M" + std::to_string(i) + ",8.80\n";
    house.write("in/price.csv", text);
    house.run("menu");
    connect();
    ASSERT_TRUE(until([&] {
        house.run("till");
        return Hub(house).mapped("till", "price").size() == 12 && Hub(house).open_intents() == 0;
    })) << house.last_lines();
    expect_menu(12, 8.8);
}

TEST_F(Menu, TheDaemonIsKilledInTheMiddle) {
    house.set("lightspeed", R"({"latency_ms":15})");
    begin_export();
    write_menu(60, "11.00");
    connect_lightspeed(house);
    for (const int count : {10, 30}) {
        ASSERT_TRUE(house.wait_until_at_vendor("lightspeed/items", count)) << house.last_lines();
        house.kill_daemon();
        house.start();
        house.trigger("till");
    }
    ASSERT_TRUE(wait_until_sent(60)) << house.last_lines();
    expect_menu(60, 11);
}

// What is there already is recognised, not made again.
TEST_F(Menu, BothSidesMeetByTheSku) {
    house.seed("lightspeed/items", 5);
    house.configure(menu_import() + lightspeed({"[menu_item]", "manual", "    match: { menu_item: [sku] }\n"},
                                               "bidirectional"));
    house.start();
    house.write("in/menu_item.csv", "id,sku,name,price\nM3,3,Plat 3,13.50\nM9,S9,Neuf,9.00\n");
    house.run("menu");
    connect();
    ASSERT_TRUE(wait_until_sent(6)) << house.last_lines();
    house.run("till");
    EXPECT_EQ(house.count("lightspeed/items"), 6);
    EXPECT_EQ(Hub(house).records("menu_item"), 6);
}

}  // namespace
}  // namespace liaison_system
