// What configuration says about records: fields and who owns them, values to recognise records by, stand-ins
// for references. Held against the canonical schemas and the other integrations; a rule that could never
// apply is a mistake that nobody would notice.
#include <algorithm>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/section.hpp"
#include "records/canonical_schemas.hpp"

namespace liaisond::config {
namespace {

using records::CanonicalSchemas;

bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// The hint, or else everything there is to choose from.
std::string choice(std::string_view word, const std::vector<std::string>& words, std::string_view what) {
    const std::string hint = did_you_mean(word, words);
    return !hint.empty() || words.empty() ? hint : "; " + std::string(what) + ": " + list_of(words);
}

class RuleCheck {
  public:
    RuleCheck(const Config& config, const Integration& integration, const Section& here)
        : config_(config), integration_(integration), here_(here) {}

    void run() const {
        const Section entities = here_.section("entities"), match = here_.section("match");
        for (const auto& [name, values] : match.members()) {
            if (integration_.entity(name) != nullptr) continue;
            std::vector<std::string> names;
            for (const Entity& entity : integration_.entities) names.push_back(entity.name);
            match.key_fault(name, "is no entity of this integration" + choice(name, names, "it has"));
        }
        for (const Entity& entity : integration_.entities) {
            authority(entity, entities.section(entity.name).section("authority"));
            stand_ins(entity, entities.section(entity.name).section("missing_reference"));
            if (!entity.match.empty()) recognition(entity, match.section(entity.name));
        }
    }

  private:
    void authority(const Entity& entity, const Section& from) const {
        const Schema* schema = CanonicalSchemas::embedded().find(entity.name);
        for (const auto& [field, owners] : entity.authority) {
            std::string fault;
            if (schema != nullptr) fault = records::field_fault(*schema, field);
            if (schema == nullptr && !field.starts_with("/"))
                fault = "is no JSON pointer; write \"/status\", say";
            if (!fault.empty()) from.key_fault(field, std::move(fault));
            for (std::size_t i = 0; i < owners.size(); ++i) {
                std::string wrong = owner_fault(entity, owners, i);
                if (!wrong.empty()) from.section(field).fault(std::to_string(i), std::move(wrong));
            }
        }
    }
    std::string owner_fault(const Entity& entity, const std::vector<std::string>& owners,
                            std::size_t index) const {
        const std::string& name = owners[index];
        const auto found = config_.integrations.find(name);
        if (found == config_.integrations.end()) {
            return "is '" + name + "', and no such integration is defined" +
                   choice(name, carriers(entity.name), entity.name + " is imported by");
        }
        const Integration& owner = found->second;
        if (owner.tenant != integration_.tenant)
            return "is '" + name + "', which belongs to another tenant, " + owner.tenant;
        const Entity* theirs = owner.entity(entity.name);
        if (theirs == nullptr || !theirs->imports) {
            return "is '" + name + "', which does not import " + entity.name +
                   ", so that it never has a value to own";
        }
        const auto first = std::find(owners.begin(), owners.end(), name);
        return static_cast<std::size_t>(first - owners.begin()) < index ? "is '" + name + "' a second time"
                                                                        : std::string();
    }
    // The tenant's integrations that bring records of this entity.
    std::vector<std::string> carriers(const std::string& entity) const {
        std::vector<std::string> ids;
        for (const auto& [id, one] : config_.integrations) {
            const Entity* theirs = one.entity(entity);
            if (one.tenant == integration_.tenant && theirs != nullptr && theirs->imports) ids.push_back(id);
        }
        return ids;
    }

    void stand_ins(const Entity& entity, const Section& from) const {
        const Schema* schema = CanonicalSchemas::embedded().find(entity.name);
        if (schema == nullptr) return;
        const std::vector<std::string> referred = records::referred_entities(*schema);
        for (const auto& [other, id] : entity.missing_reference) {
            if (!contains(referred, other)) {
                from.key_fault(other, "is nothing that " + entity.name + " refers to" +
                                          choice(other, referred, "it refers to"));
            } else if (!entity.exports) {
                from.key_fault(other, "stands in for a missing record in what is exported, and " +
                                          entity.name + " is only imported here");
            } else if (id.empty()) {
                from.fault(other, "is empty; write the id of a record at the vendor");
            }
        }
    }

    void recognition(const Entity& entity, const Section& from) const {
        const Schema* schema = CanonicalSchemas::embedded().find(entity.name);
        if (schema == nullptr) {
            return from.fault("", "cannot be used: " + entity.name +
                                      " has no schema, so that nobody knows which of its values tell records "
                                      "apart");
        }
        const std::vector<std::string> names = records::match_names(*schema);
        for (std::size_t i = 0; i < entity.match.size(); ++i) {
            const std::string& name = entity.match[i];
            const bool is_known =
                std::any_of(schema->match().begin(), schema->match().end(),
                            [&](const auto& place) { return records::matches_by(name, place); });
            if (is_known) continue;
            from.fault(std::to_string(i), "is '" + name + "', by which no " + entity.name +
                                              " can be recognised" + choice(name, names, "usable"));
        }
    }

    const Config& config_;
    const Integration& integration_;
    const Section& here_;
};

// Numbers that contradict each other.
void check_times(const Integration& integration, const Section& here) {
    const Milliseconds usual = integration.schedule.usual;
    const Milliseconds expected = integration.supervision.expect_success_within;
    if (here.has("expect_success_within") && expected < usual) {
        here.fault("expect_success_within", "is " + format_duration(expected) + ", and it runs " +
                                                integration.schedule.text +
                                                ": that would be an alarm before every run");
    }
    const Section limits = here.section("limits");
    if (limits.has("burst") && !integration.limits.has_rate())
        limits.fault("burst",
                     "says how much of a rate may come at once, and there is no rate here; add "
                     "requests_per_second, requests_per_minute, requests_per_hour or requests_per_day");
    const RetryPolicy& retry = integration.retry;
    if (here.section("retry").has("max") && retry.max < retry.base)
        here.section("retry").fault("max", "is shorter than base, which is " + format_duration(retry.base));
}

}  // namespace

void check_rules(const Config& config, const Integration& integration, const Section& here) {
    RuleCheck(config, integration, here).run();
    check_times(integration, here);
}

}  // namespace liaisond::config
