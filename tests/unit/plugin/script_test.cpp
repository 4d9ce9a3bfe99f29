#include "plugin/script_runner.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>

#include "paths.hpp"
#include "plugin/script.hpp"
#include "plugin/script_compare.hpp"

namespace liaisond::plugin {
namespace {

namespace fs = std::filesystem;

std::string problem(std::string_view text) {
    const auto script = parse_scripts(text, "dir/x.script");
    return script ? "accepted" : script.error().message;
}

TEST(ScriptParser, AnotherJobMayFollowTheEndOfOne) {
    const auto scripts = parse_scripts("config {}\ntest\n> done\npull order\n> done\n", "x.script");
    ASSERT_TRUE(scripts) << scripts.error().message;
    ASSERT_EQ(scripts->size(), 2u);
    EXPECT_EQ(scripts->back().kind, JobKind::pull);
    EXPECT_EQ(scripts->back().config, "{}");
    EXPECT_NE(problem("test\n> sleep 5\npull order\n> done\n").find("after the job"), std::string::npos);
}

TEST(ScriptParser, ReadsEvents) {
    const auto scripts = parse_scripts(
        "webhook [{\"id\": 1, \"type\": \"paid\", \"headers\": {\"X-Shop\": \"7\"}, \"body\": {\"a\": 1}, "
        "\"received\": \"2026-01-01T00:00:01Z\"}, {\"body\": \"text\"}]\n"
        "> emit 2\n>record {\"entity\": \"invoice\"}\n< emitted reject 0 \"no\" lose 1 \"never\"\n"
        "> result 0 ignored\n< recorded\n> done {\"changed\": [\"invoice\"]}\n",
        "x.script");
    ASSERT_TRUE(scripts) << scripts.error().message;
    const Script& script = scripts->front();
    EXPECT_EQ(script.kind, JobKind::webhook);
    const auto& start = std::get<StartEvent>(script.start.body);
    ASSERT_EQ(start.events.size(), 2u);
    EXPECT_EQ(start.events[0].id, "1");
    EXPECT_EQ(start.events[0].type, "paid");
    EXPECT_EQ(start.events[0].headers.at(0), (Header{"X-Shop", "7"}));
    EXPECT_EQ(start.events[0].body, "{\"a\":1}");
    EXPECT_EQ(start.events[0].received_ms, 1767225601000);
    EXPECT_EQ(start.events[1].body, "text");
    const auto& emitted = std::get<EmittedEvent>(script.exchanges.at(0).answer->body);
    EXPECT_EQ(emitted.rejections, (std::vector<Rejection>{{0, "no", false}, {1, "never", true}}));
    const auto& results = std::get<ExpectedResults>(script.exchanges.at(1).expected);
    EXPECT_EQ(results.outcomes.at(0).outcome, LIAISON_OUTCOME_IGNORED);
}

TEST(ScriptParser, ReadsTheWholeGrammar) {
    const auto scripts = parse_scripts(
        "# comment\n\nconfig {\"a\": 1}\npull order cursor=\"a\\\"b\" mode=full page_size=5 "
        "now=2026-01-01T00:00:01Z\n"
        "> GET https://x/a b  Accept: text/plain  auth=basic  mutates  key=k1\n>body {\"x\": 1}\n> GET "
        "https://y/\n"
        "< +500 200 ETag: 7  Link: <a>  {\"id\":  1}\n< error unknown_outcome \"lost\"\n"
        "> emit 1 order pipelined cursor=\"\"\n>record {\"key\": \"1\"}\n< emitted reject 0 \"no\"\n> GET "
        "https://z/\n"
        "< 204\n> sleep 100\n< +1 timer\n> fail rate_limited \"slow\" "
        "retry_after=5\n",
        "x.script");
    ASSERT_TRUE(scripts) << scripts.error().message;
    ASSERT_EQ(scripts->size(), 1u);
    const Script* script = &scripts->front();
    EXPECT_EQ(script->config, "{\"a\": 1}");
    const auto& start = std::get<StartEvent>(script->start.body);
    EXPECT_EQ(start.cursor, "a\"b");
    EXPECT_TRUE(start.full);
    EXPECT_EQ(start.page_size, 5u);
    EXPECT_EQ(script->start.now_ms, 1767225601000);
    ASSERT_EQ(script->exchanges.size(), 5u);
    const auto& http = std::get<ExpectedHttp>(script->exchanges[0].expected);
    ASSERT_EQ(http.requests.size(), 2u);
    EXPECT_EQ(http.requests[0].url, "https://x/a b");
    EXPECT_EQ(http.requests[0].headers.at(0).value, "text/plain");
    EXPECT_EQ(http.requests[0].auth, "basic");
    EXPECT_TRUE(http.requests[0].mutates);
    EXPECT_EQ(http.requests[0].body, "{\"x\": 1}");
    const auto& answers = std::get<HttpEvent>(script->exchanges[0].answer->body).responses;
    EXPECT_EQ(script->exchanges[0].answer->now_ms, 500);
    EXPECT_EQ(answers.at(0).body, "{\"id\":  1}");
    EXPECT_EQ(answers.at(0).headers.at(1).value, "<a>");
    EXPECT_EQ(answers.at(1).error, LIAISON_ERROR_UNKNOWN_OUTCOME);
    const auto& emitted = std::get<EmittedEvent>(script->exchanges[1].answer->body);
    EXPECT_EQ(emitted.rejections.at(0).text, "no");
    EXPECT_TRUE(std::get<ExpectedEmit>(script->exchanges[1].expected).pipelined);
    EXPECT_EQ(script->exchanges[3].answer->now_ms, 101);
    EXPECT_EQ(std::get<ExpectedFail>(script->exchanges[4].expected).retry_after_ms, 5);
}

TEST(ScriptParser, ErrorsSayWhere) {
    EXPECT_EQ(problem("pull order\n> FETCH"), "dir/x.script:2: a request needs a URL");
    EXPECT_EQ(problem("pull order\n< 200"), "dir/x.script:2: an answer to nothing");
    EXPECT_EQ(
        problem("go order"),
        "dir/x.script:1: 'go' is no job; expected config, test, pull, push, find, login, logout or webhook");
    EXPECT_EQ(problem("test\n> GET http://x/\n> done"),
              "dir/x.script:3: the expectation of line 2 is not answered in full");
    EXPECT_EQ(problem("test\n> done\n< 200").find("dir/x.script:3: done and fail end the job"), 0u);
    EXPECT_EQ(problem("test\n> GET http://x/\n< 200 @missing.json"),
              "dir/x.script:3: file dir/missing.json cannot be read");
    EXPECT_EQ(problem("test\n> sleep 5\n< timer"),
              "dir/x.script:3: the script ends before the job: its last expectation is done or fail");
    EXPECT_EQ(problem("pull order\n> emit 1 orders\n"),
              "dir/x.script:2: 'orders' is not the entity of this job");
    EXPECT_EQ(problem("test\n> fail sometimes"),
              "dir/x.script:2: 'sometimes' is no error category; allowed are transient, auth, rate_limited, "
              "invalid_record, conflict, permanent, config, unknown_outcome, internal");
}

TEST(ScriptRunner, ReportsTheFirstDifferenceWithWhatWasAsked) {
    const fs::path path =
        fs::temp_directory_path() / ("liaison_script_" + std::to_string(::getpid()) + ".script");
    std::ofstream(path)
        << "pull order\n> GET https://sample.example/order?after=\n< 200 \"1\"\n> emit 2 order\n"
           "< emitted\n> done\n";
    const auto report = run_script(path, paths::test_plugin("sdk_sample.so"), "");
    fs::remove(path);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->failures.size(), 1u);
    EXPECT_EQ(report->failures[0].find(
                  path.string() + ":4: the number of records differs: expected 2, the connector "
                                  "has 1\nthe connector asked:\n> emit 1 pipelined cursor=\"1\"\n>record {"),
              0u)
        << report->failures[0];
}

TEST(Subset, ComparesDeeply) {
    const auto subset = [](const char* expected, const char* actual) {
        return is_subset(boost::json::parse(expected), boost::json::parse(actual));
    };
    EXPECT_TRUE(subset(R"({"a":{"b":1}})", R"({"a":{"b":1.0,"c":2},"d":3})"));
    EXPECT_FALSE(subset(R"({"a":1})", R"({"b":1})"));
    EXPECT_FALSE(subset("[1]", "[1,2]"));
    EXPECT_TRUE(subset(R"([{"a":1}])", R"([{"a":1,"b":2}])"));
}

}  // namespace
}  // namespace liaisond::plugin
