// ImportPlan: what becomes of one record, given what the hub and the vendor have.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/conflict_rules.hpp"
#include "sync/import_plan.hpp"
#include "sync/recognition.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t longest_note = 2000;

// What the vendor and the hub last agreed on.
json::object base_of(const store::ImportState& state) {
    return parsed_object(state.base ? *state.base : state.payload);
}

json::array to_json(const std::vector<FieldConflict>& fields) {
    json::array list;
    for (const FieldConflict& field : fields) {
        list.push_back(
            {{"pointer", field.pointer}, {"base", field.base}, {"hub", field.hub}, {"remote", field.remote}});
    }
    return list;
}

}  // namespace

void ImportPlan::decide(Candidate& candidate, Making& making) {
    const store::ImportState& state = candidate.state;
    if (records_[candidate.index].deleted) return bury(candidate, making);
    if (!state.mapped || state.stub) {
        if (candidate.known_as.size() == 1) return link(candidate, making);
        if (candidate.known_as.empty()) return create(candidate, making);
        store::Conflict conflict = conflict_of(candidate, store::ConflictKind::identity);
        json::array candidates;
        for (const store::Recognised& one : candidate.known_as) candidates.emplace_back(one.record);
        conflict.detail = json::serialize(candidates);
        making.page.conflicts.push_back(std::move(conflict));
        ++counters_.conflicts;
        return;
    }
    if (state.deleted || state.tomb) return bring_back(candidate, making);
    if (state.echo) return refresh_echo(candidate, making);
    merge_in(candidate, making);
}

store::ImportWrite ImportPlan::write_of(const Candidate& candidate) const {
    const plugin::Record& record = records_[candidate.index];
    const store::ImportState& state = candidate.state;
    store::ImportWrite write;
    write.rid = state.rid;
    write.external_id = record.key;
    write.remote_version = record.version;
    write.changed_ms = record.changed_ms;
    if (!record.deleted) write.hash = content_hash(record.payload);
    write.expected_version = write.new_version = state.version;
    write.synced_version = state.synced_version;
    write.expected_at = state.synced_at;
    write.expected_hash = state.synced_hash;
    write.base = state.base;
    write.shown = state.shown;
    write.settles = state.created_by;
    return write;
}

store::Conflict ImportPlan::conflict_of(const Candidate& candidate, store::ConflictKind kind) const {
    const plugin::Record& record = records_[candidate.index];
    store::Conflict conflict;
    conflict.external_id = record.key;
    conflict.rid = kind == store::ConflictKind::identity ? 0 : candidate.state.rid;
    conflict.kind = kind;
    conflict.detail = "[]";
    if (!record.deleted) {
        conflict.payload = json::serialize(candidate.content);
        conflict.hash = content_hash(record.payload);
    }
    conflict.remote_version = record.version;
    return conflict;
}

void ImportPlan::note(const Candidate& candidate, const std::string& message, Making& making) const {
    store::LogEntry entry;
    entry.entity = entity_.name;
    entry.action = "conflict";
    entry.status = "resolved";
    entry.external_id = records_[candidate.index].key;
    entry.message = redactor().scrub(shortened(message, longest_note));
    entry.at = making.now;
    making.page.notes.push_back(std::move(entry));
}

std::optional<store::MatchValues> ImportPlan::match_of(const json::object& content) const {
    const auto names = link_.recognition.find(entity_.name);
    if (schema_ == nullptr || names == link_.recognition.end()) return std::nullopt;
    return match_values(*schema_, names->second, content);
}

// Of the fields that are state machines it counts from the beginning who brought them where they are.
std::string ImportPlan::first_provenance(const Candidate& candidate) const {
    Provenance provenance("");
    if (schema_ == nullptr) return {};
    for (const Schema::Transitions& field : schema_->transitions())
        provenance.note(field.pointer, link_.config.id, records_[candidate.index].changed_ms);
    return provenance.text();
}

void ImportPlan::create(Candidate& candidate, Making& making) {
    store::ImportWrite write = write_of(candidate);
    if (!candidate.state.mapped) write.record = uuid_v7(making.now, making.random);
    write.change = store::Action::created;
    write.new_version = candidate.state.version + 1;
    write.synced_version = write.new_version;
    write.payload = json::serialize(candidate.content);
    write.provenance = first_provenance(candidate);
    write.match = match_of(candidate.content);
    write.unknown_by = std::move(candidate.asked);
    ++counters_.created;
    making.page.writes.push_back(std::move(write));
}

// New to this system, known from another: one record, mapped twice.
void ImportPlan::link(Candidate& candidate, Making& making) {
    const store::Recognised& known = candidate.known_as.front();
    const store::Rid stub = candidate.state.stub ? candidate.state.rid : 0;
    candidate.state = {};
    candidate.state.rid = known.rid;
    candidate.state.record = known.record;
    candidate.state.version = known.version;
    candidate.state.payload = known.payload;
    candidate.state.provenance = known.provenance;
    write_merged(candidate, nullptr, making);
    making.page.writes.back().stub_rid = stub;
    note(candidate, "recognised as record " + known.record + ", which another system brought", making);
}

void ImportPlan::merge_in(Candidate& candidate, Making& making) {
    const json::object base = base_of(candidate.state);
    write_merged(candidate, &base, making);
}

