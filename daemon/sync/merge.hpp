// Three-way merge of a record, field by field (engine.md 4, reliability.md 3): what the vendor shows, what
// the hub has, and what both last agreed on. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond::sync {

namespace json = boost::json;

// One field at which both sides differ from what they agreed on, and from each other. Null: absent there.
struct FieldConflict {
    std::string pointer;  // RFC 6901
    json::value base, hub, remote;
};

// Whose value such a field gets. `later`: a person decides; until then each side keeps its own.
enum class Side : std::uint8_t { hub, remote, later };

struct Merge {
    json::object content;             // of the hub from now on
    json::object base;                // what both sides agree on from now on
    std::vector<std::string> taken;   // pointers at which the hub took the vendor's value
    std::vector<FieldConflict> open;  // what a person has to decide
    std::vector<std::string> frozen;  // pointers of those that only wait because they swing
    std::vector<std::string> notes;   // one sentence per conflict that was decided, for the log
    bool owes_export() const { return !(content == base); }
};

struct MergeRules {
    // Both sides changed the field.
    std::function<Side(const FieldConflict&)> decide;
    // Only the vendor changed it; false: it may not (a state machine forbids the move).
    std::function<bool(std::string_view pointer, const json::value& from, const json::value& to)> may_move;
    // The vendor's value would be taken, and the field goes back and forth: nobody changes it before a person
    // has decided. Empty: none does.
    std::function<bool(std::string_view pointer, const json::value& to)> swings = {};
};

// `base` null: nothing was ever agreed (a record that was recognised); fields that differ are conflicts.
// `shown` null: the vendor shows what was agreed as it is; otherwise what it made of it.
// What the vendor does not mention is unknown to it, not removed. Objects are merged member by member, except
// money (an object with a `currency`), which is one value, as lists are.
Merge merge(const json::object* base, const json::object* shown, const json::object& hub,
            const json::object& remote, const MergeRules& rules);

// Lays `top` over `bottom`, member by member; what `top` does not mention stays.
json::object overlay(json::object bottom, const json::object& top);

// What was sent, as the vendor seems to keep it: texts that it shows cut short, in other case or spaced
// otherwise. What it shows beside that was changed by somebody.
json::object as_kept(json::object sent, const json::object& remote);

// One field in which two contents differ. Null: absent there.
struct FieldDifference {
    std::string pointer;
    json::value from, to;
};
// As finely as merge() works.
std::vector<FieldDifference> differences(const json::object& from, const json::object& to);

// "/lines/0/sku" of a value; null where there is nothing.
const json::value* at_pointer(const json::value& root, std::string_view pointer);
// The member of an object; null where there is nothing, or where the way there leads through a list.
json::value value_at(const json::object& root, std::string_view pointer);
// Puts a value there, making objects on the way; null removes the member.
void set_pointer(json::object& root, std::string_view pointer, const json::value& value);

}  // namespace liaisond::sync
