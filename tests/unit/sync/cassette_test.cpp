// Recordings of runs: played again without network they are the same to the last character.
#include "plugin/cassette.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/redact.hpp"
#include "paths.hpp"
#include "plugin/script.hpp"
#include "plugin/script_runner.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

constexpr const char* secret = "correct-horse-battery-staple";

class Cassettes : public testing::Test {
  protected:
    World world{1};
    Shop shop;
    Office office;
    SimNetwork network{
        world,
        {{"http://shop.example:80", [this](const http::Request& r) { return answer_of_shop(r); }},
         {"http://office.example:80", [this](const http::Request& r) { return office(r); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};

    // A vendor that repeats the credentials it was given, and hands out a cookie.
    http::Response answer_of_shop(const http::Request& request) {
        http::Response answer = shop(request);
        answer.headers.emplace_back("X-Your-Token", secret);
        answer.headers.emplace_back("Set-Cookie", "session=0123456789abcdef; HttpOnly");
        return answer;
    }
    std::string recorded(const std::string& integration) {
        sync::RunRequest request;
        request.record = true;
        const store::Run run = house.run(integration, request);
        return house.store.database().state("cassette", std::to_string(run.id)).value();
    }
    // What playing it says; empty: the same.
    std::string replay(const std::string& cassette) {
        const std::string path = directory.path() + "/run.cassette";
        std::ofstream(path) << cassette;
        const auto report = plugin::run_script(path, paths::plugin("custom_api.so"), "");
        if (!report) return report.error().message;
        return report->failures.empty() ? std::string() : report->failures.front();
    }
    static std::string changed(std::string text, const std::string& from, const std::string& to) {
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from << " is not in\n" << text;
        return at == std::string::npos ? text : text.replace(at, from.size(), to);
    }
};

TEST_F(Cassettes, ARunPlaysAgainWithoutNetworkAndSecrets) {
    redactor().add(secret);
    for (int id = 1; id <= 25; ++id) shop.names[id] = "Product " + std::to_string(id);
    shop.names[3] = std::string("Paid with 4111 1111 1111 1111, by ") + secret;
    house.start({shop_link(), office_link()});
    const std::string import = recorded("shop"), exported = recorded("office");
    for (const std::string& text : {import, exported}) {
        EXPECT_EQ(text.find(secret), std::string::npos);
        EXPECT_EQ(text.find("4111"), std::string::npos);
        EXPECT_EQ(text.find("0123456789abcdef"), std::string::npos);
        EXPECT_EQ(replay(text), "") << text.substr(0, 3000);
    }
    EXPECT_NE(import.find("Paid with 9000 0000 0000 1111, by ***"), std::string::npos);
    EXPECT_NE(import.find("session=redacted-1"), std::string::npos);
    const auto jobs = plugin::parse_scripts(exported, "x").value();
    EXPECT_EQ(jobs.size(), 4u) << "25 records in batches of 7";
    // Whatever is changed, the play says where.
    const std::string other = replay(changed(import, R"({"name":"Product 7")", R"({"name":"Product 8")"));
    EXPECT_NE(other.find("the recording differs"), std::string::npos) << other;
    EXPECT_NE(other.find("Product 8"), std::string::npos) << other;
    EXPECT_NE(replay(changed(import, "&page=2", "&page=3")).find("page=2"), std::string::npos);
    EXPECT_NE(replay(changed(exported, R"("flags":1)", R"("flags":0)")).find("the recording differs"),
              std::string::npos);
    EXPECT_NE(replay(changed(exported, R"({"id":"O1"})", R"({"id":"O9"})")).find("O9"), std::string::npos);
}

TEST_F(Cassettes, OfRunsThatFailedOrWereCutShort) {
    for (int id = 1; id <= 60; ++id) shop.names[id] = "Product " + std::to_string(id);
    house.start({shop_link()});
    network.down = true;
    EXPECT_EQ(replay(recorded("shop")), "");
    network.down = false;
    sync::RunRequest request;
    request.record = true;
    std::int64_t run = 0;
    const auto begin = [&] {
        const std::uint64_t before = network.requests;
        house.engine->trigger("shop", request, [&](Result<std::int64_t> id) { run = id.value_or(-1); });
        world.run_until([&] { return network.requests == before + 3; }, std::chrono::hours(1));
    };
    const auto end = [&] {
        world.run_until([&] { return !house.engine->live_run(run); }, std::chrono::hours(1));
        return house.store.database().state("cassette", std::to_string(run)).value();
    };
    begin();
    ASSERT_TRUE(house.engine->cancel(run));
    const std::string cancelled = end();
    EXPECT_NE(cancelled.find(" cancel\n"), std::string::npos) << cancelled;
    EXPECT_EQ(replay(cancelled), "");
    begin();
    house.engine->stop(Milliseconds(20'000), [] {});
    const std::string cut = end();
    EXPECT_NE(cut.find("< cut"), std::string::npos) << cut;
    EXPECT_EQ(replay(cut), "");
}

TEST_F(Cassettes, TheNewestAreKept) {
    shop.names[1] = "Product";
    house.start({shop_link()});
    for (int i = 0; i < 12; ++i) EXPECT_NE(recorded("shop"), "");
    EXPECT_EQ(house.store.database().states("cassette").value().size(), 10u);
    EXPECT_EQ(house.store.database().state("cassette", "2").value(), "");
    EXPECT_NE(house.store.database().state("cassette", "12").value(), "");
}

TEST_F(Cassettes, WhatWouldBecomeTooLongEndsWithAWord) {
    plugin::Cassette cassette("title", "{}", 400);
    for (int i = 0; i < 3; ++i) {
        plugin::Cassette::Tape tape(cassette, plugin::JobKind::test);
        tape.event({1, plugin::StartEvent{}});
        tape.effect(plugin::DoneEffect{});
    }
    EXPECT_NE(cassette.text().find("The recording ends here"), std::string::npos) << cassette.text();
    EXPECT_TRUE(plugin::parse_scripts(cassette.text(), "x"));
}

TEST(CassetteMask, TokensThatAnswersHandOutBecomePlaceholdersEverywhere) {
    plugin::CassetteMask mask;
    plugin::Response response;
    response.body = R"({"access_token":"a+b/c==secret","next_page_token":"page-two-here"})";
    mask.learn(response);
    EXPECT_EQ(mask.text(response.body), R"({"access_token":"redacted-1","next_page_token":"page-two-here"})");
    EXPECT_EQ(mask.text("https://x.example/?t=a%2Bb%2Fc%3D%3Dsecret"), "https://x.example/?t=redacted-1");
}

TEST(CassetteText, BytesThatAreNoTextComeBackAsTheyWere) {
    plugin::Cassette cassette("title", "{}", 1 << 20);
    plugin::Event event{12, plugin::HttpEvent{{plugin::Response{}, plugin::Response{}}}};
    auto& responses = std::get<plugin::HttpEvent>(event.body).responses;
    responses[0].status = 200;
    responses[0].headers = {{"A", "b\r\n"}};
    responses[0].body = std::string("\xff\x00\x01", 3);
    responses[1].error = LIAISON_ERROR_TRANSIENT;
    responses[1].error_text = "line\nline";
    responses[1].body = R"({"b":1,"a":[1.5,{"$hex":"00"}]})";
    plugin::StartEvent start;
    start.entity = "order";
    start.cursor = "{\"next\": 1 }";
    start.full = true;
    start.from_ms = 5;
    start.seed[31] = 7;
    start.records = {{true, "k", "v", R"({"a":1})", "r", 12}};
    start.queries = {{"r", "k"}};
    const plugin::Event begin{5, start};
    {
        plugin::Cassette::Tape tape(cassette, plugin::JobKind::pull);
        tape.event(begin);
        plugin::HttpEffect http;
        http.requests.resize(2);
        http.requests[0].method = http.requests[1].method = "GET";
        tape.effect(http);
        tape.event(event);
        tape.effect(plugin::SleepEffect{5});
    }
    const auto scripts = plugin::parse_scripts(cassette.text(), "x");
    ASSERT_TRUE(scripts) << scripts.error().message << cassette.text();
    EXPECT_EQ(scripts->front().start, begin);
    plugin::Event read = *scripts->front().exchanges.at(0).answer;
    read.now_ms += begin.now_ms;
    EXPECT_EQ(read, event);
    EXPECT_FALSE(scripts->front().exchanges.at(1).answer);
}

}  // namespace
}  // namespace liaisond::sync_test
