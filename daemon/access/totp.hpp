// One-time codes of an authenticator app, which somebody shows beside the password: RFC 6238 with what all
// apps know, HMAC-SHA1, 30 seconds, 6 digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace liaisond::access {

// 20 bytes (RFC 4226, R6).
Secret make_totp_key(Random& random);

// For apps that scan it; those that do not are given the key in Base32
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
std::string totp_link(const Secret& key, std::string_view name);

// The code of one step of 30 seconds since 1970.
std::string totp_code(const Secret& key, std::int64_t step);

// The step that a code is of: the one at `now`, the one before or the one after, because clocks differ (RFC
// 6238, 5.2). Nothing: it is no code of these. Whoever asks must not take a step again.
std::optional<std::int64_t> totp_step(const Secret& key, std::string_view code, Instant now);

// The row of the vault that holds somebody's key.
inline std::string totp_row(std::string_view name) { return "totp/" + std::string(name); }

}  // namespace liaisond::access
