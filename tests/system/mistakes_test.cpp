// What users do wrong and what breaks under them: one clear message, the right exit code, nothing lost.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "hub.hpp"
#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr int exit_state = 73, exit_busy = 75, exit_config = 78;

// Starts the daemon, which must end by itself; its exit code and what it said.
struct Refusal {
    int code = 0;
    std::string text;
};

Refusal refusal(const House& house) {
    const auto process = house.try_start();
    const int code = process->wait().value_or(-1);
    std::string text = process->standard_error();
    std::cout << text;
    return {code, std::move(text)};
}

auto lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST(Mistakes, AMisspeltKey) {
    House house;
    std::string text = shop({"[product]"});
    text.replace(text.find("schedule"), 8, "schedul");
    house.configure(text);
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_config);
    EXPECT_THAT(refused.text, AllOf(HasSubstr(house.place_of("schedul")), HasSubstr("schedul"),
                                    HasSubstr("did you mean"), HasSubstr("schedule")));
    EXPECT_EQ(lines(refused.text), 2) << "the fault, and that nothing was started";
}

TEST(Mistakes, AnUnknownConnector) {
    House house;
    std::string text = shop({"[product]"});
    text.replace(text.find("custom_api"), 10, "custom_apy");
    house.configure(text);
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_config);
    EXPECT_THAT(refused.text, AllOf(HasSubstr(house.place_of("custom_apy")), HasSubstr("custom_apy"),
                                    HasSubstr("did you mean"), HasSubstr("custom_api")));
    EXPECT_EQ(lines(refused.text), 2);
}

TEST(Mistakes, NoPluginInstalled) {
    House house;
    house.plugin_dir = (house.root() / "plugins").string();
    fs::create_directories(house.plugin_dir);
    house.configure(shop({"[product]"}));
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_config);
    EXPECT_THAT(refused.text, AllOf(HasSubstr("custom_api"), HasSubstr(house.plugin_dir)));
    EXPECT_EQ(lines(refused.text), 2);
}

TEST(Mistakes, APluginOfANewerAbi) {
    House house;
    house.plugin_dir = (house.root() / "plugins").string();
    fs::create_directories(house.plugin_dir);
    fs::copy_file(paths::test_plugin("newer_major.so"), house.plugin_dir + "/custom_api.so");
    house.configure(shop({"[product]"}));
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_config);
    EXPECT_THAT(refused.text, AllOf(HasSubstr("custom_api"), HasSubstr("9")));
    EXPECT_EQ(lines(refused.text), 2);
}

TEST(Mistakes, APluginOfANewerAbiBesideGoodOnesIsReportedAndTheRestWorks) {
    House house;
    house.plugin_dir = (house.root() / "plugins").string();
    fs::create_directories(house.plugin_dir);
    fs::copy_file(paths::test_plugin("newer_major.so"), house.plugin_dir + "/newer.so");
    fs::copy_file(paths::plugin("custom_api.so"), house.plugin_dir + "/custom_api.so");
    house.seed("shop/products", 10);
    house.configure(shop({"[product]"}));
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    EXPECT_THAT(house.log(), HasSubstr("newer"));
    EXPECT_EQ(house.get("/api/v1/plugins").at("broken").as_array().size(), 1u);
}

TEST(Mistakes, AStateDirectoryThatCannotBe) {
    House house;
    house.write("file", "this is no directory\n");
    house.state_dir = house.root() / "file" / "state";
    house.configure(shop({"[product]"}));
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_state);
    EXPECT_THAT(refused.text, HasSubstr(house.state_dir.string()));
    EXPECT_EQ(lines(refused.text), 1);
}

TEST(Mistakes, ASecondDaemon) {
    House house;
    house.seed("shop/products", 10);
    house.configure(shop({"[product]"}));
    house.start();
    const Refusal refused = refusal(house);
    EXPECT_EQ(refused.code, exit_busy);
    EXPECT_THAT(refused.text,
                AllOf(HasSubstr(std::to_string(house.daemon().pid())), HasSubstr(house.state_dir.string())));
    EXPECT_EQ(lines(refused.text), 1);
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success") << "the first one must not notice";
}

