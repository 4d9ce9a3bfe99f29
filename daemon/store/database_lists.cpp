// Database: runs, logs and the lists that people look at.
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "store/database_impl.hpp"

namespace liaisond::store {
namespace json = boost::json;

namespace {

std::string to_text(const std::vector<EntityCounters>& entities) {
    json::array list;
    for (const EntityCounters& one : entities) {
        const Counters& c = one.counters;
        list.push_back({{"entity", one.entity},
                        {"direction", to_string(one.direction)},
                        {"fetched", c.fetched},
                        {"created", c.created},
                        {"updated", c.updated},
                        {"deleted", c.deleted},
                        {"unchanged", c.unchanged},
                        {"exported", c.exported},
                        {"rejected", c.rejected},
                        {"conflicts", c.conflicts},
                        {"duration_ms", one.duration_ms}});
    }
    return json::serialize(list);
}

std::vector<EntityCounters> from_text(std::string_view text) {
    std::vector<EntityCounters> entities;
    boost::system::error_code error;
    std::array<unsigned char, 4096> room;  // before it asks for memory
    json::monotonic_resource memory(room.data(), room.size());
    const json::value list = json::parse(text, error, &memory);
    if (error || !list.is_array()) return entities;
    for (const json::value& one : list.get_array()) {
        const auto number = [&](const char* key) {
            const json::value* found = one.as_object().if_contains(key);  // counters were added over time
            return found != nullptr ? found->to_number<std::int64_t>() : 0;
        };
        EntityCounters& made = entities.emplace_back();
        made.entity = one.at("entity").as_string();
        made.direction = one.at("direction").as_string() == "export" ? Direction::export_ : Direction::import;
        made.counters = {number("fetched"),   number("created"),  number("updated"),  number("deleted"),
                         number("unchanged"), number("exported"), number("rejected"), number("conflicts")};
        made.duration_ms = number("duration_ms");
    }
    return entities;
}

// -1: any; a word that is no status: one that no row has.
std::int64_t status_number(const std::string& word) {
    if (word.empty()) return -1;
    for (auto status = RunStatus::running; status <= RunStatus::suspended;
         status = static_cast<RunStatus>(static_cast<int>(status) + 1)) {
        if (word == to_string(status)) return static_cast<std::int64_t>(status);
    }
    return 99;
}

#define RUN_COLUMNS                                                                                   \
    "SELECT id, tenant, integration, trigger, status, started_at, ended_at, requests, bytes, error, " \
    "entities "                                                                                       \
    "FROM runs "

Run read_run(Database::Impl& impl, const Statement& row) {
    Run run;
    run.id = row.integer(0);
    run.tenant = impl.name(row.integer(1));
    run.integration = impl.name(row.integer(2));
    run.trigger = row.text(3);
    run.status = static_cast<RunStatus>(row.integer(4));
    run.started = from_unix_ms(row.integer(5));
    run.ended = from_unix_ms(row.integer(6));
    run.requests = row.integer(7);
    run.bytes = row.integer(8);
    run.error = row.text(9);
    run.entities = from_text(row.view(10));
    return run;
}

std::vector<Run> read_runs(Database::Impl& impl, Statement& select) {
    std::vector<Run> rows;
    while (select.step()) rows.push_back(read_run(impl, select));
    return rows;
}

}  // namespace

Result<std::int64_t> Database::begin_run(const Run& run) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        impl_->connection
            .prepare(
                "INSERT INTO runs(tenant, integration, trigger, status, started_at, ended_at, requests, "
                "bytes, error, entities) VALUES(?,?,?,0,?,0,0,0,'','[]')")
            .bind(impl_->number(run.tenant))
            .bind(impl_->number(run.integration))
            .bind(run.trigger)
            .bind(to_unix_ms(run.started))
            .run();
        return impl_->connection.last_row_id();
    });
}

Status Database::save_run(const Run& run) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "UPDATE runs SET status = ?, ended_at = ?, requests = ?, bytes = ?, error = ?, entities = ? "
                "WHERE id = ?")
            .bind(static_cast<std::int64_t>(run.status))
            .bind(to_unix_ms(run.ended))
            .bind(run.requests)
            .bind(run.bytes)
            .bind(run.error)
            .bind(to_text(run.entities))
            .bind(run.id)
            .run();
        return {};
    });
}

Result<std::int64_t> Database::interrupt_runs(Instant now) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        impl_->connection
            .prepare(
                "UPDATE runs SET status = ?, ended_at = ?, error = 'the daemon stopped while it was running' "
                "WHERE status = 0")
            .bind(static_cast<std::int64_t>(RunStatus::interrupted))
            .bind(to_unix_ms(now))
            .run();
        return impl_->connection.changes();
    });
}

