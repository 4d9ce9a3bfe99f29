#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace liaison_system {
namespace {

constexpr int exec_failed = 127;

int exit_code(int status) { return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace

Process::Process(const std::vector<std::string>& arguments, std::filesystem::path log,
                 const std::string& fault_points)
    : log_(std::move(log)) {
    std::vector<char*> raw;
    for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    const int file = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = file < 0 ? -1 : ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(file, STDERR_FILENO);
        if (!fault_points.empty()) ::setenv("LIAISON_FAULT", fault_points.c_str(), 1);
        ::execv(raw[0], raw.data());
        ::_exit(exec_failed);
    }
    if (file >= 0) ::close(file);
    if (pid_ < 0) throw std::runtime_error("cannot start " + arguments.front());
}

Process::~Process() {
    if (status_) return;
    kill(SIGKILL);
    wait();
}

bool Process::is_running() { return !wait(std::chrono::milliseconds(0)); }

// Not reaped yet, so the number is still its own.
void Process::kill(int signal) {
    if (!status_) ::kill(pid_, signal);
}

std::optional<int> Process::wait(std::chrono::milliseconds deadline) {
    if (status_) return status_;
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd end{descriptor, POLLIN, 0};
    const bool has_ended = ::poll(&end, 1, static_cast<int>(deadline.count())) == 1;
    ::close(descriptor);
    int status = 0;
    if (has_ended && ::waitpid(pid_, &status, 0) == pid_) {
        status_ = exit_code(status);
        has_dumped_core_ = WIFSIGNALED(status) && WCOREDUMP(status);
    }
    return status_;
}

std::string Process::standard_error() const {
    std::ifstream file(log_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace liaison_system
