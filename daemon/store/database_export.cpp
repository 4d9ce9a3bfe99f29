// Database, export side: what is pending, intents, outcomes, dead letters.
#include <algorithm>
#include <unordered_set>

#include "store/database_impl.hpp"

namespace liaisond::store {

namespace {

// The select list that read_intent expects.
#define INTENT_COLUMNS                                                                                    \
    "i.id, i.op_key, i.integration, i.entity, r.id, i.rid, i.external_id, i.remote_version, i.deleted, "  \
    "i.payload, "                                                                                         \
    "i.version, i.state, i.attempt, i.next_at, i.first_sent_at, i.last_error, i.content, r.version FROM " \
    "intents i JOIN records r ON r.rid = i.rid "

Intent read_intent(Database::Impl& impl, const Statement& row) {
    Intent intent;
    intent.id = row.integer(0);
    intent.op_key = row.text(1);
    intent.integration = impl.name(row.integer(2));
    intent.entity = impl.name(row.integer(3));
    intent.record = uuid_text(row.view(4));
    intent.rid = row.integer(5);
    intent.external_id = row.text(6);
    intent.remote_version = row.text(7);
    intent.deleted = row.integer(8) != 0;
    intent.payload = row.text(9);
    intent.version = row.integer(10);
    intent.state = static_cast<IntentState>(row.integer(11));
    intent.attempt = static_cast<std::uint32_t>(row.integer(12));
    intent.next_at = from_unix_ms(row.integer(13));
    intent.first_sent_at = from_unix_ms(row.integer(14));
    intent.last_error = row.text(15);
    intent.content = row.text(16);
    intent.record_version = row.integer(17);
    return intent;
}

}  // namespace

Result<std::int64_t> Database::export_cursor(const std::string& integration, const std::string& entity) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        Statement select = impl_->connection.prepare(
            "SELECT value FROM cursors WHERE integration = ? AND entity = ? AND direction = 2");
        if (!select.bind(impl_->number(integration)).bind(impl_->number(entity)).step()) return 0;
        return std::stoll(select.text(0));
    });
}

namespace {

bool refused_before(Database::Impl& impl, std::int64_t integration, std::int64_t entity,
                    const std::string& record, std::int64_t version) {
    Statement select = impl.connection.prepare(
        "SELECT 1 FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 2 AND key = ? AND "
        "version >= ?");
    return select.bind(integration).bind(entity).bind(record).bind(version).step();
}

}  // namespace

Result<PendingExports> Database::pending(const std::string& integration, const std::string& tenant,
                                         const std::string& entity, std::int64_t after, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<PendingExports> {
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        PendingExports pending;
        pending.last_seq = after;
        std::unordered_set<Rid> taken;
        // A record is taken at its last change, so that several changes since the cursor are one export. What
        // the integration has seen (synced_version) is no export: that is how echoes end. An open intent owns
        // its record.
        Statement select = impl_->connection.prepare(
            "SELECT c.seq, c.rid, c.version, r.id, r.payload, r.version, r.deleted_at IS NOT NULL, r.stub, "
            "  m.external_id, m.remote_version, m.synced_version, EXISTS(SELECT 1 FROM intents i WHERE "
            "i.integration = ?1 AND i.rid = c.rid) OR EXISTS(SELECT 1 FROM conflicts x WHERE x.integration = "
            "?1 AND "
            "x.rid = c.rid), m.tomb_at "
            "FROM changes c JOIN records r ON r.rid = c.rid LEFT JOIN mappings m ON m.rid = c.rid AND "
            "m.integration = ?1 "
            "WHERE c.tenant = ?2 AND c.entity = ?3 AND c.seq > ?4 ORDER BY c.seq");
        select.bind(integration_number).bind(impl_->number(tenant)).bind(entity_number).bind(after);
        while (select.step()) {
            if (pending.records.size() == limit) {
                pending.more = true;
                break;
            }
            pending.last_seq = select.integer(0);
            const bool superseded = select.integer(2) != select.integer(5);
            // A record that is gone there is created anew when the hub's comes back.
            const bool mapped = !select.is_null(8) && select.is_null(12);
            const bool deleted = select.integer(6) != 0;
            const bool known = mapped && select.integer(10) >= select.integer(5);
            if (superseded || known || select.integer(7) != 0) continue;
            if (!taken.insert(select.integer(1)).second) continue;  // presented again as it is
            if (select.integer(11) != 0) {
                if (pending.blocked_seq == 0) pending.blocked_seq = pending.last_seq;
                continue;
            }
            if (deleted && !mapped) continue;  // nor is it about to be there: no intent is open
            PendingExport row;
            row.rid = select.integer(1);
            row.seq = pending.last_seq;
            row.record = uuid_text(select.view(3));
            row.version = select.integer(5);
            if (refused_before(*impl_, integration_number, entity_number, row.record, row.version)) continue;
            row.payload = select.text(4);
            row.deleted = deleted;
            row.external_id = mapped ? select.text(8) : std::string();
            row.remote_version = mapped ? select.text(9) : std::string();
            if (!select.is_null(12)) row.gone_since = from_unix_ms(select.integer(12));
            pending.records.push_back(std::move(row));
        }
        return pending;
    });
}

