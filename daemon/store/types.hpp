// Rows of the store as values. Ids of records are UUID text outside the store and integers (`rid`) inside it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace liaisond::store {

using Rid = std::int64_t;

enum class Direction : std::uint8_t { import = 1, export_ = 2 };
// planned: a dry run; suspended: it waits for the approval of its plan.
enum class RunStatus : std::uint8_t {
    running = 0,
    success,
    partial,
    failed,
    cancelled,
    interrupted,
    planned,
    suspended
};
enum class Action : std::uint8_t { created = 1, updated, deleted };

std::string_view to_string(Direction direction);
std::string_view to_string(RunStatus status);
std::string_view to_string(Action action);

// What runs of one integration may do beside each other: follow what changes, read a range of dates again,
// and take in what the vendor sends by webhook.
enum class Lane : std::uint8_t { live, backfill, events };

// ---- runs and logs ----

struct Counters {
    std::int64_t fetched = 0, created = 0, updated = 0, deleted = 0, unchanged = 0, exported = 0,
                 rejected = 0, conflicts = 0;
    Counters& operator+=(const Counters& other);
    bool operator==(const Counters&) const = default;
};

struct EntityCounters {
    std::string entity;
    Direction direction = Direction::import;
    Counters counters;
    std::int64_t duration_ms = 0;
};

struct Run {
    std::int64_t id = 0;
    std::string tenant, integration,
        trigger;  // trigger: schedule, manual, on_change, retry, replay, backfill, webhook, hint
    RunStatus status = RunStatus::running;
    Instant started{}, ended{};  // ended: epoch while running
    std::int64_t requests = 0, bytes = 0;
    std::string error;
    std::vector<EntityCounters> entities;
};

struct LogEntry {
    std::int64_t id = 0, run = 0;
    Instant at{};
    std::string integration, entity, action, status, external_id, record, message;
    Direction direction = Direction::import;
};

struct DeadLetter {
    std::int64_t id = 0, run = 0, attempts = 1, version = 0;
    std::string integration, entity, key, record, reason, message, payload;
    Direction direction = Direction::import;
    Instant first_at{}, last_at{};
};

// ---- import ----

struct ImportKey {
    std::string external_id;
    std::string hash;     // of the payload as emitted
    std::string version;  // vendor's marker
    bool deleted = false;
    std::string reference;  // ours, as the vendor shows it; empty: none
};

// What the hub knows about one external id.
struct ImportState {
    bool mapped = false;
    bool same = false;  // payload hash or remote version as last time: nothing to do
    bool stub = false, deleted = false;
    bool echo = false;  // what we exported ourselves, as the vendor shows it
    // What we exported ourselves, as the vendor shows it after its answer was lost: with what others have
    // made of it since.
    bool late_echo = false;
    Rid rid = 0;
    std::string record;       // UUID
    Instant synced_at{};      // when the mapping was last written; epoch: there is none
    std::string synced_hash;  // as the mapping has it
    std::int64_t version = 0, synced_version = 0;
    std::string remote_version;        // of the mapping
    std::int64_t changed_ms = 0;       // when the vendor changed what it showed last; 0: it did not say
    std::optional<Instant> tomb;       // the vendor's record is gone since then
    bool buried = false;               // because we deleted it there
    std::string payload;               // only where !same, like the following
    std::optional<std::string> base;   // content as last agreed; nothing: the payload at synced_version
    std::optional<std::string> shown;  // what the vendor made of that; nothing: the same
    std::int64_t created_by = 0;       // the open intent that created it there; the answer never came
    std::string provenance;            // who changed which field; empty: nobody
};

// A hub record that has one of the values by which records are recognised.
struct Recognised {
    std::size_t key = 0;  // index of the question
    Rid rid = 0;
    std::string record, payload, provenance;
    std::int64_t version = 0;
};

// Where a hub record stands with one integration.
struct Presence {
    bool deleted = false;        // in the hub
    std::string external_id;     // empty: not there; also of one that is gone there
    bool is_being_sent = false;  // an intent is open
};

// What is asked about one record: (name, value) pairs.
using MatchValues = std::vector<std::pair<std::string, std::string>>;

