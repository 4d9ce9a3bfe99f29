// Database, export side: what became of intents.
#include "store/database_impl.hpp"
#include "store/import_rows.hpp"
#include "store/intent_rows.hpp"

namespace liaisond::store {

namespace {

constexpr const char* present_again_sql =
    "INSERT INTO changes(tenant, entity, rid, version, action, origin, run, at, fields) SELECT tenant, "
    "entity, rid, "
    "version, CASE WHEN deleted_at IS NULL THEN 2 ELSE 3 END, ?, ?, ?, '[]' FROM records WHERE rid = ?";

// Applies outcomes to intents of one integration and entity.
class Settler {
  public:
    Settler(Database::Impl& impl, std::int64_t run, const std::string& integration, const std::string& entity,
            Instant at)
        : impl_(impl),
          run_(run),
          integration_(impl.number(integration)),
          entity_(impl.number(entity)),
          at_(to_unix_ms(at)) {}

    void apply(const Outcome& outcome) {
        const auto intent = read(outcome.intent);
        if (!intent) return;
        switch (outcome.kind) {
            case Outcome::Kind::done:
                map(*intent, outcome);
                if (outcome.look_again) look_again(*intent, outcome);
                drop(*intent, "");
                log(*intent, outcome, outcome.action, "success");
                return;
            case Outcome::Kind::deleted:
                bury(*intent);
                drop(*intent, "");
                log(*intent, outcome, "deleted", "success");
                return;
            case Outcome::Kind::rejected:
                // The version for which it was refused was read meanwhile, and will not be read again.
                if (outcome.reason == "conflict" && intent->knows_newer())
                    return supersede(*intent, outcome, true);
                dead_letter(*intent, outcome);
                drop(*intent, "keep");
                log(*intent, outcome, "rejected", "failed");
                return;
            case Outcome::Kind::retry: keep(*intent, IntentState::ready, outcome, "retry"); return;
            case Outcome::Kind::unknown: keep(*intent, IntentState::unknown, outcome, "unknown"); return;
            case Outcome::Kind::in_doubt: keep(*intent, IntentState::in_doubt, outcome, "in_doubt"); return;
            case Outcome::Kind::superseded: return supersede(*intent, outcome, outcome.present_again);
            case Outcome::Kind::stale: keep(*intent, IntentState::stale, outcome, "conflict"); return;
        }
    }

