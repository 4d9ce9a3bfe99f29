// Integrations: how they fare, when they run, and what a person may tell them to do.
#include <boost/json/serialize.hpp>

#include "api/backend.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

json::object to_json(const sync::BackfillStatus& b) {
    return {{"from", sync::format_day(b.range.from)},
            {"to", sync::format_day(b.range.to)},
            {"entity", b.entity.empty() ? json::value() : json::value(b.entity)},
            {"state", b.state},
            {"run", b.run == 0 ? json::value() : json::value(b.run)},
            {"next_run", b.next_run ? json::value(format_instant(*b.next_run)) : json::value()},
            {"error", b.error.empty() ? json::value() : json::value(b.error)}};
}

json::object to_json(const sync::IntegrationStatus& s) {
    json::object one{
        {"id", s.id},         {"tenant", s.tenant},     {"connector", s.connector},  {"state", s.state},
        {"detail", s.detail}, {"failures", s.failures}, {"working_on", s.working_on}};
    one["last_success"] = s.last_success ? json::value(format_instant(*s.last_success)) : json::value();
    one["breaker"] = s.breaker;
    one["breaker_until"] = s.breaker_until ? json::value(format_instant(*s.breaker_until)) : json::value();
    one["suspended"] = s.suspended.empty() ? json::value() : json::value(s.suspended);
    one["problems"] = json::array(s.problems.begin(), s.problems.end());
    json::array backfills;
    for (const sync::BackfillStatus& backfill : s.backfills) backfills.push_back(to_json(backfill));
    one["backfills"] = std::move(backfills);
    one["next_run"] = s.next_run ? json::value(format_instant(*s.next_run)) : json::value();
    one["current_run"] = s.current_run ? json::value(api::to_json(*s.current_run)) : json::value();
    one["last_run"] = s.last_run ? json::value(api::to_json(*s.last_run)) : json::value();
    return one;
}

