// Passwords: Argon2id (RFC 9106) with 64 MiB and three passes, about a tenth of a second each: never on the
// core thread, and no more than two at a time.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace liaisond::access {

inline constexpr std::size_t shortest_password = 12;

// The text to keep. Errors: `config` when it is too short, `transient` when memory is short.
Result<std::string> hash_password(const Secret& password);
// `kept` empty: of nobody; takes as long as any other.
bool is_password(const std::string& kept, const Secret& password);

}  // namespace liaisond::access
