#include "sync/export_job.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/fault_point.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/backoff.hpp"

namespace liaisond::sync {
namespace {

// A record that could not be found after that many sends is a matter for a person (reliability.md 2.2).
constexpr std::uint32_t sends_of_a_doubtful_create = 3;
constexpr std::size_t longest_message = 1000;
constexpr std::string_view moved_on =
    "conflict: ";  // marks an intent whose remote version must be read again

bool is_success(std::uint32_t outcome) {
    return outcome >= LIAISON_OUTCOME_CREATED && outcome <= LIAISON_OUTCOME_DUPLICATE;
}

std::string action_of(std::uint32_t outcome) {
    switch (outcome) {
        case LIAISON_OUTCOME_CREATED: return "created";
        case LIAISON_OUTCOME_UPDATED: return "updated";
        case LIAISON_OUTCOME_UNCHANGED: return "unchanged";
        case LIAISON_OUTCOME_DELETED: return "deleted";
        default: return "adopted";
    }
}

}  // namespace

ExportJob::ExportJob(const Ports& ports, Requester& requester, RunControl& control,
                     const CanonicalSchemas& schemas, std::string entity)
    : ports_(ports),
      requester_(requester),
      control_(control),
      schemas_(schemas),
      entity_(std::move(entity)) {}

Task<Status> ExportJob::run() {
    (void)counters();  // a row in the summary even when there is nothing to do
    Status open = co_await finish_open();
    if (!open) co_return fail(open.error());
    Status fresh = co_await send_new();
    if (!fresh) co_return fail(fresh.error());
    co_return Status();
}

// Work left over from before: retries that are due, and sends of which nobody knows how they ended.
Task<Status> ExportJob::finish_open() {
    while (true) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        Result<std::vector<store::Intent>> due = co_await load_due();
        if (!due) co_return fail(due.error());
        if (due->empty()) break;
        LIAISON_FAULT_POINT("export.due");
        std::vector<store::Intent> send, ask, doubt;
        for (store::Intent& intent : *due) {
            const bool unclear = intent.state != store::IntentState::ready;
            const bool moved = intent.last_error.starts_with(moved_on) && control_.link->can_find;
            const EffectClass effect = effect_of(intent);
            if (moved || (unclear && effect == EffectClass::findable))
                ask.push_back(std::move(intent));
            else if (unclear && effect == EffectClass::blind)
                doubt.push_back(std::move(intent));
            else
                send.push_back(std::move(intent));
        }
        std::vector<store::Outcome> in_doubt;
        for (const store::Intent& intent : doubt) {
            in_doubt.push_back({intent.id,
                                store::Outcome::Kind::in_doubt,
                                {},
                                {},
                                "nobody knows whether the vendor executed this, and it can neither be "
                                "repeated nor searched for: look at the vendor",
                                "in_doubt",
                                {},
                                {}});
        }
        if (!in_doubt.empty()) {
            LIAISON_FAULT_POINT("export.before_doubt");
            Status settled = co_await settle(std::move(in_doubt));
            if (!settled) co_return fail(settled.error());
        }
        if (!ask.empty()) {
            LIAISON_FAULT_POINT("export.before_find");
            Status asked = co_await look_for(ask, send);
            if (!asked) co_return fail(asked.error());
        }
        if (send.empty()) continue;
        const Instant now = ports_.clock.now();
        for (store::Intent& intent : send) {
            ++intent.attempt;
            intent.next_at = due_after_send(intent, now);
            if (to_unix_ms(intent.first_sent_at) == 0) intent.first_sent_at = now;
        }
        LIAISON_FAULT_POINT("export.before_mark");
        Status marked = co_await mark_sending(send);
        LIAISON_FAULT_POINT("export.after_mark");
        if (!marked) co_return fail(marked.error());
        Status pushed = co_await push(send);
        if (!pushed) co_return fail(pushed.error());
    }
    co_return Status();
}

