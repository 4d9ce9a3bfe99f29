#include "plugin/minisign.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include <sodium.h>

#include "base/text.hpp"

namespace liaisond::plugin {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view untrusted = "untrusted comment: ", trusted = "trusted comment: ";
constexpr std::string_view algorithm = "Ed", hashed_algorithm = "ED", scrypt = "Sc",
                           no_kdf = std::string_view("\0\0", 2), checksum = "B2";
constexpr std::size_t id_bytes = 8, public_bytes = 2 + id_bytes + crypto_sign_PUBLICKEYBYTES,
                      signature_bytes = 2 + id_bytes + crypto_sign_BYTES;
// Of a secret key file: algorithms, salt, two limits, and what scrypt hides: id, key, checksum.
constexpr std::size_t salt_bytes = crypto_pwhash_scryptsalsa208sha256_SALTBYTES,
                      hidden_at = 6 + salt_bytes + 16,
                      hidden_bytes = id_bytes + crypto_sign_SECRETKEYBYTES + crypto_generichash_BYTES,
                      secret_bytes = hidden_at + hidden_bytes;

std::string base64(const void* bytes, std::size_t count) {
    std::string text(sodium_base64_encoded_len(count, sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), static_cast<const unsigned char*>(bytes), count,
                      sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // its NUL
    return text;
}

std::optional<Bytes> unbase64(std::string_view text, std::size_t count) {
    Bytes bytes(count);
    std::size_t got = 0;
    if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), "\r\n ", &got, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != count) {
        return std::nullopt;
    }
    return bytes;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines = split(text, '\n');
    for (std::string& line : lines) {
        if (line.ends_with('\r')) line.pop_back();
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

// minisign shows the id as a little-endian number.
std::string id_digits(const std::array<std::uint8_t, id_bytes>& id) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    for (auto byte = id.rbegin(); byte != id.rend(); ++byte) {
        text += digits[*byte >> 4];
        text += digits[*byte & 15];
    }
    return text;
}

bool begins_with(const Bytes& bytes, std::string_view mark, std::size_t at = 0) {
    return std::memcmp(bytes.data() + at, mark.data(), mark.size()) == 0;
}

std::string with_comment(const std::array<std::uint8_t, 64>& of_file, std::string_view comment) {
    std::string text(reinterpret_cast<const char*>(of_file.data()), of_file.size());
    return text.append(comment);
}

std::array<std::uint8_t, 64> signed_by(const Secret& key, const void* bytes, std::size_t count) {
    std::array<std::uint8_t, 64> made{};
    crypto_sign_detached(made.data(), nullptr, static_cast<const unsigned char*>(bytes), count,
                         reinterpret_cast<const unsigned char*>(key.reveal().data()));
    return made;
}

// What is hidden, or shown, by a password; false where memory does not suffice.
bool mask(std::uint8_t* hidden, const Secret& password, const std::uint8_t* salt, std::uint64_t operations,
          std::uint64_t memory) {
    Bytes stream(hidden_bytes);
    if (crypto_pwhash_scryptsalsa208sha256(stream.data(), stream.size(), password.reveal().data(),
                                           password.reveal().size(), salt, operations, memory) != 0) {
        return false;
    }
    for (std::size_t i = 0; i < hidden_bytes; ++i) hidden[i] ^= stream[i];
    sodium_memzero(stream.data(), stream.size());
    return true;
}

// Over the algorithm, the id and the key.
void checksum_of(const std::uint8_t* id_and_key, std::uint8_t* digest) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, crypto_generichash_BYTES);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(algorithm.data()),
                              algorithm.size());
    crypto_generichash_update(&state, id_and_key, id_bytes + crypto_sign_SECRETKEYBYTES);
    crypto_generichash_final(&state, digest, crypto_generichash_BYTES);
}

std::uint64_t little_endian(const std::uint8_t* bytes) {
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
    return value;
}

void put_little_endian(std::uint8_t* bytes, std::uint64_t value) {
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
}

std::optional<Bytes> secret_file(std::string_view file) {
    const std::vector<std::string> lines = lines_of(file);
    return lines.empty() ? std::nullopt : unbase64(lines.back(), secret_bytes);
}

}  // namespace

// ---- public keys ----

Result<PublicKey> PublicKey::parse(std::string_view text) {
    const std::vector<std::string> lines = lines_of(text);
    const auto bytes = lines.empty() ? std::nullopt : unbase64(lines.back(), public_bytes);
    if (!bytes || !begins_with(*bytes, algorithm)) {
        return fail(ErrorKind::config,
                    "is not a minisign public key (56 letters and digits that begin with RW)");
    }
    PublicKey made;
    std::copy_n(bytes->begin() + 2, made.id.size(), made.id.begin());
    std::copy_n(bytes->begin() + 2 + id_bytes, made.key.size(), made.key.begin());
    return made;
}

std::string PublicKey::text() const {
    Bytes bytes(algorithm.begin(), algorithm.end());
    bytes.insert(bytes.end(), id.begin(), id.end());
    bytes.insert(bytes.end(), key.begin(), key.end());
    return base64(bytes.data(), bytes.size());
}

std::string PublicKey::id_text() const { return id_digits(id); }

// ---- signing keys ----

SigningKey SigningKey::generate() {
    SigningKey made;
    randombytes_buf(made.id_.data(), made.id_.size());
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> open{};
    std::string key(crypto_sign_SECRETKEYBYTES, '\0');
    crypto_sign_keypair(open.data(), reinterpret_cast<unsigned char*>(key.data()));
    made.key_ = Secret(std::move(key));
    return made;
}

bool SigningKey::is_encrypted(std::string_view file) {
    const auto bytes = secret_file(file);
    return bytes && begins_with(*bytes, scrypt, 2);
}

