// The few lines that make SQLite's C interface safe to use: connections and prepared statements that own what
// they hold. An SQLite error that is not a constraint violation is thrown as SqliteError and caught at the
// edge of the store.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

namespace liaisond::store {

class SqliteError : public std::runtime_error {
  public:
    SqliteError(int code, const std::string& what) : std::runtime_error(what), code(code) {}
    int code;  // extended result code
    bool is_constraint() const { return (code & 0xFF) == SQLITE_CONSTRAINT; }
    bool is_full() const { return (code & 0xFF) == SQLITE_FULL; }
};

class Connection;

// A statement in use: bind, step, read; it resets itself when it goes out of scope.
class Statement {
  public:
    Statement(Connection& connection, sqlite3_stmt* statement)
        : connection_(connection), statement_(statement) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind_blob(std::string_view bytes);
    Statement& bind_null();
    bool step();  // true: there is a row
    void run() {
        while (step()) {}
    }
    // Ready for the next set of values.
    void reset();

    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    std::string_view view(int column) const;  // valid until the next step
    std::string text(int column) const { return std::string(view(column)); }
    bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

  private:
    Connection& connection_;
    sqlite3_stmt* statement_;
    int next_ = 1;
};

class Connection {
  public:
    Connection(const std::string& path, int flags);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Prepared once per text and kept. One use of a text at a time.
    Statement prepare(const char* sql);
    void execute(const std::string& sql);
    std::int64_t last_row_id() const { return sqlite3_last_insert_rowid(handle_); }
    int changes() const { return sqlite3_changes(handle_); }
    sqlite3* handle() const { return handle_; }
    [[noreturn]] void raise(const std::string& doing) const;

  private:
    sqlite3* handle_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;  // keyed by the literal's address
};

// Many reads as one: the file is locked and the snapshot found once instead of once per statement. Does
// nothing inside another transaction. Statements in use must be gone before it.
class ReadTransaction {
  public:
    explicit ReadTransaction(Connection& connection);
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction();

  private:
    Connection& connection_;
    const bool is_ours_;
};

}  // namespace liaisond::store
