// SAP Business One through the real daemon, worker and transport: sessions that end, answers that are lost, a
// daemon that is killed.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <map>
#include <set>
#include <string>

#include "hub.hpp"
#include "sap_b1_house.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

class Sap : public testing::Test {
  protected:
    Sap() { write_sap_b1_credentials(house); }
    // The shop's products, customers and orders in the hub, an empty company.
    void begin_export(int products, int orders, const std::string& settings = {}) {
        house.seed("shop/products", products);
        house.seed("shop/customers", 20);
        house.seed("shop/orders", orders);
        renew_cancelled_orders(house);
        house.configure(shop({"[product, customer, sales_order]"}) +
                        sap_b1({"[product, customer, sales_order]"}, "export", settings));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), products + 20 + orders);
    }
    bool wait_until_all_sent(std::int64_t orders) const {
        const Hub hub(house);
        return until([&] { return house.count("sap_b1/Orders") >= orders && hub.open_intents() == 0; });
    }
    void expect_each_order_once(std::int64_t orders) const {
        const json::array there = vendor_records(house, "sap_b1/Orders");
        EXPECT_EQ(static_cast<std::int64_t>(there.size()), orders);
        EXPECT_TRUE(all_differ(there, "/U_ExtId"));
        EXPECT_EQ(house.stat("sap_b1", "duplicates"), 0);
        const Hub hub(house);
        EXPECT_EQ(hub.mapped("sap", "sales_order").size(), static_cast<std::size_t>(orders));
        EXPECT_EQ(hub.open_intents(), 0);
    }
    // Product and quantity of all lines of all orders, in whatever order.
    std::multiset<std::string> lines_of(const std::string& entity, const char* list) const {
        const bool is_sap = entity.starts_with("sap");
        std::map<std::int64_t, std::string> skus;
        for (const json::value& product : vendor_records(house, "shop/products"))
            skus[number_of(product.as_object(), "id")] = text_of(product.as_object(), "sku");
        std::multiset<std::string> all;
        for (const json::value& order : vendor_records(house, entity)) {
            for (const json::value& line : order.at(list).as_array()) {
                const json::object& one = line.as_object();
                const std::string code =
                    is_sap ? text_of(one, "ItemCode") : skus[number_of(one, "product_id")];
                const json::value& quantity = one.at(is_sap ? "Quantity" : "quantity");
                const double count = quantity.is_string() ? std::stod(std::string(quantity.as_string()))
                                                          : quantity.to_number<double>();
                all.insert(code + " " + std::to_string(count));
            }
        }
        return all;
    }
    void sap_mode(const std::string& name, const std::string& value) const {
        house.set("sap_b1", R"({"modes":{")" + name + "\":\"" + value + "\"}}");
    }
    House house;
};

TEST_F(Sap, ImportsEverythingOnceAndThenWhatChanged) {
    for (const char* version : {"v1", "v2"}) {
        house.sim("POST", "reset");
        house.seed("sap_b1/Items", 250);
        house.seed("sap_b1/BusinessPartners", 30);
        house.seed("sap_b1/Orders", 45);
        house.seed("sap_b1/Invoices", 40);
        house.state_dir = house.root() / ("state-" + std::string(version));
        house.configure(sap_b1({"[product, customer, sales_order, invoice, stock_level]"}, "import",
                               "version: " + std::string(version) +
                                   (std::string(version) == "v1" ? ", paging: next_link" : "")));
        house.start();
        const json::object first = house.run("sap");
        EXPECT_EQ(text_of(first, "status"), "success") << json::serialize(first) << house.last_lines();
        const Hub hub(house);
        EXPECT_EQ(hub.mapped("sap", "product").size(), 250u);
        EXPECT_EQ(hub.mapped("sap", "customer").size(), 30u);
        EXPECT_EQ(hub.mapped("sap", "sales_order").size(), 45u);
        EXPECT_EQ(hub.mapped("sap", "invoice").size(), 40u);
        EXPECT_EQ(hub.mapped("sap", "stock_level").size(), 250u);
        EXPECT_EQ(hub.number("SELECT count(*) FROM dead_letters"), 0);

        const json::object second = house.run("sap");
        EXPECT_EQ(total_of(second, "created") + total_of(second, "updated"), 0) << json::serialize(second);

        ASSERT_EQ(house.sim("PUT", "sap_b1/Items/I000007", R"({"ItemName":"Renamed"})").status, 200u);
        EXPECT_EQ(total_of(house.run("sap"), "updated"), 1);
        EXPECT_EQ(text_of(hub.mapped("sap", "product").at("I000007").payload, "name"), "Renamed");
        ASSERT_EQ(house.sim("PUT", "sap_b1/Invoices/7", R"({"PaidToDate":1})").status, 200u);
        EXPECT_EQ(total_of(house.run("sap"), "updated"), 1);
        EXPECT_EQ(text_of(hub.mapped("sap", "invoice").at("7").payload, "status"), "part_paid");
        EXPECT_EQ(house.stop(), 0);
        EXPECT_EQ(house.stat("sap_b1", "logins"), 1);
        EXPECT_EQ(house.stat("sap_b1", "logouts"), 1) << "open sessions hold licences";
    }
}

