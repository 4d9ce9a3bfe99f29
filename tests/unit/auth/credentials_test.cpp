#include "auth/credentials.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "connectors/origins.hpp"
#include "sync/requester.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::auth {
namespace {
namespace json = boost::json;

Schemes schemes(const char* text) {
    Schemes made;
    const json::value definitions = json::parse(text);
    for (const auto& [name, definition] : definitions.as_object())
        made[std::string(name)] = parse_scheme(std::string(name), definition.as_object()).value();
    return made;
}

Authorizer authorizer() {
    const Schemes known = schemes(R"({"bearer":{"headers":{"Authorization":"Bearer {{secret:token}}"}},
        "basic":{"headers":{"Authorization":"Basic {{basic:username:password}}"}},
        "api_key":{"headers":{"{{setting:/auth/header}}":"{{secret:token}}"}},
        "query":{"query":{"key":"{{secret:multi}}"}},
        "expedia":{"headers":{"Authorization":"EAN APIKey={{secret:token}},Signature={{hex:sha512:secret:token+secret:username+now_s}},timestamp={{now_s}}"}},
        "multi":{"headers":{"X":"{{secret:multi}}"}},
        "broken":{"headers":{"X":"{{secret:missing}}"}},"odd":{"headers":{"X":"{{rot13:token}}"}}})");
    Credentials credentials;
    for (const auto& [name, value] : {std::pair("token", "tok-123"), std::pair("username", "Aladdin"),
                                      std::pair("password", "open sesame"), std::pair("multi", "a\"b\n<&")})
        credentials[name] = Secret(value);
    return Authorizer(std::make_shared<const Schemes>(known), R"({"auth":{"header":"X-Api-Key"}})",
                      std::move(credentials));
}

constexpr Instant now = Instant(Milliseconds(1'700'000'000'123));

Result<http::Request> applied(const std::string& scheme) {
    http::Request request;
    request.url = "https://x.example/a?b=1";
    SystemRandom random;
    const Status status = authorizer().apply(scheme, request, Live(), now, random);
    if (!status) return fail(status.error());
    return request;
}

std::string header_of(const std::string& scheme) {
    const auto request = applied(scheme);
    return request ? request->headers.at(0).first + ": " + request->headers.at(0).second
                   : request.error().message;
}

