#include "app/front.hpp"

#include <boost/asio/post.hpp>
#include <boost/url/parse.hpp>
#include <future>

namespace liaisond::app {
namespace asio = boost::asio;

web::Policy policy_of(const config::Config& config) {
    web::Policy policy;
    policy.hosts = {"localhost", "127.0.0.1", "[::1]"};
    for (const std::string& host : config.http.hosts) policy.hosts.insert(host);
    const auto url = boost::urls::parse_uri(config.http.public_url);
    if (url) policy.hosts.insert(std::string(url->encoded_host()));
    for (const std::string* listen : {&config.http.listen, &config.http.webhooks_listen})
        policy.hosts.insert(listen->substr(0, listen->rfind(':')));
    policy.hosts.erase("");
    policy.body_limit = [usual = policy.limits.body](const web::Request& request) {
        return webhooks::Intake::is_for(request) ? config::largest_webhook_body : usual;
    };
    policy.trusted_proxies.insert(config.http.trusted_proxies.begin(), config.http.trusted_proxies.end());
    return policy;
}

namespace {

web::Handler all_of(asio::io_context& core, web::Handler handle, webhooks::Intake& webhooks) {
    return [&core, &webhooks, handle = std::move(handle)](web::Request request, web::Reply reply) {
        if (webhooks::Intake::is_for(request)) return webhooks.handle(std::move(request), std::move(reply));
        asio::post(core, [&handle, request = std::move(request), reply = std::move(reply)]() mutable {
            handle(std::move(request), std::move(reply));
        });
    };
}

web::Handler webhooks_alone(webhooks::Intake& webhooks) {
    return [&webhooks](web::Request request, web::Reply reply) {
        if (webhooks::Intake::is_for(request)) return webhooks.handle(std::move(request), std::move(reply));
        if (request.path == std::vector<std::string>{"healthz"})
            return reply({200, "application/json", R"({"ok":true})"});
        reply({404, "application/problem+json",
               R"({"type":"about:blank","status":404,"detail":"here is nothing but webhooks"})"});
    };
}

}  // namespace

Front::Front(asio::io_context& io, asio::io_context& core, web::Policy policy, web::Handler handle,
             webhooks::Intake& webhooks)
    : io_(io),
      server_(io_, policy, all_of(core, std::move(handle), webhooks)),
      webhooks_server_(io_, policy, webhooks_alone(webhooks)) {}

Front::~Front() { close(); }

Status Front::listen(const config::Config& config, const HandedSockets& handed) {
    const Status local = handed.local >= 0 ? server_.adopt_local(handed.local, config.socket)
                                           : server_.listen_local(config.socket);
    if (!local) return local;
    const web::Identity identity{config.http.certificate, config.http.key};
    Status opened = open(server_, config.http.listen, handed.api, "daemon.listen", identity);
    if (!opened) return opened;
    opened = open(webhooks_server_, config.http.webhooks_listen, handed.webhooks, "daemon.webhooks_listen",
                  identity);
    if (!opened) return opened;
    port_ = server_.port();
    webhooks_port_ = webhooks_server_.port();
    thread_ = std::thread([this] { io_.run(); });
    return {};
}

Status Front::open(web::Server& server, const std::string& address, int handed, std::string_view key,
                   const web::Identity& identity) {
    if (handed < 0) return address.empty() ? Status() : server.listen(address, identity);
    if (!address.empty()) return server.adopt(handed, address, identity);
    return fail(ErrorKind::config, "systemd hands over a socket for " + std::string(key) +
                                       ", which the configuration does not set; set it to the address of the "
                                       "socket unit, or disable that unit");
}

Status Front::reload(const config::Config& config) {
    std::promise<Status> done;
    asio::post(io_, [&] { done.set_value(reload_servers(config)); });
    return done.get_future().get();
}

Status Front::reload_servers(const config::Config& config) {
    const web::Policy policy = policy_of(config);
    server_.set_policy(policy);
    webhooks_server_.set_policy(policy);
    if (config.http.certificate.empty()) return {};
    const web::Identity identity{config.http.certificate, config.http.key};
    if (const Status taken = server_.reload(identity); !taken) return taken;
    return webhooks_server_.reload(identity);
}

void Front::close() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
        server_.close();
        webhooks_server_.close();
        work_.reset();
        io_.stop();
    });
    thread_.join();
}

}  // namespace liaisond::app
