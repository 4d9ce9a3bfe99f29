// ConflictRules: whose value wins, for one record of one integration (engine.md 4). First the owners of the
// field, then its state machine, then the policy of the entity.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/schema.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "sync/merge.hpp"

namespace liaisond::sync {

// Who changed which field of a record last, and when by its vendor's clock:
// {"/status": ["paradise-pms", 1772355600000]}; 0: the vendor does not say.
class Provenance {
  public:
    explicit Provenance(std::string_view json);
    void note(const std::string& pointer, const std::string& integration, std::int64_t changed_ms);
    // Empty where nobody changed the field since the record was created.
    std::string holder(std::string_view pointer) const;
    std::int64_t changed_ms(std::string_view pointer) const;
    std::string text() const;  // empty: nothing noted

  private:
    const json::array* find(std::string_view pointer) const;
    json::object fields_;
};

class ConflictRules {
  public:
    // All must outlive the rules. `schema` may be null. `changed_ms`: when the vendor changed the record.
    ConflictRules(const Schema* schema, const config::Entity& entity, const std::string& integration,
                  const Provenance& provenance, std::int64_t changed_ms);

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
};

}  // namespace liaisond::sync
