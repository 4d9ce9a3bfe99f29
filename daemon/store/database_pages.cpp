// Database, import side: a page of records is written whole, or nothing of it.
#include <algorithm>

#include "store/database_impl.hpp"
#include "store/import_rows.hpp"

namespace liaisond::store {

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
        if (is_known_by_now(row, entity)) return false;
        if (rid == 0) {
            rid = insert(row, entity);
        } else if (row.change) {
            keep_bases(rid);
            if (!update(row)) return false;
        } else if (!still(row)) {
            return false;
        } else if (!row.provenance.empty()) {
            impl_.connection.prepare("UPDATE records SET provenance = ? WHERE rid = ?")
                .bind(row.provenance)
                .bind(row.rid)
                .run();
        }
        if (row.stub_rid != 0 && !adopt_stub(row)) return false;
        if (row.settles != 0) forget_other_ids(row);
        if (!map(row, entity, rid)) return false;
        if (row.change || row.owed) add_change(row, entity, rid);
        if (row.owed) lift_refusal(entity, rid);
        if (row.match) recognise_by(*row.match, entity, rid);
        if (row.settles != 0) {
            settled_.reset();
            settled_.bind(row.settles).run();
        }
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
            .bind(at_);
        bind_or_null(insert_, row.provenance);
        insert_.run();
        return impl_.connection.last_row_id();
    }
    // Somebody else has brought meanwhile what this row would bring a second time.
    bool is_known_by_now(const ImportWrite& row, std::int64_t entity) {
        return std::any_of(row.unknown_by.begin(), row.unknown_by.end(), [&](const auto& value) {
            known_.reset();
            known_.bind(tenant_).bind(entity).bind(value.first).bind(value.second).bind(integration_);
            return known_.step();
        });
    }
    // The other integrations agreed on what is about to change.
    void keep_bases(Rid rid) {
        keep_bases_.reset();
        keep_bases_.bind(rid).bind(rid).bind(integration_).run();
    }
    bool update(const ImportWrite& row) {
        update_.reset();
        update_.bind(row.new_version).bind(row.payload).bind(at_);
        if (*row.change == Action::deleted)
            update_.bind(at_);
        else
            update_.bind_null();
        bind_or_null(update_, row.provenance);
        update_.bind(row.rid).bind(row.expected_version).run();
        return impl_.connection.changes() == 1;
    }
    bool still(const ImportWrite& row) {
        still_.reset();
        return still_.bind(row.rid).bind(row.expected_version).step();
    }
    // What was referred to before it came is a record that the hub had all along.
    bool adopt_stub(const ImportWrite& row) {
        move_mapping_.reset();
        move_mapping_.bind(row.rid).bind(row.stub_rid).bind(integration_).run();
        const bool moved = impl_.connection.changes() == 1;
        alias_.reset();
        alias_.bind(row.rid).bind(row.stub_rid).run();
        return moved;
    }
    void forget_other_ids(const ImportWrite& row) {
        impl_.connection.prepare(forget_other_ids_sql)
            .bind(row.rid)
            .bind(integration_)
            .bind(row.external_id)
            .run();
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
            .bind(at_);
        bind_optional(map_, row.base);
        bind_optional(map_, row.shown);
        if (row.tomb)
            map_.bind(at_);
        else
            map_.bind_null();
        map_.bind(row.changed_ms);
        map_.bind(to_unix_ms(row.expected_at)).bind(to_unix_ms(row.expected_at)).bind_blob(row.expected_hash);
        map_.run();
        return impl_.connection.changes() == 1;
    }
    void add_change(const ImportWrite& row, std::int64_t entity, Rid rid) {
        change_.reset();
        change_.bind(tenant_)
            .bind(entity)
            .bind(rid)
            .bind(row.new_version)
            .bind(static_cast<std::int64_t>(row.change.value_or(Action::updated)))
            .bind(integration_)
            .bind(page_.run)
            .bind(at_);
        if (row.fields.empty())
            change_.bind_null();
        else
            change_.bind(row.fields);
        change_.run();
    }
    // What was refused before is owed because of news from the vendor: it is worth another try.
    void lift_refusal(std::int64_t entity, Rid rid) {
        Statement id = impl_.connection.prepare("SELECT id FROM records WHERE rid = ?");
        if (!id.bind(rid).step()) return;
        impl_.connection
            .prepare(
                "DELETE FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 2 AND key = ?")
            .bind(integration_)
            .bind(entity)
            .bind(uuid_text(id.view(0)))
            .run();
    }
    void recognise_by(const MatchValues& values, std::int64_t entity, Rid rid) {
        if (row_exists(forget_match_any_, rid)) {
            forget_match_.reset();
            forget_match_.bind(rid).run();
        }
        for (const auto& [name, value] : values) {
            match_.reset();
            match_.bind(tenant_).bind(entity).bind(name).bind(value).bind(rid).run();
        }
    }
    static bool row_exists(Statement& statement, Rid rid) {
        statement.reset();
        return statement.bind(rid).step();
    }
    // What is bound must outlive the step.
    static void bind_or_null(Statement& statement, const std::string& text) {
        if (text.empty())
            statement.bind_null();
        else
            statement.bind(text);
    }
    static void bind_optional(Statement& statement, const std::optional<std::string>& text) {
        if (text)
            statement.bind(*text);
        else
            statement.bind_null();
    }

    Database::Impl& impl_;
    const ImportPage& page_;
    std::int64_t tenant_, integration_, at_;
    Statement insert_ = impl_.connection.prepare(
        "INSERT INTO records(id, tenant, entity, version, payload, stub, created_at, updated_at, provenance) "
        "VALUES(?,?,?,?,?,?,?,?,?)");
    Statement keep_bases_ = impl_.connection.prepare(
        "UPDATE mappings SET base = (SELECT payload FROM records WHERE rid = ?) WHERE rid = ? AND "
        "integration <> ? "
        "AND base IS NULL");
    Statement update_ = impl_.connection.prepare(
        "UPDATE records SET version = ?, payload = ?, stub = 0, updated_at = ?, deleted_at = ?, provenance = "
        "coalesce(?, provenance) WHERE rid = ? AND version = ?");
    Statement still_ = impl_.connection.prepare("SELECT 1 FROM records WHERE rid = ? AND version = ?");
    Statement move_mapping_ =
        impl_.connection.prepare("UPDATE mappings SET rid = ? WHERE rid = ? AND integration = ?");
    Statement alias_ = impl_.connection.prepare("UPDATE records SET alias_of = ? WHERE rid = ?");
    // The WHERE keeps an external id from being taken over by another record, and what another lane agreed on
    // meanwhile from being forgotten.
    Statement map_ = impl_.connection.prepare(
        "INSERT INTO mappings(integration, entity, external_id, rid, remote_version, hash, synced_version, "
        "synced_at, base, shown, tomb_at, changed_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT(integration, entity, external_id) DO UPDATE SET remote_version = "
        "excluded.remote_version, hash = excluded.hash, synced_version = excluded.synced_version, synced_at "
        "= "
        "excluded.synced_at, base = excluded.base, shown = excluded.shown, tomb_at = excluded.tomb_at, "
        "missing = 0, changed_at = iif(excluded.changed_at <> 0, excluded.changed_at, changed_at) "
        "WHERE rid = excluded.rid AND (? = 0 OR (synced_at = ? AND hash = ?))");
    Statement change_ = impl_.connection.prepare(
        "INSERT INTO changes(tenant, entity, rid, version, action, origin, run, at, fields) "
        "VALUES(?,?,?,?,?,?,?,?,?)");
    Statement forget_match_any_ = impl_.connection.prepare("SELECT 1 FROM match_keys WHERE rid = ? LIMIT 1");
    Statement forget_match_ = impl_.connection.prepare("DELETE FROM match_keys WHERE rid = ?");
    Statement settled_ = impl_.connection.prepare("DELETE FROM intents WHERE id = ?");
    Statement known_ = impl_.connection.prepare(recognise_sql);
    Statement match_ = impl_.connection.prepare(
        "INSERT OR IGNORE INTO match_keys(tenant, entity, name, value, rid) VALUES(?,?,?,?,?)");
};

