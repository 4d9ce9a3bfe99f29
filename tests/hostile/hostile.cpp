// A plugin that attacks: its setting `attack` says how. An attack that the system refuses, or that gets
// through, ends the job with FAIL and says so; most never come to that. Built with HOSTILE_AT_LOAD="name" it
// attacks from a constructor, before anybody has called it, and tells of it when asked for the attack
// "at_load".
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <liaison/plugin.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "liaison_manifest.hpp"

struct liaison_instance {
    const liaison_host* host;
    std::string attack;
    pid_t parent;
};

struct liaison_job {
    const liaison_instance* instance;
    std::string text;
    std::vector<liaison_record> records;
    liaison_record record{};
    liaison_effect_emit emit{};
    liaison_effect_sleep sleep{};
    liaison_effect_done done{};
    liaison_effect_fail fail{};
};

namespace {

constexpr int channel = 3;

// What an attack came to, for a job that lives to tell.
std::string result(bool got_through) {
    return got_through ? std::string("got through") : std::string("refused: ") + ::strerrorname_np(errno);
}
std::string result_of(long answer) { return result(answer >= 0); }

// ---- attacks on the machine; each takes the pid of the daemon ----

std::string reads(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY);
    if (fd < 0) return result(false);
    char byte = 0;
    return result_of(::read(fd, &byte, 1));
}
std::string open_file(pid_t) { return reads("/etc/passwd"); }
std::string read_environ(pid_t) { return reads("/proc/self/environ"); }
std::string read_parent_memory(pid_t parent) {
    return result_of(::open(("/proc/" + std::to_string(parent) + "/mem").c_str(), O_RDONLY));
}
std::string read_parent_files(pid_t parent) {
    return result_of(::open(("/proc/" + std::to_string(parent) + "/maps").c_str(), O_RDONLY));
}
std::string write_file(pid_t) {
    const int fd = ::open("/tmp/liaison-hostile", O_WRONLY | O_CREAT, 0600);
    if (fd < 0) return result(false);
    ::unlink("/tmp/liaison-hostile");
    return result(true);
}
std::string list_directory(pid_t) { return result_of(::open("/", O_RDONLY | O_DIRECTORY)); }
std::string connect_tcp(pid_t) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return result(false);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int answer = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return result(answer == 0 || errno == ECONNREFUSED);
}
std::string unix_socket(pid_t) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) return result(false);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/run/systemd/notify");
    const int answer = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return result(answer == 0 || errno == ENOENT || errno == ECONNREFUSED);
}
std::string send_to(pid_t) { return result_of(::sendto(channel, "", 0, 0, nullptr, 0)); }
std::string fork_child(pid_t) {
    const long child = ::syscall(SYS_fork);
    if (child == 0) ::_exit(0);
    return result_of(child);
}
std::string vfork_child(pid_t) {
    const pid_t child = ::vfork();
    if (child == 0) ::_exit(0);
    return result_of(child);
}
void* nothing(void*) { return nullptr; }
std::string start_thread(pid_t) {
    pthread_t thread{};
    errno = ::pthread_create(&thread, nullptr, nothing, nullptr);
    return result(errno == 0 && ::pthread_join(thread, nullptr) == 0);
}
std::string execute(pid_t) {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    char* const environment[] = {nullptr};
    return result_of(::execve(program, arguments, environment));
}
std::string trace_parent(pid_t parent) { return result_of(::ptrace(PTRACE_SEIZE, parent, nullptr, nullptr)); }
std::string read_parent(pid_t parent) {
    char byte = 0;
    iovec here{&byte, 1}, there{reinterpret_cast<void*>(0x400000), 1};
    const ssize_t got = ::process_vm_readv(parent, &here, 1, &there, 1, 0);
    return result(got >= 0 || errno == EFAULT);  // allowed, and nothing is mapped there
}
std::string kill_parent(pid_t parent) { return result_of(::kill(parent, SIGURG)); }
std::string signal_parent_thread(pid_t parent) {
    return result_of(::syscall(SYS_tgkill, parent, parent, SIGURG));
}
std::string limit_parent(pid_t parent) {
    rlimit now{};
    return result_of(::syscall(SYS_prlimit64, parent, RLIMIT_CORE, nullptr, &now));
}
std::string open_parent(pid_t parent) { return result_of(::syscall(SYS_pidfd_open, parent, 0)); }
std::string make_ring(pid_t) {
    io_uring_params parameters{};
    return result_of(::syscall(SYS_io_uring_setup, 4, &parameters));
}
std::string fault_handler(pid_t) { return result_of(::syscall(SYS_userfaultfd, O_CLOEXEC)); }
std::string memory_file(pid_t) { return result_of(::memfd_create("hostile", 0)); }
std::string namespace_of_its_own(pid_t) { return result_of(::unshare(CLONE_NEWUTS)); }
void* page(int protection) { return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
std::string make_code(pid_t) {
    void* const memory = page(PROT_READ | PROT_WRITE);
    return result_of(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}
std::string map_code(pid_t) { return result(page(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED); }
std::string load_library(pid_t) {
    errno = EPERM;
    return result(::dlopen("libresolv.so.2", RTLD_NOW) != nullptr);
}
std::string call_i386(pid_t) {
    long answer = -ENOSYS;
#ifdef __x86_64__
    constexpr long getpid_of_i386 = 20;
    asm volatile("int $0x80" : "=a"(answer) : "a"(getpid_of_i386) : "memory", "r8", "r9", "r10", "r11");
#endif
    errno = static_cast<int>(-answer);
    return result_of(answer);
}
std::string call_x32(pid_t) { return result_of(::syscall(0x40000000 | SYS_getpid)); }
std::string raise_limits(pid_t) {
    const rlimit wanted{RLIM_INFINITY, RLIM_INFINITY};
    return result_of(::setrlimit(RLIMIT_AS, &wanted));
}
std::string allow_dumps(pid_t) { return result_of(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
std::string outlive_parent(pid_t) { return result_of(::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)); }
std::string duplicate_channel(pid_t) { return result_of(::syscall(SYS_dup, channel)); }
std::string close_channel(pid_t) {
    ::close(channel);
    for (;;) ::pause();
}
std::string read_log_pipe(pid_t) {
    char byte = 0;
    return result_of(::read(0, &byte, 1));
}
std::string kill_itself(pid_t) { return result_of(::kill(::getpid(), SIGTERM)); }
std::string raise_signal(pid_t) { return result_of(::raise(SIGTERM)); }
std::string allocate(pid_t) {
    constexpr std::size_t wanted = 8ull << 30;
    return result(::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                         -1, 0) != MAP_FAILED);
}
std::string exhaust_memory(pid_t) {
    constexpr std::size_t chunk = 64u << 20, enough = 100;  // of address space: nothing is touched
    std::vector<char*> all;
    while (all.size() < enough) all.push_back(static_cast<char*>(::operator new(chunk)));
    for (char* one : all) ::operator delete(one);
    return result(true);
}

// ---- attacks on its own process ----

std::string spin(pid_t) {
    for (volatile bool forever = true; forever;) {}
    return result(true);
}
std::string doze(pid_t) {
    for (;;) ::usleep(10'000);
}
// Not a tail call, so that every level takes its part of the stack.
int deep(int level) {
    volatile char part[1024];
    part[0] = static_cast<char>(level);
    return level < 0 ? level : deep(level + 1) + part[0];
}
std::string recurse(pid_t) { return std::to_string(deep(0)); }
std::string end_badly(pid_t) { std::abort(); }
std::string segfault(pid_t) {
    volatile std::uintptr_t nowhere = 0x10;
    *reinterpret_cast<volatile int*>(nowhere) = 1;
    return result(true);
}
std::string leave(pid_t) { std::exit(0); }
std::string throw_out(pid_t) { throw 42; }
std::string free_twice(pid_t) {
    void* volatile memory = std::malloc(40);
    std::free(memory);
    std::free(memory);
    return result(true);
}
void write_for_ever(int fd, std::string_view text) {
    while (::write(fd, text.data(), text.size()) > 0) {}
}
std::string flood_stdout(pid_t) {
    write_for_ever(STDOUT_FILENO, "a line\n");
    return result(false);
}
std::string flood_without_newline(pid_t) {
    write_for_ever(STDERR_FILENO, "and on and on ");
    return result(false);
}

// ---- attacks on the protocol ----

std::string write_garbage(pid_t) {
    (void)!::write(channel, "this is no frame at all, but long enough", 40);
    return spin(0);
}
// A frame as the worker would send it, about a job that is none.
std::string forge_effect(pid_t) {
    const std::uint16_t version = 4, stepped = 18;
    const std::uint64_t id = 1, job = 4711;
    std::string body(reinterpret_cast<const char*>(&job), sizeof job);
    body.append(4, '\0');            // no error
    body.append("\x04\0\0\0\0", 5);  // DONE without output
    const auto length = static_cast<std::uint32_t>(body.size());
    const auto sum = static_cast<std::uint32_t>(XXH3_64bits(body.data(), body.size()));
    std::string frame = "LISN";
    frame.append(reinterpret_cast<const char*>(&version), 2)
        .append(reinterpret_cast<const char*>(&stepped), 2);
    frame.append(reinterpret_cast<const char*>(&id), 8).append(reinterpret_cast<const char*>(&length), 4);
    frame.append(reinterpret_cast<const char*>(&sum), 4).append(body);
    (void)!::write(channel, frame.data(), frame.size());
    return spin(0);
}
// The beginning of a frame, a byte at a time.
std::string drip(pid_t) {
    for (const char byte : std::string("LISN\x04\0\x12\0", 8)) {
        (void)!::write(channel, &byte, 1);
        ::usleep(10'000);
    }
    return doze(0);
}
// The header of a frame that never comes.
std::string promise_frame(pid_t) {
    std::string frame("LISN\x04\0\x12\0", 8);
    frame.append(8, '\0').append("\0\0\0\x7f", 4).append(4, '\0');
    (void)!::write(channel, frame.data(), frame.size());
    return spin(0);
}

const std::map<std::string_view, std::string (*)(pid_t)> attacks = {
    {"open_file", open_file},
    {"read_environ", read_environ},
    {"read_parent_memory", read_parent_memory},
    {"read_parent_files", read_parent_files},
    {"write_file", write_file},
    {"list_directory", list_directory},
    {"connect_tcp", connect_tcp},
    {"unix_socket", unix_socket},
    {"send_to", send_to},
    {"fork", fork_child},
    {"vfork", vfork_child},
    {"thread", start_thread},
    {"execute", execute},
    {"trace_parent", trace_parent},
    {"read_parent", read_parent},
    {"kill_parent", kill_parent},
    {"signal_parent_thread", signal_parent_thread},
    {"limit_parent", limit_parent},
    {"open_parent", open_parent},
    {"io_uring", make_ring},
    {"userfaultfd", fault_handler},
    {"memfd", memory_file},
    {"unshare", namespace_of_its_own},
    {"make_code", make_code},
    {"map_code", map_code},
    {"load_library", load_library},
    {"call_i386", call_i386},
    {"call_x32", call_x32},
    {"raise_limits", raise_limits},
    {"allow_dumps", allow_dumps},
    {"outlive_parent", outlive_parent},
    {"duplicate_channel", duplicate_channel},
    {"close_channel", close_channel},
    {"read_stdin", read_log_pipe},
    {"kill_itself", kill_itself},
    {"raise_signal", raise_signal},
    {"allocate", allocate},
    {"exhaust_memory", exhaust_memory},
    {"spin", spin},
    {"doze", doze},
    {"recurse", recurse},
    {"abort", end_badly},
    {"segfault", segfault},
    {"exit", leave},
    {"throw", throw_out},
    {"free_twice", free_twice},
    {"flood_stdout", flood_stdout},
    {"flood_without_newline", flood_without_newline},
    {"write_garbage", write_garbage},
    {"forge_effect", forge_effect},
    {"drip", drip},
    {"promise_frame", promise_frame},
};

#ifdef HOSTILE_AT_LOAD
const std::string at_load = [] { return attacks.at(HOSTILE_AT_LOAD)(::getppid()); }();
#else
const std::string at_load = "nothing";
#endif

// ---- attacks by effects ----

liaison_str view(std::string_view text) { return {text.data(), text.size()}; }

const liaison_effect* emit_record(liaison_job* job, liaison_str payload) {
    job->record.size = sizeof job->record;
    job->record.op = LIAISON_OP_UPSERT;
    job->record.key = view("1");
    job->record.payload = payload;
    job->emit.size = sizeof job->emit;
    job->emit.type = LIAISON_EFFECT_EMIT;
    job->emit.records = {&job->record, 1, sizeof job->record};
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* sleep_for(liaison_job* job, std::int64_t ms) {
    job->sleep = {sizeof job->sleep, LIAISON_EFFECT_SLEEP, ms};
    return reinterpret_cast<const liaison_effect*>(&job->sleep);
}
const liaison_effect* fail(liaison_job* job, std::string text) {
    job->text = job->instance->attack + " " + std::move(text);
    job->fail.size = sizeof job->fail;
    job->fail.type = LIAISON_EFFECT_FAIL;
    job->fail.category = LIAISON_ERROR_PERMANENT;
    job->fail.text = view(job->text);
    return reinterpret_cast<const liaison_effect*>(&job->fail);
}
const liaison_effect* wild_pointer(liaison_job* job) {
    return emit_record(job, {reinterpret_cast<const char*>(0x10), 100});
}
const liaison_effect* wild_effect(liaison_job*) { return reinterpret_cast<const liaison_effect*>(0x10); }
const liaison_effect* no_effect(liaison_job*) { return nullptr; }
const liaison_effect* claimed_gigabyte(liaison_job* job) { return emit_record(job, {"x", 1ull << 30}); }
const liaison_effect* claimed_records(liaison_job* job) {
    emit_record(job, view("{}"));
    job->emit.records.count = 1u << 30;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
// Three records of 32 MiB: each may be, all together may not.
const liaison_effect* real_flood(liaison_job* job) {
    job->text.assign(32u << 20, ' ');
    emit_record(job, view(job->text));
    job->records.assign(3, job->record);
    job->emit.records = {job->records.data(), 3, sizeof(liaison_record)};
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
// Effects for ever, whatever comes.
const liaison_effect* effect_flood(liaison_job* job) { return sleep_for(job, 0); }
const liaison_effect* emit_flood(liaison_job* job) {
    emit_record(job, view("{}"));
    job->emit.records.count = 0;
    job->emit.flags = LIAISON_EMIT_PIPELINED;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* sleep_long(liaison_job* job) { return sleep_for(job, INT64_MAX / 2); }
const liaison_effect* sleep_again(liaison_job* job) { return sleep_for(job, 50); }
const liaison_effect* flood_log(liaison_job* job) {
    const liaison_host* host = job->instance->host;
    for (;;) host->log(host->ctx, LIAISON_LOG_INFO, view("a line"));
}

const std::map<std::string_view, const liaison_effect* (*)(liaison_job*)> effects = {
    {"wild_pointer", wild_pointer},
    {"wild_effect", wild_effect},
    {"no_effect", no_effect},
    {"claimed_gigabyte", claimed_gigabyte},
    {"claimed_records", claimed_records},
    {"real_flood", real_flood},
    {"effect_flood", effect_flood},
    {"emit_flood", emit_flood},
    {"sleep_long", sleep_long},
    {"sleep_again", sleep_again},
    {"flood_log", flood_log},
};

// ---- the plugin ----

// "spin" of {"connector":"hostile","settings":{"attack":"spin"}}; the host has checked the JSON.
std::string setting(std::string_view config, const std::string& key) {
    const std::string mark = "\"" + key + "\":";
    std::size_t at = config.find(mark);
    if (at == std::string_view::npos) return {};
    at += mark.size();
    const std::size_t end = config.find_first_of(",}", at);
    std::string value(config.substr(at, end - at));
    std::erase(value, '"');
    return value;
}

liaison_instance* LIAISON_CALL open_instance(const liaison_host* host, liaison_str raw) {
    const std::string_view config(raw.ptr, raw.len);
    const std::string parent = setting(config, "parent");
    const pid_t known = parent.empty() ? ::getppid() : static_cast<pid_t>(std::stoi(parent));
    return new liaison_instance{host, setting(config, "attack"), known > 0 ? known : 1};
}
void LIAISON_CALL close_instance(liaison_instance* instance) { delete instance; }
liaison_job* LIAISON_CALL create(liaison_instance* instance, std::uint32_t) {
    auto* job = new liaison_job{};
    job->instance = instance;
    return job;
}
const liaison_effect* LIAISON_CALL step(liaison_job* job, const liaison_event* event) {
    const std::string& attack = job->instance->attack;
    if (event->type == LIAISON_EVENT_CANCEL && attack == "at_load") return fail(job, "was cancelled");
    if (attack == "at_load") return fail(job, at_load);
    if (const auto found = effects.find(attack); found != effects.end()) return found->second(job);
    const auto found = attacks.find(attack);
    if (found == attacks.end()) return fail(job, "is not known");
    return fail(job, found->second(job->instance->parent));
}
void LIAISON_CALL destroy(liaison_job* job) { delete job; }

constexpr liaison_str literal(std::string_view text) { return {text.data(), text.size()}; }

constexpr liaison_plugin table = {sizeof(liaison_plugin),
                                  LIAISON_ABI_MAJOR,
                                  LIAISON_ABI_MINOR,
                                  0,
                                  literal(liaison_manifest::id),
                                  literal(liaison_manifest::version),
                                  literal(liaison_manifest::vendor),
                                  literal(liaison_manifest::text),
                                  liaison_manifest::capabilities,
                                  open_instance,
                                  close_instance,
                                  create,
                                  step,
                                  destroy};

}  // namespace

extern "C" LIAISON_EXPORT const liaison_plugin* LIAISON_CALL liaison_plugin_v1(void) { return &table; }
