// The Odoo connector through the real daemon: both transports, both directions, killed and left without
// answers.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "hub.hpp"
#include "odoo_house.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

using Server = OdooServer;

json::object values_of(const json::array& rows, std::int64_t id) {
    for (const json::value& row : rows) {
        if (row.at("id").to_number<std::int64_t>() == id) return row.as_object();
    }
    return {};
}

class Odoo : public testing::TestWithParam<Server> {
  protected:
    Odoo() { write_odoo_credentials(house); }
    // Everything of the shop into the hub, and an Odoo without it.
    void begin_export(int products, int orders, const std::string& entities, const std::string& more = {}) {
        house.seed("shop/products", products);
        house.seed("shop/customers", 10);
        if (orders > 0) house.seed("shop/orders", orders);
        house.configure(shop({"[product, customer, sales_order]"}) +
                        odoo(GetParam(), "export", {entities}, more));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), products + 10 + orders);
    }
    bool all_sent(const std::string& entity, std::int64_t count) const {
        const Hub hub(house);
        return until([&] { return house.count("odoo/" + entity) >= count && hub.open_intents() == 0; });
    }
    // Each record that was exported is there once, and known by its number.
    void expect_once(const std::string& entity, const std::string& collection, std::int64_t count) const {
        const json::array there = vendor_records(house, "odoo/" + collection);
        EXPECT_EQ(static_cast<std::int64_t>(there.size()), count) << house.last_lines();
        const auto mapped = Hub(house).mapped("odoo", entity);
        EXPECT_EQ(static_cast<std::int64_t>(mapped.size()), count);
        for (const json::value& row : there)
            EXPECT_TRUE(mapped.contains(std::to_string(row.at("id").to_number<std::int64_t>())));
        EXPECT_EQ(Hub(house).number("SELECT count(*) FROM dead_letters"), 0)
            << Hub(house).text("SELECT group_concat(entity || ': ' || message, '; ') FROM dead_letters");
    }
    House house;
};

TEST_P(Odoo, IsImportedAndASecondRunChangesNothing) {
    house.seed("odoo/products", 120);
    house.seed("odoo/partners", 60);
    house.seed("odoo/orders", 130);
    house.seed("odoo/lines", 130);
    house.configure(odoo(GetParam(), "import", {"[product, customer, sales_order]"}));
    house.start();
    EXPECT_EQ(total_of(house.run("odoo"), "created"), 310) << house.last_lines();
    const auto orders = Hub(house).mapped("odoo", "sales_order");
    ASSERT_EQ(orders.size(), 130u);
    const json::object& order = orders.at("5").payload;
    EXPECT_EQ(text_of(order, "order_no"), "S00005");
    EXPECT_EQ(text_of(order, "status"), "confirmed");
    ASSERT_EQ(order.at("lines").as_array().size(), 1u);
    EXPECT_EQ(text_of(order.at("lines").at(0).as_object(), "unit_price"), "12.5");
    EXPECT_EQ(order.at("total").at("amount"), 2500);
    const json::object again = house.run("odoo");
    EXPECT_EQ(total_of(again, "created") + total_of(again, "updated") + total_of(again, "deleted"), 0);
    EXPECT_EQ(text_of(again, "status"), "success");
    EXPECT_EQ(house.stop(), 0);
}

