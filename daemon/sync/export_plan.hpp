// ExportPlan: hub records as the vendor shall get them - references in the vendor's ids, the operation named.
// Pure: it is told what the vendor has and answers with intents, or with why there can be none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/types.hpp"
#include "sync/canonical.hpp"
#include "sync/link.hpp"

namespace liaisond::sync {

class ExportPlan {
  public:
    // All must outlive the plan.
    ExportPlan(const CanonicalSchemas& schemas, const Link& link, const config::Entity& entity,
               const std::vector<store::PendingExport>& records);

    // Hub records (UUIDs) that are referred to, each once; and their ids at the vendor, empty where it has
    // none.
    const std::vector<std::string>& wanted() const { return wanted_; }
    void resolve(const std::vector<std::string>& external_ids);

    // An intent for each record, in order; those with references that the vendor does not have come back as
    // `unresolved` instead, by their place in `records`.
    struct Unresolved {
        std::size_t index = 0;
        store::DeadLetter letter;
    };
    std::vector<store::Intent> intents(std::vector<Unresolved>& unresolved) const;

  private:
    const Schema* schema_;
    const Link& link_;
    const config::Entity& entity_;
    const std::vector<store::PendingExport>& records_;
    std::vector<json::object> contents_;
    std::vector<std::string> wanted_;
    std::map<std::string, std::string, std::less<>> external_;
};

// What the vendor knows a record by on our side: the same for good, whatever is sent of it. One that is
// created again after it was gone there is another record to the vendor, which may remember the first one's
// reference.
std::string reference_of(const Link& link, const std::string& entity, const std::string& record,
                         std::optional<Instant> gone_since = std::nullopt);

// Creates are as the manifest says; updates and deletes name the record by its id at the vendor, so that
// repeating them is harmless.
EffectClass effect_of(const Link& link, const store::Intent& intent);

// Whether a keyed create that is sent again at that moment is recognised by its key. The settle time before
// the key's end it is not relied on any more: that long a request may be on its way (reliability.md 2.1).
bool remembers_key(const Link& link, const store::Intent& intent, Instant at);

}  // namespace liaisond::sync
