// Front: the web server on a thread of its own, so that slow clients and TLS cost the core nothing. What is
// asked goes to the core and comes back; webhooks stay here.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>

#include "app/supervision.hpp"
#include "config/config.hpp"
#include "web/server.hpp"
#include "webhooks/intake.hpp"

namespace liaisond::app {

// The bounds and names of the server, as configured.
web::Policy policy_of(const config::Config& config);

class Front {
  public:
    // `io` is the server's own and outlives every reply that is still to be given; `handle` is called on the
    // core's thread, and `webhooks`, which outlives this, answers on the server's own.
    Front(boost::asio::io_context& io, boost::asio::io_context& core, web::Policy policy, web::Handler handle,
          webhooks::Intake& webhooks);
    ~Front();

    // Takes over what systemd listens on already, and opens the rest. Errors name what to do. Call it once.
    // [core thread]
    Status listen(const config::Config& config, const HandedSockets& handed);
    // New bounds, and the certificate read anew. [core thread]
    Status reload(const config::Config& config);
    std::uint16_t port() const { return port_; }
    std::uint16_t webhooks_port() const { return webhooks_port_; }
    // Closes everything and ends the thread. [core thread]
    void close();

  private:
    static Status open(web::Server& server, const std::string& address, int handed, std::string_view key,
                       const web::Identity& identity);
    Status reload_servers(const config::Config& config);  // [server's thread]

    boost::asio::io_context& io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    web::Server server_, webhooks_server_;  // the second one knows nothing but webhooks
    std::uint16_t port_ = 0, webhooks_port_ = 0;
    std::thread thread_;
};

}  // namespace liaisond::app
