// Database: what runs would do (plans), and how a scratch copy tells what was changed in it.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "store/database_impl.hpp"

namespace liaisond::store {
namespace json = boost::json;
namespace {

constexpr std::int64_t plans_kept = 10;  // per integration

json::object to_json(const Tally& tally) {
    json::object counts;
    for (const auto& [what, count] : tally) counts[what] = count;
    return counts;
}

Tally tally_in(const json::value& counts, std::string_view side) {
    Tally tally;
    const json::value* found = counts.is_object() ? counts.get_object().if_contains(side) : nullptr;
    if (found == nullptr || !found->is_object()) return tally;
    for (const auto& [what, count] : found->get_object())
        tally[std::string(what)] = count.to_number<std::int64_t>();
    return tally;
}

std::string counts_of(const Plan& plan) {
    return json::serialize(json::object{{"hub", to_json(plan.hub)}, {"vendor", to_json(plan.vendor)}});
}

Plan plan_in(Database::Impl& impl, const Statement& row) {
    Plan plan;
    plan.run = row.integer(0);
    plan.integration = impl.name(row.integer(1));
    plan.entity = row.text(2);
    plan.full = row.integer(3) != 0;
    plan.at = from_unix_ms(row.integer(4));
    plan.state = static_cast<PlanState>(row.integer(5));
    plan.reason = row.text(6);
    boost::system::error_code error;
    const json::value counts = json::parse(row.view(7), error);
    plan.hub = tally_in(counts, "hub");
    plan.vendor = tally_in(counts, "vendor");
    return plan;
}

}  // namespace

Status Database::remember_records() {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.execute(
            "CREATE TABLE planned(rid INTEGER PRIMARY KEY, payload TEXT NOT NULL, gone INTEGER NOT NULL) "
            "STRICT;"
            "CREATE TRIGGER planned_insert AFTER INSERT ON records BEGIN"
            "  INSERT OR IGNORE INTO planned VALUES(NEW.rid, '', 1); END;"
            "CREATE TRIGGER planned_update BEFORE UPDATE OF payload, deleted_at ON records BEGIN"
            "  INSERT OR IGNORE INTO planned VALUES(OLD.rid, OLD.payload, OLD.deleted_at IS NOT NULL OR "
            "OLD.stub);"
            " END;");
        return {};
    });
}

Result<std::vector<PlannedRecord>> Database::planned_records(const std::string& integration, Rid after,
                                                             std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<PlannedRecord>> {
        std::vector<PlannedRecord> rows;
        Statement select = impl_->connection.prepare(
            "SELECT p.rid, r.entity, r.id, coalesce(m.external_id, ''), iif(p.gone, '', p.payload), "
            "iif(r.deleted_at IS NULL AND NOT r.stub, r.payload, '') FROM planned p JOIN records r ON r.rid "
            "= "
            "p.rid LEFT JOIN mappings m ON m.rid = p.rid AND m.integration = ? WHERE p.rid > ? ORDER BY "
            "p.rid "
            "LIMIT ?");
        select.bind(impl_->number(integration)).bind(after).bind(limit);
        while (select.step()) {
            PlannedRecord& row = rows.emplace_back();
            row.rid = select.integer(0);
            row.entity = impl_->name(select.integer(1));
            row.record = uuid_text(select.view(2));
            row.external_id = select.text(3);
            row.before = select.text(4);
            row.after = select.text(5);
        }
        return rows;
    });
}

Result<std::vector<std::string>> Database::agreed(const std::string& integration,
                                                  const std::vector<Rid>& rids) {
    return guarded(impl_->path, [&]() -> Result<std::vector<std::string>> {
        std::vector<std::string> contents(rids.size());
        const std::int64_t number = impl_->number(integration);
        Statement select = impl_->connection.prepare(
            "SELECT coalesce(m.base, r.payload) FROM mappings m JOIN records r ON r.rid = m.rid WHERE m.rid "
            "= ? "
            "AND m.integration = ?");
        for (std::size_t i = 0; i < rids.size(); ++i) {
            select.reset();
            if (select.bind(rids[i]).bind(number).step()) contents[i] = select.text(0);
        }
        return contents;
    });
}

