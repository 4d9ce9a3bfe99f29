#include "sync/export_job.hpp"

#include <algorithm>

#include "base/fault_point.hpp"
#include "sync/delete_brake.hpp"
#include "sync/export_batch.hpp"
#include "sync/export_verdict.hpp"
#include "sync/recognition.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t batches_under_way = 2;

}  // namespace

ExportJob::ExportJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
                     const CanonicalSchemas& schemas, const config::Entity& entity)
    : ports_(ports),
      fibers_(fibers),
      requester_(requester),
      control_(control),
      schemas_(schemas),
      entity_(entity) {}

Task<Status> ExportJob::run() {
    (void)counters();  // a row in the summary even when there is nothing to do
    Status open = co_await finish_open();
    if (!open) co_return fail(open.error());
    Result<bool> known = co_await knows_what_is_there();
    if (!known) co_return fail(known.error());
    if (!*known) co_return Status();
    Status fresh = co_await send_new();
    if (!fresh) co_return fail(fresh.error());
    if (!control_.doubts_all) co_return Status();
    Status asked = co_await finish_open();
    co_return asked;
}

// What the hub recognises must have been read before anything is sent that it may be.
Task<Result<bool>> ExportJob::knows_what_is_there() {
    const Link& link = *control_.link;
    if (!entity_.imports || !link.can_pull || !link.recognition.contains(entity_.name)) co_return true;
    Result<std::string> read = co_await load_read_through();
    if (!read) co_return fail(read.error());
    co_return !read->empty();
}

// ---- work left over from before: retries that are due, sends of which nobody knows how they ended ----

Task<Status> ExportJob::finish_open() {
    while (true) {
        if (control_.stop != Stop::none) co_return control_.stopped();
        Result<std::vector<store::Intent>> due = co_await load_due();
        if (!due) co_return fail(due.error());
        if (due->empty()) break;
        LIAISON_FAULT_POINT("export.due");
        std::vector<store::Intent> send;
        Status sorted = co_await sort_out(*due, send);
        if (!sorted) co_return fail(sorted.error());
        if (send.empty()) continue;
        Status sent = co_await send_again(std::move(send));
        if (!sent) co_return fail(sent.error());
    }
    co_return Status();
}

Task<Status> ExportJob::sort_out(std::vector<store::Intent>& due, std::vector<store::Intent>& send) {
    std::vector<store::Intent> ask, stale;
    std::vector<store::Outcome> outcomes;
    const Instant now = ports_.clock.now();
    const ExportVerdict verdict(*control_.link, now, ports_.random);
    for (store::Intent& intent : due) {
        const bool unclear =
            intent.state == store::IntentState::sending || intent.state == store::IntentState::unknown;
        const EffectClass effect = effect_of(*control_.link, intent);
        const bool forgotten = unclear && !intent.deleted && effect == EffectClass::keyed &&
                               !remembers_key(*control_.link, intent, now);
        const bool overwrites = effect == EffectClass::upsert && !intent.deleted;
        // A crash cut it short, and nobody knows when it last left: the settle time begins now. What is
        // repeated before would let a newer version follow, which the first one undoes when it is executed
        // late.
        if (intent.state == store::IntentState::sending &&
            (effect == EffectClass::findable || forgotten || overwrites))
            outcomes.push_back(verdict.doubtful(intent, "the daemon stopped while this was being sent"));
        // It was to be sent again while its key counted, and now that does not.
        else if (forgotten &&
                 (!control_.link->can_find || remembers_key(*control_.link, intent, intent.next_at)))
            outcomes.push_back(
                verdict.doubtful(intent, "it was not sent again while the vendor knew its key"));
        else if (verdict.is_given_up(intent))
            outcomes.push_back(verdict.given_up(intent));
        else if (needs_renewal(intent))
            stale.push_back(std::move(intent));
        else if (intent.state == store::IntentState::stale && control_.link->can_find)
            ask.push_back(std::move(intent));  // only for its version there: this side is not imported
        else if (forgotten || (unclear && effect == EffectClass::findable))
            ask.push_back(std::move(intent));
        else if (unclear && effect == EffectClass::blind)
            outcomes.push_back(verdict.in_doubt(intent,
                                                "nobody knows whether the vendor executed this, and it can "
                                                "neither be repeated nor searched for: "
                                                "look at the vendor"));
        else
            send.push_back(std::move(intent));
    }
    Status settled;
    LIAISON_FAULT_POINT("export.before_doubt");
    if (!outcomes.empty()) settled = co_await settle(std::move(outcomes));
    if (!settled) co_return fail(settled.error());
    Status renewed;
    if (!stale.empty()) renewed = co_await renew(stale, send);
    if (!renewed) co_return fail(renewed.error());
    LIAISON_FAULT_POINT("export.before_find");
    Status asked;
    if (!ask.empty()) asked = co_await search(ask, send);
    co_return asked;
}

