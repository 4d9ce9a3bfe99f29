#include "sync/import_plan.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unordered_map>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t max_record_bytes = 256u << 10;  // canonical_restaurant.md, global rules
constexpr std::size_t max_key_bytes = 512;
constexpr std::size_t kept_of_a_bad_payload = 16u << 10;
constexpr std::size_t faults_named = 3;

}  // namespace

ImportPlan::ImportPlan(const CanonicalSchemas& schemas, std::string entity,
                       const std::vector<plugin::Record>& records)
    : schema_(schemas.find(entity)), entity_(std::move(entity)), records_(records) {
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
            keys_.push_back({record.key, content_hash(record.payload), record.version, record.deleted});
            key_index_.push_back(i);
        }
    }
}

void ImportPlan::reject(std::size_t index, const std::string& reason, const std::string& message,
                        std::string_view payload) {
    const plugin::Record& record = records_[index];
    rejections_.push_back({static_cast<std::uint32_t>(index), message});
    store::DeadLetter letter;
    letter.entity = entity_;
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
        if (state.same) {
            ++counters_.unchanged;
            continue;
        }
        Candidate candidate{index, std::move(state), json::object(&memory_)};
        if (records_[index].deleted) {
            // A tombstone of something the hub never had, or has buried already, changes nothing.
            if (!candidate.state.mapped || candidate.state.deleted)
                ++counters_.unchanged;
            else
                candidates_.push_back(std::move(candidate));
            continue;
        }
        if (!read(index, candidate.content)) continue;
        want(candidate.content);
        candidates_.push_back(std::move(candidate));
    }
}

bool ImportPlan::read(std::size_t index, json::object& content) {
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
    const std::vector<Schema::Fault> faults =
        schema_ != nullptr ? schema_->check(parsed, faults_named) : std::vector<Schema::Fault>();
    if (faults.empty()) {
        content = std::move(parsed.get_object());
        return true;
    }
    std::string message;
    for (const Schema::Fault& fault : faults)
        message += (message.empty() ? "" : "; ") + (fault.pointer.empty() ? "the record" : fault.pointer) +
                   " " + fault.message;
    reject(index, "invalid_record", message, record.payload);
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

store::ImportPage ImportPlan::page(Instant now, Random& random) {
    store::ImportPage page;
    page.entity = entity_;
    page.at = now;
    for (Candidate& candidate : candidates_) {
        translate(candidate.content, page, now, random);
        page.writes.push_back(decide(candidate, now, random));
    }
    page.dead_letters = dead_letters_;
    return page;
}

// References arrive as external ids of the connector's own system and are stored as ids of the hub. What is
// referred to and not there yet becomes a stub, which the record itself fills when it arrives.
void ImportPlan::translate(json::object& content, store::ImportPage& page, Instant now, Random& random) {
    if (schema_ == nullptr) return;
    visit_references(*schema_, content, [&](const std::string& entity, json::string& text) {
        std::string& record = known_references_[{entity, std::string(text)}];
        if (record.empty()) {
            record = uuid_v7(now, random);
            store::ImportWrite stub;
            stub.record = record;
            stub.external_id = text;
            stub.entity = entity;
            stub.stub = true;
            page.writes.push_back(std::move(stub));
        }
        text = record;
    });
}

store::ImportWrite ImportPlan::decide(Candidate& candidate, Instant now, Random& random) {
    const plugin::Record& record = records_[candidate.index];
    const store::ImportState& state = candidate.state;
    store::ImportWrite write;
    write.rid = state.rid;
    write.external_id = record.key;
    write.remote_version = record.version;
    write.expected_version = state.version;
    write.new_version = state.version + 1;
    if (record.deleted) {
        write.change = store::Action::deleted;
        write.payload = state.payload;
        write.synced_version = write.new_version;
        ++counters_.deleted;
        return write;
    }
    write.hash = content_hash(record.payload);
    if (!state.mapped || state.stub) {
        if (!state.mapped) write.record = uuid_v7(now, random);
        write.change = store::Action::created;
        write.payload = json::serialize(candidate.content);
        write.synced_version = write.new_version;
        ++counters_.created;
        return write;
    }
    boost::system::error_code error;
    json::value stored = json::parse(state.payload, error);
    json::object merged = !error && stored.is_object() ? std::move(stored.get_object()) : json::object();
    const std::vector<std::string> fields = merge_snapshot(merged, candidate.content);
    if (fields.empty() && !state.deleted) {
        // Same content in other words, or our own export coming back: only the mapping learns its new hash.
        write.new_version = state.version;
        write.synced_version = state.synced_version;
        ++counters_.unchanged;
        return write;
    }
    write.change = store::Action::updated;
    write.payload = json::serialize(merged);
    json::array names;
    for (const std::string& field : fields) names.emplace_back(field);
    write.fields = json::serialize(names);
    // Where somebody else changed the record since, this side has not seen all of it and is still owed an
    // export.
    write.synced_version = state.synced_version == state.version ? write.new_version : state.synced_version;
    ++counters_.updated;
    return write;
}

}  // namespace liaisond::sync
