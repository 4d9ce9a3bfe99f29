// People in a browser: the login form, its cookie, and what a request made elsewhere cannot do.
#include "api_house.hpp"

#include "access/totp.hpp"

namespace liaisond::api {
namespace {

constexpr const char* password = "correct horse battery";

class Login : public ApiHouse {
  protected:
    void SetUp() override {
        ApiHouse::SetUp();
        ASSERT_EQ(ask("PUT", "users/marie",
                      R"({"password":"correct horse battery","scope":"operate","tenant":"house"})")
                      .first,
                  200u);
    }
    // Over TCP, from a browser at one address.
    web::Answer browse(const std::string& method, const std::string& target, const std::string& body = {},
                       Headers headers = {}, const std::string& address = "192.0.2.7") {
        std::optional<web::Answer> heard;
        web::Request request;
        request.method = method;
        request.target = target;
        request.body = body;
        request.peer.address = address;
        request.headers = std::move(headers);
        request.headers.emplace_back("Host", "hub.example");
        EXPECT_FALSE(web::parse_target(request));
        api.handle(std::move(request), [&](web::Answer answer) { heard = std::move(answer); });
        world.run_until([&] { return heard.has_value(); }, Milliseconds(5000));
        return heard.value_or(web::Answer{0, "", ""});
    }
    web::Answer sign_in(const std::string& name, const std::string& word,
                        const std::string& address = "192.0.2.7") {
        std::string encoded = word;
        for (char& c : encoded) c = c == ' ' ? '+' : c;
        return browse("POST", "/login", "name=" + name + "&password=" + encoded, {}, address);
    }
    std::string cookie_of(const web::Answer& answer) {
        const std::string line = header(answer, "Set-Cookie");
        return line.substr(0, line.find(';'));
    }
};

TEST_F(Login, ACookieOpensAndAForeignPageDoesNot) {
    const web::Answer in = sign_in("marie", password);
    ASSERT_EQ(in.status, 303u) << in.body;
    EXPECT_EQ(header(in, "Location"), "/");
    EXPECT_TRUE(header(in, "Set-Cookie").ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    const std::pair<std::string, std::string> cookie{"Cookie", "theme=dark; " + cookie_of(in)};
    EXPECT_EQ(browse("GET", "/api/v1/integrations").status, 401u);
    EXPECT_EQ(browse("GET", "/api/v1/integrations", "", {cookie}).status, 200u);
    const web::Answer session = browse("GET", "/api/v1/session", "", {cookie});
    const json::value told = json::parse(session.body);
    EXPECT_EQ(told.at("name"), "user marie");
    EXPECT_EQ(told.at("scope"), "operate");
    const std::pair<std::string, std::string> csrf{"X-CSRF-Token", std::string(told.at("csrf").as_string())};
    const std::string suspend = "/api/v1/integrations/shop/suspend";
    EXPECT_EQ(browse("POST", suspend, "", {cookie}).status, 403u) << "a cookie alone changes nothing";
    EXPECT_EQ(browse("POST", suspend, "", {cookie, {"X-CSRF-Token", std::string(32, '0')}}).status, 403u);
    EXPECT_EQ(browse("POST", suspend, "", {cookie, csrf, {"Origin", "https://evil.example"}}).status, 403u);
    EXPECT_EQ(browse("POST", suspend, "", {cookie, csrf, {"Sec-Fetch-Site", "cross-site"}}).status, 403u);
    EXPECT_EQ(browse("POST", suspend, "", {cookie, csrf, {"Origin", "https://hub.example"}}).status, 200u);
    EXPECT_EQ(browse("GET", "/api/v1/users", "", {cookie}).status, 403u) << "operate is not admin";

    EXPECT_EQ(browse("POST", "/logout", "", {cookie}).status, 403u);
    EXPECT_EQ(browse("POST", "/logout", "csrf=" + csrf.second, {cookie}).status, 303u);
    EXPECT_EQ(browse("GET", "/api/v1/integrations", "", {cookie}).status, 401u);
}

TEST_F(Login, AnAuthenticatorsCodeIsAskedForAndCountsOnce) {
    EXPECT_EQ(browse("GET", "/login").body.find("one-time-code"), std::string::npos) << "nobody has one";
    const web::Answer before = sign_in("marie", password);
    const auto [status, made] = ask("POST", "users/marie/totp");
    ASSERT_EQ(status, 201u);
    EXPECT_EQ(browse("GET", "/api/v1/session", "", {{"Cookie", cookie_of(before)}}).status, 401u)
        << "again, with it";
    EXPECT_NE(browse("GET", "/login").body.find("one-time-code"), std::string::npos);
    EXPECT_TRUE(ask("GET", "users").second.at("items").at(0).at("totp").as_bool());
    const std::string link(made.at("link").as_string());
    EXPECT_NE(link.find("secret=" + std::string(made.at("secret").as_string()) + "&"), std::string::npos);

    const Secret key = house.secrets.find("totp/marie").value();
    const auto code = [&](int off) { return access::totp_code(key, to_unix_ms(world.now()) / 30'000 + off); };
    EXPECT_EQ(sign_in("marie", password).status, 401u) << "the password alone";
    EXPECT_EQ(sign_in("marie", std::string(password) + "&code=" + code(-2)).status, 401u) << "an old one";
    const std::string now = code(0);
    EXPECT_EQ(sign_in("marie", "wrong&code=" + now).status, 401u);
    EXPECT_EQ(sign_in("marie", std::string(password) + "&code=" + now).status, 303u);
    EXPECT_EQ(sign_in("marie", std::string(password) + "&code=" + now).status, 401u) << "whoever looked on";
    EXPECT_EQ(sign_in("marie", std::string(password) + "&code=" + code(1)).status, 303u);

    EXPECT_EQ(ask("DELETE", "users/marie/totp").first, 200u);
    EXPECT_EQ(ask("DELETE", "users/marie/totp").first, 404u);
    EXPECT_EQ(sign_in("marie", password).status, 303u);
    EXPECT_EQ(ask("POST", "users/nobody/totp").first, 404u);
    ASSERT_EQ(ask("POST", "users/marie/totp").first, 201u);
    EXPECT_EQ(ask("DELETE", "users/marie").first, 200u);
    EXPECT_FALSE(house.secrets.contains("totp/marie")) << "it goes with its owner";
}

TEST_F(Login, WhoeverGuessesWaits) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(sign_in("marie", "wrong").status, 401u) << i;
    const web::Answer later = sign_in("marie", password);
    EXPECT_EQ(later.status, 429u) << "the right one, too";
    EXPECT_EQ(header(later, "Retry-After"), "59");
    world.run_until([] { return false; }, Milliseconds(61'000));
    EXPECT_EQ(sign_in("marie", password).status, 303u);
}

TEST_F(Login, FromWhereSomebodySignedInIsKnownAfterARestart) {
    const auto kept = [&] {
        world.run_until([] { return false; }, Milliseconds(100));  // it is written after the answer
        std::optional<access::Throttle::States> read;
        house.store.read(
            [](store::Database& database) { return database.states(access::Throttle::state_kind); },
            [&](Result<access::Throttle::States> states) { read = states.value(); });
        world.run_until([&] { return read.has_value(); }, Milliseconds(1000));
        return read.value_or(access::Throttle::States());
    };
    EXPECT_EQ(sign_in("marie", "wrong", "192.0.2.8").status, 401u);
    EXPECT_EQ(sign_in("marie", password).status, 303u);
    ASSERT_EQ(kept().size(), 1u);
    throttle = access::Throttle();
    EXPECT_TRUE(throttle.load(Secret(), kept(), world.now()).empty());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(sign_in("marie", "wrong", "192.0.2.9").status, 401u) << i;
    EXPECT_EQ(sign_in("marie", password, "192.0.2.8").status, 429u);
    EXPECT_EQ(sign_in("marie", password).status, 303u);
    EXPECT_EQ(ask("DELETE", "users/nobody").first, 404u);
    EXPECT_EQ(kept().size(), 1u);
    EXPECT_EQ(ask("DELETE", "users/marie").first, 200u);
    EXPECT_TRUE(kept().empty()) << "it goes with her";
}

TEST_F(Login, NobodyIsSignedInWithoutBeing) {
    EXPECT_EQ(sign_in("nobody", password).status, 401u);
    EXPECT_EQ(sign_in("marie", "").status, 401u);
    EXPECT_EQ(browse("POST", "/login", "", {}).status, 400u);
    EXPECT_EQ(browse("POST", "/login", "name=marie&password=correct+horse+battery",
                     {{"Origin", "https://evil.example"}})
                  .status,
              403u);
    EXPECT_EQ(browse("DELETE", "/login").status, 405u);
    EXPECT_EQ(
        browse("GET", "/api/v1/integrations", "", {{"Cookie", "__Host-liaison=" + std::string(32, '0')}})
            .status,
        401u);
    EXPECT_EQ(header(browse("GET", "/"), "Location"), "/login");
    EXPECT_EQ(ask("PUT", "users/marie", R"({"password":"short","scope":"read"})").first, 422u);
}

TEST_F(Login, AChangedPasswordEndsTheSessions) {
    const std::pair<std::string, std::string> cookie{"Cookie", cookie_of(sign_in("marie", password))};
    ASSERT_EQ(browse("GET", "/api/v1/session", "", {cookie}).status, 200u);
    EXPECT_EQ(ask("PUT", "users/marie", R"({"password":"another long password","scope":"read"})").first,
              200u);
    EXPECT_EQ(browse("GET", "/api/v1/session", "", {cookie}).status, 401u);
    EXPECT_EQ(sign_in("marie", password).status, 401u);
    EXPECT_EQ(ask("GET", "users").second.at("items").as_array().size(), 1u);
    EXPECT_EQ(ask("DELETE", "users/marie").first, 200u);
    EXPECT_EQ(ask("DELETE", "users/marie").first, 404u);
    EXPECT_EQ(sign_in("marie", "another long password").status, 401u);
}

TEST_F(Login, TheFormShowsNothingOfWhatWasTyped) {
    const web::Answer page = sign_in("%3Cscript%3E", "wrong");
    EXPECT_EQ(page.status, 401u);
    EXPECT_EQ(page.body.find("<script>"), std::string::npos);
    EXPECT_NE(header(page, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
}

TEST_F(Login, ReadyIsSaidToEverybodyAndWhyNotToSome) {
    EXPECT_EQ(browse("GET", "/readyz").status, 200u);
    EXPECT_EQ(json::parse(browse("GET", "/readyz").body).at("ready"), true);
}

}  // namespace
}  // namespace liaisond::api
