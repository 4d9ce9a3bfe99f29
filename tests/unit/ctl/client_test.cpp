#include "ctl/client.hpp"

#include <gtest/gtest.h>

#include "ctl/session.hpp"
#include "ctl_fixtures.hpp"

namespace liaisond::ctl {
namespace {

class CtlClient : public ::testing::Test {
  protected:
    Client client() const { return {socket_, "liaisonctl/test"}; }

    TemporaryFolder folder_;
    std::string socket_ = folder_.path() + "/s.sock";
};

TEST_F(CtlClient, BuildsTargets) {
    EXPECT_EQ(api_target({"status"}), "/api/v1/status");
    EXPECT_EQ(api_target({"integrations", "a b/c", "sync"}, {{"full", "true"}, {"entity", ""}}),
              "/api/v1/integrations/a%20b%2Fc/sync?full=true");
    EXPECT_EQ(api_target({"mappings"}, {{"key", "a&b=c"}}), "/api/v1/mappings?key=a%26b=c");
}

TEST_F(CtlClient, SaysWhatToDoWhenThereIsNoDaemon) {
    const auto answer = client().get("/api/v1/status");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Client::unreachable);
    EXPECT_EQ(answer.error().message, "liaisond is not running (no answer on " + socket_ +
                                          ": No such file or directory); start it with: "
                                          "systemctl start liaisond, or give --socket or --config");
}

TEST_F(CtlClient, ASocketWithoutDaemonAndATooLongPathAreErrorsToo) {
    folder_.write("s.sock", "");
    EXPECT_NE(client().get("/").error().message.find("Connection refused"), std::string::npos);
    EXPECT_EQ(Client(std::string(200, 'x'), "t").get("/").error().code, Client::unreachable);
}

TEST_F(CtlClient, GetsAndPosts) {
    StubDaemon daemon(socket_, [](const std::string& line) {
        return http_answer("200 OK", R"({"line": ")" + line + "\"}");
    });
    EXPECT_EQ(client().get("/a").value().at("line").as_string(), "GET /a");
    EXPECT_EQ(client().post("/b?x=1").value().at("line").as_string(), "POST /b?x=1");
}

TEST_F(CtlClient, TellsProblems) {
    StubDaemon daemon(socket_, [](const std::string&) {
        return http_answer(
            "422 Unprocessable",
            R"({"type":"about:blank","status":422,"detail":"not reloaded","errors":[{"detail":"a.yaml:1:1: x"},{"detail":"b"}]})",
            "application/problem+json");
    });
    Client one = client();
    const auto answer = one.post("/api/v1/reload");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message, "not reloaded\n  a.yaml:1:1: x\n  b");
    EXPECT_EQ(answer.error().code, Client::refused);
    EXPECT_EQ(one.problem().at("status").as_int64(), 422);
}

TEST_F(CtlClient, TellsRefusalsWithoutAnyText) {
    StubDaemon daemon(socket_, [](const std::string&) { return http_answer("503 Unavailable", ""); });
    EXPECT_EQ(client().get("/").error().message, "liaisond answered with status 503");
}

TEST_F(CtlClient, ReadsChunkedAndLongAnswers) {
    const std::string text(3'000'000, 'x');
    StubDaemon daemon(socket_, [&](const std::string& line) -> std::string {
        if (line == "GET /long") return http_answer("200 OK", "\"" + text + "\"");
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n: "
               "1\r\n1\r\n}\r\n0\r\n\r\n";
    });
    EXPECT_EQ(client().get("/chunked").value().at("a").as_int64(), 1);
    EXPECT_EQ(client().get("/long").value().as_string().size(), text.size());
}

TEST_F(CtlClient, DoesNotWaitForEver) {
    StubDaemon daemon(socket_, [](const std::string&) { return std::string(); });
    const auto answer = client().get("/", Milliseconds(50));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Client::unreachable);
    EXPECT_NE(answer.error().message.find("does not answer (waited 50 ms"), std::string::npos)
        << answer.error().message;
}