Result<SigningKey> SigningKey::parse(std::string_view file, const Secret& password) {
    auto bytes = secret_file(file);
    if (!bytes || !begins_with(*bytes, algorithm) || !begins_with(*bytes, checksum, 4)) {
        return fail(ErrorKind::config, "is not a minisign secret key");
    }
    std::uint8_t* const hidden = bytes->data() + hidden_at;
    if (begins_with(*bytes, scrypt, 2)) {
        const std::uint8_t* const limits = bytes->data() + 6 + salt_bytes;
        if (!mask(hidden, password, bytes->data() + 6, little_endian(limits), little_endian(limits + 8)))
            return fail(ErrorKind::config, "needs more memory to be decrypted than there is");
    } else if (!begins_with(*bytes, no_kdf, 2)) {
        return fail(ErrorKind::config, "is encrypted in a way that is not known here");
    }
    // Only what was hidden carries a checksum.
    std::array<std::uint8_t, crypto_generichash_BYTES> digest{};
    checksum_of(hidden, digest.data());
    if (begins_with(*bytes, scrypt, 2) &&
        sodium_memcmp(digest.data(), hidden + id_bytes + crypto_sign_SECRETKEYBYTES, digest.size()) != 0) {
        return fail(ErrorKind::config, "cannot be decrypted with this password");
    }
    SigningKey made;
    std::copy_n(hidden, id_bytes, made.id_.begin());
    made.key_ =
        Secret(std::string(reinterpret_cast<const char*>(hidden + id_bytes), crypto_sign_SECRETKEYBYTES));
    sodium_memzero(bytes->data(), bytes->size());
    return made;
}

std::string SigningKey::file(const Secret& password) const {
    const bool encrypted = !password.reveal().empty();
    Bytes bytes(secret_bytes);
    const std::string head =
        std::string(algorithm) + std::string(encrypted ? scrypt : no_kdf) + std::string(checksum);
    std::copy(head.begin(), head.end(), bytes.begin());
    std::uint8_t* const hidden = bytes.data() + hidden_at;
    std::copy(id_.begin(), id_.end(), hidden);
    std::copy(key_.reveal().begin(), key_.reveal().end(), hidden + id_bytes);
    if (encrypted) {
        checksum_of(hidden, hidden + id_bytes + crypto_sign_SECRETKEYBYTES);
        std::uint8_t* const limits = bytes.data() + 6 + salt_bytes;
        constexpr auto operations = crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE,
                       memory = crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE;
        randombytes_buf(bytes.data() + 6, salt_bytes);
        put_little_endian(limits, operations);
        put_little_endian(limits + 8, memory);
        // A key that cannot be hidden is not shown either.
        if (!mask(hidden, password, bytes.data() + 6, operations, memory)) return {};
    }
    std::string text =
        std::string(untrusted) +
        (encrypted ? "minisign encrypted secret key\n" : "minisign secret key, not encrypted\n") +
        base64(bytes.data(), bytes.size()) + "\n";
    sodium_memzero(bytes.data(), bytes.size());
    return text;
}

PublicKey SigningKey::public_key() const {
    PublicKey made;
    made.id = id_;
    crypto_sign_ed25519_sk_to_pk(made.key.data(),
                                 reinterpret_cast<const unsigned char*>(key_.reveal().data()));
    return made;
}

std::string SigningKey::sign(const FileHash& hash, std::string_view comment) const {
    const auto of_file = signed_by(key_, hash.data(), hash.size());
    const std::string both = with_comment(of_file, comment);
    const auto of_comment = signed_by(key_, both.data(), both.size());
    Bytes bytes(hashed_algorithm.begin(), hashed_algorithm.end());
    bytes.insert(bytes.end(), id_.begin(), id_.end());
    bytes.insert(bytes.end(), of_file.begin(), of_file.end());
    return std::string(untrusted) + "signature of a liaison plugin, key " + id_digits(id_) + "\n" +
           base64(bytes.data(), bytes.size()) + "\n" + std::string(trusted) + std::string(comment) + "\n" +
           base64(of_comment.data(), of_comment.size()) + "\n";
}

// ---- signatures ----

Result<Signature> Signature::parse(std::string_view file) {
    const std::vector<std::string> lines = lines_of(file);
    const bool shaped = lines.size() == 4 && lines[0].starts_with(untrusted) && lines[2].starts_with(trusted);
    const auto first = shaped ? unbase64(lines[1], signature_bytes) : std::nullopt;
    const auto second = shaped ? unbase64(lines[3], crypto_sign_BYTES) : std::nullopt;
    if (!first || !second) return fail(ErrorKind::config, "is not a minisign signature");
    if (!begins_with(*first, hashed_algorithm)) {
        return fail(ErrorKind::config,
                    "is a signature of minisign's old form; sign again, with -H or a newer minisign");
    }
    Signature made;
    std::copy_n(first->begin() + 2, made.key_id.size(), made.key_id.begin());
    std::copy_n(first->begin() + 2 + id_bytes, made.of_file.size(), made.of_file.begin());
    std::copy_n(second->begin(), made.of_comment.size(), made.of_comment.begin());
    made.comment = lines[2].substr(trusted.size());
    return made;
}

std::string Signature::id_text() const { return id_digits(key_id); }

bool Signature::proves(const FileHash& hash, const PublicKey& key) const {
    const std::string both = with_comment(of_file, comment);
    return key.id == key_id &&
           crypto_sign_verify_detached(of_file.data(), hash.data(), hash.size(), key.key.data()) == 0 &&
           crypto_sign_verify_detached(of_comment.data(), reinterpret_cast<const unsigned char*>(both.data()),
                                       both.size(), key.key.data()) == 0;
}

}  // namespace liaisond::plugin
