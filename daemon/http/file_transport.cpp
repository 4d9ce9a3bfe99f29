#include "http/file_transport.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

namespace liaisond::http {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_listing = 10'000;

class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

Response answer(std::uint32_t status, std::string body = {}) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    response.bytes = response.body.size();
    return response;
}

Response refused(const std::string& path) {
    Response response;
    response.failure = Response::Failure::refused;
    response.error = path + " is outside the folders that this integration's settings name";
    return response;
}

// A disk error as a vendor's answer would be: 404, 403, 507, else 500, with a sentence in the body.
Response disk_failure(const std::string& doing, int code) {
    const std::uint32_t status = code == ENOENT || code == ENOTDIR                                   ? 404
                                 : code == EACCES || code == EPERM || code == ELOOP || code == EROFS ? 403
                                 : code == ENOSPC || code == EDQUOT                                  ? 507
                                                                                                     : 500;
    return answer(status, "cannot " + doing + ": " + std::strerror(code));
}

std::string_view header(const Request& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
        if (key.size() == name.size() && std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) {
                return std::tolower(a) == std::tolower(b);
            }))
            return value;
    }
    return {};
}

// The path of a file: URL, percent-decoded; nothing when it is not one on this machine.
std::optional<fs::path> path_of(const std::string& url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (parsed.has_error() || parsed->scheme() != "file" || !parsed->encoded_host().empty())
        return std::nullopt;
    std::string path = parsed->path();
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) return std::nullopt;
    return fs::path(path);
}

// Does the path, symbolic links resolved, lie in an allowed folder?
bool allowed(const Request& request, const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    if (error || !request.egress) return false;
    for (const std::string& folder : request.egress->folders) {
        const fs::path root = fs::weakly_canonical(fs::path(folder), error);
        if (error) continue;
        const auto [end, ignored] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
        if (end == root.end() || (std::next(end) == root.end() && end->empty())) return true;
    }
    return false;
}

std::string etag_of(const struct stat& info) {
    return "\"" + std::to_string(info.st_ino) + "-" + std::to_string(info.st_size) + "-" +
           std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "\"";
}

Response list(const fs::path& folder) {
    boost::json::array entries;
    std::error_code error;
    fs::directory_iterator at(folder, error);
    if (error) return disk_failure("list " + folder.string(), error.value());
    for (; at != fs::directory_iterator() && entries.size() < max_listing; at.increment(error)) {
        struct stat info {};
        if (::lstat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        entries.push_back({{"name", at->path().filename().string()},
                           {"size", info.st_size},
                           {"modified_ms", info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000}});
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.at("name").as_string() < b.at("name").as_string();
    });
    Response response = answer(200, boost::json::serialize(entries));
    response.headers.emplace_back("Content-Type", "application/json");
    return response;
}

// "bytes=first-last" (both included); last may be missing.
bool parse_range(std::string_view text, std::uint64_t& first, std::uint64_t& last) {
    if (!text.starts_with("bytes=")) return false;
    text.remove_prefix(6);
    const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), first);
    if (error != std::errc() || after == text.data() + text.size() || *after != '-') return false;
    const char* rest = after + 1;
    if (rest == text.data() + text.size()) return true;
    const auto [end, failed] = std::from_chars(rest, text.data() + text.size(), last);
    return failed == std::errc() && end == text.data() + text.size() && last >= first;
}

