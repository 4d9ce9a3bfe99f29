#include "api/routes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/redact.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::uint32_t most_rows = 1000;

json::object counters(const store::Counters& c) {
    return {{"fetched", c.fetched},   {"created", c.created},     {"updated", c.updated},
            {"deleted", c.deleted},   {"unchanged", c.unchanged}, {"exported", c.exported},
            {"rejected", c.rejected}, {"conflicts", c.conflicts}};
}

json::object to_json(const store::LogEntry& e) {
    return {{"id", e.id},
            {"run", e.run},
            {"at", format_instant(e.at)},
            {"integration", e.integration},
            {"entity", e.entity},
            {"direction", store::to_string(e.direction)},
            {"action", e.action},
            {"status", e.status},
            {"external_id", e.external_id},
            {"record", e.record},
            {"message", e.message}};
}

json::object to_json(const store::RecordRow& r) {
    return {{"id", r.id},
            {"tenant", r.tenant},
            {"entity", r.entity},
            {"version", r.version},
            {"created_at", format_instant(r.created)},
            {"updated_at", format_instant(r.updated)},
            {"deleted", r.deleted},
            {"payload", parsed(r.payload)}};
}

json::object to_json(const store::MappingRow& m) {
    return {{"integration", m.integration},
            {"entity", m.entity},
            {"record", m.record},
            {"external_id", m.external_id},
            {"remote_version", m.remote_version},
            {"synced_at", format_instant(m.synced_at)}};
}

json::object to_json(const store::DeadLetter& d) {
    return {{"id", d.id},
            {"run", d.run},
            {"integration", d.integration},
            {"entity", d.entity},
            {"direction", store::to_string(d.direction)},
            {"key", d.key},
            {"reason", d.reason},
            {"message", d.message},
            {"payload", parsed(d.payload)},
            {"attempts", d.attempts},
            {"first_at", format_instant(d.first_at)},
            {"last_at", format_instant(d.last_at)}};
}

json::object to_json(const store::Intent& i) {
    static constexpr const char* states[] = {"ready", "sending", "unknown", "in_doubt", "stale"};
    return {{"id", i.id},
            {"integration", i.integration},
            {"entity", i.entity},
            {"record", i.record},
            {"external_id", i.external_id},
            {"reference", i.op_key},
            {"state", states[static_cast<std::size_t>(i.state)]},
            {"attempt", i.attempt},
            {"next_at", time_or_null(i.next_at)},
            {"last_error", i.last_error}};
}

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

unsigned status_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::permanent: return 404;
        case ErrorKind::config: return 409;
        case ErrorKind::transient:
        case ErrorKind::rate_limited: return 503;
        default: return 500;
    }
}

}  // namespace

json::value time_or_null(Instant at) {
    return to_unix_ms(at) == 0 ? json::value() : json::value(format_instant(at));
}

json::value parsed(const std::string& text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value(text) : value;
}

web::Answer ok(const json::value& body, unsigned status) {
    return {status, "application/json", json::serialize(body)};
}

web::Answer problem(const Error& error) { return problem(status_of(error), error.message); }

web::Answer problem(unsigned status, std::string_view detail) {
    const json::object body{
        {"type", "about:blank"}, {"status", status}, {"detail", redactor().scrub(detail)}};
    return {status, "application/problem+json", json::serialize(body)};
}

json::object to_json(const store::Run& run) {
    json::array entities;
    store::Counters total;
    for (const store::EntityCounters& one : run.entities) {
        json::object row = counters(one.counters);
        row["entity"] = one.entity;
        row["direction"] = store::to_string(one.direction);
        row["duration_ms"] = one.duration_ms;
        entities.push_back(std::move(row));
        total += one.counters;
    }
    const bool ended = to_unix_ms(run.ended) != 0;
    return {{"id", run.id},
            {"tenant", run.tenant},
            {"integration", run.integration},
            {"trigger", run.trigger},
            {"status", store::to_string(run.status)},
            {"started_at", format_instant(run.started)},
            {"ended_at", time_or_null(run.ended)},
            {"duration_ms", ended ? (run.ended - run.started).count() : 0},
            {"requests", run.requests},
            {"bytes", run.bytes},
            {"error", run.error},
            {"entities", std::move(entities)},
            {"totals", counters(total)}};
}

