// After a backup was restored: what was sent since is at the vendor, and the hub does not know it.
#include <gtest/gtest.h>

#include "store/backup.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

class Restored : public testing::Test {
  protected:
    World world{1};
    Shop shop;
    Office office;
    SimNetwork network{world,
                       {{"http://shop.example:80", [this](const http::Request& r) { return shop(r); }},
                        {"http://office.example:80", [this](const http::Request& r) { return office(r); }}}};
    TempDir directory;
    const std::string database = directory.path() + "/liaison.db", backup = directory.path() + "/backup.db";
    std::unique_ptr<SimHouse> house;

    void live() {
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        house->start({shop_link(), office_link()});
        pass();
    }
    void pass() {
        world.run_until([] { return false; }, Milliseconds(100));
    }
    sync::IntegrationStatus status(const std::string& id) {
        for (const sync::IntegrationStatus& one : house->engine->status()) {
            if (one.id == id) return one;
        }
        return {};
    }
};

TEST_F(Restored, NothingIsSentUntilSomebodyLookedAndThenNothingTwice) {
    for (int id = 1; id <= 20; ++id) shop.names[id] = "Product " + std::to_string(id);
    live();
    house->run("shop");
    pass();
    ASSERT_TRUE(store::make_backup(database, backup, world.now()));
    house->run("office");
    ASSERT_EQ(office.rows.size(), 20u);
    house.reset();
    ASSERT_TRUE(store::restore_backup(backup, database, world.now()));
    live();
    EXPECT_EQ(status("office").state, "suspended");
    EXPECT_EQ(status("shop").state, "idle") << "it only reads";
    EXPECT_NE(status("office").problems.at(0).find("the hub is a backup made at"), std::string::npos);
    live();
    EXPECT_EQ(status("office").state, "suspended") << "a restart does not forget";
    house->run("shop");
    ASSERT_TRUE(house->engine->resume("office"));
    EXPECT_FALSE(status("office").problems.empty()) << "until a run has asked for everything";
    EXPECT_EQ(house->run("office").status, store::RunStatus::success);
    pass();
    EXPECT_EQ(office.rows.size(), 20u) << "created once more";
    EXPECT_TRUE(status("office").problems.empty()) << status("office").problems.at(0);
    shop.names[21] = "Product 21";
    house->run("shop");
    house->run("office");
    EXPECT_EQ(office.rows.size(), 21u);
}

}  // namespace
}  // namespace liaisond::sync_test
