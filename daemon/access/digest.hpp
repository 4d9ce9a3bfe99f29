// What tokens and sessions are made of, and what is kept of them.
#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"

namespace liaisond::access {

// SHA-256, 32 bytes. Looking a digest up tells nothing of the text by its time.
std::string sha256(std::string_view text);
// That many random bytes, in hexadecimal.
std::string random_hex(Random& random, std::size_t bytes);

}  // namespace liaisond::access
