// simulate: many seeds of the simulation, each a few days long, several at a time.
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "base/log.hpp"
#include "simulate/simulation.hpp"

namespace {

using namespace liaisond;
using namespace liaisond::simulate;

struct Settings {
    std::uint64_t from = 1, to = 100;
    int jobs = 2;
    double time_limit = 0;  // seconds; 0: none
    bool until_red = false;
    std::string flags;  // as they have to be given again
    Options options;
};

// What the processes share: which seed is next, and whether to go on.
struct Shared {
    std::atomic<std::uint64_t> next;
    std::atomic<bool> enough;
};

struct Totals {
    std::uint64_t seeds = 0, days = 0, crashes = 0, requests = 0, runs = 0, red = 0;
    std::map<std::string, std::uint64_t> injected;
};

json::object to_json(const Summary& summary) {
    json::array violations;
    for (const Violation& one : summary.violations)
        violations.push_back(json::object{{"invariant", one.invariant}, {"found", one.found}});
    json::object injected;
    for (const auto& [fault, count] : summary.injected) injected[to_string(fault)] = count;
    return {{"seed", summary.seed},         {"hash", std::to_string(summary.hash)},
            {"days", summary.days},         {"crashes", summary.crashes},
            {"requests", summary.requests}, {"runs", summary.runs},
            {"topology", summary.topology}, {"faults", summary.faults},
            {"injected", injected},         {"violations", violations}};
}

Summary simulate_seed(std::uint64_t seed, const Options& options) {
    Simulation simulation(seed, options);
    return simulation.run();
}

// One process: takes seeds until there are no more, and writes a line of JSON before and after each.
void work(const Settings& settings, Shared& shared, int out) {
    const auto say = [out](const json::object& what) {
        const std::string line = json::serialize(what) + "\n";
        return ::write(out, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    };
    while (!shared.enough) {
        const std::uint64_t seed = shared.next++;
        if (seed > settings.to) break;
        if (!say({{"begins", seed}})) break;
        const Summary summary = simulate_seed(seed, settings.options);
        if (!say(to_json(summary))) break;
        if (!summary.violations.empty() && settings.until_red) shared.enough = true;
    }
}

void report(const json::object& seed, const Settings& settings, Totals& totals) {
    ++totals.seeds;
    totals.days += seed.at("days").to_number<std::uint64_t>();
    totals.crashes += seed.at("crashes").to_number<std::uint64_t>();
    totals.requests += seed.at("requests").to_number<std::uint64_t>();
    totals.runs += seed.at("runs").to_number<std::uint64_t>();
    for (const auto& [fault, count] : seed.at("injected").as_object())
        totals.injected[fault] += count.to_number<std::uint64_t>();
    const json::array& violations = seed.at("violations").as_array();
    if (violations.empty()) return;
    ++totals.red;
    const auto text = [](const json::value& value) { return std::string(value.as_string()); };
    const json::object& first = violations[0].as_object();
    const std::uint64_t number = seed.at("seed").to_number<std::uint64_t>();
    std::printf("seed %llu: %s: %s [%s; faults: %s; hash %s] replay: simulate --seed %llu%s --trace\n",
                static_cast<unsigned long long>(number), text(first.at("invariant")).c_str(),
                text(first.at("found")).c_str(), text(seed.at("topology")).c_str(),
                text(seed.at("faults")).c_str(), text(seed.at("hash")).c_str(),
                static_cast<unsigned long long>(number), settings.flags.c_str());
    std::fflush(stdout);
}

struct Worker {
    pid_t pid = -1;
    int in = -1;
    std::string buffer;
    std::uint64_t seed = 0;  // in hand; 0: none
};

Worker start_worker(const Settings& settings, Shared& shared) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(ends[0]);
        work(settings, shared, ends[1]);
        ::_exit(0);
    }
    ::close(ends[1]);
    return {pid, ends[0], {}, 0};
}

void take_lines(Worker& worker, const Settings& settings, Totals& totals) {
    for (std::size_t end = worker.buffer.find('\n'); end != std::string::npos;
         end = worker.buffer.find('\n')) {
        const json::object said = json::parse(worker.buffer.substr(0, end)).as_object();
        worker.buffer.erase(0, end + 1);
        if (said.contains("begins")) {
            worker.seed = said.at("begins").to_number<std::uint64_t>();
        } else {
            worker.seed = 0;
            report(said, settings, totals);
        }
    }
}

Totals run_all(const Settings& settings, Shared& shared) {
    Totals totals;
    std::vector<Worker> workers;
    for (int i = 0; i < settings.jobs; ++i) workers.push_back(start_worker(settings, shared));
    const auto began = std::chrono::steady_clock::now();
    while (!workers.empty()) {
        std::vector<pollfd> waiting;
        for (const Worker& worker : workers) waiting.push_back({worker.in, POLLIN, 0});
        ::poll(waiting.data(), waiting.size(), 200);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        if (settings.time_limit > 0 && took.count() > settings.time_limit) shared.enough = true;
        for (std::size_t i = waiting.size(); i-- > 0;) {
            if (waiting[i].revents == 0) continue;
            char chunk[65536];
            const ssize_t got = ::read(workers[i].in, chunk, sizeof chunk);
            if (got > 0) {
                workers[i].buffer.append(chunk, static_cast<std::size_t>(got));
                take_lines(workers[i], settings, totals);
                continue;
            }
            int status = 0;
            ::waitpid(workers[i].pid, &status, 0);
            ::close(workers[i].in);
            const std::uint64_t seed = workers[i].seed;
            workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
            if (seed == 0 && status == 0) continue;
            ++totals.red;
            std::printf("seed %llu: the program died (status %d) replay: simulate --seed %llu%s --trace\n",
                        static_cast<unsigned long long>(seed), status, static_cast<unsigned long long>(seed),
                        settings.flags.c_str());
            if (settings.until_red) shared.enough = true;
            if (!shared.enough) workers.push_back(start_worker(settings, shared));
        }
    }
    return totals;
}

