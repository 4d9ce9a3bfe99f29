#include "plugin/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "plugin/unique_fd.hpp"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

namespace liaisond::plugin {

namespace {

// ---- landlock: newer kernels know more than the header of Debian 12 ----

constexpr std::uint64_t all_net_rights = 0x3;  // bind and connect TCP, ABI 4
constexpr std::uint64_t all_scopes = 0x3;      // abstract unix sockets and signals, ABI 6

struct RulesetAttributes {
    std::uint64_t handled_access_fs = 0, handled_access_net = 0, scoped = 0;
};

// Every right over files that this ABI can take away.
constexpr std::uint64_t file_rights(int abi) {
    constexpr int first = 13;  // rights of ABI 1
    const int count = abi >= 5 ? first + 3 : abi >= 3 ? first + 2 : abi >= 2 ? first + 1 : first;
    return (1ull << count) - 1;
}

constexpr std::size_t attribute_bytes(int abi) {
    return abi >= 6   ? sizeof(RulesetAttributes)
           : abi >= 4 ? offsetof(RulesetAttributes, scoped)
                      : offsetof(RulesetAttributes, handled_access_net);
}

int landlock_abi() {
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

tl::unexpected<Error> failed(const std::string& what) {
    return fail(ErrorKind::internal,
                "the plugin was not loaded, as " + what + " failed: " + std::strerror(errno));
}

bool allow_reading(int ruleset, int file) {
    const landlock_path_beneath_attr beneath{LANDLOCK_ACCESS_FS_READ_FILE, file};
    return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
}

// Where ld.so finds what a plugin is linked to. Nothing can be executed: mapping code asks for reading only.
constexpr std::array readable_paths = {"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/etc/ld.so.cache"};

Status restrict_files(int plugin, SandboxLevel level) {
    const int abi = landlock_abi();
    if (abi == 0 && level == SandboxLevel::degraded) return {};
    if (abi == 0) return fail(ErrorKind::config, landlock_advice());
    const RulesetAttributes attributes{file_rights(abi), all_net_rights, all_scopes};
    const UniqueFd ruleset(
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, attribute_bytes(abi), 0)));
    if (ruleset.get() < 0) return failed("making a Landlock ruleset");
    if (!allow_reading(ruleset.get(), plugin)) return failed("allowing to read it");
    for (const char* path : readable_paths) {
        const UniqueFd file(::open(path, O_PATH | O_CLOEXEC));
        if (file.get() >= 0 && !allow_reading(ruleset.get(), file.get()))
            return failed(std::string("allowing to read ") + path);
    }
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return failed("Landlock");
    return {};
}

// ---- limits ----

bool limit(int resource, rlim_t wanted) {
    struct rlimit now {};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
    const rlim_t most = std::min(wanted, now.rlim_max);
    const struct rlimit lowered { most, most };
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &lowered) == 0;
}

// Deadlines of steps hold back what spins; this is the net beneath them.
constexpr rlim_t most_cpu_seconds = 24 * 3600;
// What plugin authors know from everywhere; said, so that an unlimited one is not inherited.
constexpr rlim_t stack_bytes = 8u << 20;
// --describe and checks may write to a file that somebody else has opened for them.
constexpr rlim_t output_bytes = 4u << 20;

Status limit_resources(const SandboxOptions& options) {
    const std::initializer_list<std::pair<int, rlim_t>> limits = {
        {RLIMIT_AS, options.memory_bytes},
        {RLIMIT_CORE, 0},
        {RLIMIT_CPU, most_cpu_seconds},
        {RLIMIT_FSIZE, options.channel < 0 || options.is_check ? output_bytes : 0},
        {RLIMIT_LOCKS, 0},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_NICE, 0},
        {RLIMIT_NPROC, 0},
        {RLIMIT_RTPRIO, 0},
        {RLIMIT_STACK, stack_bytes},
    };
    for (const auto& [resource, most] : limits) {
        if (!limit(resource, most)) return failed("setting resource limit " + std::to_string(resource));
    }
    return {};
}

// Only root has any, and systemd forbids the call to everybody else.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    (void)::syscall(SYS_capset, &header, none);
}

// ---- system calls ----