Response read(const Request& request, const fs::path& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) return disk_failure("open " + path.string(), errno);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return disk_failure("look at " + path.string(), errno);
    if (!S_ISREG(info.st_mode)) return answer(404, path.string() + " is no regular file");
    const std::string etag = etag_of(info);
    if (const std::string_view wanted = header(request, "If-Match"); !wanted.empty() && wanted != etag) {
        return answer(412, path.string() + " has changed");
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    std::uint64_t first = 0;
    std::uint64_t last = size == 0 ? 0 : size - 1;
    const std::string_view range = header(request, "Range");
    if (!range.empty() && (!parse_range(range, first, last) || (first >= size && size > 0)))
        return answer(416, "the range lies outside the file");
    const std::uint64_t count = size == 0 ? 0 : std::min(last, size - 1) - first + 1;
    if (count > request.max_body)
        return answer(413, path.string() + " is larger than the limit; ask for ranges");
    Response response = answer(range.empty() ? 200 : 206);
    response.body.resize(count);
    for (std::uint64_t got = 0; got < count;) {
        const ssize_t n =
            ::pread(file.get(), response.body.data() + got, count - got, static_cast<off_t>(first + got));
        if (n < 0) return disk_failure("read " + path.string(), errno);
        if (n == 0) return answer(412, path.string() + " became shorter while it was read");
        got += static_cast<std::uint64_t>(n);
    }
    response.bytes = count;
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("Content-Length", std::to_string(count));
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                       std::to_string(first + count - (count > 0 ? 1 : 0)) +
                                                       "/" + std::to_string(size));
    return response;
}

// What was renamed or linked into a folder is durable once the folder is synced.
bool sync_folder(const fs::path& folder) {
    const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd && ::fsync(fd.get()) == 0;
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return ::fsync(fd) == 0;
}

// Written beside the target and linked or renamed into place: the file is there whole or not at all.
Response write(const Request& request, const fs::path& path) {
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    const fs::path temporary = path.parent_path() / ("." + path.filename().string() + ".liaison-part");
    {
        const FileDescriptor file(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
        if (!file) return disk_failure("create " + temporary.string(), errno);
        if (!write_all(file.get(), request.body)) {
            const int code = errno;
            ::unlink(temporary.c_str());
            return disk_failure("write " + path.string(), code);
        }
    }
    const bool only_new = header(request, "If-None-Match") == "*";
    const int placed =
        only_new ? ::link(temporary.c_str(), path.c_str()) : ::rename(temporary.c_str(), path.c_str());
    const int code = errno;
    if (only_new || placed != 0) ::unlink(temporary.c_str());
    if (placed != 0)
        return code == EEXIST ? answer(412, path.string() + " exists already")
                              : disk_failure("place " + path.string(), code);
    if (!sync_folder(path.parent_path())) return disk_failure("sync " + path.parent_path().string(), errno);
    return answer(201);
}

Response move(const Request& request, const fs::path& path) {
    const auto target = path_of(std::string(header(request, "Destination")));
    if (!target) return answer(400, "MOVE needs a Destination header with a file: URL");
    if (!allowed(request, *target)) return refused(target->string());
    std::error_code ignored;
    fs::create_directories(target->parent_path(), ignored);
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, target->c_str(), RENAME_NOREPLACE) != 0) {
        return errno == EEXIST ? answer(412, target->string() + " exists already")
                               : disk_failure("move " + path.string() + " to " + target->string(), errno);
    }
    if (!sync_folder(target->parent_path()) || !sync_folder(path.parent_path()))
        return disk_failure("sync " + path.parent_path().string(), errno);
    return answer(201);
}

}  // namespace

Response perform_file_request(const Request& request) {
    const auto path = path_of(request.url);
    if (!path) return refused(request.url);
    if (!allowed(request, *path)) return refused(path->string());
    if (request.method == "GET") return request.url.ends_with('/') ? list(*path) : read(request, *path);
    if (request.method == "PUT" && request.mutates) return write(request, *path);
    if (request.method == "MOVE" && request.mutates) return move(request, *path);
    return answer(405, "file: knows GET, and marked as mutating PUT and MOVE");
}

FileTransport::FileTransport(Post post) : post_(std::move(post)) {}
FileTransport::~FileTransport() { disk_.join(); }

void FileTransport::send(Request request, Completion<Response> done) {
    boost::asio::post(disk_, [this, request = std::move(request), done = std::move(done)]() mutable {
        Response response = perform_file_request(request);
        post_([done = std::move(done), response = std::move(response)]() mutable {
            done(std::move(response));
        });
    });
}

void FileTransport::cancel(const std::string&) {}

}  // namespace liaisond::http
