// Logins in virtual time: a shop that wants OAuth 2 tokens, rotates refresh tokens, and notices every misuse.
#include "sync/logins.hpp"

#include <gtest/gtest.h>

#include "auth/digest.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

std::map<std::string, std::string> form_of(const std::string& body) {
    std::map<std::string, std::string> form;
    std::size_t from = 0;
    while (from < body.size()) {
        const std::size_t end = std::min(body.find('&', from), body.size()), equals = body.find('=', from);
        form[body.substr(from, equals - from)] = body.substr(equals + 1, end - equals - 1);
        from = end + 1;
    }
    return form;
}

// The vendor's authorization server (RFC 6749, RFC 7636). Refresh tokens are good for one use unless `grace`.
struct Authority {
    const World* world = nullptr;
    std::string code = "code-1", challenge, refresh = "refresh-0", previous, access;
    Instant expires{};
    int issued = 0, in_flight = 0;
    bool grace = false, lose_answer = false;
    unsigned status = 200;  // what token requests are answered with
    std::string refusal;
    std::vector<std::string> grants;

    http::Response operator()(const http::Request& request) {
        EXPECT_EQ(request.method, "POST");
        const auto form = form_of(request.body);
        const std::string grant = form.contains("grant_type") ? form.at("grant_type") : "";
        grants.push_back(grant);
        const bool client =
            !request.headers.empty() &&
            request.headers[0].second == "Basic bGlhaXNvbjpwc3N0LXNlY3JldA==";  // liaison:psst-secret
        if (!client) return answer_json(401, json::object{{"error", "invalid_client"}});
        if (status != 200) return answer_json(status, json::object{{"error", refusal}});
        bool good = grant == "client_credentials";
        if (grant == "authorization_code")
            good = form.at("code") == code &&
                   auth::to_base64url(*auth::digest("sha256", form.at("code_verifier"))) == challenge;
        if (grant == "refresh_token") {
            const std::string& sent = form.at("refresh_token");
            good = sent == refresh || (grace && sent == previous);
        }
        if (!good) return answer_json(400, json::object{{"error", "invalid_grant"}});
        previous = refresh;
        refresh = "refresh-" + std::to_string(++issued);
        access = "access-" + std::to_string(issued);
        expires = world->now() + std::chrono::hours(1);
        json::object body{{"access_token", access}, {"token_type", "bearer"}, {"expires_in", 3600}};
        if (grant != "client_credentials") body["refresh_token"] = refresh;
        if (std::exchange(lose_answer, false)) {
            http::Response lost;
            lost.failure = http::Response::Failure::unknown;
            lost.error = "the answer was lost";
            return lost;
        }
        return answer_json(200, body);
    }
};

class LoginTest : public testing::Test {
  protected:
    LoginTest() { authority.world = &world; }

