// What the parts of Database share: the connection, the dictionary of names, and the edge where exceptions
// end.
#pragma once

#include <string>
#include <unordered_map>

#include "base/fault_point.hpp"
#include "store/database.hpp"
#include "store/sqlite.hpp"

namespace liaisond::store {

struct Database::Impl {
    Impl(const std::string& path, int flags) : connection(path, flags), path(path) {}

    // Number of a name; a writer adds unknown ones, a reader answers -1, which matches no row.
    std::int64_t number(const std::string& name);
    std::string name(std::int64_t number);
    // Names that a rolled-back transaction added are gone from the file; forget them.
    void forget_names() { numbers.clear(), by_number.clear(); }
    std::vector<InboxEvent> events(Statement& select, std::size_t most_bytes = std::size_t(-1));

    Connection connection;
    std::string path;
    bool writes = false;
    std::unordered_map<std::string, std::int64_t> numbers;
    std::unordered_map<std::int64_t, std::string> by_number;
};

std::string uuid_bytes(std::string_view text);  // 36 characters to 16 bytes; empty when it is no UUID
std::string uuid_text(std::string_view bytes);

// Turns an SQLite failure into an Error that says what to do.
Error store_error(const SqliteError& error, const std::string& path);

// Throws as SQLite does when the disk fails or is full; nothing otherwise.
void play_failure(FaultFailure failure);

// Runs `work`, whose SqliteErrors become Errors.
template <class Work>
auto guarded(const std::string& path, Work work) -> decltype(work()) {
    try {
        return work();
    } catch (const SqliteError& error) { return fail(store_error(error, path)); }
}

}  // namespace liaisond::store
