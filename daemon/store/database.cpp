#include "store/database.hpp"

#include "base/fault_point.hpp"
#include "store/database_impl.hpp"
#include "store/migrations.hpp"

namespace liaisond::store {

std::int64_t Database::Impl::number(const std::string& name) {
    if (const auto known = numbers.find(name); known != numbers.end()) return known->second;
    std::int64_t found = -1;
    {
        Statement select = connection.prepare("SELECT id FROM names WHERE name = ?");
        if (select.bind(name).step()) found = select.integer(0);
    }
    if (found < 0 && writes) {
        connection.prepare("INSERT INTO names(name) VALUES(?)").bind(name).run();
        found = connection.last_row_id();
    }
    if (found >= 0) {
        numbers[name] = found;
        by_number[found] = name;
    }
    return found;
}

std::string Database::Impl::name(std::int64_t number) {
    if (const auto known = by_number.find(number); known != by_number.end()) return known->second;
    Statement select = connection.prepare("SELECT name FROM names WHERE id = ?");
    if (!select.bind(number).step()) return {};
    return by_number[number] = select.text(0);
}

std::string uuid_bytes(std::string_view text) {
    std::string bytes;
    int high = -1;
    for (const char c : text) {
        if (c == '-') continue;
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return {};
        if (high < 0)
            high = digit;
        else
            bytes += static_cast<char>(high << 4 | digit), high = -1;
    }
    return bytes.size() == 16 ? bytes : std::string();
}

std::string uuid_text(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[static_cast<unsigned char>(bytes[i]) >> 4];
        text += digits[static_cast<unsigned char>(bytes[i]) & 15];
    }
    return text;
}

Error store_error(const SqliteError& error, const std::string& path) {
    const std::string what = error.what();
    switch (error.code & 0xFF) {
        case SQLITE_FULL:
            return {ErrorKind::transient,
                    "the disk that holds " + path + " is full; free some space, nothing is lost: " + what,
                    Milliseconds(5000), "disk_full"};
        case SQLITE_IOERR:
            return {ErrorKind::internal, "the disk failed under " + path + ": " + what, {}, "disk_error"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {
                ErrorKind::internal, path + " is damaged; restore the last backup: " + what, {}, "corrupt"};
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {ErrorKind::config,
                    path +
                        " cannot be written; check that its folder exists and belongs to the user of the "
                        "daemon: " +
                        what,
                    {},
                    "not_writable"};
        case SQLITE_CONSTRAINT:
            return {ErrorKind::conflict, "the store refused a change: " + what, {}, "constraint"};
        default: return {ErrorKind::internal, "the store failed in " + path + ": " + what, {}, "store"};
    }
}

void play_failure(FaultFailure failure) {
    if (failure == FaultFailure::io_error) throw SqliteError(SQLITE_IOERR, "played by a fault point");
    if (failure == FaultFailure::no_space) throw SqliteError(SQLITE_FULL, "played by a fault point");
}

namespace {

void migrate(Connection& connection) {
    std::int64_t version = 0;
    {
        Statement statement = connection.prepare("PRAGMA user_version");
        if (statement.step()) version = statement.integer(0);
    }
    if (version > static_cast<std::int64_t>(migrations.size())) {
        throw SqliteError(SQLITE_NOTADB, "it was written by a newer liaison (schema " +
                                             std::to_string(version) + ", this one knows " +
                                             std::to_string(migrations.size()) +
                                             "); install that version again");
    }
    for (auto next = static_cast<std::size_t>(version); next < migrations.size(); ++next) {
        connection.execute("BEGIN IMMEDIATE");
        connection.execute(migrations[next]);
        LIAISON_FAULT_POINT("store.migrate");
        connection.execute("PRAGMA user_version = " + std::to_string(next + 1));
        connection.execute("COMMIT");
        LIAISON_FAULT_POINT("store.migrated");
    }
}

constexpr int read_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
constexpr int write_flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Access access,
                                                 Durability durability) {
    return guarded(path, [&]() -> Result<std::unique_ptr<Database>> {
        LIAISON_FAULT_POINT("store.open");
        auto impl = std::make_unique<Impl>(path, access == Access::write ? write_flags : read_flags);
        Connection& connection = impl->connection;
        sqlite3_busy_timeout(connection.handle(), 5000);
        if (access == Access::read) {
            // Readers never checkpoint: SQLite 3.40 may corrupt a WAL that two connections reset
            // (reliability.md 0.6).
            sqlite3_db_config(connection.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
            connection.execute("PRAGMA query_only = ON");
        } else {
            impl->writes = true;
            connection.execute("PRAGMA journal_mode = WAL");
            connection.execute(durability == Durability::full     ? "PRAGMA synchronous = EXTRA"
                               : durability == Durability::normal ? "PRAGMA synchronous = NORMAL"
                                                                  : "PRAGMA synchronous = OFF");
            connection.execute("PRAGMA wal_autocheckpoint = 4000");
            connection.execute("PRAGMA journal_size_limit = 67108864");
            migrate(connection);
        }
        connection.execute("PRAGMA cache_size = -8192");  // 8 MiB
        connection.execute("PRAGMA temp_store = MEMORY");
        return std::unique_ptr<Database>(new Database(std::move(impl)));
    });
}

Status Database::copy(const std::string& from, const std::string& to) {
    return guarded(to, [&]() -> Status {
        Connection source(from, read_flags), target(to, write_flags);
        sqlite3_busy_timeout(source.handle(), 5000);
        sqlite3_db_config(source.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
        if (backup == nullptr) target.raise("copying " + from);
        const int copied = sqlite3_backup_step(backup, -1);  // in one go: one moment
        const int finished = sqlite3_backup_finish(backup);
        if (copied != SQLITE_DONE || finished != SQLITE_OK) target.raise("copying " + from);
        return {};
    });
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Status Database::begin() {
    return guarded(impl_->path, [&]() -> Status {
        play_failure(LIAISON_FAULT_FAILS("store.begin"));
        impl_->connection.prepare("BEGIN IMMEDIATE").run();
        return {};
    });
}

Status Database::commit() {
    return guarded(impl_->path, [&]() -> Status {
        play_failure(LIAISON_FAULT_FAILS("store.before_commit"));
        impl_->connection.prepare("COMMIT").run();
        LIAISON_FAULT_POINT("store.after_commit");
        return {};
    });
}

void Database::rollback() {
    impl_->forget_names();
    if (sqlite3_get_autocommit(impl_->connection.handle()) == 0)
        sqlite3_exec(impl_->connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Database::savepoint() {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("SAVEPOINT work").run();
        return {};
    });
}

Status Database::release(bool keep) {
    // A full disk may have ended the whole transaction already.
    if (sqlite3_get_autocommit(impl_->connection.handle()) != 0) return {};
    return guarded(impl_->path, [&]() -> Status {
        if (!keep) {
            impl_->forget_names();
            impl_->connection.prepare("ROLLBACK TO work").run();
        }
        if (keep) play_failure(LIAISON_FAULT_FAILS("store.after_work"));
        impl_->connection.prepare("RELEASE work").run();
        return {};
    });
}

}  // namespace liaisond::store