Result<std::int64_t> Database::pending_deletes(const std::string& integration, const std::string& tenant,
                                               const std::string& entity, std::int64_t after) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        Statement count = impl_->connection.prepare(
            "SELECT count(DISTINCT c.rid) FROM changes c JOIN records r ON r.rid = c.rid JOIN mappings m ON "
            "m.rid = "
            "c.rid AND m.integration = ? WHERE c.tenant = ? AND c.entity = ? AND c.seq > ? AND r.deleted_at "
            "IS NOT "
            "NULL AND c.action = 3 AND m.tomb_at IS NULL AND m.synced_version < r.version");
        count.bind(impl_->number(integration))
            .bind(impl_->number(tenant))
            .bind(impl_->number(entity))
            .bind(after);
        return count.step() ? count.integer(0) : 0;
    });
}

Result<std::vector<std::string>> Database::externals_of(const std::string& integration,
                                                        const std::vector<std::string>& records) {
    return guarded(impl_->path, [&]() -> Result<std::vector<std::string>> {
        const std::int64_t integration_number = impl_->number(integration);
        std::vector<std::string> found(records.size());
        Statement select = impl_->connection.prepare(
            "SELECT m.external_id FROM records r JOIN mappings m ON m.rid = coalesce(r.alias_of, r.rid) AND "
            "m.integration = ? WHERE r.id = ?");
        for (std::size_t i = 0; i < records.size(); ++i) {
            const std::string id = uuid_bytes(records[i]);
            select.reset();
            if (select.bind(integration_number).bind_blob(id).step()) found[i] = select.text(0);
        }
        return found;
    });
}

Result<std::vector<std::int64_t>> Database::add_intents(const std::string& integration,
                                                        const std::string& entity,
                                                        const std::vector<Intent>& intents,
                                                        std::int64_t cursor) {
    return guarded(impl_->path, [&]() -> Result<std::vector<std::int64_t>> {
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        std::vector<std::int64_t> ids;
        Statement insert = impl_->connection.prepare(
            "INSERT INTO intents(op_key, integration, entity, rid, external_id, remote_version, deleted, "
            "payload, version, state, attempt, "
            "next_at, first_sent_at, last_error, content) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        Statement there = impl_->connection.prepare(
            "SELECT 1 FROM mappings WHERE integration = ? AND rid = ? AND tomb_at IS NULL");
        for (const Intent& intent : intents) {
            there.reset();
            const bool creates = intent.external_id.empty() && !intent.deleted;
            if (creates && there.bind(integration_number).bind(intent.rid).step())
                return fail(Error{ErrorKind::conflict,
                                  "the record " + intent.record +
                                      " was about to be created at the vendor when it was recognised as one "
                                      "that is there; nothing of this batch was sent, the next run does",
                                  {},
                                  "stale"});
            insert.reset();
            insert.bind(intent.op_key)
                .bind(integration_number)
                .bind(entity_number)
                .bind(intent.rid)
                .bind(intent.external_id)
                .bind(intent.remote_version)
                .bind(intent.deleted ? 1 : 0)
                .bind(intent.payload)
                .bind(intent.version)
                .bind(static_cast<std::int64_t>(intent.state))
                .bind(intent.attempt)
                .bind(to_unix_ms(intent.next_at))
                .bind(to_unix_ms(intent.first_sent_at))
                .bind(intent.last_error)
                .bind(intent.content)
                .run();
            ids.push_back(impl_->connection.last_row_id());
        }
        play_failure(LIAISON_FAULT_FAILS("store.intents_half"));
        impl_->connection
            .prepare(
                "INSERT INTO cursors(integration, entity, direction, value) VALUES(?,?,2,?) ON CONFLICT DO "
                "UPDATE SET value = excluded.value")
            .bind(integration_number)
            .bind(entity_number)
            .bind(std::to_string(cursor))
            .run();
        return ids;
    });
}

