#include <gtest/gtest.h>

#include "odata_filter.hpp"
#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

constexpr const char* credentials =
    R"({"CompanyDB":"SBODEMODE","UserName":"manager","Password":"sap-password"})";

class SapTest : public SimTest {
  protected:
    // The cookies of a new session.
    std::string log_in(const std::string& version = "v2") {
        const auto answer = control().post("/b1s/" + version + "/Login", credentials);
        EXPECT_EQ(answer.status, 200u) << answer.body;
        std::string cookies;
        for (const auto& field : answer.fields) {
            if (field.name() != boost::beast::http::field::set_cookie) continue;
            const std::string value(field.value());
            cookies += (cookies.empty() ? "" : "; ") + value.substr(0, value.find(';'));
        }
        return cookies;
    }
    Client sap(const std::string& version = "v2") { return {server_.port(), "Cookie", log_in(version)}; }
    void know_references(Client& client) {
        ASSERT_EQ(client.post("/b1s/v2/Items", R"({"ItemCode":"A 1","ItemName":"Wine"})").status, 201u);
        ASSERT_EQ(client
                      .post("/b1s/v2/BusinessPartners",
                            R"({"CardCode":"C1","CardName":"Hotel","CardType":"cCustomer"})")
                      .status,
                  201u);
    }
    static std::string code_of(const Client::Answer& answer) {
        const Json body = answer.json();
        const Json* error = body.find("error");
        return error != nullptr ? error->text_of("code") : "";
    }
};

const std::string order =
    R"({"CardCode":"C1","DocDueDate":"2026-05-03","U_ExtId":"L1","DocumentLines":[{"ItemCode":"A 1","Quantity":12,"UnitPrice":8.9},{"ItemCode":"A 1","Quantity":1,"UnitPrice":1}]})";

TEST_F(SapTest, SessionsAreCookiesOfOneNode) {
    EXPECT_EQ(control().post("/b1s/v2/login", credentials).status, 401u) << "paths have their case";
    const auto answer = control().post("/b1s/v1/Login", credentials);
    EXPECT_NE(answer.body.find("odata.metadata"), std::string::npos);
    EXPECT_NE(answer.header("Set-Cookie").find(";HttpOnly;"), std::string::npos);
    EXPECT_EQ(answer.header("Set-Cookie").find("Path"), std::string::npos);

    const auto refused = control().get("/b1s/v2/Items");
    EXPECT_EQ(refused.status, 401u);
    EXPECT_EQ(code_of(refused), "301");
    EXPECT_NE(control().get("/b1s/v1/Items").body.find(R"("code":301,"message":{"lang")"), std::string::npos);

    const std::string cookies = log_in();
    const std::string without_route = cookies.substr(0, cookies.find(';'));
    EXPECT_EQ(Client(server_.port(), "Cookie", cookies).get("/b1s/v2/Items").status, 200u);
    EXPECT_EQ(Client(server_.port(), "Cookie", without_route).get("/b1s/v2/Items").status, 401u);
    set("sap_b1", R"({"modes":{"multi_node":"false"}})");
    EXPECT_EQ(Client(server_.port(), "Cookie", without_route).get("/b1s/v2/Items").status, 200u);
    EXPECT_EQ(Client(server_.port(), "Cookie", cookies).post("/b1s/v2/Logout", "").status, 204u);
    EXPECT_EQ(Client(server_.port(), "Cookie", cookies).get("/b1s/v2/Items").status, 401u);
}

TEST_F(SapTest, SessionsEndAndAreCounted) {
    set("sap_b1", R"({"modes":{"session_requests":"2","max_sessions":"1"}})");
    Client client = sap();
    EXPECT_EQ(code_of(control().post("/b1s/v2/Login", credentials)), "-1101");
    EXPECT_EQ(client.get("/b1s/v2/Items").status, 200u);
    EXPECT_EQ(client.get("/b1s/v2/Items").status, 200u);
    EXPECT_EQ(client.get("/b1s/v2/Items").status, 401u);
    set("sap_b1", R"({"modes":{"session_seconds":"-1","session_requests":"0"}})");
    EXPECT_EQ(sap().get("/b1s/v2/Items").status, 401u);
}

TEST_F(SapTest, BadPasswordsLockTheUser) {
    const std::string wrong = R"({"CompanyDB":"SBODEMODE","UserName":"manager","Password":"x"})";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(control().post("/b1s/v2/Login", wrong)), "100000027");
    EXPECT_EQ(code_of(control().post("/b1s/v2/Login", credentials)), "100000055");
    EXPECT_EQ(code_of(control().post("/b1s/v2/Login", R"({"CompanyDB":"X","UserName":"a","Password":"b"})")),
              "-304");
}

