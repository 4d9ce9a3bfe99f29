#include "plugin/worker_runtime.hpp"

#include <csignal>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>

#include "plugin/file_digest.hpp"

#include "plugin_fixtures.hpp"

namespace liaisond::plugin {
namespace {

using namespace std::chrono_literals;
using fixtures::answer;
using fixtures::error_text;
using fixtures::run_until;
using fixtures::spec;
using fixtures::start;
using fixtures::step;

class Supervision : public testing::Test {
  protected:
    WorkerRuntime& runtime() {
        if (!runtime_) {
            runtime_ = std::make_unique<WorkerRuntime>(io, options,
                                                       [this](const LogLine& line) { log.push_back(line); });
        }
        return *runtime_;
    }
    Result<Effect> first_step(const std::string& entity, const std::string& integration = "paradise-csv") {
        const auto job = runtime().create_job(spec("faulty", integration), JobKind::pull);
        return step(io, *job, start(entity));
    }
    void end_runtime() { runtime_.reset(); }
    static std::string digest_of(const std::string& path) {
        const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        return file_digest(file.get()).value_or("cannot be read");
    }
    bool logged(const std::string& text) const {
        for (const LogLine& line : log) {
            if (line.text.find(text) != std::string::npos) return true;
        }
        return false;
    }

    boost::asio::io_context io;
    WorkerOptions options = fixtures::quick_options();
    std::vector<LogLine> log;

  private:
    std::unique_ptr<WorkerRuntime> runtime_;
};

TEST_F(Supervision, ACrashNamesPluginSignalJobAndIntegration) {
    const auto effect = first_step("crash");
    EXPECT_EQ(error_text(effect),
              "faulty worker was killed by SIGSEGV while running a pull job for paradise-csv");
    EXPECT_EQ(effect.error().kind, ErrorKind::internal);
    EXPECT_TRUE(logged("was killed by SIGSEGV"));
}

TEST_F(Supervision, AnExitIsNamed) {
    EXPECT_EQ(error_text(first_step("exit")),
              "faulty worker exited while running a pull job for paradise-csv");
    EXPECT_EQ(error_text(first_step("exit_7")),
              "faulty worker exited with status 7 while running a pull job for paradise-csv");
}

TEST_F(Supervision, AHangIsKilledAtTheDeadline) {
    options.step_deadline = 100ms;
    EXPECT_EQ(
        error_text(first_step("loop")),
        "faulty worker did not answer within 100ms and was killed while running a pull job for paradise-csv");
}

// As a virtual machine does that gets no processor: the daemon and its workers stop and go on together.
TEST_F(Supervision, AStandstillOfTheMachineIsNoHang) {
    options.step_deadline = 500ms;
    ASSERT_TRUE(first_step("ok"));
    const pid_t worker = runtime().workers().at(0).pid;
    const auto job = runtime().create_job(spec("faulty", "paradise-csv"), JobKind::pull);
    std::optional<Result<Effect>> effect;
    ASSERT_EQ(::kill(worker, SIGSTOP), 0);
    job->step(start("ok"), [&](Result<Effect> got) { effect = std::move(got); });
    std::this_thread::sleep_for(options.step_deadline * 2);
    ASSERT_EQ(::kill(worker, SIGCONT), 0);
    ASSERT_TRUE(run_until(io, [&] { return effect.has_value(); }));
    EXPECT_EQ(error_text(*effect), "no error");
}

TEST_F(Supervision, GarbageIsKilled) {
    EXPECT_EQ(
        error_text(first_step("garbage")),
        "faulty worker sent a bad magic number and was killed while running a pull job for paradise-csv");
}

TEST_F(Supervision, AClosedChannelIsKilled) {
    EXPECT_EQ(error_text(first_step("close_channel")),
              has_sandbox ? "faulty worker was killed by SIGSYS (it tried what the sandbox forbids) while "
                            "running a pull job for paradise-csv"
                          : "faulty worker closed its connection while running a pull job for paradise-csv");
}

TEST_F(Supervision, TheWorkerRestarts) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(first_step("crash"));
        EXPECT_TRUE(first_step("ok"));
    }
    ASSERT_EQ(runtime().workers().size(), 1u);
    EXPECT_EQ(runtime().workers()[0].restarts, 3u);
    EXPECT_EQ(runtime().workers()[0].state, WorkerState::ready);
    EXPECT_EQ(runtime().workers()[0].version, "1.2.3");
    EXPECT_GT(runtime().workers()[0].pid, 0);
}

