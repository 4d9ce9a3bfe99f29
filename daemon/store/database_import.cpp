// Database, import side: look up what is known, commit a page.
#include "store/database_impl.hpp"

namespace liaisond::store {

Result<std::vector<ImportState>> Database::look_up(const std::string& integration, const std::string& entity,
                                                   const std::vector<ImportKey>& keys) {
    return guarded(impl_->path, [&]() -> Result<std::vector<ImportState>> {
        const ReadTransaction snapshot(impl_->connection);
        const std::int64_t integration_number = impl_->number(integration);
        const std::int64_t entity_number = impl_->number(entity);
        std::vector<ImportState> states(keys.size());
        Statement mapping = impl_->connection.prepare(
            "SELECT rid, hash, remote_version, synced_version FROM mappings WHERE integration = ? AND entity "
            "= ? AND external_id = ?");
        Statement record = impl_->connection.prepare(
            "SELECT id, version, payload, stub, deleted_at FROM records WHERE rid = ?");
        for (std::size_t i = 0; i < keys.size(); ++i) {
            ImportState& state = states[i];
            mapping.reset();
            if (!mapping.bind(integration_number).bind(entity_number).bind(keys[i].external_id).step())
                continue;
            state.mapped = true;
            state.rid = mapping.integer(0);
            state.synced_version = mapping.integer(3);
            const std::string_view hash = mapping.view(1);
            const bool same_payload = !keys[i].deleted && !hash.empty() && hash == keys[i].hash;
            // What we exported ourselves comes back with the version the vendor told us: an echo.
            const bool echo = hash.empty() && !keys[i].version.empty() && mapping.view(2) == keys[i].version;
            state.same = same_payload || echo;
            if (state.same) continue;
            record.reset();
            if (!record.bind(state.rid).step()) continue;
            state.record = uuid_text(record.view(0));
            state.version = record.integer(1);
            state.payload = record.text(2);
            state.stub = record.integer(3) != 0;
            state.deleted = !record.is_null(4);
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
            "SELECT r.id FROM mappings m JOIN records r ON r.rid = m.rid WHERE m.integration = ? AND "
            "m.entity = ? AND m.external_id = ?");
        for (std::size_t i = 0; i < external_ids.size(); ++i) {
            select.reset();
            if (select.bind(integration_number).bind(entity_number).bind(external_ids[i]).step())
                found[i] = uuid_text(select.view(0));
        }
        return found;
    });
}

Result<std::string> Database::cursor(const std::string& integration, const std::string& entity) {
    return guarded(impl_->path, [&]() -> Result<std::string> {
        Statement select = impl_->connection.prepare(
            "SELECT value FROM cursors WHERE integration = ? AND entity = ? AND direction = 1");
        if (!select.bind(impl_->number(integration)).bind(impl_->number(entity)).step()) return std::string();
        return select.text(0);
    });
}

namespace {

// Writes the rows of one page; every statement is prepared once for the whole page.
class PageWriter {
  public:
    PageWriter(Database::Impl& impl, const ImportPage& page)
        : impl_(impl),
          page_(page),
          tenant_(impl.number(page.tenant)),
          integration_(impl.number(page.integration)),
          at_(to_unix_ms(page.at)) {}

    // False: somebody else changed the record meanwhile.
    bool write(const ImportWrite& row) {
        const std::int64_t entity = impl_.number(row.entity.empty() ? page_.entity : row.entity);
        Rid rid = row.rid;
        if (rid == 0)
            rid = insert(row, entity);
        else if (row.change && !update(row))
            return false;
        if (!map(row, entity, rid)) return false;
        if (row.change) add_change(row, entity, rid);
        return true;
    }

