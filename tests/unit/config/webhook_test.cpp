// The `webhook:` section: what it means, and what a person reads about mistakes in it.
#include <gmock/gmock.h>

#include "config/config_fixtures.hpp"

namespace liaisond::config {
namespace {
using testing::HasSubstr;

std::string with(const std::string& webhook) {
    return "tenants: { house: {} }\nintegrations:\n  till:\n    tenant: house\n    connector: shop\n    "
           "direction: import\n"
           "    entities: [product]\n    settings: { url: x }\n    credentials: { hook: !env HOOK }\n    "
           "webhook: " +
           webhook + "\n";
}
Webhook webhook_of(const std::string& text, const OneConnector& connectors = {}) {
    const Checked checked = check_text(with(text), connectors);
    EXPECT_TRUE(checked.faults.empty()) << testing::PrintToString(checked.faults);
    const auto& webhook = checked.config.integrations.at("till").webhook;
    EXPECT_TRUE(webhook);
    return webhook ? *webhook : Webhook();
}
std::string fault_of(const std::string& text) { return only_fault(with(text)); }

TEST(WebhookConfig, IsReadAndHasDefaults) {
    const Webhook usual = webhook_of("{ profile: generic, secret: !secret till-hook }");
    EXPECT_EQ(usual.profile.header, "X-Signature");
    EXPECT_EQ(usual.profile.signed_text, "{body}");
    EXPECT_EQ(usual.max_body, 1u << 20);
    ASSERT_EQ(usual.secrets.size(), 1u);
    EXPECT_EQ(usual.secrets[0].kind, SecretSource::Kind::vault);
    EXPECT_EQ(usual.secrets[0].name, "till-hook");
    const Webhook all = webhook_of(
        "{ profile: generic, secret: [!env A, !file /b], header: X-Sig, timestamp_header: X-Time, id_header: "
        "X-Id, "
        "prefix: sha512=, encoding: base64url, signed: \"{id}.{timestamp}.{body}\", algorithm: sha512, "
        "secret_encoding: hex, tolerance: 10m, event_type: /event, events: [a, b], max_body: 64KiB, "
        "max_waiting: 7 }");
    EXPECT_EQ(all.secrets.size(), 2u);
    EXPECT_EQ(all.profile.encoding, WebhookProfile::Encoding::base64url);
    EXPECT_EQ(all.profile.tolerance, std::chrono::minutes(10));
    EXPECT_EQ(all.event_id, "X-Id");
    EXPECT_EQ(all.events, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(all.max_body, 64u << 10);
    EXPECT_EQ(all.max_waiting, 7u);
    EXPECT_EQ(webhook_of("{ profile: github }").event_type, "X-GitHub-Event");
}

TEST(WebhookConfig, TakesFromTheManifestWhatIsNotWritten) {
    const boost::json::object manifest{{"profile", "basic"}, {"secret", "hook"}, {"event_type", "/type"}};
    OneConnector connectors;
    connectors.webhook = &manifest;
    const Webhook usual = webhook_of("{}", connectors);
    EXPECT_EQ(usual.profile.name, "basic");
    EXPECT_EQ(usual.event_type, "/type");
    ASSERT_EQ(usual.secrets.size(), 1u) << "the credential that the manifest names";
    EXPECT_EQ(usual.secrets[0].name, "HOOK");
    EXPECT_EQ(webhook_of("{ secret: !env OTHER }", connectors).secrets.at(0).name, "OTHER");
    const Webhook other = webhook_of("{ profile: stripe }", connectors);
    EXPECT_TRUE(other.secrets.empty()) << "another profile is another story";
    EXPECT_EQ(webhook_of("{ profile: basic, event_type: /kind }", connectors).event_type, "/kind");
}

TEST(WebhookConfig, MistakesAreSaidWithTheirPlace) {
    EXPECT_THAT(fault_of("{}"), HasSubstr("liaison.yaml:10:14: integrations.till.webhook needs a profile"));
    EXPECT_THAT(fault_of("{ profile: githup }"), HasSubstr("github"));
    EXPECT_THAT(
        fault_of("{ profile: generic, secret: hunter22 }"),
        HasSubstr("liaison.yaml:10:42: integrations.till.webhook.secret holds a secret in clear text"));
    EXPECT_THAT(fault_of("{ profile: generic, secret: [!env A, plain] }"),
                HasSubstr("webhook.secret.1 holds a secret"));
    EXPECT_THAT(fault_of("{ profile: generic, secret: [!env A, !env B, !env C] }"),
                HasSubstr("webhook.secret"));
    EXPECT_THAT(fault_of("{ profile: github, header: X-Sig }"), HasSubstr("is given by the profile github"));
    EXPECT_THAT(fault_of("{ profile: generic, heder: X-Sig }"), HasSubstr("did you mean 'header'"));
    EXPECT_THAT(fault_of("{ profile: generic, signed: \"{bdy}\" }"), HasSubstr("did you mean '{body}'"));
    EXPECT_THAT(fault_of("{ profile: generic, timestamp_header: X-T, signed: \"{timestamp}\" }"),
                HasSubstr("lacks {body}"));
    EXPECT_THAT(fault_of("{ profile: generic, signed: \"{timestamp}.{body}\" }"),
                HasSubstr("say in timestamp_header"));
    EXPECT_THAT(fault_of("{ profile: generic, timestamp_header: X-T }"),
                HasSubstr("is not part of what is signed"));
    EXPECT_THAT(fault_of("{ profile: generic, events: [a] }"), HasSubstr("say in event_type"));
    EXPECT_THAT(fault_of("{ profile: stripe, tolerance: 1h }"), HasSubstr("from 30s to 15m"));
    EXPECT_THAT(fault_of("{ profile: github, tolerance: 1m }"), HasSubstr("this profile has none"));
    EXPECT_THAT(fault_of("{ profile: generic, max_body: 3MiB }"), HasSubstr("no size up to 2MiB"));
    EXPECT_THAT(fault_of("{ profile: generic, event_id: \"a b\" }"), HasSubstr("write a JSON pointer"));
    EXPECT_THAT(fault_of("{ profile: generic, username: u }"), HasSubstr("only for the profile basic"));
}

TEST(WebhookConfig, AnOpenListenerNeedsTls) {
    EXPECT_THAT(only_fault("daemon: { webhooks_listen: \"0.0.0.0:8481\" }"),
                HasSubstr("daemon.webhooks_listen is reachable from the network without TLS"));
}

}  // namespace
}  // namespace liaisond::config
