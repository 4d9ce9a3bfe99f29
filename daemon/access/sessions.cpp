#include "access/sessions.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/ids.hpp"

namespace liaisond::access {
namespace {

std::string random_text(Random& random) {
    std::array<std::uint8_t, 16> bytes;
    random.fill(bytes);
    return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Looking a digest up tells nothing of the id by its time.
std::string digest(std::string_view id) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(id.data()), id.size());
    return hash;
}

}  // namespace

Sessions::Begun Sessions::begin(Principal principal, Instant now, Random& random) {
    if (sessions_.size() >= most) {
        sessions_.erase(
            std::min_element(sessions_.begin(), sessions_.end(),
                             [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; }));
    }
    Begun begun{random_text(random), random_text(random)};
    sessions_[digest(begun.id)] = {std::move(principal), begun.csrf, now, now};
    return begun;
}

void Sessions::end(std::string_view id) { sessions_.erase(digest(id)); }

void Sessions::end_all(std::string_view name) {
    std::erase_if(sessions_, [&](const auto& one) { return one.second.principal.name == name; });
}

std::optional<Sessions::Found> Sessions::find(std::string_view id, Instant now) {
    const auto found = sessions_.find(digest(id));
    if (found == sessions_.end()) return std::nullopt;
    Session& session = found->second;
    if (now - session.seen > idle || now - session.begun > longest) {
        sessions_.erase(found);
        return std::nullopt;
    }
    session.seen = std::max(session.seen, now);
    return Found{session.principal, session.csrf};
}

}  // namespace liaisond::access
