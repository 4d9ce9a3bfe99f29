// What Prometheus sees of a running daemon, as its own tool judges it.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "hub.hpp"
#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Ended {
    int code = -1;
    std::string text;
};

Ended shell(const std::string& line) {
    Ended ended;
    std::FILE* const pipe = ::popen((line + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return ended;
    std::array<char, 4096> part{};
    for (std::size_t n = 0; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;)
        ended.text.append(part.data(), n);
    ended.code = ::pclose(pipe);
    return ended;
}

std::string metrics(const House& house) { return house.api("GET", "/metrics").text; }

TEST(Metrics, SayWhatHappenedAndPromtoolFindsNoFault) {
    House house;
    house.seed("shop/products", 30);
    house.configure(shop({"[product]"}) + office({"[product]"}));
    house.start();
    house.run("shop");
    house.run("office");
    const std::string text = metrics(house);
    EXPECT_THAT(text, AllOf(HasSubstr("liaison_runs_total{integration=\"shop\",status=\"success\"} 1\n"),
                            HasSubstr("liaison_records_total{integration=\"shop\",entity=\"product\","
                                      "action=\"created\"} 30\n"),
                            HasSubstr("liaison_records_total{integration=\"office\",entity=\"product\","
                                      "action=\"exported\"} 30\n"),
                            HasSubstr("liaison_http_requests_total{integration=\"shop\",code=\"200\"}"),
                            HasSubstr("liaison_run_duration_seconds_count 2\n")));
    for (const std::string name :
         {"liaison_http_duration_seconds_count", "liaison_store_commit_seconds_count",
          "liaison_breaker_state{integration=\"shop\"} 0", "liaison_dead_letters{integration=\"shop\"} 0",
          "liaison_intents_in_doubt{integration=\"office\"} 0",
          "liaison_worker_restarts_total{plugin=\"custom_api\"} 0", "liaison_build_info{version=",
          "liaison_alerts{severity=\"critical\"} 0", "process_resident_memory_bytes", "process_open_fds"})
        EXPECT_THAT(text, HasSubstr(name));
    const std::filesystem::path file = house.root() / "metrics.txt";
    std::ofstream(file) << text;
    const Ended checked = shell("promtool check metrics < " + file.string());
    EXPECT_EQ(checked.code, 0) << checked.text << text;
    EXPECT_EQ(checked.text, "");
}

TEST(Metrics, TheExampleRulesForPrometheusDoWhatTheySay) {
    const std::string rules = paths::source("etc/prometheus/liaison.rules");
    const Ended checked = shell("promtool check rules " + rules + ".yml");
    EXPECT_EQ(checked.code, 0) << checked.text;
    const Ended tested = shell("promtool test rules " + rules + ".test.yml");
    EXPECT_EQ(tested.code, 0) << tested.text;
}

}  // namespace
}  // namespace liaison_system
