// Database, import side: what is known, and where an import stands.
#include <algorithm>

#include "store/database_impl.hpp"
#include "store/import_rows.hpp"

namespace liaisond::store {

namespace {

// A record that the vendor shows for the first time, and that carries the reference of a create whose answer
// never came, is that very record.
void know_by_reference(Database::Impl& impl, std::int64_t integration, const ImportKey& key,
                       ImportState& state) {
    Statement select = impl.connection.prepare(
        "SELECT i.id, i.rid, i.version, i.payload, i.content, r.id, r.version, r.payload, r.deleted_at IS "
        "NOT NULL, "
        "r.provenance FROM intents i JOIN records r ON r.rid = i.rid WHERE i.op_key = ? AND i.integration = "
        "? AND "
        "i.external_id = '' AND i.deleted = 0");
    if (!select.bind(key.reference).bind(integration).step()) return;
    state.mapped = state.late_echo = true;
    state.created_by = select.integer(0);
    state.rid = select.integer(1);
    state.synced_version = select.integer(2);
    state.base = select.view(4).empty() ? select.text(3) : select.text(4);
    state.record = uuid_text(select.view(5));
    state.version = select.integer(6);
    state.payload = select.text(7);
    state.deleted = select.integer(8) != 0;
    state.provenance = select.text(9);
}

}  // namespace

Result<std::vector<ImportState>> Database::look_up(const std::string& integration, const std::string& entity,
                                                   const std::vector<ImportKey>& keys) {
    return guarded(impl_->path, [&]() -> Result<std::vector<ImportState>> {
        const ReadTransaction snapshot(impl_->connection);
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        std::vector<ImportState> states(keys.size());
        Statement mapping = impl_->connection.prepare(
            "SELECT rid, hash, remote_version, synced_version, base, shown, tomb_at, synced_at, "
            "changed_at FROM mappings WHERE "
            "integration = ? AND entity = ? AND external_id = ?");
        Statement record = impl_->connection.prepare(
            "SELECT id, version, payload, stub, deleted_at, provenance FROM records WHERE rid = ?");
        for (std::size_t i = 0; i < keys.size(); ++i) {
            ImportState& state = states[i];
            mapping.reset();
            if (!mapping.bind(integration_number).bind(entity_number).bind(keys[i].external_id).step()) {
                if (!keys[i].reference.empty()) know_by_reference(*impl_, integration_number, keys[i], state);
                continue;
            }
            state.mapped = true;
            state.rid = mapping.integer(0);
            state.synced_version = mapping.integer(3);
            state.synced_at = from_unix_ms(mapping.integer(7));
            state.synced_hash = mapping.text(1);
            state.changed_ms = mapping.integer(8);
            state.remote_version = mapping.text(2);
            const std::string_view hash = mapping.view(1);
            const bool same_payload = !keys[i].deleted && !hash.empty() && hash == keys[i].hash;
            // What we exported ourselves comes back with the version the vendor told us: an echo.
            const bool tomb = !mapping.is_null(6);
            state.echo =
                !tomb && hash.empty() && !keys[i].version.empty() && mapping.view(2) == keys[i].version;
            if (tomb) state.tomb = from_unix_ms(mapping.integer(6));
            state.late_echo = !tomb && hash == adopted_hash;
            state.buried = tomb && !hash.empty();
            state.same = same_payload;
            if (state.same) continue;
            if (!mapping.is_null(4)) state.base = mapping.text(4);
            if (!mapping.is_null(5)) state.shown = mapping.text(5);
            record.reset();
            if (!record.bind(state.rid).step()) continue;
            state.record = uuid_text(record.view(0));
            state.version = record.integer(1);
            state.payload = record.text(2);
            state.stub = record.integer(3) != 0;
            state.deleted = !record.is_null(4);
            state.provenance = record.text(5);
        }
        return states;
    });
}

Result<std::vector<std::string>> Database::records_of(const std::string& integration,
                                                      const std::string& entity,
                                                      const std::vector<std::string>& external_ids) {
    return guarded(impl_->path, [&]() -> Result<std::vector<std::string>> {
        const ReadTransaction snapshot(impl_->connection);
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        std::vector<std::string> found(external_ids.size());
        Statement select = impl_->connection.prepare(
            "SELECT coalesce(a.id, r.id) FROM mappings m JOIN records r ON r.rid = m.rid LEFT JOIN records a "
            "ON a.rid = r.alias_of WHERE m.integration = ? AND m.entity = ? AND m.external_id = ?");
        for (std::size_t i = 0; i < external_ids.size(); ++i) {
            select.reset();
            if (select.bind(integration_number).bind(entity_number).bind(external_ids[i]).step())
                found[i] = uuid_text(select.view(0));
        }
        return found;
    });
}

Result<std::vector<Recognised>> Database::recognise(const std::string& integration, const std::string& tenant,
                                                    const std::string& entity,
                                                    const std::vector<MatchValues>& questions) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Recognised>> {
        const ReadTransaction snapshot(impl_->connection);
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t tenant_number = impl_->number(tenant);
        const std::int64_t entity_number = impl_->number(entity);
        std::vector<Recognised> found;
        Statement select = impl_->connection.prepare(recognise_sql);
        for (std::size_t i = 0; i < questions.size(); ++i) {
            const std::size_t first = found.size();
            for (const auto& [name, value] : questions[i]) {
                select.reset();
                select.bind(tenant_number)
                    .bind(entity_number)
                    .bind(name)
                    .bind(value)
                    .bind(integration_number);
                while (select.step()) {
                    const Rid rid = select.integer(0);
                    const auto known = [rid](const Recognised& one) { return one.rid == rid; };
                    if (std::any_of(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(), known))
                        continue;
                    found.push_back({i, rid, uuid_text(select.view(1)), select.text(2), select.text(3),
                                     select.integer(4)});
                }
            }
        }
        return found;
    });
}

