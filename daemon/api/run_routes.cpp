// Runs: what was done when, what is being done, and how runs fared altogether.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/backend.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr Milliseconds look_every{250}, speak_at_least_every{15'000};

json::object counters(const store::Counters& c) {
    return {{"fetched", c.fetched},   {"created", c.created},     {"updated", c.updated},
            {"deleted", c.deleted},   {"unchanged", c.unchanged}, {"exported", c.exported},
            {"rejected", c.rejected}, {"conflicts", c.conflicts}};
}

// While it runs; nothing afterwards.
std::optional<json::object> live(const Backend& backend, std::int64_t run) {
    const auto found = backend.engine.live_run(run);
    if (!found) return std::nullopt;
    json::object body = to_json(*found);
    if (const auto one = backend.engine.status(found->integration)) body["working_on"] = one->working_on;
    return body;
}

void stored(const Backend& backend, std::int64_t id, Completion<Result<json::object>> done) {
    store::Filter filter;
    filter.run = id;
    backend.store.read(
        [filter](store::Database& database) { return database.runs(filter); },
        [done = std::move(done), id](Result<std::vector<store::Run>> rows) {
            if (!rows) return done(fail(rows.error()));
            if (rows->empty())
                return done(fail(ErrorKind::permanent, "there is no run " + std::to_string(id)));
            done(to_json(rows->front()));
        });
}

void show(const Backend& backend, const Call& call) {
    const std::int64_t id = call.number("run");
    if (const auto body = live(backend, id)) return call.answer(ok(*body));
    stored(backend, id, [answer = call.answer](Result<json::object> body) {
        answer(body ? ok(*body) : problem(body.error()));
    });
}

// Server-sent events (WHATWG HTML, 9.2): `run` whenever something changed, `end` with how it ended.
class Watch : public std::enable_shared_from_this<Watch> {
  public:
    Watch(const Backend& backend, std::int64_t run, std::shared_ptr<web::Stream> stream)
        : backend_(backend), run_(run), stream_(std::move(stream)) {}

    void look() {
        if (!*open_) return;
        const auto body = live(backend_, run_);
        if (!body) return finish();
        const std::string text = json::serialize(*body);
        since_ += look_every;
        if (text != last_) {
            send("run", text);
            last_ = text;
        } else if (since_ >= speak_at_least_every) {
            since_ = Milliseconds(0);
            stream_->send(": still there\n\n");
        }
        backend_.timers.after(look_every, [self = shared_from_this()] { self->look(); });
    }
    // The server's thread says so when nobody listens any longer.
    void begin() {
        stream_->on_drained([open = open_](bool is_open) {
            if (!is_open) open->store(false);
        });
        look();
    }

  private:
    void send(const char* event, const std::string& data) {
        since_ = Milliseconds(0);
        stream_->send(std::string("event: ") + event + "\ndata: " + data + "\n\n");
    }
    void finish() {
        stored(backend_, run_, [self = shared_from_this()](Result<json::object> body) {
            if (body) self->send("end", json::serialize(*body));
            self->stream_->end();
        });
    }

    const Backend& backend_;
    const std::int64_t run_;
    std::shared_ptr<web::Stream> stream_;
    std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);
    std::string last_;
    Milliseconds since_{0};
};

void watch(const Backend& backend, const Call& call) {
    const std::int64_t run = call.number("run");
    const auto begin = [&backend, run](const web::Reply& answer) {
        web::Answer events{200, "text/event-stream", ""};
        events.headers.emplace_back("Cache-Control", "no-store");
        events.stream = [&backend, run](std::shared_ptr<web::Stream> stream) {
            // On the server's thread; the engine belongs to the core's.
            backend.timers.post([&backend, run, stream = std::move(stream)] {
                std::make_shared<Watch>(backend, run, stream)->begin();
            });
        };
        answer(std::move(events));
    };
    if (backend.engine.live_run(run)) return begin(call.answer);
    stored(backend, run, [begin, answer = call.answer](Result<json::object> body) {
        body ? begin(answer) : answer(problem(body.error()));
    });
}

void cassette(const Backend& backend, const Call& call) {
    const std::string run = call.text("run");
    backend.store.read(
        [run](store::Database& database) { return database.state("cassette", run); },
        [answer = call.answer, run](Result<std::string> text) {
            if (!text) return answer(problem(text.error()));
            if (text->empty())
                return answer(problem(404, "there is no recording of run " + run +
                                               ": it was not asked for, the run has not ended, or "
                                               "newer recordings took its place"));
            answer(ok({{"run", run}, {"cassette", *text}}));
        });
}

