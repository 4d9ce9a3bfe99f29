// Database: alerts - what needs somebody's attention.
#include "store/database_impl.hpp"

namespace liaisond::store {
namespace {

constexpr const char* select_alerts =
    "SELECT id, tenant, integration, kind, subject, severity, text, state, count, opened_at, last_at, "
    "resolved_at, acknowledged_by FROM alerts "
    "WHERE (?1 = '' OR integration = ?2) AND (?3 = '' OR tenant = ?4) AND (?5 = '' OR severity = ?5) "
    "AND (?6 = '' OR state = ?6 OR (?6 = 'unresolved' AND state <> 'resolved')) AND (?7 = '' OR kind = ?7) "
    "AND (?8 = 0 OR id < ?8) AND (?9 = 0 OR id = ?9) ORDER BY id DESC LIMIT ?10";

AlertState state_of(std::string_view word) {
    return word == "open"           ? AlertState::open
           : word == "acknowledged" ? AlertState::acknowledged
                                    : AlertState::resolved;
}

}  // namespace

Status Database::raise_alert(const Alert& alert) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "INSERT INTO alerts(tenant, integration, kind, subject, severity, text, state, count, "
                "opened_at, last_at, resolved_at, acknowledged_by) VALUES(?1,?2,?3,?4,?5,?6,'open',1,?7,?7,"
                "0,'') "
                "ON CONFLICT(kind, integration, subject) WHERE state <> 'resolved' DO UPDATE SET "
                "severity = excluded.severity, text = excluded.text, count = count + 1, last_at = "
                "excluded.last_at, "
                // Whoever has seen a warning has not seen what became of it.
                "state = CASE WHEN severity = excluded.severity THEN state ELSE 'open' END")
            .bind(impl_->number(alert.tenant))
            .bind(impl_->number(alert.integration))
            .bind(alert.kind)
            .bind(alert.subject)
            .bind(to_string(alert.severity))
            .bind(alert.text)
            .bind(to_unix_ms(alert.last))
            .run();
        return {};
    });
}

Status Database::lower_alert(const std::string& integration, const std::string& kind,
                             const std::string& subject, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE alerts SET state = 'resolved', resolved_at = ? WHERE kind = ? AND integration = ? "
                "AND subject = ? AND state <> 'resolved'")
            .bind(to_unix_ms(at))
            .bind(kind)
            .bind(impl_->number(integration))
            .bind(subject)
            .run();
        return {};
    });
}

Status Database::acknowledge_alert(std::int64_t id, const std::string& who) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE alerts SET state = 'acknowledged', acknowledged_by = ? WHERE id = ? AND state = "
                "'open'")
            .bind(who)
            .bind(id)
            .run();
        return {};
    });
}

Status Database::resolve_alert(std::int64_t id, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE alerts SET state = 'resolved', resolved_at = ? WHERE id = ? AND state <> "
                "'resolved'")
            .bind(to_unix_ms(at))
            .bind(id)
            .run();
        return {};
    });
}

Result<std::vector<Alert>> Database::alerts(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Alert>> {
        Statement select = impl_->connection.prepare(select_alerts);
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.severity)
            .bind(filter.status)
            .bind(filter.kind)
            .bind(filter.before)
            .bind(filter.id)
            .bind(filter.limit);
        std::vector<Alert> rows;
        while (select.step()) {
            Alert& row = rows.emplace_back();
            row.id = select.integer(0);
            row.tenant = impl_->name(select.integer(1));
            row.integration = impl_->name(select.integer(2));
            row.kind = select.text(3);
            row.subject = select.text(4);
            row.severity = select.text(5) == "critical" ? Severity::critical : Severity::warning;
            row.text = select.text(6);
            row.state = state_of(select.text(7));
            row.count = select.integer(8);
            row.opened = from_unix_ms(select.integer(9));
            row.last = from_unix_ms(select.integer(10));
            row.resolved = from_unix_ms(select.integer(11));
            row.acknowledged_by = select.text(12);
        }
        return rows;
    });
}

}  // namespace liaisond::store