// Certainly not executed, and not what should be sent any more.
bool ExportJob::needs_renewal(const store::Intent& intent) const {
    if (intent.state == store::IntentState::stale) return entity_.imports;
    // Nobody wants it gone any more: whether it is, the next import shows.
    if (intent.deleted && intent.record_version > intent.version) return true;
    return intent.state == store::IntentState::ready &&
           (intent.record_version > intent.version || intent.knows_newer());
}

// The hub's record has moved on, or the vendor's has been merged into it: what is sent is what it is now.
Task<Status> ExportJob::renew(std::vector<store::Intent>& stale, std::vector<store::Intent>& send) {
    Result<std::vector<std::optional<store::PendingExport>>> current = co_await load_current(stale);
    if (!current) co_return fail(current.error());
    store::PendingExports pending;
    std::vector<store::Outcome> outcomes;
    std::vector<const store::Intent*> renewed;
    for (std::size_t i = 0; i < stale.size(); ++i) {
        std::optional<store::PendingExport>& record = (*current)[i];
        const bool same_operation = record && record->deleted == stale[i].deleted &&
                                    record->external_id.empty() == stale[i].external_id.empty();
        if (same_operation) {
            pending.records.push_back(std::move(*record));
            renewed.push_back(&stale[i]);
            continue;
        }
        store::Outcome nothing;
        nothing.intent = stale[i].id;
        nothing.kind = store::Outcome::Kind::superseded;
        nothing.message = "the hub has moved on; what is owed now is sent instead";
        nothing.present_again = record.has_value();
        outcomes.push_back(std::move(nothing));
    }
    std::vector<store::Intent> intents;
    std::vector<store::DeadLetter> refused;
    Status prepared = co_await prepare(pending, intents, refused);
    if (!prepared) co_return fail(prepared.error());
    for (store::Intent& intent : intents) {
        const auto old = std::find_if(renewed.begin(), renewed.end(),
                                      [&](const store::Intent* one) { return one->rid == intent.rid; });
        intent.id = (*old)->id;
        intent.op_key = (*old)->op_key;
        intent.attempt = (*old)->attempt;
        intent.first_sent_at = (*old)->first_sent_at;
        send.push_back(std::move(intent));
    }
    for (const store::DeadLetter& letter : refused) {
        const auto old = std::find_if(renewed.begin(), renewed.end(),
                                      [&](const store::Intent* one) { return one->record == letter.key; });
        store::Outcome refusal;
        refusal.intent = (*old)->id;
        refusal.kind = store::Outcome::Kind::rejected;
        refusal.reason = letter.reason;
        refusal.message = letter.message;
        outcomes.push_back(std::move(refusal));
    }
    Status settled;
    if (!outcomes.empty()) settled = co_await settle(std::move(outcomes));
    co_return settled;
}

Task<Status> ExportJob::search(std::vector<store::Intent>& intents, std::vector<store::Intent>& send_again) {
    ExportBatch batch(ports_, requester_, control_, entity_.name, std::move(intents));
    std::vector<store::Outcome> outcomes;
    Status searched = co_await batch.search(outcomes, send_again);
    LIAISON_FAULT_POINT("export.after_find");
    count(outcomes);
    Status settled;
    if (!outcomes.empty()) settled = co_await settle(std::move(outcomes));
    LIAISON_FAULT_POINT("export.found_settled");
    if (!settled) co_return fail(settled.error());
    co_return searched;
}

Task<Status> ExportJob::send_again(std::vector<store::Intent> intents) {
    const Instant now = ports_.clock.now();
    for (store::Intent& intent : intents) {
        ++intent.attempt;
        intent.next_at = now;
        if (to_unix_ms(intent.first_sent_at) == 0) intent.first_sent_at = now;
    }
    LIAISON_FAULT_POINT("export.before_mark");
    Status marked = co_await mark_sending(intents);
    LIAISON_FAULT_POINT("export.after_mark");
    if (!marked) co_return fail(marked.error());
    Status pushed = co_await push(std::move(intents));
    co_return pushed;
}

// ---- what is new ----

Task<Status> ExportJob::send_new() {
    Result<std::int64_t> cursor = co_await load_cursor();
    if (!cursor) co_return fail(cursor.error());
    read_to_ = *cursor;
    Status status = co_await brake();
    while (more_ && status) {
        status = co_await wait_for_batches(batches_under_way - 1);
        if (status && control_.stop != Stop::none) status = control_.stopped();
        if (status) status = co_await take_up(*cursor);
    }
    // Whatever went wrong: what is under way is waited for, since its outcome must be written down.
    const Status rest = co_await wait_for_batches(0);
    if (!status) co_return fail(status.error());
    co_return rest;
}

