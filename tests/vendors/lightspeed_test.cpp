// The simulated Lightspeed K-Series and its sign-in refuse what the real ones refuse (lightspeed.md 13).
#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

const std::string location = "9107199254740993";
const std::string prod_client = "ZGV2cC12Mi1wcm9kOmxzLXNlY3JldA==",
                  demo_client = "ZGV2cC12Mi1kZW1vOmxzLXNlY3JldA==";

class LightspeedTest : public SimTest {
  protected:
    using Answer = Client::Answer;

    static std::string realm(const std::string& environment) {
        return "/lightspeed_login/" + environment + "/realms/k-series/protocol/openid-connect/";
    }
    Answer token_request(const std::string& form, const std::string& client = prod_client,
                         const std::string& environment = "prod") {
        return control().post(
            realm(environment) + "token", form,
            {{"Authorization", "Basic " + client}, {"Content-Type", "application/x-www-form-urlencoded"}});
    }
    std::string authorize(const std::string& environment,
                          const std::string& redirect = "https%3A%2F%2Fh%2Fcb") {
        const Answer sent = control().get(
            realm(environment) + "auth?client_id=devp-v2-" + environment +
            "&response_type=code&scope=financial-api%20offline_access&redirect_uri=" + redirect +
            "&state=s1");
        const std::string to = sent.header("Location");
        const std::size_t at = to.find("code=");
        return at == std::string::npos ? "" : to.substr(at + 5, to.find('&', at) - at - 5);
    }
    Json connect(const std::string& environment = "prod") {
        return token_request("grant_type=authorization_code&code=" + authorize(environment) +
                                 "&redirect_uri=https%3A%2F%2Fh%2Fcb",
                             environment == "prod" ? prod_client : demo_client, environment)
            .json();
    }
    void sign_in() { access_ = connect().text_of("access_token"); }
    Answer get(const std::string& path) {
        return control().get("/lightspeed" + path, {{"Authorization", "Bearer " + access_}});
    }
    Answer write(const char* method, const std::string& path, const std::string& body) {
        return control().ask(method, "/lightspeed" + path, body, {{"Authorization", "Bearer " + access_}});
    }
    Answer sales(const std::string& query) {
        return get("/f/v2/business-location/" + location + "/sales?" + query);
    }
    // The instant of a sale, as it is written in an address.
    std::string closed(int index) {
        return control()
            .get("/_sim/lightspeed/sales")
            .json()
            .items()[static_cast<std::size_t>(index)]
            .text_of("timeClosed");
    }
    static std::size_t count(const Answer& answer, const char* list) {
        const Json body = answer.json();
        const Json* found = body.find(list);
        return found != nullptr ? found->items().size() : 0;
    }
    std::string access_;
};

TEST_F(LightspeedTest, TheClientIsAuthenticatedByBasicAndOfOneEnvironment) {
    EXPECT_EQ(token_request("grant_type=refresh_token&refresh_token=x", "d3Jvbmc=").status, 401u);
    EXPECT_EQ(token_request("grant_type=refresh_token&refresh_token=x&client_secret=ls-secret")
                  .json()
                  .text_of("error"),
              "invalid_client")
        << "credentials in the body";
    EXPECT_EQ(token_request("grant_type=refresh_token&refresh_token=x", demo_client).status, 401u);
    EXPECT_EQ(authorize("prod", "http%3A%2F%2Fh%2Fcb"), "") << "not by https";
    const std::string trial = connect("demo").text_of("access_token");
    ASSERT_NE(trial, "");
    EXPECT_EQ(control().get("/lightspeed/f/data/businesses", {{"Authorization", "Bearer " + trial}}).status,
              401u);
    sign_in();
    EXPECT_EQ(get("/f/data/businesses").status, 200u);
    set("lightspeed_login", R"({"expire":true})");
    EXPECT_EQ(get("/f/data/businesses").status, 401u);
}

TEST_F(LightspeedTest, RefreshTokensAreGoodOnce) {
    const std::string first = connect().text_of("refresh_token");
    const std::string second =
        token_request("grant_type=refresh_token&refresh_token=" + first).json().text_of("refresh_token");
    EXPECT_NE(second, "");
    const Answer again = token_request("grant_type=refresh_token&refresh_token=" + first);
    EXPECT_EQ(again.status, 400u);
    EXPECT_EQ(again.json().text_of("error"), "invalid_grant");
}