  private:
    Rid insert(const ImportWrite& row, std::int64_t entity) {
        const std::string id = uuid_bytes(row.record);
        insert_.reset();
        insert_.bind_blob(id)
            .bind(tenant_)
            .bind(entity)
            .bind(row.new_version)
            .bind(row.payload)
            .bind(row.stub ? 1 : 0)
            .bind(at_)
            .bind(at_)
            .run();
        return impl_.connection.last_row_id();
    }
    bool update(const ImportWrite& row) {
        update_.reset();
        update_.bind(row.new_version).bind(row.payload).bind(at_);
        if (*row.change == Action::deleted)
            update_.bind(at_);
        else
            update_.bind_null();
        update_.bind(row.rid).bind(row.expected_version).run();
        return impl_.connection.changes() == 1;
    }
    bool map(const ImportWrite& row, std::int64_t entity, Rid rid) {
        map_.reset();
        map_.bind(integration_)
            .bind(entity)
            .bind(row.external_id)
            .bind(rid)
            .bind(row.remote_version)
            .bind_blob(row.hash)
            .bind(row.synced_version)
            .bind(at_)
            .run();
        return impl_.connection.changes() == 1;
    }
    void add_change(const ImportWrite& row, std::int64_t entity, Rid rid) {
        change_.reset();
        change_.bind(tenant_)
            .bind(entity)
            .bind(rid)
            .bind(row.new_version)
            .bind(static_cast<std::int64_t>(*row.change))
            .bind(integration_)
            .bind(page_.run)
            .bind(at_);
        if (row.fields.empty())
            change_.bind_null();
        else
            change_.bind(row.fields);
        change_.run();
    }

    Database::Impl& impl_;
    const ImportPage& page_;
    std::int64_t tenant_, integration_, at_;
    Statement insert_ = impl_.connection.prepare(
        "INSERT INTO records(id, tenant, entity, version, payload, stub, created_at, updated_at) "
        "VALUES(?,?,?,?,?,?,?,?)");
    Statement update_ = impl_.connection.prepare(
        "UPDATE records SET version = ?, payload = ?, stub = 0, updated_at = ?, deleted_at = ? WHERE rid = ? "
        "AND version = ?");
    // The WHERE keeps an external id from being taken over by another record.
    Statement map_ = impl_.connection.prepare(
        "INSERT INTO mappings(integration, entity, external_id, rid, remote_version, hash, synced_version, "
        "synced_at) VALUES(?,?,?,?,?,?,?,?) "
        "ON CONFLICT(integration, entity, external_id) DO UPDATE SET remote_version = "
        "excluded.remote_version, hash = excluded.hash, "
        "synced_version = excluded.synced_version, synced_at = excluded.synced_at WHERE rid = excluded.rid");
    Statement change_ = impl_.connection.prepare(
        "INSERT INTO changes(tenant, entity, rid, version, action, origin, run, at, fields) "
        "VALUES(?,?,?,?,?,?,?,?,?)");
};

void drop_dead_letters(Database::Impl& impl, const ImportPage& page) {
    const std::int64_t integration = impl.number(page.integration);
    const std::int64_t entity = impl.number(page.entity);
    {
        Statement any = impl.connection.prepare(
            "SELECT 1 FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 1 LIMIT 1");
        if (!any.bind(integration).bind(entity).step()) return;
    }
    Statement drop = impl.connection.prepare(
        "DELETE FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 1 AND key = ?");
    for (const ImportWrite& row : page.writes) {
        drop.reset();
        drop.bind(integration).bind(entity).bind(row.external_id).run();
    }
}

}  // namespace

Status Database::commit_page(const ImportPage& page) {
    return guarded(impl_->path, [&]() -> Status {
        if (!page.writes.empty()) {
            PageWriter writer(*impl_, page);
            for (const ImportWrite& row : page.writes) {
                if (!writer.write(row))
                    return fail(Error{
                        ErrorKind::conflict, "a record changed while it was being imported", {}, "stale"});
            }
            drop_dead_letters(*impl_, page);
        }
        play_failure(LIAISON_FAULT_FAILS("store.page_half"));
        if (auto added = add_dead_letters(page.dead_letters); !added) return added;
        if (page.has_cursor) {
            impl_->connection
                .prepare(
                    "INSERT INTO cursors(integration, entity, direction, value) VALUES(?,?,1,?) "
                    "ON CONFLICT DO UPDATE SET value = excluded.value")
                .bind(impl_->number(page.integration))
                .bind(impl_->number(page.entity))
                .bind(page.cursor)
                .run();
        }
        return {};
    });
}

}  // namespace liaisond::store