Status Database::add_log(const LogEntry& entry) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "INSERT INTO logs(run, at, integration, entity, direction, action, status, external_id, rid, "
                "message) VALUES(?,?,?,?,?,?,?,?,0,?)")
            .bind(entry.run)
            .bind(to_unix_ms(entry.at))
            .bind(impl_->number(entry.integration))
            .bind(impl_->number(entry.entity))
            .bind(static_cast<std::int64_t>(entry.direction))
            .bind(entry.action)
            .bind(entry.status)
            .bind(entry.external_id)
            .bind(entry.message)
            .run();
        return {};
    });
}

Result<std::vector<Run>> Database::runs(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Run>> {
        Statement select = impl_->connection.prepare(
            RUN_COLUMNS
            "WHERE (?1 = '' OR integration = ?2) AND (?3 = 0 OR id < ?3) AND (?4 = 0 OR id = ?4) AND (?5 = "
            "'' "
            "OR tenant = ?6) AND (?7 = -1 OR status = ?7) ORDER BY id DESC LIMIT ?8");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.run)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(status_number(filter.status))
            .bind(filter.limit);
        return read_runs(*impl_, select);
    });
}

Result<std::optional<Run>> Database::last_run(const std::string& integration,
                                              const std::set<std::string_view>& besides) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Run>> {
        Statement select =
            impl_->connection.prepare(RUN_COLUMNS "WHERE integration = ? AND status <> ? ORDER BY id DESC");
        select.bind(impl_->number(integration)).bind(static_cast<std::int64_t>(RunStatus::planned));
        while (select.step()) {
            if (!besides.contains(select.view(3))) return std::optional(read_run(*impl_, select));
        }
        return std::optional<Run>();
    });
}

Result<std::vector<Run>> Database::slowest_runs(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Run>> {
        Statement select =
            impl_->connection.prepare(RUN_COLUMNS
                                      "WHERE (?1 = '' OR integration = ?2) AND (?3 = '' OR tenant = ?4) AND "
                                      "started_at "
                                      ">= ?5 AND ended_at > 0 ORDER BY ended_at - started_at DESC LIMIT 10");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(to_unix_ms(filter.since));
        return read_runs(*impl_, select);
    });
}

Result<RunStatistics> Database::run_statistics(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<RunStatistics> {
        RunStatistics found;
        Statement select = impl_->connection.prepare(
            "SELECT status, started_at, ended_at, entities FROM runs WHERE (?1 = '' OR integration = ?2) AND "
            "(?3 "
            "= '' OR tenant = ?4) AND started_at >= ?5");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(to_unix_ms(filter.since));
        while (select.step()) {
            const auto status = static_cast<RunStatus>(select.integer(0));
            ++found.runs;
            found.running += status == RunStatus::running ? 1 : 0;
            found.succeeded += status == RunStatus::success ? 1 : 0;
            found.partial += status == RunStatus::partial ? 1 : 0;
            found.failed += status == RunStatus::failed ? 1 : 0;
            if (select.integer(2) != 0) found.durations_ms.push_back(select.integer(2) - select.integer(1));
            for (const EntityCounters& one : from_text(select.view(3))) found.totals += one.counters;
        }
        return found;
    });
}

