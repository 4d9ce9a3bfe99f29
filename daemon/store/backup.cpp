#include "store/backup.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <fstream>
#include <set>

#include "store/database_impl.hpp"
#include "store/migrations.hpp"

namespace liaisond::store {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "liaison-", suffix = ".db";

Error file_error(const std::string& what, const fs::path& file) {
    return {ErrorKind::transient,
            "cannot " + what + " " + file.string() + ": " + std::strerror(errno) +
                "; is there room, and does its folder belong to the user of the daemon?",
            Milliseconds(0), "backup"};
}

// A file descriptor for as long as it is needed.
class File {
  public:
    File(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

  private:
    int fd_;
};

Status make_durable(const fs::path& path) {
    const File file(path, O_RDONLY);
    if (!file.is_open() || ::fsync(file.fd()) != 0) return fail(file_error("write", path));
    return {};
}

Status rename_file(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return fail(file_error("rename " + from.string() + " to", to));
    return make_durable(to.parent_path().empty() ? fs::path(".") : to.parent_path());
}

// Appears whole or not at all.
Status write_file(const fs::path& path, std::string_view text) {
    const fs::path draft = path.string() + ".partial";
    {
        const File file(draft, O_WRONLY | O_CREAT | O_TRUNC);
        const bool written = file.is_open() && ::write(file.fd(), text.data(), text.size()) ==
                                                   static_cast<ssize_t>(text.size());
        if (!written || ::fsync(file.fd()) != 0) return fail(file_error("write", draft));
    }
    return rename_file(draft, path);
}

Result<std::string> digest_of(const fs::path& path) {
    const File file(path, O_RDONLY);
    if (!file.is_open()) return fail(file_error("read", path));
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    std::array<unsigned char, 65536> part{};
    ssize_t count = 0;
    while ((count = ::read(file.fd(), part.data(), part.size())) > 0)
        crypto_hash_sha256_update(&state, part.data(), static_cast<unsigned long long>(count));
    if (count < 0) return fail(file_error("read", path));
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state, digest.data());
    std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text{};
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    return std::string(text.data());
}

std::int64_t number_of(Connection& connection, const char* sql) {
    Statement select = connection.prepare(sql);
    return select.step() ? select.integer(0) : 0;
}

tl::unexpected<Error> damaged(const fs::path& file, const std::string& how) {
    return fail({ErrorKind::permanent,
                 file.string() + " is damaged: " + how + "; take an older backup",
                 {},
                 "damaged"});
}

// Looks at every page, and at what the rows say of each other.
Status look_through(Connection& connection, const fs::path& file) {
    Statement check = connection.prepare("PRAGMA integrity_check(1)");
    const std::string found = check.step() ? check.text(0) : "no answer";
    if (found != "ok") return damaged(file, found);
    return {};
}

Result<Backup> describe(const fs::path& file) {
    return guarded(file.string(), [&]() -> Result<Backup> {
        Connection connection(file.string(), SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX);
        Backup made;
        made.file = file;
        made.schema = number_of(connection, "PRAGMA user_version");
        const bool is_ours =
            made.schema > 0 &&
            number_of(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'mappings'") == 1;
        if (!is_ours) return fail(ErrorKind::permanent, file.string() + " is no database of liaison's");
        if (made.schema > static_cast<std::int64_t>(migrations.size())) {
            return fail(ErrorKind::permanent, file.string() + " was made by a newer liaison (schema " +
                                                  std::to_string(made.schema) + ", this one knows " +
                                                  std::to_string(migrations.size()) +
                                                  "); install that version first");
        }
        const Status sound = look_through(connection, file);
        if (!sound) return fail(sound.error());
        if (made.schema >= 4) {
            Statement keys =
                connection.prepare("SELECT DISTINCT lower(hex(substr(sealed, 3, 4))) FROM vault");
            while (keys.step()) made.keys.push_back(keys.text(0));
        }
        return made;
    });
}

std::string manifest(const Backup& backup) {
    json::array keys(backup.keys.begin(), backup.keys.end());
    return json::serialize(json::object{
               {"made_at", format_instant(backup.at)},
               {"version", LIAISON_VERSION},
               {"schema", backup.schema},
               {"bytes", backup.bytes},
               {"sha256", backup.sha256},
               {"vault_keys", std::move(keys)},
               {"note",
                "The key of the vault is not in this backup. Without the key file (daemon.vault_key, by "
                "default vault.key in the state directory) that has these key ids the secrets in it cannot "
                "be "
                "read; keep a copy of it elsewhere."}}) +
           "\n";
}

// "liaison-20261121T033000Z.db"
std::string name_of(Instant at) {
    std::string text = format_instant(at).substr(0, 19);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return std::string(prefix) + text + "Z" + std::string(suffix);
}

std::optional<Instant> moment_of(const std::string& name) {
    if (name.size() != prefix.size() + 16 + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix))
        return std::nullopt;
    const std::string t = name.substr(prefix.size(), 16);
    return parse_instant(t.substr(0, 4) + "-" + t.substr(4, 2) + "-" + t.substr(6, 5) + ":" +
                         t.substr(11, 2) + ":" + t.substr(13));
}

void remove_backup(const fs::path& file) {
    std::error_code ignored;
    for (const char* part : {".sha256", ".json", ""}) fs::remove(file.string() + part, ignored);
}

void rotate(const fs::path& folder, const BackupsKept& kept) {
    std::vector<Instant> moments;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto moment = moment_of(entry.path().filename().string());
        if (moment) moments.push_back(*moment);
    }
    for (const Instant at : expired_backups(std::move(moments), kept)) remove_backup(folder / name_of(at));
}