// Records that were refused for their version until nobody tried any more, among those whose version is
// another now: their refusal is forgotten.
std::vector<Rid> forget_outdated(Database::Impl& impl, const ImportPage& page) {
    const std::int64_t integration = impl.number(page.integration);
    const std::int64_t entity = impl.number(page.entity);
    std::vector<Rid> forgotten;
    if (page.versions.empty()) return forgotten;
    Statement select = impl.connection.prepare(
        "SELECT r.rid, r.id FROM mappings m JOIN records r ON r.rid = m.rid WHERE m.integration = ? AND "
        "m.entity = ? AND m.external_id = ?");
    Statement drop = impl.connection.prepare(
        "DELETE FROM dead_letters WHERE integration = ? AND entity = ? AND direction = 2 AND reason = "
        "'conflict' AND key = ?");
    for (const NewVersion& row : page.versions) {
        select.reset();
        if (!select.bind(integration).bind(entity).bind(row.external_id).step()) continue;
        drop.reset();
        drop.bind(integration).bind(entity).bind(uuid_text(select.view(1))).run();
        if (impl.connection.changes() != 0) forgotten.push_back(select.integer(0));
    }
    return forgotten;
}

// Conflicts, too: what is decided about one is written over what the vendor has now. False: a mapping changed
// meanwhile.
bool note_versions(Database::Impl& impl, const ImportPage& page) {
    if (page.versions.empty()) return true;
    const std::int64_t integration = impl.number(page.integration);
    const std::int64_t entity = impl.number(page.entity);
    Statement mapping = impl.connection.prepare(
        "UPDATE mappings SET remote_version = ?, changed_at = iif(?2 <> 0, ?2, changed_at), synced_at = ? "
        "WHERE integration = ? AND entity = ? AND external_id = ? AND tomb_at IS NULL AND synced_at = ? AND "
        "hash = ?");
    Statement conflict = impl.connection.prepare(
        "UPDATE conflicts SET remote_version = ? WHERE integration = ? AND entity = ? AND external_id = ?");
    for (const NewVersion& row : page.versions) {
        mapping.reset();
        mapping.bind(row.remote_version)
            .bind(row.changed_ms)
            .bind(to_unix_ms(page.at))
            .bind(integration)
            .bind(entity)
            .bind(row.external_id)
            .bind(to_unix_ms(row.expected_at))
            .bind_blob(row.expected_hash)
            .run();
        if (impl.connection.changes() != 1) return false;
        conflict.reset();
        conflict.bind(row.remote_version).bind(integration).bind(entity).bind(row.external_id).run();
    }
    return true;
}

