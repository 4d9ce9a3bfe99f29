// A vendor that takes longer than the settle time has records twice, and people are told.
#include "sync/second_looks.hpp"

#include <gtest/gtest.h>

#include "sync/engine.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

// Executes the first create it is sent only after a while, and does not answer it.
struct LateOffice {
    Office office;
    Milliseconds late{0};  // zero: at once
    http::Response operator()(const http::Request& request, World& world) {
        if (request.method != "POST" || late.count() == 0) return office(request);
        world.after(late, [this, request] { (void)office(request); });
        late = Milliseconds(0);
        http::Response nothing;
        nothing.failure = http::Response::Failure::unknown;
        nothing.error = "no answer";
        return nothing;
    }
};

class SecondLooks : public testing::Test {
  protected:
    void send() {
        house.start({shop_link(), office_link()});
        house.run("shop");
        house.engine->trigger("office", {}, [](Result<std::int64_t>) {});
        wait(std::chrono::minutes(30));
    }
    void wait(Milliseconds time) {
        world.run_until([] { return false; }, time);
    }
    std::string problems() {
        std::string all;
        for (const sync::IntegrationStatus& one : house.engine->status())
            for (const std::string& problem : one.problems) all += problem + "\n";
        return all;
    }
    std::vector<std::string> told() {
        std::vector<std::string> messages;
        store::Filter filter;
        filter.limit = 100;
        const auto page = house.store.database().logs(filter).value();
        for (const store::LogEntry& one : page.rows)
            if (one.action == "duplicate") messages.push_back(one.message);
        return messages;
    }

    World world{1};
    std::shared_ptr<Shop> shop = std::make_shared<Shop>(Shop{{{1, "Tea"}, {2, "Milk"}}});
    std::shared_ptr<LateOffice> office = std::make_shared<LateOffice>();
    SimNetwork network{
        world,
        {{"http://shop.example:80", [this](const http::Request& r) { return (*shop)(r); }},
         {"http://office.example:80", [this](const http::Request& r) { return (*office)(r, world); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
};

TEST_F(SecondLooks, TellOfARecordThatTheVendorHasTwice) {
    office->late = std::chrono::minutes(10);  // ten times the settle time
    send();
    ASSERT_EQ(office->office.rows.size(), 3u) << "one of the two was executed late as well";
    EXPECT_TRUE(house.store.database().intents({}).value().empty());
    EXPECT_EQ(problems(), "");
    wait(std::chrono::hours(7));
    EXPECT_NE(problems().find("1 record is at the vendor twice"), std::string::npos) << problems();
    ASSERT_EQ(told().size(), 1u);
    EXPECT_EQ(told()[0], "2 records carry our reference");

    wait(std::chrono::hours(7));
    EXPECT_NE(problems().find("1 record is at the vendor twice"), std::string::npos) << "nobody did anything";
    office->office.rows.erase("O3");
    wait(std::chrono::hours(7));
    EXPECT_EQ(problems(), "") << "somebody removed one";
    const std::uint64_t before = network.requests;
    wait(std::chrono::hours(24));
    EXPECT_EQ(network.requests, before) << "it is over";
}

TEST_F(SecondLooks, AreForThoseThatWereSentTwice) {
    send();
    const std::uint64_t before = network.requests;
    wait(std::chrono::hours(24));
    EXPECT_EQ(network.requests, before);
    EXPECT_EQ(office->office.rows.size(), 2u);
}

TEST_F(SecondLooks, FindNothingWrongWhereTheFirstWasNeverExecuted) {
    office->late = std::chrono::hours(24 * 300);
    send();
    EXPECT_EQ(office->office.rows.size(), 2u);
    const std::uint64_t before = network.requests;
    wait(std::chrono::hours(7));
    EXPECT_EQ(network.requests, before + 1) << "one question";
    EXPECT_EQ(problems(), "");
    wait(std::chrono::hours(24));
    EXPECT_EQ(network.requests, before + 1);
}

TEST_F(SecondLooks, AreTakenLaterWhileTheVendorIsDown) {
    office->late = std::chrono::minutes(10);
    send();
    network.down = true;
    wait(std::chrono::hours(8));
    EXPECT_TRUE(told().empty());
    network.down = false;
    wait(std::chrono::hours(13));
    EXPECT_NE(problems().find("at the vendor twice"), std::string::npos) << problems();
}

}  // namespace
}  // namespace liaisond::sync_test