Result<std::int64_t> Database::index_matches(const std::string& tenant, const std::string& entity, Rid after,
                                             std::uint32_t limit, const MatchReader& read) {
    return guarded(impl_->path, [&]() -> Result<std::int64_t> {
        const std::int64_t tenant_number = impl_->number(tenant);
        const std::int64_t entity_number = impl_->number(entity);
        Statement select = impl_->connection.prepare(
            "SELECT rid, payload FROM records WHERE rid > ? AND tenant = ? AND entity = ? AND stub = 0 ORDER "
            "BY rid "
            "LIMIT ?");
        Statement forget = impl_->connection.prepare("DELETE FROM match_keys WHERE rid = ?");
        Statement insert = impl_->connection.prepare(
            "INSERT OR IGNORE INTO match_keys(tenant, entity, name, value, rid) VALUES(?,?,?,?,?)");
        std::int64_t last = 0;
        std::uint32_t seen = 0;
        select.bind(after).bind(tenant_number).bind(entity_number).bind(limit);
        while (select.step()) {
            last = select.integer(0);
            ++seen;
            forget.reset();
            forget.bind(last).run();
            for (const auto& [name, value] : read(select.view(1))) {
                insert.reset();
                insert.bind(tenant_number).bind(entity_number).bind(name).bind(value).bind(last).run();
            }
        }
        return seen == limit ? last : 0;
    });
}

Result<DeleteBudget> Database::delete_budget(const std::string& integration, const std::string& entity,
                                             Instant since) {
    return guarded(impl_->path, [&]() -> Result<DeleteBudget> {
        DeleteBudget budget;
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        Statement count = impl_->connection.prepare(
            "SELECT count(*), count(*) FILTER (WHERE tomb_at IS NOT NULL AND tomb_at >= ?) FROM mappings "
            "WHERE "
            "integration = ? AND entity = ?");
        if (count.bind(to_unix_ms(since)).bind(integration_number).bind(entity_number).step()) {
            budget.mappings = count.integer(0);
            budget.recent = count.integer(1);
        }
        return budget;
    });
}

Result<std::vector<MissingKey>> Database::live_keys(const std::string& integration, const std::string& entity,
                                                    const std::string& after, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<MissingKey>> {
        std::vector<MissingKey> keys;
        Statement select = impl_->connection.prepare(
            "SELECT m.external_id, m.missing FROM mappings m JOIN records r ON r.rid = m.rid WHERE "
            "m.integration = ? "
            "AND m.entity = ? AND m.external_id > ? AND m.tomb_at IS NULL AND r.stub = 0 ORDER BY "
            "m.external_id "
            "LIMIT ?");
        select.bind(impl_->number(integration)).bind(impl_->number(entity)).bind(after).bind(limit);
        while (select.step()) keys.push_back({select.text(0), static_cast<std::uint32_t>(select.integer(1))});
        return keys;
    });
}

Status Database::note_missing(const std::string& integration, const std::string& entity,
                              const std::vector<MissingKey>& keys) {
    return guarded(impl_->path, [&]() -> Status {
        Statement update = impl_->connection.prepare(
            "UPDATE mappings SET missing = ? WHERE integration = ? AND entity = ? AND external_id = ?");
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        for (const MissingKey& key : keys) {
            update.reset();
            update.bind(key.missing).bind(integration_number).bind(entity_number).bind(key.external_id).run();
        }
        return {};
    });
}

Result<std::string> Database::cursor(const std::string& integration, const std::string& entity, Lane lane) {
    return guarded(impl_->path, [&]() -> Result<std::string> {
        Statement select = impl_->connection.prepare(
            "SELECT value FROM cursors WHERE integration = ? AND entity = ? AND direction = ?");
        select.bind(impl_->number(integration)).bind(impl_->number(entity)).bind(cursor_direction(lane));
        if (!select.step()) return std::string();
        return select.text(0);
    });
}

Status Database::drop_cursors(const std::string& integration, Lane lane) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("DELETE FROM cursors WHERE integration = ? AND direction = ?")
            .bind(impl_->number(integration))
            .bind(cursor_direction(lane))
            .run();
        return {};
    });
}

}  // namespace liaisond::store