TEST_F(Supervision, JobsOfTheSameWorkerAreLostAndSaySo) {
    const auto bystander = runtime().create_job(spec("faulty", "paradise-other"), JobKind::push);
    ASSERT_TRUE(step(io, *bystander, start("hold")));
    EXPECT_FALSE(first_step("crash"));
    const std::string expected =
        "faulty worker was killed by SIGSEGV while running a pull job for paradise-csv; a push job for "
        "paradise-other "
        "was lost with it";
    EXPECT_EQ(error_text(step(io, *bystander, {2, TimerEvent{}})), expected);
    EXPECT_EQ(error_text(step(io, *bystander, {3, TimerEvent{}})), expected);
}

TEST_F(Supervision, QueuedJobsThatHadNotBegunSurviveACrash) {
    std::vector<std::unique_ptr<Job>> jobs;
    std::vector<std::string> answers;
    for (const char* entity : {"crash", "ok", "ok"}) {
        jobs.push_back(runtime().create_job(spec("faulty", "paradise-csv"), JobKind::pull));
        jobs.back()->step(start(entity),
                          [&](const Result<Effect>& effect) { answers.push_back(error_text(effect)); });
    }
    ASSERT_TRUE(run_until(io, [&] { return answers.size() == 3; }));
    EXPECT_NE(answers[0].find("SIGSEGV"), std::string::npos);
    EXPECT_EQ(answers[1], "no error");
    EXPECT_EQ(answers[2], "no error");
}

TEST_F(Supervision, APluginThatCrashesTooOftenRestsUntilSomebodySaysSo) {
    options.quarantine_crashes = 3;
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(first_step("crash"));
    EXPECT_EQ(runtime().quarantined(spec("faulty", "paradise-csv")), "");
    EXPECT_TRUE(first_step("ok")) << "two are not too many";
    const auto bystander = runtime().create_job(spec("faulty", "paradise-other"), JobKind::push);
    bystander->step(start("crash"), [](const Result<Effect>&) {});
    std::string waiting;
    const auto queued = runtime().create_job(spec("faulty", "paradise-csv"), JobKind::pull);
    queued->step(start("ok"), [&](const Result<Effect>& effect) { waiting = error_text(effect); });
    ASSERT_TRUE(run_until(io, [&] { return !waiting.empty(); }));
    const std::string expected =
        "plugin faulty crashed 3 times within 10m and is not started any more; once it is replaced, or to "
        "try "
        "it again: liaisonctl plugin release faulty; last: faulty worker was killed by SIGSEGV while running "
        "a "
        "push job for paradise-other";
    EXPECT_EQ(waiting, expected) << "what waited is told, too";
    const auto refused = first_step("ok");
    EXPECT_EQ(error_text(refused), expected);
    EXPECT_EQ(refused.error().code, "plugin_quarantined");
    EXPECT_EQ(runtime().quarantined(spec("faulty", "paradise-csv")), expected);
    EXPECT_EQ(runtime().workers().at(0).state, WorkerState::quarantine);
    EXPECT_TRUE(logged("is not started any more"));

    EXPECT_EQ(runtime().release("another"), 0u);
    EXPECT_EQ(runtime().release("faulty"), 1u);
    EXPECT_EQ(runtime().release("faulty"), 0u) << "it is no longer";
    EXPECT_EQ(runtime().quarantined(spec("faulty", "paradise-csv")), "");
    EXPECT_TRUE(first_step("ok"));
    EXPECT_FALSE(first_step("crash"));
    EXPECT_TRUE(first_step("ok")) << "the crashes before do not count any more";
}

TEST_F(Supervision, CrashesLongAgoDoNotCount) {
    options.quarantine_crashes = 2;
    options.quarantine_window = 0ms;
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(first_step("crash"));
    EXPECT_TRUE(first_step("ok"));
}

TEST_F(Supervision, AnotherTenantOfAQuarantinedPluginGoesOn) {
    options.quarantine_crashes = 1;
    EXPECT_FALSE(first_step("crash"));
    EXPECT_NE(runtime().quarantined(spec("faulty", "x")), "");
    EXPECT_EQ(runtime().quarantined(spec("faulty", "x", "other")), "");
    const auto job = runtime().create_job(spec("faulty", "x", "other"), JobKind::pull);
    EXPECT_TRUE(step(io, *job, start("ok")));
}

