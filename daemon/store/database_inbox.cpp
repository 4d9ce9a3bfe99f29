// Database: what vendors sent us by webhook.
#include "store/database_impl.hpp"

namespace liaisond::store {

Result<bool> Database::add_event(const InboxEvent& event) {
    return guarded(impl_->path, [&]() -> Result<bool> {
        impl_->connection
            .prepare(
                "INSERT INTO inbox(tenant, integration, event_id, type, headers, body, received_at, next_at, "
                "state, attempts, error) VALUES(?,?,?,?,?,?,?,?,?,0,'') ON CONFLICT DO NOTHING")
            .bind(impl_->number(event.tenant))
            .bind(impl_->number(event.integration))
            .bind(event.event_id)
            .bind(event.type)
            .bind(event.headers)
            .bind(event.body)
            .bind(to_unix_ms(event.received))
            .bind(to_unix_ms(event.next_at))
            .bind(static_cast<std::int64_t>(event.state))
            .run();
        return impl_->connection.changes() > 0;
    });
}

namespace {

constexpr const char* select_due =
    "SELECT id, tenant, integration, event_id, type, headers, body, received_at, next_at, state, attempts, "
    "error "
    "FROM inbox WHERE integration = ? AND state = 0 AND next_at <= ? ORDER BY id LIMIT ?";
constexpr const char* select_list =
    "SELECT id, tenant, integration, event_id, type, headers, body, received_at, next_at, state, attempts, "
    "error "
    "FROM inbox WHERE (?1 = '' OR integration = ?2) AND (?3 = '' OR tenant = ?4) AND (?5 = -1 OR state = ?5) "
    "AND (?6 = '' OR event_id = ?6) AND (?7 = 0 OR id < ?7) ORDER BY id DESC LIMIT ?8";

// -1: any; a word that is no state: one that no row has.
std::int64_t state_number(const std::string& word) {
    if (word.empty()) return -1;
    constexpr EventState all[] = {EventState::waiting, EventState::done, EventState::ignored,
                                  EventState::dead};
    for (const EventState state : all) {
        if (word == to_string(state)) return static_cast<std::int64_t>(state);
    }
    return 99;
}

}  // namespace

Result<std::vector<InboxEvent>> Database::waiting_events(const std::string& integration, Instant now,
                                                         std::uint32_t limit, std::size_t most_bytes) {
    return guarded(impl_->path, [&]() -> Result<std::vector<InboxEvent>> {
        Statement select = impl_->connection.prepare(select_due);
        select.bind(impl_->number(integration)).bind(to_unix_ms(now)).bind(limit);
        return impl_->events(select, most_bytes);
    });
}

Result<std::optional<Instant>> Database::next_event(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Instant>> {
        Statement select = impl_->connection.prepare(
            "SELECT next_at FROM inbox WHERE integration = ? AND state = 0 ORDER BY next_at LIMIT 1");
        if (!select.bind(impl_->number(integration)).step()) return std::optional<Instant>();
        return std::optional(from_unix_ms(select.integer(0)));
    });
}

Result<std::vector<InboxEvent>> Database::inbox(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<InboxEvent>> {
        Statement select = impl_->connection.prepare(select_list);
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(state_number(filter.status))
            .bind(filter.key)
            .bind(filter.before)
            .bind(filter.limit);
        return impl_->events(select);
    });
}

std::vector<InboxEvent> Database::Impl::events(Statement& select, std::size_t most_bytes) {
    std::vector<InboxEvent> rows;
    std::size_t bytes = 0;
    while (bytes < most_bytes && select.step()) {
        InboxEvent& row = rows.emplace_back();
        row.id = select.integer(0);
        row.tenant = name(select.integer(1));
        row.integration = name(select.integer(2));
        row.event_id = select.text(3);
        row.type = select.text(4);
        row.headers = select.text(5);
        row.body = select.text(6);
        bytes += row.body.size();
        row.received = from_unix_ms(select.integer(7));
        row.next_at = from_unix_ms(select.integer(8));
        row.state = static_cast<EventState>(select.integer(9));
        row.attempts = static_cast<std::uint32_t>(select.integer(10));
        row.error = select.text(11);
    }
    return rows;
}

Result<std::map<std::string, Instant>> Database::waiting_inboxes() {
    return guarded(impl_->path, [&]() -> Result<std::map<std::string, Instant>> {
        std::map<std::string, Instant> due;
        Statement select = impl_->connection.prepare(
            "SELECT integration, min(next_at) FROM inbox WHERE state = 0 GROUP BY integration");
        while (select.step()) due[impl_->name(select.integer(0))] = from_unix_ms(select.integer(1));
        return due;
    });
}

Result<std::map<std::string, std::uint64_t>> Database::waiting_event_counts() {
    return guarded(impl_->path, [&]() -> Result<std::map<std::string, std::uint64_t>> {
        std::map<std::string, std::uint64_t> counts;
        Statement select = impl_->connection.prepare(
            "SELECT integration, count(*) FROM inbox WHERE state = 0 GROUP BY integration");
        while (select.step())
            counts[impl_->name(select.integer(0))] = static_cast<std::uint64_t>(select.integer(1));
        return counts;
    });
}

Status Database::settle_events(const std::vector<EventOutcome>& outcomes) {
    return guarded(impl_->path, [&]() -> Status {
        for (const EventOutcome& outcome : outcomes)
            impl_->connection
                .prepare(
                    "UPDATE inbox SET state = ?, next_at = ?, error = ?, attempts = attempts + ? WHERE id = "
                    "? AND state = 0")
                .bind(static_cast<std::int64_t>(outcome.state))
                .bind(to_unix_ms(outcome.next_at))
                .bind(outcome.error)
                .bind(outcome.attempted ? 1 : 0)
                .bind(outcome.id)
                .run();
        return {};
    });
}

Status Database::finish_events(const std::string& integration, Instant now) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE inbox SET state = 1, attempts = attempts + 1 WHERE integration = ? AND state = 0 AND "
                "next_at <= ?")
            .bind(impl_->number(integration))
            .bind(to_unix_ms(now))
            .run();
        return {};
    });
}

Result<bool> Database::revive_event(const std::string& integration, const std::string& event_id,
                                    Instant now) {
    return guarded(impl_->path, [&]() -> Result<bool> {
        impl_->connection
            .prepare(
                "UPDATE inbox SET state = 0, attempts = 0, next_at = ? WHERE integration = ? AND event_id = "
                "? AND state = 3")
            .bind(to_unix_ms(now))
            .bind(impl_->number(integration))
            .bind(event_id)
            .run();
        return impl_->connection.changes() > 0;
    });
}

Status Database::move_events(Milliseconds step) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare("UPDATE inbox SET next_at = iif(attempts = 0, 0, next_at + ?) WHERE state = 0")
            .bind(step.count())
            .run();
        return {};
    });
}

}  // namespace liaisond::store
