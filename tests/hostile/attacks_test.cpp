// Every attack of the hostile plugins, with the sandbox and without it: what it came to, and that a plugin
// beside it in another worker does not notice.
#include <gmock/gmock.h>

#include <unistd.h>

#include "paths.hpp"
#include "plugin_fixtures.hpp"

namespace liaisond::plugin {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Parts of what the operator is told, or of what the plugin says it got.
struct Row {
    const char* attack;
    const char* sandboxed;
    const char* bare;  // without the sandbox: the attacks that only the daemon holds back end alike
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.attack; }

constexpr const char* killed =
    "worker was killed by SIGSYS (it tried what the sandbox forbids) while running a pull job for victim";
constexpr const char* refused = "refused: EPERM";
constexpr const char* got_through = "got through";
constexpr const char* late = "did not answer within 2s and was killed while running a pull job for victim";

const Row rows[] = {
    // files
    {"open_file", refused, got_through},
    {"read_environ", refused, got_through},
    {"read_parent_memory", refused, got_through},
    {"read_parent_files", refused, got_through},
    {"write_file", refused, got_through},
    {"list_directory", refused, got_through},
    // network
    {"connect_tcp", killed, got_through},
    {"unix_socket", killed, got_through},
    {"send_to", killed, got_through},
    // processes
    {"fork", killed, got_through},
    {"vfork", killed, got_through},
    {"thread", killed, got_through},
    {"execute", killed, "worker exited while running a pull job for victim"},  // as /bin/true
    {"trace_parent", killed, got_through},
    {"read_parent", killed, got_through},
    {"kill_parent", killed, got_through},
    {"signal_parent_thread", killed, got_through},
    {"limit_parent", killed, got_through},
    {"open_parent", killed, got_through},
    // the kernel
    {"io_uring", killed, got_through},
    {"userfaultfd", killed, got_through},
    {"memfd", killed, got_through},
    {"unshare", killed, got_through},
    {"make_code", killed, got_through},
    {"map_code", killed, got_through},
    {"load_library", refused, got_through},
    {"call_i386", killed, got_through},
    {"call_x32", killed, "refused: ENOSYS"},  // where the kernel knows no x32, as Debian's
    // its own limits
    {"raise_limits", refused, got_through},
    {"allow_dumps", refused, got_through},
    {"outlive_parent", refused, got_through},
    {"allocate", "refused: ENOMEM", got_through},
    {"exhaust_memory", "threw an exception out of step", got_through},
    // descriptors
    {"duplicate_channel", killed, got_through},
    {"close_channel", killed, "worker closed its connection while running"},
    {"read_stdin", killed, got_through},
    // itself
    {"kill_itself", killed, "worker was killed by SIGTERM"},
    {"raise_signal", "worker was killed by SIGTERM", "worker was killed by SIGTERM"},
    {"spin", late, late},
    {"doze", late, late},
    {"recurse", "worker was killed by SIGSEGV", "worker was killed by SIGSEGV"},
    {"abort", "worker was killed by SIGABRT", "worker was killed by SIGABRT"},
    {"segfault", "worker was killed by SIGSEGV", "worker was killed by SIGSEGV"},
    {"exit", "worker exited while running", "worker exited while running"},
    {"throw", "threw an exception out of step", "threw an exception out of step"},
    {"free_twice", "worker was killed by SIGABRT", "worker was killed by SIGABRT"},
    // the daemon
    {"flood_stdout", " and was killed while running", " and was killed while running"},
    {"flood_without_newline", late, late},
    {"flood_log", " and was killed while running", " and was killed while running"},
    {"write_garbage", "worker sent a bad magic number and was killed",
     "worker sent a bad magic number and was killed"},
    {"forge_effect", "worker sent an effect that nobody asked for and was killed",
     "worker sent an effect that nobody asked for and was killed"},
    {"promise_frame", "worker sent a message of 2130706432 bytes and was killed",
     "worker sent a message of 2130706432 bytes and was killed"},
    {"drip", late, late},
    {"wild_pointer", "worker was killed by SIGSEGV", "worker was killed by SIGSEGV"},
    {"wild_effect", "worker was killed by SIGSEGV", "worker was killed by SIGSEGV"},
    {"no_effect", "an effect that is NULL", "an effect that is NULL"},
    {"claimed_gigabyte", "a string of 1073741824 bytes", "a string of 1073741824 bytes"},
    {"claimed_records", "1073741824 records (at most", "1073741824 records (at most"},
    {"real_flood", "is larger than 64 MiB", "is larger than 64 MiB"},
    {"at_load", "nothing", "nothing"},
};

constexpr const char* killed_at_load =
    "worker was killed by SIGSYS (it tried what the sandbox forbids) while starting";

// The same from a constructor: the daemon names the worker after the file.
const Row load_rows[] = {
    {"open_file", "refused: EACCES", got_through},
    {"read_environ", "refused: EACCES", got_through},
    {"read_parent_memory", "refused: EACCES", got_through},
    {"write_file", refused, got_through},
    {"connect_tcp", killed_at_load, got_through},
    {"unix_socket", killed_at_load, got_through},
    {"fork", killed_at_load, got_through},
    {"thread", killed_at_load, got_through},
    {"execute", killed_at_load, "worker exited while starting"},
    {"trace_parent", killed_at_load, got_through},
    {"kill_parent", killed_at_load, got_through},
    {"limit_parent", killed_at_load, got_through},
    {"memfd", killed_at_load, got_through},
    {"map_code", killed_at_load, got_through},
    {"make_code", killed_at_load, got_through},
    {"io_uring", killed_at_load, got_through},
    {"spin", "did not become ready within 2s and was killed",
     "did not become ready within 2s and was killed"},
    {"segfault", "worker was killed by SIGSEGV while starting",
     "worker was killed by SIGSEGV while starting"},
    {"exit", "worker exited while starting", "worker exited while starting"},
    {"allocate", "refused: ENOMEM", got_through},
};

class Attacks : public testing::TestWithParam<Row> {
  protected:
    void SetUp() override {
        if (!has_sandbox) GTEST_SKIP() << "skipped: no sandbox in this build (sanitizers)";
    }

