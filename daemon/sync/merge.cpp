#include "sync/merge.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "base/text.hpp"

namespace liaisond::sync {
namespace {

bool has_parts(const json::value& value) {
    return value.is_object() && !value.get_object().contains("currency");
}

// ASCII letters in lower case, and one space wherever there are some within.
std::string plain(std::string_view text) {
    std::string made;
    for (const char c : text) {
        const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (is_space && (made.empty() || made.back() == ' ')) continue;
        made += is_space ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    if (made.ends_with(' ')) made.pop_back();
    return made;
}

bool is_short_form(std::string_view text, std::string_view of) {
    const std::string shown = plain(text);
    return shown.empty() ? plain(of).empty() : plain(of).starts_with(shown);
}

class Merger {
  public:
    Merger(const MergeRules& rules, bool agreed, Merge& result)
        : rules_(rules), agreed_(agreed), result_(result) {}

    // `hub` and `base` hold this level's values so far and receive the merged ones. A field that the vendor
    // shows as it did before was not changed there.
    void level(json::object& hub, json::object& base, const json::object* shown, const json::object& remote,
               const std::string& path) {
        for (const auto& [name, theirs] : remote) {
            const std::string pointer = path + "/" + pointer_token(name);
            json::value* ours = hub.if_contains(name);
            if (has_parts(theirs) && ours != nullptr && has_parts(*ours)) {
                json::value& shared = base[name];
                if (!shared.is_object()) shared.emplace_object();
                const json::value* seen = shown != nullptr ? shown->if_contains(name) : nullptr;
                level(ours->get_object(), shared.get_object(), seen != nullptr ? seen->if_object() : nullptr,
                      theirs.get_object(), pointer);
            } else {
                const json::value* seen = shown != nullptr ? shown->if_contains(name) : nullptr;
                if (seen == nullptr) seen = base.if_contains(name);
                if (seen != nullptr && *seen == theirs && !agrees(hub, name, theirs)) continue;
                field(hub, base, name, theirs, pointer);
            }
        }
    }

  private:
    static bool agrees(const json::object& hub, std::string_view name, const json::value& theirs) {
        const json::value* ours = hub.if_contains(name);
        return ours != nullptr && *ours == theirs;
    }

    void field(json::object& hub, json::object& base, std::string_view name, const json::value& theirs,
               const std::string& pointer) {
        const json::value* ours = hub.if_contains(name);
        const json::value* shared = base.if_contains(name);
        if (ours != nullptr && *ours == theirs) return void(base[name] = theirs);
        const bool only_theirs =
            agreed_ ? (ours == nullptr ? shared == nullptr : shared != nullptr && *ours == *shared)
                    : ours == nullptr;
        if (only_theirs) {
            if (ours != nullptr && !rules_.may_move(pointer, *ours, theirs)) {
                result_.notes.push_back(pointer + ": the vendor moved it from " + json::serialize(*ours) +
                                        " to " + json::serialize(theirs) +
                                        ", which is not open to it; the hub's value stays");
                base[name] = theirs;
                return;
            }
            return take(hub, base, name, theirs, pointer);
        }
        conflict(hub, base, name, theirs, pointer);
    }

    static json::value copy_of(const json::object& side, std::string_view name) {
        const json::value* member = side.if_contains(name);
        return member != nullptr ? *member : json::value();
    }

    void conflict(json::object& hub, json::object& base, std::string_view name, const json::value& theirs,
                  const std::string& pointer) {
        FieldConflict both{pointer, copy_of(base, name), copy_of(hub, name), theirs};
        Side side = rules_.decide(both);
        if (side == Side::remote && !both.hub.is_null() && !rules_.may_move(pointer, both.hub, theirs))
            side = Side::hub;
        if (side == Side::later) return result_.open.push_back(std::move(both));
        result_.notes.push_back(pointer + ": both sides changed it, the hub to " + json::serialize(both.hub) +
                                ", the vendor to " + json::serialize(theirs) + "; the " +
                                (side == Side::hub ? "hub's" : "vendor's") + " value stays");
        if (side == Side::remote) return take(hub, base, name, theirs, pointer);
        base[name] = theirs;  // seen, and overruled: the hub owes an export
    }

    void take(json::object& hub, json::object& base, std::string_view name, const json::value& theirs,
              const std::string& pointer) {
        if (rules_.swings && rules_.swings(pointer, theirs)) {
            result_.open.push_back({pointer, copy_of(base, name), copy_of(hub, name), theirs});
            result_.frozen.push_back(pointer);
            return;
        }
        hub[name] = theirs;
        base[name] = theirs;
        result_.taken.push_back(pointer);
    }

    const MergeRules& rules_;
    const bool agreed_;
    Merge& result_;
};

}  // namespace

Merge merge(const json::object* base, const json::object* shown, const json::object& hub,
            const json::object& remote, const MergeRules& rules) {
    Merge result;
    result.content = hub;
    if (base != nullptr) result.base = *base;
    Merger(rules, base != nullptr, result).level(result.content, result.base, shown, remote, {});
    return result;
}

json::object overlay(json::object bottom, const json::object& top) {
    for (const auto& [name, value] : top) {
        json::value& member = bottom[name];
        if (has_parts(value) && has_parts(member))
            member = overlay(member.get_object(), value.get_object());
        else
            member = value;
    }
    return bottom;
}

json::object as_kept(json::object sent, const json::object& remote) {
    for (const auto& [name, theirs] : remote) {
        json::value* ours = sent.if_contains(name);
        if (ours == nullptr) continue;
        if (has_parts(*ours) && has_parts(theirs))
            *ours = as_kept(ours->get_object(), theirs.get_object());
        else if (ours->is_string() && theirs.is_string() &&
                 is_short_form(theirs.get_string(), ours->get_string()))
            *ours = theirs;
    }
    return sent;
}

std::vector<FieldDifference> differences(const json::object& from, const json::object& to) {
    std::vector<FieldDifference> found;
    const auto level = [&](const auto& self, const json::object& a, const json::object& b,
                           const std::string& path) -> void {
        for (const auto& [name, theirs] : b) {
            const std::string pointer = path + "/" + pointer_token(name);
            const json::value* ours = a.if_contains(name);
            if (has_parts(theirs) && (ours == nullptr || has_parts(*ours)))
                self(self, ours != nullptr ? ours->get_object() : json::object(), theirs.get_object(),
                     pointer);
            else if (ours == nullptr || !(*ours == theirs))
                found.push_back({pointer, ours != nullptr ? *ours : json::value(), theirs});
        }
        for (const auto& [name, ours] : a) {
            if (!b.contains(name)) found.push_back({path + "/" + pointer_token(name), ours, {}});
        }
    };
    level(level, from, to, {});
    return found;
}

const json::value* at_pointer(const json::value& root, std::string_view pointer) {
    boost::system::error_code error;
    return root.find_pointer(pointer, error);
}

json::value value_at(const json::object& root, std::string_view pointer) {
    const std::vector<std::string> keys = pointer_keys(pointer);
    const json::object* level = &root;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const json::value* member = level->if_contains(keys[i]);
        if (member == nullptr) break;
        if (i + 1 == keys.size()) return *member;
        level = member->if_object();
        if (level == nullptr) break;
    }
    return {};
}

void set_pointer(json::object& root, std::string_view pointer, const json::value& value) {
    const std::vector<std::string> keys = pointer_keys(pointer);
    if (keys.empty()) return;
    json::object* level = &root;
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
        json::value& member = (*level)[keys[i]];
        level = member.is_object() ? &member.get_object() : &member.emplace_object();
    }
    if (value.is_null())
        level->erase(keys.back());
    else
        (*level)[keys.back()] = value;
}

}  // namespace liaisond::sync