TEST_P(Odoo, InvoicesAndStockAreImported) {
    house.seed("odoo/products", 60);
    house.seed("odoo/partners", 10);
    house.seed("odoo/invoices", 70);
    house.seed("odoo/invoice_lines", 70);
    house.seed("odoo/quants", 60);
    const std::string tax = R"({"move_id":5,"tax_line_id":1,"amount_currency":-5.0,"quantity":0})";
    ASSERT_EQ(house.sim("PUT", "odoo/invoice_lines/71?raw=true", tax).status, 201u);
    house.configure(odoo(
        GetParam(), "import", {"[product, customer, invoice, stock_level]"},
        "      overlap: 0s\n      stock_locations: { main: 8 }\n      complete: { stock_level: true }\n"));
    house.start();
    EXPECT_EQ(total_of(house.run("odoo"), "created"), 200) << house.last_lines();
    const Hub hub(house);
    const json::object invoice = hub.mapped("odoo", "invoice").at("5").payload;
    EXPECT_EQ(text_of(invoice, "status"), "issued");
    EXPECT_EQ(text_of(invoice, "kind"), "invoice");
    EXPECT_EQ(invoice.at("lines").as_array().size(), 1u) << "the journal item of the tax is none";
    EXPECT_EQ(invoice.at("taxes").at(0).at("amount").at("amount"), 500);
    const auto stock = hub.mapped("odoo", "stock_level");
    ASSERT_EQ(stock.size(), 60u);
    EXPECT_EQ(text_of(stock.at("7@8").payload, "on_hand"), "7");
    EXPECT_EQ(text_of(stock.at("7@8").payload, "location"), "main");
    const json::object again = house.run("odoo");
    EXPECT_EQ(total_of(again, "created") + total_of(again, "updated") + total_of(again, "deleted"), 0);

    ASSERT_EQ(house.sim("PUT", "odoo/invoices/5?raw=true", R"({"amount_residual":10.0})").status, 200u);
    ASSERT_EQ(house.sim("PUT", "odoo/quants/7?raw=true", R"({"quantity":2.5})").status, 200u);
    const std::string lot = R"({"product_id":8,"location_id":8,"quantity":1.5,"reserved_quantity":0})";
    ASSERT_EQ(house.sim("PUT", "odoo/quants/61?raw=true", lot).status, 201u);
    ASSERT_EQ(house.sim("DELETE", "odoo/quants/9").status, 204u);
    EXPECT_EQ(total_of(house.run("odoo"), "updated"), 3);
    EXPECT_EQ(text_of(hub.mapped("odoo", "invoice").at("5").payload, "status"), "part_paid");
    EXPECT_EQ(text_of(hub.mapped("odoo", "stock_level").at("8@8").payload, "on_hand"), "9.5");
    // A quant that is gone, when several full runs have missed it.
    for (int i = 0; i < 3; ++i) {
        house.wait_for_run(
            number_of(house.api("POST", "/api/v1/integrations/odoo/sync?full=true").body.as_object(), "run"));
    }
    EXPECT_EQ(hub.mapped("odoo", "stock_level").size(), 59u);
}

// What a shop sold, as invoices; its products' quantities at an Odoo that counts them.
class OdooLedger : public Odoo {
  protected:
    void begin(int orders, const std::string& more = {}) {
        house.seed("shop/products", 20);
        house.seed("shop/customers", 10);
        house.seed("shop/orders", orders);
        const std::string entities = "[product, customer, sales_order, invoice]";
        house.configure(shop_ledger({entities}) +
                        odoo(GetParam(), "export", {entities}, "      post_invoices: true\n" + more));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), 30 + 2 * orders);
    }
    // Every order is an invoice; of cancelled ones a draft.
    void expect_each_invoice_once(std::int64_t count) const {
        expect_once("invoice", "invoices", count);
        std::int64_t drafts = 0, cancelled = 0;
        for (const json::value& invoice : vendor_records(house, "odoo/invoices"))
            drafts += text_of(invoice.as_object(), "state") == "draft";
        for (const json::value& order : vendor_records(house, "shop/orders"))
            cancelled += text_of(order.as_object(), "status") == "cancelled";
        EXPECT_EQ(drafts, cancelled);
    }
};

