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

Status Database::save_state(const std::string& kind, const std::string& key, const std::string& value) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "INSERT INTO states(kind, key, value) VALUES(?,?,?) ON CONFLICT DO UPDATE SET value = "
                "excluded.value")
            .bind(kind)
            .bind(key)
            .bind(value)
            .run();
        return {};
    });
}

}  // namespace liaisond::store