// What a page brings, or says to be gone, is no longer refused and no longer in question.
void close_questions(Database::Impl& impl, const ImportPage& page, const char* any_sql,
                     const char* drop_sql) {
    const std::int64_t integration = impl.number(page.integration);
    const std::int64_t entity = impl.number(page.entity);
    {
        Statement any = impl.connection.prepare(any_sql);
        if (!any.bind(integration).bind(entity).step()) return;
    }
    Statement drop = impl.connection.prepare(drop_sql);
    const auto close = [&](const std::string& external_id) {
        drop.reset();
        drop.bind(integration).bind(entity).bind(external_id).run();
    };
    for (const ImportWrite& row : page.writes) close(row.external_id);
    for (const std::string& external_id : page.gone) close(external_id);
}

// False: by now the hub has it, and the page must be decided anew.
bool is_unknown_still(Database::Impl& impl, const ImportPage& page) {
    Statement mapped = impl.connection.prepare(
        "SELECT 1 FROM mappings WHERE integration = ? AND entity = ? AND external_id = ?");
    const std::int64_t integration = impl.number(page.integration), entity = impl.number(page.entity);
    return std::none_of(page.gone.begin(), page.gone.end(), [&](const std::string& external_id) {
        mapped.reset();
        return mapped.bind(integration).bind(entity).bind(external_id).step();
    });
}