TEST_P(OdooLedger, InvoicesArePostedOnceAndStay) {
    begin(20);
    house.run("odoo");
    ASSERT_TRUE(all_sent("invoices", 20)) << house.last_lines();
    expect_each_invoice_once(20);
    EXPECT_EQ(total_of(house.run("odoo"), "exported"), 0);
    std::string issued, draft;
    for (const json::value& order : vendor_records(house, "shop/orders")) {
        const bool is_draft = text_of(order.as_object(), "status") == "cancelled";
        (is_draft ? draft : issued) = std::to_string(number_of(order.as_object(), "id"));
    }
    const std::string lines = R"({"lines":[{"product_id":1,"quantity":1,"unit_price":1}]})";
    ASSERT_EQ(house.sim("PUT", "shop/orders/" + draft, lines).status, 200u);
    ASSERT_EQ(house.sim("PUT", "shop/orders/" + issued, lines).status, 200u);
    house.run("shop");
    house.run("odoo");
    EXPECT_TRUE(until([&] { return Hub(house).open_intents() == 0; }));
    EXPECT_EQ(
        Hub(house).number("SELECT count(*) FROM dead_letters WHERE message LIKE '%write a credit note%'"), 1);
    EXPECT_EQ(house.count("odoo/invoices"), 20);
}

TEST_P(OdooLedger, AnswersAreLostAfterTheCommit) {
    house.set("odoo", R"({"lose_every":4,"fault_after_commit_every":9})");
    begin(20);
    house.run("odoo");
    ASSERT_TRUE(all_sent("invoices", 20)) << house.last_lines();
    expect_each_invoice_once(20);
    EXPECT_GT(house.stat("odoo", "answers_lost"), 5);
}

TEST_P(OdooLedger, TheDaemonIsKilledInTheMiddle) {
    house.set("odoo", R"({"latency_ms":5})");
    begin(60);
    house.trigger("odoo");
    ASSERT_TRUE(house.wait_until_at_vendor("odoo/invoices", 20)) << house.last_lines();
    house.kill_daemon();
    house.start();
    house.run("odoo");
    ASSERT_TRUE(all_sent("invoices", 60)) << house.last_lines();
    expect_each_invoice_once(60);
}

// A count that is repeated changes nothing: the quantity is there already.
TEST_P(OdooLedger, StockIsCountedOnceWhateverIsLost) {
    house.seed("shop/products", 40);
    const std::string entities = "[product, stock_level]";
    house.configure(shop_ledger({entities}) +
                    odoo(GetParam(), "export", {entities}, "      stock_locations: { main: 8 }\n"));
    house.set("odoo", R"({"lose_every":5,"fault_after_commit_every":7})");
    house.start();
    ASSERT_EQ(total_of(house.run("shop"), "created"), 80);
    house.run("odoo");
    const auto all_counted = [&] {
        std::multiset<double> wanted, there;
        for (const json::value& one : vendor_records(house, "shop/products"))
            wanted.insert(one.at("price").to_number<double>());
        for (const json::value& one : vendor_records(house, "odoo/quants")) {
            if (one.as_object().contains("quantity")) there.insert(one.at("quantity").to_number<double>());
        }
        return wanted == there && Hub(house).open_intents() == 0;
    };
    EXPECT_TRUE(until(all_counted)) << house.last_lines();
    EXPECT_EQ(house.count("odoo/quants"), 40);
    EXPECT_EQ(Hub(house).mapped("odoo", "stock_level").size(), 40u);
    EXPECT_EQ(Hub(house).number("SELECT count(*) FROM dead_letters"), 0)
        << Hub(house).text("SELECT group_concat(message, '; ') FROM dead_letters");
    house.set("odoo", R"({"lose_every":0,"fault_after_commit_every":0})");
    EXPECT_EQ(total_of(house.run("odoo"), "exported"), 0);
}

INSTANTIATE_TEST_SUITE_P(Versions, OdooLedger,
                         testing::Values(Server{"sim14", "xmlrpc"}, Server{"sim17", "xmlrpc"},
                                         Server{"sim19", "json2"}),
                         [](const auto& one) {
                             return one.index == 0 ? "XmlRpc14" : one.index == 1 ? "XmlRpc17" : "Json2";
                         });

