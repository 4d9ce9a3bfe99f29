// ConflictRules: whose value wins, for one record of one integration (engine.md 4). First the owners of the
// field, then its state machine, then the policy of the entity. Fields that systems change back and forth
// wait for a person.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/schema.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "sync/merge.hpp"
#include "sync/provenance.hpp"

namespace liaisond::sync {

class ConflictRules {
  public:
    // All must outlive the rules. `schema` may be null. `changed_ms`: when the vendor changed the record;
    // `now`: when the hub hears of it.
    ConflictRules(const Schema* schema, const config::Entity& entity, const std::string& integration,
                  const Provenance& provenance, std::int64_t changed_ms, Instant now);

    MergeRules merge_rules() const;
    Side decide(const FieldConflict& field) const;
    bool may_move(std::string_view pointer, const json::value& from, const json::value& to) const;

  private:
    enum class Owner : std::uint8_t { nobody, me, other };
    Owner owner(std::string_view pointer) const;
    const std::vector<std::string>* owners_of(std::string_view pointer) const;

    const Schema* schema_;
    const config::Entity& entity_;
    const std::string& integration_;
    const Provenance& provenance_;
    std::int64_t changed_ms_;
    Instant now_;
};

}  // namespace liaisond::sync