    void live(const std::string& grant) {
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        // What the daemon does at its start.
        auth::Secrets::Sealed sealed;
        const std::vector<store::SealedRow> rows = house->store.database().sealed().value();
        for (const store::SealedRow& row : rows) sealed[row.name] = row.sealed;
        house->secrets.load(std::move(sealed));
        auto link = shop_link();
        std::string config = link->instance.config;
        const std::string none = R"("auth":{"scheme":"none"})";
        config.replace(config.find(none), none.size(), R"("auth":{"scheme":"bearer"})");
        link->instance.config = config;
        auth::Schemes schemes;
        schemes["bearer"] =
            auth::parse_scheme("bearer", json::parse(R"({"oauth2":{"grant":")" + grant +
                                                     R"(","token_url":"http://login.example/token",
            "authorize_url":"http://login.example/authorize","scope":"books"},"headers":{"Authorization":"Bearer {{token}}"}})")
                                             .as_object())
                .value();
        auth::Credentials credentials;
        credentials["client_id"] = Secret("liaison");
        credentials["client_secret"] = Secret("psst-secret");
        link->authorizer = std::make_shared<auth::Authorizer>(
            std::make_shared<const auth::Schemes>(std::move(schemes)), "{}", std::move(credentials));
        link->config.retry.attempts = 1;
        house->start({link});
        world.run_until([] { return false; }, Milliseconds(50));
    }
    void connect() {
        const std::string url =
            house->engine->begin_connect("shop", "http://localhost:1234/callback").value();
        const auto at = [&](const std::string& name) {
            const std::size_t from = url.find(name + "=") + name.size() + 1;
            return url.substr(from, url.find('&', from) - from);
        };
        authority.challenge = at("code_challenge");
        finish("http://localhost:1234/callback?code=" + authority.code + "&state=" + at("state") +
               "&realmId=4711");
    }
    void finish(const std::string& callback) {
        told.reset();
        house->engine->finish_connect(
            "shop", callback, [this](Result<std::map<std::string, std::string>> account) { told = account; });
        world.run_until([&] { return told.has_value(); }, std::chrono::minutes(1));
    }
    store::Run run() { return house->run("shop"); }
    sync::IntegrationStatus status() { return house->engine->status().at(0); }

    World world{3};
    Authority authority;
    Shop shop;
    int refused = 0;
    std::function<bool()> revoked = [] { return false; };
    SimNetwork network{world,
                       {{"http://login.example:80", [this](const http::Request& r) { return authority(r); }},
                        {"http://shop.example:80", [this](const http::Request& r) {
                             const std::string sent = r.headers.empty() ? "" : r.headers.back().second;
                             const bool good = sent == "Bearer " + authority.access &&
                                               world.now() < authority.expires && !revoked();
                             if (!good) ++refused;
                             return good ? shop(r) : answer_json(401, json::object{});
                         }}}};
    TempDir directory;
    std::unique_ptr<SimHouse> house;
    std::optional<Result<std::map<std::string, std::string>>> told;
};

TEST_F(LoginTest, AnIntegrationThatIsNotConnectedSaysHow) {
    live("authorization_code");
    EXPECT_EQ(run().error,
              "importing product failed: this integration is not connected yet; connect it: liaisonctl "
              "connect shop");
    EXPECT_TRUE(authority.grants.empty());
    ASSERT_EQ(status().problems.size(), 1u);
    EXPECT_EQ(status().problems[0],
              "cannot sign in: this integration is not connected yet; connect it: liaisonctl connect shop");
}

TEST_F(LoginTest, ConnectedByAPersonOnceItRenewsItselfAcrossRestarts) {
    live("authorization_code");
    connect();
    ASSERT_TRUE(*told) << told->error().message;
    EXPECT_EQ(told->value().at("realmId"), "4711");
    EXPECT_EQ(run().status, store::RunStatus::success) << run().error;
    live("authorization_code");
    EXPECT_EQ(run().status, store::RunStatus::success) << "a restart forgets the token";
    EXPECT_EQ(authority.grants.size(), 1u);
    for (int hour = 0; hour < 5; ++hour) {
        world.run_until([] { return false; }, std::chrono::hours(1));
        EXPECT_EQ(run().status, store::RunStatus::success) << status().detail;
    }
    EXPECT_EQ(authority.grants.size(), 6u) << "one refresh an hour";
    EXPECT_EQ(refused, 0) << "an expired token was sent";
}

TEST_F(LoginTest, ARevokedTokenIsReplacedOnceAndTheRequestRepeated) {
    live("client_credentials");
    ASSERT_EQ(run().status, store::RunStatus::success);
    const std::string first = authority.access;
    revoked = [this, first] { return authority.access == first; };
    EXPECT_EQ(run().status, store::RunStatus::success);
    EXPECT_EQ(refused, 1);
    revoked = [] { return true; };
    EXPECT_EQ(run().status, store::RunStatus::failed);
    EXPECT_EQ(refused, 3) << "a vendor that refuses every token is not asked again and again";
}

