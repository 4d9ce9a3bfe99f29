#include "sync/second_looks.hpp"

#include <algorithm>

#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::sync {
namespace {

constexpr std::uint32_t most_looks_a_run = 500;
constexpr std::size_t longest_text = 1000;

}  // namespace

bool is_twice(const plugin::PushResult& answer) {
    return answer.outcome == LIAISON_OUTCOME_REJECTED &&
           answer.category == static_cast<std::uint32_t>(ErrorKind::conflict);
}

SecondLooks::SecondLooks(const Ports& ports, Requester& requester, RunControl& control)
    : ports_(ports), requester_(requester), control_(control) {}

Task<Status> SecondLooks::run() {
    Result<std::vector<store::SecondLook>> due = co_await load_due();
    if (!due) co_return fail(due.error());
    Status first;
    for (auto from = due->begin(); from != due->end();) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        const auto to = std::find_if(
            from, due->end(), [&](const store::SecondLook& one) { return one.entity != from->entity; });
        asked_.assign(std::make_move_iterator(from), std::make_move_iterator(to));
        Status looked = co_await look();
        if (!looked && first) first = fail(looked.error());
        from = to;
    }
    co_return first;
}

Task<Status> SecondLooks::look() {
    const std::vector<config::Entity>& entities = control_.link->config.entities;
    const std::string entity = asked_.front().entity;
    const bool exports = std::any_of(entities.begin(), entities.end(), [&](const config::Entity& one) {
        return one.name == entity && one.exports;
    });
    answers_.assign(asked_.size(), {});
    Status ended;
    if (exports && control_.link->can_find) {
        control_.working_on = "looking for " + entity + " that is there twice";
        plugin::StartEvent start;
        start.entity = entity;
        for (const store::SecondLook& one : asked_) start.queries.push_back({one.reference, {}, {}});
        start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
        ports_.random.fill(start.seed);
        JobPump pump(ports_, requester_, control_);
        Result<std::string> output = co_await pump.run(plugin::JobKind::find, std::move(start), *this);
        // One that is not set up to look for this entity never will be able to tell.
        if (!output && output.error().kind != ErrorKind::config) ended = fail(output.error());
    }
    if (!ended) {
        ended.error().message = control_.working_on + " failed: " + ended.error().message;
        for (store::SecondLook& one : asked_) one.due = ports_.clock.now() + second_look_after;
    } else {
        judge(ports_.clock.now());
    }
    Status noted = co_await note();
    if (!noted) co_return fail(noted.error());
    co_return ended;
}

// Without an answer, or with one that says that it cannot be searched for, the look is over.
void SecondLooks::judge(Instant now) {
    for (std::size_t i = 0; i < asked_.size(); ++i) {
        const plugin::PushResult& answer = answers_[i];
        const bool there_twice = is_twice(answer);
        asked_[i].found =
            there_twice ? redactor().scrub(shortened(answer.text, longest_text)) : std::string();
        asked_[i].due = there_twice ? now + second_look_after : Instant();
    }
}

Task<Result<plugin::EmittedEvent>> SecondLooks::on_emit(plugin::EmitEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal, "the connector emitted records in a find job");
}

Task<Status> SecondLooks::on_result(plugin::ResultEffect&& effect) {
    for (plugin::PushResult& result : effect.results) {
        if (result.index >= answers_.size())
            co_return fail(ErrorKind::internal, "the connector reported on query number " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(answers_.size()));
        answers_[result.index] = std::move(result);
    }
    co_return Status();
}

Task<Status> SecondLooks::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();
}

Await<Result<std::vector<store::SecondLook>>> SecondLooks::load_due() {
    using Answer = Result<std::vector<store::SecondLook>>;
    return Await<Answer>([this](Completion<Answer> done) {
        ports_.store.read(
            [id = control_.link->config.id, now = ports_.clock.now()](store::Database& database) {
                return database.due_looks(id, now, most_looks_a_run);
            },
            std::move(done));
    });
}

Await<Status> SecondLooks::note() {
    return Await<Status>([this](Completion<Status> done) {
        ports_.store.write(
            [id = control_.link->config.id, run = control_.run.id, looks = asked_, now = ports_.clock.now()](
                store::Database& database) { return database.note_looks(run, id, looks, now); },
            std::move(done));
    });
}

}  // namespace liaisond::sync
