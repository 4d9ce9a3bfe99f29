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

Status read_through(int fd, const std::function<void(std::span<const unsigned char>)>& take) {
    std::vector<unsigned char> chunk(chunk_bytes);
    for (off_t at = 0;;) {
        const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(ErrorKind::internal, std::string("cannot be read: ") + std::strerror(errno));
        if (got == 0) return {};
        take({chunk.data(), static_cast<std::size_t>(got)});
        at += got;
    }
}

Result<std::string> file_digest(int fd) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    const Status read = read_through(fd, [&](std::span<const unsigned char> piece) {
        crypto_hash_sha256_update(&state, piece.data(), piece.size());
    });
    if (!read) return fail(read.error());
    std::array<char, crypto_hash_sha256_BYTES> hash;
    crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(hash.data()));
    return to_hex({hash.data(), hash.size()});
}

}  // namespace liaisond::plugin
