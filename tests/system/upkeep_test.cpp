// What people see of alerts, backups and retention, through the real daemon and liaisonctl.
#include <gmock/gmock.h>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string with_config(const House& house, const std::string& words) {
    return "--config " + (house.root() / "liaison.yaml").string() + " " + words;
}

TEST(Alerts, AreListedAcknowledgedAndEnd) {
    House house;
    house.seed("shop/products", 10);
    house.set("shop", R"({"fail_every":1,"fail_status":404})");
    house.configure(shop({"[product]", "{ every: 1s }", "    suspend_after_failures: 2\n"}));
    house.start();
    const auto listed = [&] { return house.ctl("alerts").text; };
    ASSERT_TRUE(until([&] { return listed().find("suspended") != std::string::npos; })) << house.last_lines();
    EXPECT_THAT(listed(), AllOf(HasSubstr("critical"), HasSubstr("shop"), HasSubstr("open"),
                                HasSubstr("integrations resume shop")));
    const json::value alert =
        house.get("/api/v1/alerts?state=unresolved&severity=critical").at("items").at(0);
    const std::string id = std::to_string(alert.at("id").as_int64());
    EXPECT_EQ(house.get("/api/v1/alerts?severity=warning&kind=suspended").at("items").as_array().size(), 0u);
    EXPECT_THAT(house.ctl("alerts acknowledge " + id).text, HasSubstr("is acknowledged"));
    EXPECT_THAT(listed(), HasSubstr("acknowledged"));
    house.kill_daemon();
    house.start();
    EXPECT_THAT(listed(), HasSubstr("acknowledged")) << "it outlives a kill";
    house.set("shop", R"({"fail_every":0})");
    house.ctl("integrations resume shop");
    EXPECT_TRUE(until([&] { return listed().find("Nothing needs attention") != std::string::npos; }))
        << listed();
    EXPECT_THAT(house.ctl("alerts --all").text, HasSubstr("resolved"));
    const House::Told over = house.ctl("alerts resolve " + id);
    EXPECT_NE(over.code, 0);
    EXPECT_THAT(over.text, HasSubstr("is over already, since"));
    EXPECT_NE(house.ctl("alerts acknowledge 4711").code, 0);
}

TEST(Backup, IsMadeBesideTheDaemonAndRestoredWithoutIt) {
    House house;
    house.seed("shop/products", 50);
    house.configure(shop({"[product]"}) + office({"[product]"}));
    house.start();
    house.run("shop");
    const fs::path file = house.root() / "hub.db";
    const House::Told made = house.ctl("backup --to " + file.string());
    ASSERT_EQ(made.code, 0) << made.text;
    EXPECT_THAT(made.text, AllOf(HasSubstr("checked"), HasSubstr("key of the vault is not in it")));
    EXPECT_NE(house.ctl("backup --to " + file.string() + "/impossible").code, 0);
    // After the backup: everything is exported.
    house.run("office");
    ASSERT_EQ(house.count("backoffice/products"), 50);

    const std::string restore = with_config(house, "restore " + file.string());
    const House::Told busy = house.ctl(restore);
    EXPECT_NE(busy.code, 0);
    EXPECT_THAT(busy.text, HasSubstr("stop it first"));
    EXPECT_EQ(house.stop(), 0);
    const fs::path direct = house.root() / "direct.db";
    EXPECT_EQ(house.ctl(with_config(house, "backup --to " + direct.string())).code, 0) << "without a daemon";
    EXPECT_TRUE(fs::exists(direct.string() + ".sha256"));

    std::ofstream(house.root() / "torn.db") << "not a database";
    const House::Told torn = house.ctl(with_config(house, "restore " + (house.root() / "torn.db").string()));
    EXPECT_NE(torn.code, 0);
    EXPECT_THAT(torn.text, HasSubstr("damaged"));
    const House::Told restored = house.ctl(restore);
    ASSERT_EQ(restored.code, 0) << restored.text;
    EXPECT_THAT(restored.text, AllOf(HasSubstr("before-restore"), HasSubstr("key file"),
                                     HasSubstr("integrations resume ID"), HasSubstr("--dry-run")));

    house.start();
    EXPECT_THAT(house.ctl("alerts").text, AllOf(HasSubstr("restored"), HasSubstr("office")));
    EXPECT_THAT(house.ctl("run office").text, HasSubstr("is suspended"));
    const House::Told rehearsed = house.ctl("run office --dry-run --wait");
    EXPECT_EQ(rehearsed.code, 0) << rehearsed.text;
    house.ctl("integrations resume office");
    house.run("office");
    EXPECT_TRUE(until([&] { return house.ctl("alerts").text.find("restored") == std::string::npos; }))
        << house.ctl("alerts").text << house.last_lines();
    EXPECT_EQ(house.count("backoffice/products"), 50) << "nothing was created twice";
    expect_office_holds(house, 50, 0);
}

TEST(Backup, WhatRootMakesBelongsToTheDaemonsUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    constexpr uid_t nobody = 65534;
    House house;
    house.configure(shop({"[product]"}));
    house.start();
    EXPECT_EQ(house.stop(), 0);
    ASSERT_EQ(::chown(house.state_dir.c_str(), nobody, nobody), 0);
    EXPECT_EQ(house.ctl(with_config(house, "backup")).code, 0);
    std::string file;
    for (const auto& entry : fs::directory_iterator(house.state_dir / "backups"))
        if (entry.path().extension() == ".db") file = entry.path().string();
    ASSERT_EQ(house.ctl(with_config(house, "restore " + file)).code, 0);
    int seen = 0;
    for (const auto& entry : fs::recursive_directory_iterator(house.state_dir)) {
        struct stat facts {};
        ASSERT_EQ(::lstat(entry.path().c_str(), &facts), 0);
        EXPECT_EQ(facts.st_uid, nobody) << entry.path();
        ++seen;
    }
    EXPECT_GE(seen, 5);
    ASSERT_EQ(::chown(house.state_dir.c_str(), 0, 0), 0);
}

TEST(Upkeep, AWrongCertificateOrFolderIsTold) {
    House house;
    house.configure(shop({"[product]"}));
    std::ofstream(house.root() / "liaison.yaml", std::ios::app)
        << "backup: { to: \"relative\", at: \"25:00\" }\nretention: { logs: 1h, runs: forever }\n";
    const auto daemon = house.try_start();
    EXPECT_EQ(daemon->wait(), 78);
    const std::string text = daemon->standard_error();
    EXPECT_THAT(text, AllOf(HasSubstr("backup.to"), HasSubstr("backup.at"), HasSubstr("retention.logs"),
                            Not(HasSubstr("retention.runs"))))
        << text;
}

}  // namespace
}  // namespace liaison_system
