// Backups of the hub's database: one file each, with its digest (FILE.sha256, as sha256sum reads it) and what
// it is (FILE.json) beside it. The key of the vault is never part of one. All of it blocks: not for the core.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace liaisond::store {

struct Backup {
    std::filesystem::path file;
    Instant at{};
    std::int64_t bytes = 0, schema = 0;  // schema: the version of its tables
    std::string sha256;                  // in hexadecimal
    std::vector<std::string> keys;       // ids of the vault's keys that its secrets are sealed with
};

// How many are kept: the newest of each of the last `daily` days and `weekly` weeks (in UTC).
struct BackupsKept {
    std::uint32_t daily = 7, weekly = 4;
};

// Copies the database as it is at one moment, whoever works with it, into `to`, and looks whether the copy is
// sound before it gets its name. Mode 0600.
Result<Backup> make_backup(const std::string& database, const std::filesystem::path& to, Instant at);
// The same in a folder, named after the moment; then what is no longer kept there is removed. The folder is
// made where it is missing.
Result<Backup> make_daily_backup(const std::string& database, const std::filesystem::path& folder,
                                 const BackupsKept& kept, Instant at);
// Which of these moments are not kept, `moments` in any order.
std::vector<Instant> expired_backups(std::vector<Instant> moments, const BackupsKept& kept);

// Is it whole (its digest, where there is one), sound, and of a version that this liaison knows? Errors say
// what to do.
Result<Backup> check_backup(const std::filesystem::path& file);

struct Restored {
    Backup backup;
    std::filesystem::path aside;  // where the database went that was there; empty: there was none
    std::int64_t doubtful = 0;    // sends that have to be asked for before they are sent
};
// Puts the backup in the place of `database`, whose folder the caller holds locked; what was there stands
// aside afterwards. In the restored one nothing counts as not sent: what was open when it was made may have
// been executed since. The daemon that starts with it is told (state "restored").
Result<Restored> restore_backup(const std::filesystem::path& file, const std::string& database, Instant now);

// The state of that name and key tells the daemon, as JSON: {"made_at", "restored_at", "file"}.
inline constexpr const char* restored_state = "restored";

}  // namespace liaisond::store
