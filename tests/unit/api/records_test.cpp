// The hub through the API: records that the house's own software reads, writes and follows.
#include "api_house.hpp"

namespace liaisond::api {
namespace {

class Records : public ApiHouse {
  protected:
    void SetUp() override {
        shop.names = {{1, "Soap"}, {2, "Towel"}};
        auto back_office = office_link();
        for (config::Entity& entity : back_office->config.entities) entity.on_change = true;
        begin({daily(shop_link()), back_office});
        house.run("shop");
        const json::object listed = ask("GET", "records/product").second;
        for (const json::value& one : listed.at("items").as_array())
            ids[std::string(one.at("payload").at("name").as_string())] = one.at("id").as_string();
    }
    void settle() {
        world.run_until([] { return false; }, Milliseconds(60'000));
    }
    std::map<std::string, std::string> ids;
};

TEST_F(Records, ANewRecordIsAHubChangeAndIsExported) {
    const web::Answer made = answer_to("POST", "records/product", R"({"name":"Comb","sku":"C1"})");
    ASSERT_EQ(made.status, 201u) << made.body;
    const json::object record = json::parse(made.body).as_object();
    const std::string id(record.at("id").as_string());
    EXPECT_EQ(header(made, "ETag"), "\"1\"");
    EXPECT_EQ(header(made, "Location"), "/api/v1/records/product/" + id);
    EXPECT_EQ(record.at("tenant"), "house");
    settle();
    std::vector<std::string> names;
    for (const auto& [key, row] : office.rows) names.push_back(row.name);
    EXPECT_NE(std::find(names.begin(), names.end(), "Comb"), names.end()) << "on change, without a schedule";

    const json::object feed = ask("GET", "records/product?since=0").second;
    const json::array& changes = feed.at("items").as_array();
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_EQ(changes[0].at("origin"), "shop");
    EXPECT_EQ(changes[2].at("origin"), "api");
    EXPECT_EQ(changes[2].at("action"), "created");
    EXPECT_EQ(changes[2].at("record").at("id"), json::value(id));
    const std::string next(feed.at("next").as_string());
    EXPECT_EQ(ask("GET", "records/product?since=" + next).second.at("items").as_array().size(), 0u);
    EXPECT_EQ(ask("GET", "records/product?since=" + next).second.at("next"), json::value(next));
}

TEST_F(Records, NobodyOverwritesWhatTheyHaveNotSeen) {
    const std::string soap = "records/product/" + ids["Soap"];
    EXPECT_EQ(ask("PUT", soap, R"({"name":"Bar soap"})").first, 428u);
    EXPECT_EQ(ask("PUT", soap, R"({"name":"Bar soap"})", "", {{"If-Match", "\"7\""}}).first, 412u);
    EXPECT_EQ(ask("PUT", soap, R"({"name":"Bar soap"})", "", {{"If-Match", "7"}}).first, 400u);
    EXPECT_EQ(ask("PUT", soap, R"({"name":"Bar soap"})", "", {{"If-None-Match", "*"}}).first, 412u);
    const web::Answer replaced =
        answer_to("PUT", soap, R"({"name":"Bar soap"})", "", {{"If-Match", "\"1\""}});
    EXPECT_EQ(replaced.status, 200u) << replaced.body;
    EXPECT_EQ(header(replaced, "ETag"), "\"2\"");
    const json::value payload = json::parse(replaced.body).at("payload");
    EXPECT_FALSE(payload.as_object().contains("sku")) << "the whole content is replaced";
    EXPECT_EQ(answer_to("GET", soap, "", "", {{"If-None-Match", "\"2\""}}).status, 304u);
    EXPECT_EQ(answer_to("GET", soap, "", "", {{"If-None-Match", "\"1\""}}).status, 200u);
}

TEST_F(Records, APatchChangesWhatItMentions) {
    const std::string soap = "records/product/" + ids["Soap"];
    const auto [status, body] = ask("PATCH", soap, R"({"name":"Bar soap","sku":null})");
    ASSERT_EQ(status, 200u) << json::serialize(body);
    EXPECT_EQ(json::serialize(body.at("payload")), R"({"name":"Bar soap"})");
    EXPECT_EQ(body.at("version"), 2);
    EXPECT_EQ(ask("PATCH", soap, R"({"name":"Bar soap"})").second.at("version"), 2) << "nothing changed";
    const json::object change =
        ask("GET", "records/product?since=0").second.at("items").as_array().back().as_object();
    EXPECT_EQ(json::serialize(change.at("fields")), R"(["/name","/sku"])");
}

// What the shop has not touched since stays as the house's software set it.
TEST_F(Records, AnEditOutlivesTheNextImport) {
    ASSERT_EQ(ask("PATCH", "records/product/" + ids["Soap"], R"({"name":"Bar soap"})").first, 200u);
    shop.names[1] = "Soap";
    house.run("shop");
    EXPECT_EQ(ask("GET", "records/product/" + ids["Soap"]).second.at("payload").at("name"), "Bar soap");
}

TEST_F(Records, ADeletedRecordIsGoneAtTheVendorToo) {
    settle();
    ASSERT_EQ(house.run("office").status, store::RunStatus::success);
    ASSERT_EQ(office.rows.size(), 2u);
    EXPECT_EQ(ask("DELETE", "records/product/" + ids["Soap"], "", "", {{"If-Match", "\"9\""}}).first, 412u);
    EXPECT_EQ(ask("DELETE", "records/product/" + ids["Soap"]).first, 200u);
    EXPECT_EQ(ask("DELETE", "records/product/" + ids["Soap"]).first, 404u);
    EXPECT_EQ(ask("GET", "records/product/" + ids["Soap"]).second.at("deleted"), true);
}

TEST_F(Records, WhatIsWrongIsSaidWithItsPlace) {
    const auto refused = [&](const std::string& body) {
        const auto [status, told] = ask("POST", "records/product", body);
        EXPECT_EQ(status, 422u) << body;
        return std::string(told.at("detail").as_string());
    };
    EXPECT_NE(refused(R"({"name":7})").find("/name"), std::string::npos);
    EXPECT_NE(refused(R"({"nam":"x"})").find("name"), std::string::npos);
    EXPECT_NE(refused(R"({"name":"x","custom":{"a":0e999}})").find("/custom/a is a number out of range"),
              std::string::npos);
    EXPECT_NE(refused(R"({"name":"card 4111 1111 1111 1111"})").find("payment card"), std::string::npos);
    EXPECT_EQ(ask("POST", "records/product", "[1]").first, 400u);
    EXPECT_EQ(ask("POST", "records/product", "{").first, 400u);
    EXPECT_EQ(ask("POST", "records/unicorn", "{}").first, 404u);
    EXPECT_EQ(ask("PUT", "records/product/1", R"({"name":"x"})").first, 422u) << "no UUID";
    EXPECT_EQ(ask("POST", "records/product", R"({"name":"x"})", "", {{"Content-Type", "text/xml"}}).first,
              415u);
    const auto [status, told] = ask("POST", "records/sales_order",
                                    R"({"number":"1","customer":"0195d1f0-7c1e-7a3b-9f00-2b6d0c1a4e55"})");
    EXPECT_EQ(status, 422u) << json::serialize(told);
}

// What is taken can be read again, by everything that reads it.
TEST_F(Records, ARecordIsAsDeepAsTheDaemonReads) {
    const auto made = [&](int depth) {
        std::string content = "1";
        for (int i = 0; i < depth; ++i) content = R"({"a":)" + content + "}";
        return ask("POST", "records/x_thing", content);
    };
    const auto [status, told] = made(24);
    ASSERT_EQ(status, 201u) << json::serialize(told);
    const std::string target = "records/x_thing/" + std::string(told.at("id").as_string());
    EXPECT_EQ(ask("PATCH", target, R"({"b":2})").first, 200u);
    const json::object kept = ask("GET", target).second;
    EXPECT_TRUE(kept.at("payload").as_object().contains("a")) << json::serialize(kept);
    EXPECT_EQ(made(25).first, 400u);
    EXPECT_EQ(made(40).first, 400u);
}

TEST_F(Records, ARecordWithAnIdOfOnesOwnIsMadeOnce) {
    const std::string target = "records/product/0195d1f0-7c1e-7a3b-9f00-2b6d0c1a4e55";
    EXPECT_EQ(ask("PUT", target, R"({"name":"Comb"})", "", {{"If-None-Match", "*"}}).first, 201u);
    EXPECT_EQ(ask("PUT", target, R"({"name":"Comb"})", "", {{"If-None-Match", "*"}}).first, 412u)
        << "sent twice";
    EXPECT_EQ(ask("GET", target).second.at("payload").at("name"), "Comb");
    EXPECT_EQ(ask("PUT", "records/customer/0195d1f0-7c1e-7a3b-9f00-2b6d0c1a4e55", "{}").first, 404u)
        << "of another entity";
}

// ---- which record is which
// ---------------------------------------------------------------------------------

TEST_F(Records, AMappingIsSetRight) {
    const auto external = [&](const std::string& id) {
        const json::object listed = ask("GET", "mappings?integration=shop&record=" + id).second;
        const json::array& items = listed.at("items").as_array();
        return items.empty() ? std::string() : std::string(items[0].at("external_id").as_string());
    };
    ASSERT_EQ(external(ids["Soap"]), "1");
    const std::string soap = R"({"record":")" + ids["Soap"] + "\"}";
    EXPECT_EQ(ask("PUT", "mappings/shop/product?key=2", soap).first, 409u) << "that is the towel";
    EXPECT_EQ(ask("PUT", "mappings/shop/product?key=new", soap).first, 409u) << "it is 1";
    EXPECT_EQ(ask("PUT", "mappings/shop/product?key=odd%2Fkey&move=true", soap).first, 200u);
    EXPECT_EQ(external(ids["Soap"]), "odd/key");
    EXPECT_EQ(ask("PUT", "mappings/shop/product?key=odd%2Fkey", soap).first, 200u) << "it is so already";
    EXPECT_EQ(ask("PUT", "mappings/shop/customer?key=9", soap).first, 422u) << "no customer";
    EXPECT_EQ(ask("PUT", "mappings/nobody/product?key=9", soap).first, 404u);
    EXPECT_EQ(ask("DELETE", "mappings/shop/product?key=odd%2Fkey").first, 200u);
    EXPECT_EQ(ask("DELETE", "mappings/shop/product?key=odd%2Fkey").first, 404u);
    EXPECT_EQ(external(ids["Soap"]), "");
    // Linked anew, the next import goes on with the same record.
    EXPECT_EQ(ask("PUT", "mappings/shop/product?key=1", soap).first, 200u);
    shop.names[1] = "Bar soap";
    house.run("shop");
    EXPECT_EQ(ask("GET", "records/product?limit=10").second.at("items").as_array().size(), 2u);
}

}  // namespace
}  // namespace liaisond::api