TEST(Mistakes, AVendorThatIsDownForAWhile) {
    House house;
    // The run is tried again before the vendor is back, perhaps: not so often that it is left alone for a
    // minute.
    house.defaults = "  circuit_breaker: { window: 64, min_calls: 64 }\n";
    house.seed("shop/products", 500);
    house.set("shop", R"({"down":true})");
    house.configure(shop({"[product]"}));
    house.start();
    const std::int64_t run = house.trigger("shop");
    const json::object failed = house.wait_for_run(run);
    EXPECT_EQ(text_of(failed, "status"), "failed");
    EXPECT_THAT(text_of(failed, "error"), AllOf(HasSubstr("product"), HasSubstr("127.0.0.1")));
    std::cout << text_of(failed, "error") << '\n';
    house.set("shop", R"({"down":false})");
    EXPECT_EQ(text_of(house.wait_for_status("shop", run, "success"), "trigger"), "retry");
    expect_hub_equals_shop(house);
}

TEST(Mistakes, WrongCredentials) {
    House house;
    house.seed("shop/products", 500);
    house.write("secrets/shop-token", "a-wrong-token-of-mine");
    house.configure(shop({"[product]"}));
    house.start();
    const json::object failed = house.run("shop");
    EXPECT_EQ(text_of(failed, "status"), "failed");
    EXPECT_THAT(text_of(failed, "error"),
                AllOf(HasSubstr("401"), HasSubstr("credentials"), HasSubstr("refused")));
    std::cout << text_of(failed, "error") << '\n';
    EXPECT_THAT(house.log(), Not(HasSubstr("a-wrong-token-of-mine")));
    EXPECT_TRUE(house.get("/api/v1/integrations/shop").at("next_run").is_null())
        << "no use in asking again and again";
    // Corrected and reloaded, everything is there.
    house.write("secrets/shop-token", "shop-token");
    ASSERT_EQ(house.api("POST", "/api/v1/reload").status, 200u);
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    expect_hub_equals_shop(house);
}

TEST(Mistakes, ThreeBadRowsOfTenThousand) {
    House house;
    std::string file = bookings(10'000);
    const auto spoil = [&](const std::string& row, const std::string& with) {
        const std::size_t at = file.find("\n" + row + ",") + 1;
        file.replace(at, file.find('\n', at) - at, with);
    };
    spoil("B100", "B100,Guest 100,2026-13-45,2026-05-03,DBL,2,101.00");   // no such day
    spoil("B5000", "B5000,Guest 5000,2026-05-01");                        // ragged
    spoil("B9999", "B9999,Guest 9999,2026-05-01,2026-05-03,DBL,2,much");  // no amount
    house.write("in/spring.csv", file);
    house.configure(bookings_import({"[reservation]"}));
    house.start();
    const json::object run = house.run("bookings");
    EXPECT_EQ(text_of(run, "status"), "partial");
    EXPECT_EQ(total_of(run, "created"), 9'997);
    EXPECT_EQ(total_of(run, "rejected"), 3);
    EXPECT_EQ(Hub(house).records("reservation"), 9'997);
    const json::value letters = house.get("/api/v1/dead-letters?integration=bookings");
    std::vector<std::string> messages;
    for (const json::value& letter : letters.at("items").as_array()) {
        messages.push_back(text_of(letter.as_object(), "key") + ": " +
                           text_of(letter.as_object(), "message"));
        std::cout << messages.back() << '\n';
    }
    EXPECT_THAT(messages,
                testing::UnorderedElementsAre(HasSubstr("spring.csv:101"), HasSubstr("spring.csv:5001"),
                                              HasSubstr("spring.csv:10000")));
    EXPECT_TRUE(fs::exists(house.root() / "done/spring.csv"));
}

TEST(Mistakes, ASecretFileThatIsMissing) {
    House house;
    house.seed("shop/products", 10);
    fs::remove(house.root() / "secrets/shop-token");
    house.configure(shop({"[product]"}));
    house.start();
    const json::object failed = house.run("shop");
    EXPECT_EQ(text_of(failed, "status"), "failed");
    EXPECT_THAT(text_of(failed, "error"), HasSubstr("secrets/shop-token"));
    std::cout << text_of(failed, "error") << '\n';
}

}  // namespace
}  // namespace liaison_system
