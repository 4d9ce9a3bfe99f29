// SeenStates: which records were emitted before in exactly this state. What a day's second reading shows
// again is left out by it. Times alone would not do: a record that changes twice within a second has the same
// time twice, so the content counts, too. Remembers the latest; what is forgotten is only emitted again.
#pragma once

#include <deque>
#include <string>
#include <unordered_set>
#include <utility>

#include <liaison/kit/json.hpp>
#include <liaison/kit/text.hpp>

namespace sap_b1 {

using liaison::Json;

class SeenStates {
  public:
    explicit SeenStates(std::size_t limit) : limit_(limit) {}

    static std::string identity(std::string_view key, std::string_view changed, std::string_view content) {
        return liaison::kit::Hash128().add_field(key).add_field(changed).add_field(content).hex(16);
    }
    bool knows(const std::string& identity) const { return known_.contains(identity); }
    // `date`: of the change.
    void add(const std::string& identity, const std::string& date) {
        if (!known_.insert(identity).second) return;
        states_.emplace_back(date, identity);
        if (states_.size() <= limit_) return;
        known_.erase(states_.front().second);
        states_.pop_front();
    }
    // Those that no later reading will meet.
    void forget_before(const std::string& date) {
        std::erase_if(states_, [&](const auto& one) {
            if (one.first >= date) return false;
            known_.erase(one.second);
            return true;
        });
    }
    // ["2026-05-01 0123456789abcdef"]
    Json to_json() const {
        Json list = Json::array();
        for (const auto& [date, identity] : states_) list.push_back(date + " " + identity);
        return list;
    }
    void read(const Json& list) {
        if (!list.is_array()) return;
        for (const Json& one : list.items()) {
            const std::string text(one.scalar_text());
            const std::size_t blank = text.find(' ');
            if (blank != std::string::npos) add(text.substr(blank + 1), text.substr(0, blank));
        }
    }

  private:
    std::size_t limit_;
    std::deque<std::pair<std::string, std::string>> states_;  // date, identity; in the order they were met
    std::unordered_set<std::string> known_;
};

}  // namespace sap_b1
