// What is sent to the daemon from a hotel's network by somebody who means it harm: it lives on, takes no more
// memory than it may, and answers everybody else.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <utility>
#include <vector>

#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t most_memory_kb = 400 * 1024;
constexpr int most_connections = 1024, most_per_address = 64, most_strangers = 8;  // web/server.hpp

// One of many clients on this machine, which all have addresses of their own.
std::string address_of(int client) {
    return "127.7." + std::to_string(client / 250) + "." + std::to_string(client % 250 + 1);
}

// A connection that nothing makes polite.
class Line {
  public:
    Line(std::uint16_t port, const std::string& from)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{}, to{};
        own.sin_family = to.sin_family = AF_INET;
        ::inet_pton(AF_INET, from.c_str(), &own.sin_addr);
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        constexpr timeval soon{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
        is_open_ = socket_ >= 0 && ::bind(socket_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0 &&
                   ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    Line(Line&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), is_open_(std::exchange(other.is_open_, false)) {}
    Line& operator=(Line&&) = delete;
    ~Line() {
        if (socket_ >= 0) ::close(socket_);
    }

    bool is_open() const { return is_open_; }
    bool send(std::string_view bytes) {
        while (is_open_ && !bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return is_open_;
    }
    // All until the other side closes, or says nothing for twenty seconds.
    std::string rest() {
        std::string all;
        char buffer[65536];
        for (ssize_t got = 0; (got = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;)
            all.append(buffer, static_cast<std::size_t>(got));
        return all;
    }
    bool has_answer() const { return readable_bytes() > 0; }
    bool is_closed() const { return !is_open_ || readable_bytes() == 0; }

  private:
    // 0: closed; less: still nothing.
    ssize_t readable_bytes() const {
        char byte = 0;
        const ssize_t got = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && errno != EAGAIN && errno != EWOULDBLOCK ? 0 : got;
    }
    int socket_;
    bool is_open_ = false;
};

std::size_t answers_in(const std::string& heard) {
    std::size_t count = 0;
    for (std::size_t at = heard.find("HTTP/1.1 "); at != heard.npos; at = heard.find("HTTP/1.1 ", at + 1))
        ++count;
    return count;
}

class Abuse : public testing::Test {
  protected:
    void SetUp() override {
        house.daemon_section = "  listen: 127.0.0.1:0\n  hosts: [hub.example]\n";
        house.configure(shop({"[product]"}));
        ASSERT_NO_FATAL_FAILURE(start());
        const House::Told told = house.ctl("--json token create till --scope admin");
        ASSERT_EQ(told.code, 0) << told.text;
        token = text_of(json::parse(told.text).as_object(), "token");
    }
    void start() {
        const std::string before = house.log(), mark = "the API listens port=";
        house.start();
        const auto listens = [&] { return house.log().find(mark, before.size()) != std::string::npos; };
        ASSERT_TRUE(until(listens)) << house.log();
        const std::string log = house.log();
        port = static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(mark) + mark.size())));
    }
    void TearDown() override {
        expect_well();
        EXPECT_TRUE(house.daemon().is_running());
    }

    Reply ask(const std::string& method, const std::string& target, const std::string& body = {}) const {
        return ask_port(port, {method, target, body, "Authorization: Bearer " + token + "\r\n"});
    }
    // An honest client is answered within a second (of three attempts one: the machine may be busy), and the
    // daemon has never had more memory than it may.
    void expect_well() {
        using Clock = std::chrono::steady_clock;
        ASSERT_TRUE(house.daemon().is_running()) << house.last_lines();
        const bool is_served = until(
            [&] {
                const auto begun = Clock::now();
                const Reply reply = ask("GET", "/api/v1/integrations");
                return reply.status == 200 && Clock::now() - begun < std::chrono::seconds(1);
            },
            std::chrono::seconds(3));
        EXPECT_TRUE(is_served) << house.last_lines();
        EXPECT_LT(memory_kb(), most_memory_kb);
    }
    // At its most, since the daemon began.
    std::int64_t memory_kb() {
        std::ifstream file("/proc/" + std::to_string(house.daemon().pid()) + "/status");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
        }
        return most_memory_kb;
    }
    std::string told(const std::string& bytes, int client = 0) const {
        Line line(port, address_of(client));
        line.send(bytes);
        return line.rest();
    }
    // As many connections as one server takes, less the room that honest clients need.
    std::vector<Line> crowd(int size) const {
        std::vector<Line> lines;
        for (int i = 0; i < size; ++i) lines.emplace_back(port, address_of(i / most_per_address));
        return lines;
    }