// Writes down the next batch of the feed and starts to send it.
Task<Status> ExportJob::take_up(std::int64_t& cursor) {
    Result<store::PendingExports> pending = co_await load_pending(read_to_);
    if (!pending) co_return fail(pending.error());
    more_ = pending->more;
    read_to_ = pending->last_seq;
    std::vector<store::Intent> intents;
    std::vector<store::DeadLetter> refused;
    Status prepared = co_await prepare(*pending, intents, refused);
    if (!prepared) co_return fail(prepared.error());
    if (blocked_ == 0) blocked_ = pending->blocked_seq;
    const std::int64_t safe = blocked_ != 0 ? std::min(blocked_ - 1, read_to_) : read_to_;
    if (intents.empty() && refused.empty() && safe == cursor) co_return Status();
    cursor = safe;
    const Instant now = ports_.clock.now();
    for (store::Intent& intent : intents) {
        intent.state = control_.doubts_all ? store::IntentState::unknown : store::IntentState::sending;
        intent.attempt = 1;
        intent.first_sent_at = now;
        intent.next_at = now;
    }
    LIAISON_FAULT_POINT("export.before_intents");
    Result<std::vector<std::int64_t>> ids = co_await add(intents, refused, safe);
    LIAISON_FAULT_POINT("export.after_intents");
    if (!ids) co_return fail(ids.error());
    if (intents.empty() || control_.doubts_all) co_return Status();
    for (std::size_t i = 0; i < ids->size(); ++i) intents[i].id = (*ids)[i];
    Pending done = std::make_shared<Deferred<Status>>(ports_.timers);
    batches_.push_back(done);
    auto beside = push_beside(std::move(intents), done);
    fibers_.spawn(std::move(beside));
    co_return Status();
}

// Records become intents. Those whose references the vendor does not have are refused, and stay in the feed.
Task<Status> ExportJob::prepare(store::PendingExports& pending, std::vector<store::Intent>& intents,
                                std::vector<store::DeadLetter>& refused) {
    ExportPlan plan(schemas_, *control_.link, entity_, pending.records);
    if (!plan.wanted().empty()) {
        Result<std::vector<std::string>> found = co_await externals_of(plan);
        if (!found) co_return fail(found.error());
        plan.resolve(*found);
    }
    std::vector<ExportPlan::Unresolved> unresolved;
    intents = plan.intents(unresolved);
    for (ExportPlan::Unresolved& one : unresolved) {
        const std::int64_t seq = pending.records[one.index].seq;
        if (pending.blocked_seq == 0 || seq < pending.blocked_seq) pending.blocked_seq = seq;
        one.letter.run = control_.run.id;
        one.letter.last_at = ports_.clock.now();
        refused.push_back(std::move(one.letter));
        ++counters().rejected;
    }
    co_return Status();
}

// Before anything is sent: a mass delete of one system shall not become one of another.
Task<Status> ExportJob::brake() {
    if (control_.confirm_deletes) co_return Status();
    Result<std::int64_t> pending = co_await pending_deletes();
    if (!pending) co_return fail(pending.error());
    const std::int64_t deletes = *pending;
    if (deletes == 0) co_return Status();
    Result<store::DeleteBudget> budget = co_await delete_budget(ports_, *control_.link, entity_.name);
    if (!budget) co_return fail(budget.error());
    const config::MassDelete& guard = control_.link->config.mass_delete;
    const std::int64_t limit = delete_limit(guard, *budget);
    if (budget->recent + deletes <= limit) co_return Status();
    Error error{ErrorKind::permanent,
                std::to_string(budget->recent + deletes) + " records of " + entity_.name +
                    " would be deleted at the vendor within " + format_duration(guard.within) +
                    ", more than the " + std::to_string(limit) +
                    " that guard.mass_delete lets through; if that is right: liaisonctl run " +
                    control_.link->config.id + " --confirm-deletes",
                {},
                "mass_delete"};
    co_return fail(std::move(error));
}

// ---- sending ----

Task<void> ExportJob::push_beside(std::vector<store::Intent> intents, Pending done) {
    Status pushed = co_await push(std::move(intents));
    done->set(std::move(pushed));
}

Task<Status> ExportJob::push(std::vector<store::Intent> intents) {
    ExportBatch batch(ports_, requester_, control_, entity_.name, std::move(intents));
    std::vector<store::Outcome> outcomes;
    LIAISON_FAULT_POINT("export.before_push");
    const Status ended = co_await batch.push(outcomes);
    LIAISON_FAULT_POINT("export.after_push");
    count(outcomes);
    LIAISON_FAULT_POINT("export.before_settle");
    Status settled = co_await settle(std::move(outcomes));
    LIAISON_FAULT_POINT("export.after_settle");
    if (!settled) co_return fail(settled.error());
    co_return ended;
}