struct FreeFilter {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

// A seccomp filter that kills the process for whatever it does not name.
class Filter {
  public:
    Filter() : filter_(::seccomp_init(SCMP_ACT_KILL_PROCESS)) {
        if (filter_ == nullptr) problem_ = ENOMEM;
        if (filter_ == nullptr) return;
        // Other ABIs (i386, x32) have other numbers. New privileges are given up already.
        note(-::seccomp_attr_set(filter_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
        note(-::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_NNP, 0));
    }
    void allow(std::initializer_list<int> calls) { add(SCMP_ACT_ALLOW, calls); }
    void refuse(std::initializer_list<int> calls, std::uint16_t error) { add(SCMP_ACT_ERRNO(error), calls); }
    template <class... Conditions>
    void allow_if(int call, Conditions... conditions) {
        const scmp_arg_cmp all[] = {conditions...};
        note(-::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions), all));
    }
    void refuse_if(int call, scmp_arg_cmp condition, std::uint16_t error) {
        note(-::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ERRNO(error), call, 1, &condition));
    }
    Status enforce(const char* stage) {
        if (problem_ == 0) note(-::seccomp_load(filter_.get()));
        if (problem_ == 0) return {};
        errno = problem_;
        return failed(stage);
    }

  private:
    void add(std::uint32_t action, std::initializer_list<int> calls) {
        for (const int call : calls) note(-::seccomp_rule_add_array(filter_.get(), action, call, 0, nullptr));
    }
    void note(int problem) {
        if (problem_ == 0) problem_ = problem;
    }

    std::unique_ptr<void, FreeFilter> filter_;
    int problem_ = 0;
};

