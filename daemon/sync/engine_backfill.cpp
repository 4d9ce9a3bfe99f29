// Engine: back-fills - from the request to the end, through crashes and failures that pass.
#include <algorithm>

#include "base/log.hpp"
#include "base/redact.hpp"
#include "sync/backoff.hpp"
#include "sync/engine.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t most_backfills = 50;            // of one integration, that wait
constexpr Milliseconds until_credentials{3'600'000};  // until refused credentials are tried again

// Whether the same request may yet succeed without anybody changing it or the configuration.
bool may_pass(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient:
        case ErrorKind::auth:
        case ErrorKind::rate_limited:
        case ErrorKind::conflict:
        case ErrorKind::unknown_outcome:
        case ErrorKind::internal: return true;
        case ErrorKind::invalid_record:
        case ErrorKind::permanent:
        case ErrorKind::config: return false;
    }
    return false;
}

bool made_progress(const store::Run& run) {
    return std::any_of(run.entities.begin(), run.entities.end(),
                       [](const store::EntityCounters& one) { return one.counters.fetched > 0; });
}

}  // namespace

Status Engine::may_backfill(const Slot& slot, const RunRequest& request) {
    const Link& link = *slot.link;
    const std::string& id = link.config.id;
    if (request.full || !request.replay.empty()) {
        return fail(
            ErrorKind::config,
            "a back-fill reads everything in its range of dates and nothing else; ask for it without full");
    }
    if (request.dry_run) {
        return fail(
            ErrorKind::config,
            "a back-fill cannot be planned; ask for a dry run of the usual run, or for a small range");
    }
    const auto can = [&](const config::Entity& entity) {
        return entity.imports && link.date_ranges.contains(entity.name);
    };
    const std::string why =
        "the connector '" + link.config.connector + "' cannot ask for a range of dates of ";
    const std::string hint =
        "; see `range` in its settings, where it has one, or read everything with: liaisonctl run " + id +
        " --full";
    if (request.entity.empty()) {
        const bool any = std::any_of(link.config.entities.begin(), link.config.entities.end(), can);
        if (!any) return fail(ErrorKind::config, why + "any entity that '" + id + "' imports" + hint);
    } else {
        const config::Entity& entity = *link.config.entity(request.entity);
        if (!entity.imports)
            return fail(ErrorKind::config,
                        "'" + id + "' does not import " + entity.name + ": there is nothing to fill");
        if (!can(entity)) return fail(ErrorKind::config, why + entity.name + hint);
    }
    if (slot.backfills.size() >= most_backfills) {
        return fail(ErrorKind::transient, std::to_string(most_backfills) + " back-fills of '" + id +
                                              "' wait already; let them end, or cancel them");
    }
    return {};
}

void Engine::add_backfill(Slot& slot, Queued asked) {
    const bool in_flight = slot.backfill.control != nullptr;
    const auto first = slot.backfills.begin() + (in_flight ? 1 : 0);
    const auto place = std::find_if(first, slot.backfills.end(),
                                    [&](const Backfill& one) { return one.request.covers(asked.request); });
    const bool known = place != slot.backfills.end();
    Backfill& backfill = known ? *place : slot.backfills.emplace_back();
    if (!known) backfill.request = std::move(asked.request);
    backfill.request.trigger = backfill_trigger;
    for (auto& waiting : asked.waiting) backfill.waiting.push_back(std::move(waiting));
    keep(slot);
    if (in_flight) return;
    // Somebody is there and wants it now, whatever it waited for.
    scheduler_.set(*slot.id, slot.times, Cause::backfill, std::nullopt);
    begin_backfill(slot);
}

// Goes on with what is there to do, unless that has to wait.
void Engine::start_backfill(Slot& slot) {
    if (slot.backfills.empty() || slot.backfill.control || slot.removed || stopping_) return;
    if (!slot.link->config.enabled || !slot.link->unusable.empty() || is_held(slot)) return;
    if (scheduler_.at(slot.times, Cause::backfill)) return;
    begin_backfill(slot);
}

void Engine::begin_backfill(Slot& slot) {
    Backfill& backfill = slot.backfills.front();
    Queued queued{backfill.request, std::exchange(backfill.waiting, {})};
    begin(slot, std::move(queued));
}

// So that a later run for the same back-fill does not read this entity again.
Task<Status> Engine::finish_entity(Slot& slot, const std::string& entity) {
    slot.backfills.front().done.push_back(entity);
    Status saved = co_await save_finished(slot);
    co_return saved;
}

Await<Status> Engine::save_finished(Slot& slot) {
    return Await<Status>([this, states = std::make_shared<Kept>(kept(slot))](Completion<Status> done) {
        ports_.store.write([states](store::Database& database) { return states->save(database); },
                           std::move(done));
    });
}

// Is it over? Otherwise: when does it go on?
void Engine::settle_backfill(Slot& slot, const Status& outcome) {
    const RunControl& control = *slot.backfill.control;
    Backfill& backfill = slot.backfills.front();
    const bool told_to_stop = control.stop != Stop::none && !outcome;
    if (outcome || backfill.cancelled || (!told_to_stop && !may_pass(outcome.error().kind))) {
        slot.backfills.erase(slot.backfills.begin());
        return;
    }
    backfill.error = redactor().scrub(outcome.error().message);
    if (told_to_stop && control.stop_status != store::RunStatus::failed) return;
    if (made_progress(control.run)) backfill.failures = 0;
    ++backfill.failures;
    const bool refused = outcome.error().kind == ErrorKind::auth;
    const Milliseconds pause =
        refused ? until_credentials : backoff(slot.link->config.retry, backfill.failures, ports_.random);
    const Instant again = scheduler_.now() + std::max(outcome.error().retry_after, pause + Milliseconds(1));
    scheduler_.set(*slot.id, slot.times, Cause::backfill, again);
    log(LogLevel::warning,
        "the back-fill of " + range_text(*backfill.request.range) + " goes on at " + format_instant(again) +
            "; to end it: liaisonctl runs cancel " + std::to_string(control.run.id),
        {{"integration", *slot.id}, {"run", std::to_string(control.run.id)}});
}

bool Engine::cancel_waiting_backfill(std::int64_t run) {
    for (auto& [id, slot] : slots_) {
        if (slot.backfills.empty() || slot.backfills.front().run != run || slot.backfill.control) continue;
        slot.backfills.erase(slot.backfills.begin());
        scheduler_.set(id, slot.times, Cause::backfill, std::nullopt);
        keep(slot);
        log(LogLevel::info, "back-fill cancelled by an operator", {{"integration", id}});
        start_backfill(slot);
        return true;
    }
    return false;
}

std::vector<BackfillStatus> Engine::backfills_of(const Slot& slot) const {
    std::vector<BackfillStatus> all;
    for (const Backfill& one : slot.backfills) {
        BackfillStatus& status = all.emplace_back();
        const bool is_first = all.size() == 1;
        status.range = *one.request.range;
        status.entity = one.request.entity;
        status.run = one.run;
        status.error = one.error;
        status.state = !is_first ? "queued" : slot.backfill.control ? "running" : "waiting";
        if (is_first && !slot.backfill.control) status.next_run = scheduler_.at(slot.times, Cause::backfill);
    }
    return all;
}

}  // namespace liaisond::sync