TEST_F(Supervision, AChangedConfigurationReleasesNothingAndAChangedFileDoes) {
    options.quarantine_crashes = 1;
    EXPECT_FALSE(first_step("crash"));
    runtime().forget("paradise-csv");
    EXPECT_NE(error_text(first_step("ok")).find("is not started any more"), std::string::npos);
    InstanceSpec replaced = spec("faulty", "paradise-csv");
    replaced.library_digest = digest_of(replaced.library);
    const auto job = runtime().create_job(replaced, JobKind::pull);
    EXPECT_TRUE(step(io, *job, start("ok")));
    ASSERT_EQ(runtime().workers().size(), 1u) << "the old one is forgotten";
    EXPECT_EQ(runtime().workers().at(0).state, WorkerState::ready);
}

TEST_F(Supervision, AFileThatIsNotTheOneLookedAtIsRefused) {
    options.longest_wait = 5ms;
    InstanceSpec exchanged = spec("faulty", "paradise-csv");
    exchanged.library_digest = std::string(64, '0');
    const auto job = runtime().create_job(exchanged, JobKind::pull);
    EXPECT_EQ(error_text(step(io, *job, start("ok"))),
              exchanged.library +
                  " is not the file that was looked at when liaisond started: it has another SHA-256 (" +
                  digest_of(exchanged.library) +
                  ") and is not loaded; if you replaced it, run liaisonctl reload");
}

TEST_F(Supervision, OtherWorkersAreUnaffected) {
    const auto other_tenant = runtime().create_job(spec("faulty", "b", "other"), JobKind::pull);
    InstanceSpec own = spec("faulty", "alone");
    own.isolation = Isolation::integration;
    const auto own_worker = runtime().create_job(own, JobKind::pull);
    ASSERT_TRUE(step(io, *other_tenant, start("hold")));
    ASSERT_TRUE(step(io, *own_worker, start("hold")));
    EXPECT_FALSE(first_step("crash"));
    EXPECT_TRUE(step(io, *other_tenant, {2, TimerEvent{}}));
    EXPECT_TRUE(step(io, *own_worker, {2, TimerEvent{}}));
    EXPECT_EQ(runtime().workers().size(), 3u);
}

TEST_F(Supervision, ALongBackoffFailsJobsWithRetryAfter) {
    options.first_backoff = 10s;
    options.longest_backoff = 10s;
    EXPECT_FALSE(first_step("crash"));
    const auto effect = first_step("ok");
    ASSERT_FALSE(effect);
    EXPECT_EQ(error_text(effect).find(
                  "the faulty worker fails again and again and rests before its next start; last: "
                  "faulty worker was killed by SIGSEGV"),
              0u);
    EXPECT_GT(effect.error().retry_after, 5s);
    EXPECT_EQ(runtime().workers()[0].state, WorkerState::backoff);
}

TEST_F(Supervision, AMissingWorkerProgramIsSaid) {
    options.worker_path = "/nowhere/liaison-worker";
    options.longest_wait = 50ms;
    EXPECT_NE(
        error_text(first_step("ok")).find("cannot start /nowhere/liaison-worker: No such file or directory"),
        std::string::npos);
}

TEST_F(Supervision, APluginThatNeverLoadsIsKilledAtTheStartDeadline) {
    options.start_deadline = 100ms;
    options.longest_wait = 5ms;
    const auto job = runtime().create_job(spec("hanging", "x"), JobKind::pull);
    EXPECT_NE(error_text(step(io, *job, start("ok")))
                  .find("hanging worker did not become ready within 100ms and was killed while starting"),
              std::string::npos);
}

TEST_F(Supervision, AnIdleWorkerEndsAndComesBack) {
    options.idle_exit = 20ms;
    EXPECT_TRUE(first_step("ok"));
    const pid_t first = runtime().workers()[0].pid;
    ASSERT_TRUE(run_until(io, [&] { return runtime().workers()[0].state == WorkerState::idle; }));
    ASSERT_TRUE(run_until(io, [&] { return ::kill(first, 0) != 0; })) << "not reaped";
    EXPECT_TRUE(first_step("ok"));
    EXPECT_NE(runtime().workers()[0].pid, first);
    EXPECT_EQ(runtime().workers()[0].restarts, 0u);
}

