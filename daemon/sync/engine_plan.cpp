// Engine: plans (dry runs), and guards that turn a run into one (engine.md 5). The jobs of the run work on a
// scratch copy of the store while their writes are held back; what they changed there, and what they would
// have sent, is the plan.
#include "base/log.hpp"
#include "sync/dry_run.hpp"
#include "sync/engine.hpp"

namespace liaisond::sync {
namespace {

Await<Status> remember_records(store::Store& scratch) {
    return Await<Status>([&scratch](Completion<Status> done) {
        scratch.write([](store::Database& database) { return database.remember_records(); }, std::move(done));
    });
}

}  // namespace

// `go_on`: the run may be carried out.
Task<Status> Engine::plan(Slot& slot, const RunRequest& request, bool& go_on) {
    RunControl& control = *slot.live.control;
    control.working_on = "copying the store for a plan";
    Result<std::unique_ptr<store::Store>> scratch = co_await scratch_copy();
    if (!scratch) co_return fail(scratch.error());
    static const config::Approval none;
    const config::Approval& limits = slot.link->config.approval ? *slot.link->config.approval : none;
    control.only_plans = request.dry_run;
    control.dry_run = std::make_shared<DryRun>();
    const bool confirmed = std::exchange(control.confirm_deletes, true);  // a plan shows all of them
    Status rehearsed = co_await rehearse(slot, **scratch);
    store::Plan plan;
    plan.run = control.run.id;
    plan.integration = control.run.integration;
    plan.entity = request.entity;
    plan.full = request.full;
    plan.at = ports_.clock.now();
    control.working_on = "writing the plan";
    Status written = co_await write_plan(ports_, **scratch, *control.dry_run, limits, plan);
    control.dry_run.reset();
    control.confirm_deletes = confirmed || request.approved != nullptr;
    if (!rehearsed) co_return fail(rehearsed.error());
    if (!written) co_return fail(written.error());
    const std::string excess =
        request.dry_run ? std::string() : exceeded(limits, plan, request.approved.get());
    if (!excess.empty()) {
        plan.state = store::PlanState::waiting;
        plan.reason = excess;
        control.held_by_guard =
            "nothing was changed: " + excess + " need approval; look with: liaisonctl plans show " +
            std::to_string(plan.run) + ", and then: liaisonctl plans approve " + std::to_string(plan.run);
        log(LogLevel::warning, control.held_by_guard, {{"integration", plan.integration}});
    }
    Status saved = co_await save_plan(plan);
    if (!saved) co_return fail(saved.error());
    go_on = excess.empty() && !request.dry_run;
    if (go_on) control.run.entities.clear();  // they are counted again
    co_return Status();
}

Task<Status> Engine::rehearse(Slot& slot, store::Store& scratch) {
    const Ports rehearsal{ports_.clock,     ports_.zones, ports_.random,  ports_.timers,
                          ports_.transport, scratch,      ports_.runtime, ports_.secrets};
    Status watched = co_await remember_records(scratch);
    if (!watched) co_return fail(watched.error());
    Status done = co_await all_entities(slot, Lane::live, rehearsal);
    co_return done;
}

Await<Result<std::unique_ptr<store::Store>>> Engine::scratch_copy() {
    using Answer = Result<std::unique_ptr<store::Store>>;
    return Await<Answer>([this](Completion<Answer> done) { ports_.store.scratch(std::move(done)); });
}

Await<Status> Engine::save_plan(const store::Plan& plan) {
    return Await<Status>([this, plan](Completion<Status> done) {
        ports_.store.write([plan](store::Database& database) { return database.save_plan(plan); },
                           std::move(done));
    });
}

}  // namespace liaisond::sync
