// Database: everything the store can do, synchronously, on one connection. Which thread calls it, and when a
// transaction is committed, is the business of Store (store.hpp). One Database may write; any number may read
// beside it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace liaisond::store {

enum class Access : std::uint8_t { write, read };
// What commits survive: a power cut, a crash of the process, nothing (scratch copies).
enum class Durability : std::uint8_t { full, normal, none };

class Database {
  public:
    // Creates and migrates the file when opened for writing. An error names the file and what to do.
    static Result<std::unique_ptr<Database>> open(const std::string& path, Access access,
                                                  Durability durability = Durability::full);
    // The file as it stands at one moment, whoever reads and writes it meanwhile.
    static Status copy(const std::string& from, const std::string& to);
    ~Database();

    // ---- transactions (writer only) ----
    Status begin();
    Status commit();
    void rollback();
    // Runs `work` inside a savepoint: what fails leaves nothing behind.
    template <class Work>
    auto atomically(Work work) -> decltype(work()) {
        if (auto begun = savepoint(); !begun) return fail(begun.error());
        auto result = work();
        auto released = release(result.has_value());
        if (result && !released) return fail(released.error());
        return result;
    }

    // ---- import ----
    Result<std::vector<ImportState>> look_up(const std::string& integration, const std::string& entity,
                                             const std::vector<ImportKey>& keys);
    // UUIDs of external ids; empty where unknown.
    Result<std::vector<std::string>> records_of(const std::string& integration, const std::string& entity,
                                                const std::vector<std::string>& external_ids);
    // Hub records that have one of the values asked for and that the integration does not have yet.
    Result<std::vector<Recognised>> recognise(const std::string& integration, const std::string& tenant,
                                              const std::string& entity,
                                              const std::vector<MatchValues>& questions);
    using MatchReader = std::function<MatchValues(std::string_view payload)>;
    // Notes by which values the records after `after` are recognised, `limit` of them; the last one's number,
    // or 0 when there are no more.
    Result<std::int64_t> index_matches(const std::string& tenant, const std::string& entity, Rid after,
                                       std::uint32_t limit, const MatchReader& read);
    Result<DeleteBudget> delete_budget(const std::string& integration, const std::string& entity,
                                       Instant since);
    // External ids in their order after `after`, of records that exist.
    Result<std::vector<MissingKey>> live_keys(const std::string& integration, const std::string& entity,
                                              const std::string& after, std::uint32_t limit);
    Status note_missing(const std::string& integration, const std::string& entity,
                        const std::vector<MissingKey>& keys);
    // Everything of the page or nothing. A `conflict` error: somebody else changed a record since look_up;
    // look again.
    Status commit_page(const ImportPage& page);
    Result<std::string> cursor(const std::string& integration, const std::string& entity,
                               Lane lane = Lane::live);
    // Of all entities.
    Status drop_cursors(const std::string& integration, Lane lane);

    // ---- export ----
    // Changes after `after`, one entry per record, at most `limit`; left out are what the integration knows
    // already, what it refused in this version, and records with an open intent.
    Result<PendingExports> pending(const std::string& integration, const std::string& tenant,
                                   const std::string& entity, std::int64_t after, std::uint32_t limit);
    // Records that the changes after `after` would delete at the vendor.
    Result<std::int64_t> pending_deletes(const std::string& integration, const std::string& tenant,
                                         const std::string& entity, std::int64_t after);
    Result<std::int64_t> export_cursor(const std::string& integration, const std::string& entity);
    // External ids of records (UUIDs) at an integration; empty where unmapped.
    Result<std::vector<std::string>> externals_of(const std::string& integration,
                                                  const std::vector<std::string>& records);
    // Writes intents in their given state and moves the export cursor with them; returns their ids.
    Result<std::vector<std::int64_t>> add_intents(const std::string& integration, const std::string& entity,
                                                  const std::vector<Intent>& intents, std::int64_t cursor);
    Status mark_sending(const std::vector<Intent>& intents);
    Status settle(std::int64_t run, const std::string& integration, const std::string& entity,
                  const std::vector<Outcome>& outcomes, Instant at);
    // Open intents that are due; `sending` ones are left over from a crash when no run is in flight.
    Result<std::vector<Intent>> due_intents(const std::string& integration, const std::string& entity,
                                            Instant now, std::uint32_t limit);
    // When the next open intent of the integration is due, or its next second look.
    Result<std::optional<Instant>> next_intent(const std::string& integration);
    // Second looks that are due, by entity; and what came of them.
    Result<std::vector<SecondLook>> due_looks(const std::string& integration, Instant now,
                                              std::uint32_t limit);
    Status note_looks(std::int64_t run, const std::string& integration, const std::vector<SecondLook>& looks,
                      Instant at);
    Result<std::optional<Intent>> intent(std::int64_t id);
    // The record as one integration is owed it now; nothing where it is not.
    Result<std::optional<PendingExport>> exportable(const std::string& integration, Rid rid);
    // Puts the record into the feed of changes once more, as it is.
    Status present_again(const std::string& integration, Rid rid, std::int64_t run, Instant at);
    Status add_dead_letters(const std::vector<DeadLetter>& letters);

