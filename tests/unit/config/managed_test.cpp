// Integrations made over the API: what is written is what is read again, and people's files stay as they are.
#include "config/managed.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "config/config.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::config {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

class ManagedFiles : public testing::Test {
  protected:
    ManagedFiles() {
        std::ofstream(main) << "# by hand\nintegrations:\n  shop: {connector: custom_api}  # mine\n";
    }
    void put(const std::string& id, const json::object& content) {
        ASSERT_TRUE(managed.stage(id, &content));
        ASSERT_TRUE(managed.commit(id, false));
    }
    std::string text_of(const fs::path& path) {
        std::ifstream stream(path);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    sync_test::TempDir directory;
    fs::path main = directory.path() + "/liaison.yaml";
    Managed managed{main};
};

TEST_F(ManagedFiles, WhatIsWrittenIsReadAgain) {
    const json::object content = json::parse(R"({
        "connector": "custom_api", "enabled": true, "count": 7, "big": 9007199254740993, "nothing": null,
        "texts": ["no", "007", "true", "null", "~", "1e3", "a: b", "# c", "- d", "", " blank ", "zwei\nZeilen",
                  "tab\there", "Café \u20ac", "quote \" and \\", "{x}", "[y]", "*z", "&w", "!tag", "%p", "@q"],
        "credentials": {"token": "!secret shop-token"}, "empty": [], "none": {},
        "deep": [{"a": [[1, 2], {"b": "c"}]}], "key: odd": 1, "true": 2})")
                                     .as_object();
    put("till", content);
    const auto shown = managed.find("till");
    ASSERT_TRUE(shown);
    EXPECT_EQ(json::serialize(shown->content), json::serialize(content));
    EXPECT_TRUE(shown->is_managed);
    EXPECT_NE(text_of(directory.path() + "/conf.d/managed/till.yaml").find("token: !secret \"shop-token\""),
              std::string::npos);
}

TEST_F(ManagedFiles, AFractionIsWrittenAsPeopleDo) {
    EXPECT_NE(integration_yaml("till", {{"share", 0.02}}).find("share: 0.02\n"), std::string::npos);
}

TEST_F(ManagedFiles, WhatIsStagedIsNotInForce) {
    const json::object content{{"connector", "csv"}};
    const auto files = managed.stage("till", &content);
    ASSERT_TRUE(files);
    EXPECT_EQ(files->size(), 2u);
    EXPECT_FALSE(managed.find("till"));
    EXPECT_EQ(config_files(main).size(), 1u) << "a crash leaves nothing that would be read";
    managed.discard("till");
    EXPECT_TRUE(fs::is_empty(directory.path() + "/conf.d/managed"));
}

TEST_F(ManagedFiles, WhatPeopleWroteIsShownAndStays) {
    const std::string before = text_of(main);
    put("till", {{"connector", "csv"}});
    const auto shop = managed.find("shop");
    ASSERT_TRUE(shop);
    EXPECT_FALSE(shop->is_managed);
    EXPECT_EQ(shop->place.line, 3);
    EXPECT_EQ(text_of(main), before);
    const std::string first = managed.find("till")->etag;
    put("till", {{"connector", "csv"}, {"enabled", false}});
    EXPECT_NE(managed.find("till")->etag, first);
    ASSERT_TRUE(managed.stage("till", nullptr));
    ASSERT_TRUE(managed.commit("till", true));
    EXPECT_FALSE(managed.find("till"));
    EXPECT_FALSE(managed.find("nobody"));
}

}  // namespace
}  // namespace liaisond::config
