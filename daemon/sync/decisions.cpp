#include "sync/decisions.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "sync/canonical.hpp"
#include "sync/conflict_rules.hpp"

namespace liaisond::sync {
namespace {

// One conflict, what the hub knows of the record, and the page that settles it.
class Resolution {
  public:
    Resolution(store::Database& database, store::Conflict conflict, Instant now, Random& random)
        : database_(database), conflict_(std::move(conflict)), now_(now), random_(random) {}

    Result<std::string> run(const ConflictChoice& choice) {
        auto known = database_.look_up(conflict_.integration, conflict_.entity,
                                       {{conflict_.external_id, {}, {}, false, {}}});
        if (!known) return fail(known.error());
        state_ = std::move(known->front());
        Result<std::string> told = decide(choice);
        if (!told) return told;
        store::ImportPage page;
        page.integration = conflict_.integration;
        page.entity = conflict_.entity;
        page.at = now_;
        page.is_decision = true;
        auto tenant = database_.tenant_of(conflict_.integration);
        if (!tenant) return fail(tenant.error());
        page.tenant = std::move(*tenant);
        page.writes.push_back(std::move(write_));
        if (auto committed = database_.commit_page(page); !committed) return fail(committed.error());
        return told;
    }

  private:
    Result<std::string> decide(const ConflictChoice& choice) {
        write_.rid = state_.rid;
        write_.external_id = conflict_.external_id;
        write_.remote_version = conflict_.remote_version;
        write_.hash = conflict_.hash;
        write_.expected_version = write_.new_version = state_.version;
        write_.synced_version = state_.synced_version;
        write_.base = state_.base;
        write_.shown = state_.shown;
        if (conflict_.kind == store::ConflictKind::identity) return identify(choice.record);
        if (!state_.mapped)
            return fail(ErrorKind::permanent,
                        "the record is not mapped any more; there is nothing to decide");
        if (conflict_.kind == store::ConflictKind::deletion) return about_deletion(choice.side);
        return about_fields(choice);
    }

    Result<std::string> about_fields(const ConflictChoice& choice) {
        boost::system::error_code error;
        const json::value detail = json::parse(conflict_.detail, error);
        json::object content = parsed_object(state_.payload);
        json::object base = parsed_object(state_.base ? *state_.base : state_.payload);
        Provenance provenance(state_.provenance);
        json::array taken;
        std::size_t known = 0;
        for (const json::value& field : detail.as_array()) {
            const std::string pointer(field.at("pointer").as_string());
            const auto own = choice.fields.find(pointer);
            known += own != choice.fields.end() ? 1 : 0;
            const Side side = own != choice.fields.end() ? own->second : choice.side;
            set_pointer(base, pointer, field.at("remote"));
            provenance.thaw(pointer);
            if (side != Side::remote) continue;
            set_pointer(content, pointer, field.at("remote"));
            provenance.note(pointer, conflict_.integration, 0);
            taken.emplace_back(pointer);
        }
        if (known != choice.fields.size())
            return fail(ErrorKind::permanent,
                        "a field is named that is not in conflict; liaisonctl conflicts shows them");
        settle(content, base, !taken.empty(), json::serialize(taken), provenance);
        return std::to_string(taken.size()) + " of " + std::to_string(detail.as_array().size()) +
               " fields took the vendor's value; the vendor gets the rest with the next export";
    }

    void settle(const json::object& content, const json::object& base, bool changed,
                const std::string& fields, const Provenance& provenance) {
        const bool owes = !(content == base);
        if (changed) {
            write_.change = store::Action::updated;
            write_.new_version = state_.version + 1;
            write_.payload = json::serialize(content);
            write_.fields = fields;
        }
        if (const std::string text = provenance.text(); changed || text != state_.provenance)
            write_.provenance = text;
        write_.owed = owes && !changed;
        write_.synced_version =
            owes ? std::min(state_.synced_version, write_.new_version - 1) : write_.new_version;
        write_.base = owes ? std::optional(json::serialize(base)) : std::nullopt;
    }

    Result<std::string> about_deletion(Side side) {
        const bool gone_there = conflict_.payload.empty();
        if (gone_there) {
            write_.tomb = true;
            write_.hash.clear();
            write_.remote_version.clear();
            write_.base = std::nullopt;
        }
        if (gone_there && side == Side::remote) {
            write_.change = store::Action::deleted;
            write_.payload = state_.payload;
            write_.new_version = state_.version + 1;
            write_.synced_version = write_.new_version;
            return std::string("deleted in the hub, too");
        }
        if (side == Side::hub) {
            write_.owed = true;
            write_.synced_version = state_.version - 1;
            return std::string(gone_there ? "the next export creates it at the vendor again"
                                          : "it stays deleted; the next export deletes it at the vendor");
        }
        write_.change = store::Action::updated;
        write_.new_version = state_.version + 1;
        write_.synced_version = write_.new_version;
        write_.payload = conflict_.payload;
        write_.fields = "[]";
        write_.base = std::nullopt;
        return std::string("the record is back in the hub as the vendor has it");
    }

