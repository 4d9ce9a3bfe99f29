// Routes: plans - what runs would do, and the approval that guards ask for.
#include "api/backend.hpp"
#include "base/redact.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

json::object to_json(const store::Tally& tally) {
    json::object counts;
    for (const auto& [what, count] : tally) counts[what] = count;
    return counts;
}

json::object to_json(const store::PlanItem& item) {
    return {{"n", item.n},
            {"side", item.at_vendor ? "vendor" : "hub"},
            {"action", item.action},
            {"entity", item.entity},
            {"record", item.record},
            {"external_id", item.external_id},
            {"fields", parsed(item.fields)},
            {"requests", item.requests.empty() ? json::value(json::array()) : parsed(item.requests)}};
}

Error no_plan(std::int64_t run) {
    return {ErrorKind::permanent,
            "run " + std::to_string(run) + " has no plan; make one with: liaisonctl run ID --dry-run",
            {},
            {}};
}

}  // namespace

json::object to_json(const store::Plan& plan) {
    return {
        {"run", plan.run},       {"integration", plan.integration}, {"entity", plan.entity},
        {"full", plan.full},     {"at", format_instant(plan.at)},   {"state", store::to_string(plan.state)},
        {"reason", plan.reason}, {"hub", to_json(plan.hub)},        {"vendor", to_json(plan.vendor)}};
}

namespace {

// The run that was held back, once more; what it does is not more than what was agreed to.
void carry_out(const Backend& backend, const std::shared_ptr<const store::Plan>& plan,
               const web::Reply& answer) {
    sync::RunRequest request;
    request.trigger = "approval";
    request.full = plan->full;
    request.entity = plan->entity;
    request.approved = plan;
    backend.engine.trigger(
        plan->integration, std::move(request), [&backend, plan, answer](Result<std::int64_t> begun) {
            if (!begun) return answer(problem(begun.error()));
            const auto work = [run = plan->run](store::Database& database) {
                return database.decide_plan(run, store::PlanState::approved);
            };
            backend.store.write(work, [answer, run = *begun](Status decided) {
                if (!decided) return answer(problem(409, decided.error().message));
                answer(
                    ok({{"run", run}, {"detail", "approved; run " + std::to_string(run) + " carries it out"}},
                       202));
            });
        });
}

void show(const Backend& backend, const Call& call) {
    const std::int64_t run = call.number("run");
    backend.store.read([run](store::Database& database) { return database.plan(run); },
                       [answer = call.answer, run](Result<std::optional<store::Plan>> plan) {
                           if (!plan) return answer(problem(plan.error()));
                           answer(*plan ? ok(api::to_json(**plan)) : problem(no_plan(run)));
                       });
}

void show_items(const Backend& backend, const Call& call) {
    const std::int64_t run = call.number("run"), after = call.number("after");
    const auto size = static_cast<std::uint32_t>(call.number("limit", 100));
    backend.store.read(
        [run, after, size](store::Database& database) { return database.plan_items(run, after, size); },
        [answer = call.answer, size](Result<std::vector<store::PlanItem>> items) {
            if (!items) return answer(problem(items.error()));
            json::array list;
            for (const store::PlanItem& item : *items) list.push_back(to_json(item));
            const bool more = items->size() == size;
            answer(ok({{"items", std::move(list)},
                       {"next", more ? json::value(std::to_string(items->back().n)) : json::value()}}));
        });
}

void discard(const Backend& backend, const Call& call) {
    const auto work = [run = call.number("run")](store::Database& database) {
        return database.decide_plan(run, store::PlanState::discarded);
    };
    backend.store.write(work, [answer = call.answer](Status done) {
        answer(done ? ok({{"ok", true}, {"detail", "discarded; the next run plans anew"}})
                    : problem(409, done.error().message));
    });
}

void approve(const Backend& backend, const Call& call) {
    const std::int64_t run = call.number("run");
    backend.store.read([run](store::Database& database) { return database.plan(run); },
                       [&backend, answer = call.answer, run](Result<std::optional<store::Plan>> plan) {
                           if (!plan) return answer(problem(plan.error()));
                           if (!*plan) return answer(problem(no_plan(run)));
                           if ((*plan)->state != store::PlanState::waiting)
                               return answer(problem(409, "the plan of run " + std::to_string(run) +
                                                              " does not wait for approval: it is " +
                                                              std::string(store::to_string((*plan)->state))));
                           carry_out(backend, std::make_shared<const store::Plan>(std::move(**plan)), answer);
                       });
}

}  // namespace

void add_plan_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/plans",
                .summary = "What runs would do, newest first",
                .query = list_parameters(),
                .answers = "[Plan]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::plans,
                         [](const store::Plan& row) { return api::to_json(row); });
                }});
    router.add({.method = "GET",
                .pattern = "/plans/{run:run}",
                .summary = "What one run would do, in numbers",
                .answers = "Plan",
                .handle = [&backend](Call& call) { show(backend, call); }});
    router.add(
        {.method = "GET",
         .pattern = "/plans/{run:run}/items",
         .summary = "Record by record and field by field",
         .query = {{Parameter::Kind::number, "after", "The `next` of the page before"}, limit_parameter()},
         .answers = "[PlanItem]",
         .handle = [&backend](Call& call) { show_items(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/plans/{run:run}/approve",
                .scope = Scope::operate,
                .summary = "Carries it out, and not more than that",
                .answers = "RunBegun",
                .status = 202,
                .handle = [&backend](Call& call) { approve(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/plans/{run:run}/discard",
                .scope = Scope::operate,
                .summary = "It is not carried out",
                .answers = "Done",
                .handle = [&backend](Call& call) { discard(backend, call); }});
}

}  // namespace liaisond::api