    // Writes the record and its change; what the integrations had agreed on is kept for their merges.
    Status edit_record(const RecordEdit& edit);
    // From now on the record is that one at the integration; nothing is agreed on its content. An error where
    // either is mapped otherwise; with `moves`, what the record was mapped to before is given up.
    Status link_record(const MappingRow& mapping, bool moves);
    // The hub forgets under which id the integration has the record; false: it knew none.
    Result<bool> unlink_record(const std::string& integration, const std::string& entity,
                               const std::string& external_id);
    // Whose it is: the tenant of a run, dead letter, conflict, plan, intent, event or alert; empty where
    // there is none.
    Result<std::string> owner_of(const std::string& kind, std::int64_t id);

    // One hub record by its UUID, as far as recognising needs it.
    Result<std::optional<Recognised>> record(const std::string& id);
    // The times of open intents, by a step of the wall clock, so that nothing is done too early. What was
    // sent may have been sent longer ago than it seems, and never less long: of a suspended machine the clock
    // jumps, too, and the vendor's memory of a key has grown older by that.
    Status move_intents(Milliseconds step);
    // After a start: creates whose outcome is unknown wait until `settled`, others, and events that were
    // tried, no longer than until `latest`; other events are due.
    Status settle_anew(const std::string& integration, Instant settled, Instant latest);
    // After a backup was restored: nothing counts as not sent any more. How many open intents there are.
    Result<std::int64_t> doubt_intents(Instant now);
    Result<Presence> presence(const std::string& integration, Rid rid);
    // Of the integration's latest run; empty before the first one.
    Result<std::string> tenant_of(const std::string& integration);

    // ---- what a person has to decide ----
    Result<std::vector<Conflict>> conflicts(const Filter& filter);
    Result<std::optional<Conflict>> conflict(std::int64_t id);
    Result<std::optional<DeadLetter>> dead_letter(std::int64_t id);
    Status drop_dead_letter(std::int64_t id);
    Status edit_dead_letter(std::int64_t id, const std::string& payload);

    // ---- the inbox ----
    // False: this event is there already, and nothing was done.
    Result<bool> add_event(const InboxEvent& event);
    // Those that are due, in their order of arrival: at most `limit`, and no further one once their bodies
    // have `most_bytes`.
    Result<std::vector<InboxEvent>> waiting_events(const std::string& integration, Instant now,
                                                   std::uint32_t limit,
                                                   std::size_t most_bytes = std::size_t(-1));
    // When the next one is due; nothing: none waits.
    Result<std::optional<Instant>> next_event(const std::string& integration);
    // When the next waiting event of each integration is due.
    Result<std::map<std::string, Instant>> waiting_inboxes();
    // How many wait, due or not, by integration.
    Result<std::map<std::string, std::uint64_t>> waiting_event_counts();
    // What does not wait any more stays as it is.
    Status settle_events(const std::vector<EventOutcome>& outcomes);
    // All that are due are done: they only said that something changed.
    Status finish_events(const std::string& integration, Instant now);
    // Lets a dead one wait again, with all its attempts before it. False: it is not there any more.
    Result<bool> revive_event(const std::string& integration, const std::string& event_id, Instant now);
    // Of all that wait, by a step of the wall clock. Those that were never tried are due.
    Status move_events(Milliseconds step);
    Result<std::vector<InboxEvent>> inbox(const Filter& filter);

    // ---- alerts ----
    // Opens one, or counts the one that is open already.
    Status raise_alert(const Alert& alert);
    // It is over.
    Status lower_alert(const std::string& integration, const std::string& kind, const std::string& subject,
                       Instant at);
    // By a person. One that is not open, or resolved, stays as it is.
    Status acknowledge_alert(std::int64_t id, const std::string& who);
    Status resolve_alert(std::int64_t id, Instant at);
    Result<std::vector<Alert>> alerts(const Filter& filter);

    // ---- plans ----
    // Of a scratch copy: from now on it is known of each record what it was before.
    Status remember_records();
    // Records that were changed since then, by number, after `after`; with their id at the integration.
    Result<std::vector<PlannedRecord>> planned_records(const std::string& integration, Rid after,
                                                       std::uint32_t limit);
    // What the integration was last agreed to have of each record; empty where nothing was.
    Result<std::vector<std::string>> agreed(const std::string& integration, const std::vector<Rid>& rids);
    // A plan without items yet. An older one of the integration that waits is superseded by it; the oldest
    // are forgotten.
    Status begin_plan(const Plan& plan);
    Status add_plan_items(std::int64_t run, const std::vector<PlanItem>& items);
    Status save_plan(const Plan& plan);
    // An error unless it waits.
    Status decide_plan(std::int64_t run, PlanState state);
    Result<std::optional<Plan>> plan(std::int64_t run);
    Result<std::vector<Plan>> plans(const Filter& filter);
    // Those after number `after`, in order.
    Result<std::vector<PlanItem>> plan_items(std::int64_t run, std::int64_t after, std::uint32_t limit);

