// Webhooks as administrators see them: the address, secrets that are shown once, and what came.
#include <gmock/gmock.h>

#include "api/api_house.hpp"

namespace liaisond::api {
namespace {
using testing::HasSubstr;
using testing::Not;

class WebhookApi : public ApiHouse {
  protected:
    const webhooks::Endpoint& endpoint() const { return endpoints->by_integration.at("shop"); }
    std::size_t accepted() const { return endpoint().secrets_at(world.now()).size(); }
};

TEST_F(WebhookApi, ASecretIsShownOnceAndReplacedWithoutAGap) {
    const std::string where = "integrations/shop/webhook";
    const json::object before = ask("GET", where).second;
    EXPECT_TRUE(before.at("secrets").as_array().empty());
    EXPECT_THAT(before.at("problem").as_string().c_str(), HasSubstr("liaisonctl webhook secret shop"));
    EXPECT_EQ(accepted(), 0u);

    const auto [status, first] = ask("POST", where + "/secret");
    ASSERT_EQ(status, 201u) << json::serialize(first);
    const std::string secret(first.at("secret").as_string());
    EXPECT_GE(secret.size(), 32u);
    EXPECT_EQ(first.at("url"), before.at("url"));
    EXPECT_THAT(first.at("url").as_string().c_str(),
                HasSubstr("https://hub.example/api/webhooks/integrations/"));
    ASSERT_EQ(accepted(), 1u);
    EXPECT_EQ(endpoint().secrets[0].reveal(), secret);

    const std::string second(ask("POST", where + "/secret").second.at("secret").as_string());
    EXPECT_NE(second, secret);
    ASSERT_EQ(accepted(), 2u);
    EXPECT_EQ(endpoint().secrets[0].reveal(), second);
    const std::string shown = answer_to("GET", where).body;
    EXPECT_THAT(shown, Not(HasSubstr(secret)));
    EXPECT_THAT(shown, Not(HasSubstr(second)));
    EXPECT_EQ(ask("GET", where).second.at("secrets").as_array().size(), 2u);
    world.run_until([] { return false; }, std::chrono::hours(24));
    EXPECT_EQ(accepted(), 1u) << "a day is enough";
    EXPECT_EQ(ask("GET", where).second.at("secrets").as_array().size(), 1u);
}

TEST_F(WebhookApi, TheOldSecretCanBeForgottenAtOnce) {
    const std::string where = "integrations/shop/webhook/secret";
    EXPECT_EQ(ask("DELETE", where + "?old=true").first, 404u) << "there is none";
    (void)ask("POST", where);
    (void)ask("POST", where);
    EXPECT_EQ(ask("DELETE", where).first, 422u) << "the one in use stays";
    EXPECT_EQ(ask("DELETE", where + "?old=true").first, 200u);
    EXPECT_EQ(accepted(), 1u);
}

TEST_F(WebhookApi, OnlyAdministratorsMakeSecrets) {
    EXPECT_EQ(ask("POST", "integrations/shop/webhook/secret", "", token("operate")).first, 403u);
    EXPECT_EQ(ask("GET", "integrations/shop/webhook", "", token("read")).first, 200u);
}

TEST_F(WebhookApi, WhereTheVendorMakesTheSecretLiaisonDoesNot) {
    let_webhooks_in({shop_link()}, "stripe");
    const auto [status, told] = ask("POST", "integrations/shop/webhook/secret");
    EXPECT_EQ(status, 409u);
    EXPECT_THAT(told.at("detail").as_string().c_str(), HasSubstr("liaisonctl secret set"));
}

TEST_F(WebhookApi, ATokenInTheAddressIsPartOfIt) {
    let_webhooks_in({shop_link()}, "query_token");
    const json::object made = ask("POST", "integrations/shop/webhook/secret").second;
    EXPECT_THAT(made.at("url").as_string().c_str(),
                HasSubstr("?token=" + std::string(made.at("secret").as_string())));
}

TEST_F(WebhookApi, TheInboxIsListedAndCounted) {
    for (int i = 1; i <= 3; ++i) {
        store::InboxEvent event;
        event.tenant = shop_link()->tenant.id;
        event.integration = "shop";
        event.event_id = "e" + std::to_string(i);
        event.type = "payment_received";
        event.headers = "{}";
        event.body = R"({"card":"4111 1111 1111 1111"})";
        if (i == 3) event.state = store::EventState::ignored;
        put_into_inbox(event);
    }
    const json::object all = ask("GET", "inbox").second;
    EXPECT_EQ(all.at("items").as_array().size(), 3u);
    EXPECT_FALSE(all.at("items").at(0).as_object().contains("body"));
    EXPECT_EQ(ask("GET", "inbox?status=ignored").second.at("items").as_array().size(), 1u);
    EXPECT_EQ(ask("GET", "inbox?key=e2").second.at("items").at(0).at("event_id"), "e2");
    EXPECT_EQ(ask("GET", "inbox?limit=2").second.at("next"), "2");
    EXPECT_EQ(ask("GET", "inbox?status=gone").first, 400u);
    const std::string bodies = answer_to("GET", "inbox?body=true").body;
    EXPECT_THAT(bodies, HasSubstr("1111"));
    EXPECT_THAT(bodies, Not(HasSubstr("4111 1111")));
    EXPECT_EQ(ask("GET", "integrations/shop/webhook").second.at("waiting"), 2);
}

TEST_F(WebhookApi, AnIntegrationWithoutOneIsToldHow) {
    let_webhooks_in({});
    const auto [status, told] = ask("GET", "integrations/shop/webhook");
    EXPECT_EQ(status, 404u);
    EXPECT_THAT(told.at("detail").as_string().c_str(), HasSubstr("webhook:"));
}

}  // namespace
}  // namespace liaisond::api