TEST_F(Sap, LinksOfEveryFormAreFollowed) {
    house.seed("sap_b1/Items", 90);
    house.configure(sap_b1({"[product]"}, "import", "page_size: 20, paging: next_link"));
    house.start();
    for (const char* form : {"relative", "rooted", "absolute"}) {
        sap_mode("links", form);
        const Reply begun = house.api("POST", "/api/v1/integrations/sap/sync?full=true");
        const json::object run = house.wait_for_run(number_of(begun.body.as_object(), "run"));
        EXPECT_EQ(text_of(run, "status"), "success") << form;
        EXPECT_EQ(total_of(run, "fetched"), 90) << form << json::serialize(run);
    }
}

TEST_F(Sap, SessionsThatEndInTheMiddleAreRenewed) {
    sap_mode("session_requests", "5");
    begin_export(30, 40);
    house.run("sap");
    EXPECT_TRUE(wait_until_all_sent(40)) << house.last_lines();
    expect_each_order_once(40);
    EXPECT_GT(house.stat("sap_b1", "logins"), 10);
}

TEST_F(Sap, AWrongPasswordIsNotTriedUntilTheUserIsLocked) {
    house.seed("sap_b1/Items", 5);
    house.write("secrets/sap-password", "wrong");
    house.configure(sap_b1({"[product]"}, "import"));
    house.start();
    for (int i = 0; i < 4; ++i)
        EXPECT_THAT(text_of(house.run("sap"), "error"),
                    testing::HasSubstr("refuses the user name or the password"));
    EXPECT_EQ(house.stat("sap_b1", "logins"), 1);
}

TEST_F(Sap, ALateLicenceIsWaitedFor) {
    house.seed("sap_b1/Items", 5);
    house.configure(sap_b1({"[product]"}, "import", "login_busy_codes: [\"-1101\"]"));
    house.start();
    sap_mode("max_sessions", "1");
    ASSERT_EQ(house.run("sap").at("status").as_string(), "success");
    house.kill_daemon();  // leaves its session behind
    house.start();
    EXPECT_THAT(text_of(house.run("sap"), "error"), testing::HasSubstr("no session or licence free"));
    sap_mode("max_sessions", "0");
    EXPECT_EQ(text_of(house.run("sap"), "status"), "success");
}

TEST_F(Sap, ExportsOnceAndChangesWhatChanged) {
    begin_export(30, 25);
    EXPECT_EQ(text_of(house.run("sap"), "status"), "success") << house.last_lines();
    ASSERT_TRUE(wait_until_all_sent(25));
    expect_each_order_once(25);
    EXPECT_EQ(house.count("sap_b1/Items"), 30);
    EXPECT_EQ(house.count("sap_b1/BusinessPartners"), 20);
    const std::int64_t writes = house.stat("sap_b1", "writes_committed");
    EXPECT_EQ(total_of(house.run("sap"), "exported"), 0);
    EXPECT_EQ(house.stat("sap_b1", "writes_committed"), writes);

    ASSERT_EQ(house.sim("PUT", "shop/orders/1", R"({"lines":[{"product_id":3,"quantity":7}]})").status, 200u);
    ASSERT_EQ(total_of(house.run("shop"), "updated"), 1);
    EXPECT_EQ(total_of(house.run("sap"), "exported"), 1) << house.last_lines();
    // Lines that were replaced are gone.
    EXPECT_EQ(lines_of("sap_b1/Orders", "DocumentLines"), lines_of("shop/orders", "lines"));
    expect_each_order_once(25);
}

