#include "web/head.hpp"

#include <gtest/gtest.h>

namespace liaisond::web {
namespace {

// ---- the bytes -----------------------------------------------------------------------------------------

unsigned raw(std::string_view head) {
    const auto fault = check_raw_head(head);
    return fault ? fault->status : 0;
}

TEST(RawHead, PlainOnesPass) {
    EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: a\r\nX-Text: \xc3\xa9\tb\r\n\r\n"), 0u);
    EXPECT_EQ(raw("POST /x HTTP/1.1\r\nHost:a\r\nEmpty:\r\n\r\n"), 0u);
}

TEST(RawHead, FoldsControlsAndOddLineEndsDoNot) {
    for (const std::string_view head : {
             "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",  // obs-fold
             "GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n",
             "GET / HTTP/1.1\nHost: a\r\n\r\n",       // bare LF
             "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",  // bare CR
             "GET / HTTP/1.1\r\nHost : a\r\n\r\n",    // blank before the colon
             "GET / HTTP/1.1\r\n: a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost\r\n\r\n",
             "GET / HTTP/1.1\r\nX: \x7f\r\n\r\n",
             "GET / HTTP/1.1\r\nTransfer-Encoding\x0b: chunked\r\n\r\n",
         })
        EXPECT_EQ(raw(head), 400u) << head;
    EXPECT_EQ(raw(std::string_view("GET / HTTP/1.1\r\nX: \0\r\n\r\n", 24)), 400u);
}

TEST(RawHead, HasAtMostAHundredFields) {
    std::string head = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 100; ++i) head += "X: 1\r\n";
    EXPECT_EQ(raw(head + "\r\n"), 0u);
    EXPECT_EQ(raw(head + "X: 1\r\n\r\n"), 431u);
}

// ---- the fields ------------------------------------------------------------------------------------------

using Headers = std::vector<std::pair<std::string, std::string>>;

unsigned judged(const std::string& method, Headers headers, int minor = 1, const std::string& target = "/x") {
    Request request;
    request.method = method;
    request.target = target;
    request.headers = std::move(headers);
    request.headers.emplace_back("Host", "a");
    BodyPlan plan;
    const auto fault = check_head(request, minor, plan);
    return fault ? fault->status : 0;
}

TEST(Head, BodiesAreAnnouncedInOneWay) {
    EXPECT_EQ(judged("POST", {{"Content-Length", "5"}}), 0u);
    EXPECT_EQ(judged("POST", {{"transfer-encoding", "Chunked"}}), 0u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}), 400u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "5"}, {"Content-Length", "5"}}), 400u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "5, 5"}}), 400u);
    for (const char* odd : {"+5", "-5", "0x5", "5 ", "", "99999999999999999999999", "1e3"})
        EXPECT_EQ(judged("POST", {{"Content-Length", odd}}), 400u) << odd;
    for (const char* odd : {"gzip, chunked", "chunked, chunked", "identity", "chunked;q=1", "xchunked"})
        EXPECT_EQ(judged("POST", {{"Transfer-Encoding", odd}}), 501u) << odd;
    EXPECT_EQ(judged("POST", {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}}), 400u);
    EXPECT_EQ(judged("POST", {{"Transfer-Encoding", "chunked"}}, 0), 400u) << "HTTP/1.0";
}

TEST(Head, WhatSomeProxyMightReadAnotherWay) {
    EXPECT_EQ(judged("GET", {{"Content-Length", "1"}}), 400u);
    EXPECT_EQ(judged("GET", {{"Content-Length", "0"}}), 0u);
    EXPECT_EQ(judged("GET", {{"Transfer-Encoding", "chunked"}}), 400u);
    EXPECT_EQ(judged("GET", {{"Host", "b"}}), 400u) << "two hosts";
    EXPECT_EQ(judged("GET", {{"Upgrade", "h2c"}}), 400u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "1"}, {"Trailer", "X"}}), 400u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "1"}, {"Content-Encoding", "gzip"}}), 415u);
    EXPECT_EQ(judged("POST", {{"Content-Length", "1"}, {"Expect", "200-ok"}}), 417u);
    EXPECT_EQ(judged("GET", {}, 1, "http://a/x"), 400u) << "absolute form";
    EXPECT_EQ(judged("OPTIONS", {}, 1, "*"), 400u);
    for (const char* method : {"TRACE", "CONNECT", "get", "PROPFIND"})
        EXPECT_EQ(judged(method, {}), 501u) << method;
    Request without;
    without.method = "GET";
    without.target = "/";
    BodyPlan plan;
    EXPECT_EQ(check_head(without, 1, plan)->status, 400u) << "no host";
}

TEST(Head, HostsAreThoseOfTheConfiguration) {
    const std::set<std::string, std::less<>> allowed{"hub.example", "127.0.0.1", "[::1]"};
    for (const char* host : {"hub.example", "HUB.example:8480", "127.0.0.1:1", "[::1]", "[::1]:8480"})
        EXPECT_TRUE(is_host_allowed(host, allowed)) << host;
    for (const char* host :
         {"evil.example", "hub.example.evil", "hub.example:x", "", "hub.example:80:90", "[::2]:1"})
        EXPECT_FALSE(is_host_allowed(host, allowed)) << host;
}

// ---- targets ---------------------------------------------------------------------------------------------

unsigned targeted(const std::string& target, Request* into = nullptr) {
    Request request;
    request.target = target;
    const auto fault = parse_target(request);
    if (into != nullptr) *into = request;
    return fault ? fault->status : 0;
}

TEST(Target, IsDecodedBySegment) {
    Request request;
    EXPECT_EQ(targeted("/api/v1/records/caf%C3%A9?since=a%2Bb&x=1&x=2", &request), 0u);
    EXPECT_EQ(request.path, (std::vector<std::string>{"api", "v1", "records", "caf\xc3\xa9"}));
    EXPECT_EQ(request.query.find("since")->second, "a+b");
    EXPECT_EQ(request.query.count("x"), 2u);
    EXPECT_EQ(targeted("/", &request), 0u);
    EXPECT_TRUE(request.path.empty());
}

TEST(Target, LeadsNowhereElse) {
    for (const char* target : {"/../etc/passwd", "/a/./b", "/a/%2e%2e/b", "/a%2f..%2fb", "/a%5cb", "/a%00b",
                               "/%ff", "/a?x=%ff", "/a%", "/a b", "//\\x"})
        EXPECT_EQ(targeted(target), 400u) << target;
}

}  // namespace
}  // namespace liaisond::web
