#include "sync/export_verdict.hpp"

#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/backoff.hpp"
#include "sync/export_plan.hpp"
#include "sync/second_looks.hpp"

namespace liaisond::sync {
namespace {

using Kind = store::Outcome::Kind;

constexpr std::size_t longest_message = 1000;
constexpr const char* attempts_exhausted = "attempts_exhausted";

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

store::Outcome outcome(const store::Intent& intent, Kind kind, std::string message) {
    store::Outcome made;
    made.intent = intent.id;
    made.kind = kind;
    made.message = redactor().scrub(shortened(message, longest_message));
    return made;
}

store::Outcome refusal(const store::Intent& intent, std::string message, std::string reason) {
    store::Outcome made = outcome(intent, Kind::rejected, std::move(message));
    made.reason = std::move(reason);
    return made;
}

}  // namespace

store::Outcome ExportVerdict::of_push(const store::Intent& intent,
                                      const std::optional<plugin::PushResult>& result, bool sent,
                                      const Status& job) const {
    if (result) return of_result(intent, *result);
    const std::string why =
        job ? "the connector ended without saying what became of this record" : job.error().message;
    // Nothing of it left the house: it may be sent again whatever its class.
    if (!sent) return later(intent, why, job ? Milliseconds(0) : job.error().retry_after);
    return doubtful(intent, why);
}

store::Outcome ExportVerdict::of_result(const store::Intent& intent, const plugin::PushResult& result) const {
    if (is_success(result.outcome)) {
        const std::string id = !result.external_id.empty() ? result.external_id : intent.external_id;
        if (id.empty() && !intent.deleted)
            return in_doubt(intent,
                            "the connector reports success without an id of the record at the vendor");
        store::Outcome done = outcome(intent, intent.deleted ? Kind::deleted : Kind::done, result.text);
        done.external_id = id;
        done.remote_version = intent.deleted ? std::string() : result.version;
        done.action = intent.deleted ? "deleted" : action_of(result.outcome);
        done.as_found = result.outcome == LIAISON_OUTCOME_DUPLICATE;
        done.look_again = second_look(intent);
        return done;
    }
    switch (result.outcome) {
        case LIAISON_OUTCOME_RETRY: return later(intent, result.text, Milliseconds(result.retry_after_ms));
        case LIAISON_OUTCOME_CONFLICT: return conflict(intent, result.text);
        case LIAISON_OUTCOME_REJECTED: return refusal(intent, result.text, "rejected_by_vendor");
        default: return doubtful(intent, result.text);
    }
}

std::optional<store::Outcome> ExportVerdict::of_search(const store::Intent& intent,
                                                       const std::optional<plugin::PushResult>& result,
                                                       const Status& job) const {
    const std::uint32_t answer = result ? result->outcome : 0;
    if (answer == LIAISON_OUTCOME_FOUND) {
        store::Outcome adopted = outcome(intent, Kind::done, "found at the vendor after a lost answer");
        adopted.external_id = result->external_id;
        adopted.remote_version = result->version;
        adopted.action = "adopted";
        adopted.as_found = true;
        adopted.look_again = second_look(intent);
        return adopted;
    }
    if (answer == LIAISON_OUTCOME_NOT_FOUND && intent.attempt < sends_of_a_doubtful_create)
        return std::nullopt;
    if (answer == LIAISON_OUTCOME_NOT_FOUND) {
        return in_doubt(intent, "sent " + std::to_string(intent.attempt) +
                                    " times and not found at the vendor: look at the vendor");
    }
    const std::string why = result ? result->text
                            : job  ? "the connector did not answer"
                                   : job.error().message;
    if (result && is_twice(*result))
        return in_doubt(intent, "the vendor has it twice (" + why +
                                    "): remove all but one there, then liaisonctl "
                                    "intents resolve N --exists ID with that one");
    const bool cannot =
        result ? answer == LIAISON_OUTCOME_REJECTED : !job && job.error().kind == ErrorKind::config;
    if (cannot && effect_of(link_, intent) == EffectClass::keyed)
        return in_doubt(intent, "the vendor may have forgotten its key, and it cannot be searched for: " +
                                    why + "; look at the vendor");
    store::Outcome unknown = outcome(intent, Kind::unknown, why);
    unknown.next_at = now_ + backoff(link_.config.retry, intent.attempt, random_) + Milliseconds(1000);
    return unknown;
}

// Nothing: the vendor cannot have it twice.
std::optional<Instant> ExportVerdict::second_look(const store::Intent& intent) const {
    const bool creates = intent.external_id.empty() && !intent.deleted;
    if (!creates || intent.attempt < 2 || !link_.can_find) return std::nullopt;
    const EffectClass effect = effect_of(link_, intent);
    const bool may_repeat =
        effect == EffectClass::upsert || (effect == EffectClass::keyed && remembers_key(link_, intent, now_));
    if (may_repeat) return std::nullopt;
    return now_ + second_look_after;
}

store::Outcome ExportVerdict::later(const store::Intent& intent, const std::string& why, Milliseconds advised,
                                    bool is_doubtful) const {
    const config::RetryPolicy& retry = link_.config.retry;
    // Once an attempt went unanswered the vendor may have the record: of a create with a key that stays so,
    // and no dead letter may let a later version of the record be created beside it when the key has expired.
    const bool had_doubts = intent.attempt > 1 && intent.state != store::IntentState::ready;
    const bool creates = intent.external_id.empty() && !intent.deleted;
    const bool may_exist = creates && (is_doubtful || had_doubts);
    if (intent.attempt >= retry.attempts) {
        const std::string text =
            "given up after " + std::to_string(intent.attempt) + " attempts; the last: " + why;
        if (may_exist && effect_of(link_, intent) == EffectClass::keyed)
            return in_doubt(intent, text + "; it may be at the vendor: look there");
        return refusal(intent, text, attempts_exhausted);
    }
    // Not renewed while it may exist: what is owed next comes after it, and a deletion finds it.
    store::Outcome again = outcome(intent, may_exist ? Kind::unknown : Kind::retry, why);
    again.next_at = now_ + std::max(advised, backoff(retry, intent.attempt, random_));
    return again;
}

bool ExportVerdict::is_given_up(const store::Intent& intent) const {
    return intent.state == store::IntentState::unknown && !intent.deleted &&
           intent.attempt >= link_.config.retry.attempts && effect_of(link_, intent) == EffectClass::upsert;
}

store::Outcome ExportVerdict::given_up(const store::Intent& intent) const {
    return refusal(intent, intent.last_error, attempts_exhausted);
}

// The vendor has a newer version: certainly not executed. The next run imports and merges it before it sends.
// The newer version may well be our own, of an attempt whose answer was lost: it counts like any other
// attempt.
store::Outcome ExportVerdict::conflict(const store::Intent& intent, const std::string& why) const {
    if (intent.attempt >= link_.config.retry.attempts) {
        return refusal(intent,
                       "the vendor's record changed again before each of " + std::to_string(intent.attempt) +
                           " attempts; the last answer: " + why,
                       "conflict");
    }
    store::Outcome stale = outcome(intent, Kind::stale, why);
    stale.next_at = now_ + backoff(link_.config.retry, intent.attempt, random_) + Milliseconds(1000);
    return stale;
}

store::Outcome ExportVerdict::doubtful(const store::Intent& intent, const std::string& why) const {
    const EffectClass effect = effect_of(link_, intent);
    // Repeating is harmless: the vendor sees the same operation again. But an unanswered write that is
    // executed late may not undo a newer one: only when it has settled is it repeated, and so answered.
    if (intent.deleted) return later(intent, why, Milliseconds(0), true);
    if (effect == EffectClass::upsert) {
        store::Outcome again = later(intent, why, link_.config.settle, true);
        if (again.kind != Kind::rejected) return again;
        // The next version is sent once this one is gone: not while it may still be executed.
        return when_settled(intent, again.message);
    }
    if (effect == EffectClass::keyed) {
        store::Outcome again = later(intent, why, Milliseconds(0), true);
        if (again.kind != Kind::unknown || remembers_key(link_, intent, again.next_at)) return again;
        return asked_when_settled(intent, why, again.next_at);
    }
    if (effect == EffectClass::blind)
        return in_doubt(intent, "sent, and no clear answer came: " + why + "; look at the vendor");
    return when_settled(intent, why);
}

// Of a long batch the last request leaves long after the first: the settle time runs from the answer.
store::Outcome ExportVerdict::when_settled(const store::Intent& intent, std::string why) const {
    store::Outcome unknown = outcome(intent, Kind::unknown, std::move(why));
    unknown.next_at = now_ + link_.config.settle;
    return unknown;
}

// The vendor may have forgotten the key when this is sent again: then it is looked for, as if it had none.
// Its next moment is one at which the key does not count, which tells that it has settled.
store::Outcome ExportVerdict::asked_when_settled(const store::Intent& intent, const std::string& why,
                                                 Instant not_before) const {
    if (!link_.can_find)
        return in_doubt(intent, "sent, and no clear answer came while the vendor remembers its key (" +
                                    format_duration(link_.key_lifetime(intent.entity)) + "): " + why +
                                    "; look at the vendor");
    store::Outcome unknown = outcome(intent, Kind::unknown, why);
    unknown.next_at = std::max(not_before, now_ + link_.config.settle);
    return unknown;
}

store::Outcome ExportVerdict::in_doubt(const store::Intent& intent, std::string message) const {
    store::Outcome doubt = outcome(intent, Kind::in_doubt, std::move(message));
    doubt.reason = "in_doubt";
    doubt.next_at = now_;  // the last moment at which it was under way
    return doubt;
}

}  // namespace liaisond::sync