void add_conflicts(Database::Impl& impl, const ImportPage& page) {
    for (const Conflict& conflict : page.conflicts) {
        impl.connection
            .prepare(
                "INSERT INTO conflicts(integration, entity, external_id, rid, kind, detail, payload, "
                "remote_version, hash, run, first_at, last_at) "
                "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?11) "
                "ON CONFLICT(integration, entity, external_id) DO UPDATE SET rid = excluded.rid, kind = "
                "excluded.kind, detail = excluded.detail, payload = excluded.payload, remote_version = "
                "excluded.remote_version, hash = excluded.hash, run = excluded.run, last_at = "
                "excluded.last_at")
            .bind(impl.number(page.integration))
            .bind(impl.number(page.entity))
            .bind(conflict.external_id)
            .bind(conflict.rid)
            .bind(to_string(conflict.kind))
            .bind(conflict.detail)
            .bind(conflict.payload)
            .bind(conflict.remote_version)
            .bind_blob(conflict.hash)
            .bind(page.run)
            .bind(to_unix_ms(page.at))
            .run();
    }
}

}  // namespace

Status Database::commit_page(const ImportPage& page) {
    return guarded(impl_->path, [&]() -> Status {
        const Error changed{ErrorKind::conflict, "a record changed while it was being imported", {}, "stale"};
        if (!note_versions(*impl_, page)) return fail(changed);
        for (const Rid rid : forget_outdated(*impl_, page)) {
            if (auto shown = present_again(page.integration, rid, page.run, page.at); !shown) return shown;
        }
        if (!page.gone.empty() && !is_unknown_still(*impl_, page)) return fail(changed);
        if (!page.writes.empty()) {
            PageWriter writer(*impl_, page);
            for (const ImportWrite& row : page.writes) {
                if (!writer.write(row)) return fail(changed);
            }
        }
        if (!page.writes.empty() || !page.gone.empty()) {
            if (!page.is_decision) {
                close_questions(*impl_, page,
                                "SELECT 1 FROM dead_letters WHERE integration = ? AND entity = ? AND "
                                "direction = 1 LIMIT 1",
                                "DELETE FROM dead_letters WHERE integration = ? AND entity = ? AND direction "
                                "= 1 AND key = ?");
            }
            close_questions(*impl_, page,
                            "SELECT 1 FROM conflicts WHERE integration = ? AND entity = ? LIMIT 1",
                            "DELETE FROM conflicts WHERE integration = ? AND entity = ? AND external_id = ?");
        }
        add_conflicts(*impl_, page);
        for (const LogEntry& note : page.notes) {
            if (auto added = add_log(note); !added) return added;
        }
        play_failure(LIAISON_FAULT_FAILS("store.page_half"));
        if (auto added = add_dead_letters(page.dead_letters); !added) return added;
        if (page.has_cursor) {
            impl_->connection
                .prepare(
                    "INSERT INTO cursors(integration, entity, direction, value) VALUES(?,?,?,?) "
                    "ON CONFLICT DO UPDATE SET value = excluded.value")
                .bind(impl_->number(page.integration))
                .bind(impl_->number(page.entity))
                .bind(cursor_direction(page.lane))
                .bind(page.cursor)
                .run();
        }
        return {};
    });
}

}  // namespace liaisond::store
