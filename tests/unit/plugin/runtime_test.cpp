// The two runtimes cannot be told apart.
#include "plugin/runtime_router.hpp"

#include <boost/asio/post.hpp>

#include "plugin/in_process_runtime.hpp"
#include "plugin_fixtures.hpp"

namespace liaisond::plugin {
namespace {

using fixtures::answer;
using fixtures::spec;
using fixtures::start;
using fixtures::step;

class Runtimes : public testing::Test {
  protected:
    // The same conversation with the same plugin in both; every answer must be equal.
    void expect_same(const std::string& plugin, JobKind kind, const std::vector<Event>& events) {
        InstanceSpec trusted = spec(plugin, "paradise");
        trusted.isolation = Isolation::none;
        const auto here = router.create_job(trusted, kind);
        const auto there = router.create_job(spec(plugin, "paradise"), kind);
        for (const Event& event : events) {
            const Result<Effect> one = step(io, *here, event);
            const Result<Effect> other = step(io, *there, event);
            ASSERT_EQ(one.has_value(), other.has_value())
                << fixtures::error_text(one) << fixtures::error_text(other);
            if (one)
                EXPECT_EQ(*one, *other);
            else
                EXPECT_EQ(one.error().message, other.error().message);
        }
    }

    boost::asio::io_context io;
    InProcessRuntime in_process{
        [this](std::function<void()> work) { boost::asio::post(io, std::move(work)); }};
    WorkerRuntime workers{io, fixtures::quick_options()};
    RuntimeRouter router{in_process, workers};
};

TEST_F(Runtimes, PullAlike) {
    expect_same("sdk_sample", JobKind::pull,
                {start("order"),
                 answer(429, ""),
                 {3, TimerEvent{}},
                 answer(200, "1\n2"),
                 {4, EmittedEvent{{{0, "no"}}}},
                 answer(200, "3"),
                 {5, EmittedEvent{}},
                 answer(200, "")});
}

TEST_F(Runtimes, PushAlike) {
    StartEvent event;
    event.entity = "order";
    event.records = {{false, "a", "", "{}", "op-1", 0}, {false, "b", "", "{}", "op-2", 0}};
    expect_same("sdk_sample", JobKind::push,
                {{1, event}, answer(201, ""), {3, RecordedEvent{}}, answer(422, "no"), {4, RecordedEvent{}}});
}

TEST_F(Runtimes, FailuresAlike) {
    for (const char* entity :
         {"null", "unknown", "huge_count", "huge_length", "throw", "wide", "narrow", "hold"}) {
        expect_same("faulty", JobKind::pull, {start(entity)});
    }
    expect_same("faulty", JobKind::find, {start("ok")});
    expect_same("newer_major", JobKind::pull, {start("ok")});
    expect_same("missing", JobKind::pull, {start("ok")});
    expect_same("sdk_sample", JobKind::pull, {start("order"), {2, CancelEvent{}}});
}

TEST_F(Runtimes, AMegabytesLargeEmitPasses) {
    std::string body;
    for (int i = 0; i < 9'000; ++i) body += std::to_string(i) + "\n";
    expect_same("sdk_sample", JobKind::pull, {start("order"), answer(200, body)});
}

TEST_F(Runtimes, ADestroyedJobIsNotAnswered) {
    for (const Isolation isolation : {Isolation::none, Isolation::plugin}) {
        InstanceSpec where = spec("sdk_sample", "paradise");
        where.isolation = isolation;
        bool answered = false;
        auto job = router.create_job(where, JobKind::pull);
        job->step(start("order"), [&](const Result<Effect>&) { answered = true; });
        job.reset();
        const auto other = router.create_job(where, JobKind::pull);
        EXPECT_TRUE(step(io, *other, start("order")));
        EXPECT_FALSE(answered);
    }
}

TEST_F(Runtimes, AJobMayDestroyItselfInItsCompletion) {
    for (const Isolation isolation : {Isolation::none, Isolation::plugin}) {
        InstanceSpec where = spec("sdk_sample", "paradise");
        where.isolation = isolation;
        auto job = router.create_job(where, JobKind::pull);
        job->step(start("order"), [&](const Result<Effect>&) { job.reset(); });
        EXPECT_TRUE(fixtures::run_until(io, [&] { return job == nullptr; }));
    }
}

TEST_F(Runtimes, ForgottenInstancesCloseAfterTheirJobs) {
    for (const Isolation isolation : {Isolation::none, Isolation::plugin}) {
        InstanceSpec where = spec("sdk_sample", "paradise");
        where.isolation = isolation;
        const auto job = router.create_job(where, JobKind::pull);
        ASSERT_TRUE(step(io, *job, start("order")));
        router.forget("paradise");
        EXPECT_TRUE(step(io, *job, answer(200, "1")));
        const auto fresh = router.create_job(where, JobKind::pull);
        EXPECT_TRUE(step(io, *fresh, start("order")));
    }
}

}  // namespace
}  // namespace liaisond::plugin
