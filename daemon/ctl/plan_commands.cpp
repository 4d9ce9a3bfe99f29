// Commands about plans: what runs would do, and the approval that guards ask for.
#include <algorithm>

#include "ctl/commands.hpp"
#include "ctl/json_view.hpp"
#include "ctl/plan_views.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

constexpr std::int64_t page_size = 500;

// The first `limit` items in their order.
Result<json::array> items_of(Session& session, const std::string& run, std::int64_t limit) {
    json::array items;
    std::string after = "0";
    while (std::ssize(items) < limit) {
        const std::int64_t wanted = std::min(page_size, limit - std::ssize(items));
        auto page = session.client().get(
            api_target({"plans", run, "items"}, {{"after", after}, {"limit", std::to_string(wanted)}}));
        if (!page) return fail(page.error());
        for (const json::value& item : array_at(*page, "items")) items.push_back(item);
        after = text_at(*page, "next");
        if (after.empty()) break;
    }
    return items;
}

}  // namespace

int list_plans(Session& session, const ListArguments& arguments) {
    return session.show(
        session.list({"plans"}, {{"integration", arguments.integration}}, arguments.limit),
        [&](const json::value& page) { return plans_text(array_at(page, "items"), session.look()); });
}

int show_plan(Session& session, std::int64_t run, std::int64_t limit, bool with_requests) {
    const std::string number = std::to_string(run);
    auto plan = session.client().get(api_target({"plans", number}));
    if (!plan) return session.report(plan.error());
    auto items = items_of(session, number, limit);
    if (!items) return session.report(items.error());
    plan->as_object()["items"] = *items;
    return session.show(plan, [&](const json::value& shown) {
        std::string text =
            plan_text(shown, session.look()) + plan_items_text(*items, with_requests, session.look());
        if (std::ssize(*items) == limit)
            text += "\nThe first " + std::to_string(limit) + "; more with --limit N\n";
        return text;
    });
}

int decide_plan(Session& session, std::int64_t run, const std::string& what) {
    return session.show(session.client().post(api_target({"plans", std::to_string(run), what})),
                        [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

}  // namespace liaisond::ctl
