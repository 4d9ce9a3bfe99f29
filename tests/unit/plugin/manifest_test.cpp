#include "plugin/manifest.hpp"

#include <gtest/gtest.h>

namespace liaisond::plugin {
namespace {

std::string problem(std::string_view text) {
    const auto manifest = parse_manifest(text);
    return manifest ? "accepted" : manifest.error().message;
}

std::string with_connector(const std::string& members) {
    return R"({"id":"a.b","version":"1","vendor":"v","connectors":[{"name":"x",)" + members + "}]}";
}

TEST(Manifest, IsTyped) {
    const auto manifest = parse_manifest(with_connector(
        R"("jobs":["pull","push"],"entities":[{"name":"order","directions":["pull"],"effect":"upsert"},{"name":"till","directions":["pull"],"complete_listing":false}],"auth":{"bearer":{"h":1}},
           "effect":{"setting":"/how","default":"keyed"},"date_range":{"setting":"/{entity}/range"},"key_lifetime":{"setting":"/{entity}/life","default":"30m"},"limits":{"concurrent":2},"settings":{"type":"object"})"));
    ASSERT_TRUE(manifest) << manifest.error().message;
    const ConnectorManifest* connector = manifest->connector("x");
    ASSERT_NE(connector, nullptr);
    EXPECT_TRUE(connector->has(JobKind::push));
    EXPECT_FALSE(connector->has(JobKind::find));
    EXPECT_EQ(connector->effect.value, EffectClass::keyed);
    EXPECT_EQ(connector->effect.setting, "/how");
    EXPECT_EQ(connector->key_lifetime.value, std::chrono::minutes(30));
    EXPECT_EQ(connector->key_lifetime.setting, "/{entity}/life");
    EXPECT_EQ(connector->date_range.setting, "/{entity}/range");
    ASSERT_NE(connector->entity("order"), nullptr);
    EXPECT_TRUE(connector->entity("order")->pull);
    EXPECT_FALSE(connector->entity("order")->push);
    EXPECT_EQ(connector->entity("order")->effect, EffectClass::upsert);
    EXPECT_FALSE(connector->entity("till")->effect);
    EXPECT_EQ(connector->entity("till")->complete_listing, false);
    EXPECT_FALSE(connector->entity("order")->complete_listing);
    EXPECT_EQ(connector->auth.at(0).name, "bearer");
    EXPECT_EQ(manifest->connector("y"), nullptr);
}

TEST(Manifest, LimitsAreTypedAndChecked) {
    const auto limits = [](const std::string& members) {
        return with_connector(R"("jobs":["pull"],"entities":"any","limits":)" + members);
    };
    const auto manifest = parse_manifest(limits(
        R"({"requests_per_minute":60,"min_gap":"250ms","pause_after_429":"1m","scope":"vendor","later":1})"));
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->connectors[0].limits.per_minute, 60u);
    EXPECT_EQ(manifest->connectors[0].limits.min_gap, std::chrono::milliseconds(250));
    EXPECT_EQ(manifest->connectors[0].limits.pause_after_429, std::chrono::minutes(1));
    EXPECT_EQ(manifest->connectors[0].limits.scope, Limits::Scope::vendor);
    EXPECT_EQ(problem(limits(R"({"requests_per_day":0})")),
              "connectors[0].limits.requests_per_day is 0; it must be a whole number from 1 to 100000000");
    EXPECT_EQ(problem(limits(R"({"min_gap":5})")),
              "connectors[0].limits.min_gap is 5; it must be a duration such as 250ms or 2s");
    EXPECT_EQ(problem(limits(R"({"scope":"tenant"})")),
              "connectors[0].limits.scope is \"tenant\"; allowed are integration, credential, vendor");
}

TEST(Manifest, WhatNobodyMayKeepIsNamedOrRefused) {
    const auto rules = [](const std::string& members) {
        return with_connector(R"("jobs":["pull"],"entities":"any","never_keep":)" + members);
    };
    const auto manifest = parse_manifest(rules(R"({"xml_elements":["Guarantee","cc_*"]})"));
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->connectors[0].dropped_elements, (std::vector<std::string>{"Guarantee", "cc_*"}));
    EXPECT_EQ(problem(rules(R"({"xml_elements":["*"]})")),
              "connectors[0].never_keep.xml_elements is \"*\"; it must be the name of an element");
    EXPECT_NE(problem(rules(R"({"xml":["Guarantee"]})")), "accepted");
}

TEST(Manifest, AWebhookNamesTheCredentialThatIsItsSecret) {
    const auto webhook = [](const std::string& members) {
        return with_connector(
            R"("jobs":["pull"],"entities":"any","credentials":{"properties":{"hook":{}}},"webhook":)" +
            members);
    };
    const auto manifest = parse_manifest(webhook(R"({"profile":"basic","secret":"hook","note":1})"));
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->connectors[0].webhook.at("profile"), "basic");
    EXPECT_FALSE(manifest->connectors[0].webhook.contains("note"));
    EXPECT_EQ(problem(webhook(R"({"event_id":1})")),
              "connectors[0].webhook.event_id is 1; it must be a text");
    EXPECT_EQ(problem(webhook(R"({"secret":"other"})")),
              "connectors[0].webhook.secret is \"other\"; it must be the name of one of the connector's "
              "credentials");
}

