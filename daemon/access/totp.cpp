#include "access/totp.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "base/ids.hpp"

namespace liaisond::access {
namespace {
constexpr std::size_t key_bytes = 20, digits = 6;
constexpr std::int64_t step_ms = 30'000;
}  // namespace

Secret make_totp_key(Random& random) {
    std::array<std::uint8_t, key_bytes> bytes{};
    random.fill(bytes);
    return Secret(std::string(bytes.begin(), bytes.end()));
}

std::string totp_link(const Secret& key, std::string_view name) {
    return "otpauth://totp/liaison:" + boost::urls::encode(name, boost::urls::unreserved_chars) +
           "?secret=" + to_base32(key.reveal()) + "&issuer=liaison&algorithm=SHA1&digits=6&period=30";
}

// RFC 4226, 5.3.
std::string totp_code(const Secret& key, std::int64_t step) {
    std::array<unsigned char, 8> counter{};
    for (int i = 7; i >= 0; --i, step >>= 8) counter[static_cast<std::size_t>(i)] = step & 0xff;
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha1(), key.reveal().data(), static_cast<int>(key.reveal().size()), counter.data(),
         counter.size(), mac.data(), &size);
    const std::size_t at = mac[size - 1] & 0xf;
    const std::uint32_t number = (mac[at] & 0x7fu) << 24 | static_cast<std::uint32_t>(mac[at + 1]) << 16 |
                                 static_cast<std::uint32_t>(mac[at + 2]) << 8 | mac[at + 3];
    const std::string code = std::to_string(number % 1'000'000);
    return std::string(digits - code.size(), '0') + code;
}

std::optional<std::int64_t> totp_step(const Secret& key, std::string_view code, Instant now) {
    std::string shown;
    for (const char c : code) {
        if (c != ' ') shown += c;  // as apps show it: 123 456
    }
    if (shown.size() != digits) return std::nullopt;
    const std::int64_t step = to_unix_ms(now) / step_ms;
    for (const std::int64_t one : {step, step - 1, step + 1}) {
        if (sodium_memcmp(totp_code(key, one).data(), shown.data(), digits) == 0) return one;
    }
    return std::nullopt;
}

}  // namespace liaisond::access
