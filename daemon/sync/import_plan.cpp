#include "sync/import_plan.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unordered_map>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/recognition.hpp"
#include "sync/record_order.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t max_record_bytes = 256u << 10;  // canonical_restaurant.md, global rules
constexpr std::size_t max_key_bytes = 512;
constexpr std::size_t kept_of_a_bad_payload = 16u << 10;
constexpr std::size_t faults_named = 3;

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
            // A tombstone of something the hub never had, or knows to be gone, changes nothing; but it may
            // have been refused, or wait for somebody to say which record it is.
            if (!candidate.state.mapped) gone_.push_back(records_[index].key);
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
    if (const auto place = number_out_of_range(parsed)) {
        reject(index, "invalid_record", *place + " " + std::string(is_out_of_range), record.payload);
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
    making.page.gone = gone_;
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

}  // namespace liaisond::sync