Task<Status> ExportJob::send_new() {
    Result<std::int64_t> cursor = co_await load_cursor();
    if (!cursor) co_return fail(cursor.error());
    std::int64_t after = *cursor;
    std::int64_t blocked = 0;  // the feed is read again from here next time
    for (bool more = true; more;) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        Result<store::PendingExports> pending = co_await load_pending(after);
        if (!pending) co_return fail(pending.error());
        more = pending->more;
        after = pending->last_seq;
        std::vector<store::Intent> intents;
        std::vector<store::DeadLetter> refused;
        Status prepared = co_await prepare(*pending, intents, refused);
        if (!prepared) co_return fail(prepared.error());
        if (blocked == 0) blocked = pending->blocked_seq;
        const std::int64_t safe = blocked != 0 ? std::min(blocked - 1, after) : after;
        if (intents.empty() && refused.empty() && safe == *cursor) continue;
        *cursor = safe;
        LIAISON_FAULT_POINT("export.before_intents");
        Result<std::vector<std::int64_t>> ids = co_await add(intents, refused, safe);
        LIAISON_FAULT_POINT("export.after_intents");
        if (!ids) co_return fail(ids.error());
        if (intents.empty()) continue;
        for (std::size_t i = 0; i < ids->size(); ++i) intents[i].id = (*ids)[i];
        Status pushed = co_await push(intents);
        if (!pushed) co_return fail(pushed.error());
    }
    co_return Status();
}

// Records become intents: references translated into the vendor's ids, the operation named.
Task<Status> ExportJob::prepare(store::PendingExports& pending, std::vector<store::Intent>& intents,
                                std::vector<store::DeadLetter>& refused) {
    const Schema* schema = schemas_.find(entity_);
    std::vector<json::object> contents(pending.records.size());
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        boost::system::error_code error;
        json::value parsed = json::parse(pending.records[i].payload, error);
        if (!error && parsed.is_object()) contents[i] = std::move(parsed.get_object());
        if (schema != nullptr)
            visit_references(*schema, contents[i],
                             [&](const std::string&, json::string& id) { wanted.emplace_back(id); });
    }
    std::map<std::string, std::string> external;
    if (!wanted.empty()) {
        std::sort(wanted.begin(), wanted.end());
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
        Result<std::vector<std::string>> found = co_await externals_of(wanted);
        if (!found) co_return fail(found.error());
        for (std::size_t i = 0; i < wanted.size(); ++i) external[wanted[i]] = (*found)[i];
    }
    const Instant now = ports_.clock.now();
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const store::PendingExport& record = pending.records[i];
        std::string unresolved;
        if (schema != nullptr && !record.deleted) {
            visit_references(*schema, contents[i], [&](const std::string& entity, json::string& id) {
                const std::string& known = external[std::string(id)];
                if (known.empty())
                    unresolved += (unresolved.empty() ? "" : ", ") + entity + " " + std::string(id);
                else
                    id = known;
            });
        }
        if (!unresolved.empty()) {
            store::DeadLetter letter;
            letter.run = control_.run.id;
            // Not a verdict on this version: the next run looks again, and succeeds once the other record is
            // there.
            letter.version = record.version - 1;
            if (pending.blocked_seq == 0 || record.seq < pending.blocked_seq)
                pending.blocked_seq = record.seq;
            letter.integration = control_.link->config.id;
            letter.entity = entity_;
            letter.direction = store::Direction::export_;
            letter.key = record.record;
            letter.reason = "unresolved_reference";
            letter.message =
                "refers to " + unresolved +
                ", which this integration does not have; export that first, or correct the record";
            letter.payload = redactor().scrub(record.payload);
            letter.last_at = now;
            refused.push_back(std::move(letter));
            ++counters().rejected;
            continue;
        }
        store::Intent intent;
        intent.rid = record.rid;
        intent.record = record.record;
        // A create is one operation however often the record changes before it succeeds.
        intent.op_key =
            record.external_id.empty() && !record.deleted
                ? reference_of(intent)
                : operation_key({control_.link->tenant.id, control_.link->config.id, entity_, record.record,
                                 record.deleted ? "delete" : "update", std::to_string(record.version)});
        intent.payload = record.deleted ? std::string() : json::serialize(contents[i]);
        intent.external_id = record.external_id;
        intent.remote_version = record.remote_version;
        intent.deleted = record.deleted;
        intent.version = record.version;
        intent.state = store::IntentState::sending;
        intent.attempt = 1;
        intent.first_sent_at = now;
        intent.next_at = due_after_send(intent, now);
        intents.push_back(std::move(intent));
    }
    co_return Status();
}

