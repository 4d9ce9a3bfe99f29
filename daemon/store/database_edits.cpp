// Database: hub records changed by somebody who is no integration, and the feed of changes.
#include "store/database_impl.hpp"

namespace liaisond::store {
namespace {

class EditWriter {
  public:
    EditWriter(Database::Impl& impl, const RecordEdit& edit)
        : impl_(impl), edit_(edit), at_(to_unix_ms(edit.at)), id_(uuid_bytes(edit.record)) {}

    void write() {
        if (edit_.is_new)
            insert();
        else
            update();
        add_change();
        if (edit_.match) recognise_by();
    }

  private:
    void insert() {
        impl_.connection
            .prepare(
                "INSERT INTO records(id, tenant, entity, version, payload, stub, created_at, updated_at) "
                "VALUES(?,?,?,?,?,0,?,?)")
            .bind_blob(id_)
            .bind(impl_.number(edit_.tenant))
            .bind(impl_.number(edit_.entity))
            .bind(edit_.version)
            .bind(edit_.payload)
            .bind(at_)
            .bind(at_)
            .run();
        rid_ = impl_.connection.last_row_id();
    }
    void update() {
        {
            Statement select = impl_.connection.prepare("SELECT rid FROM records WHERE id = ?");
            if (select.bind_blob(id_).step()) rid_ = select.integer(0);
        }
        // The integrations agreed on what is about to change.
        impl_.connection
            .prepare(
                "UPDATE mappings SET base = (SELECT payload FROM records WHERE rid = ?1) WHERE rid = ?1 AND "
                "base IS NULL")
            .bind(rid_)
            .run();
        Statement update = impl_.connection.prepare(
            "UPDATE records SET version = ?, payload = ?, updated_at = ?, deleted_at = ?, provenance = "
            "coalesce(?, provenance) WHERE rid = ?");
        update.bind(edit_.version).bind(edit_.payload).bind(at_);
        if (edit_.action == Action::deleted)
            update.bind(at_);
        else
            update.bind_null();
        if (edit_.provenance.empty())
            update.bind_null();
        else
            update.bind(edit_.provenance);
        update.bind(rid_).run();
    }
    void add_change() {
        Statement change = impl_.connection.prepare(
            "INSERT INTO changes(tenant, entity, rid, version, action, origin, run, at, fields) "
            "VALUES(?,?,?,?,?,?,0,?,?)");
        change.bind(impl_.number(edit_.tenant))
            .bind(impl_.number(edit_.entity))
            .bind(rid_)
            .bind(edit_.version)
            .bind(static_cast<std::int64_t>(edit_.action))
            .bind(impl_.number(edit_.origin))
            .bind(at_);
        if (edit_.fields.empty())
            change.bind_null();
        else
            change.bind(edit_.fields);
        change.run();
    }
    void recognise_by() {
        impl_.connection.prepare("DELETE FROM match_keys WHERE rid = ?").bind(rid_).run();
        for (const auto& [name, value] : *edit_.match)
            impl_.connection
                .prepare(
                    "INSERT OR IGNORE INTO match_keys(tenant, entity, name, value, rid) VALUES(?,?,?,?,?)")
                .bind(impl_.number(edit_.tenant))
                .bind(impl_.number(edit_.entity))
                .bind(name)
                .bind(value)
                .bind(rid_)
                .run();
    }

    Database::Impl& impl_;
    const RecordEdit& edit_;
    const std::int64_t at_;
    const std::string id_;
    Rid rid_ = 0;
};

}  // namespace

Status Database::edit_record(const RecordEdit& edit) {
    return guarded(impl_->path, [&]() -> Status {
        EditWriter(*impl_, edit).write();
        return {};
    });
}

Result<std::vector<ChangeRow>> Database::changes(const Filter& filter, std::int64_t after) {
    return guarded(impl_->path, [&]() -> Result<std::vector<ChangeRow>> {
        std::vector<ChangeRow> rows;
        Statement select = impl_->connection.prepare(
            "SELECT c.seq, c.run, c.at, c.action, c.origin, c.fields, r.id, r.tenant, r.entity, r.version, "
            "r.payload, r.created_at, r.updated_at, r.deleted_at IS NOT NULL, r.rid FROM changes c JOIN "
            "records r "
            "ON r.rid = c.rid WHERE c.seq > ?1 AND (?2 = '' OR c.tenant = ?3) AND c.entity = ?4 ORDER BY "
            "c.seq LIMIT "
            "?5");
        select.bind(after)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(impl_->number(filter.entity))
            .bind(filter.limit);
        while (select.step()) {
            ChangeRow& row = rows.emplace_back();
            row.seq = select.integer(0);
            row.run = select.integer(1);
            row.at = from_unix_ms(select.integer(2));
            row.action = static_cast<Action>(select.integer(3));
            row.origin = impl_->name(select.integer(4));
            row.fields = select.text(5);
            row.record.id = uuid_text(select.view(6));
            row.record.tenant = impl_->name(select.integer(7));
            row.record.entity = impl_->name(select.integer(8));
            row.record.version = select.integer(9);
            row.record.payload = select.text(10);
            row.record.created = from_unix_ms(select.integer(11));
            row.record.updated = from_unix_ms(select.integer(12));
            row.record.deleted = select.integer(13) != 0;
            row.record.row = select.integer(14);
        }
        return rows;
    });
}

Result<std::string> Database::owner_of(const std::string& kind, std::int64_t id) {
    return guarded(impl_->path, [&]() -> Result<std::string> {
        static const std::map<std::string, const char*, std::less<>> questions{
            {"run", "SELECT tenant FROM runs WHERE id = ?"},
            {"dead_letter", "SELECT r.tenant FROM dead_letters d JOIN runs r ON r.id = d.run WHERE d.id = ?"},
            {"conflict", "SELECT r.tenant FROM conflicts c JOIN runs r ON r.id = c.run WHERE c.id = ?"},
            {"intent", "SELECT r.tenant FROM intents i JOIN records r ON r.rid = i.rid WHERE i.id = ?"},
            {"event", "SELECT tenant FROM inbox WHERE id = ?"},
            {"alert", "SELECT tenant FROM alerts WHERE id = ?"}};
        const auto question = questions.find(kind);
        if (question == questions.end())
            return fail(ErrorKind::internal, "nobody knows whose a " + kind + " is");
        Statement select = impl_->connection.prepare(question->second);
        return select.bind(id).step() ? impl_->name(select.integer(0)) : std::string();
    });
}

}  // namespace liaisond::store
