// No secret in files, databases, core dumps: every House looks for them at its end, and these tests show that
// it sees.
#include "leaks.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// What is certainly in the database of a house that has imported it, wherever it lies.
TEST(Leaks, AreFoundInDatabasesAndFiles) {
    House house;
    house.seed("shop/products", 50);
    house.configure(shop({"[product]"}));
    house.start();
    house.run("shop");
    const auto products = house.sim("GET", "shop/products").body;
    const std::string name(products.at(0).at("name").as_string());
    EXPECT_EQ(house.stop(), 0);
    EXPECT_THAT(leaks(house.root(), {name}),
                Contains(HasSubstr("liaison.db: records: '" + name.substr(0, 6))));
    EXPECT_THAT(leaks(house.root(), {"integration=shop"}), Contains(HasSubstr("log: 'integr")));
    EXPECT_THAT(leaks(house.root(), {"is nowhere at all"}), IsEmpty());
}

TEST(Leaks, TheNameOfASecretsFileIsNoSecret) {
    EXPECT_THAT(leaks("log", "cannot read /etc/liaison/secrets/shop-token", {"shop-token"}), IsEmpty());
    EXPECT_THAT(leaks("log", "secrets/shop-token holds shop-token", {"shop-token"}), testing::SizeIs(1));
}

// A dump would hold them all. A small limit keeps the one that is allowed from filling the disk.
bool leaves_core_dump(const char* daemon_section) {
    const rlimit small{65'536, 65'536};
    House house;
    house.daemon_section = daemon_section;
    house.configure(shop({"[product]"}));
    house.start();
    const pid_t pid = house.daemon().pid();
    EXPECT_EQ(::prlimit(pid, RLIMIT_CORE, &small, nullptr), 0);
    house.daemon().kill(SIGABRT);
    EXPECT_EQ(house.daemon().wait(), -SIGABRT);
    for (const std::string& file : {std::string("core"), "core." + std::to_string(pid)})
        std::filesystem::remove(file);
    return house.daemon().has_dumped_core();
}

TEST(Leaks, ACrashLeavesNoCoreDump) { EXPECT_FALSE(leaves_core_dump("")); }

TEST(Leaks, ACoreDumpIsThereForWhoeverAllowsIt) {
    if (!leaves_core_dump("  core_dumps: true\n")) GTEST_SKIP() << "this machine writes no core dumps at all";
}

}  // namespace
}  // namespace liaison_system
