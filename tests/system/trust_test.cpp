// Which plugin files run: whose they are, who signed them, and what happens when they change.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Trust : public testing::Test {
  protected:
    void SetUp() override {
        house.plugin_dir = (house.root() / "plugins").string();
        fs::create_directories(house.plugin_dir);
        fs::copy_file(paths::plugin("custom_api.so"), plugin());
        house.seed("shop/products", 10);
        house.configure(shop({"[product]"}));
    }
    std::string plugin() const { return house.plugin_dir + "/custom_api.so"; }
    std::string refusal() {
        const auto process = house.try_start();
        EXPECT_EQ(process->wait().value_or(-1), 78);
        return process->standard_error();
    }
    std::string make_key() {
        EXPECT_EQ(house.ctl("plugin keygen --no-password --key " + key()).code, 0);
        std::ifstream file(house.root() / "acme.pub");
        std::string line;
        while (std::getline(file, line) && !line.starts_with("RW")) {}
        return line;
    }
    std::string key() const { return (house.root() / "acme.key").string(); }
    House house;
};

TEST_F(Trust, AFileThatAnybodyMayWriteToIsNotLoaded) {
    fs::permissions(plugin(), fs::perms(0666));
    EXPECT_THAT(refusal(),
                AllOf(HasSubstr(plugin() + " is not loaded"), HasSubstr("chmod go-w " + plugin())));
    fs::permissions(plugin(), fs::perms(0644));
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
}

TEST_F(Trust, OnlySignedPluginsRunWhereSignaturesAreRequired) {
    const std::string open = make_key();
    house.plugin_trust = "owner: self, require_signatures: true, keys: { acme: " + open + " }";
    house.configure(shop({"[product]"}));
    EXPECT_THAT(refusal(), HasSubstr("has no signature (" + plugin() + ".minisig)"));
    EXPECT_EQ(house.ctl("plugin sign " + plugin() + " --key " + key()).code, 0);
    EXPECT_THAT(
        house.ctl("plugin verify " + plugin() + " --config " + (house.root() / "liaison.yaml").string()).text,
        HasSubstr("is signed by acme"));
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    const auto plugins = house.get("/api/v1/plugins").at("items").as_array();
    EXPECT_EQ(plugins.at(0).at("signed_by").as_string(), "acme");
    house.stop();
    std::ofstream(plugin(), std::ios::app) << "more";
    EXPECT_THAT(refusal(), HasSubstr("its signature by acme does not fit"));
}

TEST_F(Trust, AMisspeltKeyIsSaidWithItsPlace) {
    house.plugin_trust = "owner: self, keys: { acme: RWhello }";
    house.configure(shop({"[product]"}));
    EXPECT_THAT(refusal(), AllOf(HasSubstr(house.place_of("RWhello")), HasSubstr("acme")));
}

TEST_F(Trust, AFileThatChangedIsAnAlertUntilItIsAccepted) {
    house.start();
    EXPECT_THAT(house.ctl("alerts").text, HasSubstr("Nothing needs attention"));
    house.stop();
    std::ofstream(plugin(), std::ios::app) << "more";
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success") << "it is said, not forbidden";
    EXPECT_THAT(house.ctl("alerts").text, HasSubstr("plugin_changed"));
    house.stop();
    house.start();
    EXPECT_THAT(house.ctl("alerts").text, HasSubstr("plugin_changed")) << "a restart forgets it";
    EXPECT_EQ(house.ctl("plugin accept nobody").code, 1);
    const auto accepted = house.ctl("plugin accept custom_api");
    EXPECT_EQ(accepted.code, 0) << accepted.text;
    EXPECT_TRUE(until([&] { return house.ctl("alerts").text.find("plugin_changed") == std::string::npos; }));
    EXPECT_THAT(house.ctl("audit").text, HasSubstr("accept"));
    house.stop();
    house.start();
    EXPECT_THAT(house.ctl("alerts").text, Not(HasSubstr("plugin_changed")));
}

}  // namespace
}  // namespace liaison_system
