// Invoices, stock and sales at tills in QuickBooks Online, through the real daemon.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "hub.hpp"
#include "quickbooks_house.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

class BooksLedger : public testing::Test {
  protected:
    BooksLedger() { write_quickbooks_credentials(house); }
    void connect() const { connect_and_run_quickbooks(house); }
    House house;
};

TEST_F(BooksLedger, InvoicesCreditMemosAndStockAreImported) {
    house.seed("quickbooks/customers", 5);
    house.seed("quickbooks/items", 30);
    house.seed("quickbooks/invoices", 120);
    house.seed("quickbooks/creditmemos", 40);
    house.configure(quickbooks({"[customer, product, invoice, stock_level]"}, "import"));
    house.start();
    connect();
    const Hub hub(house);
    EXPECT_EQ(hub.mapped("books", "invoice").size(), 160u) << house.last_lines();
    const auto stock = hub.mapped("books", "stock_level");
    ASSERT_EQ(stock.size(), 30u);
    EXPECT_EQ(text_of(stock.at("7@main").payload, "on_hand"), "7");
    EXPECT_NE(text_of(stock.at("7@main").payload, "product_ref"), "7") << "the hub's own id of the product";
    EXPECT_EQ(text_of(hub.mapped("books", "invoice").at("creditmemo:3").payload, "kind"), "credit_note");
    const json::object again = house.run("books");
    EXPECT_EQ(total_of(again, "created") + total_of(again, "updated") + total_of(again, "deleted"), 0);
    ASSERT_EQ(house.sim("PUT", "quickbooks/invoices/7", R"({"Balance":5})").status, 200u);
    ASSERT_EQ(house.sim("PUT", "quickbooks/items/7", R"({"QtyOnHand":1})").status, 200u);
    ASSERT_EQ(house.sim("DELETE", "quickbooks/creditmemos/3").status, 204u);
    house.run("books");
    EXPECT_EQ(text_of(hub.mapped("books", "invoice").at("invoice:7").payload, "status"), "part_paid");
    EXPECT_EQ(text_of(hub.mapped("books", "stock_level").at("7@main").payload, "on_hand"), "1");
    EXPECT_EQ(house.stat("quickbooks", "refused"), 0);
}

// What a shop sold, as invoices and as sales at a till.
class IntoTheLedger : public BooksLedger {
  protected:
    void begin(int orders) {
        house.seed("shop/products", 30);
        house.seed("shop/customers", 10);
        house.seed("shop/orders", orders);
        house.configure(
            shop_ledger({"[product, customer, sales_order, invoice, pos_transaction]"}) +
            quickbooks({"[product, customer, sales_order, invoice, pos_transaction]"}, "export",
                       "      invoices: { number: reference }\n"
                       "      pos: { customer: \"1\", deposit_account: \"35\", default_item: \"1\" }\n"));
        house.start();
        house.run("shop");
    }
    bool wait_until_all_sent() const {
        return until([&] {
            const Hub hub(house);
            return hub.mapped("books", "invoice").size() + hub.mapped("books", "pos_transaction").size() ==
                       static_cast<std::size_t>(hub.records("invoice") + hub.records("pos_transaction")) &&
                   hub.open_intents() == 0;
        });
    }
    // How many orders of the shop are in one of these states, and what they come to in cents.
    std::pair<std::int64_t, std::int64_t> sold(const std::vector<std::string>& states) const {
        std::int64_t count = 0, cents = 0;
        for (const json::value& order : vendor_records(house, "shop/orders")) {
            const std::string status = text_of(order.as_object(), "status");
            if (std::find(states.begin(), states.end(), status) == states.end()) continue;
            ++count;
            cents += cents_in(order, "total_net");
        }
        return {count, cents};
    }
    static std::int64_t cents_in(const json::value& row, const char* field) {
        return std::llround(row.at(field).to_number<double>() * 100);
    }
    void expect_documents(const std::string& entity, std::pair<std::int64_t, std::int64_t> wanted) const {
        const json::array there = vendor_records(house, entity);
        std::int64_t cents = 0;
        for (const json::value& row : there) cents += cents_in(row, "TotalAmt");
        EXPECT_EQ(static_cast<std::int64_t>(there.size()), wanted.first) << entity;
        EXPECT_EQ(cents, wanted.second) << entity;
        EXPECT_TRUE(all_differ(there, "/DocNumber"));
    }
    void expect_booked() const {
        expect_documents("quickbooks/invoices", sold({"new", "paid", "shipped"}));
        expect_documents("quickbooks/salesreceipts", sold({"new", "paid"}));
        expect_documents("quickbooks/refundreceipts", sold({"shipped"}));
        EXPECT_EQ(Hub(house).open_intents(), 0);
        EXPECT_EQ(house.stat("quickbooks", "duplicates"), 0);
        EXPECT_EQ(house.get("/api/v1/dead-letters").at("items").as_array().size(), 0u)
            << json::serialize(house.get("/api/v1/dead-letters"));
    }
};

