// A house in virtual time: the real engine, the real store on a file, real connectors in process - and a
// clock, timers and a network that are events on one heap, drawn from one seed. Nothing waits; a simulated
// day takes milliseconds.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/system.hpp"
#include "plugin/in_process_runtime.hpp"
#include "store/database.hpp"
#include "sync/engine.hpp"

namespace liaisond::sync_test {

namespace json = boost::json;

// Time that moves only when the next event is taken.
class World final : public Clock, public sync::Timers, public Random {
  public:
    explicit World(std::uint64_t seed) : random_(seed) {}

    Instant now() const override { return now_ + step_; }
    std::chrono::nanoseconds monotonic() const override { return now_.time_since_epoch(); }
    void fill(std::span<std::uint8_t> bytes) override {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    }
    void after(Milliseconds delay, std::function<void()> call) override {
        heap_.push({now_ + std::max(delay, Milliseconds(0)), next_++, std::move(call)});
    }
    void post(std::function<void()> call) override { after(Milliseconds(0), std::move(call)); }

    // Takes events until `done` holds or `limit` of virtual time has passed; tells which.
    bool run_until(const std::function<bool()>& done, Milliseconds limit) {
        const Instant end = now_ + limit;
        while (!done()) {
            if (heap_.empty() || heap_.top().at > end) {
                now_ = end;
                return done();
            }
            Event event = heap_.top();
            heap_.pop();
            now_ = std::max(now_, event.at);
            ++events_;
            event.call();
        }
        return true;
    }
    bool chance(double probability) {
        return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
    }
    // The wall clock jumps; monotonic time and timers do not.
    void step_clock(Milliseconds by) { step_ += by; }
    // What a crash loses: everything that was going to happen.
    void forget() { heap_ = {}; }
    std::uint64_t events() const { return events_; }

  private:
    struct Event {
        Instant at;
        std::uint64_t order;
        std::function<void()> call;
        bool operator<(const Event& other) const {
            return std::tie(at, order) > std::tie(other.at, other.order);
        }
    };
    std::priority_queue<Event> heap_;
    Instant now_ = *parse_instant("2026-03-01T08:00:00Z");
    Milliseconds step_{0};
    std::uint64_t next_ = 0, events_ = 0;
    std::mt19937_64 random_;
};

// The real Database, reached through events instead of threads. A crash may come between any two of them.
class SimStore final : public store::Store {
  public:
    SimStore(World& world, const std::string& path)
        : world_(world), database_(store::Database::open(path, store::Access::write, false).value()) {}
    store::Database& database() { return *database_; }
    std::function<bool()> crash_before_commit = [] { return false; };

  private:
    void enqueue(store::Access access, Job job) override {
        auto shared = std::make_shared<Job>(std::move(job));
        world_.after(Milliseconds(access == store::Access::write ? 2 : 1), [this, access, shared] {
            if (access == store::Access::read) return shared->done(shared->work(*database_));
            if (crash_before_commit()) return;
            Status status = database_->begin();
            if (status) status = database_->atomically([&] { return shared->work(*database_); });
            Status committed = status ? database_->commit() : (database_->rollback(), Status());
            if (status) status = std::move(committed);
            world_.after(Milliseconds(1), [shared, status]() mutable { shared->done(std::move(status)); });
        });
    }
    World& world_;
    std::unique_ptr<store::Database> database_;
};

// A vendor is a function from request to answer; the network between may delay, lose or refuse.
using Vendor = std::function<http::Response(const http::Request&)>;

class SimNetwork final : public http::Transport {
  public:
    SimNetwork(World& world, std::map<std::string, Vendor> vendors)
        : world_(world), vendors_(std::move(vendors)) {}
    // Probabilities, per request.
    double lose_request = 0, lose_answer = 0, server_error = 0;
    bool down = false;
    std::uint64_t requests = 0;

    void send(http::Request request, Completion<http::Response> done) override {
        ++requests;
        const auto shared = std::make_shared<http::Request>(std::move(request));
        const bool lost_on_the_way = world_.chance(lose_request);
        const bool answer_lost = world_.chance(lose_answer);
        const bool fault = world_.chance(server_error);
        world_.after(Milliseconds(5 + static_cast<int>(world_.below(20))),
                     [=, this, done = std::move(done)]() mutable {
                         http::Response answer;
                         if (down || lost_on_the_way) {
                             answer.failure = http::Response::Failure::not_sent;
                             answer.error = "no connection";
                         } else if (fault) {
                             answer.status = 503;
                         } else {
                             answer = vendors_.at(http::origin_of(shared->url))(*shared);
                             if (answer_lost) {
                                 answer = {};
                                 answer.failure = http::Response::Failure::unknown;
                                 answer.error = "the answer was lost";
                             }
                         }
                         world_.after(Milliseconds(5),
                                      [done = std::move(done), answer = std::move(answer)]() mutable {
                                          done(std::move(answer));
                                      });
                     });
    }
    void cancel(const std::string&) override {}