    Result<std::string> identify(const std::string& record) {
        const json::object remote = parsed_object(conflict_.payload);
        if (record.empty()) {
            if (!state_.mapped) write_.record = uuid_v7(now_, random_);
            write_.change = store::Action::created;
            write_.new_version = state_.version + 1;
            write_.synced_version = write_.new_version;
            write_.payload = conflict_.payload;
            return "a record of its own: " + (write_.record.empty() ? state_.record : write_.record);
        }
        auto found = database_.record(record);
        if (!found) return fail(found.error());
        if (!*found) return fail(ErrorKind::permanent, "there is no record " + record);
        if (const Status free = is_free(**found); !free) return fail(free.error());
        if (state_.stub) write_.stub_rid = state_.rid;
        state_.rid = write_.rid = (*found)->rid;
        state_.version = write_.expected_version = write_.new_version = (*found)->version;
        state_.synced_version = 0;
        const MergeRules keep{[](const FieldConflict&) { return Side::hub; },
                              [](std::string_view, const json::value&, const json::value&) { return true; }};
        const Merge merged = merge(nullptr, nullptr, parsed_object((*found)->payload), remote, keep);
        json::array taken;
        Provenance provenance((*found)->provenance);
        for (const std::string& pointer : merged.taken) {
            provenance.note(pointer, conflict_.integration, 0);
            taken.emplace_back(pointer);
        }
        settle(merged.content, merged.base, !merged.taken.empty(), json::serialize(taken), provenance);
        return "it is record " + record + "; where they differ, the hub's values stay";
    }

    // May the vendor's record be this one?
    Status is_free(const store::Recognised& record) {
        auto there = database_.presence(conflict_.integration, record.rid);
        if (!there) return fail(there.error());
        const std::string what = "the record " + record.record;
        const std::string instead = "; choose another, or none: then it is a record of its own";
        if (there->deleted) return fail(ErrorKind::permanent, what + " is deleted" + instead);
        if (!there->external_id.empty() && there->external_id != conflict_.external_id)
            return fail(ErrorKind::permanent,
                        what + " is " + there->external_id + " at " + conflict_.integration + instead);
        if (there->is_being_sent)
            return fail(ErrorKind::permanent,
                        what + " is just being created at " + conflict_.integration + instead);
        return {};
    }

    store::Database& database_;
    store::Conflict conflict_;
    store::ImportState state_;
    store::ImportWrite write_;
    Instant now_;
    Random& random_;
};

}  // namespace

Result<std::string> resolve_conflict(store::Database& database, std::int64_t id, const ConflictChoice& choice,
                                     Instant now, Random& random) {
    auto conflict = database.conflict(id);
    if (!conflict) return fail(conflict.error());
    if (!*conflict) return fail(ErrorKind::permanent, "there is no open conflict " + std::to_string(id));
    return Resolution(database, std::move(**conflict), now, random).run(choice);
}

Result<std::string> resolve_intent(store::Database& database, std::int64_t id, const IntentChoice& choice,
                                   Instant now) {
    auto intent = database.intent(id);
    if (!intent) return fail(intent.error());
    if (!*intent) return fail(ErrorKind::permanent, "there is no open intent " + std::to_string(id));
    if ((*intent)->state != store::IntentState::in_doubt) {
        return fail(ErrorKind::permanent, "intent " + std::to_string(id) +
                                              " is not in doubt; the daemon takes care of it by itself");
    }
    store::Outcome outcome;
    outcome.intent = id;
    std::string told;
    switch (choice.action) {
        case IntentChoice::Action::exists:
            outcome.external_id = !choice.external_id.empty() ? choice.external_id : (*intent)->external_id;
            if (outcome.external_id.empty() && !(*intent)->deleted)
                return fail(ErrorKind::permanent, "say which record it is at the vendor: its id there");
            outcome.kind = (*intent)->deleted ? store::Outcome::Kind::deleted : store::Outcome::Kind::done;
            outcome.action = "adopted";
            outcome.message = told = "an operator found it at the vendor";
            break;
        case IntentChoice::Action::resend:
            outcome.kind = store::Outcome::Kind::retry;
            // Never longer than that from now on, whatever a clock said when it was sent.
            outcome.next_at = std::clamp((*intent)->next_at + choice.settle, now, now + choice.settle);
            outcome.message = "an operator had it sent again";
            told = "it is sent again, not before " + format_instant(outcome.next_at);
            break;
        case IntentChoice::Action::cancel:
            outcome.kind = store::Outcome::Kind::rejected;
            outcome.reason = "cancelled_by_operator";
            outcome.message = "an operator cancelled it";
            told = "it is not sent; it is among the dead letters now";
            break;
    }
    auto settled = database.settle(0, (*intent)->integration, (*intent)->entity, {outcome}, now);
    if (!settled) return fail(settled.error());
    return told;
}

Status replay_event(store::Database& database, const store::DeadLetter& letter, Instant now) {
    auto waits = database.revive_event(letter.integration, letter.key, now);
    if (!waits) return fail(waits.error());
    if (!*waits) {
        return fail(ErrorKind::permanent,
                    "the event '" + letter.key +
                        "' is not in the inbox any more; ask the vendor to send it again, or discard this "
                        "dead letter");
    }
    return database.drop_dead_letter(letter.id);
}

Status replay_export(store::Database& database, const store::DeadLetter& letter, Instant now) {
    auto record = database.record(letter.key);
    if (!record) return fail(record.error());
    if (auto dropped = database.drop_dead_letter(letter.id); !dropped) return dropped;
    if (!*record) return {};
    return database.present_again(letter.integration, (*record)->rid, 0, now);
}

}  // namespace liaisond::sync
