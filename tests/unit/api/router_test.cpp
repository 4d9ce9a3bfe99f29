// The table of routes, and the document that it makes of itself.
#include "api_house.hpp"

namespace liaisond::api {
namespace {

TEST(Router, ALiteralBeatsAParameterAndNumbersAreNumbers) {
    Router router;
    const auto add = [&](const char* method, const char* pattern) {
        router.add({.method = method, .pattern = pattern, .summary = "", .handle = [](Call&) {}});
    };
    add("GET", "/letters/{letter:dead_letter}");
    add("POST", "/letters/replay");
    add("POST", "/letters/{name}");
    add("GET", "/files/{path*}");
    EXPECT_EQ(router.find("POST", {"letters", "replay"}).route->pattern, "/letters/replay");
    EXPECT_EQ(router.find("POST", {"letters", "7"}).route->pattern, "/letters/{name}");
    EXPECT_EQ(router.find("GET", {"letters", "7"}).parameters.at("letter"), "7");
    EXPECT_EQ(router.find("HEAD", {"letters", "7"}).route->method, "GET");
    for (const char* wrong : {"0", "-1", "x", "7x", "99999999999999999999"})
        EXPECT_EQ(router.find("GET", {"letters", wrong}).route, nullptr) << wrong;
    EXPECT_EQ(router.find("GET", {"files", "a", "b"}).parameters.at("path"), "a/b");
    EXPECT_EQ(router.find("GET", {"files"}).route, nullptr);
    EXPECT_EQ(router.find("DELETE", {"letters", "7"}).route, nullptr);
    EXPECT_EQ(router.find("DELETE", {"letters", "replay"}).allowed,
              (std::vector<std::string>{"POST", "POST"}));
    EXPECT_TRUE(router.find("GET", {"nothing"}).allowed.empty());
    EXPECT_THROW(add("GET", "/files/{path*}"), std::logic_error);
}

using Document = ApiHouse;

TEST_F(Document, AWrongMethodIsToldTheRightOnes) {
    const web::Answer refused = answer_to("DELETE", "integrations/shop/schedule");
    EXPECT_EQ(refused.status, 405u);
    EXPECT_EQ(header(refused, "Allow"), "GET, HEAD");
    EXPECT_EQ(ask("BREW", "runs").first, 405u);
    EXPECT_EQ(ask("GET", "unicorns").first, 404u);
    EXPECT_EQ(ask("GET", "unicorns").second.at("type"), "urn:liaison:problem:not-found");
}

TEST_F(Document, WhatARouteDoesNotKnowIsRefused) {
    EXPECT_EQ(ask("GET", "runs?limt=3").second.at("detail"), "limt is not known here; did you mean 'limit'?");
    for (const char* wrong : {"runs?limit=0", "runs?limit=x", "runs?limit=1001", "runs?limit=1&limit=2",
                              "runs?status=fine", "logs?since=yesterday", "runs?before=-1"})
        EXPECT_EQ(ask("GET", wrong).first, 400u) << wrong;
    EXPECT_EQ(ask("POST", "integrations/shop/sync?full=yes").first, 400u);
    EXPECT_EQ(ask("POST", "integrations/shop/suspend", R"({"for":"ever"})").first, 400u);
    EXPECT_EQ(ask("POST", "tokens", R"({"name":"x","scop":"read"})").first, 422u);
    const json::object told = ask("POST", "tokens", R"({"name":"x","days":4000})").second;
    EXPECT_EQ(told.at("errors").at(0).at("pointer"), "/days");
}

// Every $ref leads somewhere, every operation says who may and what it answers.
TEST_F(Document, IsWhole) {
    const json::object document = ask("GET", "/api/openapi.json").second;
    EXPECT_EQ(document.at("openapi"), "3.1.0");
    const json::object& schemas = document.at("components").at("schemas").as_object();
    const std::string text = json::serialize(document);
    const std::string mark = "\"#/components/schemas/";
    std::size_t references = 0;
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + 1), ++references) {
        const std::string name =
            text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
        EXPECT_TRUE(schemas.contains(name)) << name;
    }
    EXPECT_GT(references, 50u);
    std::size_t operations = 0;
    for (const auto& [path, item] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : item.as_object()) {
            ++operations;
            EXPECT_FALSE(operation.at("summary").as_string().empty()) << path;
            EXPECT_TRUE(access::parse_scope(std::string(operation.at("x-scope").as_string()))) << path;
        }
    }
    EXPECT_EQ(operations, api.router().routes().size());
}

json::value for_checking(json::value schema) {
    std::string text = json::serialize(schema);
    const std::string from = "#/components/schemas/";
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
        text.replace(at, from.size(), "#/$defs/");
    return json::parse(text);
}

