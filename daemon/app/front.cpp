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
    const std::string& listen = config.http.listen;
    policy.hosts.insert(listen.substr(0, listen.rfind(':')));
    policy.trusted_proxies.insert(config.http.trusted_proxies.begin(), config.http.trusted_proxies.end());
    return policy;
}

Front::Front(asio::io_context& io, asio::io_context& core, web::Policy policy, web::Handler handle)
    : io_(io),
      server_(io_, std::move(policy),
              [&core, handle = std::move(handle)](web::Request request, web::Reply reply) {
                  asio::post(core,
                             [&handle, request = std::move(request), reply = std::move(reply)]() mutable {
                                 handle(std::move(request), std::move(reply));
                             });
              }) {}

Front::~Front() { close(); }

Status Front::listen(const config::Config& config) {
    const Status local = server_.listen_local(config.socket);
    if (!local) return local;
    if (!config.http.listen.empty()) {
        const Status open = server_.listen(config.http.listen, {config.http.certificate, config.http.key});
        if (!open) return open;
        port_ = server_.port();
    }
    thread_ = std::thread([this] { io_.run(); });
    return {};
}

Status Front::reload(const config::Config& config) {
    std::promise<Status> done;
    asio::post(io_, [&] {
        server_.set_policy(policy_of(config));
        const bool has_tls = !config.http.listen.empty() && !config.http.certificate.empty();
        done.set_value(has_tls ? server_.reload({config.http.certificate, config.http.key}) : Status());
    });
    return done.get_future().get();
}

void Front::close() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
        server_.close();
        work_.reset();
        io_.stop();
    });
    thread_.join();
}

}  // namespace liaisond::app
