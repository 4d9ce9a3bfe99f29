// Decisions: what a person decides about conflicts, sends in doubt and dead letters. Each is carried out
// inside the transaction it is called in. [thread of the database]
#pragma once

#include <map>
#include <string>

#include "base/random.hpp"
#include "store/database.hpp"
#include "sync/merge.hpp"

namespace liaisond::sync {

// Fields and deletions: whose value stays, field by field where `fields` names them. Identity: the hub record
// (UUID) that it is, or empty for a record of its own.
struct ConflictChoice {
    Side side = Side::hub;
    std::map<std::string, Side> fields;  // by pointer
    std::string record;
};

// What happened, as a sentence for the operator. Errors say what is wrong with the choice.
Result<std::string> resolve_conflict(store::Database& database, std::int64_t id, const ConflictChoice& choice,
                                     Instant now, Random& random);

struct IntentChoice {
    enum class Action : std::uint8_t { exists, resend, cancel } action = Action::cancel;
    std::string external_id;  // with `exists`: the vendor's id of it
    Milliseconds settle{0};   // with `resend`: not sooner than that after the last send
};
Result<std::string> resolve_intent(store::Database& database, std::int64_t id, const IntentChoice& choice,
                                   Instant now);

// An export that was refused is put into the feed again. (Refused imports are read again by a run.)
Status replay_export(store::Database& database, const store::DeadLetter& letter, Instant now);
// An event that was given up waits in the inbox again; the engine is to be told. An error where the inbox
// does not keep it any more.
Status replay_event(store::Database& database, const store::DeadLetter& letter, Instant now);

}  // namespace liaisond::sync