// One record to write. rid 0: a new record.
struct ImportWrite {
    Rid rid = 0;
    std::string record;  // UUID of a new record
    std::int64_t expected_version = 0, new_version = 0, synced_version = 0;
    Instant expected_at{};  // as in ImportState; epoch: nothing is expected of the mapping
    std::string expected_hash;
    std::string external_id, remote_version, hash, payload;
    std::int64_t changed_ms = 0;   // by the vendor's clock; 0: as before
    std::string fields;            // JSON array of the changed top-level fields; empty for a new record
    std::optional<Action> change;  // nothing: only the mapping is refreshed
    bool stub = false;
    std::string entity;                      // of a stub, which may differ from the page's
    std::optional<std::string> base, shown;  // as in ImportState, from now on
    std::string provenance;                  // also where nothing changed in the hub; empty: as before
    bool tomb = false;                 // the vendor's record is gone; the mapping stays to know it again
    bool owed = false;                 // nothing changed in the hub, and yet the vendor is owed an export
    std::int64_t settles = 0;          // the intent that turns out to have been executed
    Rid stub_rid = 0;                  // the stub that turned out to be `rid`
    std::optional<MatchValues> match;  // values to recognise it by from now on; nothing: as before
    // Values by which no record was recognised when this one was decided on; one that has come since makes it
    // stale.
    MatchValues unknown_by;
};

// The vendor shows a known record as before, under another version. Without the version that it has now, it
// refuses every write as outdated.
struct NewVersion {
    std::string external_id, remote_version;
    std::int64_t changed_ms = 0;  // by the vendor's clock; 0: as before
    Instant expected_at{};        // of the mapping, as in ImportState
    std::string expected_hash;
};

// What a mass-delete brake measures with.
struct DeleteBudget {
    std::int64_t mappings = 0;  // of the integration and entity, those of deleted records included
    std::int64_t recent = 0;    // records that were deleted since the instant asked for
};

// A record that complete listings of the vendor lacked that many times in a row.
struct MissingKey {
    std::string external_id;
    std::uint32_t missing = 0;
};

// oscillation: of fields, at least one of which systems change back and forth.
enum class ConflictKind : std::uint8_t { fields, identity, deletion, oscillation };
std::string_view to_string(ConflictKind kind);

// What a person has to decide.
struct Conflict {
    std::int64_t id = 0, run = 0;
    std::string integration, entity, external_id, record;  // record: UUID; empty: not decided which
    Rid rid = 0;
    ConflictKind kind = ConflictKind::fields;
    std::string detail;   // JSON: [{"pointer", "base", "hub", "remote"}], or candidates [uuid]
    std::string payload;  // canonical content as the vendor shows it; empty: deleted there
    std::string remote_version, hash;
    Instant first_at{}, last_at{};
};

struct ImportPage {
    std::string tenant, integration, entity;
    Lane lane = Lane::live;  // whose cursor it moves
    std::int64_t run = 0;
    Instant at{};
    std::vector<ImportWrite> writes;
    std::vector<NewVersion> versions;
    std::vector<std::string>
        gone;  // deleted at the vendor, and never mapped: nobody has to decide about it now
    std::vector<DeadLetter> dead_letters;
    std::vector<Conflict> conflicts;
    std::vector<LogEntry> notes;  // conflicts that were decided by rule
    std::string cursor;           // empty: leave it
    bool has_cursor = false;
    bool is_decision = false;  // of a person, about what was read before: what was refused since stays so
};

// ---- export ----

// stale: the vendor has a newer version, which has to be merged first.
enum class IntentState : std::uint8_t { ready = 0, sending = 1, unknown = 2, in_doubt = 3, stale = 4 };
std::string_view to_string(IntentState state);

struct Intent {
    std::int64_t id = 0;
    std::string op_key, integration, entity, record, payload, external_id, remote_version, last_error;
    Rid rid = 0;
    bool deleted = false;
    std::int64_t version = 0;         // of the hub record that is being sent
    std::string content;              // what is being sent in the hub's ids; empty: the payload
    std::int64_t record_version = 0;  // of the hub record now
    std::string known_version;  // the vendor's version as it was last read; remote_version: as sent over
    bool knows_newer() const { return !known_version.empty() && known_version != remote_version; }
    IntentState state = IntentState::ready;
    std::uint32_t attempt = 0;
    Instant next_at{}, first_sent_at{};
};