    // ---- runs ----
    Result<std::int64_t> begin_run(const Run& run);
    Status save_run(const Run& run);  // progress or end
    // Runs that a crash left open become `interrupted`; returns how many.
    Result<std::int64_t> interrupt_runs(Instant now);
    Status add_log(const LogEntry& entry);

    // ---- states: what must outlive a restart and is no record; JSON or text, by kind and key ----
    Result<std::string> state(const std::string& kind, const std::string& key);  // empty: none
    Result<std::map<std::string, std::string>> states(const std::string& kind);
    Status save_state(const std::string& kind, const std::string& key,
                      const std::string& value);  // empty: forgotten

    // Of a kind whose keys are numbers: the `count` highest stay.
    Status keep_newest_states(const std::string& kind, std::uint32_t count);

    // ---- the vault: sealed by whoever calls ----
    Result<std::vector<SealedRow>> sealed();
    Status save_sealed(const std::string& name, const std::string& sealed, Instant at);
    // Where it still is `old`: what was written meanwhile stays.
    Status replace_sealed(const std::string& name, const std::string& old, const std::string& sealed);
    Status drop_sealed(const std::string& name);

    // ---- access ----
    Result<std::vector<TokenRow>> tokens();
    Status save_token(const TokenRow& token);
    Status note_token_uses(const std::vector<std::pair<std::string, Instant>>& uses);
    Status drop_token(const std::string& id);
    Result<std::vector<UserRow>> users();
    Status save_user(const UserRow& user);
    Status drop_user(const std::string& name);
    // Appends an entry: its number, and its digest by what `seal` makes of the one before (empty: none).
    Status add_audit(AuditRow entry,
                     const std::function<std::string(const std::string& previous, const AuditRow&)>& seal);
    // From number `from` on, in their order.
    Result<std::vector<AuditRow>> audit(std::int64_t from, std::uint32_t limit);

    // ---- retention: each lets go of at most `limit` rows from before that moment, and tells how many ----
    Result<std::int64_t> sweep_runs(Instant before, std::uint32_t limit);
    Result<std::int64_t> sweep_inbox(Instant before, std::uint32_t limit);  // bodies only
    Result<std::int64_t> sweep_dead_letters(Instant before, std::uint32_t limit);
    Result<std::int64_t> sweep_alerts(Instant before, std::uint32_t limit);
    // Records of an entity, behind `after`, whose day in the top-level field `day` is before that one
    // ("2026-11-21"), and that may still tell of a person: by number, in its order.
    Result<std::vector<Rid>> records_over(const std::string& entity, const std::string& day,
                                          const std::string& before, Rid after, std::uint32_t limit);
    // Takes from these records, from what their integrations agreed on and from refusals of them what
    // `without` leaves out; it answers nothing where there is nothing to leave out. No change of the feed: no
    // integration is told. Records that are being sent, or that a person has to decide about, are left for
    // another day. How many it took something from.
    using Erasure = std::function<std::optional<std::string>(std::string_view content)>;
    Result<std::int64_t> erase_from(const std::vector<Rid>& records, const Erasure& without);
    // Of the log itself, oldest first; not of the feed of changes.
    Result<std::vector<LogEntry>> old_logs(Instant before, std::uint32_t limit);
    Result<std::int64_t> drop_logs(const std::vector<std::int64_t>& ids);

    // ---- lists ----
    Result<std::vector<Run>> runs(const Filter& filter);
    // The newest one of the integration that was more than a plan and was begun by none of these triggers.
    Result<std::optional<Run>> last_run(const std::string& integration,
                                        const std::set<std::string_view>& besides);
    Result<LogPage> logs(const Filter& filter);
    // Of those that began at `since` or later, of an integration and a tenant where these are named.
    Result<RunStatistics> run_statistics(const Filter& filter);
    Result<std::vector<Run>> slowest_runs(const Filter& filter);
    Result<std::vector<RecordRow>> records(const Filter& filter);
    // The feed of an entity behind number `after`, oldest first.
    Result<std::vector<ChangeRow>> changes(const Filter& filter, std::int64_t after);
    Result<std::vector<MappingRow>> mappings(const Filter& filter);
    Result<std::vector<DeadLetter>> dead_letters(const Filter& filter);
    Result<std::vector<Intent>> intents(const Filter& filter);
    Result<IntegrationTotals> totals(const std::string& integration);
    Result<Backlog> backlog();
    Result<QueueSizes> queue_sizes(const std::string& integration);
    Result<std::int64_t> count_records(const std::string& tenant, const std::string& entity);

    struct Impl;  // shared by the parts of the implementation

  private:
    explicit Database(std::unique_ptr<Impl> impl);
    Status savepoint();
    Status release(bool keep);
    std::unique_ptr<Impl> impl_;
};

}  // namespace liaisond::store
