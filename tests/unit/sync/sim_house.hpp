// A house in virtual time for single stories: the real engine, the real store on a file, real connectors in
// process, and vendors of a few lines. Whole days with everything that can go wrong are tests/simulate.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/system.hpp"
#include "paths.hpp"
#include "plugin/in_process_runtime.hpp"
#include "simulate/store.hpp"
#include "simulate/world.hpp"
#include "sync/engine.hpp"

namespace liaisond::sync_test {

namespace json = boost::json;

using simulate::SimStore;
using simulate::TempDir;
using simulate::World;

// A vendor is a function from request to answer; the network between may delay, lose or refuse.
using Vendor = std::function<http::Response(const http::Request&)>;

class SimNetwork final : public http::Transport {
  public:
    SimNetwork(World& world, std::map<std::string, Vendor> vendors)
        : world_(world), vendors_(std::move(vendors)) {}
    // Probabilities, per request.
    double lose_request = 0, lose_answer = 0, server_error = 0;
    std::uint64_t fail_every = 0;  // each n-th request is answered with 503; 0: none
    bool down = false;
    bool hide_from_lists = false;  // a listing that shows nothing, of a vendor that has everything
    std::function<void(const http::Request&)> before_write = [](const http::Request&) {};
    std::uint64_t requests = 0;

    void send(http::Request request, Completion<http::Response> done) override {
        ++requests;
        const auto shared = std::make_shared<http::Request>(std::move(request));
        const bool lost_on_the_way = world_.chance(lose_request);
        const bool answer_lost = world_.chance(lose_answer);
        const bool fault = world_.chance(server_error) || (fail_every != 0 && requests % fail_every == 0);
        world_.after(
            Milliseconds(5 + static_cast<int>(world_.below(20))),
            [=, this, done = std::move(done)]() mutable {
                http::Response answer;
                if (down || lost_on_the_way) {
                    answer.failure = http::Response::Failure::not_sent;
                    answer.error = "no connection";
                } else if (fault) {
                    answer.status = 503;
                } else {
                    if (shared->mutates) before_write(*shared);
                    answer = vendors_.at(http::origin_of(shared->url))(*shared);
                    if (hide_from_lists && shared->method == "GET" && shared->url.ends_with("/items"))
                        answer.body = R"({"items":[]})";
                    if (answer_lost) {
                        answer = {};
                        answer.failure = http::Response::Failure::unknown;
                        answer.error = "the answer was lost";
                    }
                }
                world_.after(Milliseconds(5), [done = std::move(done), answer = std::move(answer)]() mutable {
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

inline std::shared_ptr<sync::Link> make_link(const std::string& id, const std::string& settings, bool imports,
                                             const std::string& origin) {
    auto link = std::make_shared<sync::Link>();
    link->config.id = id;
    link->config.tenant = "house";
    link->config.connector = "custom_api";
    config::Entity& product = link->config.entities.emplace_back();
    product.name = "product";
    product.imports = imports;
    product.exports = !imports;
    product.conflict = config::ConflictPolicy::remote;
    link->config.page_size = 10;
    link->config.push_batch = 7;
    link->config.settle = Milliseconds(60'000);
    link->config.retry.attempts = 12;
    link->config.fingerprint = settings;
    link->tenant = {"house", "House", "other", "UTC", "EUR"};
    link->instance = {paths::plugin("custom_api.so"), "house", id,
                      "{\"connector\":\"custom_api\",\"settings\":" + settings + "}",
                      plugin::Isolation::none};
    auto egress = std::make_shared<http::Egress>();
    egress->origins = {origin};
    link->egress = egress;
    link->authorizer = std::make_shared<auth::Authorizer>(std::make_shared<const auth::Schemes>(), "{}",
                                                          auth::Credentials());
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
          secrets(auth::Vault::of_key(Secret(std::string(32, 'k'))), world),
          engine(std::make_unique<sync::Engine>(
              sync::Ports{world, zones_, world, world, network, store, runtime, secrets},
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
    auth::Secrets secrets;
    std::unique_ptr<sync::Engine> engine;
};

}  // namespace liaisond::sync_test
