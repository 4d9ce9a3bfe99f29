#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "http/curl_transport.hpp"
#include "http/file_transport.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::http {
namespace {
namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// A server that answers each connection with the next of its scripted behaviours, and counts the requests it
// got.
class Server {
  public:
    enum class Do { answer_and_keep, answer_then_close_silently, close_after_reading };
    explicit Server(std::vector<Do> script)
        : acceptor_(io_, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)), script_(std::move(script)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // wakes accept, which the thread alone may touch
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int requests() const { return requests_; }

  private:
    void serve() {
        std::size_t next = 0;
        while (next < script_.size()) {
            boost::system::error_code error;
            Tcp::socket socket(io_);
            acceptor_.accept(socket, error);
            if (error) return;
            bool open = true;
            while (open && next < script_.size() && read_request(socket)) {
                const Do act = script_[next++];
                if (act == Do::close_after_reading) break;
                const std::string answer =
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nX-Twice: b\r\n\r\nok";
                asio::write(socket, asio::buffer(answer), error);
                open = act == Do::answer_and_keep;
            }
        }
    }
    bool read_request(Tcp::socket& socket) {
        std::string head;
        boost::system::error_code error;
        char c = 0;
        while (head.find("\r\n\r\n") == std::string::npos) {
            if (asio::read(socket, asio::buffer(&c, 1), error) == 0) return false;
            head += c;
        }
        std::size_t length = 0;
        if (const std::size_t at = head.find("Content-Length: "); at != std::string::npos)
            length = std::stoul(head.substr(at + 16));
        std::string body(length, '\0');
        asio::read(socket, asio::buffer(body), error);
        ++requests_;
        return true;
    }
    asio::io_context io_;
    Tcp::acceptor acceptor_;
    std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::vector<Do> script_;
    std::atomic<int> requests_{0};
    std::thread thread_;
};

Request post(const std::string& url) {
    Request request;
    request.method = "POST";
    request.url = url + "/orders";
    request.body = "{}";
    request.mutates = true;
    request.pool = "test";
    request.timeout = Milliseconds(10'000);
    auto egress = std::make_shared<Egress>();
    egress->origins = {url};
    request.egress = egress;
    return request;
}

Response send(asio::io_context& io, Transport& transport, Request request) {
    std::optional<Response> answer;
    transport.send(std::move(request), [&](Response response) { answer = std::move(response); });
    EXPECT_FALSE(answer) << "a completion never comes from inside the call";
    io.restart();
    while (!answer) io.run_one();
    return std::move(*answer);
}

TEST(CurlTransport, AWriteOnADeadConnectionIsNotSentTwice) {
    Server server(
        {Server::Do::answer_and_keep, Server::Do::close_after_reading, Server::Do::answer_and_keep});
    asio::io_context io;
    CurlTransport transport(io);
    EXPECT_EQ(send(io, transport, post(server.url())).status, 200u);
    // The kept connection dies after the second request was read: libcurl alone would send it again and
    // report success.
    const Response lost = send(io, transport, post(server.url()));
    EXPECT_EQ(lost.failure, Response::Failure::unknown) << lost.error;
    EXPECT_EQ(server.requests(), 2);
}

TEST(CurlTransport, KeepsRepeatedHeaders) {
    Server server({Server::Do::answer_and_keep});
    asio::io_context io;
    CurlTransport transport(io);
    const Response response = send(io, transport, post(server.url()));
    EXPECT_EQ(std::count_if(response.headers.begin(), response.headers.end(),
                            [](const auto& h) { return h.first == "X-Twice"; }),
              2);
    EXPECT_EQ(response.body, "ok");
}

TEST(CurlTransport, NoConnectionMeansNotSent) {
    asio::io_context io;
    Tcp::acceptor taken(io, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    const std::string url = "http://127.0.0.1:" + std::to_string(taken.local_endpoint().port());
    taken.close();
    CurlTransport transport(io);
    const Response response = send(io, transport, post(url));
    EXPECT_EQ(response.failure, Response::Failure::not_sent);
    EXPECT_NE(response.error.find(url), std::string::npos) << response.error;
}

TEST(CurlTransport, RefusesWhatTheIntegrationMayNotReach) {
    asio::io_context io;
    CurlTransport transport(io);
    for (const char* url : {"http://elsewhere.example", "http://127.0.0.1:1", "https://allowed.example",
                            "ftp://allowed.example", "http://user@allowed.example"}) {
        Request request = post("http://allowed.example");
        request.url = std::string(url) + "/x";
        EXPECT_EQ(send(io, transport, std::move(request)).failure, Response::Failure::refused) << url;
    }
}

TEST(Egress, OriginsAreComparedWhole) {
    Egress egress;
    egress.origins = {"https://shop.example/v1", "intranet", "pms.local:8080"};
    EXPECT_TRUE(may_send(egress, "https://shop.example:443/x"));
    EXPECT_TRUE(may_send(egress, "https://SHOP.example/x"));
    EXPECT_FALSE(may_send(egress, "http://shop.example/x"));
    EXPECT_FALSE(may_send(egress, "https://shop.example.evil.test/x"));
    EXPECT_FALSE(may_send(egress, "https://shop.example@evil.test/x"));
    EXPECT_TRUE(may_send(egress, "http://intranet:99/x"));
    EXPECT_TRUE(may_send(egress, "http://pms.local:8080/x"));
    EXPECT_FALSE(may_send(egress, "http://pms.local/x"));
}

class FileTransportTest : public testing::Test {
  protected:
    FileTransportTest() {
        std::filesystem::create_directories(directory.path() + "/in");
        std::filesystem::create_directories(directory.path() + "/outside");
        auto allowed = std::make_shared<Egress>();
        allowed->folders = {directory.path() + "/in"};
        egress = allowed;
    }
    Response ask(const std::string& method, const std::string& path, Headers headers = {},
                 const std::string& body = {}) {
        Request request;
        request.method = method;
        request.url = "file://" + directory.path() + path;
        request.headers = std::move(headers);
        request.body = body;
        request.mutates = method != "GET";
        request.egress = egress;
        return perform_file_request(request);
    }
    sync_test::TempDir directory;
    std::shared_ptr<const Egress> egress;
};

TEST_F(FileTransportTest, WritesListsReadsRangesAndMoves) {
    EXPECT_EQ(ask("PUT", "/in/a%20b.csv", {}, "0123456789").status, 201u);
    const Response list = ask("GET", "/in/");
    EXPECT_EQ(boost::json::parse(list.body).at(0).at("name").as_string(), "a b.csv");
    EXPECT_EQ(boost::json::parse(list.body).at(0).at("size").as_int64(), 10);
    const Response range = ask("GET", "/in/a%20b.csv", {{"Range", "bytes=2-4"}});
    EXPECT_EQ(range.status, 206u);
    EXPECT_EQ(range.body, "234");
    EXPECT_EQ(ask("GET", "/in/a%20b.csv", {{"Range", "bytes=10-"}}).status, 416u);
    EXPECT_EQ(ask("MOVE", "/in/a%20b.csv", {{"Destination", "file://" + directory.path() + "/in/done/a.csv"}})
                  .status,
              201u);
    EXPECT_EQ(ask("GET", "/in/done/a.csv").body, "0123456789");
    EXPECT_EQ(ask("GET", "/in/a%20b.csv").status, 404u);
}

TEST_F(FileTransportTest, NothingIsOverwrittenUnasked) {
    EXPECT_EQ(ask("PUT", "/in/x", {{"If-None-Match", "*"}}, "first").status, 201u);
    EXPECT_EQ(ask("PUT", "/in/x", {{"If-None-Match", "*"}}, "second").status, 412u);
    EXPECT_EQ(ask("GET", "/in/x").body, "first");
    ask("PUT", "/in/y", {}, "other");
    EXPECT_EQ(ask("MOVE", "/in/y", {{"Destination", "file://" + directory.path() + "/in/x"}}).status, 412u);
    EXPECT_EQ(ask("GET", "/in/y").body, "other");
}

TEST_F(FileTransportTest, AChangedFileIsNoticed) {
    ask("PUT", "/in/x", {}, "one");
    std::string etag;
    for (const auto& [name, value] : ask("GET", "/in/x").headers) etag = name == "ETag" ? value : etag;
    EXPECT_EQ(ask("GET", "/in/x", {{"If-Match", etag}}).status, 200u);
    ask("PUT", "/in/x", {}, "two!");
    EXPECT_EQ(ask("GET", "/in/x", {{"If-Match", etag}}).status, 412u);
}

TEST_F(FileTransportTest, NoWayOutOfTheFolder) {
    std::ofstream(directory.path() + "/outside/secret") << "secret";
    std::filesystem::create_symlink(directory.path() + "/outside", directory.path() + "/in/link");
    std::filesystem::create_symlink(directory.path() + "/outside/secret", directory.path() + "/in/secret");
    for (const char* path : {"/outside/secret", "/in/../outside/secret", "/in/%2e%2e/outside/secret",
                             "/in/link/secret", "/in/secret", "/inside"}) {
        const Response response = ask("GET", path);
        EXPECT_NE(response.body, "secret") << path;
        EXPECT_TRUE(response.failure == Response::Failure::refused || response.status >= 400) << path;
    }
    ask("PUT", "/in/x", {}, "x");
    EXPECT_EQ(ask("MOVE", "/in/x", {{"Destination", "file://" + directory.path() + "/outside/x"}}).failure,
              Response::Failure::refused);
    EXPECT_EQ(ask("PUT", "/in/link/x", {}, "x").failure, Response::Failure::refused);
}

}  // namespace
}  // namespace liaisond::http
