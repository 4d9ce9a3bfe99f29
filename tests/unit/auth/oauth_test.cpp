#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include <boost/json/parse.hpp>

#include "auth/digest.hpp"
#include "auth/oauth1.hpp"
#include "auth/oauth2.hpp"

namespace liaisond::auth {
namespace {
namespace json = boost::json;

using Secrets = std::map<std::string, Secret, std::less<>>;

OAuth1 oauth1() {
    OAuth1 oauth;
    oauth.consumer_key = "{{secret:consumer_key}}";
    oauth.consumer_secret = "{{secret:consumer_secret}}";
    oauth.token = "{{secret:token}}";
    oauth.token_secret = "{{secret:token_secret}}";
    return oauth;
}

const Secrets& rfc_secrets() {
    static const Secrets secrets{{"consumer_key", Secret("9djdj82h48djs9d2")},
                                 {"consumer_secret", Secret("j49sk3j29djd")},
                                 {"token", Secret("kkk9d7dh3k39sjv7")},
                                 {"token_secret", Secret("dh893hdasih9")}};
    return secrets;
}

// The request of RFC 5849, 3.4.1.1, with its time and nonce.
http::Request rfc_request() {
    http::Request request;
    request.method = "POST";
    request.url = "http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = "c2&a3=2+q";
    return request;
}

Result<std::string> signed_header(const OAuth1& oauth, const http::Request& request) {
    static const std::string settings = "{}";
    static const Live live;
    return oauth1_header(oauth, {rfc_secrets(), settings, live, Instant(Milliseconds(137'131'201'000))},
                         request, "7d8f3e4a");
}

// The signature was computed apart from this code, over the base string of the RFC with HMAC-SHA256 for its
// method and with oauth_version.
TEST(OAuth1, SignsTheRequestOfTheRfc) {
    const auto header = signed_header(oauth1(), rfc_request());
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(*header,
              "OAuth oauth_consumer_key=\"9djdj82h48djs9d2\", oauth_nonce=\"7d8f3e4a\", "
              "oauth_signature_method=\"HMAC-SHA256\", oauth_timestamp=\"137131201\", "
              "oauth_token=\"kkk9d7dh3k39sjv7\", oauth_version=\"1.0\", "
              "oauth_signature=\"xie2kqHv7CoC3VI1g%2FIUClHXm4q%2B1H3XJZG1izUgBXs%3D\"");
}

TEST(OAuth1, TheRealmIsNoPartOfTheSignature) {
    OAuth1 oauth = oauth1();
    oauth.realm = "123_SB1";
    const auto without = signed_header(oauth1(), rfc_request());
    const auto with = signed_header(oauth, rfc_request());
    ASSERT_TRUE(with && without);
    EXPECT_EQ(*with, "OAuth realm=\"123_SB1\", " + without->substr(6));
}

// Only a form takes part in the signature (RFC 5849, 3.4.1.3.1); and the body of any other type may hold what
// would be no encoding at all.
TEST(OAuth1, BodiesOfOtherTypesAreNotSigned) {
    http::Request json_body = rfc_request();
    json_body.headers.front().second = "application/json";
    http::Request other = json_body;
    other.body = "{\"discount\": \"100%\"}";
    const auto one = signed_header(oauth1(), json_body), two = signed_header(oauth1(), other);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
    EXPECT_NE(*one, *signed_header(oauth1(), rfc_request()));
}

TEST(OAuth1, APercentSignThatEncodesNothingStandsForItself) {
    http::Request literal = rfc_request(), encoded = rfc_request();
    literal.body = "a=100%&b=5%zz";
    encoded.body = "a=100%25&b=5%25zz";
    const auto one = signed_header(oauth1(), literal), two = signed_header(oauth1(), encoded);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
}

TEST(OAuth1, AMissingSecretIsNamed) {
    OAuth1 oauth = oauth1();
    oauth.token = "{{secret:other}}";
    const auto header = signed_header(oauth, rfc_request());
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().kind, ErrorKind::config);
    EXPECT_NE(header.error().message.find("'other'"), std::string::npos) << header.error().message;
}

// ---- JSON Web Tokens -------------------------------------------------------------------------------------

struct Pair {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key;
    std::string pem;
};

Pair made(EVP_PKEY* key) {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory, &text);
    Pair pair{{key, &EVP_PKEY_free}, std::string(text, static_cast<std::size_t>(length))};
    BIO_free(memory);
    return pair;
}

std::vector<std::string> parts_of(const std::string& token) {
    std::vector<std::string> parts(1);
    for (const char c : token) {
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string unpacked(const std::string& text) {
    std::string bytes(text.size(), '\0');
    std::size_t length = 0;
    EXPECT_EQ(
        sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
        0);
    bytes.resize(length);
    return bytes;
}

bool verifies(EVP_PKEY* key, const std::string& text, const std::string& signature) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1;
}

// JWS wants r and s beside one another (RFC 7518, 3.4); OpenSSL reads them as DER.
std::string der_of(const std::string& raw) {
    ECDSA_SIG* signature = ECDSA_SIG_new();
    const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature, nullptr)), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(signature, &out);
    ECDSA_SIG_free(signature);
    return der;
}

TEST(Jwt, RsaSignaturesVerify) {
    const Pair pair = made(EVP_RSA_gen(2048));
    const auto token = signed_jwt(R"({"iss":"liaison"})", "key-1", Secret(pair.pem));
    ASSERT_TRUE(token) << token.error().message;
    const auto parts = parts_of(*token);
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(json::parse(unpacked(parts[0])),
              (json::value{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
    EXPECT_EQ(unpacked(parts[1]), R"({"iss":"liaison"})");
    EXPECT_TRUE(verifies(pair.key.get(), parts[0] + "." + parts[1], unpacked(parts[2])));
    EXPECT_FALSE(verifies(pair.key.get(), parts[0] + "." + parts[1] + "x", unpacked(parts[2])));
}

TEST(Jwt, EllipticSignaturesAreTheTwoNumbers) {
    for (int i = 0; i < 50; ++i) {  // a leading zero in r or s shortens its DER once in 128 times
        const Pair pair = made(EVP_EC_gen("P-256"));
        const auto token = signed_jwt("{}", "", Secret(pair.pem));
        ASSERT_TRUE(token) << token.error().message;
        const auto parts = parts_of(*token);
        EXPECT_EQ(unpacked(parts[0]), R"({"alg":"ES256","typ":"JWT"})");
        const std::string raw = unpacked(parts[2]);
        ASSERT_EQ(raw.size(), 64u);
        EXPECT_TRUE(verifies(pair.key.get(), parts[0] + "." + parts[1], der_of(raw)));
    }
}

TEST(Jwt, KeysOfOtherKindsAreRefused) {
    for (const std::string& pem : {std::string("no key"), made(EVP_EC_gen("P-384")).pem}) {
        const auto token = signed_jwt("{}", "", Secret(pem));
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().kind, ErrorKind::config);
        EXPECT_EQ(token.error().message.find(pem), std::string::npos);
    }
}

// RFC 7523, 2.1 and 2.2: as the grant itself, and as the client of a client_credentials grant.
TEST(Jwt, StandsForTheGrantOrForTheClient) {
    const Pair pair = made(EVP_EC_gen("P-256"));
    const Secrets secrets{{"private_key", Secret(pair.pem)}, {"client_id", Secret("c1")}};
    const std::string settings = R"({"account":"42"})";
    const Live live;
    const Scope scope{secrets, settings, live, Instant(Milliseconds(1'700'000'000'000))};
    OAuth2 oauth;
    oauth.token_url = "https://auth.example/token";
    oauth.key_id = "k9";
    oauth.claims = {{"iss", "{{secret:client_id}}"}, {"sub", "{{setting:/account}}"}};
    for (const bool client : {false, true}) {
        oauth.grant = client ? Grant::client_credentials : Grant::jwt_bearer;
        oauth.assertion_is_client = client;
        const auto request = grant_request(oauth, scope, "jti-1");
        ASSERT_TRUE(request) << request.error().message;
        const std::string name = client ? "client_assertion=" : "assertion=";
        const std::size_t at = request->body.find(name);
        ASSERT_NE(at, std::string::npos) << request->body;
        const std::string token =
            request->body.substr(at + name.size(), request->body.find('&', at) - at - name.size());
        EXPECT_EQ(json::parse(unpacked(parts_of(token).at(1))), (json::value{{"iat", 1'700'000'000},
                                                                             {"exp", 1'700'000'300},
                                                                             {"jti", "jti-1"},
                                                                             {"iss", "c1"},
                                                                             {"sub", "42"}}));
        EXPECT_EQ(request->body.find("client_secret"), std::string::npos);
        EXPECT_NE(request->body.find(
                      percent_encoded(client ? "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                                             : "urn:ietf:params:oauth:grant-type:jwt-bearer")),
                  std::string::npos);
    }
}

// RFC 6749, 5.1: a number of seconds. What is none is no reason to fail, and none is longer than ten years.
TEST(TokenAnswer, TheLifeIsReadHoweverItIsWritten) {
    const Instant now = parse_instant("2026-03-06T12:00:00Z").value();
    const auto life = [&](const std::string& written) {
        http::Response answer;
        answer.status = 200;
        answer.body = R"({"access_token":"a-token","expires_in":)" + written + "}";
        return (parse_tokens(answer, {}, now).value().expires - now).count() / 1000;
    };
    EXPECT_EQ(life("1800"), 1800);
    EXPECT_EQ(life("\"1800\""), 1800);
    EXPECT_EQ(life("1799.9"), 1799);  // in whole seconds
    EXPECT_EQ(life("1.8e3"), 1800);
    const auto usual = life("null");
    EXPECT_GE(usual, 60);
    for (const char* odd : {"1e999", "0e999", "9223372036854775807", "18446744073709551615", "-5", "0",
                            "[1800]", "\"soon\"", "\"999999999999\""}) {
        EXPECT_EQ(life(odd), usual) << odd;
    }
}

}  // namespace
}  // namespace liaisond::auth