Status Database::begin_plan(const Plan& plan) {
    return guarded(impl_->path, [&]() -> Status {
        const std::int64_t integration = impl_->number(plan.integration);
        impl_->connection.prepare("UPDATE plans SET state = ? WHERE integration = ? AND state = ?")
            .bind(static_cast<std::int64_t>(PlanState::superseded))
            .bind(integration)
            .bind(static_cast<std::int64_t>(PlanState::waiting))
            .run();
        impl_->connection
            .prepare(
                "DELETE FROM plans WHERE integration = ?1 AND run NOT IN (SELECT run FROM plans WHERE "
                "integration = ?1 ORDER BY run DESC LIMIT ?2)")
            .bind(integration)
            .bind(plans_kept - 1)
            .run();
        impl_->connection.prepare("DELETE FROM plan_items WHERE run NOT IN (SELECT run FROM plans)").run();
        impl_->connection
            .prepare(
                "INSERT INTO plans(run, integration, entity, full, at, state, reason, counts) "
                "VALUES(?,?,?,?,?,?,?,?)")
            .bind(plan.run)
            .bind(integration)
            .bind(plan.entity)
            .bind(plan.full ? 1 : 0)
            .bind(to_unix_ms(plan.at))
            .bind(static_cast<std::int64_t>(plan.state))
            .bind(plan.reason)
            .bind(counts_of(plan))
            .run();
        return {};
    });
}

Status Database::add_plan_items(std::int64_t run, const std::vector<PlanItem>& items) {
    return guarded(impl_->path, [&]() -> Status {
        Statement insert = impl_->connection.prepare(
            "INSERT INTO plan_items(run, n, at_vendor, action, entity, record, external_id, fields, "
            "requests) "
            "VALUES(?,?,?,?,?,?,?,?,?)");
        for (const PlanItem& item : items) {
            insert.reset();
            insert.bind(run)
                .bind(item.n)
                .bind(item.at_vendor ? 1 : 0)
                .bind(item.action)
                .bind(item.entity)
                .bind(item.record)
                .bind(item.external_id)
                .bind(item.fields)
                .bind(item.requests)
                .run();
        }
        return {};
    });
}

Status Database::save_plan(const Plan& plan) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("UPDATE plans SET state = ?, reason = ?, counts = ? WHERE run = ?")
            .bind(static_cast<std::int64_t>(plan.state))
            .bind(plan.reason)
            .bind(counts_of(plan))
            .bind(plan.run)
            .run();
        return {};
    });
}

Status Database::decide_plan(std::int64_t run, PlanState state) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("UPDATE plans SET state = ? WHERE run = ? AND state = ?")
            .bind(static_cast<std::int64_t>(state))
            .bind(run)
            .bind(static_cast<std::int64_t>(PlanState::waiting))
            .run();
        if (impl_->connection.changes() == 1) return {};
        return fail(ErrorKind::permanent, "no plan of run " + std::to_string(run) + " waits for approval");
    });
}

Result<std::optional<Plan>> Database::plan(std::int64_t run) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Plan>> {
        Statement select = impl_->connection.prepare(
            "SELECT run, integration, entity, full, at, state, reason, counts FROM plans WHERE run = ?");
        if (!select.bind(run).step()) return std::nullopt;
        return plan_in(*impl_, select);
    });
}

Result<std::vector<Plan>> Database::plans(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Plan>> {
        std::vector<Plan> rows;
        Statement select = impl_->connection.prepare(
            "SELECT run, integration, entity, full, at, state, reason, counts FROM plans WHERE (?1 = '' OR "
            "integration = ?2) AND (?3 = 0 OR run < ?3) AND (?4 = '' OR EXISTS(SELECT 1 FROM runs o WHERE "
            "o.id = "
            "plans.run AND o.tenant = ?5)) ORDER BY run DESC LIMIT ?6");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.limit);
        while (select.step()) rows.push_back(plan_in(*impl_, select));
        return rows;
    });
}

Result<std::vector<PlanItem>> Database::plan_items(std::int64_t run, std::int64_t after,
                                                   std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<PlanItem>> {
        std::vector<PlanItem> rows;
        Statement select = impl_->connection.prepare(
            "SELECT n, at_vendor, action, entity, record, external_id, fields, requests FROM plan_items "
            "WHERE "
            "run = ? AND n > ? ORDER BY n LIMIT ?");
        select.bind(run).bind(after).bind(limit);
        while (select.step()) {
            PlanItem& item = rows.emplace_back();
            item.n = select.integer(0);
            item.at_vendor = select.integer(1) != 0;
            item.action = select.text(2);
            item.entity = select.text(3);
            item.record = select.text(4);
            item.external_id = select.text(5);
            item.fields = select.text(6);
            item.requests = select.text(7);
        }
        return rows;
    });
}

}  // namespace liaisond::store
