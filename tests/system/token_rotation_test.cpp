// Refresh tokens that are good for one use, and a daemon that is killed while it uses them: the integration
// goes on, or says that a person has to connect it again; and it never asks for two at a time.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <csignal>
#include <random>

#include "hub.hpp"
#include "quickbooks_house.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

// Access tokens end at once, so that every request of a run is a refresh.
class TokenRotation : public testing::Test {
  protected:
    void begin(std::int64_t grace_s) {
        write_quickbooks_credentials(house);
        house.defaults = "  suspend_after_failures: 1000\n  circuit_breaker: { min_calls: 60, window: 64 }\n";
        house.seed("quickbooks/customers", 30);
        house.set("intuit",
                  json::serialize(json::object{
                      {"rotate", "always"}, {"grace_s", grace_s}, {"access_s", 1}, {"latency_ms", 2}}));
        house.set("quickbooks", R"({"per_minute":100000})");
        house.configure(quickbooks({"[customer, product, sales_order]"}, "import"));
        house.start();
        connect_quickbooks(house);
        house.wait_for_status("books", 0, "success");
    }
    bool runs_well() const { return text_of(house.run("books"), "status") == "success"; }
    bool asks_for_a_person() const {
        return house.ctl("status").text.find("liaisonctl connect books") != std::string::npos;
    }
    // A run that somebody may cut short.
    void run_until_the_end() {
        house.api("POST", "/api/v1/integrations/books/sync");
        (void)until(
            [&] {
                if (!house.daemon().is_running()) return true;
                const auto runs = house.runs("books");
                return !runs.empty() && text_of(runs.front(), "status") != "running";
            },
            std::chrono::seconds(5), std::chrono::milliseconds(1));
    }
    // Kills it in the middle, by a fault point or at a random moment; it runs again afterwards.
    void kill_somewhere(int round) {
        const int hit = 1 + static_cast<int>(random() % 3);
        const char* points[] = {"login.before_refresh", "login.refreshed", ""};
        const std::string point = points[round % 3];
        house.kill_daemon();
        if (point.empty()) {
            house.start();
            house.api("POST", "/api/v1/integrations/books/sync");
            const auto moment = std::chrono::microseconds(random() % 25'000);
            const auto end = std::chrono::steady_clock::now() + moment;
            (void)until([&] { return std::chrono::steady_clock::now() >= end; }, std::chrono::seconds(1),
                        std::chrono::milliseconds(1));
            house.kill_daemon();
        } else if (house.start_armed(point + ":" + std::to_string(hit) + ":kill")) {
            run_until_the_end();
            house.kill_daemon();
        }
        house.start();
    }
    std::minstd_rand random{7};
    House house;
};

TEST_F(TokenRotation, NoKillLocksUsOutWhereTheOldTokenStaysGoodForAWhile) {
    begin(86'400);
    for (int round = 0; round < 60; ++round) {
        kill_somewhere(round);
        ASSERT_TRUE(runs_well()) << "round " << round << '\n' << house.last_lines();
        ASSERT_FALSE(asks_for_a_person()) << "round " << round;
    }
    EXPECT_GT(house.stat("intuit", "writes"), 120) << "two refreshes a round";
    EXPECT_EQ(house.stat("intuit", "in_flight_max"), 1);
    EXPECT_EQ(house.stat("intuit", "duplicates"), 0);
}

TEST_F(TokenRotation, WhereItDoesNotALockOutIsSaidAndEndsWithAConnection) {
    begin(0);
    int locked_out = 0;
    for (int round = 0; round < 60; ++round) {
        kill_somewhere(round);
        if (runs_well()) {
            ASSERT_FALSE(asks_for_a_person()) << "round " << round << house.ctl("status").text;
            continue;
        }
        ++locked_out;
        ASSERT_TRUE(asks_for_a_person())
            << "round " << round << house.ctl("status").text << house.last_lines();
        const std::int64_t asked = house.stat("intuit", "writes");
        EXPECT_FALSE(runs_well());
        EXPECT_EQ(house.stat("intuit", "writes"), asked) << "a refused token is not sent again";
        house.kill_daemon();
        house.start();
        ASSERT_TRUE(asks_for_a_person()) << "after a restart, round " << round << house.ctl("status").text;
        const std::int64_t before = number_of(house.runs("books").front(), "id");
        connect_quickbooks(house);
        ASSERT_EQ(text_of(house.wait_for_status("books", before, "success"), "status"), "success");
    }
    EXPECT_GT(house.stat("intuit", "writes"), 120) << "two refreshes a round";
    EXPECT_GT(locked_out, 5) << "nothing was put to the test";
    EXPECT_EQ(house.stat("intuit", "in_flight_max"), 1);
}

TEST_F(TokenRotation, ManyWhoNeedATokenAskForOne) {
    begin(0);
    house.set("intuit", R"({"latency_ms":200,"access_s":3600})");
    house.set("quickbooks", R"({"latency_ms":20})");
    ASSERT_EQ(house.sim("POST", "stats/reset").status, 204u);
    for (int i = 0; i < 4; ++i) {
        house.set("intuit", R"({"expire":true})");
        house.api("POST", "/api/v1/integrations/books/test");
        EXPECT_TRUE(runs_well()) << house.last_lines();
    }
    EXPECT_EQ(house.stat("intuit", "in_flight_max"), 1);
    EXPECT_LE(house.stat("intuit", "writes"), 5);
}

}  // namespace
}  // namespace liaison_system
