// What the sandbox costs, and what a hostile plugin costs its neighbours. Each figure with and without, in
// turns, so that a machine that slows down slows both.
#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "paths.hpp"
#include "plugin/worker_runtime.hpp"

namespace {

using namespace liaisond::plugin;
using liaisond::Result;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds hostile_pause{
    100};  // the first of the daemon, which doubles them, and gives up after five crashes

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "sandbox_bench: %s\n", why.c_str());
    std::exit(1);
}

Event start_event(const std::string& entity) {
    StartEvent start;
    start.entity = entity;
    return {1, start};
}
Event answer_event() {
    HttpEvent http;
    http.responses.emplace_back();
    return {1, http};
}

InstanceSpec good_spec() {
    return {paths::bench_plugin("step_plugin.so"), "good", "good", "{}", Isolation::plugin};
}

class House {
  public:
    explicit House(const std::string& worker) : runtime_(io_, options(worker)) {}

    void open() { job_ = runtime_.create_job(good_spec(), JobKind::pull); }
    void step(Event event) {
        std::optional<Result<Effect>> answer;
        job_->step(std::move(event), [&](Result<Effect> effect) { answer = std::move(effect); });
        while (!answer) io_.run_one();
        if (!*answer) give_up(answer->error().message);
    }
    // From the decision to start a worker until it said that it is ready, in microseconds.
    double start() {
        open();
        std::optional<Result<Effect>> answer;
        const auto begun = Clock::now();
        job_->step(start_event("small"), [&](Result<Effect> effect) { answer = std::move(effect); });
        while (runtime_.workers().at(0).state != WorkerState::ready) io_.run_one();
        const auto ready = Clock::now();
        while (!answer) io_.run_one();
        if (!*answer) give_up(answer->error().message);
        return std::chrono::duration<double, std::micro>(ready - begun).count();
    }
    double round_trip() {
        const auto begun = Clock::now();
        step(answer_event());
        return std::chrono::duration<double, std::micro>(Clock::now() - begun).count();
    }
    pid_t pid() const { return runtime_.workers().at(0).pid; }
    // Attacks in a worker of its own, again whenever it has come to an end.
    void keep_attacking(const std::string& attack) {
        attacker_.reset();
        if (attack.empty()) return;
        attack_ = {paths::hostile_plugin("hostile.so"), "bad", "bad",
                   R"({"connector":"hostile","settings":{"attack":")" + attack + "\"}}", Isolation::plugin};
        attack_once();
    }
    std::size_t attacks() const { return attacks_; }

  private:
    static WorkerOptions options(const std::string& worker) {
        WorkerOptions options;
        options.worker_path = worker;
        options.step_deadline = std::chrono::milliseconds(500);
        options.first_backoff = options.longest_backoff = hostile_pause;
        options.quarantine_crashes = 1'000'000;
        return options;
    }
    void attack_once() {
        ++attacks_;
        attacker_ = runtime_.create_job(attack_, JobKind::pull);
        attacker_->step(start_event("x"), [this](const Result<Effect>&) { attack_once(); });
    }

    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
    WorkerRuntime runtime_;
    std::unique_ptr<Job> job_, attacker_;
    InstanceSpec attack_;
    std::size_t attacks_ = 0;
};

double quantile(std::vector<double>& values, double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

void show(const std::string& name, std::vector<double>& values, double unit, const char* word) {
    std::printf("%-44s p50 %8.2f   p99 %8.2f %s   (%zu)\n", name.c_str(), quantile(values, 0.5) / unit,
                quantile(values, 0.99) / unit, word, values.size());
}

// "Rss 4400 kB  Pss 900 kB ..." of /proc/PID/smaps_rollup, which only root reads of a process that dumps no
// core.
std::string memory_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    std::string found;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name, amount, unit;
        words >> name >> amount >> unit;
        if (name == "Rss:" || name == "Pss:" || name == "Private_Dirty:")
            found += name + ' ' + amount + " kB  ";
    }
    return found.empty() ? "not readable" : found;
}

const std::vector<std::pair<std::string, std::string>> workers = {
    {"with the sandbox", paths::program("liaison-worker")}, {"without", paths::program("bare-worker")}};

void measure_starts(int rounds) {
    std::map<std::string, std::vector<double>> taken;
    for (int i = 0; i < rounds; ++i) {
        for (const auto& [name, path] : workers) taken[name].push_back(House(path).start());
    }
    for (auto& [name, values] : taken) show("start until READY, " + name, values, 1000, "ms");
}

void measure_steps(int rounds, int block) {
    std::map<std::string, std::unique_ptr<House>> houses;
    std::map<std::string, std::vector<double>> taken;
    for (const auto& [name, path] : workers) {
        houses[name] = std::make_unique<House>(path);
        houses[name]->start();
    }
    for (int i = 0; i < rounds; ++i) {
        for (auto& [name, house] : houses) {
            for (int j = 0; j < block; ++j) taken[name].push_back(house->round_trip());
        }
    }
    for (auto& [name, values] : taken) show("round trip of a small step, " + name, values, 1, "us");
    for (auto& [name, house] : houses)
        std::printf("%-44s %s\n", ("idle worker, " + name).c_str(), memory_of(house->pid()).c_str());
}

void measure_neighbours(int rounds, int block) {
    const std::vector<std::string> all = {
        "", "spin", "segfault", "fork", "flood_stdout", "write_garbage", "real_flood"};
    House house(paths::program("liaison-worker"));
    house.start();
    std::map<std::string, std::vector<double>> taken;
    std::map<std::string, std::size_t> attacks;
    for (int i = 0; i < rounds; ++i) {
        for (const std::string& attack : all) {
            const std::size_t before = house.attacks();
            house.keep_attacking(attack);
            for (int j = 0; j < block; ++j) taken[attack].push_back(house.round_trip());
            attacks[attack] += house.attacks() - before;
        }
    }
    house.keep_attacking("");
    const double alone = quantile(taken[""], 0.99);
    for (const std::string& attack : all) {
        show(attack.empty() ? "step of a good plugin, alone"
                            : "beside " + attack + " (" + std::to_string(attacks[attack]) + " attacks)",
             taken[attack], 1, "us");
        if (!attack.empty()) std::printf("%-44s p99 ratio %.2f\n", "", quantile(taken[attack], 0.99) / alone);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
    std::signal(SIGPIPE, SIG_IGN);
    measure_starts(quick ? 5 : 200);
    measure_steps(quick ? 2 : 20, quick ? 50 : 2'000);
    measure_neighbours(quick ? 1 : 10, quick ? 100 : 20'000);
    return 0;
}
