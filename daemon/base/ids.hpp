// Identifiers and digests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"

namespace liaisond {

// RFC 9562 UUID version 7 in its usual text form: sorts by time of creation.
std::string uuid_v7(Instant now, Random& random);

// Its text form, in lower case?
bool is_uuid(std::string_view text);

// 16 bytes of XXH3-128: detects change, resists accident but not attack.
std::string content_hash(std::string_view bytes);

// Operation key (reliability.md 2.1): BLAKE2b-128 over the parts, base32 behind an `L`: 27 characters that
// every vendor accepts in a reference field. Equal parts give equal keys.
std::string operation_key(std::initializer_list<std::string_view> parts);

std::string to_hex(std::string_view bytes);
// RFC 4648, 6, without padding.
std::string to_base32(std::string_view bytes);
std::string to_base64(std::string_view bytes);

}  // namespace liaisond
