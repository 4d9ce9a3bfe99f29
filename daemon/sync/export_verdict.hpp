// ExportVerdict: what becomes of an intent, given what the connector said and whether anything was sent
// (reliability.md 2.2). Pure.
#pragma once

#include <optional>
#include <string>

#include "base/random.hpp"
#include "plugin/messages.hpp"
#include "store/types.hpp"
#include "sync/link.hpp"

namespace liaisond::sync {

// A record that could not be found after that many sends is a matter for a person.
inline constexpr std::uint32_t sends_of_a_doubtful_create = 3;

class ExportVerdict {
  public:
    ExportVerdict(const Link& link, Instant now, Random& random) : link_(link), now_(now), random_(random) {}

    // Of a push. `sent`: a write of this record was handed to the transport. `job`: how the job ended.
    store::Outcome of_push(const store::Intent& intent, const std::optional<plugin::PushResult>& result,
                           bool sent, const Status& job) const;
    // Of a search for a create whose outcome is unknown; nothing: it is certainly not there, send it again.
    std::optional<store::Outcome> of_search(const store::Intent& intent,
                                            const std::optional<plugin::PushResult>& result,
                                            const Status& job) const;
    // It may have been executed, and nobody knows.
    store::Outcome doubtful(const store::Intent& intent, const std::string& why) const;
    store::Outcome in_doubt(const store::Intent& intent, std::string message) const;
    // Of a write whose last attempt was not answered, once that has settled.
    bool is_given_up(const store::Intent& intent) const;
    store::Outcome given_up(const store::Intent& intent) const;

  private:
    store::Outcome of_result(const store::Intent& intent, const plugin::PushResult& result) const;
    // `is_doubtful`: the attempt may have been executed.
    store::Outcome later(const store::Intent& intent, const std::string& why, Milliseconds advised,
                         bool is_doubtful = false) const;
    std::optional<Instant> second_look(const store::Intent& intent) const;
    store::Outcome when_settled(const store::Intent& intent, std::string why) const;
    store::Outcome asked_when_settled(const store::Intent& intent, const std::string& why,
                                      Instant not_before) const;
    store::Outcome conflict(const store::Intent& intent, const std::string& why) const;

    const Link& link_;
    Instant now_;
    Random& random_;
};

}  // namespace liaisond::sync
