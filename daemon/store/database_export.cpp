// Database, export side: what is pending for an integration, and what was refused for good.
#include <unordered_set>

#include "store/database_impl.hpp"

namespace liaisond::store {

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
        // Counted here: DISTINCT would make a temporary table every time, although there are hardly ever any.
        Statement select = impl_->connection.prepare(
            "SELECT c.rid FROM changes c JOIN records r ON r.rid = c.rid JOIN mappings m ON m.rid = "
            "c.rid AND m.integration = ? WHERE c.tenant = ? AND c.entity = ? AND c.seq > ? AND r.deleted_at "
            "IS NOT "
            "NULL AND c.action = 3 AND m.tomb_at IS NULL AND m.synced_version < r.version");
        select.bind(impl_->number(integration))
            .bind(impl_->number(tenant))
            .bind(impl_->number(entity))
            .bind(after);
        std::unordered_set<Rid> deleted;
        while (select.step()) deleted.insert(select.integer(0));
        return static_cast<std::int64_t>(deleted.size());
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