// Asks the vendor for records by our reference (or by their id there). Found: adopted. Certainly not there:
// send again.
Task<Status> ExportJob::look_for(std::vector<store::Intent>& intents,
                                 std::vector<store::Intent>& send_again) {
    plugin::StartEvent start;
    items_.clear();
    for (store::Intent& intent : intents) {
        // Only a create leaves its key at the vendor; what is there already is asked for by its id.
        start.queries.push_back(
            {intent.external_id.empty() ? intent.op_key : std::string(), intent.external_id});
        items_.push_back({std::move(intent), std::nullopt});
    }
    Result<std::string> job = co_await run_job(plugin::JobKind::find, std::move(start));
    LIAISON_FAULT_POINT("export.after_find");
    std::vector<store::Outcome> outcomes;
    for (Item& item : items_) {
        store::Intent& intent = item.intent;
        const std::uint32_t answer = item.result ? item.result->outcome : 0;
        const bool create = intent.external_id.empty();
        if (answer == LIAISON_OUTCOME_FOUND && create) {
            outcomes.push_back({intent.id,
                                store::Outcome::Kind::done,
                                item.result->external_id,
                                item.result->version,
                                "found at the vendor after a lost answer",
                                {},
                                {},
                                "adopted"});
            ++counters().exported;
        } else if (answer == LIAISON_OUTCOME_FOUND) {
            intent.remote_version = item.result->version;
            send_again.push_back(std::move(intent));
        } else if (answer == LIAISON_OUTCOME_NOT_FOUND && create &&
                   intent.attempt < sends_of_a_doubtful_create) {
            send_again.push_back(std::move(intent));
        } else if (answer == LIAISON_OUTCOME_NOT_FOUND) {
            outcomes.push_back({intent.id,
                                store::Outcome::Kind::in_doubt,
                                {},
                                {},
                                "sent " + std::to_string(intent.attempt) +
                                    " times and not found at the vendor: look at the vendor",
                                "in_doubt",
                                {},
                                {}});
        } else {
            const std::string why = item.result ? item.result->text
                                    : job       ? "the connector did not answer"
                                                : job.error().message;
            outcomes.push_back({intent.id,
                                store::Outcome::Kind::unknown,
                                {},
                                {},
                                shortened(why, longest_message),
                                {},
                                ports_.clock.now() +
                                    backoff(control_.link->config.retry, intent.attempt, ports_.random) +
                                    Milliseconds(1000),
                                {}});
        }
    }
    Status settled = co_await settle(std::move(outcomes));
    LIAISON_FAULT_POINT("export.found_settled");
    if (!settled) co_return fail(settled.error());
    if (!job) co_return fail(job.error());
    co_return Status();
}

Task<Status> ExportJob::push(std::vector<store::Intent>& intents) {
    plugin::StartEvent start;
    items_.clear();
    for (store::Intent& intent : intents) {
        plugin::Record record;
        record.deleted = intent.deleted;
        record.key = intent.external_id;
        record.version = intent.remote_version;
        record.payload = intent.payload;
        record.reference = reference_of(intent);
        start.records.push_back(std::move(record));
        items_.push_back({std::move(intent), std::nullopt});
    }
    requester_.start_recording();
    LIAISON_FAULT_POINT("export.before_push");
    Result<std::string> job = co_await run_job(plugin::JobKind::push, std::move(start));
    LIAISON_FAULT_POINT("export.after_push");
    const Status ended = job ? Status() : Status(fail(job.error()));
    std::vector<store::Outcome> outcomes;
    for (std::size_t i = 0; i < items_.size(); ++i) outcomes.push_back(judge(items_[i], was_sent(i), ended));
    for (const store::Outcome& outcome : outcomes) {
        const bool done =
            outcome.kind == store::Outcome::Kind::done || outcome.kind == store::Outcome::Kind::deleted;
        if (done) ++counters().exported;
        if (outcome.kind == store::Outcome::Kind::rejected) ++counters().rejected;
    }
    LIAISON_FAULT_POINT("export.before_settle");
    Status settled = co_await settle(std::move(outcomes));
    LIAISON_FAULT_POINT("export.after_settle");
    if (!settled) co_return fail(settled.error());
    co_return ended;
}

