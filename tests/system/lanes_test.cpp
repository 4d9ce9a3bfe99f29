// What goes beside the usual runs: back-fills by date that outlive a kill, and recordings that play again.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>

#include <fstream>
#include <sstream>

#include "hub.hpp"
#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int orders = 3000;

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

// Runs liaisonctl to its end; the exit code.
int ctl(const House& house, std::vector<std::string> words) {
    std::vector<std::string> all{paths::program("liaisonctl"), "--config",
                                 (house.root() / "liaison.yaml").string()};
    all.insert(all.end(), words.begin(), words.end());
    Process process(all, house.root() / "ctl.log");
    return process.wait().value_or(-1);
}

// The simulated orders were placed around the turn of the year.
std::int64_t orders_of_last_year(const House& house) {
    std::int64_t count = 0;
    for (const json::value& order : vendor_records(house, "shop/orders"))
        count += text_of(order.as_object(), "placed_at") < "2026-01-01" ? 1 : 0;
    return count;
}

json::array backfills(const House& house) {
    return house.get("/api/v1/integrations/shop").at("backfills").as_array();
}

TEST(Backfill, OfARangeGoesOnByItselfAfterAKill) {
    House house;
    house.seed("shop/customers", 20);
    house.seed("shop/orders", orders);
    const std::int64_t wanted = orders_of_last_year(house);
    ASSERT_GT(wanted, 500);
    ASSERT_LT(wanted, orders);
    house.set("shop", R"({"latency_ms":50})");
    house.configure(shop({"[sales_order]"}));
    house.start();
    const Reply begun =
        house.api("POST", "/api/v1/integrations/shop/sync?entity=sales_order&from=2025-12-31&to=2026-01-01");
    ASSERT_EQ(begun.status, 202u) << json::serialize(begun.body);
    const std::int64_t run = number_of(begun.body.as_object(), "run");
    ASSERT_TRUE(house.wait_until_fetched(run, 300));
    ASSERT_EQ(backfills(house).size(), 1u);
    EXPECT_EQ(text_of(backfills(house)[0].as_object(), "state"), "running");
    house.kill_daemon();
    const std::int64_t before = Hub(house).records("sales_order");
    ASSERT_LT(before, wanted) << "it was over too soon";

    house.set("shop", R"({"latency_ms":0})");
    house.start();
    EXPECT_EQ(text_of(house.look_at_run(run), "status"), "interrupted");
    EXPECT_EQ(text_of(backfills(house)[0].as_object(), "state"), "waiting");
    const json::object second = house.wait_for_status("shop", run, "success");
    EXPECT_EQ(text_of(second, "trigger"), "backfill");
    EXPECT_LE(total_of(second, "created") + before, wanted);
    EXPECT_LT(total_of(second, "fetched"), wanted) << "it began anew";
    EXPECT_EQ(Hub(house).records("sales_order"), wanted);
    EXPECT_TRUE(backfills(house).empty());
    EXPECT_EQ(Hub(house).number("SELECT count(*) FROM cursors"), 0)
        << "neither a live one nor one left behind";
    // The live stream brings the rest, and what the back-fill brought is not news.
    const json::object live = house.run("shop");
    EXPECT_EQ(total_of(live, "created"), orders - wanted);
    EXPECT_EQ(total_of(live, "unchanged"), wanted);
}

TEST(Backfill, NonsenseIsRefusedWithTheReason) {
    House house;
    house.configure(shop({"[product, sales_order]"}));
    house.start();
    const auto refusal = [&](const std::string& query) {
        const Reply reply = house.api("POST", "/api/v1/integrations/shop/sync?" + query);
        return std::to_string(reply.status) + " " + text_of(reply.body.as_object(), "detail");
    };
    EXPECT_THAT(refusal("from=2026-02-01&to=2026-01-01"),
                testing::HasSubstr("422 the range from 2026-02-01"));
    EXPECT_THAT(refusal("from=2026-02-01"), testing::HasSubstr("422 a back-fill needs both ends"));
    EXPECT_THAT(refusal("from=yesterday&to=2026-01-01"),
                testing::HasSubstr("422 from: 'yesterday' is no date"));
    EXPECT_THAT(
        refusal("from=2026-01-01&to=2026-02-01&entity=product"),
        testing::HasSubstr("409 the connector 'custom_api' cannot ask for a range of dates of product"));
    EXPECT_EQ(ctl(house, {"run", "shop", "--from", "2026-02-01", "--to", "2026-01-01"}), 1);
    EXPECT_THAT(content_of(house.root() / "ctl.log"), testing::HasSubstr("is empty"));
}

TEST(Recording, OfARunPlaysAgainAndHoldsNoCredentials) {
    House house;
    house.seed("shop/products", 250);
    house.configure(shop({"[product]"}) + office({"[product]"}));
    house.start();
    for (const std::string id : {"shop", "office"}) {
        const fs::path file = house.root() / (id + ".cassette");
        ASSERT_EQ(ctl(house, {"run", id, "--record", file.string()}), 0)
            << content_of(house.root() / "ctl.log");
        struct stat status {};
        ASSERT_EQ(::stat(file.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600u);
        const std::string text = content_of(file);
        for (const fs::directory_entry& secret : fs::directory_iterator(house.root() / "secrets")) {
            std::string value = content_of(secret.path());
            value.resize(value.find_last_not_of("\n") + 1);
            EXPECT_EQ(text.find(value), std::string::npos) << secret.path();
        }
        EXPECT_NE(text.find(R"("auth":")"), std::string::npos) << "the scheme is named";
        EXPECT_EQ(ctl(house, {"plugin", "script", file.string()}), 0) << content_of(house.root() / "ctl.log");
    }
    // One value of one answer is another one.
    std::string text = content_of(house.root() / "shop.cassette");
    const std::size_t at = text.find("PRD-000042");
    ASSERT_NE(at, std::string::npos);
    std::ofstream(house.root() / "changed.cassette") << text.replace(at, 10, "PRD-999999");
    EXPECT_EQ(ctl(house, {"plugin", "script", (house.root() / "changed.cassette").string()}), 1);
    EXPECT_EQ(ctl(house, {"run", "shop", "--record", (house.root() / "nowhere/x").string()}), 1);
    EXPECT_THAT(content_of(house.root() / "ctl.log"), testing::HasSubstr("nowhere/x cannot be written"));
}

}  // namespace
}  // namespace liaison_system