void ImportPlan::write_merged(Candidate& candidate, const json::object* base, Making& making) {
    const store::ImportState& state = candidate.state;
    const plugin::Record& record = records_[candidate.index];
    const json::object hub = parsed_object(state.payload);
    std::optional<json::object> shown;
    if (state.shown)
        shown = parsed_object(*state.shown);
    else if (state.late_echo && base != nullptr)
        shown = as_kept(*base, candidate.content);
    Provenance provenance(state.provenance);
    const ConflictRules rules(schema_, entity_, link_.config.id, provenance, record.changed_ms, making.now);
    const Merge merged = merge(base, shown ? &*shown : nullptr, hub, candidate.content, rules.merge_rules());
    for (const std::string& text : merged.notes) note(candidate, text, making);

    store::ImportWrite write = write_of(candidate);
    for (const std::string& pointer : merged.frozen) {
        note(candidate,
             pointer + ": systems change it back and forth; it stays as it is until somebody decides",
             making);
        provenance.freeze(pointer);
        write.provenance = provenance.text();
    }
    const bool owes = merged.owes_export();
    const bool learnt = base == nullptr || !(merged.base == *base);
    if (!merged.taken.empty() || state.deleted) {
        for (const std::string& pointer : merged.taken)
            provenance.note(pointer, link_.config.id, record.changed_ms, value_at(hub, pointer),
                            value_at(merged.content, pointer), making.now);
        write.change = store::Action::updated;
        write.new_version = state.version + 1;
        write.payload = json::serialize(merged.content);
        json::array fields;
        for (const std::string& pointer : merged.taken) fields.emplace_back(pointer);
        write.fields = json::serialize(fields);
        write.provenance = provenance.text();
        write.match = match_of(merged.content);
        ++counters_.updated;
    } else {
        // Same content in other words, or something the vendor may not change.
        write.owed = owes && learnt && entity_.exports;
        ++counters_.unchanged;
    }
    write.synced_version = owes ? std::min(state.synced_version, write.new_version - 1) : write.new_version;
    write.base = owes ? std::optional(json::serialize(merged.base)) : std::nullopt;
    if (shown) {
        const json::object now_shown = overlay(std::move(*shown), candidate.content);
        write.shown = now_shown == merged.base ? std::nullopt : std::optional(json::serialize(now_shown));
    }
    making.page.writes.push_back(std::move(write));
    if (merged.open.empty()) return;
    store::Conflict conflict = conflict_of(
        candidate, merged.frozen.empty() ? store::ConflictKind::fields : store::ConflictKind::oscillation);
    conflict.detail = json::serialize(to_json(merged.open));
    making.page.conflicts.push_back(std::move(conflict));
    ++counters_.conflicts;
}

// What we sent comes back as the vendor keeps it, perhaps shortened or rounded: no change of anybody's.
void ImportPlan::refresh_echo(Candidate& candidate, Making& making) {
    const store::ImportState& state = candidate.state;
    store::ImportWrite write = write_of(candidate);
    json::object base = base_of(state);
    const json::object shown = overlay(base, candidate.content);
    write.shown = shown == base ? std::nullopt : std::optional(json::serialize(shown));
    ++counters_.unchanged;
    making.page.writes.push_back(std::move(write));
}

// The vendor deleted it.
void ImportPlan::bury(Candidate& candidate, Making& making) {
    const store::ImportState& state = candidate.state;
    store::ImportWrite write = write_of(candidate);
    write.tomb = true;
    write.remote_version.clear();
    const bool changed_here = !state.deleted && state.version != state.synced_version &&
                              (!state.base || *state.base != state.payload);
    if (state.deleted) {
        write.synced_version = state.version;
        ++counters_.unchanged;
    } else if (!changed_here || entity_.conflict == config::ConflictPolicy::remote) {
        write.change = store::Action::deleted;
        write.payload = state.payload;
        write.new_version = state.version + 1;
        write.synced_version = write.new_version;
        ++counters_.deleted;
    } else if (entity_.conflict == config::ConflictPolicy::hub) {
        note(candidate,
             "deleted at the vendor and changed in the hub; the hub's record is created there again", making);
        write.owed = entity_.exports;
        ++counters_.unchanged;
    } else {
        making.page.conflicts.push_back(conflict_of(candidate, store::ConflictKind::deletion));
        ++counters_.conflicts;
        return;
    }
    making.page.writes.push_back(std::move(write));
}

// The vendor shows something that was deleted.
void ImportPlan::bring_back(Candidate& candidate, Making& making) {
    const store::ImportState& state = candidate.state;
    const plugin::Record& record = records_[candidate.index];
    const auto changed = from_unix_ms(record.changed_ms);
    // An old listing may still have what we deleted there.
    const bool stale = state.buried && ((!record.version.empty() && record.version == state.remote_version) ||
                                        (record.changed_ms != 0 && changed <= *state.tomb));
    const json::object base = base_of(state);
    const bool same = !state.tomb && overlay(base, candidate.content) == base;
    if (stale || same) {
        note_version(candidate.index, state);
        ++counters_.unchanged;
        return;
    }
    const bool theirs_alone = state.tomb && !state.buried;
    if (theirs_alone || entity_.conflict == config::ConflictPolicy::remote)
        return write_merged(candidate, &base, making);
    if (entity_.conflict == config::ConflictPolicy::hub) {
        note(candidate, "changed at the vendor after it was deleted in the hub; it stays deleted", making);
        note_version(candidate.index, candidate.state);  // of which it is deleted there
        ++counters_.unchanged;
        return;
    }
    making.page.conflicts.push_back(conflict_of(candidate, store::ConflictKind::deletion));
    ++counters_.conflicts;
}

}  // namespace liaisond::sync