TEST_F(Supervision, AKilledIdleWorkerIsReplaced) {
    EXPECT_TRUE(first_step("ok"));
    ::kill(runtime().workers()[0].pid, SIGKILL);
    ASSERT_TRUE(run_until(io, [&] { return !runtime().workers()[0].last_problem.empty(); }));
    EXPECT_EQ(runtime().workers()[0].last_problem, "faulty worker was killed by SIGKILL while idle");
    EXPECT_TRUE(first_step("ok"));
}

TEST_F(Supervision, ForgettingTheLastIntegrationEndsTheWorker) {
    EXPECT_TRUE(first_step("ok"));
    const pid_t pid = runtime().workers()[0].pid;
    runtime().forget("paradise-csv");
    EXPECT_TRUE(runtime().workers().empty());
    EXPECT_TRUE(run_until(io, [&] { return ::kill(pid, 0) != 0; }));
}

TEST_F(Supervision, ShutdownEndsABusyWorkerToo) {
    options.shutdown_grace = 50ms;
    const auto job = runtime().create_job(spec("faulty", "x"), JobKind::pull);
    ASSERT_TRUE(step(io, *job, start("hold")));
    const auto busy = runtime().create_job(spec("faulty", "x"), JobKind::pull);
    busy->step(start("loop"), [](const Result<Effect>&) { FAIL() << "completed after the end"; });
    const pid_t pid = runtime().workers()[0].pid;
    io.poll();
    options = {};
    end_runtime();
    EXPECT_NE(::kill(pid, 0), 0);
    job->step({2, TimerEvent{}}, [](const Result<Effect>&) { FAIL() << "completed after the end"; });
    io.poll();
}

TEST_F(Supervision, LogLinesAndOutputArriveAttributedAndBounded) {
    EXPECT_TRUE(first_step("print"));
    ASSERT_TRUE(run_until(io, [&] { return logged("on standard error"); }));
    EXPECT_EQ(log[0].plugin, "faulty");
    log.clear();
    EXPECT_TRUE(first_step("flood"));
    EXPECT_EQ(log.front().text, "a line");
    EXPECT_EQ(log.front().integration, "paradise-csv");
    EXPECT_TRUE(logged("too many log lines"));
    EXPECT_LT(log.size(), 2'000u);
}

TEST_F(Supervision, ADelugeOfLogLinesIsKilled) {
    options.step_deadline = 5s;
    EXPECT_NE(error_text(first_step("deluge")).find(" and was killed while running a pull job"),
              std::string::npos);
    EXPECT_LT(log.size(), 3'000u);
}

TEST_F(Supervision, AThousandInterleavedJobs) {
    constexpr std::size_t count = 1'000;
    std::vector<std::unique_ptr<Job>> jobs;
    std::size_t asked = 0, emitted = 0, done = 0;
    for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back(runtime().create_job(spec("sdk_sample", "i" + std::to_string(i % 10)), JobKind::pull));
    }
    for (std::size_t i = 0; i < count; ++i) {
        Job& job = *jobs[i];
        job.step(start("order"), [&, i](const Result<Effect>& http) {
            asked += http && std::holds_alternative<HttpEffect>(*http);
            job.step(answer(200, std::to_string(i)), [&, i](const Result<Effect>& emit) {
                emitted += emit && std::get<EmitEffect>(*emit).records.at(0).key == std::to_string(i);
                job.step({3, EmittedEvent{}}, [&](const Result<Effect>&) {
                    job.step(answer(200, ""), [&](const Result<Effect>& end) {
                        done += end && std::holds_alternative<DoneEffect>(*end);
                    });
                });
            });
        });
    }
    for (std::size_t i = 0; i < count; i += 4) jobs[i].reset();  // a quarter in mid-flight
    EXPECT_TRUE(run_until(io, [&] { return done == count * 3 / 4; }));
    EXPECT_EQ(asked, count * 3 / 4);
    EXPECT_EQ(emitted, count * 3 / 4);
    EXPECT_EQ(runtime().workers()[0].jobs, count * 3 / 4);
}

}  // namespace
}  // namespace liaisond::plugin