// The first error, once no more than that many are under way.
Task<Status> ExportJob::wait_for_batches(std::size_t at_most) {
    Status first;
    while (batches_.size() > at_most) {
        Pending oldest = std::move(batches_.front());
        batches_.pop_front();
        Status ended = co_await Deferred<Status>::wait(oldest);
        if (!ended && first) first = fail(ended.error());
    }
    co_return first;
}

void ExportJob::count(const std::vector<store::Outcome>& outcomes) {
    using Kind = store::Outcome::Kind;
    for (const store::Outcome& outcome : outcomes) {
        if (outcome.kind == Kind::done || outcome.kind == Kind::deleted) ++counters().exported;
        if (outcome.kind == Kind::rejected) ++counters().rejected;
    }
}

// ---- the store ----

Await<Result<std::int64_t>> ExportJob::load_cursor() {
    return Await<Result<std::int64_t>>([this](Completion<Result<std::int64_t>> done) {
        ports_.store.read([id = control_.link->config.id, entity = entity_.name](
                              store::Database& database) { return database.export_cursor(id, entity); },
                          std::move(done));
    });
}

Await<Result<std::string>> ExportJob::load_read_through() {
    return Await<Result<std::string>>([this](Completion<Result<std::string>> done) {
        ports_.store.read([key = read_through_key(control_.link->config.id, entity_.name)](
                              store::Database& database) { return database.state(read_through_state, key); },
                          std::move(done));
    });
}

Await<Result<store::PendingExports>> ExportJob::load_pending(std::int64_t after) {
    return Await<Result<store::PendingExports>>(
        [this, after](Completion<Result<store::PendingExports>> done) {
            ports_.store.read(
                [link = control_.link, entity = entity_.name, after](store::Database& database) {
                    return database.pending(link->config.id, link->tenant.id, entity, after,
                                            link->config.push_batch);
                },
                std::move(done));
        });
}

Await<Result<std::int64_t>> ExportJob::pending_deletes() {
    return Await<Result<std::int64_t>>([this](Completion<Result<std::int64_t>> done) {
        ports_.store.read(
            [link = control_.link, entity = entity_.name, after = read_to_](store::Database& database) {
                return database.pending_deletes(link->config.id, link->tenant.id, entity, after);
            },
            std::move(done));
    });
}

Await<Result<std::vector<store::Intent>>> ExportJob::load_due() {
    return Await<Result<std::vector<store::Intent>>>(
        [this](Completion<Result<std::vector<store::Intent>>> done) {
            ports_.store.read(
                [link = control_.link, entity = entity_.name,
                 now = ports_.clock.now()](store::Database& database) {
                    return database.due_intents(link->config.id, entity, now, link->config.push_batch);
                },
                std::move(done));
        });
}

Await<Result<std::vector<std::optional<store::PendingExport>>>> ExportJob::load_current(
    const std::vector<store::Intent>& intents) {
    using Answer = Result<std::vector<std::optional<store::PendingExport>>>;
    return Await<Answer>([this, &intents](Completion<Answer> done) {
        const auto work = [id = control_.link->config.id, &intents](store::Database& database) -> Answer {
            std::vector<std::optional<store::PendingExport>> records;
            for (const store::Intent& intent : intents) {
                auto record = database.exportable(id, intent.rid);
                if (!record) return fail(record.error());
                records.push_back(std::move(*record));
            }
            return records;
        };
        ports_.store.read(work, std::move(done));
    });
}

Await<Result<std::vector<std::string>>> ExportJob::externals_of(const ExportPlan& plan) {
    using Answer = Result<std::vector<std::string>>;
    return Await<Answer>([this, &plan](Completion<Answer> done) {
        ports_.store.read([id = control_.link->config.id, &plan](
                              store::Database& database) { return database.externals_of(id, plan.wanted()); },
                          std::move(done));
    });
}

Await<Result<std::vector<std::int64_t>>> ExportJob::add(const std::vector<store::Intent>& intents,
                                                        const std::vector<store::DeadLetter>& refused,
                                                        std::int64_t cursor) {
    using Answer = Result<std::vector<std::int64_t>>;
    return Await<Answer>([this, &intents, &refused, cursor](Completion<Answer> done) {
        const auto work = [id = control_.link->config.id, entity = entity_.name, &intents, &refused,
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
        const auto work = [shared, id = control_.link->config.id, entity = entity_.name,
                           run = control_.run.id, now = ports_.clock.now()](store::Database& database) {
            return database.settle(run, id, entity, *shared, now);
        };
        ports_.store.write(work, std::move(done));
    });
}

}  // namespace liaisond::sync
