#include "plugin/trust.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/file_digest.hpp"
#include "plugin/unique_fd.hpp"

namespace liaisond::plugin {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> refused(std::string sentence) { return fail(ErrorKind::config, std::move(sentence)); }

bool is_trusted_user(uid_t user, TrustPolicy::Owner owner) {
    return user == 0 || (owner == TrustPolicy::Owner::self && user == ::geteuid());
}

std::string who_may(TrustPolicy::Owner owner) {
    return owner == TrustPolicy::Owner::root ? "root" : "root or the user of liaisond";
}

// Who could put another file into its place; as sshd asks of authorized_keys (auth2-pubkeyfile.c). A folder
// with the sticky bit, such as /tmp, lets nobody rename what is not theirs.
Status folder_problem(const fs::path& file, TrustPolicy::Owner owner) {
    for (fs::path folder = file.parent_path();; folder = folder.parent_path()) {
        struct stat status {};
        if (::stat(folder.c_str(), &status) != 0)
            return refused("folder " + folder.string() + " of plugin " + file.string() +
                           " cannot be looked at: " + std::strerror(errno));
        const bool is_shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0;
        if (!is_trusted_user(status.st_uid, owner) || is_shared) {
            return refused("plugin " + file.string() + " is not loaded: others than " + who_may(owner) +
                           " can exchange it, for they may write to " + folder.string() +
                           ": run chown root " + folder.string() + "; chmod go-w " + folder.string());
        }
        if (folder == folder.root_path()) return {};
    }
}

Status file_problem(const std::string& path, const struct stat& status, TrustPolicy::Owner owner) {
    if (!S_ISREG(status.st_mode)) return refused("plugin " + path + " is not a file");
    if (!is_trusted_user(status.st_uid, owner)) {
        return refused("plugin " + path + " is not loaded: it belongs to user " +
                       std::to_string(status.st_uid) + ", not to " + who_may(owner) +
                       ": if it is what its vendor gave you, run chown root " + path);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return refused("plugin " + path +
                       " is not loaded: others than its owner may write to it: if it is what its "
                       "vendor gave you, run chmod go-w " +
                       path);
    }
    return {};
}

std::string known_keys(const TrustPolicy& policy) {
    std::string text;
    for (const auto& [name, key] : policy.keys)
        text += (text.empty() ? "" : ", ") + name + " (" + key.id_text() + ")";
    return text.empty() ? "none" : text;
}

}  // namespace

std::string signature_file(const std::string& plugin) { return plugin + ".minisig"; }

Result<FileHash> file_hash(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return fail(ErrorKind::internal, path + " cannot be read: " + std::strerror(errno));
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, sizeof(FileHash));
    const Status read = read_through(fd.get(), [&](std::span<const unsigned char> piece) {
        crypto_generichash_update(&state, piece.data(), piece.size());
    });
    if (!read) return fail(ErrorKind::internal, path + " " + read.error().message);
    FileHash hash{};
    crypto_generichash_final(&state, hash.data(), hash.size());
    return hash;
}

Status check_signature(const std::string& path, const TrustPolicy& policy, Examined& into) {
    const std::string file = signature_file(path);
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        if (!policy.require_signatures) return {};
        return refused("plugin " + path + " is not loaded: it has no signature (" + file +
                       "), and daemon.plugin_trust.require_signatures is set: ask its vendor for one");
    }
    std::ostringstream text;
    text << in.rdbuf();
    const auto signature = Signature::parse(text.view());
    if (!signature)
        return refused("plugin " + path + " is not loaded: " + file + " " + signature.error().message);
    const auto hash = file_hash(path);
    if (!hash) return refused(hash.error().message);
    for (const auto& [name, key] : policy.keys) {
        if (key.id != signature->key_id) continue;
        if (!signature->proves(*hash, key)) {
            return refused(
                "plugin " + path + " is not loaded: its signature by " + name +
                " does not fit: the file or the signature was changed or is damaged; install it anew");
        }
        into.signed_by = name;
        return {};
    }
    const std::string what = "is signed with key " + signature->id_text() +
                             ", which is not among the trusted ones (" + known_keys(policy) +
                             "): if you trust it, add it to daemon.plugin_trust.keys";
    if (policy.require_signatures) return refused("plugin " + path + " is not loaded: it " + what);
    into.warning = path + " " + what;
    return {};
}

Result<Examined> examine(const std::string& path, const TrustPolicy& policy) {
    std::error_code problem;
    const fs::path real = fs::canonical(path, problem);
    const UniqueFd fd(problem ? -1 : ::open(real.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0)
        return refused("plugin " + path +
                       " cannot be opened: " + (problem ? problem.message() : std::strerror(errno)));
    if (Status owner = file_problem(path, status, policy.owner); !owner) return fail(owner.error());
    if (Status folder = folder_problem(real, policy.owner); !folder) return fail(folder.error());
    Examined made;
    auto digest = file_digest(fd.get());
    if (!digest) return refused("plugin " + path + " " + digest.error().message);
    made.digest = std::move(*digest);
    if (Status signed_well = check_signature(path, policy, made); !signed_well)
        return fail(signed_well.error());
    return made;
}

}  // namespace liaisond::plugin