    House house;
    std::uint16_t port = 0;
    std::string token;
};

TEST_F(Abuse, WhoSendsAByteNowAndThenHoldsUpNobody) {
    std::vector<Line> slow = crowd(most_connections - most_per_address);
    for (std::size_t i = 0; i < slow.size(); ++i)
        slow[i].send(i % 2 == 0 ? "GET /api/v1/integrations HTTP/1.1\r\n" : "POST /login HT");
    const auto all_closed = [&] {
        bool any_open = false;
        for (Line& line : slow) any_open = line.send("x") || any_open;
        expect_well();
        return !any_open;
    };
    EXPECT_FALSE(all_closed());
    EXPECT_TRUE(until(all_closed, std::chrono::seconds(25), milliseconds(500)))
        << "a head has ten seconds, however it trickles in";
}

TEST_F(Abuse, AGibibyteIsRefusedAtItsAnnouncement) {
    for (const char* target : {"/api/v1/tokens", "/api/webhooks/integrations/wholesaler/shop", "/login"}) {
        const std::string heard = told("POST " + std::string(target) +
                                       " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n");
        EXPECT_THAT(heard, StartsWith("HTTP/1.1 413")) << target;
    }
}

TEST_F(Abuse, AGibibyteInChunksIsCutShort) {
    const std::string piece = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    Line line(port, address_of(0));
    line.send("POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::size_t sent = 0;
    for (; sent < (1u << 30) && !line.has_answer(); sent += piece.size()) {
        if (!line.send(piece)) break;
    }
    EXPECT_LT(sent, 64u << 20) << "the answer comes long before the end";
    EXPECT_THAT(line.rest(), StartsWith("HTTP/1.1 413"));
}

// Each promises a body as large as one may be, and does not send it.
TEST_F(Abuse, PromisedBodiesTakeNoRoomFromOthers) {
    const auto put = [&] {
        return ask("PUT", "/api/v1/secrets/small", R"({"value":"of no weight"})").status;
    };
    constexpr int most_promised = 64;
    const auto is_one_too_many = [&] {
        std::vector<Line> promising;
        for (int i = 0; i < 2 * most_promised; ++i)
            promising.emplace_back(port, address_of(i / most_strangers))
                .send("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\nname=");
        EXPECT_EQ(put(), 200u);
        EXPECT_TRUE(until([&] { return promising.back().has_answer(); }));
        EXPECT_EQ(put(), 200u);
        return promising.back().rest().starts_with("HTTP/1.1 503");
    };
    EXPECT_TRUE(until(is_one_too_many))
        << "and told so, unless the machine stood still and the first are gone";
}

TEST_F(Abuse, ABodyThatDripsIsNotWaitedFor) {
    Line line(port, address_of(0));
    line.send("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    int drips = 0;
    const auto is_answered = [&] {
        ++drips;
        return line.has_answer() || !line.send("x");
    };
    EXPECT_TRUE(until(is_answered, patience, milliseconds(100)));
    EXPECT_LT(drips, 200) << "all of a body's time would be three hundred";
    EXPECT_THAT(line.rest(), StartsWith("HTTP/1.1 408"));
}

// Of whom nobody knows who they are: they wait for each other, not for their betters.
TEST_F(Abuse, ACrowdOfUnknownClientsAtOneAddressIsHeldBack) {
    const std::string plain = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::vector<Line> crowd;
    std::string heard;
    const auto is_refused = [&] {
        crowd.clear();
        for (int i = 0; i < most_strangers; ++i)
            crowd.emplace_back(port, address_of(0))
                .send("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nname=");
        heard = told(plain, 0);
        return heard.starts_with("HTTP/1.1 429");
    };
    EXPECT_TRUE(until(is_refused)) << heard;
    EXPECT_THAT(heard, HasSubstr("\r\nRetry-After: "));
    EXPECT_THAT(told(plain, 1), StartsWith("HTTP/1.1 200"));
    expect_well();
    EXPECT_TRUE(until([&] { return told(plain, 0).starts_with("HTTP/1.1 200"); }))
        << "they drip, and are dropped";
}

TEST_F(Abuse, FloodsOfHeaders) {
    std::string many = "GET / HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 120; ++i) many += "X: 1\r\n";
    const std::string large =
                          "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x') + "\r\n\r\n",
                      endless = "GET / HTTP/1.1\r\nX: " + std::string(1u << 20, 'x'),
                      long_target = "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int round = 0; round < 20; ++round) {
        for (const std::string& flood : {many + "\r\n", large, endless, long_target}) {
            const std::string heard = told(flood, round);
            EXPECT_THAT(heard, StartsWith("HTTP/1.1 431")) << flood.substr(0, 60);
            EXPECT_EQ(answers_in(heard), 1u);
        }
    }
}

// A second request stands behind each: no answer to it may come, since nobody knows where it begins.
TEST_F(Abuse, NoRequestHidesInAnother) {
    const std::string host = "Host: localhost\r\n", chunked = "Transfer-Encoding: chunked\r\n",
                      hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const std::string forms[] = {
        "POST /login HTTP/1.1\r\n" + host + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + "Content-Length: 5, 5\r\n\r\nhello",
        "POST /login HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello",
        "POST /login HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + chunked + "\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + "Transfer-Encoding:\x0b" + "chunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.0\r\n" + host + chunked + "\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\nzz\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\n-1\r\nx\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\n1\r\nxx\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\n1;" + std::string(300, 'x') + "\r\nx\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\n" + host + chunked + "\r\n0\r\nX-Admin: yes\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X: 1\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\n" + host + "\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X: 1\nY: 2\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + std::string("X: \0\r\n\r\n", 8),
        "GET / HTTP/1.1\r\n" + host + "Host: other\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\n" + host + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "GET http://localhost/ HTTP/1.1\r\n" + host + "\r\n",
        "CONNECT localhost:22 HTTP/1.1\r\n" + host + "\r\n",
        "TRACE / HTTP/1.1\r\n" + host + "\r\n",
        "GET /healthz\r\n\r\n",
        "GET / HTTP/2.0\r\n" + host + "\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET  /  HTTP/1.1\r\n" + host + "\r\n",
        "\x16\x03\x01\x02\x01\x01\r\n\r\n",
    };
    for (const std::string& form : forms) {
        const std::string heard = told(form + hidden);
        EXPECT_THAT(heard, AnyOf(StartsWith("HTTP/1.1 4"), StartsWith("HTTP/1.1 501"))) << form;
        EXPECT_EQ(answers_in(heard), 1u) << form << "\n" << heard;
        EXPECT_THAT(heard, HasSubstr("Connection: close")) << form;
    }
}

TEST_F(Abuse, PathsLeadNowhereElse) {
    for (const std::string path :
         {"/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/..%2f..%2fetc%2fpasswd",
          "/api/v1/logs/%5c..%5c..%5cetc", "//etc/passwd", "/api/v1/%00", "/api/v1/./status",
          "/%c0%ae%c0%ae/", "/api/v1/records/%ff", "/api/v1/status?x=%ff", "/api/v1/status?%c3%28=1",
          "/api/%", "/api/v1/integrations/..%252f..%252fetc", "/api/v1//status", "/API/V1/status"}) {
        const Reply reply = ask("GET", path);
        EXPECT_THAT(reply.status, AnyOf(400u, 404u)) << path;
        EXPECT_THAT(json::serialize(reply.body), Not(HasSubstr("root:"))) << path;
    }
    const std::string raw = told("GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(raw, StartsWith("HTTP/1.1 400"));
}

TEST_F(Abuse, BodiesThatAreNoJsonOrTooDeep) {
    const auto put = [&](const std::string& body) { return ask("PUT", "/api/v1/secrets/odd", body).status; };
    EXPECT_EQ(put("{\"value\":\"\xff\xfe\"}"), 400u);
    EXPECT_EQ(put("{\"value\":\"\xed\xa0\x80\"}"), 400u) << "half a surrogate pair";
    EXPECT_EQ(put("{\"value\":"), 400u);
    for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
        std::string deep;
        for (int i = 0; i < 100'000; ++i) deep += open;
        std::string whole = deep + "1";
        for (int i = 0; i < 100'000; ++i) whole += close;
        EXPECT_EQ(put(deep), 400u);
        EXPECT_EQ(put(whole), 400u);
        EXPECT_EQ(put("{\"value\":" + whole + "}"), 400u);
        const Reply hook = ask_port(
            port, {"POST", "/api/webhooks/integrations/wholesaler/shop", whole, "X-Signature: 00\r\n"});
        EXPECT_EQ(hook.status, 401u);
    }
    EXPECT_EQ(put(R"({"value":"fine"})"), 200u);
}

TEST_F(Abuse, TenThousandIdleConnections) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const int size = static_cast<int>(std::min<rlim_t>(10'000, files.rlim_cur - 200));
    const std::vector<Line> idle = crowd(size);
    EXPECT_EQ(house.api("GET", "/api/v1/status").status, 200u) << "on the unix socket there is room";
    EXPECT_EQ(house.ctl("status").code, 0);
    const auto held = [&] {
        return std::count_if(idle.begin(), idle.end(), [](const Line& line) { return !line.is_closed(); });
    };
    EXPECT_TRUE(until([&] { return held() <= most_connections; }));
    EXPECT_TRUE(until([&] { return ask("GET", "/api/v1/integrations").status == 200; }))
        << "who says nothing goes after ten seconds";
}

// Nobody can be let in for a while, on either side; later everybody can.
TEST_F(Abuse, WithoutFileDescriptorsBothDoorsStayInUse) {
    const pid_t pid = house.daemon().pid();
    const std::filesystem::path files = "/proc/" + std::to_string(pid) + "/fd";
    rlim_t first_free = 0;
    while (std::filesystem::is_symlink(files / std::to_string(first_free))) ++first_free;
    rlimit usual{};
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &usual), 0);
    const rlimit none{first_free, usual.rlim_max};
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &none, nullptr), 0);
    Line line(port, address_of(0));
    line.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    auto local = std::async(std::launch::async, [this] { return house.api("GET", "/api/v1/status").status; });
    EXPECT_FALSE(until([&] { return line.has_answer(); }, milliseconds(500)));
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &usual, nullptr), 0);
    EXPECT_EQ(local.get(), 200u);
    EXPECT_THAT(line.rest(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Abuse, ManyConnectionsOfOneAddressLeaveRoomForOthers) {
    std::vector<Line> greedy;
    for (int i = 0; i < 500; ++i) greedy.emplace_back(port, "127.7.7.7");
    expect_well();
    const auto held = [&] {
        return std::count_if(greedy.begin(), greedy.end(),
                             [](const Line& line) { return !line.is_closed(); });
    };
    EXPECT_TRUE(until([&] { return held() <= most_per_address; }));
}

TEST_F(Abuse, GuessedPasswordsAreSlowedDownAndNobodyElseIs) {
    const std::string form = R"({"password":"correct horse battery","scope":"read"})";
    for (const char* name : {"ada", "grace"})
        ASSERT_EQ(ask("PUT", "/api/v1/users/" + std::string(name), form).status, 200u);
    const auto login = [&](const std::string& name, const std::string& password, int client) {
        const std::string body = "name=" + name + "&password=" + password;
        return told(
                   "POST /login HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: "
                   "close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body,
                   client)
            .substr(9, 3);
    };
    EXPECT_EQ(login("ada", "correct+horse+battery", 97), "200");
    int slowed = 0;
    for (int i = 0; i < 200; ++i) {
        const std::string status = login("ada", "guess" + std::to_string(i), i % 20);
        EXPECT_THAT(status, AnyOf("401", "429"));
        slowed += status == "429" ? 1 : 0;
    }
    EXPECT_GE(slowed, 190) << "five in a minute, from wherever they come";
    EXPECT_EQ(login("grace", "correct+horse+battery", 99), "200");
    EXPECT_EQ(login("ada", "correct+horse+battery", 98), "429") << "nothing is learned meanwhile";
    EXPECT_EQ(login("ada", "correct+horse+battery", 97), "200") << "who guesses keeps nobody out";
    ASSERT_EQ(house.stop(), 0);
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_TRUE(until([&] { return login("ada", "another+guess", 5) == "429"; }));
    EXPECT_EQ(login("ada", "correct+horse+battery", 98), "429");
    EXPECT_EQ(login("ada", "correct+horse+battery", 97), "200") << "a restart forgets neither";
}

TEST_F(Abuse, TenThousandTokensAreGuessed) {
    constexpr int lines = 20, guesses = 500;
    std::size_t refused = 0;
    for (int client = 0; client < lines; ++client) {
        std::string requests;
        for (int i = 0; i < guesses; ++i) {
            std::string guess = token;
            guess.replace(guess.size() - 6, 6, std::to_string(100'000 + client * guesses + i));
            requests += "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n" +
                        std::string(i + 1 == guesses ? "Connection: close\r\n" : "") +
                        "Authorization: Bearer " + guess + "\r\n\r\n";
        }
        const std::string heard = told(requests, client);
        EXPECT_THAT(heard, Not(HasSubstr("HTTP/1.1 200")));
        refused += answers_in(heard);
    }
    EXPECT_EQ(refused, static_cast<std::size_t>(lines * guesses));
    EXPECT_LT(house.log().size(), 1u << 20) << "who guesses does not fill the disk";
}

}  // namespace
}  // namespace liaison_system
