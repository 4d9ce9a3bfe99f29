// Database: what waits for a person - conflicts and dead letters.
#include "store/database_impl.hpp"

namespace liaisond::store {
namespace {

#define DEAD_LETTER_COLUMNS                                                                               \
    "SELECT id, integration, entity, direction, key, run, reason, message, payload, attempts, first_at, " \
    "last_at, version FROM dead_letters "

DeadLetter read_dead_letter(Database::Impl& impl, const Statement& row) {
    DeadLetter letter;
    letter.id = row.integer(0);
    letter.integration = impl.name(row.integer(1));
    letter.entity = impl.name(row.integer(2));
    letter.direction = static_cast<Direction>(row.integer(3));
    letter.key = row.text(4);
    letter.run = row.integer(5);
    letter.reason = row.text(6);
    letter.message = row.text(7);
    letter.payload = row.text(8);
    letter.attempts = row.integer(9);
    letter.first_at = from_unix_ms(row.integer(10));
    letter.last_at = from_unix_ms(row.integer(11));
    letter.version = row.integer(12);
    return letter;
}

#define CONFLICT_COLUMNS                                                                                    \
    "SELECT c.id, c.integration, c.entity, c.external_id, c.rid, r.id, c.kind, c.detail, c.payload, "       \
    "c.remote_version, c.hash, c.run, c.first_at, c.last_at FROM conflicts c LEFT JOIN records r ON r.rid " \
    "= "                                                                                                    \
    "c.rid "

Conflict read_conflict(Database::Impl& impl, const Statement& row) {
    Conflict conflict;
    conflict.id = row.integer(0);
    conflict.integration = impl.name(row.integer(1));
    conflict.entity = impl.name(row.integer(2));
    conflict.external_id = row.text(3);
    conflict.rid = row.integer(4);
    if (!row.is_null(5)) conflict.record = uuid_text(row.view(5));
    const std::string_view kind = row.view(6);
    conflict.kind = kind == "identity"      ? ConflictKind::identity
                    : kind == "deletion"    ? ConflictKind::deletion
                    : kind == "oscillation" ? ConflictKind::oscillation
                                            : ConflictKind::fields;
    conflict.detail = row.text(7);
    conflict.payload = row.text(8);
    conflict.remote_version = row.text(9);
    conflict.hash = row.text(10);
    conflict.run = row.integer(11);
    conflict.first_at = from_unix_ms(row.integer(12));
    conflict.last_at = from_unix_ms(row.integer(13));
    return conflict;
}

}  // namespace

Result<std::vector<DeadLetter>> Database::dead_letters(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<DeadLetter>> {
        std::vector<DeadLetter> rows;
        Statement select = impl_->connection.prepare(
            DEAD_LETTER_COLUMNS
            "WHERE (?1 = '' OR integration = ?2) AND (?3 = 0 OR id < ?3) AND (?4 = '' OR EXISTS(SELECT 1 "
            "FROM runs o WHERE o.id = dead_letters.run AND o.tenant = ?5)) ORDER BY id DESC LIMIT ?6");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.limit);
        while (select.step()) rows.push_back(read_dead_letter(*impl_, select));
        return rows;
    });
}

Result<std::optional<DeadLetter>> Database::dead_letter(std::int64_t id) {
    return guarded(impl_->path, [&]() -> Result<std::optional<DeadLetter>> {
        Statement select = impl_->connection.prepare(DEAD_LETTER_COLUMNS "WHERE id = ?");
        if (!select.bind(id).step()) return std::optional<DeadLetter>();
        return std::optional(read_dead_letter(*impl_, select));
    });
}

Status Database::drop_dead_letter(std::int64_t id) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("DELETE FROM dead_letters WHERE id = ?").bind(id).run();
        return {};
    });
}

Status Database::edit_dead_letter(std::int64_t id, const std::string& payload) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("UPDATE dead_letters SET payload = ? WHERE id = ?")
            .bind(payload)
            .bind(id)
            .run();
        return {};
    });
}

Result<std::optional<Recognised>> Database::record(const std::string& id) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Recognised>> {
        const std::string bytes = uuid_bytes(id);
        Statement select =
            impl_->connection.prepare("SELECT rid, payload, provenance, version FROM records WHERE id = ?");
        if (!select.bind_blob(bytes).step()) return std::optional<Recognised>();
        return std::optional(
            Recognised{0, select.integer(0), id, select.text(1), select.text(2), select.integer(3)});
    });
}

Result<Presence> Database::presence(const std::string& integration, Rid rid) {
    return guarded(impl_->path, [&]() -> Result<Presence> {
        Presence found;
        Statement select = impl_->connection.prepare(
            "SELECT r.deleted_at IS NOT NULL, m.external_id, EXISTS(SELECT 1 FROM intents i WHERE "
            "i.integration = ?1 AND i.rid = r.rid) FROM records r LEFT JOIN mappings m ON m.rid = r.rid AND "
            "m.integration = ?1 WHERE r.rid = ?2");
        if (!select.bind(impl_->number(integration)).bind(rid).step()) return found;
        found.deleted = select.integer(0) != 0;
        if (!select.is_null(1)) found.external_id = select.text(1);
        found.is_being_sent = select.integer(2) != 0;
        return found;
    });
}

Result<std::string> Database::tenant_of(const std::string& integration) {
    return guarded(impl_->path, [&]() -> Result<std::string> {
        Statement select = impl_->connection.prepare(
            "SELECT tenant FROM runs WHERE integration = ? ORDER BY id DESC LIMIT 1");
        if (!select.bind(impl_->number(integration)).step()) return std::string();
        return impl_->name(select.integer(0));
    });
}

Result<std::vector<Conflict>> Database::conflicts(const Filter& filter) {
    return guarded(impl_->path, [&]() -> Result<std::vector<Conflict>> {
        std::vector<Conflict> rows;
        Statement select = impl_->connection.prepare(
            CONFLICT_COLUMNS
            "WHERE (?1 = '' OR c.integration = ?2) AND (?3 = 0 OR c.id < ?3) AND (?4 = '' OR EXISTS(SELECT 1 "
            "FROM runs o WHERE o.id = c.run AND o.tenant = ?5)) ORDER BY c.id DESC LIMIT ?6");
        select.bind(filter.integration)
            .bind(impl_->number(filter.integration))
            .bind(filter.before)
            .bind(filter.tenant)
            .bind(impl_->number(filter.tenant))
            .bind(filter.limit);
        while (select.step()) rows.push_back(read_conflict(*impl_, select));
        return rows;
    });
}

Result<std::optional<Conflict>> Database::conflict(std::int64_t id) {
    return guarded(impl_->path, [&]() -> Result<std::optional<Conflict>> {
        Statement select = impl_->connection.prepare(CONFLICT_COLUMNS "WHERE c.id = ?");
        if (!select.bind(id).step()) return std::optional<Conflict>();
        return std::optional(read_conflict(*impl_, select));
    });
}

}  // namespace liaisond::store