TEST_F(LoginTest, ALostAnswerToARefreshEndsInReauthorisationAndNotInAMystery) {
    live("authorization_code");
    connect();
    world.run_until([] { return false; }, std::chrono::hours(2));
    authority.lose_answer = true;
    EXPECT_EQ(run().status, store::RunStatus::failed);
    live("authorization_code");  // the daemon dies as well
    const store::Run again = run();
    EXPECT_EQ(again.error,
              "importing product failed: the vendor no longer accepts what this integration was connected "
              "with (HTTP 400 "
              "invalid_grant); connect it: liaisonctl connect shop");
    const std::size_t asked = authority.grants.size();
    run();
    EXPECT_EQ(authority.grants.size(), asked) << "a refused token is sent again";
    live("authorization_code");
    ASSERT_EQ(status().problems.size(), 1u) << "a restart forgets that somebody has to act";
    EXPECT_NE(status().problems[0].find("connect it: liaisonctl connect shop"), std::string::npos);
    run();
    EXPECT_EQ(authority.grants.size(), asked) << "a refused token is sent again after a restart";
    connect();
    EXPECT_EQ(run().status, store::RunStatus::success);
    EXPECT_TRUE(status().problems.empty());
}

TEST_F(LoginTest, WithTheVendorsGraceALostAnswerIsNothing) {
    authority.grace = true;
    live("authorization_code");
    connect();
    world.run_until([] { return false; }, std::chrono::hours(2));
    authority.lose_answer = true;
    EXPECT_EQ(run().status, store::RunStatus::failed);
    live("authorization_code");
    EXPECT_EQ(run().status, store::RunStatus::success);
}

TEST_F(LoginTest, AnAuthorityThatIsDownIsNoRefusal) {
    live("authorization_code");
    connect();
    world.run_until([] { return false; }, std::chrono::hours(2));
    authority.status = 503;
    EXPECT_EQ(run().status, store::RunStatus::failed);
    authority.status = 200;
    EXPECT_EQ(run().status, store::RunStatus::success);
}

TEST_F(LoginTest, AClientThatIsRefusedIsNotTriedAgainAndAgain) {
    live("client_credentials");
    authority.status = 400;
    authority.refusal = "invalid_client";
    EXPECT_NE(run().error.find("check client id, client secret and scope"), std::string::npos);
    for (int i = 0; i < 5; ++i) run();
    EXPECT_EQ(authority.grants.size(), 1u) << "vendors lock who keeps trying";
    world.run_until([] { return false; }, std::chrono::minutes(16));
    run();
    EXPECT_EQ(authority.grants.size(), 2u);
}

TEST_F(LoginTest, OnlyTheAnswerToTheLastRequestConnects) {
    live("authorization_code");
    finish("http://localhost/callback?code=x&state=guessed");
    EXPECT_NE(told->error().message.find("begin again: liaisonctl connect shop"), std::string::npos);
    finish("http://localhost/callback?error=access_denied&error_description=no");
    EXPECT_EQ(told->error().message, "the vendor did not let us in: access_denied (no)");
    finish("nonsense at all");
    EXPECT_NE(told->error().message.find("paste the whole one"), std::string::npos) << told->error().message;
    connect();
    ASSERT_TRUE(*told);
    const std::size_t asked = authority.grants.size();
    finish("http://localhost:1234/callback?code=" + authority.code + "&state=guessed");
    EXPECT_EQ(authority.grants.size(), asked);
}

TEST_F(LoginTest, WhatIsStoredIsSealed) {
    live("authorization_code");
    connect();
    const std::vector<store::SealedRow> rows = house->store.database().sealed().value();
    ASSERT_EQ(rows.size(), 1u);
    for (const store::SealedRow& row : rows) {
        EXPECT_EQ(row.name, "login/shop/bearer");
        EXPECT_EQ(row.sealed.find("refresh-1"), std::string::npos);
        EXPECT_EQ(row.sealed.find("access-1"), std::string::npos);
    }
}

TEST(Cookies, AreReadAsVendorsSendThem) {
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(sync::cookie_in("B1SESSION=5f6c-9e;HttpOnly;"), Pair("B1SESSION", "5f6c-9e"));
    EXPECT_EQ(sync::cookie_in("ROUTEID=.node3; path=/b1s"), Pair("ROUTEID", ".node3"));
    EXPECT_EQ(sync::cookie_in("nothing"), Pair());
}

}  // namespace
}  // namespace liaisond::sync_test
