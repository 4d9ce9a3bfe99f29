#include "sync/event_job.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/backoff.hpp"

namespace liaisond::sync {
namespace {

constexpr std::uint32_t most_events = 200;          // in one job
constexpr std::size_t most_event_bytes = 8u << 20;  // of their bodies
constexpr int most_batches = 50;                    // in one run
constexpr int failures_that_convince = 3;           // of single events in a row: it is the vendor
constexpr Milliseconds patience{24 * 3'600'000};    // with an event while its vendor fails
constexpr std::size_t kept_of_a_body = 16u << 10, longest_text = 2000;
constexpr const char* counted_as = "event";  // entity of the run's counters, and of dead letters

std::vector<plugin::Header> headers_of(const std::string& text) {
    std::vector<plugin::Header> headers;
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return headers;
    for (const auto& [name, value] : parsed.get_object()) {
        if (value.is_string()) headers.push_back({name, std::string(value.get_string())});
        if (!value.is_array()) continue;
        for (const json::value& one : value.get_array()) {
            if (one.is_string()) headers.push_back({name, std::string(one.get_string())});
        }
    }
    return headers;
}

// {"changed": ["invoice"]}
std::set<std::string> changed_in(const std::string& output, const config::Integration& integration) {
    std::set<std::string> entities;
    boost::system::error_code error;
    const json::value parsed = json::parse(output, error);
    const json::value* list =
        !error && parsed.is_object() ? parsed.get_object().if_contains("changed") : nullptr;
    if (list == nullptr || !list->is_array()) return entities;
    for (const json::value& one : list->get_array()) {
        const config::Entity* entity =
            one.is_string() ? integration.entity(std::string(one.get_string())) : nullptr;
        if (entity != nullptr && entity->imports) entities.insert(entity->name);
    }
    return entities;
}

}  // namespace

EventJob::EventJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
                   const CanonicalSchemas& schemas, EventListener& listener)
    : ports_(ports),
      fibers_(fibers),
      requester_(requester),
      control_(control),
      schemas_(schemas),
      listener_(listener) {}

Task<Status> EventJob::run() {
    control_.working_on = "taking in events";
    for (int batch = 0; batch < most_batches; ++batch) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        Result<Events> events = co_await due();
        if (!events) co_return fail(events.error());
        if (events->empty()) break;
        control_.counters(counted_as, store::Direction::import).counters.fetched +=
            static_cast<std::int64_t>(events->size());
        Status done = co_await deal_with(std::move(*events));
        held_up_ = !done;
        if (!done) co_return done;
    }
    if (first_error_) co_return fail(*first_error_);
    co_return Status();
}

Task<Status> EventJob::deal_with(Events events) {
    Result<std::string> output = co_await ask(events);
    Settling outcomes = settling(events, output);
    LIAISON_FAULT_POINT("event.before_settle");
    Status settled = co_await settle(std::move(outcomes));
    LIAISON_FAULT_POINT("event.settled");
    if (!settled) co_return settled;
    if (output) co_return Status();
    if (affects_all(output.error())) co_return fail(output.error());
    if (events.size() == 1) {
        note(output.error());
        co_return Status();
    }
    Events left;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!answers_[i]) left.push_back(std::move(events[i]));
    }
    log(LogLevel::warning,
        "a batch of events failed and its events are tried one by one: " + output.error().message,
        {{"integration", control_.run.integration}, {"events", std::to_string(left.size())}});
    Status done = co_await one_by_one(std::move(left));
    co_return done;
}

// So that one which the connector cannot bear does not hold the others.
Task<Status> EventJob::one_by_one(Events events) {
    int failed_in_a_row = 0;
    for (store::InboxEvent& event : events) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        Events one;
        one.push_back(std::move(event));
        Result<std::string> output = co_await ask(one);
        Settling outcome = settling(one, output);
        Status settled = co_await settle(std::move(outcome));
        if (!settled) co_return settled;
        if (output) {
            failed_in_a_row = 0;
            continue;
        }
        const bool vendor_failed = output.error().kind == ErrorKind::transient;
        failed_in_a_row = vendor_failed ? failed_in_a_row + 1 : 0;
        if (affects_all(output.error()) || failed_in_a_row == failures_that_convince)
            co_return fail(output.error());
        note(output.error());
    }
    co_return Status();
}

Task<Result<std::string>> EventJob::ask(const Events& events) {
    answers_.assign(events.size(), std::nullopt);
    host_failed_ = false;
    plugin::StartEvent start;
    start.page_size = control_.link->config.page_size;
    start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(start.seed);
    for (const store::InboxEvent& event : events) {
        plugin::WebhookEvent& one = start.events.emplace_back();
        one.id = event.event_id;
        one.type = event.type;
        one.headers = headers_of(event.headers);
        one.body = event.body;
        one.received_ms = to_unix_ms(event.received);
    }
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(plugin::JobKind::webhook, std::move(start), *this);
    co_return output;
}

