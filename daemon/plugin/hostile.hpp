// What a connector must survive: every answer of a script spoilt in many ways, and starts that make no sense.
// The same list for the same input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugin/messages.hpp"

namespace liaisond::plugin {

struct HostileEvent {
    std::string what;  // "the answer is HTML"
    Event event;
    std::optional<std::uint32_t> bare_type;  // sent as a head of this type and nothing more
    bool is_from_vendor = false;             // a correct host may pass it on as it is
};

// In place of the right answer to an effect.
std::vector<HostileEvent> hostile_answers(const Event& right);
// In place of the right START of a job.
std::vector<HostileEvent> hostile_starts(const Event& right);
// In place of the configuration.
std::vector<std::string> hostile_configs(const std::string& right);

// What keeps a job going that was answered with nonsense: something bland of the kind that it waits for.
Event bland_answer(const Effect& effect, std::int64_t now_ms);

}  // namespace liaisond::plugin