namespace {

constexpr const char* select_logs =
    "SELECT l.id, l.run, l.at, l.integration, l.entity, l.direction, l.action, l.status, l.external_id, "
    "(SELECT "
    "r.id FROM records r WHERE r.rid = l.rid), l.message FROM logs l WHERE (?1 = '' OR l.integration = ?2) "
    "AND "
    "(?3 = 0 OR l.run = ?3) AND (?4 = '' OR l.entity = ?5) AND (?6 = '' OR EXISTS(SELECT 1 FROM runs o WHERE "
    "o.id "
    "= l.run AND o.tenant = ?7)) AND (?8 = x'' OR l.rid = (SELECT rid FROM records WHERE id = ?8)) AND (?9 = "
    "0 OR "
    "l.direction = ?9) AND l.at >= ?10 AND l.at < ?11 AND (?12 = 0 OR l.id < ?12) AND (?13 = '' OR l.status "
    "= "
    "?13) ORDER BY l.id DESC LIMIT ?14";
constexpr const char* select_changes =
    "SELECT c.seq, c.run, c.at, c.origin, c.entity, 1, CASE c.action WHEN 1 THEN 'created' WHEN 2 THEN "
    "'updated' "
    "ELSE 'deleted' END, 'success', coalesce((SELECT m.external_id FROM mappings m WHERE m.rid = c.rid AND "
    "m.integration = c.origin), ''), (SELECT r.id FROM records r WHERE r.rid = c.rid), coalesce('changed: ' "
    "|| "
    "c.fields, '') FROM changes c WHERE (?1 = '' OR c.origin = ?2) AND (?3 = 0 OR c.run = ?3) AND (?4 = '' "
    "OR "
    "c.entity = ?5) AND (?6 = '' OR c.tenant = ?7) AND (?8 = x'' OR c.rid = (SELECT rid FROM records WHERE "
    "id = "
    "?8)) AND (?9 = 0 OR ?9 = 1) AND c.at >= ?10 AND c.at < ?11 AND (?12 = 0 OR c.seq < ?12) AND (?13 = '' "
    "OR ?13 "
    "= 'success') ORDER BY c.seq DESC LIMIT ?14";

std::int64_t direction_number(const std::string& word) {
    return word == "import" ? 1 : word == "export" ? 2 : 0;
}

std::vector<LogEntry> read_log(Database::Impl& impl, const char* sql, const Filter& filter,
                               std::int64_t before) {
    std::vector<LogEntry> rows;
    const std::string record = uuid_bytes(filter.record);
    Statement select = impl.connection.prepare(sql);
    select.bind(filter.integration)
        .bind(impl.number(filter.integration))
        .bind(filter.run)
        .bind(filter.entity)
        .bind(impl.number(filter.entity))
        .bind(filter.tenant)
        .bind(impl.number(filter.tenant))
        .bind_blob(record)
        .bind(direction_number(filter.direction))
        .bind(to_unix_ms(filter.since))
        .bind(to_unix_ms(filter.until) == 0 ? INT64_MAX : to_unix_ms(filter.until))
        .bind(before)
        .bind(filter.status)
        .bind(filter.limit);
    while (select.step()) {
        LogEntry& row = rows.emplace_back();
        row.id = select.integer(0);
        row.run = select.integer(1);
        row.at = from_unix_ms(select.integer(2));
        row.integration = impl.name(select.integer(3));
        row.entity = impl.name(select.integer(4));
        row.direction = static_cast<Direction>(select.integer(5));
        row.action = select.text(6);
        row.status = select.text(7);
        row.external_id = select.text(8);
        row.record = uuid_text(select.view(9));
        row.message = select.text(10);
    }
    return rows;
}

}  // namespace

// Imports are read from the feed of changes, everything else from the log; each in its own order, newest
// first, the two merged by time. A page says how far it came in either.
Result<LogPage> Database::logs(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<LogPage> {
        std::vector<LogEntry> logs = read_log(*impl_, select_logs, filter, filter.before);
        std::vector<LogEntry> changes = read_log(*impl_, select_changes, filter, filter.before_change);
        LogPage page;
        page.before_log = filter.before != 0 ? filter.before : INT64_MAX;
        page.before_change = filter.before_change != 0 ? filter.before_change : INT64_MAX;
        std::size_t l = 0, c = 0;
        while (page.rows.size() < filter.limit && (l < logs.size() || c < changes.size())) {
            const bool from_log = c == changes.size() || (l < logs.size() && logs[l].at >= changes[c].at);
            LogEntry& next = from_log ? logs[l++] : changes[c++];
            (from_log ? page.before_log : page.before_change) = next.id;
            page.rows.push_back(std::move(next));
        }
        page.is_last = l == logs.size() && c == changes.size() && page.rows.size() < filter.limit;
        return page;
    });
}

Result<std::vector<RecordRow>> Database::records(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<RecordRow>> {
        std::vector<RecordRow> rows;
        const std::string id = uuid_bytes(filter.record);
        Statement select = impl_->connection.prepare(
            "SELECT id, tenant, entity, version, payload, created_at, updated_at, deleted_at IS NOT NULL, "
            "rid FROM records "
            "WHERE stub = 0 AND (?1 = '' OR tenant = ?2) AND (?3 = '' OR entity = ?4) AND (?5 = x'' OR id = "
            "?5) "
            "AND (?6 = 0 OR rid < ?6) ORDER BY rid DESC LIMIT ?7");
        select.bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.entity)
            .bind(impl_->number(filter.entity))
            .bind_blob(id)
            .bind(filter.before)
            .bind(filter.limit);
        while (select.step()) {
            RecordRow& row = rows.emplace_back();
            row.id = uuid_text(select.view(0));
            row.tenant = impl_->name(select.integer(1));
            row.entity = impl_->name(select.integer(2));
            row.version = select.integer(3);
            row.payload = select.text(4);
            row.created = from_unix_ms(select.integer(5));
            row.updated = from_unix_ms(select.integer(6));
            row.deleted = select.integer(7) != 0;
            row.row = select.integer(8);
        }
        return rows;
    });
}

