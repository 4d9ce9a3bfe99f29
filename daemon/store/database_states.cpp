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

}  // namespace liaisond::store
