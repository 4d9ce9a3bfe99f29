#include "auth/digest.hpp"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <memory>

namespace liaisond::auth {
namespace json = boost::json;
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

Result<const EVP_MD*> method(std::string_view algorithm) {
    for (const auto& [name, made] :
         {std::pair("md5", EVP_md5()), std::pair("sha1", EVP_sha1()), std::pair("sha256", EVP_sha256()),
          std::pair("sha384", EVP_sha384()), std::pair("sha512", EVP_sha512())}) {
        if (algorithm == name) return made;
    }
    return fail(ErrorKind::config, "there is no digest '" + std::string(algorithm) +
                                       "'; known are md5, sha1, sha256, sha384 and sha512");
}

// DER to the two numbers side by side that RFC 7518 3.4 wants.
std::string raw_of(const std::string& der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const Signature signature(d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + 32, 32);
    return raw;
}

}  // namespace

Result<std::string> digest(std::string_view algorithm, std::string_view data) {
    const auto chosen = method(algorithm);
    if (!chosen) return fail(chosen.error());
    std::string bytes(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(bytes.data()), &length, *chosen,
               nullptr);
    bytes.resize(length);
    return bytes;
}

Result<std::string> hmac(std::string_view algorithm, const Secret& key, std::string_view data) {
    const auto chosen = method(algorithm);
    if (!chosen) return fail(chosen.error());
    std::string bytes(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    HMAC(*chosen, key.reveal().data(), static_cast<int>(key.reveal().size()),
         reinterpret_cast<const unsigned char*>(data.data()), data.size(),
         reinterpret_cast<unsigned char*>(bytes.data()), &length);
    bytes.resize(length);
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size(), variant);
    text.pop_back();  // its NUL
    return text;
}

std::string percent_encoded(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            encoded += c;
        else
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return encoded;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            decoded += static_cast<char>(byte);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

Result<std::string> signed_jwt(const std::string& claims, const std::string& key_id, const Secret& pem) {
    const Bio source(BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.reveal().size())));
    const Key key(PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr));
    const int kind = key == nullptr ? 0 : EVP_PKEY_base_id(key.get());
    if (kind != EVP_PKEY_RSA && (kind != EVP_PKEY_EC || EVP_PKEY_bits(key.get()) != 256))
        return fail(
            ErrorKind::config,
            "the private key that signs for authentication is no RSA or P-256 key in PEM form without a "
            "passphrase");
    json::object head{{"alg", kind == EVP_PKEY_RSA ? "RS256" : "ES256"}, {"typ", "JWT"}};
    if (!key_id.empty()) head["kid"] = key_id;
    const std::string text = to_base64url(json::serialize(head)) + "." + to_base64url(claims);
    const Context context(EVP_MD_CTX_new());
    std::size_t length = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    bool fine = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) == 1;
    std::string signature(length, '\0');
    fine = fine && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                  bytes, text.size()) == 1;
    if (!fine) return fail(ErrorKind::internal, "the token for authentication could not be signed");
    signature.resize(length);
    return text + "." + to_base64url(kind == EVP_PKEY_RSA ? signature : raw_of(signature));
}

}  // namespace liaisond::auth