Result<std::vector<MappingRow>> Database::mappings(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<MappingRow>> {
        std::vector<MappingRow> rows;
        const std::string id = uuid_bytes(filter.record);
        Statement select = impl_->connection.prepare(
            "SELECT m.integration, m.entity, r.id, m.external_id, m.remote_version, m.synced_at FROM "
            "mappings m "
            "JOIN records r ON r.rid = m.rid WHERE (?1 = '' OR m.integration = ?2) AND (?3 = '' OR m.entity "
            "= ?4) "
            "AND (?5 = '' OR m.external_id = ?5) AND (?6 = x'' OR r.id = ?6) AND (?7 = '' OR r.tenant = ?8) "
            "ORDER BY m.integration, m.entity, m.external_id LIMIT ?9 OFFSET ?10");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.entity)
            .bind(impl_->number(filter.entity))
            .bind(filter.key)
            .bind_blob(id)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.limit)
            .bind(filter.before);
        std::int64_t position = filter.before;
        while (select.step()) {
            rows.push_back({++position, impl_->name(select.integer(0)), impl_->name(select.integer(1)),
                            uuid_text(select.view(2)), select.text(3), select.text(4),
                            from_unix_ms(select.integer(5))});
        }
        return rows;
    });
}

Result<IntegrationTotals> Database::totals(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<IntegrationTotals> {
        const std::int64_t number = impl_->number(integration);
        IntegrationTotals totals;
        Statement select = impl_->connection.prepare(
            "SELECT (SELECT count(*) FROM mappings WHERE integration = ?1), (SELECT count(*) FROM "
            "dead_letters WHERE integration = ?1), "
            "(SELECT count(*) FROM intents WHERE integration = ?1), (SELECT count(*) FROM intents WHERE "
            "integration = ?1 AND state = 3), (SELECT count(*) FROM conflicts WHERE integration = ?1)");
        if (select.bind(number).step())
            totals = {select.integer(0), select.integer(1), select.integer(2), select.integer(3),
                      select.integer(4)};
        return totals;
    });
}

Result<QueueSizes> Database::queue_sizes(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<QueueSizes> {
        Statement select = impl_->connection.prepare(
            "SELECT (SELECT count(*) FROM dead_letters WHERE integration = ?1), "
            "(SELECT count(*) FROM intents WHERE integration = ?1 AND state = 3), "
            "(SELECT count(*) FROM conflicts WHERE integration = ?1), "
            "(SELECT count(*) FROM conflicts WHERE integration = ?1 AND kind = 'oscillation'), "
            "(SELECT count(*) FROM second_looks WHERE integration = ?1 AND found <> '')");
        QueueSizes sizes;
        if (select.bind(impl_->number(integration)).step())
            sizes = {select.integer(0), select.integer(1), select.integer(2), select.integer(3),
                     select.integer(4)};
        return sizes;
    });
}

Result<Backlog> Database::backlog() {
    return guarded(impl_->path, [&]() -> Result<Backlog> {
        Backlog made;
        Statement letters =
            impl_->connection.prepare("SELECT integration, count(*) FROM dead_letters GROUP BY integration");
        while (letters.step()) made.dead_letters[impl_->name(letters.integer(0))] = letters.integer(1);
        Statement intents = impl_->connection.prepare(
            "SELECT integration, count(*) FROM intents WHERE state = 3 GROUP BY integration");
        while (intents.step()) made.in_doubt[impl_->name(intents.integer(0))] = intents.integer(1);
        Statement alerts = impl_->connection.prepare(
            "SELECT severity, count(*) FROM alerts WHERE state <> 'resolved' GROUP BY severity");
        while (alerts.step()) made.alerts[alerts.text(0)] = alerts.integer(1);
        return made;
    });
}

Result<std::int64_t> Database::count_records(const std::string& tenant, const std::string& entity) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        Statement select = impl_->connection.prepare(
            "SELECT count(*) FROM records WHERE tenant = ? AND entity = ? AND stub = 0 AND deleted_at IS "
            "NULL");
        return select.bind(impl_->number(tenant)).bind(impl_->number(entity)).step() ? select.integer(0) : 0;
    });
}

}  // namespace liaisond::store
