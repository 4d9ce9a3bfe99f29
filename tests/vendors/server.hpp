// The simulator as an object: listens on construction, serves in run() until stop(). Tests run it on a
// thread of their own; the program runs it in main.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class Server {
  public:
    // Throws boost::system::system_error when the address cannot be listened on; port 0 takes a free one.
    explicit Server(const std::string& address = "127.0.0.1", std::uint16_t port = 0, unsigned threads = 1);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const { return port_; }
    // Serves on this thread and threads - 1 more; returns after stop().
    void run();
    // From any thread, before or during run(); connections are dropped.
    void stop();
    void stop_on_signals();

  private:
    void accept();

    std::vector<std::unique_ptr<Vendor>> vendors_;
    Control control_;
    unsigned threads_;
    // Last, so that sessions go before what they refer to.
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer accept_again_;
    boost::asio::signal_set signals_;
    std::uint16_t port_ = 0;
};

}  // namespace liaison_sim
