// liaisonctl doctor in a house where all is well, and in one where little is.
#include <gmock/gmock.h>
#include <utime.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <ctime>
#include <map>

#include "integrations.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Diagnosis {
    int code = 0;
    bool ok = false;
    std::vector<json::object> items;

    // The worst of those with that name, one that is not fine first.
    const json::object& of(std::string_view check) const {
        const json::object* found = nullptr;
        for (const json::object& one : items) {
            if (text_of(one, "check") != check) continue;
            if (found == nullptr || text_of(*found, "verdict") == "fine") found = &one;
        }
        if (found == nullptr) throw std::runtime_error("no such check: " + std::string(check));
        return *found;
    }
    std::string verdict(std::string_view check) const { return text_of(of(check), "verdict"); }
};

Diagnosis examine(const House& house) {
    const House::Told told =
        house.ctl("--config " + (house.root() / "liaison.yaml").string() + " --json doctor");
    std::cout << told.text;
    Diagnosis diagnosis{told.code, false, {}};
    const json::object answer = json::parse(told.text).as_object();
    diagnosis.ok = answer.at("ok").as_bool();
    for (const json::value& one : answer.at("items").as_array()) diagnosis.items.push_back(one.as_object());
    return diagnosis;
}

TEST(Doctor, AHealthyHouseHasNothingThatFails) {
    House house;
    fs::create_directories(house.state_dir);
    fs::permissions(house.state_dir, fs::perms::owner_all);
    house.configure(shop({"[product]"}));
    house.start();
    house.run("shop");
    const Diagnosis diagnosis = examine(house);
    EXPECT_EQ(diagnosis.code, 0);
    EXPECT_TRUE(diagnosis.ok);
    for (const char* check : {"configuration", "daemon", "state directory", "vault key", "secret",
                              "socket folder", "managed configuration", "database", "file descriptors",
                              "leftovers", "time zones", "plugin", "vendor"})
        EXPECT_EQ(diagnosis.verdict(check), "fine") << check;
    EXPECT_THAT(text_of(diagnosis.of("vendor"), "looked_at"), house.sim_url());
    EXPECT_EQ(text_of(diagnosis.of("file descriptors"), "looked_at"), "liaisond");
}

TEST(Doctor, ABrokenHouseIsToldWhatToDo) {
    House house;
    std::string text = shop({"[product]"});
    text.replace(text.find("@SIM@"), 5, "http://127.0.0.1:1");
    house.daemon_section = "  tls: { certificate: @ROOT@/hub.crt, key: @ROOT@/hub.key }\n";
    house.write("hub.crt", "no certificate");
    house.configure(text);
    fs::create_directories(house.state_dir);
    house.write("state/vault.key", "");
    house.write("state/liaison.db", "this is no database, and has never been one");
    house.write("state/vault.key.new", "");
    const utimbuf long_ago{0, std::time(nullptr) - 3600};
    ASSERT_EQ(::utime((house.state_dir / "vault.key.new").c_str(), &long_ago), 0);
    fs::permissions(house.state_dir / "vault.key", fs::perms::group_read, fs::perm_options::add);
    fs::permissions(house.root() / "secrets/shop-token", fs::perms::others_read, fs::perm_options::add);

    const Diagnosis diagnosis = examine(house);
    EXPECT_EQ(diagnosis.code, 1);
    EXPECT_FALSE(diagnosis.ok);
    EXPECT_EQ(diagnosis.verdict("configuration"), "fine");
    EXPECT_EQ(diagnosis.verdict("daemon"), "warning") << "it need not run";
    for (const char* check : {"vault key", "secret", "database", "certificate", "vendor"})
        EXPECT_EQ(diagnosis.verdict(check), "failed") << check;
    EXPECT_EQ(diagnosis.verdict("leftovers"), "warning");
    for (const json::object& one : diagnosis.items) {
        const bool needs_advice = text_of(one, "verdict") == "failed";
        EXPECT_TRUE(!needs_advice || !text_of(one, "advice").empty());
    }
    EXPECT_THAT(text_of(diagnosis.of("secret"), "advice"), HasSubstr("chmod 0600"));
    EXPECT_THAT(text_of(diagnosis.of("vendor"), "found"), HasSubstr("no connection"));

    house.write("liaison.yaml", "integrations: { shop: { tenant: nobody } }\n");
    const House::Told told = house.ctl("--config " + (house.root() / "liaison.yaml").string() + " doctor");
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.text, AllOf(HasSubstr("failed   configuration"), HasSubstr("liaisonctl config check"),
                                 HasSubstr("skipped  vendors")));
}

}  // namespace
}  // namespace liaison_system
