#include "plugin/script_runner.hpp"

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "plugin/local_job.hpp"
#include "plugin/script.hpp"
#include "plugin/script_compare.hpp"
#include "plugin/worker_runtime.hpp"

namespace liaisond::plugin {

namespace {

using StepFunction = std::function<Result<Effect>(Event)>;

constexpr std::size_t all_steps = std::numeric_limits<std::size_t>::max();
constexpr std::chrono::seconds worker_patience{20};  // longer than every deadline of the runtime

// Plays at most `limit` steps; the first difference ends it with its text.
std::string play(const Script& script, const StepFunction& step, std::size_t limit, std::size_t& steps) {
    Event event = script.start;
    for (const Exchange& exchange : script.exchanges) {
        if (steps == limit) return {};
        ++steps;
        const std::int64_t now = event.now_ms;
        const Result<Effect> effect = step(std::move(event));
        if (!effect) return script.path + ":" + std::to_string(exchange.line) + ": " + effect.error().message;
        const Difference difference = compare(exchange, *effect);
        if (!difference.text.empty()) {
            const std::string text =
                script.path + ":" + std::to_string(difference.line) + ": " + difference.text;
            // Beside a recorded line stands what the connector has.
            return exchange.exact.empty() ? text + "\nthe connector asked:\n" + describe(*effect) : text;
        }
        if (!exchange.answer) return {};
        event = *exchange.answer;
        event.now_ms += now;
    }
    return {};
}

std::string play_in_process(const Script& script, const std::shared_ptr<LocalInstance>& instance,
                            std::size_t limit, std::size_t& steps) {
    auto job = LocalJob::create(instance, script.kind);
    if (!job) return script.path + ": " + job.error().message;
    return play(
        script, [&](const Event& event) { return (*job)->step(event); }, limit, steps);
}

std::string play_in_worker(const Script& script, const std::string& library_path,
                           const std::string& worker_path) {
    boost::asio::io_context io;
    WorkerOptions options;
    options.worker_path = worker_path;
    options.longest_wait = std::chrono::milliseconds(0);
    WorkerRuntime runtime(io, options);
    const auto job =
        runtime.create_job({library_path, "script", "script", script.config, Isolation::plugin}, script.kind);
    const StepFunction step = [&](Event event) -> Result<Effect> {
        std::optional<Result<Effect>> answer;
        job->step(std::move(event), [&](Result<Effect> effect) { answer = std::move(effect); });
        const auto until = std::chrono::steady_clock::now() + worker_patience;
        io.restart();
        while (!answer && io.run_one_until(until) > 0) {}
        if (!answer) return fail(ErrorKind::internal, "the worker did not answer");
        return std::move(*answer);
    };
    std::size_t steps = 0;
    return play(script, step, all_steps, steps);
}

Status run_one(const Script& script, const std::shared_ptr<const Library>& library,
               const std::string& library_path, const std::string& worker_path, ScriptReport& report) {
    bool logging = true;
    const auto log = [&](std::uint32_t, std::string_view text) {
        if (logging) report.log.emplace_back(text);
    };
    const auto instance = LocalInstance::open(library, script.config, log);
    if (!instance) return fail(instance.error());

    std::size_t whole = 0;
    std::string failure = play_in_process(script, *instance, all_steps, whole);
    report.steps += whole;
    logging = false;
    for (std::size_t limit = 0; failure.empty() && limit < whole; ++limit) {
        std::size_t steps = 0;
        failure = play_in_process(script, *instance, limit, steps);
        if (!failure.empty()) failure += "\n(in a play destroyed after " + std::to_string(limit) + " steps)";
    }
    if (failure.empty() && !worker_path.empty()) {
        failure = play_in_worker(script, library_path, worker_path);
        if (!failure.empty()) failure += "\n(through a worker; in process the script passes)";
    }
    if (!failure.empty()) report.failures.push_back(std::move(failure));
    return {};
}

}  // namespace

Result<ScriptReport> run_script(const std::string& script_path, const std::string& library_path,
                                const std::string& worker_path) {
    const auto scripts = load_scripts(script_path);
    if (!scripts) return fail(scripts.error());
    const auto library = Library::load(library_path);
    if (!library) return fail(library.error());
    ScriptReport report;
    for (const Script& script : *scripts) {
        const Status played = run_one(script, *library, library_path, worker_path, report);
        if (!played) return fail(played.error());
    }
    return report;
}

}  // namespace liaisond::plugin
