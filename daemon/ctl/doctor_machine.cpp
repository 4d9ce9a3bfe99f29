#include "ctl/doctor_machine.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>

#include <grp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "store/migrations.hpp"
#include "store/sqlite.hpp"

namespace liaisond::ctl {
namespace fs = std::filesystem;

namespace {

template <typename T, void (*release)(T*)>
struct Release {
    void operator()(T* one) const { release(one); }
};
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Certificate = std::unique_ptr<X509, Release<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;

File opened(const std::string& path) { return {std::fopen(path.c_str(), "re"), &std::fclose}; }

// A key with a passphrase is none: nobody is there to type it.
int no_passphrase(char*, int, int, void*) { return 0; }

Account account_of(uid_t user, gid_t usual_group) {
    Account account{user, {usual_group}, std::to_string(user)};
    const passwd* entry = ::getpwuid(user);
    if (entry == nullptr) return account;
    account.name = entry->pw_name;
    int count = 64;
    account.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(entry->pw_name, entry->pw_gid, account.groups.data(), &count) < 0)
        count = 64;  // more than that nobody needs
    account.groups.resize(static_cast<std::size_t>(count));
    return account;
}

// "Max open files            1024                 524288               files": the daemon takes the second.
std::uint64_t file_limit_of(std::int64_t pid) {
    constexpr std::string_view name = "Max open files";
    std::ifstream stream("/proc/" + std::to_string(pid) + "/limits");
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream words(line.substr(name.size()));
        std::uint64_t soft = 0, hard = 0;
        return words >> soft >> hard ? hard : std::numeric_limits<std::uint32_t>::max();
    }
    return 0;
}

std::int64_t number(store::Connection& connection, const char* sql) {
    store::Statement statement = connection.prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::string damage_in(store::Connection& connection) {
    store::Statement statement = connection.prepare("PRAGMA quick_check(1)");
    const std::string told = statement.step() ? statement.text(0) : "no answer";
    return told == "ok" ? "" : told;
}

Finding read_database(const std::string& path) {
    constexpr int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    store::Connection connection(path, flags);
    const std::string damage = damage_in(connection);
    if (!damage.empty())
        return {"database", Verdict::failed, path, "damaged: " + damage,
                "stop liaisond, keep a copy of the file, and restore the last backup"};
    return judge_schema(path, number(connection, "PRAGMA user_version"),
                        static_cast<std::int64_t>(store::migrations.size()));
}

}  // namespace

FileFacts look_at(const fs::path& path) {
    FileFacts facts;
    facts.path = path;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        facts.error = errno;
        return facts;
    }
    facts.mode = info.st_mode;
    facts.user = info.st_uid;
    facts.group = info.st_gid;
    return facts;
}

Account daemon_account(const fs::path& state_dir) {
    const FileFacts folder = look_at(state_dir);
    if (folder.error == 0) return account_of(folder.user, folder.group);
    const passwd* usual = ::getpwnam("liaison");
    return usual != nullptr ? account_of(usual->pw_uid, usual->pw_gid) : account_of(::geteuid(), ::getegid());
}

Finding check_space(const std::string& state_dir) {
    struct statvfs disk {};
    if (::statvfs(state_dir.c_str(), &disk) != 0)
        return {"disk space", Verdict::skipped, state_dir, std::strerror(errno), {}};
    return judge_space(
        state_dir, {static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
                    static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize, disk.f_favail, disk.f_files});
}

Finding check_database(const std::string& path) {
    const FileFacts file = look_at(path);
    if (file.error == ENOENT)
        return {
            "database", Verdict::skipped, path, "not there yet; liaisond makes it when it first starts", {}};
    if (file.error != 0 || ::access(path.c_str(), R_OK) != 0)
        return {"database", Verdict::skipped, path, "it may not be read by whoever asks",
                "run liaisonctl doctor as root, or as the user that runs liaisond"};
    try {
        return read_database(path);
    } catch (const store::SqliteError& error) {
        return {"database", Verdict::failed, path, error.what(),
                "stop liaisond, keep a copy of the file, and restore the last backup"};
    }
}

Finding check_file_limit(std::int64_t pid, std::size_t integrations) {
    if (const std::uint64_t limit = pid == 0 ? 0 : file_limit_of(pid); limit != 0)
        return judge_file_limit("liaisond", limit, integrations);
    rlimit own{};
    ::getrlimit(RLIMIT_NOFILE, &own);
    return judge_file_limit("this session", own.rlim_max, integrations);
}

Finding check_clock_service() {
    // What timedatectl looks at, too; whoever keeps the time tells the kernel.
    constexpr long worst_error_us = 16'000'000;
    timex state{};
    if (::adjtimex(&state) < 0)
        return {"clock service", Verdict::skipped, "the kernel", std::strerror(errno), {}};
    return judge_synchronised(state.maxerror < worst_error_us);
}

CertificateFacts read_certificate(const std::string& certificate, const std::string& key) {
    CertificateFacts facts;
    facts.path = certificate;
    const File file = opened(certificate);
    if (file == nullptr) {
        facts.error = std::string("it cannot be read: ") + std::strerror(errno);
        return facts;
    }
    const Certificate read(::PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
    std::tm expiry{};
    if (read == nullptr || ::ASN1_TIME_to_tm(::X509_get0_notAfter(read.get()), &expiry) != 1) {
        facts.error = "it is no PEM certificate";
        return facts;
    }
    facts.expiry = from_unix_ms(static_cast<std::int64_t>(::timegm(&expiry)) * 1000);
    const File key_file = opened(key);
    if (key_file == nullptr) {
        facts.error = "its key " + key + " cannot be read: " + std::strerror(errno);
        return facts;
    }
    const Key private_key(::PEM_read_PrivateKey(key_file.get(), nullptr, &no_passphrase, nullptr));
    if (private_key == nullptr)
        facts.error = "its key " + key + " is no PEM key without a passphrase";
    else
        facts.matches_key = ::X509_check_private_key(read.get(), private_key.get()) == 1;
    return facts;
}

Finding check_leftovers(const std::vector<fs::path>& folders) {
    std::vector<std::pair<fs::path, std::chrono::seconds>> files;
    for (const fs::path& folder : folders) {
        std::error_code error;
        for (fs::directory_iterator one(folder, error), end; !error && one != end; one.increment(error)) {
            struct stat info {};
            if (one->path().extension() != ".new" || ::stat(one->path().c_str(), &info) != 0) continue;
            files.emplace_back(one->path(), std::chrono::seconds(std::time(nullptr) - info.st_mtime));
        }
    }
    return judge_leftovers(files);
}

}  // namespace liaisond::ctl