TEST(Manifest, ErrorsNameTheKeyAndWhatIsAllowed) {
    EXPECT_EQ(problem("nonsense").find("the manifest is not JSON"), 0u);
    EXPECT_EQ(problem("[]"), "the manifest is not a JSON object");
    EXPECT_EQ(problem("{}"), "id is missing; it must be a text");
    EXPECT_EQ(problem(with_connector(R"("jobs":["pull","fetch"],"entities":"any")")),
              "connectors[0].jobs[1] is \"fetch\"; allowed are test, pull, push, find");
    EXPECT_EQ(
        problem(with_connector(R"("jobs":["push"],"entities":"any")")),
        "connectors[0].effect is missing; a connector that pushes says upsert, keyed, findable or blind");
    EXPECT_EQ(problem(with_connector(R"("jobs":["pull"],"entities":"any","date_range":"yes")")),
              "connectors[0].date_range is \"yes\"; it must be true, false, or {setting}");
    EXPECT_EQ(problem(with_connector(
                  R"("jobs":["pull"],"entities":[{"name":"order","directions":["pull"],"date_range":1}])")),
              "connectors[0].entities[0].date_range is 1; it must be true or false");
    EXPECT_EQ(
        problem(with_connector(
            R"("jobs":["pull"],"entities":[{"name":"o","directions":["pull"],"complete_listing":"yes"}])")),
        "connectors[0].entities[0].complete_listing is \"yes\"; it must be true or false");
    EXPECT_EQ(problem(with_connector(
                  R"("jobs":["pull"],"entities":[{"name":"o","directions":["push"],"effect":"twice"}])")),
              "connectors[0].entities[0].effect is \"twice\"; allowed are upsert, keyed, findable, blind");
    EXPECT_EQ(
        problem(with_connector(R"("jobs":["push"],"entities":"any","effect":"keyed","key_lifetime":"long")")),
        "connectors[0].key_lifetime is \"long\"; it must be a duration such as 250ms or 2s");
    EXPECT_EQ(problem(with_connector(R"("jobs":["push"],"entities":"any","effect":"maybe")")),
              "connectors[0].effect is \"maybe\"; allowed are upsert, keyed, findable, blind");
    EXPECT_EQ(problem(with_connector(R"("jobs":["pull"],"entities":[{"name":"o","directions":["up"]}])")),
              "connectors[0].entities[0].directions is \"up\"; allowed are pull, push");
}

}  // namespace
}  // namespace liaisond::plugin
