#include "server.hpp"

#include <boost/asio/strand.hpp>

#include <csignal>
#include <thread>

#include "session.hpp"

namespace liaison_sim {
namespace {

constexpr std::chrono::milliseconds accept_pause{20};

}  // namespace

Server::Server(const std::string& address, std::uint16_t port, unsigned threads)
    : vendors_(make_vendors()),
      control_(vendors_),
      threads_(threads),
      context_(static_cast<int>(threads)),
      acceptor_(context_),
      accept_again_(context_),
      signals_(context_) {
    const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::make_address(address), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(boost::asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(boost::asio::socket_base::max_listen_connections);
    port_ = acceptor_.local_endpoint().port();
    accept();
}

void Server::accept() {
    acceptor_.async_accept(boost::asio::make_strand(context_),
                           [this](boost::system::error_code error, boost::asio::ip::tcp::socket socket) {
                               if (error == boost::asio::error::operation_aborted) return;
                               if (!error) {
                                   std::make_shared<Session>(std::move(socket), vendors_, control_)->start();
                                   return accept();
                               }
                               // Out of descriptors, most likely: some will come back.
                               accept_again_.expires_after(accept_pause);
                               accept_again_.async_wait([this](boost::system::error_code failure) {
                                   if (!failure) accept();
                               });
                           });
}

void Server::run() {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads_; ++i) helpers.emplace_back([this] { context_.run(); });
    context_.run();
}

void Server::stop() { context_.stop(); }

void Server::stop_on_signals() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](boost::system::error_code error, int) {
        if (!error) stop();
    });
}

}  // namespace liaison_sim
