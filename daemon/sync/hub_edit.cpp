#include "sync/hub_edit.hpp"

#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "sync/conflict_rules.hpp"
#include "sync/merge.hpp"
#include "sync/recognition.hpp"

namespace liaisond::sync {
namespace {

using Why = EditRefusal::Why;

// RFC 7396.
json::value merge_patch(json::value target, const json::value& patch) {
    if (!patch.is_object()) return patch;
    if (!target.is_object()) target = json::object();
    for (const auto& [name, value] : patch.get_object()) {
        if (value.is_null())
            target.get_object().erase(name);
        else
            target.get_object()[name] = merge_patch(std::move(target.get_object()[name]), value);
    }
    return target;
}

class Editor {
  public:
    Editor(store::Database& database, const CanonicalSchemas& schemas, const HubEdit& edit, Instant now,
           Random& random)
        : database_(database), schema_(schemas.find(edit.entity)), edit_(edit), now_(now), random_(random) {}

    Result<EditOutcome> run() {
        if (!edit_.record.empty()) {
            store::Filter filter;
            filter.tenant = edit_.tenant;
            filter.record = edit_.record;
            auto found = database_.records(filter);
            if (!found) return fail(found.error());
            if (!found->empty()) before_ = std::move(found->front());
            auto taken = database_.record(edit_.record);
            if (!taken) return fail(taken.error());
            if (*taken) provenance_ = (*taken)->provenance;
            // Of another tenant, or a stub: nothing that may be told, or edited.
            if (*taken && !before_)
                return EditOutcome(EditRefusal{Why::not_found, "there is no record " + edit_.record});
        }
        if (auto refused = precondition()) return EditOutcome(std::move(*refused));
        if (edit_.kind == HubEdit::Kind::remove) return remove();
        auto faults = check();
        if (!faults) return fail(faults.error());
        if (!faults->empty()) {
            const Schema::Fault first = faults->front();
            return EditOutcome(EditRefusal{
                Why::invalid, (first.pointer.empty() ? "the record" : first.pointer) + " " + first.message,
                std::move(*faults)});
        }
        return write();
    }

  private:
    bool is_there() const { return before_ && !before_->deleted; }

    std::optional<EditRefusal> precondition() {
        const bool must_be_there = edit_.kind != HubEdit::Kind::replace;
        if (before_ && before_->entity != edit_.entity)
            return EditRefusal{Why::not_found, "record " + edit_.record + " is no " + edit_.entity};
        if (must_be_there && !is_there())
            return EditRefusal{Why::not_found, "there is no record " + edit_.record};
        const std::int64_t version = is_there() ? before_->version : 0;
        if (edit_.version && *edit_.version != version)
            return EditRefusal{Why::changed_meanwhile,
                               is_there() ? "the record has changed meanwhile: it is at version " +
                                                std::to_string(version) + "; read it again"
                                          : "there is no record " + edit_.record};
        if (!edit_.version && edit_.kind == HubEdit::Kind::replace && is_there())
            return EditRefusal{Why::say_which_version,
                               "the record is there already; send If-Match with its ETag to replace it, or "
                               "PATCH it"};
        return std::nullopt;
    }

    // Makes the new content, and says what is wrong with it.
    Result<std::vector<Schema::Fault>> check() {
        json::object old = is_there() ? parsed_object(before_->payload) : json::object();
        content_ = edit_.kind == HubEdit::Kind::merge
                       ? std::move(merge_patch(old, edit_.content).get_object())
                       : edit_.content;
        differences_ = differences(old, content_);
        std::vector<Schema::Fault> faults =
            schema_ != nullptr ? schema_->check(content_) : std::vector<Schema::Fault>();
        const std::string text = json::serialize(content_);
        if (mask_card_numbers(text) != text)
            faults.push_back(
                {"", "holds what looks like the number of a payment card, which liaison never stores"});
        if (schema_ == nullptr || !faults.empty()) return faults;
        std::vector<std::pair<std::string, std::string>> named;
        visit_references(*schema_, content_, [&](const std::string& entity, json::string& id) {
            named.emplace_back(entity, std::string(id));
        });
        for (const auto& [entity, id] : named) {
            store::Filter filter;
            filter.tenant = edit_.tenant;
            filter.entity = entity;
            filter.record = id;
            auto found = database_.records(filter);
            if (!found) return fail(found.error());
            if (found->empty())
                faults.push_back(
                    {"", "refers to the " + entity + " '" + id + "', which the hub does not have"});
        }
        return faults;
    }

    Result<EditOutcome> write() {
        if (is_there() && differences_.empty()) return EditOutcome(Edited{*before_, false, false});
        store::RecordEdit row;
        row.action = is_there() ? store::Action::updated : store::Action::created;
        row.payload = json::serialize(content_);
        if (is_there()) {
            Provenance provenance(provenance_);
            json::array fields;
            for (const FieldDifference& one : differences_) {
                provenance.note(one.pointer, edited_by_api, to_unix_ms(now_), one.from, one.to, now_);
                fields.emplace_back(one.pointer);
            }
            row.fields = json::serialize(fields);
            row.provenance = provenance.text();
        }
        if (schema_ != nullptr && !edit_.recognised_by.empty())
            row.match = match_values(*schema_, edit_.recognised_by, content_);
        return commit(std::move(row));
    }

    Result<EditOutcome> remove() {
        store::RecordEdit row;
        row.action = store::Action::deleted;
        row.payload = before_->payload;
        return commit(std::move(row));
    }

    Result<EditOutcome> commit(store::RecordEdit row) {
        row.tenant = edit_.tenant;
        row.entity = edit_.entity;
        row.record = edit_.record.empty() ? uuid_v7(now_, random_) : edit_.record;
        row.version = (before_ ? before_->version : 0) + 1;
        row.origin = edited_by_api;
        row.at = now_;
        row.is_new = !before_;
        if (auto done = database_.edit_record(row); !done) return fail(done.error());
        store::Filter filter;
        filter.tenant = edit_.tenant;
        filter.record = row.record;
        auto after = database_.records(filter);
        if (!after) return fail(after.error());
        if (after->empty())
            return fail(ErrorKind::internal, "record " + row.record + " is gone after it was written");
        return EditOutcome(Edited{std::move(after->front()), row.action == store::Action::created, true});
    }

    store::Database& database_;
    const Schema* schema_;
    const HubEdit& edit_;
    Instant now_;
    Random& random_;
    std::optional<store::RecordRow> before_;
    std::string provenance_;  // before it
    json::object content_;
    std::vector<FieldDifference> differences_;
};

}  // namespace

Result<EditOutcome> edit_record(store::Database& database, const CanonicalSchemas& schemas,
                                const HubEdit& edit, Instant now, Random& random) {
    return Editor(database, schemas, edit, now, random).run();
}

}  // namespace liaisond::sync