std::string text_in(const std::string& body, std::string_view key) {
    boost::system::error_code error;
    const json::value value = json::parse(body, error);
    const json::value* found = !error && value.is_object() ? value.get_object().if_contains(key) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

void Routes::handle(web::Request request, Answer answer) {
    if (request.path == std::vector<std::string>{"healthz"}) return answer(ok({{"ok", true}}));
    const auto who = principal_of(request);
    if (!who) {
        web::Answer refusal = problem(401, who.error().message);
        refusal.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"liaison\"");
        return answer(std::move(refusal));
    }
    if (request.path == std::vector<std::string>{"metrics"}) return metrics(answer);
    if (request.path.size() < 3 || request.path[0] != "api" || request.path[1] != "v1")
        return answer(problem(404, "there is nothing at " + request.target));
    Call call{request.method, std::move(request.path), {}, std::move(request.body), *who, {}};
    call.path.erase(call.path.begin(), call.path.begin() + 2);
    for (auto& [name, value] : request.query) call.query[name] = value;
    const access::Scope wanted = scope_of(call.method, call.path);
    if (!who->may(wanted))
        return answer(problem(403, who->name + " may " + std::string(access::to_string(who->scope)) +
                                       ", and this needs " + std::string(access::to_string(wanted))));
    call.answer = audited(call, std::move(answer));
    if (call.method == "GET" || call.method == "HEAD") return get(call);
    if (call.method == "POST") return post(call);
    call.answer(problem(405, "only GET and POST are known here"));
}

void Routes::metrics(const Answer& answer) {
    backend_.store.read(
        [](store::Database& database) { return database.backlog(); },
        [this, answer](Result<store::Backlog> backlog) {
            if (!backlog) return answer(problem(backlog.error()));
            answer({200, "text/plain; version=0.0.4; charset=utf-8", backend_.figures(*backlog)});
        });
}

bool Routes::filter_of(const Call& call, store::Filter& filter) const {
    const auto text = [&](const char* name, std::string& into) {
        if (const auto found = call.query.find(name); found != call.query.end()) into = found->second;
    };
    bool fine = true;
    const auto number = [&](const char* name, auto& into) {
        const auto found = call.query.find(name);
        if (found == call.query.end()) return;
        const std::string& value = found->second;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
        fine = fine && error == std::errc() && end == value.data() + value.size();
    };
    text("integration", filter.integration);
    text("tenant", filter.tenant);
    text("entity", filter.entity);
    text("status", filter.status);
    text("record", filter.record);
    text("key", filter.key);
    number("limit", filter.limit);
    number("before", filter.before);
    number("run", filter.run);
    if (!fine || filter.limit == 0 || filter.limit > most_rows) {
        call.answer(problem(400, "limit (1 to 1000), before and run must be whole numbers"));
        return false;
    }
    return true;
}

// Of a row in its list, for the next page.
template <class Row>
std::int64_t position(const Row& row) {
    if constexpr (requires { row.row; })
        return row.row;
    else if constexpr (requires { row.id; })
        return row.id;
    else
        return row.run;
}

template <class Row, class ToJson>
void Routes::list(const Call& call, Result<std::vector<Row>> (store::Database::*read)(const store::Filter&),
                  store::Filter filter, ToJson convert) {
    const auto work = [read, filter](store::Database& database) { return (database.*read)(filter); };
    backend_.store.read(work,
                        [answer = call.answer, convert, limit = filter.limit](Result<std::vector<Row>> rows) {
                            if (!rows) return answer(problem(rows.error()));
                            json::array items;
                            for (const Row& row : *rows) items.push_back(convert(row));
                            json::value next;
                            if (rows->size() == limit) { next = std::to_string(position(rows->back())); }
                            answer(ok({{"items", std::move(items)}, {"next", std::move(next)}}));
                        });
}

