#include "auth/vault.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/ids.hpp"
#include "base/redact.hpp"

namespace liaisond::auth {
namespace fs = std::filesystem;
namespace {

constexpr char version = 1;
constexpr std::size_t key_size = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t head_size = 1 + 4;

constexpr const char* file_head =
    "# The key of liaison's vault. Whoever has it and the database has every secret; without it the secrets "
    "of a\n"
    "# backup are lost. Keep a copy apart from the backups.\n";

std::string text_of_id(std::uint32_t id) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(id >> shift & 0xFF);
    return bytes;
}

std::uint32_t id_in(std::string_view bytes) {
    std::uint32_t id = 0;
    for (const char byte : bytes.substr(0, 4)) id = id << 8 | static_cast<unsigned char>(byte);
    return id;
}

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string decoded(text.size(), '\0');
    std::size_t length = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(decoded.data()), decoded.size(), text.data(),
                          text.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
        return std::nullopt;
    decoded.resize(length);
    return decoded;
}

// What people call it.
std::string spoken(std::string_view name) {
    return std::string(name.starts_with("secret/") ? name.substr(7) : name);
}

std::string associated(std::string_view name) { return "vault|value|" + std::string(name); }

tl::unexpected<Error> no_file(const fs::path& file, const std::string& what, const std::string& advice) {
    return fail(ErrorKind::config, "the key of the vault, " + file.string() + ", " + what + "; " + advice);
}

// Written beside it, synced, and put in its place: a crash leaves the old keys or the new.
Status write_durably(const fs::path& file, const std::string& text) {
    const std::string beside = file.string() + ".new";
    const int handle = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool fine = handle >= 0;
    for (std::size_t at = 0; fine && at < text.size();) {
        const ssize_t written = ::write(handle, text.data() + at, text.size() - at);
        fine = written > 0;
        at += fine ? static_cast<std::size_t>(written) : 0;
    }
    fine = fine && ::fsync(handle) == 0;
    if (handle >= 0) ::close(handle);
    fine = fine && ::rename(beside.c_str(), file.c_str()) == 0;
    if (!fine)
        return no_file(file, std::string("cannot be written: ") + std::strerror(errno), "check its folder");
    const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return {};
}

// Credentials of systemd 254 and newer are root's, in a folder that is closed to others; the bits of their
// group are the mask of the list that lets the daemon's user in (acl(5)).
bool is_credential(const fs::path& file) {
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    return folder != nullptr && file.parent_path() == fs::path(folder);
}

}  // namespace

Result<Vault> Vault::open(const fs::path& file, Random& random, bool create) {
    Vault vault;
    vault.file_ = file;
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        if (errno != ENOENT || !create)
            return no_file(file, std::string("cannot be read: ") + std::strerror(errno),
                           "restore it from where it was kept; the secrets in the vault are lost without it");
        const Status made = vault.add_key(random);
        if (!made) return fail(made.error());
        return vault;
    }
    if ((info.st_mode & 077) != 0 && !is_credential(file))
        return no_file(file, "may be read by others", "run: chmod 600 " + file.string());
    std::ifstream stream(file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        if (line.empty() || line.starts_with("#")) continue;
        const std::size_t blank = line.find(' ');
        std::uint32_t id = 0;
        const auto [end, error] =
            std::from_chars(line.data(), line.data() + std::min(blank, line.size()), id, 16);
        const auto key =
            blank == std::string::npos ? std::nullopt : from_base64(std::string_view(line).substr(blank + 1));
        sodium_memzero(line.data(), line.size());
        if (error != std::errc() || !key || key->size() != key_size)
            return no_file(file, "line " + std::to_string(number) + " is no key",
                           "restore it from where it was kept");
        vault.keys_.push_back({id, Secret(*key)});
    }
    if (vault.keys_.empty()) return no_file(file, "holds no key", "restore it from where it was kept");
    return vault;
}

Vault Vault::of_key(Secret key) {
    Vault vault;
    vault.keys_.push_back({1, std::move(key)});
    return vault;
}

