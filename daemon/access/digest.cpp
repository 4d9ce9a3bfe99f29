#include "access/digest.hpp"

#include <sodium.h>

#include "base/ids.hpp"

namespace liaisond::access {

std::string sha256(std::string_view text) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return hash;
}

std::string random_hex(Random& random, std::size_t bytes) {
    std::string drawn(bytes, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(drawn.data()), drawn.size()});
    return to_hex(drawn);
}

}  // namespace liaisond::access
