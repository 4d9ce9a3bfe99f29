#include "ctl/config_view.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/schema.hpp"
#include "base/system.hpp"
#include "connectors/connectors.hpp"
#include "ctl/command_line.hpp"
#include "ctl/session.hpp"
#include "ctl_fixtures.hpp"

namespace liaisond::ctl {
namespace {

using boost::json::parse;

// One connector with settings of its own.
class OneConnector final : public config::Connectors {
  public:
    std::optional<config::ConnectorSchemas> find(const std::string& name) const override {
        if (name != "shop") return std::nullopt;
        return config::ConnectorSchemas{&settings_, nullptr, {"product"}, 4};
    }
    std::vector<std::string> names() const override { return {"shop"}; }
    std::vector<std::string> broken() const override { return {}; }

  private:
    Schema settings_ =
        Schema::compile(
            parse(
                R"({"type": "object", "additionalProperties": false, "properties": {"base_url": {"type": "string"}}})"))
            .value();
};

std::vector<config::Fault> faults_of(const std::string& yaml) {
    std::vector<config::Fault> faults;
    const auto document = config::Document::parse(yaml, "liaison.yaml", faults);
    (void)config::check(document, OneConnector(), SystemTimeZones(), faults);
    return faults;
}

TEST(CtlConfigView, ATypoIsNamedWithItsPlaceAndTheRightWord) {
    const auto faults = faults_of(
        "tenants:\n  paradise: { timezone: Europe/Paris }\nintegrations:\n  a:\n    tenant: paradise\n    "
        "connector: shop\n"
        "    direction: import\n    entities: [product]\n    settings:\n      base_ulr: https://x.example\n");
    EXPECT_EQ(check_text(faults, {1, 1, 1}, {}),
              "liaison.yaml:10:7: integrations.a.settings.base_ulr is not a known key; did you mean "
              "'base_url'?\n1 problem\n");
    const auto json = check_json(faults, {1, 1, 1});
    EXPECT_FALSE(json.at("ok").as_bool());
    EXPECT_EQ(json.at("errors").as_array().front().at("line").as_int64(), 10);
}

TEST(CtlConfigView, FineIsSaidInNumbers) {
    EXPECT_EQ(check_text({}, {1, 2, 3}, {}),
              "configuration is fine: 1 tenant, 2 integrations, 3 connectors\n");
}

TEST(CtlConfigView, SchemaAppliesEachConnectorsSettings) {
    plugin::ConnectorManifest shop;
    shop.name = "shop";
    shop.settings =
        parse(
            R"({"type": "object", "required": ["url"], "properties": {"url": {"$ref": "#/$defs/url"}}, "$defs": {"url": {"type": "string"}}})")
            .as_object();
    const auto schema = full_schema(config::daemon_schema(), {&shop});
    const auto& definitions = schema.at("$defs").as_object();
    const auto& rule = definitions.at("integration").at("allOf").as_array().at(0);
    EXPECT_EQ(
        boost::json::serialize(rule),
        R"({"if":{"properties":{"connector":{"const":"shop"}},"required":["connector"]},)"
        R"("then":{"properties":{"settings":{"$ref":"#/$defs/connector_shop_settings"},"credentials":{"$ref":"#/$defs/connector_shop_credentials"}},"required":["settings"]}})");
    // References of the embedded schema lead to its new place, where they find something.
    EXPECT_EQ(definitions.at("connector_shop_settings").at("properties").at("url").at("$ref").as_string(),
              "#/$defs/connector_shop_settings/$defs/url");
    EXPECT_TRUE(definitions.at("connector_shop_settings").at("$defs").as_object().contains("url"));
    EXPECT_EQ(
        boost::json::serialize(definitions.at("integration").at("properties").at("connector").at("enum")),
        R"(["shop"])");
}

TEST(CtlConfigView, SecretsInClearTextAreMasked) {
    const auto shown = shown_config(
        parse(
            R"({"integrations": {"a": {"credentials": {"token": "hunter2", "key": "!env KEY", "odd": 7}}}})")
            .as_object());
    EXPECT_EQ(boost::json::serialize(shown),
              R"({"integrations":{"a":{"credentials":{"token":"***","key":"!env KEY","odd":"***"}}}})");
    const auto webhook =
        shown_config(parse(R"({"integrations": {"a": {"webhook": {"secret": ["hunter2", "!secret hook"]}}}})")
                         .as_object());
    EXPECT_EQ(boost::json::serialize(webhook),
              R"({"integrations":{"a":{"webhook":{"secret":["***","!secret hook"]}}}})");
}

TEST(CtlConfigCommand, ChecksFilesAndSaysSoInTheExitCode) {
    const TemporaryFolder folder;
    const std::string file = folder.write(
        "liaison.yaml",
        "daemon:\n  plugin_dirs: []\n  worker: /nonexistent/liaison-worker\ntenants:\n  paradise: {}\n");
    EXPECT_EQ(spoken({"config", "check", file}).out,
              "configuration is fine: 1 tenant, 0 integrations, 0 connectors\n");
    EXPECT_EQ(spoken({"config", "check", "--config", file}).code, fine);
    const std::string wrong = folder.write("wrong.yaml", "daemno:\n  plugin_dirs: []\n");
    const Spoken said = spoken({"config", "check", wrong, "--plugin-dir", folder.path()});
    EXPECT_EQ(said.code, failed);
    EXPECT_NE(said.out.find("wrong.yaml:1:1: daemno is not a known key; did you mean 'daemon'?\n1 problem\n"),
              std::string::npos)
        << said.out;
    EXPECT_EQ(spoken({"config", "check", folder.path() + "/absent.yaml"}).code, failed);
}

TEST(CtlConnectors, AnEmptyCatalogOffersNothing) {
    const plugin::Catalog none;
    const connectors::InstalledConnectors installed(none);
    EXPECT_TRUE(installed.names().empty());
    EXPECT_FALSE(installed.find("shop"));
    EXPECT_EQ(installed.info("shop"), nullptr);
}

}  // namespace
}  // namespace liaisond::ctl