TEST_F(CtlClient, RefusesWhatIsNotJsonOrNotWhole) {
    StubDaemon daemon(socket_, [](const std::string& line) -> std::string {
        return line == "GET /html" ? http_answer("200 OK", "<html>")
                                   : "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{";
    });
    EXPECT_NE(client().get("/html").error().message.find("is not JSON"), std::string::npos);
    EXPECT_NE(client().get("/cut").error().message.find("broke off"), std::string::npos);
}

// ---- whole commands against the stub ----

TEST_F(CtlClient, FollowsARunToItsEnd) {
    std::atomic<int> polls{0};
    StubDaemon daemon(socket_, [&](const std::string& line) {
        if (line == "POST /api/v1/integrations/shop/sync?full=true")
            return http_answer("202 Accepted", R"({"run": 17})");
        const bool over = ++polls > 1;
        return http_answer(
            "200 OK",
            std::string(R"({"id": 17, "integration": "shop", "status": ")") + (over ? "partial" : "running") +
                R"(", "duration_ms": 900, "requests": 1, "bytes": 10, "error": "", "entities": [], "totals": {"rejected": 1}})");
    });
    const Spoken said = spoken({"run", "shop", "--full", "--wait", "--socket", socket_});
    EXPECT_EQ(said.code, fine) << said.error;
    EXPECT_NE(said.out.find("Run 17 of shop succeeded, but not for every record after 900 ms"),
              std::string::npos)
        << said.out;
    EXPECT_NE(said.out.find("1 record was rejected; see it with: liaisonctl dead-letters --integration shop"),
              std::string::npos)
        << said.out;
    EXPECT_EQ(said.out.find('\x1b'), std::string::npos);
}

TEST_F(CtlClient, ExitCodesTellWhatHappened) {
    StubDaemon daemon(socket_, [](const std::string& line) -> std::string {
        if (line == "POST /api/v1/integrations/shop/test")
            return http_answer("200 OK", R"({"ok": false, "output": null, "error": "401"})");
        return http_answer("404 Not Found", R"({"detail": "there is no integration 'x'"})",
                           "application/problem+json");
    });
    EXPECT_EQ(spoken({"integrations", "test", "shop", "--socket", socket_}).code, failed);
    const Spoken absent = spoken({"integrations", "show", "x", "--socket", socket_});
    EXPECT_EQ(absent.code, failed);
    EXPECT_EQ(absent.error, "liaisonctl: there is no integration 'x'\n");
    EXPECT_EQ(spoken({"--json", "integrations", "show", "x", "--socket", socket_}).out,
              "{\"detail\":\"there is no integration 'x'\"}\n");
    EXPECT_EQ(spoken({"status", "--socket", socket_ + ".absent"}).code, not_reachable);
    const Spoken slip = spoken({"statsu"});
    EXPECT_EQ(slip.code, misused);
    EXPECT_EQ(slip.error,
              "liaisonctl: there is no command 'statsu'; did you mean 'status'?\nTry: liaisonctl --help\n");
    EXPECT_EQ(spoken({"runs", "show", "abc"}).error,
              "liaisonctl: N: 'abc' is not a whole number from 1\nTry: liaisonctl runs show --help\n");
    EXPECT_EQ(spoken({"--help"}).code, fine);
}

TEST_F(CtlClient, LongListsComeInPages) {
    StubDaemon daemon(socket_, [](const std::string& line) {
        if (line == "GET /api/v1/runs?limit=1000")
            return http_answer("200 OK", R"({"items": [{"id": 2}], "next": "2"})");
        return http_answer("200 OK", line == "GET /api/v1/runs?limit=1000&before=2"
                                         ? R"({"items": [{"id": 1}], "next": null})"
                                         : "{}");
    });
    EXPECT_EQ(spoken({"runs", "--limit", "1500", "--json", "--socket", socket_}).out,
              R"({"items":[{"id":2},{"id":1}],"next":null})"
              "\n");
}

TEST_F(CtlClient, TheSocketComesFromTheConfiguration) {
    StubDaemon daemon(socket_, [](const std::string&) { return http_answer("200 OK", R"({"ok": true})"); });
    const std::string file = folder_.write("liaison.yaml", "daemon:\n  socket: " + socket_ + "\n");
    EXPECT_EQ(spoken({"reload", "--config", file}).out, "The configuration was reloaded.\n");
}

}  // namespace
}  // namespace liaisond::ctl
