// What an integration costs while nothing happens, and how punctual ten thousand of them are: the real
// configuration, links, engine and store, in virtual time, over a runtime whose jobs are done at once. The
// core's CPU time is counted as time that passes, so what is late is late as it would be on this machine.
//
//     idle_integrations [INTEGRATIONS] [MINUTES]
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <queue>
#include <random>
#include <unordered_map>

#include "app/links.hpp"
#include "base/log.hpp"
#include "base/system.hpp"
#include "connectors/connectors.hpp"
#include "paths.hpp"
#include "sync/engine.hpp"

namespace {

using namespace liaisond;
using std::chrono::nanoseconds;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "idle_integrations: %s\n", why.c_str());
    std::exit(1);
}

nanoseconds cpu_time() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

double resident_kib() {
    std::ifstream statm("/proc/self/statm");
    long pages = 0, resident = 0;
    statm >> pages >> resident;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

// Virtual time in which the CPU time of every event passes, too, except for what other threads would do.
class World final : public Clock, public sync::Timers, public Random {
  public:
    explicit World(bool counts_cpu) : counts_cpu_(counts_cpu) {}

    Instant now() const override {
        return *parse_instant("2026-03-01T08:00:00Z") + std::chrono::duration_cast<Milliseconds>(moment());
    }
    nanoseconds monotonic() const override { return std::chrono::hours(1) + moment(); }
    void fill(std::span<std::uint8_t> bytes) override {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    }
    void after(Milliseconds delay, std::function<void()> call) override {
        heap_.push({moment() + std::max(delay, Milliseconds(0)), order_++, std::move(call)});
    }
    void post(std::function<void()> call) override { after(Milliseconds(0), std::move(call)); }

    // Work that is not the core's.
    template <class Work>
    void elsewhere(Work work) {
        const nanoseconds before = cpu_time();
        work();
        excused_ += cpu_time() - before;
    }
    void run(nanoseconds duration) {
        const nanoseconds end = now_ + duration;
        while (!heap_.empty() && heap_.top().at <= end) {
            Event event = heap_.top();
            heap_.pop();
            now_ = std::max(now_, event.at);
            excused_ = nanoseconds(0);
            event_began_ = cpu_time();
            event.call();
            const nanoseconds used = cpu_time() - event_began_ - excused_;
            core_cpu_ += used;
            if (counts_cpu_) now_ += used;
            event_began_ = nanoseconds(-1);
            ++events_;
        }
        now_ = std::max(now_, end);
    }
    std::uint64_t events() const { return events_; }
    nanoseconds core_cpu() const { return core_cpu_; }

  private:
    nanoseconds moment() const {
        if (!counts_cpu_ || event_began_.count() < 0) return now_;
        return now_ + (cpu_time() - event_began_ - excused_);
    }
    struct Event {
        nanoseconds at;
        std::uint64_t order;
        std::function<void()> call;
        bool operator<(const Event& other) const {
            return std::tie(at, order) > std::tie(other.at, other.order);
        }
    };
    bool counts_cpu_;
    std::priority_queue<Event> heap_;
    nanoseconds now_{0}, excused_{0}, event_began_{-1}, core_cpu_{0};
    std::uint64_t order_ = 0, events_ = 0;
    std::mt19937_64 random_{1};
};

class Store final : public store::Store {
  public:
    Store(World& world, const std::string& path)
        : world_(world),
          database_(store::Database::open(path, store::Access::write, store::Durability::normal).value()) {}

    void scratch(Completion<Result<std::unique_ptr<store::Store>>>) override {
        give_up("nothing is planned here");
    }

  private:
    // As the writer thread: whatever came in two milliseconds is one transaction.
    void enqueue(store::Access, Job job) override {
        waiting_.push_back(std::move(job));
        if (waiting_.size() > 1) return;
        world_.after(Milliseconds(2), [this] {
            std::vector<Job> jobs = std::exchange(waiting_, {});
            std::vector<Status> answers;
            world_.elsewhere([&] {
                if (!database_->begin()) give_up("no transaction");
                for (const Job& one : jobs)
                    answers.push_back(database_->atomically([&] { return one.work(*database_); }));
                if (!database_->commit()) give_up("no commit");
            });
            for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(std::move(answers[i]));
        });
    }
    World& world_;
    std::unique_ptr<store::Database> database_;
    std::vector<Job> waiting_;
};

class NoTransport final : public http::Transport {
  public:
    void send(http::Request, Completion<http::Response>) override { give_up("nothing is sent here"); }
    void cancel(const std::string&) override {}
};

class DoneAtOnce final : public plugin::Runtime {
  public:
    explicit DoneAtOnce(World& world) : world_(world) {}
    std::function<void(const std::string&)> started = [](const std::string&) {};

    std::unique_ptr<plugin::Job> create_job(const plugin::InstanceSpec& spec, plugin::JobKind) override {
        started(spec.integration);
        return std::make_unique<Done>(world_);
    }
    void forget(const std::string&) override {}

  private:
    class Done final : public plugin::Job {
      public:
        explicit Done(World& world) : world_(world) {}
        void step(plugin::Event, Completion<Result<plugin::Effect>> done) override {
            world_.post([done = std::move(done)] { done(plugin::Effect(plugin::DoneEffect{})); });
        }

      private:
        World& world_;
    };
    World& world_;
};

std::string configuration(int integrations) {
    std::string text = "tenants:\n";
    for (int i = 0; i < integrations / 100 + 1; ++i)
        text += "  house-" + std::to_string(i) + ": { name: House " + std::to_string(i) +
                ", kind: hotel, timezone: Europe/Paris, currency: EUR }\n";
    text += "integrations:\n";
    for (int i = 0; i < integrations; ++i) {
        const std::string n = std::to_string(i);
        text += "  shop-" + n + ":\n    tenant: house-" + std::to_string(i / 100) +
                "\n    connector: custom_api\n    direction: import\n    entities: [product]\n"
                "    schedule: { every: 5m, jitter: 5m }\n    settings:\n"
                "      base_url: https://shop-" +
                n +
                ".example/api/v2\n      auth: { scheme: none }\n"
                "      entities:\n        product:\n          key: /id\n          list:\n"
                "            path: /products\n            items: /items\n"
                "            paging: { style: page, size_param: limit, size: 100, total_pages: /pages }\n"
                "          fields:\n            /name: /title\n            /sku: /sku\n"
                "            /description: /text/long\n            /brand: /brand/name\n"
                "            /gtin: /codes/ean\n            /unit: /unit\n"
                "            /category: /group/name\n            /weight: /shipping/weight\n";
    }
    return text;
}

struct Figures {
    double resident_kib_each = 0, resident_kib_after_runs = 0;
    std::vector<double> lags_ms;
    double core_seconds = 0;
    std::uint64_t events = 0;
};

std::vector<std::shared_ptr<const sync::Link>> links_of(const plugin::Catalog& catalog, int integrations) {
    std::vector<config::Fault> faults;
    const connectors::InstalledConnectors connectors(catalog);
    config::Config config;
    {
        const config::Document document =
            config::Document::parse(configuration(integrations), "bench.yaml", faults);
        config = config::check(document, connectors, SystemTimeZones(), faults);
    }
    if (!faults.empty()) give_up(faults.front().text());
    ::malloc_trim(0);
    SystemRandom random;
    const auth::Secrets secrets(auth::Vault::of_key(Secret(std::string(32, 'k'))), random);
    return app::make_links(config, catalog, secrets);
}

Figures measure(const plugin::Catalog& catalog, int integrations, int minutes, bool counts_cpu) {
    Figures figures;
    std::string pattern = (std::filesystem::temp_directory_path() / "liaison-idle.XXXXXX").string();
    const std::filesystem::path folder = ::mkdtemp(pattern.data());
    World world(counts_cpu);
    SystemTimeZones zones;
    Store store(world, folder / "liaison.db");
    NoTransport transport;
    DoneAtOnce runtime(world);
    (void)links_of(catalog, 1);  // what is made once is not an integration's
    ::malloc_trim(0);
    const double before = resident_kib();
    auth::Secrets secrets(auth::Vault::of_key(Secret(std::string(32, 'k'))), world);
    const sync::Ports ports{world, zones, world, world, transport, store, runtime, secrets};
    auto engine = std::make_unique<sync::Engine>(ports, sync::CanonicalSchemas::embedded());
    engine->configure(links_of(catalog, integrations));
    engine->start([](const Status& started) {
        if (!started) give_up(started.error().message);
    });
    std::unordered_map<std::string, Instant> due;
    std::vector<double> lags;
    runtime.started = [&](const std::string& id) {
        world.elsewhere([&] {
            const auto planned = engine->schedule(id, 1).value();
            if (const auto known = due.find(id); known != due.end())
                lags.push_back(static_cast<double>((world.now() - known->second).count()));
            due[id] = planned.runs.at(0).at;
        });
    };
    world.run(std::chrono::seconds(1));
    ::malloc_trim(0);
    figures.resident_kib_each = (resident_kib() - before) / integrations;
    world.run(std::chrono::minutes(10));  // the beginning, when all are due at once, is no rhythm yet
    lags.clear();
    const nanoseconds cpu = world.core_cpu();
    const std::uint64_t events = world.events();
    world.run(std::chrono::minutes(minutes));
    figures.core_seconds = std::chrono::duration<double>(world.core_cpu() - cpu).count();
    figures.events = world.events() - events;
    figures.lags_ms = lags;
    std::sort(figures.lags_ms.begin(), figures.lags_ms.end());
    lags = {};
    due = {};
    ::malloc_trim(0);
    figures.resident_kib_after_runs = (resident_kib() - before) / integrations;
    engine.reset();
    std::filesystem::remove_all(folder);
    return figures;
}

double percentile(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) give_up("no run was measured");
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void report(const char* what, const Figures& figures, int minutes) {
    std::printf(
        "%-28s %8zu runs in %d min   lag p50 %.0f ms, p99 %.0f ms, max %.0f ms   core CPU %.2f s, "
        "%llu events\n",
        what, figures.lags_ms.size(), minutes, percentile(figures.lags_ms, 0.5),
        percentile(figures.lags_ms, 0.99), percentile(figures.lags_ms, 1), figures.core_seconds,
        static_cast<unsigned long long>(figures.events));
}

}  // namespace

int main(int argc, char** argv) {
    const int integrations = argc > 1 ? std::atoi(argv[1]) : 10'000;
    const int minutes = argc > 2 ? std::atoi(argv[2]) : 60;
    if (integrations < 1 || minutes < 1) give_up("usage: idle_integrations [INTEGRATIONS] [MINUTES]");
    ::mallopt(M_ARENA_MAX, 2);
    configure_log(LogLevel::error, LogTarget::standard_error, LogFormat::text);
    plugin::CatalogOptions options;
    options.plugin_dirs = {paths::plugin()};
    options.trust.owner = plugin::TrustPolicy::Owner::self;
    options.worker_path = paths::program("liaison-worker");
    const plugin::Catalog catalog = plugin::Catalog::scan(options);
    const Figures counted = measure(catalog, integrations, minutes, true);
    std::printf("%d integrations, resident memory each: %.1f KiB idle, %.1f KiB after their runs\n",
                integrations, counted.resident_kib_each, counted.resident_kib_after_runs);
    report("with CPU time as time:", counted, minutes);
    report("in virtual time alone:", measure(catalog, integrations, minutes, false), minutes);
    return 0;
}