// ---- what the job does ----

Task<Result<plugin::EmittedEvent>> EventJob::on_emit(plugin::EmitEffect&& emit) {
    plugin::EmittedEvent answer;
    if (control_.stop != Stop::none) co_return control_.stopped();
    std::vector<Part> parts = parts_of(std::move(emit), answer);
    for (Part& part : parts) {
        control_.working_on = "importing " + part.entity;
        ImportJob& import = import_of(part.entity);
        Result<std::vector<plugin::Rejection>> refused = co_await import.take(std::move(part.records));
        host_failed_ = !refused;
        if (!refused) co_return fail(refused.error());
        for (plugin::Rejection& one : *refused) {
            const std::uint32_t place = part.places[one.index];
            answer.rejections.emplace_back(plugin::Rejection{place, std::move(one.text), one.lost});
        }
    }
    co_return std::move(answer);
}

Task<Status> EventJob::on_result(plugin::ResultEffect&& results) {
    const int local = 0;
    (void)local;
    for (plugin::PushResult& result : results.results) {
        if (result.index >= answers_.size()) {
            co_return fail(ErrorKind::internal, "the connector answered event " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(answers_.size()) + " (they count from 0)");
        }
        answers_[result.index] = std::move(result);
    }
    co_return Status();
}

// What was emitted is durable already.
Task<Status> EventJob::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();
}

// What others refer to comes first.
std::vector<EventJob::Part> EventJob::parts_of(plugin::EmitEffect&& emit,
                                               plugin::EmittedEvent& answer) const {
    std::vector<Part> parts;
    for (std::uint32_t i = 0; i < emit.records.size(); ++i) {
        plugin::Record& record = emit.records[i];
        const std::string problem = why_not(record.entity);
        if (!problem.empty()) {
            answer.rejections.push_back({i, problem, true});
            continue;
        }
        auto part = std::find_if(parts.begin(), parts.end(),
                                 [&](const Part& one) { return one.entity == record.entity; });
        if (part == parts.end()) part = parts.insert(part, Part{record.entity, {}, {}});
        part->records.push_back(std::move(record));
        part->places.push_back(i);
    }
    std::stable_sort(parts.begin(), parts.end(), [&](const Part& a, const Part& b) {
        return schemas_.rank(a.entity) < schemas_.rank(b.entity);
    });
    return parts;
}

std::string EventJob::why_not(const std::string& entity) const {
    if (entity.empty()) return "the connector does not say of which entity the record is";
    if (!schemas_.allowed(entity))
        return "the entity '" + entity + "' is unknown; entities of your own begin with x_";
    const config::Entity* found = control_.link->config.entity(entity);
    if (found != nullptr && found->imports) return {};
    return "the integration '" + control_.link->config.id + "' does not import " + entity +
           "; list it under entities with direction import";
}

ImportJob& EventJob::import_of(const std::string& entity) {
    std::unique_ptr<ImportJob>& job = imports_[entity];
    if (!job) {
        job = std::make_unique<ImportJob>(ports_, fibers_, requester_, control_, schemas_,
                                          *control_.link->config.entity(entity),
                                          [&listener = listener_, entity] { listener.hub_changed(entity); });
    }
    return *job;
}

// ---- what becomes of the events ----

// Something else is wrong than an event.
bool EventJob::affects_all(const Error& error) const {
    if (host_failed_ || control_.stop != Stop::none || control_.held_back) return true;
    switch (error.kind) {
        case ErrorKind::auth:
        case ErrorKind::rate_limited:
        case ErrorKind::config: return true;
        // A worker that rests after too many crashes says for how long.
        case ErrorKind::internal: return error.retry_after.count() > 0;
        case ErrorKind::transient:
        case ErrorKind::invalid_record:
        case ErrorKind::conflict:
        case ErrorKind::permanent:
        case ErrorKind::unknown_outcome: break;
    }
    return false;
}

// Other events are dealt with before the run says so.
void EventJob::note(const Error& error) {
    if (!first_error_) first_error_ = error;
}

EventJob::Settling EventJob::settling(const Events& events, const Result<std::string>& output) {
    Settling made;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (answers_[i])
            judge(events[i], *answers_[i], made);
        else
            judge_unanswered(events[i], output, events.size() == 1, made);
    }
    const std::set<std::string> changed =
        output ? changed_in(*output, control_.link->config) : std::set<std::string>();
    if (!changed.empty()) made.keep = listener_.wants_pulled(changed);
    return made;
}

