#include "plugin/spawn.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace liaisond::plugin {

namespace {

constexpr int first_private_fd = 10;

// posix_spawn's lists, freed at the end of the scope.
class SpawnPlan {
  public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    // The daemon's handlers, mask and process group are not the child's: Ctrl-C reaches the daemon alone.
    void detach_signals() {
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    // Copies to a high number first, so that no target overwrites a source.
    bool give(int fd, int target) {
        UniqueFd& copy = copies_[target];
        copy = UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, first_private_fd));
        return copy.get() >= 0 && ::posix_spawn_file_actions_adddup2(&actions, copy.get(), target) == 0;
    }

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

  private:
    UniqueFd copies_[4];
};

tl::unexpected<Error> failed(const std::string& program, int problem) {
    return fail(ErrorKind::internal, "cannot start " + program + ": " + std::strerror(problem));
}

}  // namespace

Result<Child> spawn(const SpawnOptions& options) {
    const std::string& program = options.arguments.front();
    SpawnPlan plan;
    plan.detach_signals();
    ::posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
    if (!plan.give(options.standard_output, 1) || !plan.give(options.standard_error, 2)) {
        return failed(program, errno);
    }
    if (options.channel >= 0 && !plan.give(options.channel, 3)) return failed(program, errno);
    ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, options.channel >= 0 ? 4 : 3);

    std::vector<char*> arguments;
    for (const std::string& argument : options.arguments)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& variable : options.environment)
        environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    Child child;
    const int problem = ::posix_spawn(&child.pid, program.c_str(), &plan.actions, &plan.attributes,
                                      arguments.data(), environment.data());
    if (problem != 0) return failed(program, problem);
    child.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
    if (child.pidfd.get() < 0) {
        const int cause = errno;
        ::kill(child.pid, SIGKILL);
        ::waitpid(child.pid, nullptr, 0);
        return failed(program, cause);
    }
    return child;
}

std::vector<std::string> worker_command(const std::string& worker_path, const SandboxOptions& sandbox) {
    std::vector<std::string> words = {worker_path, "--memory", std::to_string(sandbox.memory_bytes),
                                      "--parent", std::to_string(::getpid())};
    if (sandbox.level == SandboxLevel::degraded) words.emplace_back("--degraded");
    return words;
}

std::string describe_exit(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        const char* name = ::sigabbrev_np(WTERMSIG(wait_status));
        const bool forbidden = has_sandbox && WTERMSIG(wait_status) == SIGSYS;
        return "was killed by " +
               (name != nullptr ? "SIG" + std::string(name)
                                : "signal " + std::to_string(WTERMSIG(wait_status))) +
               (forbidden ? " (it tried what the sandbox forbids)" : "");
    }
    const int status = WEXITSTATUS(wait_status);
    return status == 0 ? "exited" : "exited with status " + std::to_string(status);
}

Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return fail(ErrorKind::internal, std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

}  // namespace liaisond::plugin