Task<Result<std::string>> ExportJob::run_job(plugin::JobKind kind, plugin::StartEvent&& start) {
    plugin::StartEvent event = std::move(start);
    event.entity = entity_;
    event.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(event.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(kind, std::move(event), *this);
    co_return output;
}

store::Outcome ExportJob::judge(const Item& item, bool sent, const Status& job) const {
    if (item.result) return judge_result(item.intent, *item.result);
    const std::string why =
        job ? "the connector ended without saying what became of this record" : job.error().message;
    // Nothing of it left the house: it may be sent again whatever its class.
    if (!sent) return later(item.intent, why, job ? Milliseconds(0) : job.error().retry_after);
    return doubtful(item.intent, why);
}

store::Outcome ExportJob::judge_result(const store::Intent& intent, const plugin::PushResult& result) const {
    using Kind = store::Outcome::Kind;
    const std::string text = redactor().scrub(shortened(result.text, longest_message));
    const std::string id = !result.external_id.empty() ? result.external_id : intent.external_id;
    if (is_success(result.outcome)) {
        if (intent.deleted) return {intent.id, Kind::deleted, id, {}, text, {}, {}, "deleted"};
        if (id.empty())
            return {intent.id,
                    Kind::in_doubt,
                    {},
                    {},
                    "the connector reports success without an id of the record at the vendor",
                    "in_doubt",
                    {},
                    {}};
        return {intent.id, Kind::done, id, result.version, text, {}, {}, action_of(result.outcome)};
    }
    switch (result.outcome) {
        case LIAISON_OUTCOME_RETRY: return later(intent, text, Milliseconds(result.retry_after_ms));
        case LIAISON_OUTCOME_CONFLICT: return later(intent, std::string(moved_on) + text, Milliseconds(0));
        case LIAISON_OUTCOME_REJECTED:
            return {intent.id, Kind::rejected, {}, {}, text, "rejected_by_vendor", {}, {}};
        default: return doubtful(intent, text);
    }
}

store::Outcome ExportJob::later(const store::Intent& intent, const std::string& why,
                                Milliseconds advised) const {
    const config::RetryPolicy& retry = control_.link->config.retry;
    if (intent.attempt >= retry.attempts) {
        return {intent.id,
                store::Outcome::Kind::rejected,
                {},
                {},
                "given up after " + std::to_string(intent.attempt) +
                    " attempts; the last: " + shortened(why, longest_message),
                "attempts_exhausted",
                {},
                {}};
    }
    const Milliseconds wait = std::max(advised, backoff(retry, intent.attempt, ports_.random));
    return {intent.id, store::Outcome::Kind::retry, {}, {}, shortened(why, longest_message),
            {},        ports_.clock.now() + wait,   {}};
}

store::Outcome ExportJob::doubtful(const store::Intent& intent, const std::string& why) const {
    const EffectClass effect = effect_of(intent);
    // Repeating is harmless: the vendor sees the same operation again.
    if (effect == EffectClass::upsert || effect == EffectClass::keyed)
        return later(intent, why, Milliseconds(0));
    if (effect == EffectClass::blind) {
        return {intent.id,
                store::Outcome::Kind::in_doubt,
                {},
                {},
                "sent, and no clear answer came: " + shortened(why, longest_message) + "; look at the vendor",
                "in_doubt",
                {},
                {}};
    }
    return {
        intent.id, store::Outcome::Kind::unknown, {}, {}, shortened(why, longest_message), {}, intent.next_at,
        {}};
}

bool ExportJob::was_sent(std::size_t index) const {
    const std::vector<std::int32_t>& sent = requester_.writes_sent();
    return std::any_of(sent.begin(), sent.end(),
                       [&](std::int32_t one) { return one < 0 || static_cast<std::size_t>(one) == index; });
}

// What the vendor knows the record by on our side.
std::string ExportJob::reference_of(const store::Intent& intent) const {
    return operation_key(
        {control_.link->tenant.id, control_.link->config.id, entity_, intent.record, "create", ""});
}

// When an unanswered send may be taken up again: at once where repeating is harmless, else after the settle
// time.
Instant ExportJob::due_after_send(const store::Intent& intent, Instant now) const {
    return effect_of(intent) == EffectClass::findable ? now + control_.link->config.settle : now;
}

// Updates and deletes name the record by its id at the vendor: repeating them is harmless.
EffectClass ExportJob::effect_of(const store::Intent& intent) const {
    return intent.external_id.empty() ? control_.link->effect(entity_) : EffectClass::upsert;
}

Task<Result<plugin::EmittedEvent>> ExportJob::on_emit(plugin::EmitEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal, "the connector emitted records in a push or find job");
}