Status Database::mark_sending(const std::vector<Intent>& intents) {
    return guarded(impl_->path, [&]() -> Status {
        Statement update = impl_->connection.prepare(
            "UPDATE intents SET state = 1, attempt = ?, next_at = ?, first_sent_at = ?, payload = ?, content "
            "= ?, "
            "version = ?, remote_version = ? WHERE id = ?");
        for (const Intent& intent : intents) {
            update.reset();
            update.bind(intent.attempt)
                .bind(to_unix_ms(intent.next_at))
                .bind(to_unix_ms(intent.first_sent_at))
                .bind(intent.payload)
                .bind(intent.content)
                .bind(intent.version)
                .bind(intent.remote_version)
                .bind(intent.id)
                .run();
        }
        return {};
    });
}

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
                drop(*intent, "");
                log(*intent, outcome, outcome.action, "success");
                return;
            case Outcome::Kind::deleted:
                bury(*intent);
                drop(*intent, "");
                log(*intent, outcome, "deleted", "success");
                return;
            case Outcome::Kind::rejected:
                dead_letter(*intent, outcome);
                drop(*intent, "keep");
                log(*intent, outcome, "rejected", "failed");
                return;
            case Outcome::Kind::retry: keep(*intent, IntentState::ready, outcome, "retry"); return;
            case Outcome::Kind::unknown: keep(*intent, IntentState::unknown, outcome, "unknown"); return;
            case Outcome::Kind::in_doubt: keep(*intent, IntentState::in_doubt, outcome, "in_doubt"); return;
            case Outcome::Kind::superseded:
                drop(*intent, "");
                log(*intent, outcome, "superseded", "success");
                if (outcome.present_again) present(*intent);
                return;
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
        // The record may have been there under another id before: deleted since, or adopted.
        impl_.connection
            .prepare("DELETE FROM mappings WHERE rid = ? AND integration = ? AND external_id <> ?")
            .bind(intent.rid)
            .bind(integration_)
            .bind(outcome.external_id)
            .run();
        take_over_twin(intent, outcome);
        // The hash stays empty: what the vendor will show us of this record is not known yet.
        Statement map = impl_.connection.prepare(
            "INSERT INTO mappings(integration, entity, external_id, rid, remote_version, hash, "
            "synced_version, synced_at, base) VALUES(?,?,?,?,?,x'',?,?,?) "
            "ON CONFLICT(integration, entity, external_id) DO UPDATE SET remote_version = "
            "excluded.remote_version, hash = excluded.hash, "
            "synced_version = excluded.synced_version, synced_at = excluded.synced_at, base = excluded.base, "
            "shown = NULL, tomb_at = NULL, missing = 0 WHERE rid = excluded.rid");
        map.bind(integration_)
            .bind(entity_)
            .bind(outcome.external_id)
            .bind(intent.rid)
            .bind(outcome.remote_version)
            .bind(intent.version)
            .bind(at_);
        // What was sent is what both sides agree on; where the hub has moved on since, it is kept apart.
        if (intent.record_version == intent.version)
            map.bind_null();
        else
            map.bind(intent.content.empty() ? intent.payload : intent.content);
        map.run();
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

Status Database::move_intents(Milliseconds step) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE intents SET next_at = next_at + ?1 * (next_at > 0), first_sent_at = first_sent_at + "
                "?1 * (first_sent_at > 0)")
            .bind(step.count())
            .run();
        return {};
    });
}

Status Database::settle_anew(const std::string& integration, Instant settled, Instant latest) {
    return guarded(impl_->path, [&]() -> Status {
        const std::int64_t number = impl_->number(integration);
        impl_->connection
            .prepare(
                "UPDATE intents SET next_at = ? WHERE integration = ? AND state = 2 AND external_id = ''")
            .bind(to_unix_ms(settled))
            .bind(number)
            .run();
        impl_->connection
            .prepare("UPDATE intents SET next_at = ?1 WHERE integration = ?2 AND state <> 3 AND next_at > ?1")
            .bind(to_unix_ms(std::max(settled, latest)))
            .bind(number)
            .run();
        return {};
    });
}

