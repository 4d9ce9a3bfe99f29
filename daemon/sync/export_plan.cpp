#include "sync/export_plan.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "base/redact.hpp"

namespace liaisond::sync {

ExportPlan::ExportPlan(const CanonicalSchemas& schemas, const Link& link, const config::Entity& entity,
                       const std::vector<store::PendingExport>& records)
    : schema_(schemas.find(entity.name)),
      link_(link),
      entity_(entity),
      records_(records),
      contents_(records.size()) {
    if (schema_ == nullptr || schema_->references().empty()) return;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i].deleted) continue;
        boost::system::error_code error;
        json::value parsed = json::parse(records[i].payload, error);
        if (!error && parsed.is_object()) contents_[i] = std::move(parsed.get_object());
        visit_references(*schema_, contents_[i],
                         [&](const std::string&, json::string& id) { wanted_.emplace_back(id); });
    }
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

void ExportPlan::resolve(const std::vector<std::string>& external_ids) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) external_[wanted_[i]] = external_ids[i];
}

std::vector<store::Intent> ExportPlan::intents(std::vector<Unresolved>& unresolved) const {
    std::vector<store::Intent> made;
    for (std::size_t i = 0; i < records_.size(); ++i) {
        const store::PendingExport& record = records_[i];
        std::string missing;
        json::object content = contents_[i];
        bool translated = false;
        const auto translate = [&](const std::string& entity, json::string& id) {
            const auto known = external_.find(std::string_view(id));
            const auto stand_in = entity_.missing_reference.find(entity);
            if (known != external_.end() && !known->second.empty())
                id = known->second;
            else if (stand_in != entity_.missing_reference.end())
                id = stand_in->second;
            else
                missing += (missing.empty() ? "" : ", ") + entity + " " + std::string(id);
            translated = true;
        };
        if (schema_ != nullptr && !content.empty()) visit_references(*schema_, content, translate);
        if (!missing.empty()) {
            Unresolved& one = unresolved.emplace_back();
            one.index = i;
            one.letter.integration = link_.config.id;
            one.letter.entity = entity_.name;
            one.letter.direction = store::Direction::export_;
            one.letter.key = record.record;
            // Not a verdict on this version: the next run looks again.
            one.letter.version = record.version - 1;
            one.letter.reason = "unresolved_reference";
            one.letter.message = "refers to " + missing +
                                 ", which this integration does not have; export that first, set "
                                 "missing_reference, or correct the record";
            one.letter.payload = redactor().scrub(record.payload);
            continue;
        }
        store::Intent& intent = made.emplace_back();
        intent.integration = link_.config.id;
        intent.entity = entity_.name;
        intent.rid = record.rid;
        intent.record = record.record;
        // A create is one operation however often the record changes before it succeeds.
        intent.op_key =
            record.external_id.empty() && !record.deleted
                ? reference_of(link_, entity_.name, record.record, record.gone_since)
                : operation_key({link_.tenant.id, link_.config.id, entity_.name, record.record,
                                 record.deleted ? "delete" : "update", std::to_string(record.version)});
        intent.payload = record.deleted ? std::string()
                         : translated   ? json::serialize(content)
                                        : record.payload;
        if (translated) intent.content = record.payload;
        intent.external_id = record.external_id;
        intent.remote_version = record.remote_version;
        intent.deleted = record.deleted;
        intent.version = record.version;
    }
    return made;
}

std::string reference_of(const Link& link, const std::string& entity, const std::string& record,
                         std::optional<Instant> gone_since) {
    return operation_key({link.tenant.id, link.config.id, entity, record, "create",
                          gone_since ? std::to_string(to_unix_ms(*gone_since)) : ""});
}

EffectClass effect_of(const Link& link, const store::Intent& intent) {
    return intent.external_id.empty() ? link.effect(intent.entity) : EffectClass::upsert;
}

bool remembers_key(const Link& link, const store::Intent& intent, Instant at) {
    return at + link.config.settle < intent.first_sent_at + link.key_lifetime(intent.entity);
}

}  // namespace liaisond::sync