void Routes::get(Call& call) {
    const std::string& what = call.path[0];
    store::Filter filter;
    if (!filter_of(call, filter)) return;
    if (what == "status") return status(call);
    if (what == "integrations" && call.path.size() <= 2) {
        json::array items;
        for (const sync::IntegrationStatus& one : backend_.engine.status()) {
            if (call.path.size() == 2 && call.path[1] == one.id) return call.answer(ok(to_json(one)));
            items.push_back(to_json(one));
        }
        if (call.path.size() == 2)
            return call.answer(problem(404, "there is no integration '" + call.path[1] + "'"));
        return call.answer(ok({{"items", std::move(items)}}));
    }
    if (what == "integrations" && call.path.size() == 3 && call.path[2] == "schedule") return schedule(call);
    if (what == "runs" && call.path.size() == 2) return run(call);
    if (what == "runs" && call.path.size() == 3 && call.path[2] == "cassette") return cassette(call);
    if (what == "runs")
        return list(call, &store::Database::runs, filter,
                    [](const store::Run& row) { return api::to_json(row); });
    if (what == "logs")
        return list(call, &store::Database::logs, filter,
                    [](const store::LogEntry& row) { return to_json(row); });
    if (what == "mappings")
        return list(call, &store::Database::mappings, filter,
                    [](const store::MappingRow& row) { return to_json(row); });
    if (what == "dead-letters")
        return list(call, &store::Database::dead_letters, filter,
                    [](const store::DeadLetter& row) { return to_json(row); });
    if (what == "intents")
        return list(call, &store::Database::intents, filter,
                    [](const store::Intent& row) { return to_json(row); });
    if (what == "conflicts" && call.path.size() == 2) return show_conflict(call);
    if (what == "conflicts")
        return list(call, &store::Database::conflicts, filter,
                    [](const store::Conflict& row) { return api::to_json(row); });
    if (what == "plans" && (call.path.size() == 2 || (call.path.size() == 3 && call.path[2] == "items")))
        return show_plan(call);
    if (what == "plans" && call.path.size() == 1)
        return list(call, &store::Database::plans, filter,
                    [](const store::Plan& row) { return api::to_json(row); });
    if (what == "secrets" && call.path.size() == 1) return list_secrets(call);
    if (what == "tokens" && call.path.size() == 1) return list_tokens(call);
    if (what == "audit" && call.path.size() == 1) return show_audit(call);
    if (what == "plugins") return call.answer(ok(backend_.plugins()));
    if (what == "records" && call.path.size() >= 2) {
        filter.entity = call.path[1];
        if (call.path.size() == 2)
            return list(call, &store::Database::records, filter,
                        [](const store::RecordRow& row) { return to_json(row); });
        filter.record = call.path[2];
        backend_.store.read(
            [filter](store::Database& database) { return database.records(filter); },
            [answer = call.answer, id = filter.record](Result<std::vector<store::RecordRow>> rows) {
                if (!rows) return answer(problem(rows.error()));
                if (rows->size() != 1) return answer(problem(404, "there is no record " + id));
                answer(ok(to_json(rows->front())));
            });
        return;
    }
    call.answer(problem(404, "there is nothing of that name"));
}

void Routes::post(Call& call) {
    const std::vector<std::string>& path = call.path;
    if (path[0] == "integrations" && path.size() == 3 && path[2] == "sync") {
        sync::RunRequest request;
        request.full = call.query["full"] == "true";
        request.dry_run = call.query["dry_run"] == "true";
        request.confirm_deletes = call.query["confirm_deletes"] == "true";
        request.entity = call.query["entity"];
        request.record = call.query["record"] == "true";
        if (const std::string from = call.query["from"], to = call.query["to"];
            !from.empty() || !to.empty()) {
            const auto range = sync::parse_range(from, to);
            if (!range) return call.answer(problem(422, range.error().message));
            request.range = *range;
            request.trigger = sync::backfill_trigger;
        }
        return backend_.engine.trigger(path[1], std::move(request),
                                       [answer = call.answer](Result<std::int64_t> run) {
                                           answer(run ? ok({{"run", *run}}, 202) : problem(run.error()));
                                       });
    }
    if (path[0] == "integrations" && path.size() >= 3) {
        const auto answer_to = [&](const Status& status) {
            call.answer(status ? ok({{"ok", true}}) : problem(status.error()));
        };
        if (path.size() == 3 && path[2] == "suspend") return answer_to(backend_.engine.suspend(path[1]));
        if (path.size() == 3 && path[2] == "resume") return answer_to(backend_.engine.resume(path[1]));
        if (path.size() == 4 && path[2] == "breaker" && path[3] == "reset")
            return answer_to(backend_.engine.reset_breaker(path[1]));
    }
    if (path[0] == "integrations" && path.size() == 3 && path[2] == "test") {
        return backend_.engine.test(path[1], [answer = call.answer](Result<std::string> output) {
            if (!output)
                return answer(ok({{"ok", false},
                                  {"output", nullptr},
                                  {"error", redactor().scrub(output.error().message)}}));
            answer(ok({{"ok", true},
                       {"output", output->empty() ? json::value() : parsed(redactor().scrub(*output))},
                       {"error", nullptr}}));
        });
    }
    if (path[0] == "runs" && path.size() == 3 && path[2] == "cancel") {
        std::int64_t run = 0;
        std::from_chars(path[1].data(), path[1].data() + path[1].size(), run);
        const Status cancelled = backend_.engine.cancel(run);
        return call.answer(cancelled ? ok({{"ok", true}}) : problem(cancelled.error()));
    }
    if (path[0] == "reload" && path.size() == 1) {
        const std::vector<std::string> faults = backend_.reload();
        if (faults.empty()) return call.answer(ok({{"ok", true}}));
        json::array errors;
        for (const std::string& fault : faults) errors.push_back(json::object{{"detail", fault}});
        return call.answer({422, "application/problem+json",
                            json::serialize(json::object{
                                {"type", "about:blank"},
                                {"status", 422},
                                {"detail", "the configuration was not reloaded; the old one stays in force"},
                                {"errors", std::move(errors)}})});
    }
    if (!manage_access(call) && !decide(call)) call.answer(problem(404, "there is nothing of that name"));
}