// What is answered is what the document says: every GET, and the problem of every route asked for nothing.
TEST_F(Document, TellsTheTruth) {
    shop.names = {{1, "Soap"}, {2, "Towel"}};
    house.run("shop");
    (void)token("read");
    const json::object document = ask("GET", "/api/openapi.json").second;
    const json::value definitions = for_checking(document.at("components").at("schemas"));
    const auto faults = [&](const json::value& schema, const json::value& answer) {
        json::object whole{{"$defs", definitions}, {"anyOf", json::array{for_checking(schema)}}};
        auto compiled = Schema::compile(whole);
        if (!compiled) return compiled.error().message;
        const auto found = compiled->check(answer);
        return found.empty() ? std::string() : found.front().pointer + " " + found.front().message;
    };
    const std::map<std::string, std::string> named{
        {"integration", "shop"}, {"run", "1"}, {"entity", "product"}};
    std::size_t checked = 0;
    for (const auto& [path, item] : document.at("paths").as_object()) {
        const json::value* operation = item.as_object().if_contains("get");
        std::string target(path);
        bool is_known = operation != nullptr;
        for (std::size_t at = target.find('{'); at != std::string::npos; at = target.find('{')) {
            const std::string name = target.substr(at + 1, target.find('}') - at - 1);
            const auto value = named.find(name);
            is_known = is_known && value != named.end();
            target.replace(at, target.find('}') - at + 1, value == named.end() ? "1" : value->second);
        }
        if (!is_known) continue;
        const web::Answer heard = answer_to("GET", "/api/v1" + target);
        if (heard.stream || heard.status == 404) continue;
        ASSERT_EQ(heard.status, 200u) << target << heard.body;
        ++checked;
        EXPECT_EQ(
            faults(operation->at("responses").at("200").at("content").at("application/json").at("schema"),
                   json::parse(heard.body)),
            "")
            << target << "\n"
            << heard.body;
    }
    EXPECT_GE(checked, 15u);
    EXPECT_EQ(faults(definitions.at("Problem"), ask("GET", "runs?limit=0").second), "");
}

// ---- streams
// -----------------------------------------------------------------------------------------------

TEST_F(Document, ARunIsWatchedToItsEnd) {
    shop.names = {{1, "Soap"}};
    const auto run = std::to_string(ask("POST", "integrations/shop/sync").second.at("run").as_int64());
    const web::Answer events = answer_to("GET", "runs/" + run + "/events");
    EXPECT_EQ(events.type, "text/event-stream");
    const std::string text = stream_of(events);
    EXPECT_NE(text.find("event: end\ndata: {\"id\":" + run), std::string::npos) << text;
    EXPECT_NE(text.find("\"status\":\"success\""), std::string::npos);
    EXPECT_EQ(answer_to("GET", "runs/999/events").status, 404u);
    EXPECT_NE(stream_of(answer_to("GET", "runs/" + run + "/events")).find("event: end"), std::string::npos)
        << "afterwards, too";
}

TEST_F(Document, TheLogIsPagedAndExported) {
    for (int i = 1; i <= 7; ++i)
        shop.names[i] = i == 3 ? "=cmd|' /C calc'!A0" : "Soap, \"mild\" " + std::to_string(i);
    house.run("shop");
    std::vector<std::string> seen;
    std::string before;
    do {
        const json::object page = ask("GET", "logs?limit=3" + before).second;
        for (const json::value& one : page.at("items").as_array())
            seen.push_back(std::string(one.at("external_id").as_string()));
        before = page.at("next").is_null() ? "" : "&before=" + std::string(page.at("next").as_string());
    } while (!before.empty());
    EXPECT_EQ(seen, (std::vector<std::string>{"7", "6", "5", "4", "3", "2", "1"}));
    EXPECT_EQ(ask("GET", "logs?before=x").first, 400u);
    EXPECT_EQ(ask("GET", "logs?direction=export").second.at("items").as_array().size(), 0u);
    EXPECT_EQ(ask("GET", "logs?status=rejected").second.at("items").as_array().size(), 0u);

    const std::string lines = stream_of(answer_to("GET", "logs?format=ndjson"));
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 7);
    EXPECT_EQ(json::parse(lines.substr(0, lines.find('\n'))).at("external_id"), "7");
    const std::string table = stream_of(answer_to("GET", "logs?format=csv&entity=product"));
    EXPECT_TRUE(table.starts_with("at,integration,entity,")) << table;
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 8);
}

TEST_F(Document, StatisticsCountRuns) {
    shop.names = {{1, "Soap"}};
    house.run("shop");
    network.down = true;
    house.run("shop");
    const json::object stats = ask("GET", "stats").second;
    EXPECT_EQ(stats.at("runs"), 2);
    EXPECT_EQ(stats.at("succeeded"), 1);
    EXPECT_EQ(stats.at("failed"), 1);
    EXPECT_EQ(stats.at("success_rate").to_number<double>(), 0.5);
    EXPECT_EQ(stats.at("totals").at("created"), 1);
    EXPECT_EQ(stats.at("integrations").at("total"), 1);
    EXPECT_EQ(ask("GET", "stats?since=2099-01-01T00:00:00Z").second.at("runs"), 0);
}

}  // namespace
}  // namespace liaisond::api