scmp_arg_cmp equal(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
// Of the bits in `mask` exactly those of `value` are set.
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// What computing takes: memory, a clock, an end. The same in both stages.
void allow_computing(Filter& filter, const SandboxOptions& options) {
    filter.allow({SCMP_SYS(brk),
                  SCMP_SYS(munmap),
                  SCMP_SYS(mremap),
                  SCMP_SYS(madvise),
                  SCMP_SYS(getrandom),
                  SCMP_SYS(clock_gettime),
                  SCMP_SYS(gettimeofday),
                  SCMP_SYS(time),
                  SCMP_SYS(nanosleep),
                  SCMP_SYS(clock_nanosleep),
                  SCMP_SYS(restart_syscall),
                  SCMP_SYS(sched_yield),
                  SCMP_SYS(rt_sigreturn),
                  SCMP_SYS(rt_sigprocmask),
                  SCMP_SYS(getpid),
                  SCMP_SYS(getppid),
                  SCMP_SYS(gettid),
                  SCMP_SYS(futex),
                  SCMP_SYS(exit),
                  SCMP_SYS(exit_group)});
    filter.allow_if(SCMP_SYS(mmap), masked(2, PROT_EXEC, 0), masked(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
    filter.allow_if(SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
    // abort() sends its signal to its own thread.
    filter.allow_if(SCMP_SYS(tgkill), equal(0, static_cast<std::uint64_t>(::getpid())));
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO, options.channel}) {
        if (fd >= 0) filter.allow_if(SCMP_SYS(write), equal(0, static_cast<std::uint64_t>(fd)));
    }
    filter.allow_if(SCMP_SYS(writev), equal(0, STDERR_FILENO));  // last words of the C library
    if (options.is_check) {
        filter.allow({SCMP_SYS(alarm)});
        filter.allow_if(SCMP_SYS(setitimer), equal(0, ITIMER_REAL));  // where alarm() is made of it
    }
    // Threads: the C library then tries clone(), which ends it.
    filter.refuse({SCMP_SYS(clone3)}, ENOSYS);
}

// What libraries ask to find out where they are, and live without.
void refuse_questions(Filter& filter) {
    filter.refuse({SCMP_SYS(open),
                   SCMP_SYS(openat2),
                   SCMP_SYS(creat),
                   SCMP_SYS(stat),
                   SCMP_SYS(lstat),
                   SCMP_SYS(statx),
                   SCMP_SYS(statfs),
                   SCMP_SYS(access),
                   SCMP_SYS(faccessat),
                   SCMP_SYS(faccessat2),
                   SCMP_SYS(readlink),
                   SCMP_SYS(readlinkat),
                   SCMP_SYS(getcwd),
                   SCMP_SYS(uname),
                   SCMP_SYS(sysinfo),
                   SCMP_SYS(getrlimit),
                   SCMP_SYS(setrlimit),
                   SCMP_SYS(getrusage),
                   SCMP_SYS(times),
                   SCMP_SYS(getuid),
                   SCMP_SYS(geteuid),
                   SCMP_SYS(getgid),
                   SCMP_SYS(getegid),
                   SCMP_SYS(ioctl),
                   SCMP_SYS(fcntl),
                   SCMP_SYS(getdents64),
                   SCMP_SYS(clock_getres),
                   SCMP_SYS(mlock),
                   SCMP_SYS(munlock),
                   SCMP_SYS(sigaltstack),
                   SCMP_SYS(rt_sigaction),
                   SCMP_SYS(membarrier),
                   SCMP_SYS(getcpu),
                   SCMP_SYS(arch_prctl),
                   SCMP_SYS(sched_getaffinity)},
                  EPERM);
}

// What ld.so does besides, and what the second stage is made with.
Status restrict_calls_for_loading(const SandboxOptions& options) {
    Filter filter;
    allow_computing(filter, options);
    refuse_questions(filter);
    filter.allow({SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
                  SCMP_SYS(newfstatat), SCMP_SYS(seccomp)});
    constexpr std::uint64_t writing[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND};
    std::uint64_t all_writing = 0;
    for (const std::uint64_t flag : writing) all_writing |= flag;
    filter.allow_if(SCMP_SYS(openat), masked(2, all_writing, 0));
    for (const std::uint64_t flag : writing) filter.refuse_if(SCMP_SYS(openat), masked(2, flag, flag), EPERM);
    // From files, either code or data that can be written; code from nowhere else.
    filter.allow_if(SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
    filter.allow_if(SCMP_SYS(mmap), masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                    masked(3, MAP_ANONYMOUS, 0));
    filter.allow_if(SCMP_SYS(prlimit64), equal(0, 0));
    filter.refuse({SCMP_SYS(prctl)}, EPERM);
    return filter.enforce("the first system call filter");
}

Status restrict_calls_for_running(const SandboxOptions& options) {
    Filter filter;
    allow_computing(filter, options);
    refuse_questions(filter);
    filter.refuse({SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
                   SCMP_SYS(prlimit64), SCMP_SYS(prctl)},
                  EPERM);
    if (options.channel >= 0)
        filter.allow_if(SCMP_SYS(read), equal(0, static_cast<std::uint64_t>(options.channel)));
    return filter.enforce("the second system call filter");
}

// The worker is the first to go when memory is short, long before the daemon.
void offer_to_the_oom_killer() {
    constexpr std::string_view score = "800";
    const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (file.get() >= 0) (void)!::write(file.get(), score.data(), score.size());
}

}  // namespace

void Sandbox::prepare(pid_t parent) const {
    if (has_sandbox) offer_to_the_oom_killer();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have ended before that was said.
    if (parent != 0 && ::getppid() != parent) ::_exit(0);
    // No core dumps, which hold customer data, and no look into this process by its user's others.
    if (has_sandbox) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

Status Sandbox::before_load(int plugin) const {
    if (!has_sandbox) {
        limit(RLIMIT_CORE, 0);
        if (options_.channel >= 0) limit(RLIMIT_FSIZE, 0);
        return {};
    }
    if (const Status limited = limit_resources(options_); !limited) return limited;
    drop_capabilities();
    (void)::prctl(PR_SET_MDWE, 1, 0, 0, 0);  // Linux 6.3; the filters say nearly the same
    if (const Status restricted = restrict_files(plugin, options_.level); !restricted) return restricted;
    return restrict_calls_for_loading(options_);
}

Status Sandbox::after_load() const {
    if (!has_sandbox) return {};
    if (!limit(RLIMIT_NOFILE, 0)) return failed("forbidding further files");
    return restrict_calls_for_running(options_);
}

KernelFeatures kernel_features() {
    const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return {landlock_abi(), ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0};
}

const char* landlock_advice() {
    return "this kernel has no Landlock, which keeps plugins from the files of this machine: use Linux 5.13 "
           "or newer with "
           "landlock among the names in its lsm= parameter, or write daemon.sandbox: degraded to run plugins "
           "with the "
           "rest of the sandbox alone";
}

const char* seccomp_advice() {
    return "this kernel has no seccomp filters, without which no plugin is run: use one with "
           "CONFIG_SECCOMP_FILTER, and "
           "where a container or a unit filters system calls, let seccomp(2) through";
}

}  // namespace liaisond::plugin
