#include "plugin/file_digest.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <sodium.h>
#include <unistd.h>

#include "base/ids.hpp"

namespace liaisond::plugin {

namespace {

constexpr std::size_t chunk_bytes = 64u << 10;

}  // namespace

Result<std::string> file_digest(int fd) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    std::vector<unsigned char> chunk(chunk_bytes);
    for (off_t at = 0;;) {
        const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(ErrorKind::internal, std::string("cannot be read: ") + std::strerror(errno));
        if (got == 0) break;
        crypto_hash_sha256_update(&state, chunk.data(), static_cast<unsigned long long>(got));
        at += got;
    }
    std::array<char, crypto_hash_sha256_BYTES> hash;
    crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(hash.data()));
    return to_hex({hash.data(), hash.size()});
}

}  // namespace liaisond::plugin