  private:
    std::optional<Intent> read(std::int64_t id) {
        Statement select = impl_.connection.prepare("SELECT " INTENT_COLUMNS "WHERE i.id = ?");
        if (!select.bind(id).step()) return std::nullopt;
        return read_intent(impl_, select);
    }
    void map(const Intent& intent, const Outcome& outcome) {
        impl_.connection.prepare(forget_other_ids_sql)
            .bind(intent.rid)
            .bind(integration_)
            .bind(outcome.external_id)
            .run();
        take_over_twin(intent, outcome);
        // No hash: what the vendor will show us of this record is not known yet.
        Statement map = impl_.connection.prepare(
            "INSERT INTO mappings(integration, entity, external_id, rid, remote_version, hash, "
            "synced_version, synced_at, base) VALUES(?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT(integration, entity, external_id) DO UPDATE SET remote_version = "
            "excluded.remote_version, hash = excluded.hash, "
            "synced_version = excluded.synced_version, synced_at = excluded.synced_at, base = excluded.base, "
            "shown = NULL, tomb_at = NULL, missing = 0 WHERE rid = excluded.rid");
        map.bind(integration_)
            .bind(entity_)
            .bind(outcome.external_id)
            .bind(intent.rid)
            .bind(outcome.remote_version)
            .bind_blob(outcome.as_found ? adopted_hash : std::string_view())
            .bind(intent.version)
            .bind(at_);
        // What was sent is what both sides agree on; where the hub has moved on since, it is kept apart.
        if (intent.record_version == intent.version)
            map.bind_null();
        else
            map.bind(intent.content.empty() ? intent.payload : intent.content);
        map.run();
    }
    void look_again(const Intent& intent, const Outcome& outcome) {
        impl_.connection.prepare("INSERT OR REPLACE INTO second_looks VALUES(?,?,?,?,?,?,'')")
            .bind(integration_)
            .bind(entity_)
            .bind(intent.rid)
            .bind(intent.op_key)
            .bind(outcome.external_id)
            .bind(to_unix_ms(*outcome.look_again))
            .run();
    }
    // The vendor's record was imported as one of its own before this answer was known. It is the one that was
    // sent: what was made of it is deleted, wherever it was exported to.
    void take_over_twin(const Intent& intent, const Outcome& outcome) {
        Rid twin = 0;
        {
            Statement select = impl_.connection.prepare(
                "SELECT rid FROM mappings WHERE integration = ? AND entity = ? AND external_id = ? AND rid "
                "<> ?");
            select.bind(integration_).bind(entity_).bind(outcome.external_id).bind(intent.rid);
            if (!select.step()) return;
            twin = select.integer(0);
        }
        impl_.connection
            .prepare("UPDATE mappings SET rid = ? WHERE integration = ? AND entity = ? AND external_id = ?")
            .bind(intent.rid)
            .bind(integration_)
            .bind(entity_)
            .bind(outcome.external_id)
            .run();
        impl_.connection
            .prepare(
                "UPDATE records SET alias_of = ?, deleted_at = ?, updated_at = ?, version = version + 1 "
                "WHERE rid = ?")
            .bind(intent.rid)
            .bind(at_)
            .bind(at_)
            .bind(twin)
            .run();
        impl_.connection.prepare(present_again_sql).bind(integration_).bind(run_).bind(at_).bind(twin).run();
        log(intent, outcome, "twin", "success");
    }
    void supersede(const Intent& intent, const Outcome& outcome, bool is_owed_still) {
        drop(intent, "");
        log(intent, outcome, "superseded", "success");
        if (is_owed_still) present(intent);
    }
    void present(const Intent& intent) {
        impl_.connection.prepare(present_again_sql)
            .bind(integration_)
            .bind(run_)
            .bind(at_)
            .bind(intent.rid)
            .run();
    }
    // Kept, so that an old listing of the vendor does not bring the record back as a new one.
    void bury(const Intent& intent) {
        impl_.connection
            .prepare(
                "UPDATE mappings SET tomb_at = ?, synced_version = ?, hash = CASE hash WHEN x'' THEN x'00' "
                "ELSE hash "
                "END WHERE rid = ? AND integration = ?")
            .bind(at_)
            .bind(intent.version)
            .bind(intent.rid)
            .bind(integration_)
            .run();
    }
    void drop(const Intent& intent, std::string_view dead_letter) {
        impl_.connection.prepare("DELETE FROM intents WHERE id = ?").bind(intent.id).run();
        if (!dead_letter.empty()) return;
        impl_.connection
            .prepare(
                "DELETE FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 2 AND key = ?")
            .bind(integration_)
            .bind(entity_)
            .bind(intent.record)
            .run();
    }
    void dead_letter(const Intent& intent, const Outcome& outcome) {
        impl_.connection
            .prepare(
                "INSERT INTO dead_letters(integration, entity, direction, key, run, reason, message, "
                "payload, version, attempts, first_at, last_at) "
                "VALUES(?1,?2,2,?3,?4,?5,?6,?7,?8,?9,?10,?10) ON CONFLICT DO UPDATE SET version = "
                "excluded.version, run = excluded.run, reason = excluded.reason, "
                "message = excluded.message, payload = excluded.payload, attempts = attempts + 1, last_at = "
                "excluded.last_at")
            .bind(integration_)
            .bind(entity_)
            .bind(intent.record)
            .bind(run_)
            .bind(outcome.reason)
            .bind(outcome.message)
            .bind(intent.payload)
            .bind(intent.version)
            .bind(intent.attempt)
            .bind(at_)
            .run();
    }
    void keep(const Intent& intent, IntentState state, const Outcome& outcome, std::string_view action) {
        impl_.connection.prepare("UPDATE intents SET state = ?, next_at = ?, last_error = ? WHERE id = ?")
            .bind(static_cast<std::int64_t>(state))
            .bind(to_unix_ms(outcome.next_at))
            .bind(outcome.message)
            .bind(intent.id)
            .run();
        log(intent, outcome, action, "failed");
    }
    void log(const Intent& intent, const Outcome& outcome, std::string_view action, std::string_view status) {
        impl_.connection
            .prepare(
                "INSERT INTO logs(run, at, integration, entity, direction, action, status, external_id, rid, "
                "message) VALUES(?,?,?,?,2,?,?,?,?,?)")
            .bind(run_)
            .bind(at_)
            .bind(integration_)
            .bind(entity_)
            .bind(action)
            .bind(status)
            .bind(outcome.external_id.empty() ? intent.external_id : outcome.external_id)
            .bind(intent.rid)
            .bind(outcome.message)
            .run();
    }

    Database::Impl& impl_;
    std::int64_t run_, integration_, entity_, at_;
};

}  // namespace

Status Database::settle(std::int64_t run, const std::string& integration, const std::string& entity,
                        const std::vector<Outcome>& outcomes, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        Settler settler(*impl_, run, integration, entity, at);
        for (const Outcome& outcome : outcomes) {
            settler.apply(outcome);
            play_failure(LIAISON_FAULT_FAILS("store.settle_half"));
        }
        return {};
    });
}

Status Database::present_again(const std::string& integration, Rid rid, std::int64_t run, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare(present_again_sql)
            .bind(impl_->number(integration))
            .bind(run)
            .bind(to_unix_ms(at))
            .bind(rid)
            .run();
        return {};
    });
}

}  // namespace liaisond::store
