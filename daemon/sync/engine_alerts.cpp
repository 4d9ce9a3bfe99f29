// Engine: what people should look at, by rule. One list: it is shown as problems and kept as alerts.
#include <algorithm>

#include "sync/engine.hpp"

namespace liaisond::sync {
namespace {

using store::Severity;

// A planned run that begins later than that, and than its rhythm, is late.
constexpr Milliseconds tolerated_lag{5 * 60'000};

std::string at_minute(Instant at) { return format_instant(at).substr(0, 16) + "Z"; }

}  // namespace

std::vector<Finding> Engine::findings(const Slot& slot) const {
    if (slot.removed || !slot.link->config.enabled) return {};
    const std::string& id = *slot.id;
    std::vector<Finding> found =
        slot.vitals.findings(id, slot.link->config.supervision, patience(slot), scheduler_.now());
    if (slot.breaker.state() == Breaker::State::open) {
        found.push_back({"breaker_open", "", Severity::warning,
                         "the vendor does not answer and is left alone until " +
                             format_instant(slot.breaker.open_until()),
                         true});
    }
    if (slot.vitals.suspension == Vitals::Suspension::failures) {
        found.push_back({"suspended", "", Severity::critical,
                         "suspended after " + std::to_string(slot.vitals.failures) +
                             " failed runs in a row, since " + at_minute(slot.vitals.suspended_at) +
                             "; to go on: liaisonctl integrations resume " + id,
                         true});
    }
    const Milliseconds late = std::max(slot.lag, waiting_for(slot));
    if (late > std::max(tolerated_lag, slot.link->config.schedule.usual)) {
        found.push_back({"schedule_lag", "", Severity::warning,
                         "planned runs begin late, the latest one " +
                             format_duration(std::chrono::floor<std::chrono::minutes>(late)) +
                             ": runs take longer than the schedule has room for; plan them further apart, or "
                             "look at what takes so long: liaisonctl runs --integration " +
                             id});
    }
    const bool held = slot.last_run && slot.last_run->status == store::RunStatus::suspended;
    if (held) found.push_back({"approval", "", Severity::warning, slot.last_run->error});
    const std::string quarantined = ports_.runtime.quarantined(slot.link->instance);
    if (!quarantined.empty()) found.push_back({"plugin_quarantined", "", Severity::critical, quarantined});
    const std::string login = logins_.problem(*slot.link);
    if (!login.empty()) found.push_back({"needs_reauth", "", Severity::critical, login});
    return found;
}

void Engine::look_for_problems(Slot& slot, bool is_event) {
    const Instant now = scheduler_.now();
    alerts_.found(slot.link->tenant.id, *slot.id, findings(slot), now, is_event);
    if (slot.removed || stopping_ || !slot.link->config.enabled) return;
    scheduler_.set(*slot.id, slot.times, Cause::alarm,
                   slot.vitals.next_look(slot.link->config.supervision, patience(slot), now));
}

void Engine::plugin_released() {
    for (auto& [id, slot] : slots_) {
        if (alerts_.any(id)) look_for_problems(slot, false);
    }
}

Milliseconds Engine::patience(const Slot& slot) const {
    const Milliseconds wanted = slot.link->config.supervision.expect_success_within;
    if (!slot.link->config.enabled) return Milliseconds(0);
    if (wanted.count() != 0) return wanted;
    return config::patience(slot.link->config.schedule, scheduler_.now(), slot.link->tenant.timezone,
                            ports_.zones);
}

// ---- lag ----

Milliseconds Engine::waiting_for(const Slot& slot) const {
    return slot.due_since ? std::max(Milliseconds(0), scheduler_.now() - *slot.due_since) : Milliseconds(0);
}

// A planned run has become due. What was due before and still waits has waited longer. While the daemon was
// down nothing waited.
void Engine::note_due(Slot& slot, Instant at) {
    if (slot.due_since) return look_for_problems(slot, false);
    slot.due_since = std::max(at, took_up_at_);
}

// A run of everything begins: whatever was due is part of it.
void Engine::note_begun(Slot& slot) {
    if (!slot.due_since) return;
    slot.lag = waiting_for(slot);
    slot.due_since.reset();
    ports_.observer.began(*slot.id, slot.lag);
}

}  // namespace liaisond::sync
