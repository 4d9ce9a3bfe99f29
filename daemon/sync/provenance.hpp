// Provenance: who changed which field of a record last, when by its vendor's clock, and whether systems take
// turns in changing it back and forth (reliability.md 3). A value that is kept with the record, as JSON:
// {"/status": ["paradise-pms", 1772355600000]}.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace liaisond::sync {

namespace json = boost::json;

// A field that by turns of several systems came back to what it was before that often within that time is
// frozen: no system changes it any more until a person has decided.
inline constexpr std::int64_t swings_before_frozen = 3;
inline constexpr Milliseconds swings_within{10 * 60'000};

class Provenance {
  public:
    explicit Provenance(std::string_view json);
    // `changed_ms` 0: the vendor does not say when.
    void note(std::string_view pointer, const std::string& integration, std::int64_t changed_ms);
    // The same of a value that changed at `at`, by the hub's clock. Null: absent.
    void note(std::string_view pointer, const std::string& integration, std::int64_t changed_ms,
              const json::value& from, const json::value& to, Instant at);
    // Empty where nobody changed the field since the record was created.
    std::string holder(std::string_view pointer) const;
    std::int64_t changed_ms(std::string_view pointer) const;

    // Whether the field is frozen, or would have to be if that integration changed it to `to`.
    bool swings(std::string_view pointer, const std::string& integration, const json::value& to,
                Instant at) const;
    void freeze(std::string_view pointer);
    void thaw(std::string_view pointer);  // and forgets how it got there

    std::string text() const;  // empty: nothing noted

  private:
    struct Swings {
        std::string was;  // of the value before the last change of hands; short: it tells nothing of it
        std::int64_t count = 0;  // how often it came back to that
        Instant since{};         // the first of them
        bool frozen = false;
    };
    const json::array* find(std::string_view pointer) const;
    Swings swings_of(std::string_view pointer) const;
    Swings after(std::string_view pointer, const std::string& integration, const json::value& to,
                 Instant at) const;
    void put(std::string_view pointer, json::array entry, const Swings& swings);

    json::object fields_;
};

}  // namespace liaisond::sync
