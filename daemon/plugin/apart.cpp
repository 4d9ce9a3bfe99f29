#include "plugin/apart.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.hpp"
#include "plugin/spawn.hpp"
#include "plugin/unique_fd.hpp"

namespace liaisond::plugin {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_printed = 2'000;
constexpr std::size_t most_answered = 16u << 20;
constexpr int child_fd = 3;
constexpr char place_mark = 'p', answer_mark = 'a';

// A mark, a length and a text; what cannot be written is nobody's loss: the parent is gone.
void tell(int fd, char mark, const std::string& text) {
    const auto length = static_cast<std::uint32_t>(text.size());
    std::string message(1, mark);
    message.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
    for (std::size_t sent = 0; sent < message.size();) {
        const ssize_t wrote = ::write(fd, message.data() + sent, message.size() - sent);
        if (wrote <= 0) return;
        sent += static_cast<std::size_t>(wrote);
    }
}

[[noreturn]] void be_child(int fd, int printed, std::chrono::seconds limit,
                           const std::function<std::string(Whereabouts&)>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct rlimit none { 0, 0 };
    ::setrlimit(RLIMIT_CORE, &none);
    const auto seconds = static_cast<rlim_t>(limit.count());
    const struct rlimit cpu { seconds, seconds + 5 };
    ::setrlimit(RLIMIT_CPU, &cpu);
    ::signal(SIGXFSZ, SIG_IGN);  // who prints more than may be printed is not ended for it
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(printed, STDOUT_FILENO);
    ::dup2(printed, STDERR_FILENO);
    ::dup2(fd, child_fd);
    ::close_range(child_fd + 1, ~0u, 0);
    Whereabouts whereabouts(child_fd);
    std::string answer;
    try {
        answer = body(whereabouts);
    } catch (const std::exception& error) { answer = std::string("an exception: ") + error.what(); }
    tell(child_fd, answer_mark, answer);
    std::_Exit(0);
}

std::string end_of(int fd) {
    const off_t size = ::lseek(fd, 0, SEEK_END);
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(most_printed));
    std::string text(static_cast<std::size_t>(std::max<off_t>(0, size - from)), '\0');
    const ssize_t got = ::pread(fd, text.data(), text.size(), from);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

// Everything the child says until it closes; what is complete of it.
std::string listen(int fd, Clock::time_point until) {
    std::string said;
    char chunk[16 << 10];
    while (said.size() < most_answered) {
        struct pollfd ready {
            fd, POLLIN, 0
        };
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) break;
        const ssize_t got = ::read(fd, chunk, sizeof chunk);
        if (got <= 0) break;
        said.append(chunk, static_cast<std::size_t>(got));
    }
    return said;
}

struct Said {
    std::string place, answer;
    bool has_answer = false;
};

Said understand(const std::string& messages) {
    Said said;
    std::uint32_t length = 0;
    for (std::size_t at = 0; messages.size() - at > sizeof length;) {
        const char mark = messages[at];
        std::memcpy(&length, messages.data() + at + 1, sizeof length);
        at += 1 + sizeof length;
        if (messages.size() - at < length) break;
        (mark == answer_mark ? said.answer : said.place) = messages.substr(at, length);
        said.has_answer = said.has_answer || mark == answer_mark;
        at += length;
    }
    return said;
}

}  // namespace

void Whereabouts::at(const std::string& place) {
    if (place == last_) return;
    tell(fd_, place_mark, place);
    last_ = place;
}

ApartResult run_apart(std::chrono::seconds limit, const std::function<std::string(Whereabouts&)>& body) {
    ApartResult result;
    auto pipe = make_pipe();
    const UniqueFd printed(::memfd_create("printed", MFD_CLOEXEC));
    if (!pipe || printed.get() < 0) {
        result.failure = pipe ? "could not be run: no memory file" : pipe.error().message;
        return result;
    }
    const pid_t child = ::fork();
    if (child < 0) {
        result.failure = std::string("could not be run in a process of its own: ") + std::strerror(errno);
        return result;
    }
    if (child == 0) be_child(pipe->second.get(), printed.get(), limit, body);
    pipe->second.reset();
    const Said said = understand(listen(pipe->first.get(), Clock::now() + 2 * limit));
    ::kill(child, SIGKILL);  // it has closed the pipe and is leaving, or will never
    int status = 0;
    ::waitpid(child, &status, 0);
    result.printed = end_of(printed.get());
    result.answer = said.answer;
    if (said.has_answer) return result;
    const bool is_slow = WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU);
    const bool is_endless = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    result.failure = is_endless ? "did not come back from one step within 10 seconds"
                     : is_slow  ? "did not come back within " + format_duration(limit)
                                : "ended its process: it " + describe_exit(status);
    if (!said.place.empty()) result.failure += " (" + said.place + ")";
    return result;
}

}  // namespace liaisond::plugin