TEST(Authorizer, ExpandsSchemesOfTheManifest) {
    EXPECT_EQ(header_of("bearer"), "Authorization: Bearer tok-123");
    EXPECT_EQ(header_of("basic"),
              "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617, section 2
    EXPECT_EQ(header_of("api_key"), "X-Api-Key: tok-123");
    EXPECT_EQ(applied("query")->url, "https://x.example/a?b=1&key=a%22b%0A%3C%26");
    EXPECT_EQ(
        header_of("broken"),
        "the header X: the credential 'missing' is needed and not configured; add it under credentials:");
    EXPECT_EQ(header_of("multi"),
              "the header X: holds a control character; check the credential for a stray line break");
    EXPECT_EQ(header_of("odd"), "the header X: the manifest uses the unknown template {{rot13:token}}");
    EXPECT_NE(header_of("digest").find("its manifest does not have"), std::string::npos);
}

std::string expanded_for(const std::string& settings, const std::string& text) {
    const std::map<std::string, Secret, std::less<>> none;
    const Live live;
    const auto value = expand(text, Scope{none, settings, live, now}, Place::plain);
    return value ? *value : value.error().message;
}

// A host that an operator may name, and that otherwise depends on which system it is.
TEST(Templates, ASettingDecidesBetweenTexts) {
    const std::string text = "{{setting:/url|/system=trial?https://t.example?a=1|https://p.example}}/token";
    EXPECT_EQ(expanded_for(R"({"url":"http://localhost:1","system":"trial"})", text),
              "http://localhost:1/token");
    EXPECT_EQ(expanded_for(R"({"system":"trial"})", text), "https://t.example?a=1/token");
    EXPECT_EQ(expanded_for(R"({"system":"production"})", text), "https://p.example/token");
    EXPECT_EQ(expanded_for("{}", text), "https://p.example/token");
    EXPECT_EQ(expanded_for("{}", "{{setting:/scope|}}"), "");
    EXPECT_EQ(expanded_for("{}", "{{setting:/url}}"),
              "the setting /url is needed for authentication and is missing");
}

TEST(Authorizer, APersonConnectsTheSchemeThatTheSettingsAreFor) {
    const auto known = std::make_shared<const Schemes>(schemes(
        R"({"a":{"when":{"/series":"k"},"oauth2":{"grant":"authorization_code","token_url":"t","authorize_url":"a"}},
            "b":{"when":{"/series":"x","/access":"oauth"},"oauth2":{"grant":"authorization_code","token_url":"t","authorize_url":"a"}}})"));
    const auto connectable = [&](const char* settings) -> std::string {
        const Scheme* found = Authorizer(known, settings, {}).connectable();
        return found != nullptr ? found->name : "";
    };
    EXPECT_EQ(connectable(R"({"series":"k"})"), "a");
    EXPECT_EQ(connectable(R"({"series":"x","access":"oauth"})"), "b");
    EXPECT_EQ(connectable(R"({"series":"x"})"), "");
}

// expedia.md: SHA-512 over key, shared secret and the Unix time, in hex; the same time in the header.
TEST(Authorizer, DigestsAreOfTheWholeRequestsMoment) {
    const std::string digested = to_hex(*digest("sha512", "tok-123Aladdin1700000000"));
    EXPECT_EQ(header_of("expedia"),
              "Authorization: EAN APIKey=tok-123,Signature=" + digested + ",timestamp=1700000000");
}

std::string body_of(const std::string& type, const std::string& text) {
    http::Request request;
    request.headers.emplace_back("content-type", type);
    request.body = text;
    const Status expanded = authorizer().expand_body(request, Live(), now);
    return expanded ? request.body : expanded.error().message;
}

TEST(Authorizer, BodiesAreEscapedForWhatTheyAre) {
    EXPECT_EQ(body_of("application/json", R"({"p":"{{secret:multi}}"})"), R"({"p":"a\"b\n<&"})");
    EXPECT_EQ(body_of("text/xml; charset=utf-8", "<p>{{secret:multi}}</p>"), "<p>a&quot;b\n&lt;&amp;</p>");
    EXPECT_EQ(body_of("application/x-www-form-urlencoded", "p={{secret:multi}}"), "p=a%22b%0A%3C%26");
    EXPECT_EQ(body_of("application/json", "{{secret:nobody}}"),
              "the credential 'nobody' is needed and not configured; add it under credentials:");
}

// Text of a record stands beside secrets in one body: its braces are not templates.
TEST(Authorizer, BracesThatWereWrittenAsSuchAreText) {
    EXPECT_EQ(body_of("application/json", R"(["{{secret:token}}","{{{{}}secret:token}}"])"),
              R"(["tok-123","{{secret:token}}"])");
}

TEST(Secrets, FilesMustNotBeReadableByOthers) {
    sync_test::TempDir directory;
    const std::string path = directory.path() + "/token";
    std::ofstream(path) << "hush-hush\n";
    ::chmod(path.c_str(), 0644);
    const auto open = read_secrets({{"token", {config::SecretSource::Kind::file, path}}}, nullptr);
    ASSERT_FALSE(open);
    EXPECT_NE(open.error().message.find("chmod 600"), std::string::npos) << open.error().message;
    ::chmod(path.c_str(), 0600);
    EXPECT_EQ(read_secrets({{"token", {config::SecretSource::Kind::file, path}}}, nullptr)
                  .value()
                  .at("token")
                  .reveal(),
              "hush-hush");
    EXPECT_EQ(redactor().scrub("it is hush-hush"), "it is ***");
    EXPECT_FALSE(read_secrets(
        {{"token", {config::SecretSource::Kind::environment, "LIAISON_NO_SUCH_VARIABLE"}}}, nullptr));
}

TEST(Links, FindsStringsByTheirFormatInTheSchema) {
    const json::object schema = json::parse(R"({"properties":{"base_url":{"format":"liaison-origin"},
        "entities":{"additionalProperties":{"$ref":"#/$defs/entity"}}},"$defs":{"entity":{"properties":{"folder":{"format":"liaison-folder"},
        "more":{"type":"array","items":{"anyOf":[{"type":"integer"},{"format":"liaison-folder"}]}}}}}})")
                                    .as_object();
    const json::value settings = json::parse(
        R"({"base_url":"https://x.example","entities":{"product":{"folder":"/in","more":["/a",3,"/b"]}}})");
    EXPECT_EQ(connectors::strings_of_format(schema, settings, "liaison-origin"),
              std::vector<std::string>{"https://x.example"});
    EXPECT_EQ(connectors::strings_of_format(schema, settings, "liaison-folder"),
              (std::vector<std::string>{"/in", "/a", "/b"}));
}

