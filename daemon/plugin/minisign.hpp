// Minisign: detached signatures of files in the format of minisign (https://jedisct1.github.io/minisign/):
// Ed25519 over the BLAKE2b-512 digest of the file, and once more over that signature with a comment that can
// be trusted then. Keys made by either program are read by the other.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace liaisond::plugin {

using FileHash = std::array<std::uint8_t, 64>;  // BLAKE2b-512

struct PublicKey {
    std::array<std::uint8_t, 8> id{};
    std::array<std::uint8_t, 32> key{};
    // "RWQ..." as minisign prints it; or a whole .pub file. Errors say what is wrong with it.
    static Result<PublicKey> parse(std::string_view text);
    std::string text() const;
    std::string id_text() const;  // as minisign shows it: 16 digits
    bool operator==(const PublicKey&) const = default;
};

class SigningKey {
  public:
    static SigningKey generate();
    // The content of a key file. `password` is asked for where the key is encrypted: scrypt, as minisign
    // does.
    static bool is_encrypted(std::string_view file);
    static Result<SigningKey> parse(std::string_view file, const Secret& password);
    // An empty password: not encrypted.
    std::string file(const Secret& password) const;
    PublicKey public_key() const;
    // The content of the .minisig. `comment`: one line, trusted by who trusts the key.
    std::string sign(const FileHash& hash, std::string_view comment) const;

  private:
    SigningKey() : key_(Secret()) {}
    std::array<std::uint8_t, 8> id_{};
    Secret key_;  // 64 bytes
};

struct Signature {
    std::array<std::uint8_t, 8> key_id{};
    std::array<std::uint8_t, 64> of_file{}, of_comment{};
    std::string comment;
    static Result<Signature> parse(std::string_view file);
    std::string id_text() const;
    // With the key of that id. Of the comment, too.
    bool proves(const FileHash& hash, const PublicKey& key) const;
};

}  // namespace liaisond::plugin
