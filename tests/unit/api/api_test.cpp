// The administrator's API over an engine in virtual time.
#include "api_house.hpp"

namespace liaisond::api {
namespace {

using Api = ApiHouse;

TEST_F(Api, TheComingRuns) {
    const auto [status, body] = ask("GET", "integrations/shop/schedule?next=2");
    EXPECT_EQ(status, 200u);
    EXPECT_EQ(body.at("schedule"), "daily at 02:10");
    ASSERT_EQ(body.at("items").as_array().size(), 2u);
    EXPECT_EQ(
        json::serialize(body.at("items").at(0)),
        R"({"at":"2026-03-02T01:10:00.000Z","local":"2026-03-02T02:10:00+01:00","kind":"quick","why":""})");
    EXPECT_EQ(ask("GET", "integrations/nobody/schedule").first, 404u);
    EXPECT_EQ(ask("GET", "integrations/shop/schedule?next=many").first, 400u);
}

TEST_F(Api, SuspendAndResume) {
    EXPECT_EQ(ask("POST", "integrations/shop/resume").first, 409u) << "it is not suspended";
    EXPECT_EQ(ask("POST", "integrations/shop/suspend").first, 200u);
    const json::object suspended = ask("GET", "integrations/shop").second;
    EXPECT_EQ(suspended.at("state"), "suspended");
    EXPECT_EQ(suspended.at("suspended"), "operator");
    EXPECT_EQ(ask("POST", "integrations/shop/sync").first, 409u);
    EXPECT_EQ(ask("POST", "integrations/shop/resume").first, 200u);
    EXPECT_EQ(ask("GET", "integrations/shop").second.at("state"), "idle");
    EXPECT_EQ(ask("POST", "integrations/nobody/suspend").first, 404u);
}

TEST_F(Api, APluginThatCrashedTooOftenIsReleasedAndThatIsAudited) {
    const auto [status, body] = ask("POST", "plugins/crashing/release");
    EXPECT_EQ(status, 200u);
    EXPECT_EQ(body.at("released"), 2);
    EXPECT_EQ(ask("POST", "plugins/sound/release").first, 404u);
    const json::object audit = ask("GET", "audit").second;
    const std::string acts = json::serialize(audit.at("items"));
    EXPECT_NE(acts.find("/plugins/crashing/release"), std::string::npos) << acts;
    EXPECT_EQ(acts.find("/plugins/sound"), std::string::npos) << "nothing was done: " << acts;
}

// ---- access ----------------------------------------------------------------------------------------------

TEST_F(Api, ATokenMayWhatItsScopeSays) {
    std::map<std::string, std::string> made;
    for (const std::string scope : {"read", "operate", "admin"}) {
        const auto [status, body] = ask("POST", "tokens", R"({"name":"till","scope":")" + scope + "\"}");
        ASSERT_EQ(status, 201u);
        made[scope] = body.at("token").as_string();
    }
    const auto allowed = [&](const std::string& scope, const std::string& method, const std::string& target) {
        return ask(method, target, "{}", made[scope]).first;
    };
    for (const char* scope : {"read", "operate", "admin"})
        EXPECT_EQ(allowed(scope, "GET", "integrations"), 200u);
    EXPECT_EQ(allowed("read", "POST", "integrations/shop/suspend"), 403u);
    EXPECT_EQ(allowed("operate", "POST", "integrations/shop/suspend"), 200u);
    EXPECT_EQ(allowed("operate", "POST", "reload"), 403u);
    EXPECT_EQ(allowed("operate", "GET", "tokens"), 403u);
    EXPECT_EQ(allowed("operate", "GET", "secrets"), 403u);
    EXPECT_EQ(allowed("operate", "POST", "integrations/shop/connect"), 403u);
    EXPECT_EQ(allowed("admin", "GET", "audit"), 200u);
    EXPECT_EQ(allowed("admin", "POST", "reload"), 200u);
}

TEST_F(Api, WithoutATokenNothingIsTold) {
    for (const char* wrong : {"liaison_000000000000_00", "x", "liaison_"}) {
        EXPECT_EQ(ask("GET", "integrations", "", wrong).first, 401u);
        EXPECT_EQ(ask("GET", "is/there/such", "", wrong).first, 401u) << "not even what exists";
    }
    const auto [status, body] = ask("POST", "tokens", R"({"name":"till","scope":"read"})");
    const std::string token(body.at("token").as_string()), id(body.at("id").as_string());
    EXPECT_EQ(ask("GET", "integrations", "", token).first, 200u);
    EXPECT_EQ(ask("DELETE", "tokens/" + id).first, 200u);
    EXPECT_EQ(ask("GET", "integrations", "", token).first, 401u);
    EXPECT_EQ(ask("DELETE", "tokens/" + id).first, 404u);
}

// The server counts the requests of strangers until it is told otherwise.
TEST_F(Api, WhoShowsATokenIsRecognisedAndNobodyElseIs) {
    const std::string till = token("read");
    const auto recognised = [&](const std::string& target, const std::string& shown) {
        int times = 0;
        bool is_answered = false;
        web::Request request;
        request.method = "GET";
        request.target = target;
        request.headers.emplace_back("Authorization", "Bearer " + shown);
        request.on_recognised = [&] { times += is_answered ? 100 : 1; };
        EXPECT_FALSE(web::parse_target(request));
        api.handle(std::move(request), [&](const web::Answer&) { is_answered = true; });
        world.run_until([&] { return is_answered; }, Milliseconds(5000));
        EXPECT_TRUE(is_answered);
        return times;
    };
    for (const char* target : {"/api/v1/integrations", "/metrics", "/api/v1/nothing"}) {
        EXPECT_EQ(recognised(target, till), 1) << target;
        EXPECT_EQ(recognised(target, till + "0"), 0) << target;
    }
    for (const char* target : {"/healthz", "/login", "/readyz"})
        EXPECT_EQ(recognised(target, "liaison_000000000000_00"), 0) << target;
}

TEST_F(Api, ATokenIsShownOnceAndItsFaultsAreNamed) {
    ASSERT_EQ(ask("POST", "tokens", R"({"name":"till","scope":"operate","days":30})").first, 201u);
    const json::object list = ask("GET", "tokens").second;
    const json::object& one = list.at("items").at(0).as_object();
    EXPECT_EQ(one.at("scope"), "operate");
    EXPECT_FALSE(one.contains("token"));
    EXPECT_EQ(json::serialize(list).find("hash"), std::string::npos);
    EXPECT_EQ(ask("POST", "tokens", R"({"scope":"read"})").first, 422u);
    EXPECT_EQ(ask("POST", "tokens", R"({"name":"x","scope":"root"})").first, 422u);
    EXPECT_EQ(ask("POST", "tokens", R"({"name":"x","days":-1})").first, 422u);
    EXPECT_EQ(ask("POST", "tokens", "no json").first, 400u);
}

TEST_F(Api, WhatWasDoneIsInTheAuditLogAndLookingIsNot) {
    const std::string token(
        ask("POST", "tokens", R"({"name":"till","scope":"operate"})").second.at("token").as_string());
    EXPECT_EQ(ask("POST", "integrations/shop/suspend", "", token).first, 200u);
    EXPECT_EQ(ask("POST", "integrations/shop/suspend", "", token).first, 200u);
    EXPECT_EQ(ask("POST", "integrations/nobody/suspend", "", token).first, 404u);
    EXPECT_EQ(ask("GET", "integrations/shop", "", token).first, 200u);
    const json::object log = ask("GET", "audit").second;
    ASSERT_EQ(log.at("items").as_array().size(), 3u) << json::serialize(log);
    EXPECT_EQ(log.at("items").at(0).at("target"), "/tokens");
    EXPECT_EQ(log.at("items").at(0).at("actor"), "local");
    EXPECT_EQ(log.at("items").at(1).at("actor"), "token till");
    EXPECT_EQ(log.at("items").at(1).at("target"), "/integrations/shop/suspend");
    EXPECT_TRUE(log.at("fault").is_null());
    EXPECT_EQ(ask("GET", "audit?after=2").second.at("items").as_array().size(), 1u);
    keep_audit_key('x');
    EXPECT_EQ(ask("GET", "audit").second.at("fault"), "entry 1 was changed after it was written");
}

TEST_F(Api, ABreakerIsShownAndReset) {
    EXPECT_EQ(ask("POST", "integrations/shop/breaker/reset").first, 409u) << "it is not open";
    network.down = true;
    for (int i = 0; i < 2; ++i) house.run("shop");
    const json::object waiting = ask("GET", "integrations/shop").second;
    EXPECT_EQ(waiting.at("state"), "waiting");
    EXPECT_EQ(waiting.at("breaker"), "open");
    EXPECT_TRUE(waiting.at("breaker_until").is_string());
    network.down = false;
    EXPECT_EQ(ask("POST", "integrations/shop/breaker/reset").first, 200u);
    EXPECT_EQ(ask("GET", "integrations/shop").second.at("breaker"), "closed");
}

// ---- configuration ---------------------------------------------------------------------------------------

TEST_F(Api, AnIntegrationIsMadeChangedAndTakenAway) {
    const std::string body =
        R"({"id":"till","tenant":"house","connector":"csv","credentials":{"k":"!secret x"}})";
    const web::Answer made = answer_to("POST", "integrations", body);
    ASSERT_EQ(made.status, 201u) << made.body;
    EXPECT_EQ(json::parse(made.body).at("config").at("connector"), "csv");
    EXPECT_EQ(ask("POST", "integrations", body).first, 409u);
    const std::string etag = header(made, "ETag");
    const std::string changed = R"({"tenant":"house","connector":"csv","enabled":false})";
    EXPECT_EQ(ask("PUT", "integrations/till", changed).first, 428u);
    EXPECT_EQ(ask("PUT", "integrations/till", changed, "", {{"If-Match", "\"0\""}}).first, 412u);
    EXPECT_EQ(ask("PUT", "integrations/till", changed, "", {{"If-Match", etag}}).first, 200u);
    EXPECT_EQ(ask("DELETE", "integrations/till", "", "", {{"If-Match", etag}}).first, 412u)
        << "it has changed";
    EXPECT_EQ(ask("GET", "integrations/till/config").second.at("config").at("enabled"), false);
    EXPECT_EQ(ask("DELETE", "integrations/till").first, 200u);
    EXPECT_EQ(ask("DELETE", "integrations/till").first, 404u);
}

TEST_F(Api, WhatTheNetworkMayNotConfigureIsRefused) {
    const auto refused = [&](const std::string& body, const std::string& word = {}) {
        return ask("POST", "integrations", body, word).first;
    };
    for (const char* id : {"../x", "", "A", "-a", "a b", "a.yaml"})
        EXPECT_EQ(refused(std::string(R"({"connector":"csv","id":")") + id + "\"}"), 422u) << id;
    EXPECT_EQ(refused(R"({"id":"x","connector":"csv","credentials":{"k":"!file /etc/shadow"}})"), 422u);
    EXPECT_EQ(refused(R"({"id":"x","connector":"csv","settings":{"a":["!env HOME"]}})"), 422u);
    EXPECT_EQ(refused(R"({"id":"x"})"), 422u) << "no connector";
    EXPECT_EQ(refused(R"({"id":"x","connector":"csv"})", token("admin", "house")), 403u);
    EXPECT_EQ(refused(R"({"id":"x","connector":"csv"})", token("operate")), 403u);
    EXPECT_EQ(ask("POST", "/api/admin/house/integrations", R"({"id":"x","connector":"csv","tenant":"other"})")
                  .first,
              422u);
    EXPECT_EQ(ask("POST", "/api/admin/house/integrations", R"({"id":"x","connector":"csv"})")
                  .second.at("config")
                  .at("tenant"),
              "house");
}

}  // namespace
}  // namespace liaisond::api