void Routes::schedule(const Call& call) {
    std::uint32_t next = 10;
    if (const auto wanted = call.query.find("next"); wanted != call.query.end()) {
        const std::string& text = wanted->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), next);
        if (error != std::errc() || end != text.data() + text.size() || next == 0 || next > most_rows)
            return call.answer(problem(400, "next must be a whole number from 1 to 1000"));
    }
    const auto planned = backend_.engine.schedule(call.path[1], next);
    call.answer(planned ? ok(to_json(call.path[1], *planned)) : problem(planned.error()));
}

void Routes::status(const Call& call) {
    json::object body = backend_.about();
    body["running"] = backend_.engine.running();
    std::vector<sync::IntegrationStatus> all = backend_.engine.status();
    const auto work = [all](store::Database& database) -> Result<std::vector<store::IntegrationTotals>> {
        std::vector<store::IntegrationTotals> totals;
        for (const sync::IntegrationStatus& one : all) {
            auto mine = database.totals(one.id);
            if (!mine) return fail(mine.error());
            totals.push_back(*mine);
        }
        return totals;
    };
    backend_.store.read(work, [answer = call.answer, body = std::move(body),
                               all](Result<std::vector<store::IntegrationTotals>> totals) mutable {
        if (!totals) return answer(problem(totals.error()));
        json::array items;
        for (std::size_t i = 0; i < all.size(); ++i) {
            json::object one = to_json(all[i]);
            one["mappings"] = (*totals)[i].mappings;
            one["dead_letters"] = (*totals)[i].dead_letters;
            one["intents_open"] = (*totals)[i].intents_open;
            one["intents_in_doubt"] = (*totals)[i].intents_in_doubt;
            one["conflicts"] = (*totals)[i].conflicts;
            items.push_back(std::move(one));
        }
        body["integrations"] = std::move(items);
        answer(ok(body));
    });
}

void Routes::run(const Call& call) {
    std::int64_t id = 0;
    std::from_chars(call.path[1].data(), call.path[1].data() + call.path[1].size(), id);
    if (const auto live = backend_.engine.live_run(id)) {
        json::object body = api::to_json(*live);
        for (const sync::IntegrationStatus& one : backend_.engine.status()) {
            if (one.id == live->integration) body["working_on"] = one.working_on;
        }
        return call.answer(ok(body));
    }
    store::Filter filter;
    filter.run = id;
    backend_.store.read([filter](store::Database& database) { return database.runs(filter); },
                        [answer = call.answer, id](Result<std::vector<store::Run>> rows) {
                            if (!rows) return answer(problem(rows.error()));
                            if (rows->empty())
                                return answer(problem(404, "there is no run " + std::to_string(id)));
                            answer(ok(api::to_json(rows->front())));
                        });
}

void Routes::cassette(const Call& call) {
    backend_.store.read(
        [run = call.path[1]](store::Database& database) { return database.state("cassette", run); },
        [answer = call.answer, run = call.path[1]](Result<std::string> text) {
            if (!text) return answer(problem(text.error()));
            if (text->empty())
                return answer(problem(404, "there is no recording of run " + run +
                                               ": it was not asked for, the run has not ended, or newer "
                                               "recordings took its place"));
            answer(ok({{"run", run}, {"cassette", *text}}));
        });
}

}  // namespace liaisond::api
