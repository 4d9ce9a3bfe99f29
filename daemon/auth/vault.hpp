// Vault: seals secrets for the store (engine.md 8, reliability.md 5.4). XChaCha20-Poly1305; each value is
// bound to its name, so that rows cannot be swapped. What it seals is safe in a database, a backup or a dump
// without the key file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace liaisond::auth {

class Vault {
  public:
    // Reads the keys from `file`: a line each, "ID KEY" in hex and Base64, the first one seals. Where there
    // is no such file one is made, mode 0600, unless `create` forbids it (it is a systemd credential, say).
    // Errors say what to do.
    static Result<Vault> open(const std::filesystem::path& file, Random& random, bool create = true);
    // With one key (32 bytes) that is kept elsewhere; it cannot be rotated here.
    static Vault of_key(Secret key);

    // "v1 | key id (4) | nonce (24) | ciphertext and tag"
    std::string seal(std::string_view name, const Secret& value, Random& random) const;
    // `config`: sealed with a key that is not there. `internal`: damaged, or the value of another name.
    Result<Secret> unseal(std::string_view name, std::string_view sealed) const;

    // A new key that seals from now on; the old ones still open. Durable when it returns.
    Status add_key(Random& random);
    // Forgets all keys but the one that seals. Call it once nothing is sealed with them any more.
    Status drop_old_keys();

    const std::filesystem::path& file() const { return file_; }

  private:
    struct Key {
        std::uint32_t id = 0;
        Secret bytes;  // 32
    };
    Status save() const;
    const Key* find(std::uint32_t id) const;

    std::filesystem::path file_;
    std::vector<Key> keys_;  // the first one seals
};

// The row of a secret that a person named, beside those that the daemon keeps for itself ("login/ID").
inline std::string secret_name(std::string_view name) { return "secret/" + std::string(name); }

// The secrets of one daemon: sealed as the store has them, opened when somebody asks. [core thread]
class Secrets {
  public:
    using Sealed = std::map<std::string, std::string, std::less<>>;  // by name
    Secrets(Vault vault, Random& random) : vault_(std::move(vault)), random_(random) {}

    void load(Sealed sealed) { sealed_ = std::move(sealed); }
    bool contains(std::string_view name) const { return sealed_.contains(name); }
    Result<Secret> find(std::string_view name) const;
    const Sealed& all() const { return sealed_; }

    // What to write to the store; keep() once that is durable.
    std::string seal(std::string_view name, const Secret& value) const {
        return vault_.seal(name, value, random_);
    }
    void keep(const std::string& name, std::string sealed);
    // The same where it still is what it was: what was set meanwhile stays.
    void replace(const std::string& name, const std::string& old, std::string sealed);
    void forget(std::string_view name);

    // Rotation: a new key, everything sealed anew with it (replace() each once durable), and then the old
    // keys go.
    struct Anew {
        std::string name, old, sealed;
    };
    Result<std::vector<Anew>> seal_anew();
    Status drop_old_keys() { return vault_.drop_old_keys(); }

    const Vault& vault() const { return vault_; }

  private:
    Vault vault_;
    Random& random_;
    Sealed sealed_;
};

}  // namespace liaisond::auth
