// Steps per second: a plugin called in this process and through a worker, beside a virtual call and a bare
// exchange of the same bytes over a socket pair between two processes.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "paths.hpp"
#include "plugin/frames.hpp"
#include "plugin/library.hpp"
#include "plugin/local_job.hpp"
#include "plugin/worker_runtime.hpp"

namespace {

using namespace liaisond::plugin;
using liaisond::Result;

constexpr std::size_t records_per_page = 500, record_bytes = 600;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "step_bench: %s\n", why.c_str());
    std::exit(1);
}

std::string plugin_path(const std::string& name) { return paths::bench_plugin(std::string(name) + ".so"); }
std::string sample_path() { return paths::test_plugin("sdk_sample.so"); }

Event start_event(const std::string& entity) {
    StartEvent start;
    start.entity = entity;
    return {1, start};
}
Event answer_event(const std::string& body) {
    HttpEvent http;
    Response response;
    response.status = 200;
    response.body = body;
    http.responses.push_back(response);
    return {1, http};
}
// What the job hears next, whatever it wanted.
Event reply_to(const Effect& effect) {
    if (std::holds_alternative<EmitEffect>(effect)) return {1, EmittedEvent{}};
    return answer_event("item 1");
}

// ---- in this process ----

class InProcess {
  public:
    InProcess(const std::string& path, const std::string& entity) {
        auto library = Library::load(path);
        if (!library) give_up(library.error().message);
        auto instance = LocalInstance::open(*library, "{}", {});
        if (!instance) give_up(instance.error().message);
        auto job = LocalJob::create(*instance, JobKind::pull);
        if (!job) give_up(job.error().message);
        job_ = std::move(*job);
        step(start_event(entity));
    }
    void step(const Event& event) {
        auto effect = job_->step(event);
        if (!effect) give_up(effect.error().message);
        effect_ = std::move(*effect);
    }
    const Effect& effect() const { return effect_; }

  private:
    std::unique_ptr<LocalJob> job_;
    Effect effect_;
};

// ---- through a worker ----

class ThroughWorker {
  public:
    ThroughWorker(const std::string& path, const std::string& entity) : runtime_(io_, options()) {
        job_ = runtime_.create_job({path, "bench", "bench", "{}", Isolation::plugin}, JobKind::pull);
        step(start_event(entity));
    }
    void step(Event event) {
        std::optional<Result<Effect>> answer;
        job_->step(std::move(event), [&](Result<Effect> effect) { answer = std::move(effect); });
        while (!answer) io_.run_one();
        if (!*answer) give_up(answer->error().message);
        effect_ = std::move(**answer);
    }
    const Effect& effect() const { return effect_; }

  private:
    static WorkerOptions options() {
        WorkerOptions options;
        options.worker_path = paths::program("liaison-worker");
        return options;
    }
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
    WorkerRuntime runtime_;
    std::unique_ptr<Job> job_;
    Effect effect_;
};

// Engine and plugin as they talk: each step answers what the one before wanted.
template <class Runner>
void steps(benchmark::State& state, const std::string& path, const std::string& entity) {
    Runner runner(path, entity);
    for (auto _ : state) {
        runner.step(reply_to(runner.effect()));
        benchmark::DoNotOptimize(runner.effect());
    }
    state.SetItemsProcessed(state.iterations());
}

// ---- baselines ----

class Connector {
  public:
    virtual ~Connector() = default;
    virtual Effect step(const Event& event) = 0;
};

class Small final : public Connector {
  public:
    Effect step(const Event& event) override {
        benchmark::DoNotOptimize(event.now_ms);
        HttpEffect http;
        Request request;
        request.method = "GET";
        request.url = "https://bench.example/item";
        http.requests.push_back(std::move(request));
        return http;
    }
};

class Page final : public Connector {
  public:
    Effect step(const Event& event) override {
        benchmark::DoNotOptimize(event.now_ms);
        EmitEffect emit;
        emit.cursor = "{\"next\":\"17\"}";
        emit.records.resize(records_per_page);
        for (Record& record : emit.records) {
            record.key = "12345";
            record.version = "2024-01-01T00:00:00Z";
            record.payload = payload_;
        }
        return emit;
    }

  private:
    const std::string payload_ = std::string(record_bytes, 'x');
};

void virtual_calls(benchmark::State& state, bool whole_page) {
    std::unique_ptr<Connector> connector;
    if (whole_page)
        connector = std::make_unique<Page>();
    else
        connector = std::make_unique<Small>();
    Effect effect = connector->step(start_event("x"));
    for (auto _ : state) {
        effect = connector->step(reply_to(effect));
        benchmark::DoNotOptimize(effect);
    }
    state.SetItemsProcessed(state.iterations());
}

bool move_bytes(ssize_t (*move)(int, char*, std::size_t), int fd, std::string& buffer) {
    for (std::size_t done = 0; done < buffer.size();) {
        const ssize_t now = move(fd, buffer.data() + done, buffer.size() - done);
        if (now <= 0) return false;
        done += static_cast<std::size_t>(now);
    }
    return true;
}
bool receive(int fd, std::string& buffer) {
    return move_bytes([](int from, char* to, std::size_t size) { return ::read(from, to, size); }, fd,
                      buffer);
}
bool transmit(int fd, std::string& buffer) {
    return move_bytes([](int to, char* from, std::size_t size) { return ::write(to, from, size); }, fd,
                      buffer);
}

// The frames of a step and of its effect, as bytes that nobody looks at.
void socket_pair(benchmark::State& state, bool whole_page) {
    std::string question, answer;
    const Effect effect = whole_page ? Page().step(start_event("x")) : Small().step(start_event("x"));
    append_step(question, 1, {1, 1, JobKind::pull, {}}, reply_to(effect));
    append_stepped(answer, 1, 1, effect);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) give_up("no socket pair");
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        while (receive(ends[1], question) && transmit(ends[1], answer)) {}
        ::_exit(0);
    }
    ::close(ends[1]);
    for (auto _ : state) {
        if (!transmit(ends[0], question) || !receive(ends[0], answer)) give_up("the other process is gone");
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    state.SetItemsProcessed(state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
    const auto add = [](const char* name, auto run) {
        benchmark::RegisterBenchmark(name, run)->UseRealTime();
    };
    for (const bool whole_page : {false, true}) {
        const std::string entity = whole_page ? "page" : "small";
        const auto named = [&](const char* way) { return std::string(way) + "/" + entity; };
        add(named("virtual_call").c_str(), [=](benchmark::State& s) { virtual_calls(s, whole_page); });
        add(named("in_process").c_str(),
            [=](benchmark::State& s) { steps<InProcess>(s, plugin_path("step_plugin"), entity); });
        add(named("socket_pair").c_str(), [=](benchmark::State& s) { socket_pair(s, whole_page); });
        add(named("worker").c_str(),
            [=](benchmark::State& s) { steps<ThroughWorker>(s, plugin_path("step_plugin"), entity); });
    }
    add("in_process/sdk", [](benchmark::State& s) { steps<InProcess>(s, sample_path(), "order"); });
    add("worker/sdk", [](benchmark::State& s) { steps<ThroughWorker>(s, sample_path(), "order"); });
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