Task<Status> ExportJob::on_result(plugin::ResultEffect&& effect) {
    LIAISON_FAULT_POINT("export.result");
    for (plugin::PushResult& result : effect.results) {
        if (result.index >= items_.size())
            co_return fail(ErrorKind::internal, "the connector reported on record number " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(items_.size()));
        items_[result.index].result = std::move(result);
    }
    co_return Status();
}

Task<Status> ExportJob::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();  // the intents are durable since before the job began
}

Await<Result<std::int64_t>> ExportJob::load_cursor() {
    return Await<Result<std::int64_t>>([this](Completion<Result<std::int64_t>> done) {
        ports_.store.read([id = control_.link->config.id, entity = entity_](
                              store::Database& database) { return database.export_cursor(id, entity); },
                          std::move(done));
    });
}

Await<Result<store::PendingExports>> ExportJob::load_pending(std::int64_t after) {
    return Await<Result<store::PendingExports>>(
        [this, after](Completion<Result<store::PendingExports>> done) {
            ports_.store.read(
                [link = control_.link, entity = entity_, after](store::Database& database) {
                    return database.pending(link->config.id, link->tenant.id, entity, after,
                                            link->config.push_batch);
                },
                std::move(done));
        });
}

Await<Result<std::vector<store::Intent>>> ExportJob::load_due() {
    return Await<Result<std::vector<store::Intent>>>(
        [this](Completion<Result<std::vector<store::Intent>>> done) {
            ports_.store.read(
                [link = control_.link, entity = entity_,
                 now = ports_.clock.now()](store::Database& database) {
                    return database.due_intents(link->config.id, entity, now, link->config.push_batch);
                },
                std::move(done));
        });
}

Await<Result<std::vector<std::string>>> ExportJob::externals_of(std::vector<std::string> records) {
    using Answer = Result<std::vector<std::string>>;
    return Await<Answer>([this, records = std::move(records)](Completion<Answer> done) {
        ports_.store.read([id = control_.link->config.id,
                           records](store::Database& database) { return database.externals_of(id, records); },
                          std::move(done));
    });
}

Await<Result<std::vector<std::int64_t>>> ExportJob::add(const std::vector<store::Intent>& intents,
                                                        const std::vector<store::DeadLetter>& refused,
                                                        std::int64_t cursor) {
    using Answer = Result<std::vector<std::int64_t>>;
    return Await<Answer>([this, &intents, &refused, cursor](Completion<Answer> done) {
        const auto work = [id = control_.link->config.id, entity = entity_, &intents, &refused,
                           cursor](store::Database& database) -> Answer {
            if (auto added = database.add_dead_letters(refused); !added) return fail(added.error());
            return database.add_intents(id, entity, intents, cursor);
        };
        ports_.store.write(work, std::move(done));
    });
}

Await<Status> ExportJob::mark_sending(const std::vector<store::Intent>& intents) {
    return Await<Status>([this, &intents](Completion<Status> done) {
        ports_.store.write([&intents](store::Database& database) { return database.mark_sending(intents); },
                           std::move(done));
    });
}

Await<Status> ExportJob::settle(std::vector<store::Outcome> outcomes) {
    auto shared = std::make_shared<std::vector<store::Outcome>>(std::move(outcomes));
    return Await<Status>([this, shared](Completion<Status> done) {
        const auto work = [shared, id = control_.link->config.id, entity = entity_, run = control_.run.id,
                           now = ports_.clock.now()](store::Database& database) {
            return database.settle(run, id, entity, *shared, now);
        };
        ports_.store.write(work, std::move(done));
    });
}

}  // namespace liaisond::sync
