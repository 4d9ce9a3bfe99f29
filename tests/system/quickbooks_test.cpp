// QuickBooks Online through the real daemon: what it shows is in the hub, what the hub has arrives once.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "hub.hpp"
#include "quickbooks_house.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

const Fields customer_fields{{"/company_name", "/CompanyName"}};
const Fields item_fields{{"/sku", "/Sku"}, {"/name", "/Description"}, {"/sales_price", "/UnitPrice"}};
const Fields seeded_item_fields{{"/sku", "/Sku"}, {"/name", "/Name"}, {"/sales_price", "/UnitPrice"}};
const Fields estimate_fields{{"/order_no", "/DocNumber"},
                             {"/lines/0/quantity", "/Line/0/SalesItemLineDetail/Qty"}};

class Books : public testing::Test {
  protected:
    Books() { write_quickbooks_credentials(house); }
    void connect() const { connect_and_run_quickbooks(house); }
    std::int64_t newest() const { return number_of(house.runs("books").front(), "id"); }
    void expect_imported() const {
        const Hub hub(house);
        EXPECT_TRUE(hub_equals(hub, "books", "customer", vendor_records(house, "quickbooks/customers"), "/Id",
                               customer_fields));
        EXPECT_TRUE(hub_equals(hub, "books", "product", vendor_records(house, "quickbooks/items"), "/Id",
                               seeded_item_fields));
        EXPECT_TRUE(hub_equals(hub, "books", "sales_order", vendor_records(house, "quickbooks/estimates"),
                               "/Id", estimate_fields));
    }
    House house;
};

class FromTheBooks : public Books {
  protected:
    void begin(int customers, int items, int estimates) {
        house.seed("quickbooks/customers", customers);
        house.seed("quickbooks/items", items);
        if (estimates > 0) house.seed("quickbooks/estimates", estimates);
        house.configure(quickbooks({"[customer, product, sales_order]"}, "import"));
        house.start();
    }
};

