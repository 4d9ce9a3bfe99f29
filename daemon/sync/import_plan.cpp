#include "sync/import_plan.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unordered_map>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/conflict_rules.hpp"
#include "sync/recognition.hpp"
#include "sync/record_order.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t max_record_bytes = 256u << 10;  // canonical_restaurant.md, global rules
constexpr std::size_t max_key_bytes = 512;
constexpr std::size_t kept_of_a_bad_payload = 16u << 10;
constexpr std::size_t faults_named = 3;
constexpr std::size_t longest_note = 2000;

// What the vendor and the hub last agreed on.
json::object base_of(const store::ImportState& state) {
    return parsed_object(state.base ? *state.base : state.payload);
}

// Vendors send cancellations with zeros and without rooms: what they say besides is no news.
void keep_only(json::object& content, const std::vector<std::string>& names) {
    std::vector<std::string> others;
    for (const auto& member : content) {
        if (std::find(names.begin(), names.end(), member.key()) == names.end())
            others.emplace_back(member.key());
    }
    for (const std::string& name : others) content.erase(name);
}

// "$partial": true says that the record has more fields than this event tells (kit/mapping.hpp).
bool is_patch(json::object& content) {
    const json::value* found = content.if_contains("$partial");
    const bool partial = found != nullptr && *found == true;
    content.erase("$partial");
    return partial;
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

ImportPlan::ImportPlan(const CanonicalSchemas& schemas, const Link& link, const config::Entity& entity,
                       const std::vector<plugin::Record>& records)
    : schema_(schemas.find(entity.name)), link_(link), entity_(entity), records_(records) {
    counters_.fetched = static_cast<std::int64_t>(records.size());
    std::unordered_map<std::string_view, std::size_t> last;
    last.reserve(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) last[records[i].key] = i;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const plugin::Record& record = records[i];
        if (record.key.empty() || record.key.size() > max_key_bytes) {
            reject(i, "invalid_key",
                   record.key.empty()
                       ? "the record has no key"
                       : "the record's key is longer than " + std::to_string(max_key_bytes) + " bytes",
                   record.payload);
        } else if (last[record.key] != i) {
            ++counters_.unchanged;  // a newer state of the same record follows in this very page
        } else {
            keys_.push_back(
                {record.key, content_hash(record.payload), record.version, record.deleted, record.reference});
            key_index_.push_back(i);
        }
    }
}

bool ImportPlan::is_outdated(std::size_t index, const store::ImportState& state) const {
    if (!ordered_since_ || !state.mapped || state.stub || state.created_by != 0) return false;
    if (state.synced_at < *ordered_since_) return false;
    const plugin::Record& record = records_[index];
    // A mapping without hash: what we wrote, and the vendor has not shown since.
    const bool wrote = minds_own_writes_ && state.synced_hash.empty() && record.changed_ms != 0;
    if (wrote && from_unix_ms(record.changed_ms) <= state.synced_at) return true;
    return is_older({record.changed_ms, record.version}, {state.changed_ms, state.remote_version});
}

void ImportPlan::reject(std::size_t index, const std::string& reason, const std::string& message,
                        std::string_view payload) {
    const plugin::Record& record = records_[index];
    rejections_.push_back({static_cast<std::uint32_t>(index), message});
    store::DeadLetter letter;
    letter.entity = entity_.name;
    letter.key = record.key.empty() ? "(none) " + to_hex(content_hash(record.payload))
                                    : shortened(record.key, max_key_bytes);
    letter.reason = reason;
    letter.message = redactor().scrub(message);
    letter.payload = redactor().scrub(shortened(payload, kept_of_a_bad_payload));
    dead_letters_.push_back(std::move(letter));
    ++counters_.rejected;
}

void ImportPlan::know(std::vector<store::ImportState> states) {
    candidates_.clear();
    for (std::size_t i = 0; i < states.size(); ++i) {
        const std::size_t index = key_index_[i];
        store::ImportState& state = states[i];
        const bool leaves = is_spared(state) || is_outdated(index, state);
        if (leaves || state.same) {
            if (!leaves) note_version(index, state);
            ++counters_.unchanged;
            continue;
        }
        Candidate candidate{index, std::move(state), json::object(&memory_), {}};
        if (records_[index].deleted) {
            // A tombstone of something the hub never had, or knows to be gone, changes nothing.
            if (!candidate.state.mapped || candidate.state.tomb || candidate.state.stub)
                ++counters_.unchanged;
            else
                candidates_.push_back(std::move(candidate));
            continue;
        }
        if (!read(index, candidate.state, candidate.content)) continue;
        want(candidate.content);
        ask(candidate, candidates_.size());
        candidates_.push_back(std::move(candidate));
    }
}

// Of a record that is as the hub knows it. A write that changed nothing it shows may have been the hub's own,
// of which the answer was lost. What is gone keeps the version that it had.
void ImportPlan::note_version(std::size_t index, const store::ImportState& state) {
    const plugin::Record& record = records_[index];
    if (state.tomb || record.version.empty() || record.version == state.remote_version) return;
    versions_.push_back({record.key, record.version, record.changed_ms, state.synced_at, state.synced_hash});
}

bool ImportPlan::is_spared(const store::ImportState& state) const {
    if (!spared_since_ || !state.mapped || state.stub || state.created_by != 0) return false;
    return state.synced_at >= *spared_since_ || (state.tomb && *state.tomb >= *spared_since_);
}