TEST_P(Odoo, AChangeOfALineAloneArrives) {
    house.seed("odoo/products", 3);
    house.seed("odoo/partners", 3);
    house.seed("odoo/orders", 20);
    house.seed("odoo/lines", 20);
    house.configure(odoo(GetParam(), "import", {"[product, customer, sales_order]"}, "      overlap: 0s\n"));
    house.start();
    house.run("odoo");
    ASSERT_EQ(house.sim("PUT", "odoo/lines/3?raw=true", R"({"product_uom_qty":9.5})").status, 200u);
    const json::object run = house.run("odoo");
    EXPECT_EQ(total_of(run, "updated"), 1);
    EXPECT_EQ(text_of(Hub(house).mapped("odoo", "sales_order").at("3").payload.at("lines").at(0).as_object(),
                      "quantity"),
              "9.5");
}

TEST_P(Odoo, ManyChangesInOneSecondAreReadInPages) {
    for (int i = 1; i <= 130; ++i)
        ASSERT_EQ(house
                      .sim("PUT", "odoo/products/" + std::to_string(i) + "?raw=true",
                           R"({"write_date":"","name":"P)" + std::to_string(i) + R"("})")
                      .status,
                  201u);
    house.configure(odoo(GetParam(), "import", {"[product]"}));
    house.start();
    EXPECT_EQ(total_of(house.run("odoo"), "created"), 130) << "pages of 50 within a second or two";
    EXPECT_EQ(Hub(house).records("product"), 130);
}

TEST_P(Odoo, OrdersArriveWithTheirLinesAndAreConfirmed) {
    begin_export(20, 30, "[product, customer, sales_order]");
    EXPECT_EQ(text_of(house.run("odoo"), "status"), "success") << house.last_lines();
    ASSERT_TRUE(all_sent("orders", 30)) << house.last_lines();
    expect_once("product", "products", 20);
    expect_once("customer", "partners", 10);
    expect_once("sales_order", "orders", 30);
    const auto orders = Hub(house).mapped("odoo", "sales_order");
    const json::array there = vendor_records(house, "odoo/orders"),
                      lines = vendor_records(house, "odoo/lines");
    for (const auto& [id, mapped] : orders) {
        const json::object row = values_of(there, std::stoll(id));
        const std::string status = text_of(mapped.payload, "status");
        EXPECT_EQ(text_of(row, "state"), status == "cancelled" ? "cancel" : "sale") << status;
        const auto count = std::count_if(lines.begin(), lines.end(), [&, key = id](const json::value& line) {
            return line.at("order_id").to_number<std::int64_t>() == std::stoll(key);
        });
        EXPECT_EQ(static_cast<std::size_t>(count), mapped.payload.at("lines").as_array().size());
    }
    ASSERT_EQ(house.sim("POST", "stats/reset").status, 204u);
    house.run("odoo");
    EXPECT_EQ(house.stat("odoo", "writes_committed"), 0) << "a second run has nothing to send";
    EXPECT_EQ(house.stop(), 0);
}

TEST_P(Odoo, AnswersAreLostAfterTheCommit) {
    begin_export(40, 40, "[product, customer, sales_order]");
    house.set("odoo", R"({"lose_every":5})");
    house.run("odoo");
    EXPECT_TRUE(all_sent("orders", 40)) << house.last_lines();
    EXPECT_GT(house.stat("odoo", "answers_lost"), 5);
    expect_once("product", "products", 40);
    expect_once("sales_order", "orders", 40);
}

