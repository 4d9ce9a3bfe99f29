// Database: letting go of what is no longer kept, a few rows at a time.
#include "store/database_impl.hpp"

namespace liaisond::store {
namespace {

// Rows that this statement, with the moment and the limit, removed or emptied.
std::int64_t sweep(Connection& connection, const char* sql, Instant before, std::uint32_t limit) {
    connection.prepare(sql).bind(to_unix_ms(before)).bind(limit).run();
    return connection.changes();
}

}  // namespace

Result<std::int64_t> Database::sweep_runs(Instant before, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        // What somebody still has to decide names its run, and of each integration the latest one is shown.
        return sweep(
            impl_->connection,
            "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE started_at < ?1 AND status <> 0 "
            "AND id NOT IN (SELECT run FROM dead_letters UNION SELECT run FROM conflicts UNION "
            "SELECT run FROM plans UNION SELECT max(id) FROM runs GROUP BY integration) "
            "ORDER BY id LIMIT ?2)",
            before, limit);
    });
}

Result<std::int64_t> Database::sweep_inbox(Instant before, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        // The row stays: an event that is sent once more is known. What waits, or is dead, is still needed.
        return sweep(impl_->connection,
                     "UPDATE inbox SET body = '', headers = '{}' WHERE id IN (SELECT id FROM inbox WHERE "
                     "received_at < ?1 AND state IN (1, 2) AND (body <> '' OR headers <> '{}') LIMIT ?2)",
                     before, limit);
    });
}

Result<std::int64_t> Database::sweep_dead_letters(Instant before, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        const std::int64_t letters =
            sweep(impl_->connection,
                  "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE last_at < ?1 "
                  "LIMIT ?2)",
                  before, limit);
        const auto rest = static_cast<std::uint32_t>(limit - letters);
        return letters + sweep(impl_->connection,
                               "UPDATE inbox SET body = '', headers = '{}' WHERE id IN (SELECT id FROM inbox "
                               "WHERE received_at < ?1 AND state = 3 AND (body <> '' OR headers <> '{}') "
                               "LIMIT ?2)",
                               before, rest);
    });
}

Result<std::int64_t> Database::sweep_alerts(Instant before, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        return sweep(impl_->connection,
                     "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE state = 'resolved' AND "
                     "resolved_at < ?1 LIMIT ?2)",
                     before, limit);
    });
}

Result<std::vector<LogEntry>> Database::old_logs(Instant before, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<LogEntry>> {
        Statement select = impl_->connection.prepare(
            "SELECT l.id, l.run, l.at, l.integration, l.entity, l.direction, l.action, l.status, "
            "l.external_id, (SELECT r.id FROM records r WHERE r.rid = l.rid), l.message FROM logs l "
            "WHERE l.at < ? ORDER BY l.id LIMIT ?");
        select.bind(to_unix_ms(before)).bind(limit);
        std::vector<LogEntry> rows;
        while (select.step()) {
            LogEntry& row = rows.emplace_back();
            row.id = select.integer(0);
            row.run = select.integer(1);
            row.at = from_unix_ms(select.integer(2));
            row.integration = impl_->name(select.integer(3));
            row.entity = impl_->name(select.integer(4));
            row.direction = static_cast<Direction>(select.integer(5));
            row.action = select.text(6);
            row.status = select.text(7);
            row.external_id = select.text(8);
            row.record = uuid_text(select.view(9));
            row.message = select.text(10);
        }
        return rows;
    });
}

Result<std::int64_t> Database::drop_logs(const std::vector<std::int64_t>& ids) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        std::int64_t gone = 0;
        Statement drop = impl_->connection.prepare("DELETE FROM logs WHERE id = ?");
        for (const std::int64_t id : ids) {
            drop.reset();
            drop.bind(id).run();
            gone += impl_->connection.changes();
        }
        return gone;
    });
}

}  // namespace liaisond::store
