// Tenant isolation: over every route of the OpenAPI document, a token of one tenant gets nothing of another.
#include "api_house.hpp"

namespace liaisond::api {
namespace {

class Isolation : public ApiHouse {
  protected:
    // Two tenants, each with a shop whose products carry the tenant's own word; one refuses something.
    void SetUp() override {
        shop.names = {{1, "apple-of-a"}, {2, std::string(5000, 'x')}};
        bazaar.names = {{1, "banana-of-b"}, {2, std::string(5000, 'x')}};
        auto a = daily(shop_link());
        a->tenant.id = "a";
        a->config.tenant = "a";
        auto b = make_link(
            "bazaar",
            R"({"base_url":"http://bazaar.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id",
            "list":{"path":"/products","items":"/items","paging":{"style":"page","size_param":"limit","size":10,"total_pages":"/pages"}},
            "fields":{"/name":"/name","/sku":"/sku"}}}})",
            true, "http://bazaar.example");
        b->tenant.id = "b";
        b->config.tenant = "b";
        begin({a, b});
        house.run("shop");
        house.run("bazaar");
        const json::object listed = ask("GET", "records/product?tenant=b").second;
        for (const json::value& one : listed.at("items").as_array()) record_of_b = one.at("id").as_string();
    }
    std::string record_of_b;
};

// Nothing of what an answer says may be of b: its integration, its records, its words.
bool tells_of_b(const std::string& text, const std::string& record) {
    return text.find("bazaar") != std::string::npos || text.find("banana") != std::string::npos ||
           text.find("\"tenant\":\"b\"") != std::string::npos || text.find(record) != std::string::npos;
}

TEST_F(Isolation, NothingOfAnotherTenantOverEveryRoute) {
    const std::string mine = token("admin", "a");
    const json::object document = ask("GET", "/api/openapi.json").second;
    // The world as it is seen by those who may see all of it: the test can fail.
    EXPECT_TRUE(tells_of_b(answer_to("GET", "status").body, record_of_b));
    EXPECT_TRUE(tells_of_b(answer_to("GET", "logs").body, record_of_b));
    EXPECT_TRUE(tells_of_b(answer_to("GET", "records/product").body, record_of_b));
    std::size_t asked = 0;
    for (const auto& [path, item] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : item.as_object()) {
            std::string target(path);
            bool names_b = false;
            for (std::size_t at = target.find('{'); at != std::string::npos; at = target.find('{')) {
                const std::string name = target.substr(at + 1, target.find('}') - at - 1);
                const std::string value = name == "integration" ? "bazaar"
                                          : name == "record"    ? record_of_b
                                          : name == "entity"    ? "product"
                                          : name == "run"       ? "2"
                                                                : "1";
                names_b = names_b || name == "integration" || name == "record" || name == "run";
                target.replace(at, target.find('}') - at + 1, value);
            }
            std::string verb(method);
            for (char& c : verb) c = static_cast<char>(std::toupper(c));
            for (const std::string prefix : {"/api/v1", "/api/admin/a"}) {
                const web::Answer heard = answer_to(verb, prefix + target, "", mine);
                const std::string text = heard.stream ? stream_of(heard) : heard.body;
                ++asked;
                EXPECT_FALSE(heard.status < 300 && tells_of_b(text, record_of_b))
                    << verb << " " << target << "\n"
                    << text;
                EXPECT_TRUE(!names_b || heard.status >= 400u) << verb << " " << target << "\n" << text;
            }
            EXPECT_EQ(answer_to(verb, "/api/admin/b" + target, "", mine).status, 404u) << target;
        }
    }
    EXPECT_GE(asked, 90u);
    EXPECT_EQ(house.engine->status().size(), 2u);
    EXPECT_FALSE(ask("GET", "records/product/" + record_of_b).second.at("deleted").as_bool());
    const json::object listed = ask("GET", "integrations").second;
    for (const json::value& one : listed.at("items").as_array())
        EXPECT_TRUE(one.at("suspended").is_null()) << "nobody was told to stop";
}

TEST_F(Isolation, OnesOwnIsSeenAndTheHouseIsNot) {
    const std::string mine = token("admin", "a");
    EXPECT_EQ(ask("GET", "integrations", "", mine).second.at("items").as_array().size(), 1u);
    EXPECT_EQ(ask("GET", "runs/1", "", mine).first, 200u);
    EXPECT_EQ(ask("GET", "runs", "", mine).second.at("items").as_array().size(), 1u);
    EXPECT_EQ(ask("GET", "runs?tenant=b", "", mine).first, 403u);
    EXPECT_EQ(ask("GET", "/api/admin/a/integrations/shop", "", mine).first, 200u);
    EXPECT_EQ(ask("GET", "/api/admin/b/integrations").second.at("items").as_array().size(), 1u)
        << "of everybody";
    EXPECT_EQ(ask("GET", "/api/admin/b/integrations/shop").first, 404u);
    EXPECT_EQ(ask("GET", "secrets", "", mine).first, 403u);
    EXPECT_EQ(ask("POST", "reload", "", mine).first, 403u);
    EXPECT_EQ(ask("POST", "tokens", R"({"name":"x","tenant":"b"})", mine).first, 403u);
    EXPECT_EQ(ask("POST", "tokens", R"({"name":"x"})", mine).second.at("tenant"), "a");
    EXPECT_EQ(ask("POST", "records/product", R"({"name":"Comb"})", mine).second.at("tenant"), "a");
    EXPECT_EQ(ask("POST", "records/product?tenant=b", R"({"name":"Comb"})", mine).first, 403u);
    EXPECT_EQ(ask("POST", "records/product", R"({"name":"Comb"})").first, 422u) << "whose?";
    EXPECT_EQ(ask("POST", "records/product?tenant=b", R"({"name":"Comb"})").first, 201u);
}

}  // namespace
}  // namespace liaisond::api
