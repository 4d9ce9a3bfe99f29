// What systemd and the daemon agree on: sockets that are handed over, and what is told (app/supervision.hpp).
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* question = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

sockaddr_un address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

// A unix socket in the place of systemd's.
class Unix {
  public:
    explicit Unix(int type) : handle_(::socket(AF_UNIX, type, 0)) {}
    Unix(const Unix&) = delete;
    Unix& operator=(const Unix&) = delete;
    ~Unix() { ::close(handle_); }

    int handle() const { return handle_; }
    bool bind(const fs::path& path) const {
        const sockaddr_un address = address_of(path);
        return ::bind(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    bool connect(const fs::path& path) const {
        const sockaddr_un address = address_of(path);
        return ::connect(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    // The next message, or the rest of a stream; empty when none comes in time.
    std::string next() const {
        char buffer[4096];
        pollfd ready{handle_, POLLIN, 0};
        const auto wait = std::chrono::milliseconds(patience).count();
        if (::poll(&ready, 1, static_cast<int>(wait)) != 1) return {};
        const ssize_t got = ::recv(handle_, buffer, sizeof buffer, 0);
        return {buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }

  private:
    int handle_;
};

class Supervision : public testing::Test {
  protected:
    Supervision() { house.configure(shop({"[product]"})); }

    // The daemon with a listening socket, as systemd starts it.
    void start_with(const std::string& name, int socket) {
        daemon = std::make_unique<Process>(
            std::vector<std::string>{"/bin/bash", "-c",
                                     "exec 3<&" + std::to_string(socket) +
                                         "; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=" + name + " exec " +
                                         paths::program("liaisond") + " --config " +
                                         (house.root() / "liaison.yaml").string()},
            house.root() / "log");
    }
    bool answers() {
        return until([&] { return house.api("GET", "/api/v1/status").status == 200; });
    }

    House house;
    Unix listener{SOCK_STREAM};
    const fs::path path = house.root() / "socket";
    std::unique_ptr<Process> daemon;
};

TEST_F(Supervision, WhoConnectsWhileTheDaemonIsAwayWaitsAndIsAnswered) {
    ASSERT_TRUE(listener.bind(path) && ::listen(listener.handle(), 8) == 0);
    start_with("socket", listener.handle());
    ASSERT_TRUE(answers()) << house.last_lines();
    daemon->kill(SIGKILL);
    daemon->wait();
    const Unix client(SOCK_STREAM);
    ASSERT_TRUE(client.connect(path));
    ASSERT_GT(::send(client.handle(), question, std::strlen(question), 0), 0);
    start_with("socket", listener.handle());
    EXPECT_THAT(client.next(), StartsWith("HTTP/1.1 200")) << house.last_lines();
    daemon->kill(SIGTERM);
    EXPECT_EQ(daemon->wait(), 0);
    EXPECT_TRUE(fs::exists(path)) << "the socket's file is systemd's";
}

TEST_F(Supervision, ASocketOfAnotherPlaceIsRefused) {
    ASSERT_TRUE(listener.bind(house.root() / "elsewhere") && ::listen(listener.handle(), 8) == 0);
    start_with("socket", listener.handle());
    EXPECT_EQ(daemon->wait(), 78);
    EXPECT_THAT(house.log(), HasSubstr("listens on " + (house.root() / "elsewhere").string()));
}

TEST_F(Supervision, ASocketThatNobodyWantsIsRefused) {
    ASSERT_TRUE(listener.bind(path) && ::listen(listener.handle(), 8) == 0);
    start_with("admin", listener.handle());
    EXPECT_EQ(daemon->wait(), 78);
    EXPECT_THAT(house.log(),
                HasSubstr("called 'admin'; FileDescriptorName= must be socket, api or webhooks"));
    start_with("api", listener.handle());
    EXPECT_EQ(daemon->wait(), 78);
    EXPECT_THAT(house.log(), HasSubstr("'api' does not listen, or not on what it should"));
}

TEST_F(Supervision, SystemdIsToldWhatGoesOn) {
    const Unix systemd(SOCK_DGRAM);
    ASSERT_TRUE(systemd.bind(house.root() / "notify"));
    ::setenv("NOTIFY_SOCKET", (house.root() / "notify").c_str(), 1);
    house.start();
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=1 integration, 0 runs at work");
    house.daemon().kill(SIGHUP);
    EXPECT_THAT(systemd.next(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
    EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=1 integration, 0 runs at work");
    house.write("conf.d/wrong.yaml", "nonsense: 1\n");
    house.daemon().kill(SIGHUP);
    EXPECT_THAT(systemd.next(), StartsWith("RELOADING=1\n"));
    EXPECT_THAT(systemd.next(), HasSubstr("the configuration is wrong and was not reloaded"));
    EXPECT_EQ(house.stop(), 0);
    EXPECT_THAT(systemd.next(), StartsWith("STOPPING=1\nSTATUS=stops"));
}

TEST_F(Supervision, TheWatchdogIsFed) {
    const Unix systemd(SOCK_DGRAM);
    ASSERT_TRUE(systemd.bind(house.root() / "notify"));
    ::setenv("NOTIFY_SOCKET", (house.root() / "notify").c_str(), 1);
    ::setenv("WATCHDOG_USEC", "20000", 1);
    house.start();
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_THAT(systemd.next(), StartsWith("READY=1"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(systemd.next(), "WATCHDOG=1\nSTATUS=1 integration, 0 runs at work");
}

}  // namespace
}  // namespace liaison_system
