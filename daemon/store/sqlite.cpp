#include "store/sqlite.hpp"

namespace liaisond::store {

Statement::~Statement() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
    sqlite3_bind_int64(statement_, next_++, value);
    return *this;
}
// SQLITE_STATIC: the caller's text outlives the step, so nothing is copied.
Statement& Statement::bind(std::string_view text) {
    sqlite3_bind_text64(statement_, next_++, text.data() == nullptr ? "" : text.data(), text.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}
Statement& Statement::bind_blob(std::string_view bytes) {
    sqlite3_bind_blob64(statement_, next_++, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                        SQLITE_STATIC);
    return *this;
}
Statement& Statement::bind_null() {
    sqlite3_bind_null(statement_, next_++);
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    connection_.raise(sqlite3_sql(statement_));
}

void Statement::reset() {
    sqlite3_reset(statement_);
    next_ = 1;
}

std::string_view Statement::view(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

namespace {

// SQLite counts its memory under a lock that all connections share; nobody reads the count.
void configure_once() { [[maybe_unused]] static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

}  // namespace

Connection::Connection(const std::string& path, int flags) {
    configure_once();
    if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) == SQLITE_OK) {
        sqlite3_extended_result_codes(handle_, 1);
        return;
    }
    const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory";
    const int code = handle_ != nullptr ? sqlite3_extended_errcode(handle_) : SQLITE_NOMEM;
    sqlite3_close_v2(handle_);
    throw SqliteError(code, "cannot open " + path + ": " + reason);
}

Connection::~Connection() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(handle_);
}

Statement Connection::prepare(const char* sql) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr &&
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
        raise(sql);
    }
    return Statement(*this, statement);
}

void Connection::execute(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) raise(sql);
}

ReadTransaction::ReadTransaction(Connection& connection)
    : connection_(connection), is_ours_(sqlite3_get_autocommit(connection.handle()) != 0) {
    if (is_ours_) connection_.prepare("BEGIN").run();
}

ReadTransaction::~ReadTransaction() {
    if (!is_ours_) return;
    try {
        connection_.prepare("COMMIT").run();
    } catch (const SqliteError&) {
        // Nothing was written that could be lost; the next one cannot begin, and says so.
    }
}

void Connection::raise(const std::string& doing) const {
    throw SqliteError(sqlite3_extended_errcode(handle_),
                      std::string(sqlite3_errmsg(handle_)) + " (" + doing.substr(0, 80) + ")");
}

}  // namespace liaisond::store
