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
    std::vector<plugin::PushResult> answers(asked_.size());
    Status ended;
    if (exports && control_.link->can_find) {
        control_.working_on = "looking for " + entity + " that is there twice";
        std::vector<plugin::Query> queries;
        for (const store::SecondLook& one : asked_) queries.push_back({one.reference, {}, {}});
        FindJob job(ports_, requester_, control_);
        Result<std::vector<plugin::PushResult>> found = co_await job.ask(entity, std::move(queries));
        if (found)
            answers = std::move(*found);
        else if (found.error().kind != ErrorKind::config)  // then it never will be able to tell
            ended = fail(found.error());
    }
    if (!ended) {
        ended.error().message = control_.working_on + " failed: " + ended.error().message;
        for (store::SecondLook& one : asked_) one.due = ports_.clock.now() + second_look_after;
    } else {
        judge(answers, ports_.clock.now());
    }
    Status noted = co_await note();
    if (!noted) co_return fail(noted.error());
    co_return ended;
}

// Without an answer, or with one that says that it cannot be searched for, the look is over.
void SecondLooks::judge(const std::vector<plugin::PushResult>& answers, Instant now) {
    for (std::size_t i = 0; i < asked_.size(); ++i) {
        const plugin::PushResult& answer = answers[i];
        const bool there_twice = is_twice(answer);
        asked_[i].found =
            there_twice ? redactor().scrub(shortened(answer.text, longest_text)) : std::string();
        asked_[i].due = there_twice ? now + second_look_after : Instant();
    }
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