std::string Vault::seal(std::string_view name, const Secret& value, Random& random) const {
    const Key& key = keys_.front();
    std::array<std::uint8_t, nonce_size> nonce{};
    random.fill(nonce);
    const std::string bound = associated(name);
    std::string sealed(1, version);
    sealed += text_of_id(key.id);
    sealed.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    const std::size_t head = sealed.size();
    sealed.resize(head + value.reveal().size() + tag_size);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        reinterpret_cast<unsigned char*>(sealed.data() + head), nullptr, bytes(value.reveal()),
        value.reveal().size(), bytes(bound), bound.size(), nullptr, nonce.data(), bytes(key.bytes.reveal()));
    return sealed;
}

Result<Secret> Vault::unseal(std::string_view name, std::string_view sealed) const {
    const auto damaged = [&] {
        return fail(ErrorKind::internal,
                    "the secret '" + spoken(name) +
                        "' in the vault is damaged; set it again: liaisonctl secret set " + spoken(name));
    };
    if (sealed.size() < head_size + nonce_size + tag_size || sealed[0] != version) return damaged();
    const Key* key = find(id_in(sealed.substr(1)));
    if (key == nullptr)
        return fail(
            ErrorKind::config,
            "the secret '" + spoken(name) + "' was sealed with another key than those in " + file_.string() +
                "; restore that key file, or set the secret again: liaisonctl secret set " + spoken(name));
    const std::string bound = associated(name);
    const std::string_view nonce = sealed.substr(head_size, nonce_size);
    const std::string_view body = sealed.substr(head_size + nonce_size);
    std::string value(body.size() - tag_size, '\0');
    const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
        reinterpret_cast<unsigned char*>(value.data()), nullptr, nullptr, bytes(body), body.size(),
        bytes(bound), bound.size(), bytes(nonce), bytes(key->bytes.reveal()));
    if (opened != 0) return damaged();
    return Secret(std::move(value));
}

const Vault::Key* Vault::find(std::uint32_t id) const {
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [id](const Key& key) { return key.id == id; });
    return found == keys_.end() ? nullptr : &*found;
}

Status Vault::add_key(Random& random) {
    std::string fresh(key_size, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(fresh.data()), fresh.size()});
    std::uint32_t id = 0;
    do id = static_cast<std::uint32_t>(random.next());
    while (find(id) != nullptr);
    keys_.insert(keys_.begin(), Key{id, Secret(fresh)});
    sodium_memzero(fresh.data(), fresh.size());
    const Status saved = save();
    if (!saved) keys_.erase(keys_.begin());
    return saved;
}

Status Vault::drop_old_keys() {
    std::vector<Key> all = keys_;
    keys_.resize(1);
    const Status saved = save();
    if (!saved) keys_ = std::move(all);
    return saved;
}

Status Vault::save() const {
    std::string text = file_head;
    for (const Key& key : keys_)
        text += to_hex(text_of_id(key.id)) + " " + to_base64(key.bytes.reveal()) + "\n";
    const Status written = write_durably(file_, text);
    sodium_memzero(text.data(), text.size());
    return written;
}

Result<Secret> Secrets::find(std::string_view name) const {
    const auto found = sealed_.find(name);
    if (found == sealed_.end())
        return fail(ErrorKind::config, "the vault has no secret '" + spoken(name) +
                                           "'; set it: liaisonctl secret set " + spoken(name));
    return vault_.unseal(name, found->second);
}

void Secrets::keep(const std::string& name, std::string sealed) { sealed_[name] = std::move(sealed); }

void Secrets::forget(std::string_view name) {
    const auto found = sealed_.find(name);
    if (found != sealed_.end()) sealed_.erase(found);
}

void Secrets::replace(const std::string& name, const std::string& old, std::string sealed) {
    const auto found = sealed_.find(name);
    if (found != sealed_.end() && found->second == old) found->second = std::move(sealed);
}

Result<std::vector<Secrets::Anew>> Secrets::seal_anew() {
    std::map<std::string, Secret> values;
    for (const auto& [name, sealed] : sealed_) {  // all of them, before there is a new key
        Result<Secret> value = vault_.unseal(name, sealed);
        if (!value) return fail(value.error());
        values.emplace(name, std::move(*value));
    }
    const Status added = vault_.add_key(random_);
    if (!added) return fail(added.error());
    std::vector<Anew> anew;
    for (const auto& [name, sealed] : sealed_) anew.push_back({name, sealed, seal(name, values.at(name))});
    return anew;
}

}  // namespace liaisond::auth
