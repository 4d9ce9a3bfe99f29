#include "app/supervision.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "app/links.hpp"

namespace liaisond::app {
namespace {

// What systemd would be told, without it.
class Systemd {
  public:
    Systemd() {
        std::string pattern = (std::filesystem::temp_directory_path() / "liaison-notify.XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (folder_ + "/notify").copy(address.sun_path, sizeof address.sun_path - 1);
        handle_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        EXPECT_EQ(::bind(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::setenv("NOTIFY_SOCKET", address.sun_path, 1);
    }
    ~Systemd() {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(handle_);
        std::filesystem::remove_all(folder_);
    }
    // The next message; empty when there is none.
    std::string next(int wait_ms) const {
        pollfd ready{handle_, POLLIN, 0};
        if (::poll(&ready, 1, wait_ms) != 1) return {};
        char buffer[512];
        const ssize_t got = ::recv(handle_, buffer, sizeof buffer, 0);
        return {buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }

  private:
    std::string folder_;
    int handle_ = -1;
};

TEST(LongStart, AsksForMoreTimeAgainAndAgain) {
    const Systemd systemd;
    const LongStart patience(Milliseconds(5));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(systemd.next(30'000), "EXTEND_TIMEOUT_USEC=10000\nSTATUS=opens its database");
}

TEST(LongStart, EndsAtOnceWhenTheWorkIsDone) {
    const Systemd systemd;
    { const LongStart patience; }
    EXPECT_EQ(systemd.next(0), "");
}

TEST(LongStart, DoesNotAskForEver) {
    const Systemd systemd;
    const LongStart patience(Milliseconds(1), Milliseconds(3));
    for (int i = 0; i < 3; ++i) EXPECT_NE(systemd.next(30'000), "");
    EXPECT_EQ(systemd.next(50), "");
}

TEST(ReloadText, NamesWhatChanged) {
    EXPECT_EQ(reload_text({{"a", "1"}}, {{"a", "1"}}), "configuration reloaded");
    EXPECT_EQ(reload_text({{"pms", "1"}, {"old", "1"}, {"till", "1"}},
                          {{"pms", "2"}, {"shop", "1"}, {"till", "2"}}),
              "configuration reloaded; added: shop; changed: pms till; removed: old");
}

}  // namespace
}  // namespace liaisond::app
