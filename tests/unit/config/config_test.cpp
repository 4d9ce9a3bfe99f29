#include "config/config.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "base/system.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::config {
namespace {

class OneConnector final : public Connectors {
  public:
    std::optional<ConnectorSchemas> find(const std::string& name) const override {
        if (name != "shop") return std::nullopt;
        ConnectorSchemas schemas;
        schemas.settings = &settings_;
        schemas.entities = {"product", "sales_order"};
        return schemas;
    }
    std::vector<std::string> names() const override { return {"shop"}; }
    std::vector<std::string> broken() const override { return {}; }

  private:
    Schema settings_ =
        Schema::compile(
            boost::json::parse(R"({"type":"object","additionalProperties":false,"required":["url"],
        "properties":{"url":{"type":"string"},"verify":{"type":"boolean"}}})"))
            .value();
};

struct Checked {
    Config config;
    std::vector<std::string> faults;
};

Checked check_text(const std::string& text) {
    std::vector<Fault> faults;
    const Document document = Document::parse(text, "liaison.yaml", faults);
    Checked checked;
    checked.config = check(document, OneConnector(), SystemTimeZones(), faults);
    for (const Fault& fault : faults) checked.faults.push_back(fault.text());
    return checked;
}

const std::string good = R"(tenants:
  paradise: { timezone: Europe/Paris }
integrations:
  paradise-shop:
    tenant: paradise
    connector: shop
    direction: import
    entities: [product]
    schedule: { every: 5m }
    settings: { url: "https://x.example" }
)";

