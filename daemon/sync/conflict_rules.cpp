#include "sync/conflict_rules.hpp"

#include <algorithm>

namespace liaisond::sync {
namespace {

// "/guest" covers "/guest" and "/guest/name".
bool covers(std::string_view group, std::string_view pointer) {
    return group == "/" ||
           (pointer.starts_with(group) && (pointer.size() == group.size() || pointer[group.size()] == '/'));
}

}  // namespace

ConflictRules::ConflictRules(const Schema* schema, const config::Entity& entity,
                             const std::string& integration, const Provenance& provenance,
                             std::int64_t changed_ms, Instant now)
    : schema_(schema),
      entity_(entity),
      integration_(integration),
      provenance_(provenance),
      changed_ms_(changed_ms),
      now_(now) {}

MergeRules ConflictRules::merge_rules() const {
    return {[this](const FieldConflict& field) { return decide(field); },
            [this](std::string_view pointer, const json::value& from, const json::value& to) {
                return may_move(pointer, from, to);
            },
            [this](std::string_view pointer, const json::value& to) {
                return provenance_.swings(pointer, integration_, to, now_);
            }};
}

// The list of the narrowest group that covers the field.
const std::vector<std::string>* ConflictRules::owners_of(std::string_view pointer) const {
    const std::vector<std::string>* owners = nullptr;
    std::size_t narrowest = 0;
    for (const auto& [group, list] : entity_.authority) {
        if (!covers(group, pointer) || (owners != nullptr && group.size() < narrowest)) continue;
        owners = &list;
        narrowest = group.size();
    }
    return owners;
}

ConflictRules::Owner ConflictRules::owner(std::string_view pointer) const {
    const std::vector<std::string>* owners = owners_of(pointer);
    if (owners == nullptr) return Owner::nobody;
    const auto rank = [&](const std::string& who) { return std::find(owners->begin(), owners->end(), who); };
    const auto mine = rank(integration_);
    const auto theirs = rank(provenance_.holder(pointer));
    if (mine == owners->end() && theirs == owners->end()) return Owner::nobody;
    return mine <= theirs ? Owner::me : Owner::other;
}

Side ConflictRules::decide(const FieldConflict& field) const {
    const Owner owner = this->owner(field.pointer);
    if (owner != Owner::nobody) return owner == Owner::me ? Side::remote : Side::hub;
    switch (entity_.conflict) {
        case config::ConflictPolicy::remote: return Side::remote;
        case config::ConflictPolicy::hub: return Side::hub;
        case config::ConflictPolicy::manual: return Side::later;
        case config::ConflictPolicy::newest: break;
    }
    // By the vendors' own stamps; where one gives none, nobody can tell.
    const std::int64_t ours = provenance_.changed_ms(field.pointer);
    if (ours == 0 || changed_ms_ == 0) return Side::later;
    return changed_ms_ > ours ? Side::remote : Side::hub;
}

bool ConflictRules::may_move(std::string_view pointer, const json::value& from, const json::value& to) const {
    if (schema_ == nullptr || !from.is_string() || !to.is_string()) return true;
    for (const Schema::Transitions& field : schema_->transitions()) {
        if (field.pointer != pointer) continue;
        if (field.allows(from.get_string(), to.get_string())) return true;
        // Who brought it there may take it elsewhere.
        const std::string holder = provenance_.holder(pointer);
        if (holder.empty() || holder == integration_) return true;
        const std::vector<std::string>* owners = owners_of(pointer);
        return owners != nullptr && !owners->empty() && owners->front() == integration_;
    }
    return true;
}

}  // namespace liaisond::sync