void print(const Totals& totals, double seconds) {
    std::printf(
        "%llu seeds, %llu days, %llu crashes, %llu requests, %llu runs, %.1f s, %.0f days/min, %llu red\n",
        static_cast<unsigned long long>(totals.seeds), static_cast<unsigned long long>(totals.days),
        static_cast<unsigned long long>(totals.crashes), static_cast<unsigned long long>(totals.requests),
        static_cast<unsigned long long>(totals.runs), seconds,
        static_cast<double>(totals.days) * 60 / std::max(seconds, 0.001),
        static_cast<unsigned long long>(totals.red));
    std::printf("faults:");
    for (const auto& [fault, count] : totals.injected)
        std::printf(" %s %llu", fault.c_str(), static_cast<unsigned long long>(count));
    std::printf("\n");
}

int simulate_one(const Settings& settings) {
    const Summary summary = simulate_seed(settings.from, settings.options);
    Totals totals;
    report(to_json(summary), settings, totals);
    for (const Violation& one : summary.violations)
        std::printf("  %s: %s\n", one.invariant.c_str(), one.found.c_str());
    std::printf("seed %llu: %s, %d days, %llu events, hash %llu, faults %s, %zu violations\n",
                static_cast<unsigned long long>(settings.from), summary.topology.c_str(), summary.days,
                static_cast<unsigned long long>(summary.events),
                static_cast<unsigned long long>(summary.hash), summary.faults.c_str(),
                summary.violations.size());
    return summary.violations.empty() ? 0 : 1;
}

bool read_faults(const std::string& list, Options& options) {
    options.faults.emplace();
    for (std::size_t from = 0; from < list.size();) {
        const std::size_t end = std::min(list.find(',', from), list.size());
        const auto fault = parse_fault(std::string_view(list).substr(from, end - from));
        if (!fault && list != "none") {
            std::fprintf(stderr, "there is no fault '%s'; there are:", list.substr(from, end - from).c_str());
            for (const std::string_view name : fault_names)
                std::fprintf(stderr, " %s", std::string(name).c_str());
            std::fprintf(stderr, "\n");
            return false;
        }
        if (fault) options.faults->insert(*fault);
        from = end + 1;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    // Blocks of simulated files come and go: glibc is not to give their pages back in between.
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
    ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
    Settings settings;
    std::string seeds, faults;
    std::optional<std::uint64_t> seed;
    CLI::App app{"Runs the daemon's engine in simulated worlds, one per seed, and checks what must hold."};
    app.add_option("--seeds", seeds, "FROM-TO (1-100)");
    app.add_option("--seed", seed, "one seed alone, in this process");
    app.add_option("--days", settings.options.days, "simulated days per seed")->capture_default_str();
    app.add_flag("--trace", settings.options.trace, "print every event (with --seed)");
    app.add_option("--jobs", settings.jobs, "seeds at a time")->capture_default_str();
    app.add_option("--faults", faults, "these alone and all of them: a,b,c; or none");
    app.add_option("--topology", settings.options.topology, "chain, orders or pair");
    app.add_flag("--two-way", settings.options.two_way, "both sides of a pair edit the same records");
    app.add_flag("--until-red", settings.until_red, "end with the first seed that fails");
    app.add_option("--time-limit", settings.time_limit, "begin no more seeds after that many seconds");
    CLI11_PARSE(app, argc, argv);
    if (!faults.empty() && !read_faults(faults, settings.options)) return 2;
    if (!seeds.empty() && std::sscanf(seeds.c_str(), "%lu-%lu", &settings.from, &settings.to) != 2) {
        std::fprintf(stderr, "--seeds '%s': expected FROM-TO, such as 1-100\n", seeds.c_str());
        return 2;
    }
    if (settings.options.days != 3) settings.flags += " --days " + std::to_string(settings.options.days);
    if (!faults.empty()) settings.flags += " --faults " + faults;
    if (!settings.options.topology.empty()) settings.flags += " --topology " + settings.options.topology;
    if (settings.options.two_way) settings.flags += " --two-way";
    // The engine's own words only where somebody reads along.
    const auto silence = static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1);
    configure_log(settings.options.trace ? LogLevel::debug : silence, LogTarget::standard_error,
                  LogFormat::text);
    if (seed) {
        settings.from = *seed;
        return simulate_one(settings);
    }
    settings.options.trace = false;
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Shared& shared = *new (memory) Shared{{settings.from}, {false}};
    const auto began = std::chrono::steady_clock::now();
    const Totals totals = run_all(settings, shared);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    print(totals, took.count());
    return totals.red == 0 ? 0 : 1;
}