// A hub record that differs from what one integration last saw.
struct PendingExport {
    Rid rid = 0;
    std::int64_t seq = 0;                                      // of the change, in the feed
    std::string record, payload, external_id, remote_version;  // external_id empty: not there yet
    std::int64_t version = 0;
    bool deleted = false;
    std::optional<Instant> gone_since;  // it was there once: what is created now is another record
};

struct PendingExports {
    std::vector<PendingExport> records;
    std::int64_t last_seq = 0;     // how far the feed was read
    std::int64_t blocked_seq = 0;  // first change that waits for an open intent of its record; 0: none
    bool more = false;
};

// What became of one intent.
struct Outcome {
    std::int64_t intent = 0;
    // superseded: there is nothing left to send
    enum class Kind : std::uint8_t {
        done,
        deleted,
        rejected,
        retry,
        unknown,
        in_doubt,
        superseded,
        stale
    } kind = Kind::done;
    std::string external_id, remote_version, message, reason;
    Instant next_at{};
    std::string action;          // for the log: created, updated, deleted, adopted
    bool present_again = false;  // superseded: something else is owed instead
    // done: it was there already, and `remote_version` may show what others have made of it since.
    bool as_found = false;
    // done: the create was sent more than once, and then the vendor is asked whether it has two of it.
    std::optional<Instant> look_again;
};

// A create that was sent more than once.
struct SecondLook {
    Rid rid = 0;
    std::string entity, reference, external_id;  // reference: ours; external_id: the one we know it by
    Instant due{};                               // epoch, where it is noted: it is over
    std::string found;                           // what is wrong; empty: nothing, or not looked yet
};

// ---- the vault ----

struct SealedRow {
    std::string name, sealed;
    Instant updated{};
};

// ---- the inbox ----

// ignored: of a type that the integration does not want; dead: a person has to look at it.
enum class EventState : std::uint8_t { waiting = 0, done, ignored, dead };
std::string_view to_string(EventState state);

// What a vendor sent by webhook.
struct InboxEvent {
    std::int64_t id = 0;
    std::string tenant, integration;
    std::string event_id;  // the same in every delivery of one event
    std::string type;      // the vendor's word; empty: it says none
    std::string headers;   // JSON object of those that connectors are shown
    std::string body;
    Instant received{}, next_at{};
    EventState state = EventState::waiting;
    std::uint32_t attempts = 0;
    std::string error;
};

// What became of one event.
struct EventOutcome {
    std::int64_t id = 0;
    EventState state = EventState::done;  // waiting: again at `next_at`
    Instant next_at{};
    std::string error;
    bool attempted = true;  // it counts as one of the event's attempts
};

// ---- alerts ----

enum class Severity : std::uint8_t { warning, critical };
enum class AlertState : std::uint8_t { open, acknowledged, resolved };
std::string_view to_string(Severity severity);
std::string_view to_string(AlertState state);

// What needs somebody's attention. One is open per kind, integration and subject.
struct Alert {
    std::int64_t id = 0;
    std::string tenant, integration;  // empty: the daemon itself
    std::string kind, subject;        // subject: which of several; may be empty
    Severity severity = Severity::warning;
    std::string text;
    AlertState state = AlertState::open;
    std::int64_t count = 1;  // how often it was found
    Instant opened{}, last{}, resolved{};
    std::string acknowledged_by;
};

// ---- plans ----

// shown: asked for; waiting: a guard held the run back; superseded: a newer plan took its place.
enum class PlanState : std::uint8_t { shown = 0, waiting, approved, discarded, superseded };
std::string_view to_string(PlanState state);

// How much a plan would do on one side: "creates", "updates", "deletes", and by "product /price" the guarded
// fields that would change.
using Tally = std::map<std::string, std::int64_t>;

// What a run would do (engine.md 5).
struct Plan {
    std::int64_t run = 0;
    std::string integration, entity;  // entity: the run was restricted to it; empty: all
    bool full = false;
    Instant at{};
    PlanState state = PlanState::shown;
    std::string reason;  // why it waits
    Tally hub, vendor;
};