TEST_F(FromTheBooks, EverythingIsImportedOnceAndThenOnlyWhatChanges) {
    begin(1'100, 150, 60);
    EXPECT_EQ(text_of(house.run("books"), "status"), "failed") << "nobody has let it in yet";
    EXPECT_THAT(house.ctl("status").text, HasSubstr("liaisonctl connect books"));
    connect();
    const json::object first = house.wait_for_run(newest());
    EXPECT_EQ(text_of(first, "status"), "success") << json::serialize(first) << house.last_lines();
    expect_imported();
    const json::object again = house.run("books");
    EXPECT_EQ(text_of(again, "status"), "success");
    EXPECT_EQ(total_of(again, "created") + total_of(again, "updated") + total_of(again, "deleted"), 0);
    ASSERT_EQ(house.sim("PUT", "quickbooks/customers/7", R"({"CompanyName":"Hotel Sieben"})").status, 200u);
    ASSERT_EQ(house.sim("DELETE", "quickbooks/estimates/3").status, 204u);
    const json::object changed = house.run("books");
    EXPECT_EQ(total_of(changed, "updated"), 1) << json::serialize(changed);
    EXPECT_EQ(total_of(changed, "deleted"), 1) << json::serialize(changed);
    expect_imported();
    EXPECT_EQ(house.stat("quickbooks", "refused"), 0);
}

TEST_F(FromTheBooks, ATokenThatExpiresInTheMiddleIsRenewed) {
    begin(3'000, 10, 0);
    connect_quickbooks(house);
    house.wait_for_status("books", 0, "success");
    house.set("quickbooks", R"({"latency_ms":100})");
    ASSERT_EQ(house.stat("intuit", "writes"), 1);
    const json::value sync = house.api("POST", "/api/v1/integrations/books/sync?mode=full").body;
    const std::int64_t run = house.trigger("books");
    house.set("intuit", R"({"expire":true,"latency_ms":50})");
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "success")
        << json::serialize(sync) << house.last_lines();
    EXPECT_EQ(house.stat("intuit", "writes"), 2) << "one renewal, whoever needed it";
    EXPECT_GT(house.stat("quickbooks", "unauthorized"), 0);
    expect_imported();
}

TEST_F(FromTheBooks, ANewTokenThatNotAllServersKnowYetIsTriedOnceMore) {
    begin(10, 10, 10);
    connect_quickbooks(house);
    house.wait_for_status("books", 0, "success");
    house.set("intuit", R"({"expire":true,"lag_ms":1000})");
    EXPECT_EQ(text_of(house.run("books"), "status"), "success") << house.last_lines();
    EXPECT_EQ(house.stat("intuit", "writes"), 2) << "another new token would have been as new";
}

TEST_F(FromTheBooks, TooManyRequestsAreWaitedOut) {
    begin(10, 10, 10);
    house.set("quickbooks", R"({"rate_limit":{"per_second":2,"burst":1}})");
    connect_quickbooks(house);
    house.wait_for_status("books", 0, "success");
    EXPECT_GT(house.stat("quickbooks", "rate_limited"), 0) << "nothing was put to the test";
    EXPECT_LT(house.stat("quickbooks", "rate_limited"), 10) << "the pause was not kept";
    expect_imported();
}

// Products, customers and orders of a shop, and empty books.
class ToTheBooks : public Books {
  protected:
    void begin(int products, int customers, int orders, const std::string& settings = {}) {
        house.seed("shop/products", products);
        house.seed("shop/customers", customers);
        house.seed("shop/orders", orders);
        house.configure(shop({"[product, customer, sales_order]"}) +
                        quickbooks({"[product, customer, sales_order]"}, "export", settings));
        house.start();
        ASSERT_EQ(total_of(house.run("shop"), "created"), products + customers + orders);
        connect();
    }
    bool wait_until_all_sent(std::int64_t orders) const {
        const Hub hub(house);
        return until(
            [&] { return house.count("quickbooks/estimates") >= orders && hub.open_intents() == 0; });
    }
    void expect_exported(std::int64_t products, std::int64_t customers, std::int64_t orders) const {
        const Hub hub(house);
        EXPECT_EQ(house.count("quickbooks/items"), products);
        EXPECT_EQ(house.count("quickbooks/customers"), customers);
        const json::array estimates = vendor_records(house, "quickbooks/estimates");
        EXPECT_EQ(static_cast<std::int64_t>(estimates.size()), orders);
        EXPECT_TRUE(all_differ(estimates, "/DocNumber"));
        EXPECT_TRUE(hub_equals(hub, "books", "product", vendor_records(house, "quickbooks/items"), "/Id",
                               item_fields));
        EXPECT_TRUE(hub_equals(hub, "books", "sales_order", estimates, "/Id", estimate_fields));
        EXPECT_TRUE(hub_equals(hub, "books", "customer", vendor_records(house, "quickbooks/customers"), "/Id",
                               customer_fields));
        EXPECT_EQ(hub.open_intents(), 0);
        EXPECT_EQ(house.stat("quickbooks", "duplicates"), 0);
        EXPECT_EQ(house.get("/api/v1/dead-letters").at("items").as_array().size(), 0u)
            << json::serialize(house.get("/api/v1/dead-letters"));
    }
};

TEST_F(ToTheBooks, EverythingArrivesOnceAndThenOnlyWhatChanges) {
    begin(60, 20, 40);
    ASSERT_TRUE(wait_until_all_sent(40)) << house.last_lines();
    expect_exported(60, 20, 40);
    const std::int64_t writes = house.stat("quickbooks", "writes");
    EXPECT_EQ(text_of(house.run("books"), "status"), "success");
    EXPECT_EQ(house.stat("quickbooks", "writes"), writes);
    ASSERT_EQ(house.sim("PUT", "shop/products/5", R"({"name":"Another name"})").status, 200u);
    house.run("shop");
    EXPECT_EQ(total_of(house.run("books"), "exported"), 1);
    expect_exported(60, 20, 40);
}

TEST_F(ToTheBooks, TaxesAreSaidWhereTheCompanyNeedsThem) {
    house.set("quickbooks", R"({"needs_tax":true,"unique_numbers":true})");
    begin(10, 5, 10, "      tax: { calculation: TaxExcluded, default_code: \"5\" }\n");
    ASSERT_TRUE(wait_until_all_sent(10)) << house.last_lines();
    expect_exported(10, 5, 10);
}

TEST_F(ToTheBooks, LostAnswersAndFaultsAfterTheWorkMakeNoSecondOne) {
    house.set("quickbooks", R"({"lose_every":5,"fault_after_commit_every":7})");
    begin(40, 20, 40);
    ASSERT_TRUE(wait_until_all_sent(40)) << house.last_lines();
    expect_exported(40, 20, 40);
    EXPECT_GT(house.stat("quickbooks", "answers_lost"), 5);
}

// Nobody says how long a request id is known.
TEST_F(ToTheBooks, NotEvenWhenRequestIdsAreForgottenAtOnce) {
    house.set("quickbooks", R"({"lose_every":5,"fault_after_commit_every":7,"requestid_s":0})");
    begin(40, 20, 40);
    ASSERT_TRUE(wait_until_all_sent(40)) << house.last_lines();
    expect_exported(40, 20, 40);
    EXPECT_GT(house.stat("quickbooks", "answers_lost"), 5);
}

TEST_F(ToTheBooks, TheDaemonIsKilledInTheMiddle) {
    house.set("quickbooks", R"({"latency_ms":20})");
    house.seed("shop/products", 200);
    house.seed("shop/customers", 20);
    house.seed("shop/orders", 50);
    house.configure(shop({"[product, customer, sales_order]"}) +
                    quickbooks({"[product, customer, sales_order]"}, "export"));
    house.start();
    house.run("shop");
    connect_quickbooks(house);
    for (const auto& [entity, count] :
         {std::pair("quickbooks/items", 60), std::pair("quickbooks/estimates", 10)}) {
        house.trigger("books");
        ASSERT_TRUE(house.wait_until_at_vendor(entity, count)) << house.last_lines();
        house.kill_daemon();
        house.start();
    }
    house.trigger("books");
    ASSERT_TRUE(wait_until_all_sent(50)) << house.last_lines();
    expect_exported(200, 20, 50);
}

// A customer has another phone in the books and another name in the shop.
TEST_F(Books, BothSidesChangeACustomerAndBothChangesStay) {
    house.seed("shop/customers", 5);
    house.configure(shop({"[customer]"}) + quickbooks({"[customer]"}, "bidirectional"));
    house.start();
    house.run("shop");
    connect();
    ASSERT_EQ(house.count("quickbooks/customers"), 5) << house.last_lines();
    const json::value there = vendor_records(house, "quickbooks/customers").at(0);
    const std::string key = text_of(there.as_object(), "Id");
    const std::string name = text_of(there.as_object(), "CompanyName");
    const std::string phone = R"({"PrimaryPhone":{"FreeFormNumber":"+33123456789"}})";
    ASSERT_EQ(house.sim("PUT", "quickbooks/customers/" + key, phone).status, 200u);
    for (const json::value& one : vendor_records(house, "shop/customers")) {
        if (text_of(one.as_object(), "company") != name) continue;
        const std::string id = json::serialize(one.at("id"));
        ASSERT_EQ(house.sim("PUT", "shop/customers/" + id, R"({"company":"Neuer Name"})").status, 200u);
    }
    house.run("shop");
    const auto both = [&] {
        house.run("books");
        for (const json::value& one : vendor_records(house, "quickbooks/customers")) {
            const json::object& row = one.as_object();
            if (text_of(row, "CompanyName") == "Neuer Name") return row.contains("PrimaryPhone");
        }
        return false;
    };
    EXPECT_TRUE(until(both)) << house.last_lines();
    const auto mapped = Hub(house).mapped("books", "customer");
    EXPECT_EQ(text_of(mapped.at(key).payload, "phone"), "+33123456789");
    EXPECT_EQ(house.count("quickbooks/customers"), 5);
}

}  // namespace
}  // namespace liaison_system