// ---- how runs fared ----

// Of a sorted list; null where it is empty.
json::value percentile(const std::vector<std::int64_t>& sorted, std::size_t percent) {
    if (sorted.empty()) return nullptr;
    return sorted[std::min(sorted.size() - 1, sorted.size() * percent / 100)];
}

json::object to_json(const store::RunStatistics& s, Instant since) {
    std::vector<std::int64_t> durations = s.durations_ms;
    std::sort(durations.begin(), durations.end());
    const std::int64_t judged = s.succeeded + s.partial + s.failed;
    return {{"since", format_instant(since)},
            {"runs", s.runs},
            {"running", s.running},
            {"succeeded", s.succeeded},
            {"partial", s.partial},
            {"failed", s.failed},
            {"success_rate",
             judged == 0 ? json::value()
                         : json::value(static_cast<double>(s.succeeded) / static_cast<double>(judged))},
            {"duration_p50_ms", percentile(durations, 50)},
            {"duration_p95_ms", percentile(durations, 95)},
            {"totals", counters(s.totals)}};
}

void stats(const Backend& backend, const Call& call) {
    store::Filter filter = call.filter();
    if (to_unix_ms(filter.since) == 0) filter.since = backend.clock.now() - std::chrono::hours(24);
    std::int64_t integrations = 0, active = 0, failing = 0;
    for (const sync::IntegrationStatus& one : backend.engine.status()) {
        if (!call.sees(one.tenant)) continue;
        ++integrations;
        active += one.state != "disabled" && one.suspended.empty() ? 1 : 0;
        failing += one.failures > 0 ? 1 : 0;
    }
    struct Found {
        store::RunStatistics runs;
        std::vector<store::Run> slow;
    };
    const auto work = [filter](store::Database& database) -> Result<Found> {
        auto runs = database.run_statistics(filter);
        if (!runs) return fail(runs.error());
        auto slow = database.slowest_runs(filter);
        if (!slow) return fail(slow.error());
        return Found{std::move(*runs), std::move(*slow)};
    };
    backend.store.read(work, [=, since = filter.since, answer = call.answer](Result<Found> found) {
        if (!found) return answer(problem(found.error()));
        json::object body = to_json(found->runs, since);
        body["integrations"] =
            json::object{{"total", integrations}, {"active", active}, {"failing", failing}};
        json::array slow;
        for (const store::Run& run : found->slow) slow.push_back(api::to_json(run));
        body["slowest"] = std::move(slow);
        answer(ok(body));
    });
}

}  // namespace

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

void add_run_routes(Router& router, const Backend& backend) {
    router.add({.method = "GET",
                .pattern = "/runs",
                .summary = "Runs, newest first",
                .query = list_parameters({{Parameter::Kind::word,
                                           "status",
                                           "Only with this outcome",
                                           {"running", "success", "partial", "failed", "cancelled",
                                            "interrupted", "planned", "suspended"}}}),
                .answers = "[Run]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::runs,
                         [](const store::Run& row) { return to_json(row); });
                }});
    router.add({.method = "GET",
                .pattern = "/runs/{run:run}",
                .summary = "One run, with its counters; live while it runs",
                .answers = "Run",
                .handle = [&backend](Call& call) { show(backend, call); }});
    router.add(
        {.method = "GET",
         .pattern = "/runs/{run:run}/events",
         .summary = "The run as it goes on, as server-sent events: `run` when something changed, then `end`",
         .answers = "EventStream",
         .handle = [&backend](Call& call) { watch(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/runs/{run:run}/cassette",
                .summary = "What the vendor said, where it was to be recorded",
                .answers = "Cassette",
                .handle = [&backend](Call& call) { cassette(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/runs/{run:run}/cancel",
                .scope = access::Scope::operate,
                .summary = "Ends it at the next point where nothing is half done",
                .answers = "Done",
                .handle = [&backend](Call& call) {
                    const Status cancelled = backend.engine.cancel(call.number("run"));
                    call.answer(cancelled ? ok({{"ok", true}}) : problem(cancelled.error()));
                }});
    router.add({.method = "GET",
                .pattern = "/stats",
                .summary = "How runs fared, by default in the last 24 hours",
                .query = {text_parameter("integration", "Only of this integration"),
                          text_parameter("tenant", "Only of this tenant"),
                          {Parameter::Kind::instant, "since", "From here on"}},
                .answers = "Statistics",
                .handle = [&backend](Call& call) { stats(backend, call); }});
}

}  // namespace liaisond::api