TEST_F(IntoTheLedger, WhatWasSoldIsBookedToTheCentAndOnce) {
    begin(60);
    connect();
    ASSERT_TRUE(wait_until_all_sent()) << house.last_lines();
    ASSERT_GT(sold({"shipped"}).first, 0);
    ASSERT_GT(sold({"cancelled"}).first, 0);
    for (const json::value& invoice : vendor_records(house, "quickbooks/invoices"))
        EXPECT_EQ(invoice.at("LinkedTxn").as_array().size(), 1u) << "the order's estimate";
    expect_booked();
    const std::int64_t writes = house.stat("quickbooks", "writes");
    EXPECT_EQ(text_of(house.run("books"), "status"), "success");
    EXPECT_EQ(house.stat("quickbooks", "writes"), writes);
}

TEST_F(IntoTheLedger, LostAnswersAndForgottenRequestIdsMakeNoSecondOne) {
    house.set("quickbooks", R"({"lose_every":5,"fault_after_commit_every":7,"requestid_s":0})");
    begin(50);
    connect();
    ASSERT_TRUE(wait_until_all_sent()) << house.last_lines();
    expect_booked();
    EXPECT_GT(house.stat("quickbooks", "answers_lost"), 5);
}

TEST_F(IntoTheLedger, TheDaemonIsKilledInTheMiddle) {
    house.set("quickbooks", R"({"latency_ms":20})");
    begin(60);
    connect_quickbooks(house);
    for (const auto& [entity, count] :
         {std::pair("quickbooks/invoices", 20), std::pair("quickbooks/salesreceipts", 10)}) {
        house.trigger("books");
        ASSERT_TRUE(house.wait_until_at_vendor(entity, count)) << house.last_lines();
        house.kill_daemon();
        house.start();
    }
    house.trigger("books");
    ASSERT_TRUE(wait_until_all_sent()) << house.last_lines();
    expect_booked();
}

// A draft is no document there until it is issued, and an issued one is not changed.
TEST_F(IntoTheLedger, DraftsBecomeInvoicesAndIssuedOnesStay) {
    begin(20);
    connect();
    ASSERT_TRUE(wait_until_all_sent()) << house.last_lines();
    std::string draft, issued;
    for (const json::value& order : vendor_records(house, "shop/orders")) {
        const bool is_draft = text_of(order.as_object(), "status") == "cancelled";
        (is_draft ? draft : issued) = json::serialize(order.at("id"));
    }
    ASSERT_NE(draft, "");
    const std::int64_t before = house.count("quickbooks/invoices");
    ASSERT_EQ(house.sim("PUT", "shop/orders/" + draft, R"({"status":"paid"})").status, 200u);
    house.run("shop");
    house.run("books");
    EXPECT_TRUE(until([&] { return house.count("quickbooks/invoices") == before + 1; }));
    const std::string line = R"({"lines":[{"product_id":1,"quantity":1,"unit_price":1}]})";
    ASSERT_EQ(house.sim("PUT", "shop/orders/" + issued, line).status, 200u);
    house.run("shop");
    house.run("books");
    const json::value letters = house.get("/api/v1/dead-letters");
    EXPECT_THAT(json::serialize(letters), testing::HasSubstr("write a credit note"));
    EXPECT_EQ(house.count("quickbooks/invoices"), before + 1);
}

}  // namespace
}  // namespace liaison_system
