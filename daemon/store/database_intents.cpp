// Database, export side: intents, from the moment something is to be sent until its outcome is known.
#include <algorithm>

#include "store/database_impl.hpp"
#include "store/intent_rows.hpp"

// A delete waits while a person decides whether the record shall go.
#define NOT_CONTESTED                                                                                   \
    " AND NOT (i.deleted AND EXISTS(SELECT 1 FROM conflicts x WHERE x.integration = i.integration AND " \
    "x.rid "                                                                                            \
    "= i.rid))"

namespace liaisond::store {

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
    intent.known_version = row.text(18);
    return intent;
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

Status Database::move_intents(Milliseconds step) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE intents SET next_at = next_at + ?1 * (next_at > 0), "
                "first_sent_at = first_sent_at + min(?1, 0) * (first_sent_at > 0)")
            .bind(step.count())
            .run();
        impl_->connection.prepare("UPDATE second_looks SET due_at = due_at + ?").bind(step.count()).run();
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
        impl_->connection
            .prepare(
                "UPDATE inbox SET next_at = iif(attempts = 0, 0, min(next_at, ?)) WHERE integration = ? AND "
                "state = 0")
            .bind(to_unix_ms(latest))
            .bind(number)
            .run();
        return {};
    });
}

Result<std::int64_t> Database::doubt_intents(Instant now) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        impl_->connection
            .prepare(
                "UPDATE intents SET state = 2, next_at = ?1, attempt = max(attempt, 1), first_sent_at = "
                "CASE first_sent_at WHEN 0 THEN ?1 ELSE first_sent_at END WHERE state IN (0, 1, 2)")
            .bind(to_unix_ms(now))
            .run();
        return impl_->connection.changes();
    });
}

Result<std::vector<Intent>> Database::due_intents(const std::string& integration, const std::string& entity,
                                                  Instant now, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Intent>> {
        std::vector<Intent> due;
        {
            // Nearly always nothing is, and putting it in order is what takes long.
            Statement any = impl_->connection.prepare(
                "SELECT 1 FROM intents WHERE integration = ? AND entity = ? AND next_at <= ? LIMIT 1");
            any.bind(impl_->number(integration)).bind(impl_->number(entity)).bind(to_unix_ms(now));
            if (!any.step()) return due;
        }
        Statement select =
            impl_->connection.prepare("SELECT " INTENT_COLUMNS
                                      "WHERE i.integration = ? AND i.entity = ? AND i.next_at "
                                      "<= ? AND i.state <> 3" NOT_CONTESTED " ORDER BY i.id LIMIT ?");
        select.bind(impl_->number(integration)).bind(impl_->number(entity)).bind(to_unix_ms(now)).bind(limit);
        while (select.step()) due.push_back(read_intent(*impl_, select));
        return due;
    });
}

Result<std::optional<Instant>> Database::next_intent(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Instant>> {
        Statement select = impl_->connection.prepare(
            "SELECT min(at) FROM (SELECT min(next_at) AS at FROM intents i WHERE integration = ?1 AND state "
            "<> "
            "3" NOT_CONTESTED " UNION ALL SELECT min(due_at) FROM second_looks WHERE integration = ?1)");
        if (!select.bind(impl_->number(integration)).step() || select.is_null(0))
            return std::optional<Instant>();
        return std::optional<Instant>(from_unix_ms(select.integer(0)));
    });
}

namespace {

// -1: any; a word that is no state: one that no row has.
std::int64_t state_number(const std::string& word) {
    if (word.empty()) return -1;
    for (std::int64_t state = 0; state <= static_cast<std::int64_t>(IntentState::stale); ++state) {
        if (word == to_string(static_cast<IntentState>(state))) return state;
    }
    return 99;
}

}  // namespace

Result<std::vector<Intent>> Database::intents(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Intent>> {
        std::vector<Intent> rows;
        Statement select = impl_->connection.prepare("SELECT " INTENT_COLUMNS
                                                     "WHERE (?1 = '' OR i.integration = ?2) AND (?3 = 0 OR "
                                                     "i.id < ?3) AND (?4 = '' OR r.tenant = ?5) AND "
                                                     "(?6 = -1 OR i.state = ?6) ORDER BY i.id DESC LIMIT ?7");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(state_number(filter.status))
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

}  // namespace liaisond::store
