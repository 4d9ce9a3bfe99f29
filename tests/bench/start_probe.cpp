// Measures the start of a daemon: from fork until GET /healthz on its unix socket answers 200, tried every
// half millisecond. Then waits, and prints the time in milliseconds and VmRSS and RssAnon in KiB. Ends the
// daemon with SIGTERM.
//
//   start_probe SOCKET SETTLE_MS COMMAND [ARGUMENT...]
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto longest_start = 20s;

bool answers(const char* path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    constexpr std::string_view request =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    bool is_ok = false;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::write(fd, request.data(), request.size()) > 0) {
        char answer[64];
        const ssize_t got = ::read(fd, answer, sizeof answer);
        is_ok = got > 12 && std::string_view(answer, 12) == "HTTP/1.1 200";
    }
    ::close(fd);
    return is_ok;
}

long kib(pid_t pid, const std::string& what) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(what + ":")) return std::atol(line.c_str() + what.size() + 1);
    return -1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: start_probe SOCKET SETTLE_MS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    ::unlink(argv[1]);
    const auto began = Clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
        const int nothing = ::open("/dev/null", O_RDWR);
        ::dup2(nothing, STDERR_FILENO);
        ::dup2(nothing, STDOUT_FILENO);
        ::execv(argv[3], argv + 3);
        ::_exit(127);
    }
    bool is_up = false;
    while (!(is_up = answers(argv[1])) && Clock::now() - began < longest_start &&
           ::waitpid(child, nullptr, WNOHANG) == 0)
        std::this_thread::sleep_for(500us);
    const std::chrono::duration<double, std::milli> took = Clock::now() - began;
    if (is_up) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(argv[2])));
        std::printf("%.1f %ld %ld\n", took.count(), kib(child, "VmRSS"), kib(child, "RssAnon"));
    }
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
    return is_up ? 0 : 1;
}
