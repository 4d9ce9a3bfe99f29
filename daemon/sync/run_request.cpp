#include "sync/run_request.hpp"

#include <algorithm>

namespace liaisond::sync {

bool RunRequest::covers(const RunRequest& other) const {
    // A replay asks the vendor nothing, and no other run reads dead letters.
    if (replay.empty() != other.replay.empty()) return false;
    const bool all_letters = std::all_of(other.replay.begin(), other.replay.end(), [&](std::int64_t letter) {
        return std::find(replay.begin(), replay.end(), letter) != replay.end();
    });
    const bool all_entities = entity.empty() || entity == other.entity;
    return all_letters && all_entities && (full || !other.full) &&
           (confirm_deletes || !other.confirm_deletes);
}

}  // namespace liaisond::sync
