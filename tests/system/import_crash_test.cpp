// Killed in the middle of an import: after a restart the hub holds what the vendor holds, each record once.
#include <gmock/gmock.h>

#include <csignal>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

constexpr int many = 20'000;

class KilledAfter : public testing::TestWithParam<int> {};

TEST_P(KilledAfter, PercentOfAnImportTheDaemonGoesOnByItself) {
    House house;
    start_with_slow_shop(house, many, {"[product]", "{ every: 1s }"});
    ASSERT_TRUE(until([&] { return !house.runs("shop").empty(); }));
    const std::int64_t run = number_of(house.runs("shop").back(), "id");
    ASSERT_TRUE(house.wait_until_fetched(run, many / 100 * GetParam())) << "the run was over too soon";
    house.kill_daemon();
    const std::int64_t before = Hub(house).records("product");
    ASSERT_GT(before, 0);
    ASSERT_LT(before, many);

    house.start();
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "interrupted");
    const json::object next = house.wait_for_status("shop", run, "success");
    EXPECT_LE(total_of(next, "created"), many - before);
    expect_hub_equals_shop(house);
    EXPECT_EQ(house.stop(), 0);
}
INSTANTIATE_TEST_SUITE_P(ImportCrash, KilledAfter, testing::Values(20, 40, 60));

TEST(ImportCrash, AKilledWorkerFailsItsRunAloneAndIsRepeated) {
    House house;
    house.write("in/a.csv", bookings(many));
    start_with_slow_shop(house, many, {"[product]"},
                         bookings_import({"[reservation]", "manual", "    page_size: 100\n"}));
    const std::int64_t run = house.trigger("shop"), neighbour = house.trigger("bookings");
    ASSERT_TRUE(house.wait_until_fetched(run, many / 10));
    const pid_t worker = house.worker("custom_api", "wholesaler");
    ASSERT_GT(worker, 0);
    ASSERT_EQ(::kill(worker, SIGKILL), 0);

    const json::object failed = house.wait_for_run(run);
    EXPECT_THAT(text_of(failed, "status"), testing::AnyOf("failed", "partial"));
    EXPECT_THAT(text_of(failed, "error"),
                testing::AllOf(testing::HasSubstr("custom_api"), testing::HasSubstr("SIGKILL")));
    const json::object again = house.wait_for_status("shop", run, "success");
    EXPECT_EQ(text_of(again, "trigger"), "retry");
    expect_hub_equals_shop(house);

    EXPECT_EQ(text_of(house.wait_for_run(neighbour), "status"), "success");
    EXPECT_EQ(house.runs("bookings").size(), 1u);
    expect_bookings(house, many, true);
    EXPECT_EQ(house.stop(), 0);
}

TEST(ImportCrash, WorkersDoNotOutliveAKilledDaemon) {
    House house;
    house.seed("shop/products", 10);
    house.configure(shop({"[product]"}));
    house.start();
    house.run("shop");
    const std::filesystem::path worker =
        "/proc/" + std::to_string(house.worker("custom_api", "wholesaler")) + "/exe";
    std::error_code error;
    ASSERT_FALSE(std::filesystem::read_symlink(worker, error).empty()) << error.message();
    house.kill_daemon();
    EXPECT_TRUE(until([&] { return std::filesystem::read_symlink(worker, error).empty(); }));
}

struct CsvCase {
    const char* key;
    bool has_ids;
};

void PrintTo(const CsvCase& one, std::ostream* out) { *out << "key: " << one.key; }

class CsvKilledInTheMiddle : public testing::TestWithParam<CsvCase> {};

TEST_P(CsvKilledInTheMiddle, HasEachRowOnce) {
    const auto [key, has_ids] = GetParam();
    House house;
    house.write("in/a.csv", bookings(many, has_ids));
    house.configure(bookings_import({"[reservation]", "manual", "    page_size: 100\n"}, key));
    house.start();
    const std::int64_t run = house.trigger("bookings");
    ASSERT_TRUE(house.wait_until_fetched(run, many / 4)) << "the run was over too soon";
    house.kill_daemon();
    ASSERT_LT(Hub(house).records("reservation"), many);
    EXPECT_TRUE(std::filesystem::exists(house.root() / "in/a.csv"));

    house.start();
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "interrupted");
    EXPECT_EQ(text_of(house.run("bookings"), "status"), "success");
    expect_bookings(house, many, has_ids);
    EXPECT_FALSE(std::filesystem::exists(house.root() / "in/a.csv"));
    EXPECT_TRUE(std::filesystem::exists(house.root() / "done/a.csv"));
    EXPECT_EQ(house.stop(), 0);
}
INSTANTIATE_TEST_SUITE_P(ImportCrash, CsvKilledInTheMiddle,
                         testing::Values(CsvCase{"[id]", true}, CsvCase{"row", false}), [](const auto& info) {
                             return info.param.has_ids ? std::string("ByColumn") : std::string("ByRow");
                         });

}  // namespace
}  // namespace liaison_system