// All of it in the one file, which needs no other beside it.
Status settle_into_one_file(const fs::path& file) {
    return guarded(file.string(), [&]() -> Status {
        Connection connection(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
        Statement mode = connection.prepare("PRAGMA journal_mode = DELETE");
        if (!mode.step() || mode.text(0) != "delete")
            return fail(ErrorKind::internal, file.string() + " cannot be closed as one file");
        return {};
    });
}

// What the manifest beside a backup says; nothing where it says none.
std::optional<Instant> moment_told(const fs::path& manifest) {
    std::ifstream in(manifest);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    const json::value* at = !error && value.is_object() ? value.get_object().if_contains("made_at") : nullptr;
    return at != nullptr && at->is_string() ? parse_instant(at->get_string()) : std::nullopt;
}

std::string first_word(const fs::path& file) {
    std::ifstream in(file);
    std::string word;
    in >> word;
    return word;
}

}  // namespace

Result<Backup> make_backup(const std::string& database, const fs::path& to, Instant at) {
    const fs::path draft = to.string() + ".partial";
    std::error_code ignored;
    fs::remove(draft, ignored);
    // Before SQLite: nobody else may read it at any moment.
    if (const File made(draft, O_RDWR | O_CREAT | O_EXCL); !made.is_open())
        return fail(file_error("write", draft));
    const auto finished = [&]() -> Result<Backup> {
        Status done = Database::copy(database, draft.string());
        if (done) done = settle_into_one_file(draft);
        if (!done) return fail(done.error());
        auto made = describe(draft);
        if (!made) return made;
        auto digest = digest_of(draft);
        if (!digest) return fail(digest.error());
        made->file = to;
        made->at = at;
        made->sha256 = *digest;
        made->bytes = static_cast<std::int64_t>(fs::file_size(draft, ignored));
        done = make_durable(draft);
        // The digest first: a backup without it would pass for one that was never checked.
        const std::string line = *digest + "  " + to.filename().string() + "\n";
        if (done) done = write_file(to.string() + ".sha256", line);
        if (done) done = write_file(to.string() + ".json", manifest(*made));
        if (done) done = rename_file(draft, to);
        if (!done) return fail(done.error());
        return made;
    }();
    if (!finished) fs::remove(draft, ignored);
    return finished;
}

Result<Backup> make_daily_backup(const std::string& database, const fs::path& folder, const BackupsKept& kept,
                                 Instant at) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        return fail(ErrorKind::config, "cannot make the folder for backups " + folder.string() + ": " +
                                           error.message() + "; check backup.to");
    // What one that was cut short left behind.
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        std::error_code ignored;
        if (name.starts_with(prefix) && name.ends_with(".partial")) fs::remove(entry.path(), ignored);
    }
    auto made = make_backup(database, folder / name_of(at), at);
    if (made) rotate(folder, kept);
    return made;
}

std::vector<Instant> expired_backups(std::vector<Instant> moments, const BackupsKept& kept) {
    std::sort(moments.rbegin(), moments.rend());
    std::set<std::int64_t> days, weeks;
    std::vector<Instant> expired;
    for (const Instant at : moments) {
        const auto day = std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
        const auto week = (day + 3) / 7;  // from Monday; the epoch was a Thursday
        const bool is_daily = days.size() < kept.daily && days.insert(day).second;
        const bool is_weekly = weeks.size() < kept.weekly && weeks.insert(week).second;
        if (!is_daily && !is_weekly) expired.push_back(at);
    }
    return expired;
}

