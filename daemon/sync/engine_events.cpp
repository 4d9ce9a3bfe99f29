// Engine: what vendors send by webhook, from the inbox to the hub (engine.md 7).
#include <algorithm>

#include "base/log.hpp"
#include "sync/backoff.hpp"
#include "sync/engine.hpp"
#include "sync/event_job.hpp"

namespace liaisond::sync {
namespace {

constexpr Milliseconds disk_retry{5000};
constexpr Milliseconds after_cancelling{60'000};  // until events of a cancelled run are looked at again

}  // namespace

// What an EventJob tells the engine.
class Engine::EventTies final : public EventListener {
  public:
    EventTies(Engine& engine, Slot& slot) : engine_(engine), slot_(slot) {}
    void hub_changed(const std::string& entity) override {
        const store::Run& run = slot_.events.control->run;
        engine_.changed(run.tenant, entity, run.integration);
    }
    Keep wants_pulled(const std::set<std::string>& entities) override {
        slot_.hints.insert(entities.begin(), entities.end());
        const auto states = std::make_shared<Kept>(engine_.kept(slot_));
        return [states](store::Database& database) { return states->save(database); };
    }

  private:
    Engine& engine_;
    Slot& slot_;
};

void Engine::events_arrived(const std::string& integration) {
    const auto found = slots_.find(integration);
    if (found == slots_.end()) return;
    found->second.inbox_waits = true;
    look_into_inbox(found->second);
}

bool Engine::may_take_events(const Slot& slot) const {
    return started_ && !stopping_ && !slot.removed && slot.link->config.enabled &&
           slot.link->unusable.empty() && !is_held(slot);
}

// Everything of a slot that waits beside its live runs.
void Engine::start_waiting(Slot& slot) {
    start_backfill(slot);
    pull_hinted(slot);
    if (slot.inbox_waits) look_into_inbox(slot);
}

// One look at a time, however many events arrive; a run looks again at its end.
void Engine::look_into_inbox(Slot& slot) {
    if (slot.events.control || !may_take_events(slot)) return;
    if (slot.looking_into_inbox) {
        slot.look_again = true;
        return;
    }
    if (scheduler_.now() < slot.events_rest)
        return scheduler_.set(*slot.id, slot.times, Cause::events, slot.events_rest);
    slot.looking_into_inbox = true;
    slot.look_again = false;
    ports_.store.read([id = *slot.id](store::Database& database) { return database.next_event(id); },
                      [this, id = *slot.id](const Result<std::optional<Instant>>& next) {
                          const auto found = slots_.find(id);
                          if (found != slots_.end()) found_in_inbox(found->second, next);
                      });
}

// All in which something was found to wait, once the times in them have changed.
void Engine::look_into_inboxes() {
    for (auto& [id, slot] : slots_) {
        if (!scheduler_.at(slot.times, Cause::events)) continue;
        slot.inbox_waits = true;
        look_into_inbox(slot);
    }
}

void Engine::found_in_inbox(Slot& slot, const Result<std::optional<Instant>>& next) {
    slot.looking_into_inbox = false;
    if (slot.events.control || !may_take_events(slot)) return;
    if (!next) {
        log(LogLevel::error, "the inbox could not be read, trying again: " + next.error().message,
            {{"integration", *slot.id}});
        return scheduler_.set(*slot.id, slot.times, Cause::events, scheduler_.now() + disk_retry);
    }
    if (*next && **next <= ports_.clock.now()) return begin_events(slot);
    slot.inbox_waits = slot.look_again;
    if (slot.look_again) return look_into_inbox(slot);
    scheduler_.set(*slot.id, slot.times, Cause::events, *next);
}

void Engine::begin_events(Slot& slot) {
    if (!slot.link->takes_events) return take_as_hint(slot);
    RunRequest request;
    request.trigger = events_trigger;
    request.events = true;
    begin(slot, Queued(std::move(request), {}));
}

// All the events say is that something changed: a pull of everything finds out what.
void Engine::take_as_hint(Slot& slot) {
    slot.looking_into_inbox = true;
    slot.hints.insert(std::string());
    const auto states = std::make_shared<Kept>(kept(slot));
    ports_.store.write(
        [states, now = ports_.clock.now()](store::Database& database) {
            const Status finished = database.finish_events(states->id, now);
            return finished ? states->save(database) : finished;
        },
        [this, id = *slot.id](const Status& finished) {
            const auto found = slots_.find(id);
            if (found == slots_.end()) return;
            Slot& mine = found->second;
            mine.looking_into_inbox = false;
            if (!finished) {
                log(LogLevel::error, "events could not be taken, trying again: " + finished.error().message,
                    {{"integration", id}});
                return scheduler_.set(*mine.id, mine.times, Cause::events, scheduler_.now() + disk_retry);
            }
            start_waiting(mine);
        });
}

// It is forgotten once the run for it has begun.
void Engine::pull_hinted(Slot& slot) {
    if (slot.hints.empty() || !may_take_events(slot)) return;
    std::erase_if(slot.hints, [&](const std::string& entity) {
        return !entity.empty() && slot.link->config.entity(entity) == nullptr;
    });
    for (const std::string& entity : slot.hints) {
        if (!slot.pulling.insert(entity).second) continue;
        RunRequest request;
        request.trigger = hint_trigger;
        request.entity = entity;
        trigger(*slot.id, std::move(request), [this, id = *slot.id, entity](const Result<std::int64_t>& run) {
            const auto found = slots_.find(id);
            if (found == slots_.end()) return;
            Slot& mine = found->second;
            mine.pulling.erase(entity);
            if (!run) {
                log(LogLevel::warning,
                    "what an event asked for could not be pulled yet: " + run.error().message,
                    {{"integration", id}});
                return;
            }
            mine.hints.erase(entity);
            keep(mine);
        });
    }
}

Task<Status> Engine::take_in_events(Slot& slot) {
    EventTies ties(*this, slot);
    const RunControl& control = *slot.events.control;
    EventJob job(ports_, fibers_, *slot.events.requester, *slot.events.control, schemas_, ties);
    Status done = co_await job.run();
    if (!done && control.held_back) done = fail(*control.held_back);
    if (!job.is_held_up())
        slot.event_failures = 0;
    else if (control.stop == Stop::none)
        rest(slot, done.error());
    co_return done;
}

void Engine::rest(Slot& slot, const Error& why) {
    ++slot.event_failures;
    const config::RetryPolicy& retry = slot.link->config.retry;
    const bool needs_somebody = why.kind == ErrorKind::auth || why.kind == ErrorKind::config;
    const Milliseconds pause =
        needs_somebody ? retry.max : backoff(retry, slot.event_failures, ports_.random);
    slot.events_rest = scheduler_.now() + std::max(why.retry_after, pause + Milliseconds(1));
}

void Engine::settle_events(Slot& slot, const Status& outcome) {
    const RunControl& control = *slot.events.control;
    if (outcome && lives_by_events(slot)) {
        slot.vitals.succeeded(scheduler_.now());
        set_times(slot);
    }
    slot.inbox_waits = true;
    if (control.stop == Stop::cancel) slot.events_rest = scheduler_.now() + after_cancelling;
}

// Nothing is ever pulled: the events are its runs.
bool Engine::lives_by_events(const Slot& slot) {
    const config::Schedule& schedule = slot.link->config.schedule;
    return slot.link->takes_events && schedule.kind == config::Rhythm::Kind::manual && !schedule.full;
}

}  // namespace liaisond::sync
