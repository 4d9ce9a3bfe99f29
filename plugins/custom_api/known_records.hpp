// KnownRecords: what a pass over a list with counted pages has read without a gap, and how far to go back
// when the list has moved under it. A record that stands where it stood, with everything before it read,
// proves that nothing was skipped. Remembers the last few thousand; what is older counts as unknown, which
// only costs a longer way back.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include <liaison/sdk.hpp>

namespace custom_api {

using Identity = std::size_t;  // of a record in one state: its key, version and time of change

class KnownRecords {
  public:
    static Identity identity_of(const std::string& key, const std::string& version,
                                const std::string& changed) {
        return std::hash<std::string>()(key + '\0' + version + '\0' + changed);
    }
    void remember(const std::vector<Identity>& page) {
        if (recent_.size() >= max_recent) {
            older_ = std::move(recent_);
            recent_.clear();
        }
        recent_.insert(page.begin(), page.end());
        step_ = 1;
    }
    bool knows(Identity identity) const { return recent_.contains(identity) || older_.contains(identity); }

    // Everything before `position` (a record or a page) was read. Going back that far again is no progress.
    void reached(std::int64_t position) {
        if (position <= furthest_) return;
        furthest_ = position;
        misses_ = 0;
    }
    // By how many records or pages to go back; more each time until something is remembered again. Throws
    // when going back leads nowhere.
    std::int64_t step_back() {
        ++moves_;
        if (++misses_ > max_misses) {
            throw liaison::Failure(
                liaison::ErrorKind::transient,
                "the list moved while it was read, " + std::to_string(max_misses) +
                    " times at the same place; going on would skip records. The next run reads it again "
                    "from the same point. Lists that are edited all the time need paging.style cursor, or "
                    "offset");
        }
        const std::int64_t step = step_;
        step_ *= growth;
        return step;
    }
    // How often the list moved in this pass.
    int moves() const { return moves_; }

  private:
    static constexpr std::size_t max_recent = 4000;
    static constexpr int max_misses = 10;
    static constexpr std::int64_t growth = 4;

    std::unordered_set<Identity> recent_, older_;
    std::int64_t furthest_ = 0, step_ = 1;
    int misses_ = 0, moves_ = 0;
};

}  // namespace custom_api