void EventJob::judge(const store::InboxEvent& event, const plugin::PushResult& result, Settling& into) {
    switch (result.outcome) {
        case LIAISON_OUTCOME_REJECTED:
            return bury(event, result.text.empty() ? "the connector does not say why" : result.text, into);
        case LIAISON_OUTCOME_RETRY:
            return again(event, result.text, Milliseconds(std::max<std::int64_t>(0, result.retry_after_ms)),
                         false, into);
        case LIAISON_OUTCOME_IGNORED:
            into.outcomes.push_back({event.id, store::EventState::ignored, event.next_at, {}});
            return;
        case LIAISON_OUTCOME_CREATED:
        case LIAISON_OUTCOME_UPDATED:
        case LIAISON_OUTCOME_UNCHANGED:
        case LIAISON_OUTCOME_DELETED:
            into.outcomes.push_back({event.id, store::EventState::done, event.next_at, {}});
            return;
        default: return again(event, "the connector's answer means nothing for an event", {}, false, into);
    }
}

void EventJob::judge_unanswered(const store::InboxEvent& event, const Result<std::string>& output, bool alone,
                                Settling& into) {
    if (output) return again(event, "the connector did not answer this event", {}, false, into);
    const Error& error = output.error();
    if (control_.stop != Stop::none && !host_failed_) return;  // as if nothing had happened
    if (affects_all(error)) return wait(event, error, into);
    if (!alone) return;  // it is asked about alone
    if (error.kind == ErrorKind::permanent || error.kind == ErrorKind::invalid_record)
        return bury(event, error.message, into);
    again(event, error.message, error.retry_after, error.kind != ErrorKind::internal, into);
}

// `patient`: it may be the vendor who fails, and that may last.
void EventJob::again(const store::InboxEvent& event, const std::string& why, Milliseconds retry_after,
                     bool patient, Settling& into) {
    const config::RetryPolicy& retry = control_.link->config.retry;
    const std::uint32_t attempts = event.attempts + 1;
    const Instant now = ports_.clock.now();
    const bool is_old = now - event.received >= patience;
    if (attempts >= retry.attempts && (is_old || !patient)) {
        return bury(event, "given up after " + std::to_string(attempts) + " attempts: " + why, into);
    }
    const Instant next =
        now + std::max(retry_after, backoff(retry, attempts, ports_.random) + Milliseconds(1));
    into.outcomes.push_back(
        {event.id, store::EventState::waiting, next, redactor().scrub(shortened(why, longest_text))});
}

// It stays due: the engine decides when all are tried again.
void EventJob::wait(const store::InboxEvent& event, const Error& why, Settling& into) {
    store::EventOutcome outcome;
    outcome.id = event.id;
    outcome.state = store::EventState::waiting;
    outcome.next_at = event.next_at;
    outcome.error = redactor().scrub(shortened(why.message, longest_text));
    outcome.attempted = false;
    into.outcomes.push_back(std::move(outcome));
}

void EventJob::bury(const store::InboxEvent& event, const std::string& why, Settling& into) {
    const std::string text = redactor().scrub(shortened(why, longest_text));
    into.outcomes.push_back({event.id, store::EventState::dead, event.next_at, text});
    store::DeadLetter letter;
    letter.integration = control_.run.integration;
    letter.entity = counted_as;
    letter.key = event.event_id;
    letter.run = control_.run.id;
    letter.reason = event_reason;
    letter.message = event.type.empty() ? text : "event " + event.type + ": " + text;
    letter.payload = redactor().scrub(shortened(event.body, kept_of_a_body));
    letter.attempts = event.attempts + 1;
    letter.last_at = ports_.clock.now();
    into.letters.push_back(std::move(letter));
    ++control_.counters(counted_as, store::Direction::import).counters.rejected;
}

// ---- the store ----

Await<Result<EventJob::Events>> EventJob::due() {
    return Await<Result<Events>>([this](Completion<Result<Events>> done) {
        const std::uint32_t most = std::min(most_events, control_.link->config.page_size);
        ports_.store.read(
            [id = control_.link->config.id, now = ports_.clock.now(), most](store::Database& database) {
                return database.waiting_events(id, now, most, most_event_bytes);
            },
            std::move(done));
    });
}

Await<Status> EventJob::settle(Settling settling) {
    auto shared = std::make_shared<Settling>(std::move(settling));
    return Await<Status>([this, shared](Completion<Status> done) {
        if (shared->outcomes.empty() && !shared->keep)
            return ports_.timers.post([done = std::move(done)] { done({}); });
        const auto work = [shared](store::Database& database) -> Status {
            Status written = database.settle_events(shared->outcomes);
            if (written) written = database.add_dead_letters(shared->letters);
            if (written && shared->keep) written = shared->keep(database);
            return written;
        };
        ports_.store.write(work, std::move(done));
    });
}

}  // namespace liaisond::sync