// "2026-10-25T02:30:00+01:00"
std::string local_text(const sync::PlannedRun& run) {
    const auto minutes = std::chrono::abs(run.offset).count();
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return format_instant(Instant(run.local.time_since_epoch())).substr(0, 19) +
           (run.offset.count() < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

json::object to_json(const std::string& integration, const sync::PlannedRuns& planned) {
    json::array items;
    for (const sync::PlannedRun& run : planned.runs) {
        items.push_back(json::object{{"at", format_instant(run.at)},
                                     {"local", local_text(run)},
                                     {"kind", run.full ? "full" : "quick"},
                                     {"why", run.why}});
    }
    return {{"integration", integration},
            {"timezone", planned.zone},
            {"schedule", planned.schedule},
            {"note", planned.note},
            {"items", std::move(items)}};
}

std::vector<sync::IntegrationStatus> visible(const Backend& backend, const Call& call) {
    std::vector<sync::IntegrationStatus> all = backend.engine.status();
    std::erase_if(all, [&](const sync::IntegrationStatus& one) { return !call.sees(one.tenant); });
    return all;
}

void add_totals(json::object& one, const store::IntegrationTotals& totals) {
    one["mappings"] = totals.mappings;
    one["dead_letters"] = totals.dead_letters;
    one["intents_open"] = totals.intents_open;
    one["intents_in_doubt"] = totals.intents_in_doubt;
    one["conflicts"] = totals.conflicts;
}

// The house at a glance. Whoever sees one tenant only is told nothing about the machine.
void status(const Backend& backend, const Call& call) {
    json::object body = call.tenant.empty() ? backend.about() : json::object();
    body["running"] = backend.engine.running();
    std::vector<sync::IntegrationStatus> all = visible(backend, call);
    const auto work = [all](store::Database& database) -> Result<std::vector<store::IntegrationTotals>> {
        std::vector<store::IntegrationTotals> totals;
        for (const sync::IntegrationStatus& one : all) {
            auto mine = database.totals(one.id);
            if (!mine) return fail(mine.error());
            totals.push_back(*mine);
        }
        return totals;
    };
    backend.store.read(work, [answer = call.answer, body = std::move(body),
                              all](Result<std::vector<store::IntegrationTotals>> totals) mutable {
        if (!totals) return answer(problem(totals.error()));
        json::array items;
        for (std::size_t i = 0; i < all.size(); ++i) {
            json::object one = to_json(all[i]);
            add_totals(one, (*totals)[i]);
            items.push_back(std::move(one));
        }
        body["integrations"] = std::move(items);
        answer(ok(body));
    });
}

void list_integrations(const Backend& backend, const Call& call) {
    json::array items;
    for (const sync::IntegrationStatus& one : visible(backend, call)) items.push_back(to_json(one));
    call.answer(ok({{"items", std::move(items)}, {"next", nullptr}}));
}

void show_integration(const Backend& backend, const Call& call) {
    const std::string id = call.text("integration");
    const auto found = backend.engine.status(id);
    call.answer(found ? ok(to_json(*found)) : problem(404, "there is no integration '" + id + "'"));
}

void show_schedule(const Backend& backend, const Call& call) {
    const std::string id = call.text("integration");
    const auto planned = backend.engine.schedule(id, static_cast<std::size_t>(call.number("next", 10)));
    call.answer(planned ? ok(to_json(id, *planned)) : problem(planned.error()));
}

void sync_now(const Backend& backend, const Call& call) {
    sync::RunRequest request;
    request.full = call.flag("full");
    request.dry_run = call.flag("dry_run");
    request.confirm_deletes = call.flag("confirm_deletes");
    request.entity = call.text("entity");
    request.record = call.flag("record");
    if (const std::string from = call.text("from"), to = call.text("to"); !from.empty() || !to.empty()) {
        const auto range = sync::parse_range(from, to);
        if (!range) return call.answer(problem(422, range.error().message));
        request.range = *range;
        request.trigger = sync::backfill_trigger;
    }
    backend.engine.trigger(call.text("integration"), std::move(request),
                           [answer = call.answer](Result<std::int64_t> run) {
                               answer(run ? ok({{"run", *run}}, 202) : problem(run.error()));
                           });
}

void test(const Backend& backend, const Call& call) {
    backend.engine.test(call.text("integration"), [answer = call.answer](Result<std::string> output) {
        if (!output && output.error().code == sync::no_such_integration)
            return answer(problem(output.error()));
        if (!output)
            return answer(ok(
                {{"ok", false}, {"output", nullptr}, {"error", redactor().scrub(output.error().message)}}));
        answer(ok({{"ok", true},
                   {"output", output->empty() ? json::value() : parsed(redactor().scrub(*output))},
                   {"error", nullptr}}));
    });
}

// For what the engine does at once.
auto told(Status (sync::Engine::*act)(const std::string&), const Backend& backend) {
    return [act, &backend](Call& call) {
        const Status done = (backend.engine.*act)(call.text("integration"));
        call.answer(done ? ok({{"ok", true}}) : problem(done.error()));
    };
}

void finish_connect(const Backend& backend, const Call& call) {
    const std::string integration = call.text("integration");
    backend.engine.finish_connect(
        integration, call.body_text("callback"),
        [&backend, answer = call.answer, integration](Result<std::map<std::string, std::string>> account) {
            if (!account)
                return answer(problem(account.error().kind == ErrorKind::permanent ? 422 : 502,
                                      account.error().message));
            json::object said;
            for (const auto& [name, value] : *account) said[name] = value;
            run_soon(backend, integration);
            answer(ok({{"ok", true}, {"account", std::move(said)}}));
        });
}

}  // namespace

void run_soon(const Backend& backend, const std::string& integration) {
    sync::RunRequest request;
    request.trigger = "decision";
    backend.engine.trigger(integration, std::move(request), [integration](Result<std::int64_t> run) {
        if (!run)
            log(LogLevel::warning, "a decision waits for the next run: " + run.error().message,
                {{"integration", integration}});
    });
}

void add_integration_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/status",
                .summary = "The daemon, and how every integration fares",
                .answers = "Status",
                .handle = [&backend](Call& call) { status(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/integrations",
                .summary = "All integrations",
                .answers = "[Integration]",
                .handle = [&backend](Call& call) { list_integrations(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/integrations/{integration}",
                .summary = "One integration",
                .answers = "Integration",
                .handle = [&backend](Call& call) { show_integration(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/integrations/{integration}/schedule",
                .summary = "Its coming runs",
                .query = {{Parameter::Kind::number, "next", "How many", {}, 1, 1000}},
                .answers = "Schedule",
                .handle = [&backend](Call& call) { show_schedule(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/sync",
                .scope = Scope::operate,
                .summary = "Runs it now; answers with the run",
                .query = {flag_parameter("full", "Read everything, whatever the cursors say"),
                          flag_parameter("dry_run", "Only say what would be done"),
                          flag_parameter("confirm_deletes", "Let through what guard.mass_delete holds back"),
                          flag_parameter("record", "Keep a recording of what the vendor says"),
                          text_parameter("entity", "Only this entity"),
                          text_parameter("from", "Read again from this day on: 2026-01-31"),
                          text_parameter("to", "and until this one")},
                .answers = "RunBegun",
                .status = 202,
                .handle = [&backend](Call& call) { sync_now(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/test",
                .scope = Scope::operate,
                .summary = "Can the vendor be reached, and whose account is it?",
                .answers = "TestResult",
                .is_act = false,
                .handle = [&backend](Call& call) { test(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/suspend",
                .scope = Scope::operate,
                .summary = "No runs until somebody resumes it",
                .answers = "Done",
                .handle = told(&sync::Engine::suspend, backend)});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/resume",
                .scope = Scope::operate,
                .summary = "Runs again as planned",
                .answers = "Done",
                .handle = told(&sync::Engine::resume, backend)});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/breaker/reset",
                .scope = Scope::operate,
                .summary = "Tries the vendor again at once",
                .answers = "Done",
                .handle = told(&sync::Engine::reset_breaker, backend)});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/connect",
                .scope = Scope::admin,
                .summary = "The address at which a person lets us in at the vendor",
                .body = R"({"type":"object","additionalProperties":false,"required":["redirect_uri"],
                            "properties":{"redirect_uri":{"type":"string"}}})",
                .answers = "ConnectAddress",
                .handle = [&backend](Call& call) {
                    const auto url = backend.engine.begin_connect(call.text("integration"),
                                                                  call.body_text("redirect_uri"));
                    call.answer(url ? ok({{"url", *url}}) : problem(url.error()));
                }});
    router.add({.method = "POST",
                .pattern = "/integrations/{integration}/connect/finish",
                .scope = Scope::admin,
                .summary = "The address to which the vendor sent that person back",
                .body = R"({"type":"object","additionalProperties":false,"required":["callback"],
                            "properties":{"callback":{"type":"string"}}})",
                .answers = "Connected",
                .handle = [&backend](Call& call) { finish_connect(backend, call); }});
}

}  // namespace liaisond::api
