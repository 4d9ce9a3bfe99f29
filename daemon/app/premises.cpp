#include "app/premises.hpp"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include <boost/asio/post.hpp>
#include <cstring>
#include <ctime>
#include <filesystem>

namespace liaisond::app {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

constexpr std::string_view archive_prefix = "logs-", archive_suffix = ".ndjson.gz";
constexpr int gzip_window = 15 + 16;  // zlib.h: the largest one, with a gzip header

Result<std::string> compressed(std::string_view text) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return fail(ErrorKind::internal, "the log archive could not be compressed: out of memory");
    std::string made(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(made.data());
    stream.avail_out = static_cast<uInt>(made.size());
    const int ended = deflate(&stream, Z_FINISH);
    made.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END)
        return fail(ErrorKind::internal,
                    "the log archive could not be compressed: zlib answered " + std::to_string(ended));
    return made;
}

}  // namespace

std::optional<Instant> certificate_end(const std::string& file) {
    std::FILE* const in = std::fopen(file.c_str(), "re");
    if (in == nullptr) return std::nullopt;
    X509* const certificate = PEM_read_X509(in, nullptr, nullptr, nullptr);
    std::fclose(in);
    if (certificate == nullptr) return std::nullopt;
    std::tm end{};
    const bool is_known = ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    X509_free(certificate);
    if (!is_known) return std::nullopt;
    return from_unix_ms(static_cast<std::int64_t>(timegm(&end)) * 1000);
}

Status append_compressed(const std::string& file, std::string_view text) {
    auto member = compressed(text);
    if (!member) return fail(member.error());
    std::error_code error;
    fs::create_directories(fs::path(file).parent_path(), error);
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const off_t before = fd < 0 ? 0 : ::lseek(fd, 0, SEEK_END);
    bool fine =
        fd >= 0 && ::write(fd, member->data(), member->size()) == static_cast<ssize_t>(member->size());
    fine = fine && ::fsync(fd) == 0;
    const int reason = errno;
    // Half a member would make the rest of the file unreadable.
    if (fd >= 0 && !fine) (void)!::ftruncate(fd, before);
    if (fd >= 0) ::close(fd);
    if (fine) return {};
    return fail(ErrorKind::transient, "cannot write the log archive " + file + ": " + std::strerror(reason) +
                                          "; the rows stay in the database");
}

Premises::Premises(asio::io_context& core, std::string state_dir)
    : core_(core), state_dir_(std::move(state_dir)) {}

template <class R, class Work>
void Premises::beside(Work work, Completion<R> done) {
    asio::post(side_, [this, work = std::move(work), done = std::move(done)]() mutable {
        asio::post(core_, [result = work(), done = std::move(done)]() mutable { done(std::move(result)); });
    });
}

sync::Premises::Facts Premises::look() {
    Facts facts;
    facts.suspects = suspects_;
    facts.disk = state_dir_;
    struct statvfs disk {};
    if (::statvfs(state_dir_.c_str(), &disk) == 0) {
        facts.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
        facts.disk_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    }
    if (certificate_.empty()) return facts;
    facts.certificate = certificate_;
    facts.certificate_end = certificate_end(certificate_);
    return facts;
}

void Premises::back_up(const config::BackupPlan& plan, Instant at, Completion<Result<store::Backup>> done) {
    const store::BackupsKept kept{plan.daily, plan.weekly};
    beside<Result<store::Backup>>(
        [from = database(), to = plan.to, kept, at] { return store::make_daily_backup(from, to, kept, at); },
        std::move(done));
}

void Premises::back_up_to(const std::string& file, Instant at, Completion<Result<store::Backup>> done) {
    const fs::path folder = state_dir_ + "/backups";
    beside<Result<store::Backup>>(
        [from = database(), folder, file, at] {
            return file.empty() ? store::make_daily_backup(from, folder, {}, at)
                                : store::make_backup(from, file, at);
        },
        std::move(done));
}

void Premises::archive(const std::string& day, std::string lines, Completion<Status> done) {
    const std::string file =
        state_dir_ + "/archive/" + std::string(archive_prefix) + day + std::string(archive_suffix);
    beside<Status>([file, lines = std::move(lines)] { return append_compressed(file, lines); },
                   std::move(done));
}

void Premises::drop_archives(const std::string& before, Completion<Result<std::int64_t>> done) {
    const auto work = [folder = state_dir_ + "/archive", before]() -> Result<std::int64_t> {
        std::int64_t gone = 0;
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            const std::string name = entry.path().filename().string();
            const bool is_ours = name.size() == archive_prefix.size() + 10 + archive_suffix.size() &&
                                 name.starts_with(archive_prefix) && name.ends_with(archive_suffix);
            if (!is_ours || name.substr(archive_prefix.size(), 10) >= before) continue;
            std::error_code ignored;
            gone += fs::remove(entry.path(), ignored) ? 1 : 0;
        }
        return gone;
    };
    beside<Result<std::int64_t>>(work, std::move(done));
}

}  // namespace liaisond::app
