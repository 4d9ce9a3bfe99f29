// ApiHouse: the administrator's API over an engine in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "api/api.hpp"
#include "api/webhook_routes.hpp"
#include "sync/sim_house.hpp"
#include "web/head.hpp"

namespace liaisond::api {

using namespace sync_test;

// A stream that keeps what it is sent.
struct HeardStream final : web::Stream {
    void send(std::string piece) override { text += piece; }
    void end() override {
        ended = true;
        drained = nullptr;  // which may hold what holds this
    }
    void on_drained(std::function<void(bool)> call) override { drained = std::move(call); }
    std::string text;
    bool ended = false;
    std::function<void(bool)> drained;
};

class ApiHouse : public testing::Test {
  protected:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    World world{1};
    Shop shop, bazaar;
    Office office;
    SimNetwork network{world,
                       {{"http://shop.example:80", [this](const http::Request& r) { return shop(r); }},
                        {"http://bazaar.example:80", [this](const http::Request& r) { return bazaar(r); }},
                        {"http://office.example:80", [this](const http::Request& r) { return office(r); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
    access::Tokens tokens;
    access::Sessions sessions;
    access::Throttle throttle;
    Api api{
        Backend{*house.engine,
                house.store,
                house.secrets,
                world,
                world,
                world,
                tokens,
                sessions,
                throttle,
                [] {
                    return json::object{{"version", "0"}};
                },
                [] {
                    return json::object{{"items", json::array()}, {"broken", json::array()}};
                },
                [] { return std::vector<std::string>(); },
                [] { return std::map<std::string, Milliseconds>(); },
                config::Managed(directory.path() + "/liaison.yaml"),
                [this](const std::string& id, const json::object* content) { return configure(id, content); },
                [this](std::function<void()> work, std::function<void()> then) {
                    world.post([work = std::move(work), then = std::move(then)] {
                        work();
                        then();
                    });
                },
                [](const store::Backlog&) { return std::string(); },
                [](const std::string& to, Completion<Result<store::Backup>> done) {
                    store::Backup made;
                    made.file = to;
                    done(made);
                },
                [](const std::string& plugin) -> Status {
                    if (plugin != "com.acme.pos")
                        return fail(ErrorKind::permanent, "there is no plugin '" + plugin + "'");
                    return {};
                },
                [](const std::string& plugin) { return std::size_t(plugin == "crashing" ? 2 : 0); }}};

    std::shared_ptr<const webhooks::Endpoints> endpoints;  // as last published
    webhooks::Directory hooks{house.secrets, [this](auto published) { endpoints = std::move(published); }};

    ApiHouse() { add_webhook_routes(api.router(), api.backend(), hooks); }
    void SetUp() override { begin({daily(shop_link())}); }
    void begin(const std::vector<std::shared_ptr<sync::Link>>& links) {
        house.start(links);
        let_webhooks_in(links);
        keep_audit_key('k');
        world.run_until([] { return false; }, Milliseconds(20));
    }
    void let_webhooks_in(const std::vector<std::shared_ptr<sync::Link>>& links,
                         const std::string& profile = "generic") {
        config::Config config;
        config.http.public_url = "https://hub.example";
        for (const auto& link : links) {
            config::Integration& one = config.integrations[link->config.id];
            one.tenant = link->tenant.id;
            one.webhook = std::make_shared<const config::Webhook>(*config::webhook_preset(profile));
        }
        hooks.configure(config);
    }
    void put_into_inbox(store::InboxEvent event) {
        bool is_there = false;
        house.store.write([event](store::Database& database) { return database.add_event(event); },
                          [&](Result<bool> added) { is_there = added.value_or(false); });
        world.run_until([&] { return is_there; }, Milliseconds(1000));
        EXPECT_TRUE(is_there);
    }
    static std::shared_ptr<sync::Link> daily(std::shared_ptr<sync::Link> link) {
        link->config.schedule.kind = config::Schedule::Kind::cron;
        link->config.schedule.cron = config::Cron::parse("10 2 * * *").value();
        link->config.schedule.text = "daily at 02:10";
        link->tenant.timezone = "Europe/Paris";
        return link;
    }
    void keep_audit_key(char filling) {
        house.secrets.keep(std::string(audit_key),
                           house.secrets.seal(audit_key, Secret(std::string(32, filling))));
    }

    // The files are real, and nobody checks them here.
    Result<std::vector<config::Fault>> configure(const std::string& id, const json::object* content) {
        const config::Managed& managed = api.backend().configuration;
        const auto files = managed.stage(id, content);
        if (!files) return fail(files.error());
        if (const Status done = managed.commit(id, content == nullptr); !done) return fail(done.error());
        return std::vector<config::Fault>();
    }

    // `target` below /api; on the unix socket where there is no token.
    web::Answer answer_to(const std::string& method, const std::string& target, const std::string& body = {},
                          const std::string& token = {}, const Headers& headers = {}) {
        std::optional<web::Answer> heard;
        web::Request request;
        request.method = method;
        request.target = target.starts_with('/') ? target : "/api/v1/" + target;
        request.body = body;
        request.peer.is_local = token.empty();
        request.headers = headers;
        if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
        EXPECT_FALSE(web::parse_target(request));
        api.handle(std::move(request), [&](web::Answer answer) { heard = std::move(answer); });
        world.run_until([&] { return heard.has_value(); }, Milliseconds(5000));
        return heard.value_or(web::Answer{0, "", "{}"});
    }
    std::pair<unsigned, json::object> ask(const std::string& method, const std::string& target,
                                          const std::string& body = {}, const std::string& token = {},
                                          const Headers& headers = {}) {
        const web::Answer heard = answer_to(method, target, body, token, headers);
        boost::system::error_code error;
        const json::value read = json::parse(heard.body, error);
        return {heard.status, read.is_object() ? read.as_object() : json::object()};
    }
    std::string token(const std::string& scope, const std::string& tenant = {}) {
        json::object wanted{{"name", scope + tenant}, {"scope", scope}};
        if (!tenant.empty()) wanted["tenant"] = tenant;
        const auto [status, made] = ask("POST", "tokens", json::serialize(wanted));
        EXPECT_EQ(status, 201u) << json::serialize(made);
        return std::string(made.at("token").as_string());
    }
    static std::string header(const web::Answer& answer, std::string_view name) {
        for (const auto& [key, value] : answer.headers) {
            if (key == name) return value;
        }
        return {};
    }
    // What a streamed answer says, until it ends.
    std::string stream_of(const web::Answer& answer) {
        auto stream = std::make_shared<HeardStream>();
        if (!answer.stream) return "no stream";
        answer.stream(stream);
        for (int i = 0; i < 10'000 && !stream->ended; ++i) {
            if (stream->drained) stream->drained(true);
            world.run_until([&] { return stream->ended; }, Milliseconds(100));
        }
        return stream->text;
    }
};

}  // namespace liaisond::api
