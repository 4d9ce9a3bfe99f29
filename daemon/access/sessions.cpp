#include "access/sessions.hpp"

#include <algorithm>

#include "access/digest.hpp"

namespace liaisond::access {
namespace {
constexpr std::size_t id_bytes = 16;
}

Sessions::Begun Sessions::begin(Principal principal, Instant now, Random& random) {
    if (sessions_.size() >= most) {
        sessions_.erase(
            std::min_element(sessions_.begin(), sessions_.end(),
                             [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; }));
    }
    Begun begun{random_hex(random, id_bytes), random_hex(random, id_bytes)};
    sessions_[sha256(begun.id)] = {std::move(principal), begun.csrf, now, now};
    return begun;
}

void Sessions::end(std::string_view id) { sessions_.erase(sha256(id)); }

void Sessions::end_all(std::string_view name) {
    std::erase_if(sessions_, [&](const auto& one) { return one.second.principal.name == name; });
}

std::optional<Sessions::Found> Sessions::find(std::string_view id, Instant now) {
    const auto found = sessions_.find(sha256(id));
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
