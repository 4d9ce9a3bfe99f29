#include "api/figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace liaisond::api {
namespace {

using Family = Metrics::Family;
using Kind = Family::Kind;

const Family runs{"liaison_runs_total", "Runs that ended.", Kind::counter, {"integration", "status"}};
const Family run_seconds{"liaison_run_duration_seconds",
                         "How long runs took.",
                         Kind::histogram,
                         {},
                         {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600}};
const Family records{"liaison_records_total",
                     "Records that runs handled.",
                     Kind::counter,
                     {"integration", "entity", "action"}};
const Family requests{"liaison_http_requests_total",
                      "Requests to vendors, by the status of the answer, or not_sent, unanswered or refused.",
                      Kind::counter,
                      {"integration", "code"}};
const Family request_seconds{"liaison_http_duration_seconds",
                             "How long vendors took to answer.",
                             Kind::histogram,
                             {},
                             {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}};
const Family breakers{
    "liaison_breaker_state", "Circuit breaker: 0 closed, 1 half open, 2 open.", Kind::gauge, {"integration"}};
const Family dead_letters{
    "liaison_dead_letters", "Records that were refused and wait for a person.", Kind::gauge, {"integration"}};
const Family in_doubt{"liaison_intents_in_doubt",
                      "Sends of which nobody knows whether the vendor executed them.",
                      Kind::gauge,
                      {"integration"}};
const Family webhooks{
    "liaison_webhooks_total", "Webhooks by what became of them.", Kind::counter, {"integration", "outcome"}};
const Family restarts{
    "liaison_worker_restarts_total", "Worker processes that had to be replaced.", Kind::counter, {"plugin"}};
const Family lag{"liaison_schedule_lag_seconds",
                 "How late the latest planned run began, or how long one that is due has waited.",
                 Kind::gauge,
                 {"integration"}};
const Family commit_seconds{"liaison_store_commit_seconds",
                            "How long durable commits took.",
                            Kind::histogram,
                            {},
                            {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}};
const Family alerts{"liaison_alerts", "Alerts that are not resolved.", Kind::gauge, {"severity"}};
const Family build{"liaison_build_info", "Always 1.", Kind::gauge, {"version"}};
const Family cpu{"process_cpu_seconds_total", "Processor time of the daemon.", Kind::counter};
const Family memory{"process_resident_memory_bytes", "Memory of the daemon.", Kind::gauge};
const Family start{"process_start_time_seconds", "When the daemon was started, as Unix time.", Kind::gauge};
const Family open_files{"process_open_fds", "Open files and sockets of the daemon.", Kind::gauge};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string code_of(const http::Response& answer) {
    using Failure = http::Response::Failure;
    switch (answer.failure) {
        case Failure::none: return std::to_string(answer.status);
        case Failure::not_sent: return "not_sent";
        case Failure::unknown: return "unanswered";
        case Failure::refused: return "refused";
    }
    return "unanswered";
}

double breaker_number(const std::string& word) { return word == "open" ? 2 : word == "half_open" ? 1 : 0; }

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

double resident_bytes() {
    long whole = 0, resident = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "re");
    if (file == nullptr) return 0;
    const int read = std::fscanf(file, "%ld %ld", &whole, &resident);
    std::fclose(file);
    return read == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

double count_open_files() {
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/self/fd", error);
    return error ? 0 : static_cast<double>(std::distance(begin(files), end(files)));
}

}  // namespace

Figures::Figures(std::string_view version) {
    metrics_.set(build, {std::string(version)}, 1);
    // Whoever watches a rate wants to see it at zero, too.
    for (const std::string severity : {"warning", "critical"}) metrics_.set(alerts, {severity}, 0);
}

void Figures::ended(const store::Run& run) {
    metrics_.add(runs, {run.integration, std::string(store::to_string(run.status))});
    metrics_.observe(run_seconds, seconds(run.ended - run.started));
    for (const store::EntityCounters& one : run.entities) {
        const store::Counters& c = one.counters;
        for (const auto& [action, count] :
             {std::pair{"fetched", c.fetched}, std::pair{"created", c.created},
              std::pair{"updated", c.updated}, std::pair{"deleted", c.deleted},
              std::pair{"unchanged", c.unchanged}, std::pair{"exported", c.exported},
              std::pair{"rejected", c.rejected}, std::pair{"conflict", c.conflicts}}) {
            if (count != 0)
                metrics_.add(records, {run.integration, one.entity, action}, static_cast<double>(count));
        }
    }
}

void Figures::answered(const std::string& integration, const http::Response& answer) {
    metrics_.add(requests, {integration, code_of(answer)});
    metrics_.observe(request_seconds, seconds(answer.duration));
}

void Figures::began(const std::string& integration, Milliseconds late) {
    metrics_.set(lag, {integration}, seconds(late));
}

void Figures::committed(std::chrono::nanoseconds took) { metrics_.observe(commit_seconds, seconds(took)); }

std::string Figures::text(const Now& now) {
    for (const Family* family : {&breakers, &dead_letters, &in_doubt, &restarts}) metrics_.clear(*family);
    for (const sync::IntegrationStatus& one : now.integrations) {
        metrics_.set(breakers, {one.id}, breaker_number(one.breaker));
        metrics_.set(dead_letters, {one.id}, 0);
        metrics_.set(in_doubt, {one.id}, 0);
        if (one.waiting_for.count() != 0) metrics_.set(lag, {one.id}, seconds(one.waiting_for));
    }
    for (const auto& [id, count] : now.backlog.dead_letters)
        metrics_.set(dead_letters, {id}, static_cast<double>(count));
    for (const auto& [id, count] : now.backlog.in_doubt)
        metrics_.set(in_doubt, {id}, static_cast<double>(count));
    for (const std::string severity : {"warning", "critical"}) {
        const auto found = now.backlog.alerts.find(severity);
        const std::int64_t count = found == now.backlog.alerts.end() ? 0 : found->second;
        metrics_.set(alerts, {severity}, static_cast<double>(count));
    }
    for (const auto& [id, count] : now.webhooks) {
        metrics_.set(webhooks, {id, "received"}, static_cast<double>(count.received));
        metrics_.set(webhooks, {id, "duplicate"}, static_cast<double>(count.duplicates));
        metrics_.set(webhooks, {id, "refused"}, static_cast<double>(count.refused));
    }
    for (const auto& [plugin, count] : now.worker_restarts)
        metrics_.set(restarts, {plugin}, static_cast<double>(count));
    metrics_.set(cpu, {}, cpu_seconds());
    metrics_.set(memory, {}, resident_bytes());
    metrics_.set(start, {}, seconds(now.started.time_since_epoch()));
    metrics_.set(open_files, {}, count_open_files());
    return metrics_.text();
}

}  // namespace liaisond::api