    // Only what never answers is given little time; floods may come too slowly to be killed for that.
    static WorkerOptions options(const std::string& worker, const char* expected) {
        const std::string_view text(expected);
        const bool is_late = text.find("within 2s") != text.npos || text.starts_with(" and was killed");
        WorkerOptions options = fixtures::quick_options();
        options.worker_path = worker;
        options.step_deadline = is_late ? 2s : 60s;
        options.start_deadline = is_late ? 2s : 60s;
        options.longest_wait = 0ms;
        return options;
    }
    static InstanceSpec victim(const std::string& plugin, const std::string& attack) {
        return {paths::hostile_plugin(plugin + ".so"), "t", "victim",
                R"({"connector":"hostile","settings":{"attack":")" + attack + R"(","parent":)" +
                    std::to_string(::getpid()) + "}}",
                Isolation::plugin};
    }
    static std::string told(const Result<Effect>& effect) {
        if (!effect) return effect.error().message;
        if (const auto* failed = std::get_if<FailEffect>(&*effect)) return failed->text;
        return "an effect of kind " + std::to_string(effect->index());
    }
    // What came of the attack; another plugin goes on beside it.
    static void expect(const std::string& worker, const InstanceSpec& attacker, const char* outcome) {
        boost::asio::io_context io;
        WorkerRuntime runtime(io, options(worker, outcome));
        const auto neighbour = runtime.create_job(fixtures::spec("plain_c", "neighbour"), JobKind::pull);
        const auto job = runtime.create_job(attacker, JobKind::pull);
        const Result<Effect> asked = fixtures::step(io, *neighbour, fixtures::start("order"));
        EXPECT_TRUE(asked && std::holds_alternative<HttpEffect>(*asked)) << told(asked);
        const std::string came_of_it = told(fixtures::step(io, *job, fixtures::start("order")));
        const Result<Effect> emitted = fixtures::step(io, *neighbour, fixtures::answer(200, "{}"));
        EXPECT_TRUE(emitted && std::holds_alternative<EmitEffect>(*emitted)) << told(emitted);
        std::cout << came_of_it << '\n';
        EXPECT_THAT(came_of_it, HasSubstr(outcome));
    }
};

TEST_P(Attacks, IsContained) {
    expect(paths::program("liaison-worker"), victim("hostile", GetParam().attack), GetParam().sandboxed);
}

TEST_P(Attacks, Control) {
    expect(paths::program("bare-worker"), victim("hostile", GetParam().attack), GetParam().bare);
}

std::string attack_name(const testing::TestParamInfo<Row>& info) { return info.param.attack; }

INSTANTIATE_TEST_SUITE_P(AtRun, Attacks, testing::ValuesIn(rows), attack_name);

class AttacksAtLoad : public Attacks {};

TEST_P(AttacksAtLoad, IsContained) {
    expect(paths::program("liaison-worker"), victim(std::string("load_") + GetParam().attack, "at_load"),
           GetParam().sandboxed);
}

TEST_P(AttacksAtLoad, Control) {
    expect(paths::program("bare-worker"), victim(std::string("load_") + GetParam().attack, "at_load"),
           GetParam().bare);
}

INSTANTIATE_TEST_SUITE_P(Load, AttacksAtLoad, testing::ValuesIn(load_rows), attack_name);

}  // namespace
}  // namespace liaisond::plugin
