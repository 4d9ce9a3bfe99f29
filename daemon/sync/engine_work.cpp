// Engine: what a run does, entity by entity.
#include <algorithm>

#include "base/fault_point.hpp"
#include "sync/engine.hpp"
#include "sync/export_job.hpp"
#include "sync/import_job.hpp"
#include "sync/second_looks.hpp"

namespace liaisond::sync {
namespace {

// Errors after which the other entities of the integration would fail the same way.
bool affects_all(ErrorKind kind) {
    return kind == ErrorKind::auth || kind == ErrorKind::config || kind == ErrorKind::transient ||
           kind == ErrorKind::rate_limited;
}

}  // namespace

// Who asks for a back-fill has said how much: guards look at the live stream only.
Task<Status> Engine::work(Slot& slot, Lane lane, const RunRequest& request) {
    const RunControl& control = *slot.track(lane).control;
    if (!control.link->unusable.empty()) co_return fail(ErrorKind::config, control.link->unusable);
    if (lane == Lane::events) {
        Status taken = co_await take_in_events(slot);
        co_return taken;
    }
    const bool guarded = lane == Lane::live && control.link->config.approval && request.replay.empty();
    if (request.dry_run || guarded) {
        bool go_on = false;
        Status planned = co_await plan(slot, request, go_on);
        if (!planned || !go_on) co_return planned;
    }
    Status done = co_await all_entities(slot, lane, ports_);
    if (!done || lane != Lane::live) co_return done;
    SecondLooks looks(ports_, *slot.track(lane).requester, *slot.track(lane).control);
    Status looked = co_await looks.run();
    co_return looked;
}

// First what comes in, then what goes out; what others refer to first.
Task<Status> Engine::all_entities(Slot& slot, Lane lane, const Ports& ports) {
    RunControl& control = *slot.track(lane).control;
    std::vector<config::Entity> entities = control.link->config.entities;
    std::stable_sort(entities.begin(), entities.end(), [&](const config::Entity& a, const config::Entity& b) {
        return schemas_.rank(a.name) < schemas_.rank(b.name);
    });
    Status first_error;
    for (const store::Direction direction : {store::Direction::import, store::Direction::export_}) {
        for (const config::Entity& entity : entities) {
            if (!is_wanted(slot, lane, entity, direction)) continue;
            if (control.stop != Stop::none) co_return fail(ErrorKind::transient, control.stop_reason);
            LIAISON_FAULT_POINT("run.entity");
            Status done = co_await one_entity(slot, lane, ports, entity, direction);
            if (done && lane == Lane::backfill) done = co_await finish_entity(slot, entity.name);
            if (done) continue;
            if (first_error) first_error = fail(done.error());
            if (affects_all(done.error().kind)) co_return first_error;
        }
    }
    co_return first_error;
}

bool Engine::is_wanted(const Slot& slot, Lane lane, const config::Entity& entity,
                       store::Direction direction) {
    const RunControl& control = *slot.track(lane).control;
    const bool importing = direction == store::Direction::import;
    if (importing ? !entity.imports : !entity.exports) return false;
    if (importing && !control.link->can_pull && control.replay.empty()) return false;
    if (!importing && (!control.replay.empty() || lane == Lane::backfill)) return false;
    if (!control.only_entity.empty() && control.only_entity != entity.name) return false;
    if (lane == Lane::live) return true;
    const std::vector<std::string>& done = slot.backfills.front().done;
    return control.link->date_ranges.contains(entity.name) &&
           std::find(done.begin(), done.end(), entity.name) == done.end();
}

Task<Status> Engine::one_entity(Slot& slot, Lane lane, const Ports& ports, const config::Entity& entity,
                                store::Direction direction) {
    RunControl& control = *slot.track(lane).control;
    Requester& requester = *slot.track(lane).requester;
    const bool importing = direction == store::Direction::import;
    control.working_on = std::string(importing ? "importing " : "exporting ") + entity.name;
    const auto began = ports_.clock.monotonic();
    (void)control.counters(entity.name, direction);
    Status status;
    if (!schemas_.allowed(entity.name)) {
        status = fail(ErrorKind::config,
                      "the entity '" + entity.name + "' is unknown; entities of your own begin with x_");
    } else if (importing) {
        ImportJob job(ports, fibers_, requester, control, schemas_, entity,
                      [this, is_plan = control.dry_run != nullptr, tenant = control.run.tenant,
                       name = entity.name, id = control.run.integration] {
                          if (!is_plan) changed(tenant, name, id);
                      });
        status = co_await job.run();
    } else {
        const ExportWatch::Mark mark(slot.exports, entity.name);
        ExportJob job(ports, fibers_, requester, control, schemas_, entity);
        status = co_await job.run();
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(ports_.clock.monotonic() - began);
    control.counters(entity.name, direction).duration_ms += took.count();
    if (!status) {
        Error error = control.held_back.value_or(status.error());
        error.message = control.working_on + " failed: " + error.message;
        co_return fail(std::move(error));
    }
    co_return status;
}

}  // namespace liaisond::sync
