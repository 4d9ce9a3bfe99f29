#include <gtest/gtest.h>

#include "decimal.hpp"
#include "instant.hpp"
#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

TEST(Json, KeepsNumbersAsWritten) {
    std::string error;
    for (const std::string text :
         {R"({"a":0.10,"b":12.50,"c":-0.000,"d":1e5,"e":123456789012345678901234567890})",
          R"(["é\n\"",true,null,{}])"}) {
        const auto parsed = Json::parse(text, error);
        ASSERT_TRUE(parsed) << error;
        EXPECT_EQ(parsed->serialize(),
                  text == R"(["é\n\"",true,null,{}])" ? R"(["é\u000a\"",true,null,{}])" : text);
    }
    for (const char* text : {"", "{", R"({"a":1,"a":2})", "[1]x", "01", "\"\xff\""}) {
        EXPECT_FALSE(Json::parse(text, error)) << text;
    }
}

TEST(Decimal, AddsMultipliesAndRoundsExactly) {
    const auto round = [](const char* text, int scale) {
        return rescale(*Decimal::parse(text), scale)->text();
    };
    EXPECT_EQ(round("0.449", 0), "0");
    EXPECT_EQ(round("0.5", 0), "1");
    EXPECT_EQ(round("-2.345", 2), "-2.35");
    EXPECT_EQ(round("3", 2), "3.00");
    EXPECT_EQ(multiply(*Decimal::parse("1.5"), *Decimal::parse("0.07"))->text(), "0.105");
    EXPECT_EQ(add(*Decimal::parse("0.1"), *Decimal::parse("0.25"))->text(), "0.35");
    EXPECT_FALSE(multiply(*Decimal::parse("999999999999"), *Decimal::parse("999999999999")));
    for (const char* text : {"", ".5", "01", "1.", "1e2", "+1"}) EXPECT_FALSE(Decimal::parse(text)) << text;
}