bool ImportPlan::read(std::size_t index, const store::ImportState& state, json::object& content) {
    const plugin::Record& record = records_[index];
    if (record.payload.size() > max_record_bytes) {
        reject(index, "too_large",
               "the record has " + std::to_string(record.payload.size()) + " bytes; at most " +
                   std::to_string(max_record_bytes) + " are allowed",
               record.payload);
        return false;
    }
    boost::system::error_code error;
    json::value parsed = json::parse(record.payload, error, &memory_);
    if (error || !parsed.is_object()) {
        reject(index, "invalid_json", "the connector emitted something that is no JSON object",
               record.payload);
        return false;
    }
    const json::object& fields = parsed.get_object();
    // What a connector could not turn into a record comes with the reason why (kit/mapping.hpp).
    if (const json::value* reason = fields.if_contains("$rejected");
        reason != nullptr && reason->is_string()) {
        const json::value* raw = fields.if_contains("$raw");
        reject(index, "unmappable", std::string(reason->get_string()),
               raw != nullptr ? json::serialize(*raw) : record.payload);
        return false;
    }
    const bool patches = is_patch(parsed.get_object());
    if (patches && (!state.mapped || state.stub)) {
        rejections_.push_back({static_cast<std::uint32_t>(index),
                               "it changes some fields of a record that is not there yet", true});
        return false;
    }
    const bool has_modes = schema_ != nullptr && !schema_->cancel_fields().empty();
    const json::value* mode = has_modes ? fields.if_contains("mode") : nullptr;
    const bool cancels = mode != nullptr && *mode == "cancel" && state.mapped && !state.stub;
    if (cancels) keep_only(parsed.get_object(), schema_->cancel_fields());
    const json::value whole = cancels || patches
                                  ? json::value(overlay(parsed_object(state.payload), parsed.get_object()))
                                  : json::value();
    if (!is_valid(index, cancels || patches ? whole : parsed)) return false;
    content = std::move(parsed.get_object());
    if (has_modes) content.erase("mode");  // how to read the record, and no part of it
    return true;
}

bool ImportPlan::is_valid(std::size_t index, const json::value& content) {
    const std::vector<Schema::Fault> faults =
        schema_ != nullptr ? schema_->check(content, faults_named) : std::vector<Schema::Fault>();
    if (faults.empty()) return true;
    std::string message;
    for (const Schema::Fault& fault : faults)
        message += (message.empty() ? "" : "; ") + (fault.pointer.empty() ? "the record" : fault.pointer) +
                   " " + fault.message;
    reject(index, "invalid_record", message, records_[index].payload);
    return false;
}

void ImportPlan::want(json::object& content) {
    if (schema_ == nullptr || schema_->references().empty()) return;
    visit_references(*schema_, content, [&](const std::string& entity, json::string& text) {
        const auto [known, fresh] = known_references_.try_emplace({entity, std::string(text)});
        if (!fresh) return;
        auto list =
            std::find_if(wanted_.begin(), wanted_.end(), [&](const Wanted& w) { return w.entity == entity; });
        if (list == wanted_.end()) list = wanted_.insert(list, Wanted{entity, {}});
        list->external_ids.emplace_back(text);
    });
}

void ImportPlan::resolve(std::size_t wanted, const std::vector<std::string>& records) {
    const Wanted& asked = wanted_[wanted];
    for (std::size_t i = 0; i < records.size(); ++i)
        known_references_[{asked.entity, asked.external_ids[i]}] = records[i];
}

// Only what this system brings for the first time may be something the hub knows from another. Whose `match`
// says by what does not count: it is one record whichever of them brings it first.
void ImportPlan::ask(Candidate& candidate, std::size_t place) {
    const auto names = link_.recognition.find(entity_.name);
    if (schema_ == nullptr || names == link_.recognition.end() ||
        (candidate.state.mapped && !candidate.state.stub))
        return;
    MatchValues values = match_values(*schema_, names->second, candidate.content);
    if (values.empty()) return;
    candidate.asked = values;
    questions_.push_back(std::move(values));
    asked_for_.push_back(place);
}

void ImportPlan::recognise(std::vector<store::Recognised> answers) {
    for (store::Recognised& answer : answers) {
        // Another record of this very page may have been recognised as the same one.
        const auto taken = [&](const Candidate& other) {
            return other.known_as.size() == 1 && other.known_as.front().rid == answer.rid;
        };
        Candidate& candidate = candidates_[asked_for_[answer.key]];
        if (std::any_of(candidates_.begin(), candidates_.end(), taken)) {
            candidate.asked.clear();  // it will be created though there is one
            continue;
        }
        candidate.known_as.push_back(std::move(answer));
    }
}

store::ImportPage ImportPlan::page(Instant now, Random& random) {
    Making making{{}, now, random};
    making.page.entity = entity_.name;
    making.page.at = now;
    for (Candidate& candidate : candidates_) {
        translate(candidate.content, making);
        decide(candidate, making);
    }
    making.page.dead_letters = dead_letters_;
    making.page.versions = versions_;
    return std::move(making.page);
}

// References arrive as external ids of the connector's own system and are stored as ids of the hub. What is
// referred to and not there yet becomes a stub, which the record itself fills when it arrives.
void ImportPlan::translate(json::object& content, Making& making) {
    if (schema_ == nullptr) return;
    visit_references(*schema_, content, [&](const std::string& entity, json::string& text) {
        std::string& record = known_references_[{entity, std::string(text)}];
        if (record.empty()) {
            record = uuid_v7(making.now, making.random);
            store::ImportWrite stub;
            stub.record = record;
            stub.external_id = text;
            stub.entity = entity;
            stub.stub = true;
            making.page.writes.push_back(std::move(stub));
        }
        text = record;
    });
}

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
    if (state.shown) shown = parsed_object(*state.shown);
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