TEST_F(Sap, ChangesOfBothSidesMeet) {
    house.seed("sap_b1/Items", 10);
    house.seed("shop/products", 3);
    house.configure(shop({"[product]"}) + sap_b1({"{ product: { conflict: remote } }"}, "bidirectional"));
    house.start();
    ASSERT_EQ(total_of(house.run("shop"), "created"), 3);
    house.run("sap");
    const Hub hub(house);
    ASSERT_TRUE(until([&] { return house.count("sap_b1/Items") == 13 && hub.open_intents() == 0; }));
    EXPECT_EQ(hub.mapped("sap", "product").size(), 13u);
    const json::object again = house.run("sap");
    EXPECT_EQ(total_of(again, "exported") + total_of(again, "created"), 0)
        << "an echo: " << json::serialize(again);

    // The shop renames what SAP prices anew: both arrive, the old entity tag notwithstanding.
    const std::string code = text_of(vendor_records(house, "shop/products").at(0).as_object(), "sku");
    ASSERT_EQ(house.sim("PUT", "sap_b1/Items/" + code, R"({"SalesUnit":"BOX"})").status, 200u);
    ASSERT_EQ(house.sim("PUT", "shop/products/1", R"({"name":"New name"})").status, 200u);
    house.run("shop");
    house.run("sap");
    EXPECT_TRUE(until([&] {
        for (const json::value& item : vendor_records(house, "sap_b1/Items")) {
            const json::object& one = item.as_object();
            if (text_of(one, "ItemCode") == code)
                return text_of(one, "ItemName") == "New name" && text_of(one, "SalesUnit") == "BOX";
        }
        return false;
    })) << json::serialize(vendor_records(house, "sap_b1/Items"))
        << house.last_lines();
}

TEST_F(Sap, AnOldVersionWithoutEntityTags) {
    sap_mode("etags", "false");
    sap_mode("null_update_dates", "true");
    begin_export(10, 5, "version: v1, null_update_dates: true");
    EXPECT_EQ(text_of(house.run("sap"), "status"), "success") << house.last_lines();
    ASSERT_TRUE(wait_until_all_sent(5));
    ASSERT_EQ(house.sim("PUT", "shop/products/1", R"({"name":"New name"})").status, 200u);
    house.run("shop");
    EXPECT_EQ(total_of(house.run("sap"), "exported"), 1) << house.last_lines();
    EXPECT_EQ(Hub(house).open_intents(), 0);

    // Items that were never changed have no UpdateDate, and are found by when they were made.
    house.kill_daemon();
    house.state_dir = house.root() / "import";
    house.configure(sap_b1({"[product]"}, "import", "version: v1"));
    house.start();
    EXPECT_EQ(total_of(house.run("sap"), "created"), 10);
    house.seed("sap_b1/Items", 3);
    EXPECT_EQ(total_of(house.run("sap"), "created"), 3);
}

TEST_F(Sap, LostAnswersAndFaultsAfterTheCommit) {
    begin_export(20, 60);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("sap", entity));
    house.set("sap_b1", R"({"lose_every":7,"fault_after_commit_every":11})");
    house.run("sap");
    EXPECT_TRUE(wait_until_all_sent(60)) << house.last_lines();
    EXPECT_GT(house.stat("sap_b1", "answers_lost"), 0);
    expect_each_order_once(60);
}

TEST_F(Sap, MasterDataWhoseAnswersAreLost) {
    begin_export(60, 1);
    house.set("sap_b1", R"({"lose_every":5})");
    house.run("sap");
    EXPECT_TRUE(until([&] { return house.count("sap_b1/Items") == 60 && Hub(house).open_intents() == 0; }))
        << house.last_lines();
    EXPECT_TRUE(wait_until_all_sent(1)) << house.last_lines();
    EXPECT_EQ(Hub(house).mapped("sap", "product").size(), 60u);
}

TEST_F(Sap, TooManyRequests) {
    begin_export(10, 20);
    house.set("sap_b1", R"({"rate_limit":{"per_second":40,"burst":5}})");
    house.run("sap");
    EXPECT_TRUE(until([&] {
        house.run("sap");
        return house.count("sap_b1/Orders") == 20 && Hub(house).open_intents() == 0;
    })) << house.last_lines();
    EXPECT_GT(house.stat("sap_b1", "rate_limited"), 0);
    expect_each_order_once(20);
}

TEST_F(Sap, TheDaemonIsKilledInTheMiddle) {
    begin_export(20, 200);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("sap", entity));
    house.set("sap_b1", R"({"latency_ms":5})");
    house.trigger("sap");
    ASSERT_TRUE(house.wait_until_at_vendor("sap_b1/Orders", 60));
    house.kill_daemon();
    ASSERT_LT(house.count("sap_b1/Orders"), 200);
    house.start();
    house.run("sap");
    EXPECT_TRUE(wait_until_all_sent(200)) << house.last_lines();
    expect_each_order_once(200);
    EXPECT_EQ(house.stop(), 0);
}

