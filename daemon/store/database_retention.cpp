// Database: letting go of what is no longer kept, a few rows at a time.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "store/database_impl.hpp"

namespace liaisond::store {
namespace {

// Rows that this statement, with the moment and the limit, removed or emptied.
std::int64_t sweep(Connection& connection, const char* sql, Instant before, std::uint32_t limit) {
    connection.prepare(sql).bind(to_unix_ms(before)).bind(limit).run();
    return connection.changes();
}

class Eraser {
  public:
    Eraser(Connection& connection, const Database::Erasure& without)
        : connection_(connection), without_(without) {}

    // Whether it took something out.
    bool erase(Rid rid) {
        select_.reset();
        if (!select_.bind(rid).step()) return false;
        const std::int64_t version = select_.integer(0);
        const std::optional<std::string> payload = without_(select_.view(1));
        const std::string id = uuid_text(select_.view(2));
        select_.reset();
        seen_.emplace_back(id);
        const bool was_agreed = erase_agreements(rid), was_refused = erase_refusals(id);
        if (payload) {
            save_.reset();
            save_.bind(version + 1).bind(*payload).bind(rid).run();
            // Who was up to date stays so, and what was refused is not sent again: nothing has changed.
            follow_.reset();
            follow_.bind(version + 1).bind(rid).bind(version).run();
            refused_.reset();
            refused_.bind(version + 1).bind(id).bind(version).run();
        } else {
            mark_.reset();
            mark_.bind(rid).run();
        }
        return payload || was_agreed || was_refused;
    }
    // What plans would have done with these records; all at once, because plans have no index by record.
    void erase_from_plans() {
        if (seen_.empty()) return;
        connection_
            .prepare(
                "UPDATE plan_items SET fields = '[]', requests = '' WHERE record IN (SELECT value FROM "
                "json_each(?))")
            .bind(boost::json::serialize(seen_))
            .run();
    }

  private:
    // What integrations agreed on, and what they make of it.
    bool erase_agreements(Rid rid) {
        struct Agreement {
            std::int64_t integration, entity;
            std::string external_id;
            std::optional<std::string> base, shown;  // without
        };
        std::vector<Agreement> found;
        agreements_.reset();
        agreements_.bind(rid);
        while (agreements_.step()) {
            found.push_back({agreements_.integer(0), agreements_.integer(1), agreements_.text(2),
                             without_(agreements_.view(3)), without_(agreements_.view(4))});
        }
        std::int64_t erased = 0;
        for (const Agreement& one : found) {
            if (!one.base && !one.shown) continue;
            Statement update = connection_.prepare(
                "UPDATE mappings SET base = coalesce(?, base), shown = coalesce(?, shown) WHERE "
                "integration = ? AND entity = ? AND external_id = ?");
            const auto bind = [&](const std::optional<std::string>& content) {
                if (content)
                    update.bind(*content);
                else
                    update.bind_null();
            };
            bind(one.base);
            bind(one.shown);
            update.bind(one.integration).bind(one.entity).bind(one.external_id).run();
            erased += connection_.changes();
        }
        return erased > 0;
    }
    bool erase_refusals(const std::string& id) {
        std::vector<std::pair<std::int64_t, std::string>> found;  // without
        Statement letters =
            connection_.prepare("SELECT id, payload FROM dead_letters WHERE direction = 2 AND key = ?");
        letters.bind(id);
        while (letters.step()) {
            if (auto payload = without_(letters.view(1)))
                found.emplace_back(letters.integer(0), std::move(*payload));
        }
        for (const auto& [letter, payload] : found) {
            connection_.prepare("UPDATE dead_letters SET payload = ? WHERE id = ?")
                .bind(payload)
                .bind(letter)
                .run();
        }
        return !found.empty();
    }

    Connection& connection_;
    const Database::Erasure& without_;
    boost::json::array seen_;  // ids
    Statement select_ = connection_.prepare(
        "SELECT version, payload, id FROM records r WHERE rid = ?1 AND erased_version <> version AND "
        "NOT EXISTS (SELECT 1 FROM intents i WHERE i.rid = r.rid) AND "
        "NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.rid = r.rid)");
    Statement agreements_ = connection_.prepare(
        "SELECT integration, entity, external_id, base, shown FROM mappings WHERE rid = ? AND "
        "(base IS NOT NULL OR shown IS NOT NULL)");
    Statement save_ = connection_.prepare(
        "UPDATE records SET version = ?1, erased_version = ?1, payload = ?2 WHERE rid = ?3");
    Statement mark_ = connection_.prepare("UPDATE records SET erased_version = version WHERE rid = ?");
    Statement follow_ =
        connection_.prepare("UPDATE mappings SET synced_version = ?1 WHERE rid = ?2 AND synced_version = ?3");
    Statement refused_ = connection_.prepare(
        "UPDATE dead_letters SET version = ?1 WHERE direction = 2 AND key = ?2 AND version = ?3");
};

}  // namespace

Result<std::vector<Rid>> Database::records_over(const std::string& entity, const std::string& day,
                                                const std::string& before, Rid after, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Rid>> {
        Statement select = impl_->connection.prepare(
            "SELECT rid FROM records WHERE rid > ?1 AND entity = ?2 AND erased_version <> version AND "
            "payload <> '' "
            "AND json_extract(payload, '$.' || ?3) < ?4 ORDER BY rid LIMIT ?5");
        select.bind(after).bind(impl_->number(entity)).bind(day).bind(before).bind(limit);
        std::vector<Rid> rids;
        while (select.step()) rids.push_back(select.integer(0));
        return rids;
    });
}

Result<std::int64_t> Database::erase_from(const std::vector<Rid>& records, const Erasure& without) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        std::int64_t erased = 0;
        Eraser eraser(impl_->connection, without);
        for (const Rid rid : records) erased += eraser.erase(rid) ? 1 : 0;
        eraser.erase_from_plans();
        return erased;
    });
}

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