TEST_F(SapTest, ExpectMakesTheBalancerFail) {
    const auto answer = sap().get("/b1s/v2/Items", {{"Expect", "x"}});
    EXPECT_EQ(answer.status, 500u);
    EXPECT_EQ(answer.body, "");
}

TEST_F(SapTest, PagesAreOfTwentyUnlessAskedOtherwise) {
    seed("sap_b1/Items", 45);
    Client client = sap();
    const auto size = [&](const std::string& target, Client::Headers headers = {}) {
        return client.get("/b1s/v2/" + target, headers).json().find("value")->items().size();
    };
    EXPECT_EQ(size("Items?$top=500"), 20u) << "$top does not lift the page size";
    EXPECT_EQ(size("Items", {{"Prefer", "odata.maxpagesize=30"}}), 30u);
    EXPECT_EQ(size("Items", {{"B1S-PageSize", "40"}}), 40u);
    EXPECT_EQ(size("Items?$top=3"), 3u);
    std::string target = "/b1s/v2/Items?$orderby=ItemCode%20asc";
    std::set<std::string> codes;
    for (int pages = 0; pages < 4 && !target.empty(); ++pages) {
        const Json page = client.get(target).json();
        for (const Json& item : page.find("value")->items()) codes.insert(item.text_of("ItemCode"));
        const std::string link = page.text_of("@odata.nextLink");
        EXPECT_FALSE(link.starts_with("/"));
        target = link.empty() ? "" : "/b1s/v2/" + link;
    }
    EXPECT_EQ(codes.size(), 45u);
    EXPECT_EQ(size("Items?$filter=ItemCode%20gt%20%27I000040%27%20and%20(Valid%20eq%20%27tYES%27)"), 5u);
    EXPECT_EQ(code_of(client.get("/b1s/v2/Items?$filter=Foo%20eq%201")), "-1000");
    EXPECT_EQ(code_of(client.get("/b1s/v2/Items?$select=Foo")), "-1000");
    EXPECT_EQ(client.get("/b1s/v2/Items?page=1").status, 400u);
}

TEST_F(SapTest, RefusesWhatIsWrong) {
    Client client = sap();
    know_references(client);
    const auto post = [&](const std::string& set, const std::string& body) {
        return code_of(client.post("/b1s/v2/" + set, body));
    };
    EXPECT_EQ(post("Items", R"({"ItemCode":"A 1"})"), "-2035");
    EXPECT_EQ(post("Items", R"({"ItemCode":"B","Foo":1})"), "-1000");
    EXPECT_EQ(post("Items", R"({"ItemCode":"B","Valid":true})"), "-1004");
    EXPECT_EQ(post("Orders", R"({"CardCode":"C1","DocumentLines":[{"ItemCode":"A 1"}]})"), "-5002");
    EXPECT_EQ(
        post("Orders", R"({"CardCode":"X","DocDueDate":"2026-05-03","DocumentLines":[{"ItemCode":"A 1"}]})"),
        "-2028");
    EXPECT_EQ(
        post("Orders", R"({"CardCode":"C1","DocDueDate":"2026-05-03","DocumentLines":[{"ItemCode":"X"}]})"),
        "-2028");
    EXPECT_EQ(post("Orders", R"({"CardCode":"C1","DocTotal":1,"DocDueDate":"x","DocumentLines":[]})"),
              "-1000");
    set("sap_b1", R"({"modes":{"udf":"false"}})");
    EXPECT_EQ(post("Orders", order), "-1000");
    EXPECT_EQ(client.get("/b1s/v2/Items('A%201')").status, 200u);
    EXPECT_EQ(client.get("/b1s/v2/Items(1)").status, 400u);
    EXPECT_EQ(code_of(client.get("/b1s/v2/Items('B')")), "-2028");
    EXPECT_EQ(client.get("/b1s/v2/items").status, 404u);
}

TEST_F(SapTest, DocumentsAreMergedByLine) {
    Client client = sap();
    know_references(client);
    const Json made = client.post("/b1s/v2/Orders", order).json();
    EXPECT_EQ(made.find("DocumentLines")->items()[0].text_of("Quantity"), "12.0");
    EXPECT_EQ(made.text_of("DocTotal"), "128.28");
    const std::string path = "/b1s/v2/Orders(" + made.text_of("DocEntry") + ")";
    const auto lines = [&] { return client.get(path).json().find("DocumentLines")->items().size(); };
    const auto patch = [&](const std::string& body, Client::Headers headers = {}) {
        return client.ask("PATCH", path, body, headers);
    };
    EXPECT_EQ(
        patch(R"({"DocumentLines":[{"LineNum":0,"Quantity":5},{"ItemCode":"A 1","Quantity":1}]})").status,
        204u);
    EXPECT_EQ(lines(), 3u);
    EXPECT_EQ(patch(R"({"DocumentLines":[{"LineNum":2,"Quantity":7}]})",
                    {{"B1S-ReplaceCollectionsOnPatch", "true"}})
                  .status,
              204u);
    EXPECT_EQ(lines(), 1u);
    const auto stale = patch(R"({"Comments":"x"})", {{"If-Match", made.text_of("@odata.etag")}});
    EXPECT_EQ(stale.status, 412u);
    EXPECT_EQ(code_of(stale), "-2039");
    EXPECT_EQ(code_of(client.erase(path)), "-5006");
    EXPECT_EQ(client.post(path + "/Cancel", "").status, 204u);
    EXPECT_EQ(client.post(path + "/Cancel", "").status, 400u);
    EXPECT_EQ(patch(R"({"Comments":"x"})").status, 400u);
    EXPECT_EQ(client.get(path).json().text_of("Cancelled"), "tYES");
}