Result<std::vector<Intent>> Database::due_intents(const std::string& integration, const std::string& entity,
                                                  Instant now, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Intent>> {
        std::vector<Intent> due;
        Statement select = impl_->connection.prepare("SELECT " INTENT_COLUMNS
                                                     "WHERE i.integration = ? AND i.entity = ? AND i.next_at "
                                                     "<= ? AND i.state <> 3 ORDER BY i.id LIMIT ?");
        select.bind(impl_->number(integration)).bind(impl_->number(entity)).bind(to_unix_ms(now)).bind(limit);
        while (select.step()) due.push_back(read_intent(*impl_, select));
        return due;
    });
}

Result<std::optional<Instant>> Database::next_intent(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Instant>> {
        Statement select = impl_->connection.prepare(
            "SELECT min(next_at) FROM intents WHERE integration = ? AND state <> 3");
        if (!select.bind(impl_->number(integration)).step() || select.is_null(0))
            return std::optional<Instant>();
        return std::optional<Instant>(from_unix_ms(select.integer(0)));
    });
}

Result<std::vector<Intent>> Database::intents(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Intent>> {
        std::vector<Intent> rows;
        Statement select = impl_->connection.prepare(
            "SELECT " INTENT_COLUMNS
            "WHERE (?1 = '' OR i.integration = ?2) AND (?3 = 0 OR i.id < ?3) ORDER BY i.id DESC LIMIT ?4");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.limit);
        while (select.step()) rows.push_back(read_intent(*impl_, select));
        return rows;
    });
}

Result<std::optional<Intent>> Database::intent(std::int64_t id) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Intent>> {
        Statement select = impl_->connection.prepare("SELECT " INTENT_COLUMNS "WHERE i.id = ?");
        if (!select.bind(id).step()) return std::optional<Intent>();
        return std::optional<Intent>(read_intent(*impl_, select));
    });
}

Result<std::optional<PendingExport>> Database::exportable(const std::string& integration, Rid rid) {
    return guarded(impl_->path, [&]() -> Result<std::optional<PendingExport>> {
        Statement select = impl_->connection.prepare(
            "SELECT r.id, r.version, r.payload, r.deleted_at IS NOT NULL, m.external_id, m.remote_version, "
            "m.synced_version, m.tomb_at FROM records r LEFT JOIN mappings m ON m.rid = r.rid "
            "AND "
            "m.integration = ? WHERE r.rid = ?");
        select.bind(impl_->number(integration)).bind(rid);
        if (!select.step()) return std::optional<PendingExport>();
        PendingExport row;
        row.rid = rid;
        row.record = uuid_text(select.view(0));
        row.version = select.integer(1);
        row.payload = select.text(2);
        row.deleted = select.integer(3) != 0;
        const bool mapped = !select.is_null(4) && select.is_null(7);
        if (mapped && select.integer(6) >= row.version) return std::optional<PendingExport>();
        if (row.deleted && !mapped) return std::optional<PendingExport>();
        row.external_id = mapped ? select.text(4) : std::string();
        row.remote_version = mapped ? select.text(5) : std::string();
        if (!select.is_null(7)) row.gone_since = from_unix_ms(select.integer(7));
        return std::optional<PendingExport>(std::move(row));
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

Status Database::add_dead_letters(const std::vector<DeadLetter>& letters) {
    return guarded(impl_->path, [&]() -> Status {
        for (const DeadLetter& letter : letters) {
            impl_->connection
                .prepare(
                    "INSERT INTO dead_letters(integration, entity, direction, key, run, reason, message, "
                    "payload, version, attempts, first_at, last_at) "
                    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,1,?10,?10) ON CONFLICT DO UPDATE SET version = "
                    "excluded.version, run = excluded.run, reason = excluded.reason, "
                    "message = excluded.message, payload = excluded.payload, attempts = attempts + 1, "
                    "last_at = excluded.last_at")
                .bind(impl_->number(letter.integration))
                .bind(impl_->number(letter.entity))
                .bind(static_cast<std::int64_t>(letter.direction))
                .bind(letter.key)
                .bind(letter.run)
                .bind(letter.reason)
                .bind(letter.message)
                .bind(letter.payload)
                .bind(letter.version)
                .bind(to_unix_ms(letter.last_at))
                .run();
        }
        return {};
    });
}

}  // namespace liaisond::store