TEST(Config, ReadsAndFillsInDefaults) {
    const Checked checked =
        check_text(good + "defaults: { retry: { attempts: 7 }, timeouts: { request: 5s } }\n");
    ASSERT_TRUE(checked.faults.empty()) << checked.faults[0];
    const Integration& shop = checked.config.integrations.at("paradise-shop");
    EXPECT_EQ(shop.schedule.every, std::chrono::minutes(5));
    EXPECT_EQ(shop.retry.attempts, 7u);
    EXPECT_EQ(shop.timeouts.request, Milliseconds(5000));
    EXPECT_EQ(shop.timeouts.connect, Milliseconds(10'000));
    ASSERT_EQ(shop.entities.size(), 1u);
    EXPECT_TRUE(shop.entities[0].imports);
    EXPECT_FALSE(shop.entities[0].exports);
}

std::string only_fault(std::string text) {
    const Checked checked = check_text(text);
    EXPECT_EQ(checked.faults.size(), 1u) << testing::PrintToString(checked.faults);
    return checked.faults.empty() ? "" : checked.faults[0];
}
std::string replaced(const std::string& what, const std::string& with) {
    std::string text = good;
    text.replace(text.find(what), what.size(), with);
    return text;
}

TEST(Config, ErrorsSayFileLineColumnAndWhatWasMeant) {
    EXPECT_EQ(
        only_fault(replaced("schedule:", "schedul:")),
        "liaison.yaml:9:5: integrations.paradise-shop.schedul is not a known key; did you mean 'schedule'?");
    EXPECT_EQ(only_fault(replaced("connector: shop", "connector: shopp")),
              "liaison.yaml:6:16: integrations.paradise-shop.connector is 'shopp', and no installed plugin "
              "offers it; did you mean 'shop'? (installed: shop)");
    EXPECT_EQ(only_fault(replaced("tenant: paradise", "tenant: paradis")),
              "liaison.yaml:5:13: integrations.paradise-shop.tenant is 'paradis', and no such tenant is "
              "defined; did you mean 'paradise'?");
    EXPECT_EQ(only_fault(replaced("every: 5m", "every: 5")),
              "liaison.yaml:9:24: integrations.paradise-shop.schedule.every is 5; expected string");
    EXPECT_EQ(only_fault(replaced("Europe/Paris", "Europe/Pari")),
              "liaison.yaml:2:25: tenants.paradise.timezone is 'Europe/Pari', which is no IANA time zone; "
              "write one such as Europe/Paris");
    EXPECT_EQ(
        only_fault(replaced("[product]", "[produkt]")),
        "liaison.yaml:8:16: integrations.paradise-shop.entities.0 is 'produkt', which shop does not offer; "
        "offered: product or sales_order; did you mean 'product'?");
}

TEST(Config, NoIsTextAndSaysSo) {
    EXPECT_EQ(only_fault(good + "    enabled: no\n"),
              "liaison.yaml:11:14: integrations.paradise-shop.enabled is \"no\"; expected boolean (YAML 1.2 "
              "reads no as text; write false)");
}

TEST(Config, SettingsAreCheckedAgainstTheManifest) {
    EXPECT_EQ(only_fault(replaced("url: \"https://x.example\"", "url: \"https://x.example\", verfy: true")),
              "liaison.yaml:10:43: integrations.paradise-shop.settings.verfy is not a known key; did you "
              "mean 'verify'?");
    EXPECT_EQ(only_fault(replaced("{ url: \"https://x.example\" }", "{}")),
              "liaison.yaml:10:15: integrations.paradise-shop.settings lacks 'url'");
}

TEST(Config, ASecretInClearTextIsRefusedWithTheWayOut) {
    const std::string fault = only_fault(good + "    credentials: { token: hunter22 }\n");
    EXPECT_NE(fault.find("holds a secret in clear text"), std::string::npos) << fault;
    EXPECT_EQ(fault.find("hunter22"), std::string::npos) << "the secret itself must not be repeated";
    EXPECT_TRUE(check_text(good + "    credentials: { token: !env SHOP_TOKEN, other: \"!file /etc/x\" }\n")
                    .faults.empty());
}

TEST(Config, AllErrorsAtOnceInTheOrderOfTheFile) {
    std::string text = replaced("schedule:", "schedul:");
    text.replace(text.find("direction: import"), 17, "direction: imprt");
    const Checked checked = check_text(text + "demon: {}\n");
    ASSERT_EQ(checked.faults.size(), 3u) << testing::PrintToString(checked.faults);
    EXPECT_TRUE(checked.faults[0].starts_with("liaison.yaml:7:16:"));
    EXPECT_TRUE(
        checked.faults[2].starts_with("liaison.yaml:11:1: demon is not a known key; did you mean 'daemon'?"));
}

TEST(Config, BrokenYamlIsOneClearError) {
    EXPECT_TRUE(only_fault("tenants: [unclosed\n").starts_with("liaison.yaml:"));
}

TEST(Config, DuplicateIdsNameBothPlaces) {
    sync_test::TempDir directory;
    std::filesystem::create_directory(directory.path() + "/conf.d");
    std::ofstream(directory.path() + "/liaison.yaml") << "tenants:\n  paradise: {}\n";
    std::ofstream(directory.path() + "/conf.d/a.yaml") << "tenants:\n  other: {}\n  paradise: {}\n";
    std::vector<Fault> faults;
    const auto files = config_files(directory.path() + "/liaison.yaml");
    ASSERT_EQ(files.size(), 2u);
    (void)Document::load(files, faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].text(), directory.path() +
                                    "/conf.d/a.yaml:3:3: tenants.paradise stands twice; the first is at " +
                                    directory.path() + "/liaison.yaml:2:3");
}

TEST(Config, NumbersThatAreIdsStayText) {
    std::vector<Fault> faults;
    const Document document = Document::parse("a: 007\nb: 12\nc: \"12\"\nd: true\ne: off\n", "x", faults);
    EXPECT_TRUE(document.root().at("a").is_string());
    EXPECT_EQ(document.root().at("b").as_int64(), 12);
    EXPECT_TRUE(document.root().at("c").is_string());
    EXPECT_TRUE(document.root().at("d").is_bool());
    EXPECT_TRUE(document.root().at("e").is_string());
}

}  // namespace
}  // namespace liaisond::config