TEST_F(SapTest, InvoicesCloseWhatTheyAreBasedOnAndStay) {
    Client client = sap();
    know_references(client);
    const std::string entry = client.post("/b1s/v2/Orders", order).json().text_of("DocEntry");
    const auto invoice = [&](const std::string& line) {
        return R"({"CardCode":"C1","DocDueDate":"2026-05-03","DocumentLines":[{"ItemCode":"A 1","Quantity":1,)" +
               line + "}]}";
    };
    const std::string base = R"("BaseType":17,"BaseEntry":)" + entry + R"(,"BaseLine":)";
    EXPECT_EQ(code_of(client.post("/b1s/v2/Invoices", invoice(base + "7"))), "-2028");
    EXPECT_EQ(code_of(client.post("/b1s/v2/Orders", invoice(base + "0"))), "-1000") << "orders have no base";
    const auto made = client.post("/b1s/v2/Invoices", invoice(base + "0"));
    EXPECT_EQ(made.status, 201u) << made.body;
    EXPECT_EQ(made.json().text_of("PaidToDate"), "0.0");
    EXPECT_EQ(code_of(client.post("/b1s/v2/Invoices", invoice(base + "0"))), "-5002")
        << "closed by the first";
    const std::string path = "/b1s/v2/Orders(" + entry + ")";
    EXPECT_EQ(client.get(path).json().text_of("DocumentStatus"), "bost_Open");
    EXPECT_EQ(client.post("/b1s/v2/Invoices", invoice(base + "1")).status, 201u);
    EXPECT_EQ(client.get(path).json().text_of("DocumentStatus"), "bost_Close");
    EXPECT_EQ(client.ask("PATCH", "/b1s/v2/Invoices(1)", R"({"Comments":"x"})").status, 204u);
    EXPECT_EQ(code_of(client.ask("PATCH", "/b1s/v2/Invoices(1)", R"({"DocDate":"2026-05-04"})")), "-5002");
    EXPECT_EQ(code_of(client.ask("PATCH", "/b1s/v2/Invoices(1)",
                                 R"({"DocumentLines":[{"LineNum":0,"Quantity":2}]})")),
              "-5002");
}

TEST_F(SapTest, ApprovalMakesDrafts) {
    Client client = sap();
    know_references(client);
    set("sap_b1", R"({"modes":{"approval":"fault"}})");
    EXPECT_EQ(code_of(client.post("/b1s/v2/Orders", order)), "-2028");
    set("sap_b1", R"({"modes":{"approval":"silent"}})");
    EXPECT_EQ(client.post("/b1s/v2/Orders", order).status, 204u);
    EXPECT_EQ(
        client.get("/b1s/v2/Drafts?$filter=U_ExtId%20eq%20%27L1%27").json().find("value")->items().size(),
        2u);
    EXPECT_EQ(client.get("/b1s/v2/Orders").json().find("value")->items().size(), 0u);
}

TEST(ODataFilter, ComparesAsADatabaseDoes) {
    const auto any = [](std::string_view) { return true; };
    std::string error;
    const Json record =
        *Json::parse(R"({"A":"O'Neill","N":12.0,"D":"2026-05-01T00:00:00Z","E":null})", error);
    for (const char* text :
         {"A eq 'O''Neill'", "N eq 12", "D eq '2026-05-01'", "D ge '2026-04-30' and N gt 1", "E eq null",
          "(N lt 1) or (A ne 'x' and N le 12)", "A gt 'O'"})
        EXPECT_TRUE(ODataFilter(text, any).matches(record)) << text;
    for (const char* text : {"E ge '2026-01-01'", "N gt 12", "D lt '2026-05-01'"})
        EXPECT_FALSE(ODataFilter(text, any).matches(record)) << text;
    for (const char* text : {"A eq", "A like 'x'", "A eq 'x", "(A eq 'x'", "A eq 'x' 'y'", "eq eq eq"})
        EXPECT_THROW(ODataFilter(text, any), ODataError) << text;
}

}  // namespace
}  // namespace liaison_sim