// Every order of the shop is an invoice, too: cancelled ones are drafts, which SAP does not get.
class SapInvoices : public Sap {
  protected:
    void begin(int orders) {
        house.seed("shop/products", 20);
        house.seed("shop/customers", 20);
        house.seed("shop/orders", orders);
        const std::string entities = "[product, customer, sales_order, invoice]";
        house.configure(shop_ledger({entities}) + sap_b1({entities}, "export"));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), 40 + 2 * orders);
    }
    std::int64_t issued() const {
        std::int64_t count = 0;
        for (const json::value& order : vendor_records(house, "shop/orders"))
            count += text_of(order.as_object(), "status") != "cancelled";
        return count;
    }
    bool wait_until_posted() const {
        const Hub hub(house);
        return until([&] { return house.count("sap_b1/Invoices") >= issued() && hub.open_intents() == 0; });
    }
    void expect_each_invoice_once() const {
        const json::array there = vendor_records(house, "sap_b1/Invoices");
        EXPECT_EQ(static_cast<std::int64_t>(there.size()), issued());
        EXPECT_EQ(house.count("sap_b1/Orders"), issued()) << "what was cancelled before is not there";
        EXPECT_TRUE(all_differ(there, "/U_ExtId"));
        EXPECT_EQ(house.stat("sap_b1", "duplicates"), 0);
        const Hub hub(house);
        EXPECT_EQ(hub.mapped("sap", "invoice").size(), static_cast<std::size_t>(hub.records("invoice")));
        EXPECT_EQ(hub.number("SELECT count(*) FROM dead_letters"), 0);
    }
};

TEST_F(SapInvoices, AreBasedOnTheirOrdersAndPostedOnce) {
    begin(30);
    house.run("sap");
    ASSERT_TRUE(wait_until_posted()) << house.last_lines();
    expect_each_invoice_once();
    for (const json::value& order : vendor_records(house, "sap_b1/Orders"))
        EXPECT_EQ(text_of(order.as_object(), "DocumentStatus"), "bost_Close");
    const std::int64_t writes = house.stat("sap_b1", "writes_committed");
    EXPECT_EQ(total_of(house.run("sap"), "exported"), 0);
    EXPECT_EQ(house.stat("sap_b1", "writes_committed"), writes);
}

TEST_F(SapInvoices, LostAnswersAndFaultsAfterTheCommit) {
    begin(40);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("sap", entity));
    house.set("sap_b1", R"({"lose_every":7,"fault_after_commit_every":11})");
    house.run("sap");
    EXPECT_TRUE(wait_until_posted()) << house.last_lines();
    EXPECT_GT(house.stat("sap_b1", "answers_lost"), 0);
    expect_each_invoice_once();
}

TEST_F(SapInvoices, TheDaemonIsKilledInTheMiddle) {
    begin(60);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("sap", entity));
    house.set("sap_b1", R"({"latency_ms":5})");
    house.trigger("sap");
    ASSERT_TRUE(house.wait_until_at_vendor("sap_b1/Invoices", 15));
    house.kill_daemon();
    house.start();
    house.run("sap");
    EXPECT_TRUE(wait_until_posted()) << house.last_lines();
    expect_each_invoice_once();
}

TEST_F(Sap, AnOrderThatWaitsForApprovalIsNotSentTwice) {
    begin_export(10, 3);
    for (const char* entity : {"product", "customer"}) house.wait_for_run(house.trigger("sap", entity));
    sap_mode("approval", "fault");
    house.run("sap");
    EXPECT_EQ(house.count("sap_b1/Drafts"), 3);
    const Hub hub(house);
    EXPECT_TRUE(until([&] {
        return json::serialize(house.get("/api/v1/intents?limit=10")).find("waits for approval") !=
               std::string::npos;
    })) << json::serialize(house.get("/api/v1/intents?limit=10"));
    // Past the settle time SAP is asked for the order and for the draft of each.
    const std::int64_t reads = house.stat("sap_b1", "reads");
    EXPECT_TRUE(until([&] { return house.stat("sap_b1", "reads") >= reads + 6; }));
    EXPECT_EQ(house.count("sap_b1/Drafts"), 3);
    EXPECT_EQ(hub.open_intents(), 3);

    // Somebody agrees: the drafts become orders.
    int number = 0;
    for (const json::value& draft : vendor_records(house, "sap_b1/Drafts")) {
        json::object order{{"U_ExtId", draft.at("U_ExtId")}, {"CardCode", draft.at("CardCode")}};
        ASSERT_EQ(
            house.sim("PUT", "sap_b1/Orders/" + std::to_string(++number), json::serialize(order)).status,
            201u);
    }
    EXPECT_TRUE(wait_until_all_sent(3)) << json::serialize(house.get("/api/v1/intents?limit=10"));
    expect_each_order_once(3);
}

}  // namespace
}  // namespace liaison_system