TEST_P(Odoo, ChangesAreWrittenWhileAnswersAreLost) {
    begin_export(20, 20, "[product, customer, sales_order]");
    house.run("odoo");
    ASSERT_TRUE(all_sent("orders", 20)) << house.last_lines();
    for (int id = 1; id <= 20; ++id)
        ASSERT_EQ(house
                      .sim("PUT", "shop/orders/" + std::to_string(id),
                           R"({"lines":[{"product_id":3,"quantity":7}]})")
                      .status,
                  200u);
    ASSERT_EQ(total_of(house.run("shop"), "updated"), 20);
    house.set("odoo", R"({"lose_every":4})");
    house.run("odoo");
    const Hub hub(house);
    EXPECT_TRUE(until([&] { return hub.open_intents() == 0; })) << house.last_lines();
    expect_once("sales_order", "orders", 20);
    // Each order has its new line once; of cancelled ones Odoo's lines stay as they are.
    std::map<std::int64_t, int> goods;
    for (const json::value& line : vendor_records(house, "odoo/lines")) {
        const double quantity = line.at("product_uom_qty").to_number<double>();
        if (quantity != 0) goods[line.at("order_id").to_number<std::int64_t>()] += quantity == 7 ? 1 : 100;
    }
    int written = 0;
    for (const json::value& order : vendor_records(house, "odoo/orders")) {
        if (text_of(order.as_object(), "state") != "sale") continue;
        EXPECT_EQ(goods[order.at("id").to_number<std::int64_t>()], 1);
        ++written;
    }
    EXPECT_GT(written, 5);
}

TEST_P(Odoo, AFaultFollowsTheCommit) {
    begin_export(40, 0, "[product]");
    house.set("odoo", R"({"fault_after_commit_every":4})");
    house.run("odoo");
    EXPECT_TRUE(all_sent("products", 40)) << house.last_lines();
    expect_once("product", "products", 40);
    EXPECT_GT(house.stat("odoo", "duplicates"), 0) << "what was repeated found the first";
}

TEST_P(Odoo, TooManyRequestsAreWaitedOut) {
    begin_export(60, 0, "[product]");
    house.set("odoo", R"({"rate_limit":{"per_second":100,"burst":20}})");
    house.trigger("odoo");
    EXPECT_TRUE(all_sent("products", 60)) << house.last_lines();
    EXPECT_GT(house.stat("odoo", "rate_limited"), 0);
    expect_once("product", "products", 60);
}

TEST_P(Odoo, TheDaemonIsKilledInTheMiddle) {
    begin_export(300, 0, "[product]");
    house.set("odoo", R"({"latency_ms":3})");
    house.trigger("odoo");
    ASSERT_TRUE(house.wait_until_at_vendor("odoo/products", 90));
    house.kill_daemon();
    ASSERT_LT(house.count("odoo/products"), 300);
    house.start();
    house.run("odoo");
    EXPECT_TRUE(all_sent("products", 300)) << house.last_lines();
    expect_once("product", "products", 300);
    EXPECT_EQ(house.stop(), 0);
}

TEST_P(Odoo, AKeyThatIsRevokedInTheMiddleStopsTheRunAndNothingElse) {
    begin_export(300, 0, "[product]");
    house.set("odoo", R"({"latency_ms":3})");
    const std::int64_t run = house.trigger("odoo");
    ASSERT_TRUE(house.wait_until_at_vendor("odoo/products", 60));
    house.set("odoo", R"({"auth":{"key":"another"}})");
    const json::object ended = house.wait_for_run(run);
    EXPECT_NE(text_of(ended, "status"), "success");
    EXPECT_LT(house.count("odoo/products"), 300);
    house.set("odoo", R"({"auth":{"key":"odoo-key"}})");
    house.ctl("integrations resume odoo");
    house.run("odoo");
    EXPECT_TRUE(all_sent("products", 300)) << house.last_lines();
    expect_once("product", "products", 300);
}