  private:
    World& world_;
    std::map<std::string, Vendor> vendors_;
};

inline http::Response answer_json(unsigned status, const json::value& body) {
    http::Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = json::serialize(body);
    return response;
}

inline std::string query_of(const http::Request& request, const std::string& name) {
    const std::size_t at = request.url.find(name + "=");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 1;
    return request.url.substr(from, request.url.find('&', from) - from);
}

// A shop that lists products in pages; the source of truth of an import.
struct Shop {
    std::map<int, std::string> names;
    http::Response operator()(const http::Request& request) const {
        const int page = std::max(1, std::atoi(query_of(request, "page").c_str()));
        const int size = std::max(1, std::atoi(query_of(request, "limit").c_str()));
        json::array items;
        int index = 0;
        for (const auto& [id, name] : names) {
            if (index >= (page - 1) * size && index < page * size)
                items.push_back({{"id", id}, {"name", name}, {"sku", "S" + std::to_string(id)}});
            ++index;
        }
        return answer_json(200, json::object{{"items", items}, {"pages", (index + size - 1) / size}});
    }
};

// An office without idempotency keys and without uniqueness, whose records can be searched by reference.
struct Office {
    struct Row {
        std::string reference, name;
    };
    std::map<std::string, Row> rows;  // by id
    int next = 1;
    http::Response operator()(const http::Request& request) {
        if (request.method == "GET") {
            json::array found;
            for (const auto& [id, row] : rows) {
                if (row.reference == query_of(request, "reference"))
                    found.push_back({{"id", id}, {"reference", row.reference}});
            }
            return answer_json(200, json::object{{"items", found}});
        }
        const json::object body = json::parse(request.body).as_object();
        const std::string name(body.at("name").as_string());
        if (request.method == "PUT") {
            const std::string id = request.url.substr(request.url.rfind('/') + 1);
            rows.at(id).name = name;
            return answer_json(200, json::object{{"id", id}});
        }
        const std::string id = "O" + std::to_string(next++);
        rows[id] = {std::string(body.at("reference").as_string()), name};
        return answer_json(201, json::object{{"id", id}});
    }
};

// A directory that is gone after the test.
class TempDir {
  public:
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "liaison-test.XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

inline std::shared_ptr<sync::Link> make_link(const std::string& id, const std::string& settings, bool imports,
                                             const std::string& origin) {
    auto link = std::make_shared<sync::Link>();
    link->config.id = id;
    link->config.tenant = "house";
    link->config.connector = "custom_api";
    link->config.entities = {{"product", imports, !imports}};
    link->config.page_size = 10;
    link->config.push_batch = 7;
    link->config.settle = Milliseconds(60'000);
    link->config.retry.attempts = 12;
    link->config.fingerprint = settings;
    link->tenant = {"house", "House", "other", "UTC", "EUR"};
    link->instance = {LIAISON_PLUGIN_DIR "/custom_api.so", "house", id,
                      "{\"connector\":\"custom_api\",\"settings\":" + settings + "}",
                      plugin::Isolation::none};
    auto egress = std::make_shared<http::Egress>();
    egress->origins = {origin};
    link->egress = egress;
    link->authorizer = std::make_shared<auth::Authorizer>(json::object(), json::object(),
                                                          std::map<std::string, std::string>());
    link->effects["product"] = sync::EffectClass::findable;
    link->can_find = link->can_test = true;
    return link;
}

inline std::shared_ptr<sync::Link> shop_link() {
    return make_link(
        "shop",
        R"({"base_url":"http://shop.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id",
        "list":{"path":"/products","items":"/items","paging":{"style":"page","size_param":"limit","size":10,"total_pages":"/pages"}},
        "fields":{"/name":"/name","/sku":"/sku"}}}})",
        true, "http://shop.example");
}

inline std::shared_ptr<sync::Link> office_link() {
    return make_link(
        "office",
        R"({"base_url":"http://office.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id","effect":"findable",
        "fields":{"/name":"/name"},
        "create":{"method":"POST","path":"/products","reference":{"field":"/reference"},"id":"/id"},
        "update":{"method":"PUT","path":"/products/{key}"},
        "find":{"path":"/products","param":"reference","items":"/items","id":"/id","match":"/reference"}}}})",
        false, "http://office.example");
}

// One daemon's life: made, run, and destroyed in the middle of anything.
class SimHouse {
  public:
    SimHouse(World& world, SimNetwork& network, const std::string& directory)
        : world_(world),
          store(world, directory + "/liaison.db"),
          runtime([&world](std::function<void()> call) { world.post(std::move(call)); }),
          engine(std::make_unique<sync::Engine>(
              sync::Ports{world, zones_, world, world, network, store, runtime},
              sync::CanonicalSchemas::embedded())) {}
    ~SimHouse() {
        world_.forget();  // nothing that was under way happens any more
        engine.reset();
    }

    void start(const std::vector<std::shared_ptr<sync::Link>>& links) {
        configure_log(LogLevel::error, LogTarget::standard_error, LogFormat::text);
        engine->configure({links.begin(), links.end()});
        engine->start([](Status) {});
    }
    // Runs one integration to its end in virtual time.
    store::Run run(const std::string& integration, sync::RunRequest request = {}) {
        std::int64_t id = 0;
        engine->trigger(integration, std::move(request),
                        [&id](Result<std::int64_t> run) { id = run ? *run : -1; });
        world_.run_until([&] { return id != 0 && !engine->live_run(id); }, std::chrono::hours(2));
        for (const sync::IntegrationStatus& status : engine->status()) {
            if (status.id == integration && status.last_run) return *status.last_run;
        }
        return {};
    }

  private:
    World& world_;
    SystemTimeZones zones_;

  public:
    SimStore store;
    plugin::InProcessRuntime runtime;
    std::unique_ptr<sync::Engine> engine;
};

}  // namespace liaisond::sync_test
