// Plugins that mean harm, in the real daemon: each is contained and named to the operator, what runs beside
// them ends well, and the daemon stays up. tests/hostile has the same attacks one by one, and what they reach
// without a sandbox.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <map>

#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int exit_config = 78;

// What the run of that attack ends with, as a part of what the operator reads.
struct Attack {
    const char* name;
    const char* told;
};

constexpr const char* killed =
    "hostile worker was killed by SIGSYS (it tried what the sandbox forbids) while running a pull job for "
    "attack-";
constexpr const char* late =
    "hostile worker did not answer within 5s and was killed while running a pull job";

const Attack attacks[] = {
    {"open_file", "open_file refused: EPERM"},
    {"read_environ", "read_environ refused: EPERM"},
    {"read_parent_memory", "read_parent_memory refused: EPERM"},
    {"write_file", "write_file refused: EPERM"},
    {"connect_tcp", killed},
    {"unix_socket", killed},
    {"send_to", killed},
    {"fork", killed},
    {"vfork", killed},
    {"thread", killed},
    {"execute", killed},
    {"trace_parent", killed},
    {"read_parent", killed},
    {"kill_parent", killed},
    {"io_uring", killed},
    {"userfaultfd", killed},
    {"memfd", killed},
    {"make_code", killed},
    {"load_library", "load_library refused: EPERM"},
    {"call_i386", killed},
    {"call_x32", killed},
    {"raise_limits", "raise_limits refused: EPERM"},
    {"outlive_parent", "outlive_parent refused: EPERM"},
    {"close_channel", killed},
    {"kill_itself", killed},
    {"allocate", "allocate refused: ENOMEM"},
    {"exhaust_memory", "threw an exception out of step"},
    {"spin", late},
    {"doze", late},
    {"drip", late},
    {"recurse", "hostile worker was killed by SIGSEGV"},
    {"abort", "hostile worker was killed by SIGABRT"},
    {"segfault", "hostile worker was killed by SIGSEGV"},
    {"exit", "hostile worker exited while running"},
    {"throw", "threw an exception out of step"},
    {"flood_stdout", " and was killed while running a pull job for attack-"},
    {"flood_without_newline", late},
    {"flood_log", " and was killed while running a pull job for attack-"},
    {"write_garbage", "hostile worker sent a bad magic number and was killed"},
    {"forge_effect", "hostile worker sent an effect that nobody asked for and was killed"},
    {"promise_frame", "hostile worker sent a message of 2130706432 bytes and was killed"},
    {"wild_pointer", "hostile worker was killed by SIGSEGV"},
    {"no_effect", "an effect that is NULL"},
    {"claimed_gigabyte", "a string of 1073741824 bytes"},
    {"claimed_records", "1073741824 records"},
    {"real_flood", "larger than 64 MiB"},
    {"effect_flood", "asked for 1000 things in a row that come to nothing"},
    {"emit_flood", "asked for 1000 things in a row that come to nothing"},
    {"sleep_long", "wants to sleep for"},
    {"sleep_again", "the run took longer than 4s"},
};

std::string id_of(const std::string& attack) {
    std::string id = "attack-" + attack;
    std::replace(id.begin(), id.end(), '_', '-');
    return id;
}

std::string attacker(const std::string& attack) {
    return "  " + id_of(attack) +
           ":\n    tenant: hotel\n    connector: hostile\n    direction: import\n    entities: [product]\n"
           "    schedule: manual\n    isolation: integration\n    retry: { attempts: 1, base: 1h, max: 1h }\n"
           // Longer than a step may take, but for the one that takes none.
           "    timeouts: { run: " +
           (attack == "sleep_again" ? "4s" : "60s") + " }\n    settings: { attack: " + attack + " }\n";
}

class Hostile : public testing::Test {
  protected:
    void SetUp() override {
#ifdef LIAISON_NO_SANDBOX
        GTEST_SKIP() << "skipped: no sandbox in this build (LIAISON_SANDBOX=OFF)";
#endif
        house.plugin_dir = (house.root() / "plugins").string();
        fs::create_directories(house.plugin_dir);
        install(paths::plugin("custom_api.so"));
        house.seed("shop/products", 200);
    }
    void install(const fs::path& plugin) const {
        fs::copy_file(plugin, fs::path(house.plugin_dir) / plugin.filename());
    }
    std::vector<json::object> alerts(const std::string& query) const {
        std::vector<json::object> all;
        const json::value body = house.get("/api/v1/alerts?limit=1000&" + query);
        for (const json::value& one : body.at("items").as_array()) all.push_back(one.as_object());
        return all;
    }

    House house;
};

TEST_F(Hostile, EveryAttackIsContainedAndNamed) {
    install(paths::hostile_plugin("hostile.so"));
    std::string integrations = shop({"[product]"});
    for (const Attack& attack : attacks) integrations += attacker(attack.name);
    house.configure(integrations);
    house.start();
    const pid_t daemon = house.daemon().pid();
    std::map<std::string, std::int64_t> runs;
    for (const Attack& attack : attacks) runs[attack.name] = house.trigger(id_of(attack.name));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    for (const Attack& attack : attacks) {
        const json::object run = house.wait_for_run(runs.at(attack.name));
        EXPECT_EQ(text_of(run, "status"), "failed") << attack.name;
        EXPECT_THAT(text_of(run, "error"), HasSubstr(attack.told)) << attack.name;
        std::cout << attack.name << ": " << text_of(run, "error") << '\n';
    }
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    EXPECT_TRUE(house.daemon().is_running());
    EXPECT_EQ(house.daemon().pid(), daemon);
    EXPECT_EQ(number_of(house.get("/api/v1/status").as_object(), "pid"), daemon);
}

