// ImportPlan: what a page of emitted records means for the hub. Pure: it is told what the hub knows and
// answers with rows to write; every decision of an import is made here.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugin/messages.hpp"
#include "store/types.hpp"
#include "sync/canonical.hpp"
#include "sync/link.hpp"
#include "sync/merge.hpp"
#include "sync/ports.hpp"

namespace liaisond::sync {

class ImportPlan {
  public:
    // All must outlive the plan; `entity` is one of the link's.
    ImportPlan(const CanonicalSchemas& schemas, const Link& link, const config::Entity& entity,
               const std::vector<plugin::Record>& records);

    // Step 1: what to ask the hub about (one per record that has a key; a key that comes twice counts with
    // its last record).
    const std::vector<store::ImportKey>& keys() const { return keys_; }
    // Leaves alone what somebody else agreed on with the vendor since then: it may be newer than what this
    // page, which was asked for about then, shows. For imports that are not the only one to bring a record.
    void spare_since(Instant since) { spared_since_ = since; }
    // Leaves alone what is older than what the hub has, as the vendor tells it (record_order.hpp), where that
    // was agreed on at `agreed_since` or later. For imports beside which others bring the same records.
    void mind_order(Instant agreed_since) { ordered_since_ = agreed_since; }
    // The same of all records, for states of which nobody knows how old they are. Nor is anything taken that
    // changed before the hub's own latest write was answered: it may not know of that write.
    void mind_order_of_events() { ordered_since_ = Instant(), minds_own_writes_ = true; }
    // Step 2: what the hub answered. Parses, validates and masks what is new or changed.
    void know(std::vector<store::ImportState> states);
    // Step 3: external ids that the remaining records refer to, by entity; and the records (UUIDs) they are,
    // or empty.
    struct Wanted {
        std::string entity;
        std::vector<std::string> external_ids;
    };
    const std::vector<Wanted>& wanted() const { return wanted_; }
    void resolve(std::size_t wanted, const std::vector<std::string>& records);
    // Step 4: by which values new records may be known already, and what the hub answered.
    const std::vector<store::MatchValues>& questions() const { return questions_; }
    void recognise(std::vector<store::Recognised> answers);
    // Step 5: the rows. Unknown references become stubs.
    store::ImportPage page(Instant now, Random& random);

    // By the record's place in the batch.
    const std::vector<plugin::Rejection>& rejections() const { return rejections_; }
    const store::Counters& counters() const { return counters_; }

  private:
    struct Candidate {
        std::size_t index = 0;  // into records_
        store::ImportState state;
        json::object content;
        std::vector<store::Recognised> known_as;
        store::MatchValues asked = {};  // what it was to be recognised by
    };
    // The page under construction, and what its rows need.
    struct Making {
        store::ImportPage page;
        Instant now;
        Random& random;
    };
    bool is_spared(const store::ImportState& state) const;
    bool is_outdated(std::size_t index, const store::ImportState& state) const;
    void note_version(std::size_t index, const store::ImportState& state);
    void reject(std::size_t index, const std::string& reason, const std::string& message,
                std::string_view payload);
    bool read(std::size_t index, const store::ImportState& state, json::object& content);
    bool is_valid(std::size_t index, const json::value& content);
    void want(json::object& content);
    void ask(Candidate& candidate, std::size_t place);
    void translate(json::object& content, Making& making);

    void decide(Candidate& candidate, Making& making);
    std::string first_provenance(const Candidate& candidate) const;
    void create(Candidate& candidate, Making& making);
    void link(Candidate& candidate, Making& making);
    void merge_in(Candidate& candidate, Making& making);
    void refresh_echo(Candidate& candidate, Making& making);
    void bury(Candidate& candidate, Making& making);
    void bring_back(Candidate& candidate, Making& making);
    // `base` null: nothing was ever agreed.
    void write_merged(Candidate& candidate, const json::object* base, Making& making);
    store::ImportWrite write_of(const Candidate& candidate) const;
    store::Conflict conflict_of(const Candidate& candidate, store::ConflictKind kind) const;
    void note(const Candidate& candidate, const std::string& message, Making& making) const;
    std::optional<store::MatchValues> match_of(const json::object& content) const;

    const Schema* schema_;
    const Link& link_;
    const config::Entity& entity_;
    const std::vector<plugin::Record>& records_;
    std::vector<store::ImportKey> keys_;
    std::vector<std::size_t> key_index_;  // which record each key stands for
    json::monotonic_resource memory_;     // of the candidates' contents: freed at once
    std::vector<Candidate> candidates_;
    std::vector<Wanted> wanted_;
    std::map<std::pair<std::string, std::string>, std::string> known_references_;
    std::vector<store::MatchValues> questions_;
    std::vector<std::size_t> asked_for_;  // the candidate of each question
    std::vector<plugin::Rejection> rejections_;
    std::vector<store::DeadLetter> dead_letters_;
    std::vector<store::NewVersion> versions_;
    std::vector<std::string> gone_;
    store::Counters counters_;
    std::optional<Instant> spared_since_, ordered_since_;
    bool minds_own_writes_ = false;
};

}  // namespace liaisond::sync
