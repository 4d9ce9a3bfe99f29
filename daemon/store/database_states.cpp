// Database: what must outlive a restart and is no record.
#include "store/database_impl.hpp"

namespace liaisond::store {

Result<std::string> Database::state(const std::string& kind, const std::string& key) {
    return guarded(impl_->path, [&]() -> Result<std::string> {
        Statement select = impl_->connection.prepare("SELECT value FROM states WHERE kind = ? AND key = ?");
        if (!select.bind(kind).bind(key).step()) return std::string();
        return select.text(0);
    });
}

Result<std::map<std::string, std::string>> Database::states(const std::string& kind) {
    return guarded(impl_->path, [&]() -> Result<std::map<std::string, std::string>> {
        std::map<std::string, std::string> found;
        Statement select = impl_->connection.prepare("SELECT key, value FROM states WHERE kind = ?");
        select.bind(kind);
        while (select.step()) found[select.text(0)] = select.text(1);
        return found;
    });
}

Status Database::save_state(const std::string& kind, const std::string& key, const std::string& value) {
    return guarded(impl_->path, [&]() -> Status {
        if (value.empty()) {
            impl_->connection.prepare("DELETE FROM states WHERE kind = ? AND key = ?")
                .bind(kind)
                .bind(key)
                .run();
            return {};
        }
        impl_->connection
            .prepare(
                "INSERT INTO states(kind, key, value) VALUES(?,?,?) "
                "ON CONFLICT(kind, key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value")
            .bind(kind)
            .bind(key)
            .bind(value)
            .run();
        return {};
    });
}

Status Database::keep_newest_states(const std::string& kind, std::uint32_t count) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "DELETE FROM states WHERE kind = ?1 AND key NOT IN (SELECT key FROM states WHERE kind = ?1 "
                "ORDER BY CAST(key AS INTEGER) DESC LIMIT ?2)")
            .bind(kind)
            .bind(count)
            .run();
        return {};
    });
}

Result<std::vector<SealedRow>> Database::sealed() {
    return guarded(impl_->path, [&]() -> Result<std::vector<SealedRow>> {
        std::vector<SealedRow> rows;
        Statement select =
            impl_->connection.prepare("SELECT name, sealed, updated_at FROM vault ORDER BY name");
        while (select.step())
            rows.push_back({select.text(0), select.text(1), from_unix_ms(select.integer(2))});
        return rows;
    });
}

Status Database::save_sealed(const std::string& name, const std::string& sealed, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("INSERT OR REPLACE INTO vault(name, sealed, updated_at) VALUES(?,?,?)")
            .bind(name)
            .bind_blob(sealed)
            .bind(to_unix_ms(at))
            .run();
        return {};
    });
}

Status Database::replace_sealed(const std::string& name, const std::string& old, const std::string& sealed) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("UPDATE vault SET sealed = ? WHERE name = ? AND sealed = ?")
            .bind_blob(sealed)
            .bind(name)
            .bind_blob(old)
            .run();
        return {};
    });
}

Status Database::drop_sealed(const std::string& name) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("DELETE FROM vault WHERE name = ?").bind(name).run();
        return {};
    });
}

}  // namespace liaisond::store