TEST(Links, OriginsThatAreLeftOutAreTheDefaultOnes) {
    const json::object schema =
        json::parse(
            R"({"properties":{"base_url":{"format":"liaison-origin","default":"https://a.example"}}})")
            .as_object();
    using Texts = std::vector<std::string>;
    EXPECT_EQ(connectors::strings_of_format(schema, json::object(), "liaison-origin"),
              Texts{"https://a.example"});
    const json::object chosen{{"base_url", "https://b.example"}};
    EXPECT_EQ(connectors::strings_of_format(schema, chosen, "liaison-origin"), Texts{"https://b.example"});
}

TEST(Templates, ASettingMayHaveASubstitute) {
    const Credentials none;
    const std::string settings = R"({"at":"https://b.example"})";
    const Live live;
    const Scope scope{none, settings, live, now};
    EXPECT_EQ(expand("{{setting:/at|https://a.example}}/token", scope, Place::plain).value(),
              "https://b.example/token");
    EXPECT_EQ(expand("{{setting:/other|https://a.example}}/token", scope, Place::plain).value(),
              "https://a.example/token");
    EXPECT_FALSE(expand("{{setting:/other}}", scope, Place::plain));
}

TEST(RetryAfter, ReadsBothForms) {
    const Instant now = *parse_instant("2026-03-01T12:00:00Z");
    EXPECT_EQ(sync::retry_after({{"retry-after", "120"}}, now), std::chrono::minutes(2));
    EXPECT_EQ(sync::retry_after({{"Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"}}, now),
              std::chrono::seconds(30));
    EXPECT_EQ(sync::retry_after({{"Retry-After", "Sun, 01 Mar 2026 11:00:30 GMT"}}, now), Milliseconds(0));
    EXPECT_EQ(sync::retry_after({{"Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"},
                                 {"date", "Sun, 01 Mar 2026 12:00:20 GMT"}},
                                now - std::chrono::hours(24 * 700)),
              std::chrono::seconds(10))
        << "this machine's clock is wrong, the vendor's own is what the date goes by";
    EXPECT_EQ(sync::retry_after({{"Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"}},
                                now - std::chrono::hours(24 * 700)),
              std::chrono::hours(24));
    EXPECT_EQ(sync::retry_after({{"Retry-After", "soon"}}, now), Milliseconds(0));
    EXPECT_EQ(sync::retry_after({}, now), Milliseconds(0));
}

// Credentials go to the integration's own origins and nowhere else, whatever a plugin asks for.
TEST(Requester, SecretsStayAtHome) {
    sync_test::World world(1);
    std::string seen;
    sync_test::SimNetwork network(world, {{"http://shop.example:80",
                                           [&](const http::Request& r) {
                                               seen = r.headers.empty() ? "" : r.headers.back().second;
                                               return http::Response();
                                           }},
                                          {"http://evil.example:80", [&](const http::Request&) {
                                               ADD_FAILURE() << "the request must not leave";
                                               return http::Response();
                                           }}});
    sync_test::TempDir directory;
    sync_test::SimHouse house(world, network, directory.path());
    auto link = sync_test::shop_link();
    link->authorizer = std::make_shared<Authorizer>(authorizer());
    SystemTimeZones zones;
    const sync::Ports ports{world, zones, world, world, network, house.store, house.runtime, house.secrets};
    sync::Fibers fibers(world);
    sync::Breaker breaker;
    sync::Gates gates(world, world);
    sync::Logins logins(ports, fibers, gates);
    sync::Requester requester(ports, fibers, link, gates.of(*link), breaker, logins);
    sync::RunControl control;
    control.link = link;
    const auto ask = [&](const std::string& url) {
        plugin::Request request;
        request.method = "GET";
        request.url = url;
        request.auth = "bearer";
        std::optional<std::vector<plugin::Response>> answers;
        const auto body = [&]() -> sync::Task<void> {
            std::vector<plugin::Request> batch;
            batch.push_back(request);
            answers = co_await requester.send_all(control, std::move(batch), 1);
        };
        fibers.spawn(body());
        world.run_until([&] { return answers.has_value(); }, std::chrono::hours(1));
        return answers->at(0);
    };
    EXPECT_EQ(ask("http://shop.example/x").error, 0u);
    EXPECT_EQ(seen, "Bearer tok-123");
    EXPECT_EQ(ask("http://evil.example/x").error, static_cast<std::uint32_t>(LIAISON_ERROR_CONFIG));
}

}  // namespace
}  // namespace liaisond::auth