Result<Backup> check_backup(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error))
        return fail(ErrorKind::permanent, "there is no backup " + file.string());
    auto digest = digest_of(file);
    if (!digest) return fail(digest.error());
    const fs::path beside = file.string() + ".sha256";
    if (fs::exists(beside, error) && first_word(beside) != *digest)
        return damaged(file, "its digest is not the one in " + beside.string());
    auto found = describe(file);
    if (!found) {
        const bool is_unreadable = found.error().code == "corrupt";
        return is_unreadable ? Result<Backup>(damaged(file, found.error().message)) : found;
    }
    found->sha256 = *digest;
    found->bytes = static_cast<std::int64_t>(fs::file_size(file, error));
    auto moment = moment_of(file.filename().string());
    if (!moment) moment = moment_told(file.string() + ".json");
    struct stat facts {};
    const bool known = ::stat(file.c_str(), &facts) == 0;
    found->at =
        moment.value_or(from_unix_ms(known ? static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1000 : 0));
    return found;
}

namespace {

// What was about to be sent may have been sent after the backup was made: it is asked for first. Returns how
// many.
Result<std::int64_t> doubt_everything(const std::string& path, const Backup& backup, Instant now) {
    auto database = Database::open(path, Access::write);  // brings it to this version
    if (!database) return fail(database.error());
    Status done = (*database)->begin();
    auto doubtful = done ? (*database)->doubt_intents(now) : Result<std::int64_t>(fail(done.error()));
    if (!doubtful) return doubtful;
    const json::object told{{"file", backup.file.string()},
                            {"made_at", format_instant(backup.at)},
                            {"restored_at", format_instant(now)}};
    done = (*database)->save_state(restored_state, "", json::serialize(told));
    if (done) done = (*database)->commit();
    if (!done) return fail(done.error());
    return doubtful;
}

// The database that is there, in a file of another name beside it; its own stays until another takes its
// place.
Result<fs::path> set_aside(const std::string& database, Instant now) {
    std::error_code error;
    if (!fs::exists(database, error)) return fs::path();
    std::string moment = format_instant(now).substr(0, 19);
    std::erase_if(moment, [](char c) { return c == '-' || c == ':'; });
    const fs::path aside = database + ".before-restore-" + moment + "Z";
    // What its journal holds belongs to it. One that is damaged keeps its journal under the same name.
    (void)settle_into_one_file(database);
    for (const char* part : {"-wal", "-shm"}) {
        const fs::path from = database + part;
        if (!fs::exists(from, error)) continue;
        const Status moved = rename_file(from, aside.string() + part);
        if (!moved) return fail(moved.error());
    }
    fs::create_hard_link(database, aside, error);
    if (error)
        return fail(ErrorKind::transient, "cannot keep " + database + " as " + aside.string() + ": " +
                                              error.message() + "; nothing was restored");
    return aside;
}

}  // namespace

Result<Restored> restore_backup(const fs::path& file, const std::string& database, Instant now) {
    auto backup = check_backup(file);
    if (!backup) return fail(backup.error());
    const std::string draft = database + ".restoring";
    std::error_code error;
    for (const char* part : {"", "-wal", "-shm"}) fs::remove(draft + part, error);
    if (const File made(draft, O_RDWR | O_CREAT | O_EXCL); !made.is_open())
        return fail(file_error("write", draft));
    fs::copy_file(file, draft, fs::copy_options::overwrite_existing, error);
    if (error) {
        return fail(ErrorKind::transient, "cannot copy " + file.string() + " to " + draft + ": " +
                                              error.message() + "; is there room?");
    }
    Restored restored;
    restored.backup = *backup;
    auto doubtful = doubt_everything(draft, *backup, now);
    if (!doubtful) return fail(doubtful.error());
    restored.doubtful = *doubtful;
    Status done = settle_into_one_file(draft);
    if (done) done = make_durable(draft);
    if (!done) return fail(done.error());
    auto aside = set_aside(database, now);
    if (!aside) return fail(aside.error());
    restored.aside = *aside;
    done = rename_file(draft, database);
    if (!done) return fail(done.error());
    return restored;
}

}  // namespace liaisond::store
