// Who is let in: the vectors of all profiles, and what an attacker or a broken proxy would send.
#include "webhooks/signature.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "paths.hpp"
#include "web/head.hpp"

namespace liaisond::webhooks {
namespace {
namespace json = boost::json;

const Instant noon = from_unix_ms(1'767'225'600'000);

struct Case {
    config::WebhookProfile profile = config::webhook_preset("generic")->profile;
    web::Request request;
    std::vector<Secret> secrets;
    Instant now = noon;
    std::string public_url;

    explicit Case(const std::string& preset = "generic") : profile(config::webhook_preset(preset)->profile) {
        request.method = "POST";
        request.target = "/hook";
    }
    Case& with(const std::string& name, const std::string& value) {
        request.headers.emplace_back(name, value);
        return *this;
    }
    Case& without(const std::string& name) {
        std::erase_if(request.headers, [&](const auto& one) { return one.first == name; });
        return *this;
    }
    Verdict verdict() const { return verify(profile, {request, public_url}, secrets, now); }
};

std::string text_at(const json::value& from, std::string_view key) {
    const json::value* found = from.get_object().if_contains(key);
    return found == nullptr ? std::string() : std::string(found->as_string());
}

const json::object& vectors() {
    static const json::value all = [] {
        std::ifstream file(paths::source("tests/unit/webhooks/vectors.json"));
        return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    }();
    return all.as_object();
}

Case case_of(const std::string& preset, const json::value& vector) {
    Case made(preset);
    const json::object& members = vector.as_object();
    for (const char* key : {"secret", "public_key", "auth_token"}) {
        if (members.contains(key)) made.secrets.emplace_back(text_at(vector, key));
    }
    made.request.body = text_at(vector, "body");
    if (members.contains("header")) made.with(made.profile.header, text_at(vector, "header"));
    if (members.contains("headers")) {
        for (const auto& [name, value] : members.at("headers").as_object())
            made.with(name, value.as_string().c_str());
    }
    if (members.contains("now")) made.now = from_unix_ms(members.at("now").to_number<std::int64_t>() * 1000);
    return made;
}

void expect_as_said(const Case& made, const json::value& vector) {
    const bool is_good = text_at(vector, "expect").starts_with("accept");
    EXPECT_EQ(made.verdict() == Verdict::accepted, is_good)
        << text_at(vector, "name") << ": " << to_string(made.verdict());
}

TEST(WebhookVectors, OfEveryProfileWithoutAnAddress) {
    std::size_t count = 0;
    for (const auto& [section, preset] :
         {std::pair("stripe", "stripe"), std::pair("standard_webhooks", "standard"),
          std::pair("github", "github"), std::pair("shopify", "shopify"), std::pair("slack", "slack"),
          std::pair("lightspeed_x_series", "xseries")}) {
        for (const json::value& vector : vectors().at(section).as_array()) {
            expect_as_said(case_of(preset, vector), vector);
            ++count;
        }
    }
    EXPECT_EQ(count, 16u);
}

TEST(WebhookVectors, OfTheGenericProfile) {
    for (const json::value& vector : vectors().at("generic").as_array()) {
        Case made = case_of("generic", vector);
        const json::value& profile = vector.at("profile");
        made.profile.prefix = text_at(profile, "prefix");
        made.profile.timestamp_header = text_at(profile, "timestamp_header");
        if (text_at(profile, "encoding") == "base64")
            made.profile.encoding = config::WebhookProfile::Encoding::base64;
        if (!made.profile.timestamp_header.empty()) made.profile.signed_text = "{timestamp}.{body}";
        expect_as_said(made, vector);
    }
}

TEST(WebhookVectors, OfTwilioWhichSignsTheAddress) {
    for (const json::value& vector : vectors().at("twilio").as_array()) {
        Case made = case_of("twilio", vector);
        const std::string url = text_at(vector, "url");
        const std::size_t path = url.find('/', 8);
        made.public_url = url.substr(0, path);
        made.request.target = url.substr(path);
        ASSERT_FALSE(web::parse_target(made.request));
        made.with("Content-Type", "application/x-www-form-urlencoded");
        for (const auto& [name, value] : vector.at("params").as_object())
            made.request.body += (made.request.body.empty() ? "" : "&") + std::string(name) + "=" +
                                 auth::percent_encoded(std::string_view(value.as_string()));
        expect_as_said(made, vector);
        made.public_url = "https://elsewhere.example";
        EXPECT_EQ(made.verdict(), Verdict::mismatch);
    }
}

TEST(WebhookVectors, OfIntuit) {
    Case made("intuit");
    made.secrets.emplace_back("verifier-token-1");
    made.request.body =
        R"([{"specversion":"1.0","id":"88cd52aa-33b6-4351-9aa4-47572edbd068","source":"intuit.test","type":"qbo.invoice.created.v1","datacontenttype":"application/json","time":"2026-05-31T21:31:25.179Z","intuitentityid":"95","intuitaccountid":"310687","data":{}}])";
    made.with("intuit-signature", "Yr2EvF7YjcinawFnsHEXQaVgl7B7doooxH5OLMxF6gA=");
    EXPECT_EQ(made.verdict(), Verdict::accepted);
}

// ---- what else arrives ----

std::string mac_of(const std::string& text, const std::string& secret = "till-secret") {
    return *auth::hmac("sha256", Secret(secret), text);
}

Case signed_case(const std::string& body = R"({"id":"1"})") {
    Case made;
    made.secrets.emplace_back("till-secret");
    made.request.body = body;
    return made.with("X-Signature", to_hex(mac_of(body)));
}

TEST(WebhookSignature, AlteredBodiesAreNotTheVendors) {
    EXPECT_EQ(signed_case().verdict(), Verdict::accepted);
    Case altered = signed_case();
    altered.request.body[7] = '2';
    EXPECT_EQ(altered.verdict(), Verdict::mismatch);
    Case newlines = signed_case("{\n}");
    newlines.request.body = "{\r\n}";
    EXPECT_EQ(newlines.verdict(), Verdict::mismatch);
}

TEST(WebhookSignature, WrongFormsAreRefused) {
    const std::string good = to_hex(mac_of(R"({"id":"1"})"));
    const auto with = [&](const std::string& value) {
        return signed_case().without("X-Signature").with("X-Signature", value).verdict();
    };
    EXPECT_EQ(with(good.substr(0, 62)), Verdict::mismatch) << "cut short";
    EXPECT_EQ(with(good.substr(0, 63)), Verdict::malformed);
    EXPECT_EQ(with(good + "00"), Verdict::mismatch);
    EXPECT_EQ(with(""), Verdict::mismatch);
    EXPECT_EQ(with(good.substr(0, 62) + "zz"), Verdict::malformed);
    EXPECT_EQ(with("sha256=" + good), Verdict::malformed);
    EXPECT_EQ(with(" " + good), Verdict::malformed) << "blanks are not trimmed";
    EXPECT_EQ(signed_case().without("X-Signature").verdict(), Verdict::missing);
    EXPECT_EQ(signed_case().with("x-signature", good).verdict(), Verdict::repeated) << "twice, even the same";
    EXPECT_EQ(signed_case().without("X-Signature").with("x-SIGNATURE", good).verdict(), Verdict::accepted);
}

TEST(WebhookSignature, SecretsAreRotatedWithTwoAtATime) {
    Case both = signed_case();
    both.secrets = {Secret("newer-secret"), Secret("till-secret")};
    EXPECT_EQ(both.verdict(), Verdict::accepted);
    both.secrets = {Secret("newer-secret")};
    EXPECT_EQ(both.verdict(), Verdict::mismatch);
    both.secrets.clear();
    EXPECT_EQ(both.verdict(), Verdict::mismatch);
    Case empty = signed_case("");
    empty.secrets = {Secret("")};
    empty.without("X-Signature").with("X-Signature", to_hex(mac_of("", "")));
    EXPECT_EQ(empty.verdict(), Verdict::mismatch) << "an empty secret lets nobody in";
}

TEST(WebhookSignature, SecretsAndSignaturesInOtherWritings) {
    using config::WebhookProfile;
    Case made = signed_case();
    made.profile.secret_encoding = WebhookProfile::SecretEncoding::hex;
    made.secrets = {Secret(to_hex("till-secret"))};
    EXPECT_EQ(made.verdict(), Verdict::accepted);
    made.profile.secret_encoding = WebhookProfile::SecretEncoding::base64;
    made.secrets = {Secret(to_base64("till-secret"))};
    EXPECT_EQ(made.verdict(), Verdict::accepted);
    made.profile.encoding = WebhookProfile::Encoding::base64;
    const std::string base64 = to_base64(mac_of(made.request.body));
    const auto with = [&](const std::string& value) {
        made.without("X-Signature").with("X-Signature", value);
        return made.verdict();
    };
    EXPECT_EQ(with(base64), Verdict::accepted);
    EXPECT_EQ(with(base64.substr(0, 43)), Verdict::accepted) << "padding may be missing";
    EXPECT_EQ(with(base64 + "="), Verdict::malformed);
    EXPECT_EQ(with(base64.substr(0, 20) + "\n" + base64.substr(20)), Verdict::malformed);
    made.profile.encoding = WebhookProfile::Encoding::base64url;
    EXPECT_EQ(with(auth::to_base64url(mac_of(made.request.body))), Verdict::accepted);
}

Case timed_case(const std::string& timestamp) {
    Case made;
    made.secrets.emplace_back("till-secret");
    made.profile.timestamp_header = "X-Timestamp";
    made.profile.signed_text = "{method} {path} {timestamp}.{body}";
    made.request.body = "{}";
    return made.with("X-Timestamp", timestamp)
        .with("X-Signature", to_hex(mac_of("POST /hook " + timestamp + ".{}")));
}

TEST(WebhookSignature, ATimestampHasItsWindowBothWays) {
    EXPECT_EQ(timed_case("1767225600").verdict(), Verdict::accepted);
    EXPECT_EQ(timed_case("1767225300").verdict(), Verdict::accepted) << "exactly 300 s";
    EXPECT_EQ(timed_case("1767225299").verdict(), Verdict::stale);
    EXPECT_EQ(timed_case("1767225900").verdict(), Verdict::accepted);
    EXPECT_EQ(timed_case("1767225901").verdict(), Verdict::stale) << "of the future";
    for (const char* odd : {"+1767225600", "-1", "1767225600.0", "0x6955b900", "1767225600000000", ""})
        EXPECT_EQ(timed_case(odd).verdict(), Verdict::malformed) << odd;
    EXPECT_EQ(timed_case("1767225600").with("X-Timestamp", "1767225600").verdict(), Verdict::repeated);
    EXPECT_EQ(timed_case("1767225600").without("X-Timestamp").verdict(), Verdict::missing);
    Case wrong = timed_case("1767225299");
    wrong.request.body = "{ }";
    EXPECT_EQ(wrong.verdict(), Verdict::mismatch) << "the time counts only once the signature is good";
}

TEST(WebhookSignature, StripesHeaderHasExactlyOneTime) {
    Case made("stripe");
    made.secrets.emplace_back("whsec_x");
    made.request.body = "{}";
    const std::string good = to_hex(mac_of("1767225600.{}", "whsec_x"));
    const auto with = [&](const std::string& value) {
        made.without("Stripe-Signature").with("Stripe-Signature", value);
        return made.verdict();
    };
    EXPECT_EQ(with("t=1767225600,v1=" + good), Verdict::accepted);
    EXPECT_EQ(with("t=1767225600 , v1=" + good), Verdict::accepted) << "blanks around commas";
    EXPECT_EQ(with("t=1767225600,v1=zz,v1=" + good), Verdict::accepted);
    EXPECT_EQ(with("t=1767225600,t=1767225600,v1=" + good), Verdict::repeated);
    EXPECT_EQ(with("v1=" + good), Verdict::missing);
    EXPECT_EQ(with("t=1767225600,v0=" + good), Verdict::missing);
    EXPECT_EQ(with("t=01767225600,v1=" + good), Verdict::mismatch) << "signed is the text as it came";
    EXPECT_EQ(with("nonsense"), Verdict::malformed);
}

TEST(WebhookSignature, StandardWebhooksUnderTheirOlderNames) {
    Case made("standard");
    made.secrets.emplace_back("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    made.request.body = R"({"test": 2432232314})";
    made.now = from_unix_ms(1'614'265'330'000);
    made.with("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek").with("svix-timestamp", "1614265330");
    made.with("svix-signature", "v9,abcd v1, v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    EXPECT_EQ(made.verdict(), Verdict::accepted);
    made.without("svix-signature").with("svix-signature", "v1,");
    EXPECT_EQ(made.verdict(), Verdict::mismatch);
    made.without("svix-id").with("svix-id", "a.1614265330");
    EXPECT_EQ(made.verdict(), Verdict::malformed);
}

TEST(WebhookSignature, TwiliosOtherBodiesAreSignedByTheirDigest) {
    Case made("twilio");
    made.secrets.emplace_back("12345");
    made.public_url = "https://hub.example";
    made.request.body = "{}";
    made.request.target = "/hook?bodySHA256=" + to_hex(*auth::digest("sha256", "{}"));
    ASSERT_FALSE(web::parse_target(made.request));
    made.with("Content-Type", "application/json");
    made.with("X-Twilio-Signature",
              to_base64(*auth::hmac("sha1", Secret("12345"), "https://hub.example" + made.request.target)));
    EXPECT_EQ(made.verdict(), Verdict::accepted);
    made.request.body = "{ }";
    EXPECT_EQ(made.verdict(), Verdict::mismatch);
    Case unsigned_body("twilio");
    unsigned_body.secrets.emplace_back("12345");
    unsigned_body.request.body = "{}";
    unsigned_body.with("Content-Type", "application/json");
    unsigned_body.with("X-Twilio-Signature", to_base64(*auth::hmac("sha1", Secret("12345"), "/hook")));
    EXPECT_EQ(unsigned_body.verdict(), Verdict::missing) << "nothing would vouch for the body";
}

TEST(WebhookSignature, TokensAndPasswords) {
    Case token("query_token");
    token.secrets = {Secret("token-one"), Secret("token-two")};
    const auto at = [&](const std::string& target) {
        token.request.target = target;
        token.request.path.clear();
        token.request.query.clear();
        EXPECT_FALSE(web::parse_target(token.request));
        return token.verdict();
    };
    EXPECT_EQ(at("/hook?token=token-two"), Verdict::accepted);
    EXPECT_EQ(at("/hook?token=token-on"), Verdict::mismatch);
    EXPECT_EQ(at("/hook?token="), Verdict::mismatch);
    EXPECT_EQ(at("/hook"), Verdict::missing);
    EXPECT_EQ(at("/hook?token=token-one&token=token-one"), Verdict::repeated);

    Case basic("basic");
    basic.secrets.emplace_back("pass:word");
    const auto as = [&](const std::string& value) {
        basic.without("Authorization").with("Authorization", value);
        return basic.verdict();
    };
    EXPECT_EQ(as("Basic " + to_base64("u:pass:word")), Verdict::accepted);
    EXPECT_EQ(as("basic " + to_base64("u:pass:word")), Verdict::accepted);
    EXPECT_EQ(as("Basic " + to_base64("u:pass")), Verdict::mismatch);
    EXPECT_EQ(as("Basic " + to_base64("pass")), Verdict::malformed);
    EXPECT_EQ(as("Bearer pass:word"), Verdict::malformed);
    basic.profile.username = "lsk";
    EXPECT_EQ(as("Basic " + to_base64("u:pass:word")), Verdict::mismatch);
    EXPECT_EQ(as("Basic " + to_base64("lsk:pass:word")), Verdict::accepted);
}

}  // namespace
}  // namespace liaisond::webhooks