TEST(Instant, ReadsAndWritesRfc3339) {
    EXPECT_EQ(format_instant(*parse_instant("2026-02-28T23:30:00.25-01:00")), "2026-03-01T00:30:00.250Z");
    EXPECT_EQ(format_instant(*parse_instant("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00.000Z");
    for (const char* text :
         {"2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "2026-01-01T24:00:00Z"}) {
        EXPECT_FALSE(parse_instant(text)) << text;
    }
}

TEST_F(SimTest, RefusesWrongCredentials) {
    EXPECT_EQ(shop().get("/shop/v1/ping").body, R"({"shop":"Le Grossiste","currency":"EUR"})");
    const auto answer = shop("wrong").get("/shop/v1/products");
    EXPECT_EQ(answer.status, 401u);
    EXPECT_FALSE(answer.header("WWW-Authenticate").empty());
    EXPECT_EQ(control().get("/pms/reservations").header("WWW-Authenticate"), "Basic realm=\"pms\"");
    EXPECT_EQ(control().get("/backoffice/v1/ping").status, 401u);
    EXPECT_EQ(pms().get("/pms/ping").status, 200u);
    EXPECT_EQ(stat("shop", "unauthorized"), 1);
    set("shop", R"({"auth":{"token":"rotated"}})");
    EXPECT_EQ(shop().get("/shop/v1/ping").status, 401u);
    EXPECT_EQ(shop("rotated").get("/shop/v1/ping").status, 200u);
}

TEST_F(SimTest, PageNumbersWalkEveryProductOnce) {
    seed("shop/products", 1234);
    Client client = shop();
    std::set<std::string> ids;
    std::int64_t pages = 1;
    for (std::int64_t page = 1; page <= pages; ++page) {
        const Json body = client.get("/shop/v1/products?limit=100&page=" + std::to_string(page)).json();
        collect(body.find("items"), ids);
        pages = body.find("pages")->as_integer().value();
        EXPECT_EQ(body.text_of("total"), "1234");
    }
    EXPECT_EQ(pages, 13);
    EXPECT_EQ(ids.size(), 1234u);
    EXPECT_EQ(client.get("/shop/v1/products?page=14").json().find("items")->items().size(), 0u);
}

TEST_F(SimTest, OffsetsWalkEveryCustomerOnce) {
    seed("shop/customers", 257);
    Client client = shop();
    std::set<std::string> ids;
    for (int offset = 0; offset < 257; offset += 50) {
        const auto answer = client.get("/shop/v1/customers?limit=50&offset=" + std::to_string(offset));
        EXPECT_EQ(answer.header("X-Total-Count"), "257");
        const Json page = answer.json();
        collect(&page, ids);
    }
    EXPECT_EQ(ids.size(), 257u);
}

TEST_F(SimTest, CursorsWalkEveryOrderOnceWhileOrdersChange) {
    seed("shop/orders", 300);
    Client client = shop();
    std::set<std::string> ids;
    Json body = client.get("/shop/v1/orders?limit=100").json();
    collect(body.find("data"), ids);
    std::size_t added = 0;
    while (body.find("next_cursor")->is(Json::Kind::string)) {
        ASSERT_EQ(control().post("/_sim/shop/orders", R"({"note":"late"})").status, 201u);
        ++added;
        body = client.get("/shop/v1/orders?limit=100&cursor=" + body.text_of("next_cursor")).json();
        collect(body.find("data"), ids);
        ASSERT_LT(added, 10u);
    }
    EXPECT_EQ(ids.size(), 300 + added);
    EXPECT_EQ(client.get("/shop/v1/orders?cursor=bogus").status, 400u);
    EXPECT_EQ(client.get("/shop/v1/orders?cursor=c00000000000100000000").status, 400u);
}

TEST_F(SimTest, LinksWalkEveryReservationOnce) {
    seed("pms/reservations", 450);
    Client client = pms();
    std::set<std::string> ids;
    std::string target = "/pms/reservations?per_page=200&modified_since=2026-01-01T00%3A00%3A00Z";
    const std::string base = "<http://127.0.0.1:" + std::to_string(server_.port());
    int pages = 0;
    for (; !target.empty() && pages < 10; ++pages) {
        const auto answer = client.get(target);
        const Json body = answer.json();
        collect(body.find("reservations"), ids);
        const std::string link = answer.header("Link");
        if (link.empty()) break;
        ASSERT_TRUE(link.starts_with(base) && link.ends_with(">; rel=\"next\"")) << link;
        target = link.substr(base.size(), link.find('>') - base.size());
    }
    EXPECT_EQ(pages, 2);
    EXPECT_EQ(ids.size(), 450u);
}

TEST_F(SimTest, UpdatedSinceGivesOnlyWhatChanged) {
    seed("shop/products", 50);
    Client client = shop();
    const Json changed = control().put("/_sim/shop/products/7", R"({"price":9.90})").json();
    const std::string since = changed.text_of("updated_at");
    const Json body = client.get("/shop/v1/products?updated_since=" + since).json();
    ASSERT_EQ(body.find("items")->items().size(), 1u);
    EXPECT_EQ(body.find("items")->items()[0].text_of("price"), "9.90");
    std::string before = since;
    for (int i = 0; i < 20; ++i) {
        const std::string stamp = control().put("/_sim/shop/products/8", "{}").json().text_of("updated_at");
        EXPECT_LT(before, stamp);
        before = stamp;
    }
}

TEST_F(SimTest, OrdersOfARangeOfDates) {
    seed("shop/orders", 30);
    Client client = shop();
    for (const char* placed : {"2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z"})
        ASSERT_EQ(control()
                      .post("/_sim/shop/orders",
                            R"({"lines":[{"product_id":3}],"placed_at":")" + std::string(placed) + "\"}")
                      .status,
                  201u);
    const std::string day = "placed_from=2026-03-01T00:00:00Z&placed_to=2026-03-02T00:00:00Z";
    EXPECT_EQ(client.get("/shop/v1/orders?" + day).json().find("data")->items().size(), 2u);
    const Json first = client.get("/shop/v1/orders?limit=1&" + day).json();
    ASSERT_EQ(first.find("data")->items().size(), 1u);
    const Json second =
        client.get("/shop/v1/orders?limit=1&cursor=" + first.text_of("next_cursor") + "&" + day).json();
    ASSERT_EQ(second.find("data")->items().size(), 1u);
    EXPECT_EQ(second.find("data")->items()[0].text_of("placed_at"), "2026-03-01T23:59:59Z");
    EXPECT_EQ(second.text_of("next_cursor"), "");
    EXPECT_EQ(
        client.get("/shop/v1/orders?placed_from=2026-03-02T00:00:00Z&placed_to=2026-03-02T00:00:00Z").status,
        422u);
    EXPECT_EQ(client.get("/shop/v1/orders?placed_from=2026-03-01").status, 400u);
}

TEST_F(SimTest, RefusesWhatARealVendorRefuses) {
    Client client = shop();
    for (const char* query : {"?limit=0", "?limit=501", "?limit=ten", "?page=0", "?pages=1", "?page=1&page=2",
                              "?updated_since=yesterday", "?updated_since=2026-01-01T00:00:00+02:00"}) {
        EXPECT_EQ(client.get("/shop/v1/products" + std::string(query)).status, 400u) << query;
    }
    EXPECT_EQ(client.get("/shop/v1/nothing").status, 404u);
    EXPECT_EQ(client.get("/shop/v1/products/1").status, 404u);
    EXPECT_EQ(client.get("/nowhere").status, 404u);
    const auto refused = client.ask("DELETE", "/shop/v1/products", "");
    EXPECT_EQ(refused.status, 405u);
    EXPECT_EQ(refused.header("Allow"), "GET");
    Client hotel = pms();
    EXPECT_EQ(hotel.get("/pms/reservations?per_page=201").status, 400u);
    EXPECT_EQ(hotel.post("/pms/reservations", reservation, {{"Content-Type", "text/plain"}}).status, 415u);
    EXPECT_EQ(hotel.post("/pms/reservations", "{oops").status, 400u);
    EXPECT_EQ(hotel.ask("PATCH", "/pms/reservations", "").header("Allow"), "GET, POST");
    EXPECT_EQ(hotel.post("/pms/reservations", std::string(1024 * 1024 + 1, ' ')).status, 413u);
    EXPECT_EQ(pms().ask("BREW", "/pms/reservations", "").status, 405u);
}

TEST_F(SimTest, NamesTheFieldsItRefuses) {
    Client client = pms();
    const auto refused = [&](const std::string& patch) {
        std::string error;
        Json body = *Json::parse(reservation, error);
        const Json changes = *Json::parse(patch, error);
        for (const auto& [key, value] : changes.members()) body.set(key, value);
        const auto answer = client.post("/pms/reservations", body.serialize());
        EXPECT_EQ(answer.status, 422u) << patch;
        return first_field(answer);
    };
    EXPECT_EQ(first_field(client.post("/pms/reservations", "{}")), "/reference");
    EXPECT_EQ(refused(R"({"id":"R000009"})"), "/id");
    EXPECT_EQ(refused(R"({"modified_at":"2026-01-01T00:00:00Z"})"), "/modified_at");
    EXPECT_EQ(refused(R"({"colour":"red"})"), "/colour");
    EXPECT_EQ(refused(R"({"total":240.5})"), "/total");
    EXPECT_EQ(refused(R"({"total":"240.505"})"), "/total");
    EXPECT_EQ(refused(R"({"adults":"2"})"), "/adults");
    EXPECT_EQ(refused(R"({"guest_name":null})"), "/guest_name");
    EXPECT_EQ(refused(R"({"status":"maybe"})"), "/status");
    EXPECT_EQ(refused(R"({"arrival":"2026-02-30"})"), "/arrival");
    EXPECT_EQ(refused(R"({"departure":"2026-04-30"})"), "/departure");
    EXPECT_EQ(stat("pms", "writes_committed"), 0);
    EXPECT_EQ(stat("pms", "refused"), 11);
}

TEST_F(SimTest, ReservationsNeedTheCurrentETag) {
    Client client = pms();
    const auto created = client.post("/pms/reservations", reservation);
    ASSERT_EQ(created.status, 201u);
    EXPECT_EQ(created.header("Location"), "/pms/reservations/R000001");
    const std::string one = created.header("Location"), etag = created.header("ETag");
    const auto read = client.get(one);
    EXPECT_EQ(read.header("ETag"), etag);
    EXPECT_EQ(read.body, created.body);
    EXPECT_EQ(client.get(one, {{"If-None-Match", etag}}).status, 304u);
    EXPECT_EQ(client.put(one, reservation).status, 428u);
    EXPECT_EQ(client.put(one, reservation, {{"If-Match", "W/" + etag}}).status, 412u);
    const auto changed = client.put(one, reservation, {{"If-Match", etag}});
    EXPECT_EQ(changed.status, 200u);
    EXPECT_NE(changed.header("ETag"), etag);
    EXPECT_EQ(client.erase(one, {{"If-Match", etag}}).status, 412u);
    EXPECT_EQ(client.erase(one).status, 428u);
    EXPECT_EQ(client.erase(one, {{"If-Match", changed.header("ETag")}}).status, 204u);
    EXPECT_EQ(client.get(one).status, 404u);
}

TEST_F(SimTest, ReferencesAreNotUniqueButCounted) {
    Client client = pms();
    ASSERT_EQ(client.post("/pms/reservations", reservation).status, 201u);
    EXPECT_EQ(stat("pms", "duplicates"), 0);
    ASSERT_EQ(client.post("/pms/reservations", reservation).status, 201u);
    EXPECT_EQ(stat("pms", "duplicates"), 1);
    EXPECT_EQ(client.get("/pms/reservations?reference=L-1").json().find("reservations")->items().size(), 2u);
    EXPECT_EQ(client.get("/pms/reservations?reference=L-2").body, R"({"reservations":[]})");
    const auto page = client.get("/pms/reservations?reference=L-1&per_page=1");
    EXPECT_NE(page.header("Link").find("reference=L-1&page=2&per_page=1"), std::string::npos);
}

TEST_F(SimTest, OrdersAreCreatedOncePerIdempotencyKey) {
    Client client = backoffice();
    know_references(client);
    const std::string orders = "/backoffice/v1/orders";
    EXPECT_EQ(client.post(orders, bo_order).status, 400u);
    const auto first = client.post(orders, bo_order, {{"Idempotency-Key", "k1"}});
    ASSERT_EQ(first.status, 201u) << first.body;
    EXPECT_EQ(first.json().text_of("id"), "BO-1");
    const auto again = client.post(orders, bo_order, {{"Idempotency-Key", "k1"}});
    EXPECT_EQ(again.status, 201u);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(first.header("Idempotent-Replayed"), "");
    const auto other = client.post(orders, bo_order + " ", {{"Idempotency-Key", "k1"}});
    EXPECT_EQ(other.status, 422u);
    EXPECT_EQ(code(other), "idempotency_key_reused");
    EXPECT_EQ(client.get(orders + "?external_ref=X-1").json().text_of("total"), "1");
    EXPECT_EQ(client.get(orders + "?offset=0&limit=10").json().text_of("total"), "1");
    EXPECT_EQ(client.put(orders + "/BO-1", bo_order).status, 200u);
    EXPECT_EQ(client.put(orders + "/BO-2", bo_order).status, 404u);
    EXPECT_EQ(stat("backoffice", "duplicates"), 0);
}

TEST_F(SimTest, OrdersNameOnlyKnownRecords) {
    Client client = backoffice();
    const auto unknown = client.post("/backoffice/v1/orders", bo_order, {{"Idempotency-Key", "k1"}});
    EXPECT_EQ(unknown.status, 422u);
    EXPECT_EQ(code(unknown), "unknown_reference");
    EXPECT_EQ(first_field(unknown), "/customer_ref");
    know_references(client);
    EXPECT_EQ(client.put("/backoffice/v1/products/P1", bo_product).status, 200u);
    EXPECT_EQ(client.post("/backoffice/v1/orders", bo_order, {{"Idempotency-Key", "k1"}}).status, 201u);
    const auto renamed = client.put("/backoffice/v1/customers/C1", R"({"ref":"C2","name":"Hotel"})");
    EXPECT_EQ(first_field(renamed), "/ref");
}

TEST_F(SimTest, NumbersKeepTheirText) {
    const std::string product = R"({"sku":"A","price":0.10,"cost":0.0700,"vat_rate":5.50})";
    ASSERT_EQ(control().put("/_sim/shop/products/12", product).status, 201u);
    const std::string shown = shop().get("/shop/v1/products/12").body;
    for (const char* text :
         {R"("price":0.10,)", R"("cost":0.0700,)", R"("vat_rate":5.50,)", R"({"id":12,)"}) {
        EXPECT_NE(shown.find(text), std::string::npos) << text << " in " << shown;
    }
    Client client = backoffice();
    ASSERT_EQ(client.put("/backoffice/v1/products/P1", bo_product).status, 201u);
    EXPECT_EQ(client.get("/backoffice/v1/products/P1").json().text_of("price"), "12.5000");
}

TEST_F(SimTest, SeededOrdersAddUpAndSeedsRepeat) {
    seed("shop/products", 100);
    seed("shop/orders", 200);
    const std::string first = control().get("/_sim/shop/orders").body;
    std::string error;
    const Json orders = *Json::parse(first, error);
    ASSERT_EQ(orders.items().size(), 200u);
    for (const Json& order : orders.items()) {
        Decimal net{0, 2};
        for (const Json& line : order.find("lines")->items()) {
            const auto quantity = Decimal::parse(line.text_of("quantity"));
            EXPECT_EQ(multiply(*quantity, *Decimal::parse(line.text_of("unit_price")))->text(),
                      line.text_of("total"));
            net = *add(net, *Decimal::parse(line.text_of("total")));
        }
        EXPECT_EQ(net.text(), order.text_of("total_net"));
        EXPECT_EQ(add(net, *Decimal::parse(order.text_of("total_tax")))->text(), order.text_of("total"));
    }
    ASSERT_EQ(control().post("/_sim/reset", "").status, 204u);
    seed("shop/products", 100);
    seed("shop/orders", 200);
    EXPECT_EQ(control().get("/_sim/shop/orders").body, first);
}

TEST_F(SimTest, AHandMadeOrderIsCompleted) {
    seed("shop/products", 10);
    ASSERT_EQ(control().put("/_sim/shop/products/3", R"({"price":12.50,"vat_rate":5.5})").status, 200u);
    const auto made = control().post("/_sim/shop/orders", R"({"lines":[{"product_id":3,"quantity":3}]})");
    ASSERT_EQ(made.status, 201u) << made.body;
    EXPECT_EQ(made.json().text_of("total_net"), "37.50");
    EXPECT_EQ(made.json().text_of("total_tax"), "2.06");
    EXPECT_EQ(made.json().text_of("total"), "39.56");
    EXPECT_EQ(control().put("/_sim/shop/orders/1", R"({"status":"lost"})").status, 422u);
    EXPECT_EQ(control().put("/_sim/shop/orders/1?raw=true", R"({"status":"lost"})").status, 200u);
    EXPECT_EQ(control().erase("/_sim/shop/orders/1").status, 204u);
    EXPECT_EQ(control().get("/_sim/shop/orders/count").body, R"({"count":0})");
}

}  // namespace
}  // namespace liaison_sim