TEST_F(LightspeedTest, SalesHaveLimitsAndPages) {
    sign_in();
    seed("lightspeed/sales", 130);
    EXPECT_EQ(sales("").status, 400u) << "from";
    EXPECT_EQ(sales("from=yesterday").status, 400u);
    EXPECT_EQ(sales("from=2020-01-01T00:00:00Z").status, 400u) << "more than a year";
    const std::string from = "from=" + closed(0);
    EXPECT_EQ(sales(from + "&pageSize=101").status, 400u);
    EXPECT_EQ(sales(from + "&include=payments,secrets").status, 400u);
    EXPECT_EQ(count(sales(from), "sales"), 50u);
    const Answer first = sales(from + "&pageSize=100");
    EXPECT_EQ(first.body.find("\"payments\""), std::string::npos) << "nobody asked for them";
    const std::string token = first.json().text_of("nextPageToken");
    EXPECT_NE(token.find('+'), std::string::npos) << "to be escaped";
    const Answer second =
        sales(from + "&pageSize=100&include=payments&nextPageToken=k%2B%2F" + token.substr(3));
    EXPECT_EQ(count(second, "sales"), 30u) << second.body;
    EXPECT_NE(second.body.find("\"payments\""), std::string::npos);
    EXPECT_EQ(second.json().text_of("nextPageToken"), "");
    EXPECT_EQ(get("/f/v2/business-location/1/sales?" + from).status, 403u);
    EXPECT_EQ(get("/f/v2/business-location/9107199254740995/sales?" + from).body, R"({"sales":[]})");
    set("lightspeed", R"({"operational":"2999-01-01T00:00:00Z"})");
    EXPECT_NE(sales(from).body.find("not operational"), std::string::npos);
}

TEST_F(LightspeedTest, ADayIsCompleteWhenAllTillsAreSynchronised) {
    sign_in();
    seed("lightspeed/sales", 1);
    const std::string day = closed(0).substr(0, 10);
    const auto ask = [&] {
        return get("/f/v2/business-location/" + location + "/sales-daily?date=" + day).json();
    };
    EXPECT_TRUE(ask().find("dataComplete")->truth());
    EXPECT_NE(ask().text_of("nextStartOfDayAsIso8601").find("T05:30:00+01:00"), std::string::npos);
    set("lightspeed", R"({"unsynced":")" + day + R"("})");
    EXPECT_FALSE(ask().find("dataComplete")->truth());
}

TEST_F(LightspeedTest, ItemsAreReplacedWholeAndCreatesFailWith404) {
    sign_in();
    const std::string rest =
        R"("businessLocationId":9107199254740993,"accountingGroupId":7,"defaultPrice":7.5)";
    const Answer failed =
        write("POST", "/items/v1/items", R"({"name":"Tarte","businessLocationId":1,"accountingGroupId":7})");
    EXPECT_EQ(failed.status, 404u);
    EXPECT_EQ(failed.json().text_of("status"), "404") << "a text";
    const Answer made =
        write("POST", "/items/v1/items",
              R"({"name":"Tarte","sku":"T","docketName":"TARTE","costPrice":2,)" + rest + "}");
    ASSERT_EQ(made.status, 201u) << made.body;
    const std::string path = "/items/v1/items/" + made.json().text_of("id");
    EXPECT_EQ(path, "/items/v1/items/9107199254000001") << "beyond 2^53";
    EXPECT_EQ(write("PUT", path, R"({"name":"Tarte","sku":"T"})").status, 400u);
    EXPECT_EQ(write("PUT", path, R"({"name":"Tarte","sku":"T","colour":"red",)" + rest + "}").status, 400u);
    const Answer changed = write("PUT", path, R"({"name":"Tarte","sku":"T",)" + rest + "}");
    EXPECT_EQ(changed.status, 200u);
    EXPECT_EQ(changed.body.find("docketName"), std::string::npos) << "not sent, gone";
    EXPECT_EQ(changed.json().text_of("costPrice"), "0.0");
    EXPECT_EQ(
        write("PUT", "/items/v1/items/9107199254000009", R"({"name":"T","sku":"T",)" + rest + "}").status,
        404u);
    EXPECT_EQ(get("/items/v1/items?amount=10").status, 400u) << "no location";
    EXPECT_EQ(get("/items/v1/items?businessLocationId=" + location + "&amount=1001").status, 400u);
    EXPECT_EQ(get("/items/v1/items?businessLocationId=" + location + "&sku=T").json().items().size(), 1u);
    EXPECT_EQ(write("POST", "/items/v1/items", R"({"name":"Tarte","sku":"T",)" + rest + "}").status, 201u);
    EXPECT_EQ(stat("lightspeed", "duplicates"), 1) << "made, and counted";
}

TEST_F(LightspeedTest, AvailabilityIsAskedBySku) {
    sign_in();
    seed("lightspeed/items", 3);
    seed("lightspeed/availability", 1);
    const std::string path = "/o/op/1/itemAvailability?businessLocationId=" + location;
    EXPECT_EQ(get(path).status, 400u);
    EXPECT_EQ(get(path + "&skus=1&size=51").status, 400u);
    const Answer answer = get(path + "&skus=1&skus=2&skus=77");
    EXPECT_NE(answer.body.find(R"({"sku":"1","count":1})"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(R"({"sku":"2","count":null})"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("Unknown sku 77"), std::string::npos);
}

TEST_F(LightspeedTest, TooManyRequestsDoNotSayHowLong) {
    sign_in();
    set("lightspeed", R"({"rate_limit":{"per_second":1,"burst":1}})");
    EXPECT_EQ(get("/f/data/businesses").status, 200u);
    const Answer refused = get("/f/data/businesses");
    EXPECT_EQ(refused.status, 429u);
    EXPECT_EQ(refused.header("Retry-After"), "");
}

}  // namespace
}  // namespace liaison_sim