TEST_P(Odoo, BothWaysAChangeOnEachSideReachesTheOther) {
    house.seed("shop/products", 5);
    house.configure(shop({"[product]"}) +
                    odoo(GetParam(), "bidirectional", {"{ product: { conflict: remote } }"}));
    house.start();
    house.run("shop");
    house.run("odoo");
    ASSERT_TRUE(all_sent("products", 5)) << house.last_lines();
    const json::object quiet = house.run("odoo");
    EXPECT_EQ(total_of(quiet, "created") + total_of(quiet, "updated"), 0)
        << "what we wrote came back as news";
    EXPECT_EQ(Hub(house).records("product"), 5) << "a twin";
    ASSERT_EQ(house.sim("PUT", "odoo/products/1?raw=true", R"({"name":"By Odoo"})").status, 200u);
    house.run("odoo");
    EXPECT_EQ(text_of(Hub(house).mapped("odoo", "product").at("1").payload, "name"), "By Odoo");
    ASSERT_EQ(house.sim("PUT", "shop/products/2", R"({"name":"By the shop"})").status, 200u);
    house.run("shop");
    house.run("odoo");
    EXPECT_TRUE(until([&] {
        for (const json::value& row : vendor_records(house, "odoo/products")) {
            if (text_of(row.as_object(), "name") == "By the shop") return true;
        }
        return false;
    })) << house.last_lines();
    EXPECT_EQ(house.count("odoo/products"), 5);
}

TEST_P(Odoo, BothWaysALostAnswerMakesNoTwin) {
    house.seed("shop/customers", 40);
    house.configure(shop({"[customer]"}) +
                    odoo(GetParam(), "bidirectional", {"[customer]\n    match: { customer: [account_no] }"}));
    house.start();
    house.run("shop");
    house.set("odoo", R"({"lose_every":2})");
    house.run("odoo");
    house.run("odoo");  // reads what it does not know yet that it has written
    house.set("odoo", R"({"lose_every":0})");
    house.run("odoo");
    EXPECT_TRUE(all_sent("partners", 40)) << house.last_lines();
    EXPECT_EQ(house.count("odoo/partners"), 40);
    EXPECT_EQ(Hub(house).records("customer"), 40);
}

std::string name_of(const testing::TestParamInfo<Server>& info) {
    return std::string(info.param.transport) == "json2" ? "Json2"
                                                        : std::string("XmlRpc") + (info.param.database + 3);
}

INSTANTIATE_TEST_SUITE_P(Versions, Odoo,
                         testing::Values(Server{"sim14", "xmlrpc"}, Server{"sim17", "auto"},
                                         Server{"sim19", "json2"}),
                         name_of);

// Databases with a fault of their own.
class AnOdoo : public Odoo {};

TEST_P(AnOdoo, OrdersAreConfirmedOnceAndKnown) {
    begin_export(5, 20, "[product, customer, sales_order]");
    house.run("odoo");
    EXPECT_TRUE(all_sent("orders", 20)) << house.last_lines();
    expect_once("sales_order", "orders", 20);
}

INSTANTIATE_TEST_SUITE_P(Faulty, AnOdoo,
                         testing::Values(Server{"sim16-none", "xmlrpc"}, Server{"sim17-busy", "xmlrpc"}),
                         [](const auto& info) { return std::string(info.index == 0 ? "None" : "Busy"); });

TEST(OdooCredentials, ThatAreWrongAreAnAnswerForPeople) {
    for (const char* transport : {"xmlrpc", "json2"}) {
        House house;
        house.write("secrets/odoo-key", "wrong");
        house.configure(odoo({"sim19", transport}, "import", {"[product]"}));
        house.start();
        EXPECT_THAT(house.ctl("integrations test odoo").text, HasSubstr("API key"));
        const json::object run = house.run("odoo");
        EXPECT_EQ(text_of(run, "status"), "failed");
        EXPECT_THAT(house.log(), testing::Not(HasSubstr("wrong</string>")));
    }
}

TEST(OdooCredentials, ThatAreRightTellTheCompany) {
    House house;
    house.write("secrets/odoo-key", "odoo-key");
    house.configure(odoo({"sim17", "auto"}, "import", {"[product]"}));
    house.start();
    EXPECT_THAT(house.ctl("integrations test odoo").text,
                testing::AllOf(HasSubstr("Paradise"), HasSubstr("17.0")));
}

}  // namespace
}  // namespace liaison_system
