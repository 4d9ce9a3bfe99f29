#include "sync/job_pump.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace liaisond::sync {
namespace {

// A job that wants to sleep longer must end and say when to come back (abi.md, rule 19).
constexpr Milliseconds longest_sleep{60'000};
// After CANCEL a job may log out or release a lock, not go on working.
constexpr int effects_after_cancel = 5;
// Sleeping, or handing over no records, so often in a row: the core would turn for it alone.
constexpr int most_fruitless_effects = 1'000;
constexpr std::size_t longest_text = 2000;

}  // namespace

Error failure_of(const plugin::FailEffect& fail) {
    const bool known = fail.category >= LIAISON_ERROR_TRANSIENT && fail.category <= LIAISON_ERROR_INTERNAL;
    std::string text = shortened(fail.text, longest_text);
    if (!fail.detail.empty()) text += " (" + shortened(fail.detail, longest_text) + ")";
    if (text.empty()) text = "the connector failed without saying why";
    return {known ? static_cast<ErrorKind>(fail.category) : ErrorKind::internal, std::move(text),
            Milliseconds(std::max<std::int64_t>(0, fail.retry_after_ms)), shortened(fail.code, 100)};
}

Task<Result<std::string>> JobPump::run(plugin::JobKind kind, plugin::StartEvent&& start,
                                       JobListener& listener) {
    std::optional<plugin::Cassette::Tape> tape;
    if (control_.cassette) tape.emplace(*control_.cassette, kind);
    std::unique_ptr<plugin::Job> job = ports_.runtime.create_job(control_.link->instance, kind);
    plugin::Event next = event(std::move(start));
    int cancels_left = effects_after_cancel;
    while (true) {
        if (tape) tape->event(next);
        Result<plugin::Effect> effect = co_await step(*job, std::move(next));
        if (!effect) co_return fail(effect.error());
        if (tape) tape->effect(*effect);
        if (auto* done = std::get_if<plugin::DoneEffect>(&*effect)) co_return std::move(done->output);
        if (auto* failed = std::get_if<plugin::FailEffect>(&*effect)) co_return fail(failure_of(*failed));
        if (control_.stop == Stop::cancel && cancels_left-- == 0) {
            co_return fail(ErrorKind::transient, "the job was stopped: " + control_.stop_reason);
        }
        if (Status progress = note_progress(*effect); !progress) co_return fail(progress.error());
        Result<plugin::Event> answer = co_await carry_out(std::move(*effect), listener);
        if (!answer) co_return fail(answer.error());
        next = std::move(*answer);
        if (control_.stop == Stop::cancel && cancels_left == effects_after_cancel)
            next = event(plugin::CancelEvent{});
    }
}

Status JobPump::note_progress(const plugin::Effect& effect) {
    const auto* emit = std::get_if<plugin::EmitEffect>(&effect);
    const auto* results = std::get_if<plugin::ResultEffect>(&effect);
    const bool fruitless = std::holds_alternative<plugin::SleepEffect>(effect) ||
                           (emit != nullptr && emit->records.empty()) ||
                           (results != nullptr && results->results.empty());
    fruitless_ = fruitless ? fruitless_ + 1 : 0;
    if (fruitless_ < most_fruitless_effects) return {};
    return fail(ErrorKind::internal,
                "the connector asked for " + std::to_string(fruitless_) +
                    " things in a row that come to nothing (sleeps, and batches without a "
                    "record): it is broken, ask its vendor for another build");
}

Await<Result<plugin::Effect>> JobPump::step(plugin::Job& job, plugin::Event event) {
    auto shared = std::make_shared<plugin::Event>(std::move(event));
    return Await<Result<plugin::Effect>>([&job, shared](Completion<Result<plugin::Effect>> done) {
        job.step(std::move(*shared), std::move(done));
    });
}

Task<Result<plugin::Event>> JobPump::carry_out(plugin::Effect effect, JobListener& listener) {
    if (auto* http = std::get_if<plugin::HttpEffect>(&effect)) {
        const bool mutates = std::any_of(http->requests.begin(), http->requests.end(),
                                         [](const plugin::Request& r) { return r.mutates(); });
        if (mutates) {
            Status ready = co_await listener.before_mutation();
            if (!ready) co_return fail(ready.error());
        }
        plugin::HttpEvent answer;
        Requester::OnWrite on_write = [&listener](const plugin::Request& request, Requester::Write what) {
            listener.on_write(request, what);
        };
        answer.responses = co_await requester_.send_all(control_, std::move(http->requests),
                                                        http->max_parallel, std::move(on_write));
        co_return event(std::move(answer));
    }
    if (auto* emit = std::get_if<plugin::EmitEffect>(&effect)) {
        Result<plugin::EmittedEvent> emitted = co_await listener.on_emit(std::move(*emit));
        if (!emitted) co_return fail(emitted.error());
        co_return event(std::move(*emitted));
    }
    if (auto* results = std::get_if<plugin::ResultEffect>(&effect)) {
        Status recorded = co_await listener.on_result(std::move(*results));
        if (!recorded) co_return fail(recorded.error());
        co_return event(plugin::RecordedEvent());
    }
    if (auto* sleep = std::get_if<plugin::SleepEffect>(&effect)) {
        const Milliseconds wanted(std::max<std::int64_t>(0, sleep->duration_ms));
        if (wanted > longest_sleep) {
            co_return fail(ErrorKind::internal, "the connector wants to sleep for " +
                                                    format_duration(wanted) + "; at most " +
                                                    format_duration(longest_sleep) + " are allowed");
        }
        co_await pause(ports_.timers, wanted);
        co_return event(plugin::TimerEvent());
    }
    co_return fail(ErrorKind::internal, "the connector answered with an effect that has no place here");
}

plugin::Event JobPump::event(decltype(plugin::Event::body) body) const {
    plugin::Event made;
    made.now_ms = to_unix_ms(ports_.clock.now());
    made.body = std::move(body);
    return made;
}

}  // namespace liaisond::sync