TEST_F(Hostile, OnesThatAttackWhileTheyAreLookedAtAreListedAsBroken) {
    const std::map<std::string, std::string> told = {
        {"connect_tcp",
         "the worker that looked at load_connect_tcp.so was killed by SIGSYS (it tried what the sandbox "
         "forbids)"},
        {"execute",
         "the worker that looked at load_execute.so was killed by SIGSYS (it tried what the sandbox "
         "forbids)"},
        {"fork",
         "the worker that looked at load_fork.so was killed by SIGSYS (it tried what the sandbox forbids)"},
        {"kill_parent",
         "the worker that looked at load_kill_parent.so was killed by SIGSYS (it tried what the sandbox "
         "forbids)"},
        {"trace_parent",
         "the worker that looked at load_trace_parent.so was killed by SIGSYS (it tried what the sandbox "
         "forbids)"},
        {"segfault", "the worker that looked at load_segfault.so was killed by SIGSEGV"},
        {"exit", "load_exit.so wrote something else than its description to its output"},
        {"spin", "load_spin.so did not describe itself within 5s"},
    };
    for (const auto& [attack, text] : told) install(paths::hostile_plugin("load_" + attack + ".so"));
    house.configure(shop({"[product]"}));
    house.start();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    std::map<std::string, std::string> broken;
    const json::value plugins = house.get("/api/v1/plugins");
    for (const json::value& one : plugins.at("broken").as_array()) {
        const std::string name = fs::path(text_of(one.as_object(), "path")).stem();
        broken[name.substr(name.find('_') + 1)] = text_of(one.as_object(), "error");
    }
    EXPECT_EQ(broken, told);
}

TEST_F(Hostile, OneThatCrashesAgainAndAgainRestsUntilItIsReleased) {
    install(paths::hostile_plugin("hostile.so"));
    house.configure(shop({"[product]"}) + attacker("segfault"));
    house.start();
    for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(text_of(house.run("attack-segfault"), "error"), HasSubstr("was killed by SIGSEGV"));
        EXPECT_TRUE(i == 4 || alerts("kind=plugin_quarantined").empty()) << i;
    }
    const std::string told = text_of(house.run("attack-segfault"), "error");
    EXPECT_THAT(told, AllOf(HasSubstr("plugin hostile crashed 5 times within 10m"),
                            HasSubstr("liaisonctl plugin release hostile")));
    const std::vector<json::object> raised = alerts("kind=plugin_quarantined&state=open");
    ASSERT_EQ(raised.size(), 1u);
    EXPECT_EQ(text_of(raised[0], "severity"), "critical");
    EXPECT_EQ(text_of(raised[0], "integration"), "attack-segfault");
    EXPECT_THAT(text_of(raised[0], "text"), HasSubstr("liaisonctl plugin release hostile"));
    EXPECT_THAT(house.ctl("status").text, AllOf(HasSubstr("quarantine"), HasSubstr("crashed 5 times")));
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");

    EXPECT_THAT(house.ctl("plugin release hostle").text, HasSubstr("no worker of a plugin 'hostle'"));
    const House::Told released = house.ctl("plugin release hostile");
    EXPECT_EQ(released.code, 0) << released.text;
    EXPECT_TRUE(until([&] { return alerts("kind=plugin_quarantined&state=open").empty(); }));
    EXPECT_THAT(house.ctl("audit").text, HasSubstr("release"));
    EXPECT_THAT(text_of(house.run("attack-segfault"), "error"), HasSubstr("was killed by SIGSEGV"))
        << "it was started again";
}

// A file from somebody, before it is installed.
TEST_F(Hostile, APluginIsCheckedWhereItCanDoNoHarm) {
    house.configure(shop({"[product]"}));
    for (const char* attack : {"connect_tcp", "fork", "kill_parent", "memfd"}) {
        const House::Told told =
            house.ctl("plugin check " + paths::hostile_plugin("load_" + std::string(attack) + ".so"));
        EXPECT_EQ(told.code, 1) << told.text;
        EXPECT_THAT(told.text, HasSubstr("it runs locked in: no files, no network, no other processes"));
        EXPECT_THAT(told.text, HasSubstr("was killed by SIGSYS (it tried what the sandbox forbids) (while it "
                                         "was loaded)"));
    }
}

TEST_F(Hostile, WithoutLandlockNothingStartsUnlessTheConfigurationSaysSo) {
    house.configure(shop({"[product]"}));
    const std::vector<std::string> command = {paths::program("without_landlock"), paths::program("liaisond"),
                                              "--config", (house.root() / "liaison.yaml").string()};
    {
        Process refused(command, house.root() / "refused.log");
        EXPECT_EQ(refused.wait().value_or(-1), exit_config);
        EXPECT_THAT(refused.standard_error(), AllOf(HasSubstr("daemon.sandbox this kernel has no Landlock"),
                                                    HasSubstr("sandbox: degraded")));
        std::cout << refused.standard_error();
    }
    house.daemon_section = "  sandbox: degraded\n";
    house.configure(shop({"[product]"}));
    Process degraded(command, house.root() / "degraded.log");
    ASSERT_TRUE(until([&] { return house.api("GET", "/api/v1/status").status == 200; }))
        << degraded.standard_error();
    EXPECT_EQ(text_of(house.run("shop"), "status"), "success");
    degraded.kill(SIGTERM);
    EXPECT_EQ(degraded.wait().value_or(-1), 0);
}

}  // namespace
}  // namespace liaison_system