// One record that a run would change, on one side.
struct PlanItem {
    std::int64_t n = 0;  // from 1
    bool at_vendor = false;
    std::string action, entity, record, external_id;  // action: created, updated, deleted, called
    std::string fields;                               // JSON: [{"pointer", "from", "to"}]
    std::string requests;  // JSON: [{"method", "url", "auth", "headers", "body"}]; empty: none, or not kept
};

// A record before and after.
struct PlannedRecord {
    Rid rid = 0;
    std::string entity, record, external_id, before, after;  // contents; empty: not there
};

// ---- lists for people ----

struct RecordRow {
    std::int64_t row = 0;  // position in the list, for the next page
    std::string id, tenant, entity, payload;
    std::int64_t version = 0;
    Instant created{}, updated{};
    bool deleted = false;
};

// A hub record changed by somebody who is no integration.
struct RecordEdit {
    std::string tenant, entity, record;               // record: UUID
    std::string payload, provenance, fields, origin;  // fields: as in ImportWrite; origin: who
    Action action = Action::updated;
    std::int64_t version = 1;  // from now on
    bool is_new = false;
    std::optional<MatchValues> match;
    Instant at{};
};

// One entry of the feed of changes, with the record as it is now.
struct ChangeRow {
    std::int64_t seq = 0, run = 0;
    Instant at{};
    Action action = Action::updated;
    std::string origin, fields;  // fields: JSON array of pointers; empty: all
    RecordRow record;
};

struct MappingRow {
    std::int64_t row = 0;  // position in the list, for the next page
    std::string integration, entity, record, external_id, remote_version;
    Instant synced_at{};
};

struct Filter {
    std::string integration, tenant, entity, status, record, key;
    std::string direction, action;  // logs: import, export; created, ...
    std::string severity, kind;     // alerts; their status may be "unresolved", too
    std::int64_t id = 0;            // alerts; 0: any
    Instant since{}, until{};       // logs: from, and before; epoch: no bound
    std::int64_t before =
        0;  // id or position of the last row already seen; 0: from the beginning of the list
    std::int64_t before_change = 0;  // logs: likewise, of the feed of changes
    std::int64_t run = 0;
    std::uint32_t limit = 50;
};

// Newest first, out of the log and the feed of changes.
struct LogPage {
    std::vector<LogEntry> rows;
    std::int64_t before_log = 0, before_change = 0;  // for the Filter of the next page
    bool is_last = false;
};

struct RunStatistics {
    std::int64_t runs = 0, running = 0, succeeded = 0, partial = 0, failed = 0;
    Counters totals;
    std::vector<std::int64_t> durations_ms;  // of those that have ended
};

// An API token (access/tokens.hpp).
struct TokenRow {
    std::string id, name, hash, tenant;  // hash: SHA-256 of the secret part; tenant empty: all
    std::uint32_t scope = 0;
    Instant created{}, expires{}, last_used{};
};

struct UserRow {
    std::string name, password, tenant;  // password: hashed (access/passwords.hpp)
    std::uint32_t scope = 0;
    Instant created{};
};

struct AuditRow {
    std::int64_t seq = 0;  // without gaps, from 1
    Instant at{};
    std::string actor, action, target;
    std::string detail;  // JSON, without secrets
    std::string hash;    // access/audit.hpp
};

// What waits for people, over all integrations.
struct Backlog {
    std::map<std::string, std::int64_t> dead_letters, in_doubt;  // by integration
    std::map<std::string, std::int64_t> alerts;                  // that are not resolved, by severity
};

// The same of one integration.
struct QueueSizes {
    std::int64_t dead_letters = 0, in_doubt = 0;
    std::int64_t conflicts = 0, oscillating = 0;  // oscillating: of the conflicts
    std::int64_t twice = 0;                       // creates of which the vendor has two
};

struct IntegrationTotals {
    std::int64_t mappings = 0, dead_letters = 0, intents_open = 0, intents_in_doubt = 0, conflicts = 0;
};

}  // namespace liaisond::store
