// Routes: plans - what runs would do, and the approval that guards ask for.
#include <charconv>

#include "api/routes.hpp"
#include "base/redact.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::uint32_t items_at_most = 1000;

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

bool whole_number(const std::string& text, std::int64_t& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc() && end == text.data() + text.size() && into >= 0;
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

// GET plans/{run} and plans/{run}/items
void Routes::show_plan(const Call& call) {
    std::int64_t run = 0, after = 0, limit = 100;
    const auto query = [&](const char* name, std::int64_t& into) {
        const auto found = call.query.find(name);
        return found == call.query.end() || whole_number(found->second, into);
    };
    if (!whole_number(call.path[1], run)) return call.answer(problem(404, "there is nothing of that name"));
    if (!query("after", after) || !query("limit", limit) || limit == 0 || limit > items_at_most)
        return call.answer(problem(400, "after and limit (1 to 1000) must be whole numbers"));
    if (call.path.size() == 2) {
        return backend_.store.read([run](store::Database& database) { return database.plan(run); },
                                   [answer = call.answer, run](Result<std::optional<store::Plan>> plan) {
                                       if (!plan) return answer(problem(plan.error()));
                                       answer(*plan ? ok(to_json(**plan)) : problem(no_plan(run)));
                                   });
    }
    const auto size = static_cast<std::uint32_t>(limit);
    backend_.store.read(
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

// POST plans/{run}/approve and plans/{run}/discard
void Routes::decide_plan(const Call& call, std::int64_t run) {
    if (call.path[2] == "discard") {
        const auto work = [run](store::Database& database) {
            return database.decide_plan(run, store::PlanState::discarded);
        };
        return backend_.store.write(work, [answer = call.answer](Status done) {
            answer(done ? ok({{"ok", true}, {"detail", "discarded; the next run plans anew"}})
                        : problem(409, done.error().message));
        });
    }
    backend_.store.read(
        [run](store::Database& database) { return database.plan(run); },
        [this, answer = call.answer, run](Result<std::optional<store::Plan>> plan) {
            if (!plan) return answer(problem(plan.error()));
            if (!*plan) return answer(problem(no_plan(run)));
            if ((*plan)->state != store::PlanState::waiting)
                return answer(problem(409, "the plan of run " + std::to_string(run) +
                                               " does not wait for approval: it is " +
                                               std::string(store::to_string((*plan)->state))));
            carry_out(std::make_shared<const store::Plan>(std::move(**plan)), answer);
        });
}

// The run that was held back, once more; what it does is not more than what was agreed to.
void Routes::carry_out(const std::shared_ptr<const store::Plan>& plan, const Answer& answer) {
    sync::RunRequest request;
    request.trigger = "approval";
    request.full = plan->full;
    request.entity = plan->entity;
    request.approved = plan;
    backend_.engine.trigger(
        plan->integration, std::move(request), [this, plan, answer](Result<std::int64_t> begun) {
            if (!begun) return answer(problem(begun.error()));
            const auto work = [run = plan->run](store::Database& database) {
                return database.decide_plan(run, store::PlanState::approved);
            };
            backend_.store.write(work, [answer, run = *begun](Status decided) {
                if (!decided) return answer(problem(409, decided.error().message));
                answer(
                    ok({{"run", run}, {"detail", "approved; run " + std::to_string(run) + " carries it out"}},
                       202));
            });
        });
}

}  // namespace liaisond::api
