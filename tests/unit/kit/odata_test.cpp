#include <liaison/kit/odata.hpp>

#include <gtest/gtest.h>

using namespace liaison;
using namespace liaison::kit;

TEST(OData, LiteralsAndKeysKeepQuotesInside) {
    EXPECT_EQ(odata::text_literal("O'Neill"), "'O''Neill'");
    EXPECT_EQ(odata::by_text("Items", "A 1/'x'"), "Items('A%201%2F%27%27x%27%27')");
    EXPECT_EQ(odata::by_number("Orders", "512"), "Orders(512)");
    for (const char* key : {"", "5)/Cancel", "-1", "1e3", "1234567890123456789"})
        EXPECT_THROW(odata::by_number("Orders", key), ValueError) << key;
}

TEST(OData, QueriesAreEncoded) {
    const odata::Query query = odata::Query()
                                   .filter(odata::both("A eq 'x y'", odata::behind("D", "'1'", "K", "7")))
                                   .order_by("")
                                   .select("A,B")
                                   .top(1);
    EXPECT_EQ(
        query.text(),
        "?$filter=%28A%20eq%20%27x%20y%27%29%20and%20%28%28D%20gt%20%271%27%29%20or%20%28D%20eq%20%271%27"
        "%20and%20K%20gt%207%29%29&$select=A%2CB&$top=1");
    EXPECT_EQ(odata::both("", "B eq 1"), "B eq 1");
}

TEST(OData, PagesOfEveryVersion) {
    const Json v2 = Json::parse(R"({"d":{"results":[{"A":1}],"__next":"more"}})");
    const Json v3 =
        Json::parse(R"({"odata.nextLink":"Items?$skip=20","value":[{"A":1,"odata.etag":"W/\"3\""}]})");
    const Json v4 = Json::parse(R"({"value":[{"A":1,"@odata.etag":"W/\"4\""}],"@odata.nextLink":"n"})");
    EXPECT_EQ(odata::next_link(v2), "more");
    EXPECT_EQ(odata::next_link(v3), "Items?$skip=20");
    EXPECT_EQ(odata::next_link(v4), "n");
    for (const Json* page : {&v2, &v3, &v4}) {
        ASSERT_NE(odata::entities(*page), nullptr);
        EXPECT_EQ(odata::entities(*page)->size(), 1u);
    }
    EXPECT_EQ(odata::etag(odata::entities(v3)->front()), "W/\"3\"");
    EXPECT_EQ(odata::etag(odata::entities(v4)->front()), "W/\"4\"");
    EXPECT_EQ(odata::entities(Json::parse(R"({"error":{}})")), nullptr);
    EXPECT_EQ(odata::next_link(Json::parse(R"({"value":[]})")), "");
}

TEST(OData, LinksOfEveryForm) {
    const std::string page = "https://sap.example:50000/b1s/v2/Orders?$filter=a%2Fb";
    const std::string next = "https://sap.example:50000/b1s/v2/Orders?$skip=20";
    EXPECT_EQ(odata::resolve_link(page, "Orders?$skip=20"), next);
    EXPECT_EQ(odata::resolve_link(page, "/b1s/v2/Orders?$skip=20"), next);
    EXPECT_EQ(odata::resolve_link(page, "?$skip=20"), next);
    EXPECT_EQ(odata::resolve_link(page, next), next);
    // A host behind the proxy names itself.
    EXPECT_EQ(odata::resolve_link(page, "http://node1:50001/b1s/v2/Orders?$skip=20"), next);
}

TEST(OData, FaultsOfBothShapes) {
    const odata::Fault old(R"({"error":{"code":-2028,"message":{"lang":"de","value":"Nichts gefunden"}}})");
    EXPECT_EQ(old.code, "-2028");
    EXPECT_EQ(old.message, "Nichts gefunden");
    const odata::Fault now(R"({"error":{"code":"-2028","details":[],"message":"none"}})");
    EXPECT_EQ(now.text(), "-2028: none");
    EXPECT_EQ(odata::Fault("<html>").text(), "");
    EXPECT_EQ(odata::Fault(R"({"odata.error":{"code":"301","message":{"value":"x"}}})").code, "301");
    EXPECT_EQ(odata::Fault("[1]").code, "");
}
