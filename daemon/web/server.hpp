// Server: HTTP/1.1 on a unix socket and on TCP, with TLS where it is configured (RFC 9110, 9112;
// Boost.Beast). It bounds what a client may cost - connections, time, bytes - and refuses what is not plain
// (head.hpp); what an answer says is its handler's business. All of it runs on the thread of one io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "web/message.hpp"
#include "web/strangers.hpp"

namespace liaisond::web {

struct Limits {
    // On TCP. One that has had its last answer, and only waits for the other side to close, leaves its place
    // among those of its address to the next; of these there are as many again at most.
    std::size_t connections = 1024, per_address = 64;
    std::size_t local_connections = 256;  // on the unix socket, whatever comes by TCP
    std::size_t body = 1u << 20;          // bytes of one
    std::size_t bodies = 64u << 20;       // bytes of all that are being read at one time
    // Bytes of one that is always read: whoever promises large ones takes no room from those.
    std::size_t small_body = 64u << 10;
    std::size_t requests_per_connection = 1000;
    // Requests of one address whose sender is not known yet, on TCP; one more waits for `turn_time`.
    std::size_t strangers_per_address = 8;
    std::chrono::milliseconds head_time{10'000}, body_time{30'000}, idle_time{30'000}, answer_time{60'000},
        linger_time{2'000}, turn_time{2'000};
    // What a body may take before all of its `body_time`: so long, and for each byte that came its share.
    std::chrono::milliseconds body_grace{5'000};
    std::size_t body_bytes_per_second = 500;
    std::size_t unsent = 4u << 20;  // bytes that a stream's reader may be behind
};

struct Identity {
    std::string certificate, key;  // PEM files
};

struct Policy {
    Limits limits;
    std::set<std::string, std::less<>> hosts;  // names in lower case that Host may say, on TCP
    // Bytes that the body of such a request (its head is known) may have; empty: limits.body for all.
    std::function<std::size_t(const Request&)> body_limit;
    std::set<std::string, std::less<>>
        trusted_proxies;  // addresses whose X-Forwarded-For and -Proto are believed
};

// What it has seen since it began.
struct Counts {
    std::uint64_t accepted = 0, requests = 0,
                  refused = 0;  // refused: connections and requests that no handler saw
    std::size_t open = 0;
};

class Connection;

class Server {
  public:
    Server(boost::asio::io_context& io, Policy policy, Handler handler);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    // Creates the socket (mode 0660) and its folder. An error names the path and what to do.
    Status listen_local(const std::string& path);
    // `address`: "127.0.0.1:8480" or "[::1]:8480"; port 0 takes a free one. Empty identity: without TLS.
    Status listen(const std::string& address, const Identity& identity = {});
    // The same with a socket that listens already (by systemd, say), and is taken over; it must be the one
    // that the configuration names. The local one's file is left to whoever made it.
    Status adopt_local(int descriptor, const std::string& path);
    Status adopt(int descriptor, const std::string& address, const Identity& identity = {});
    std::uint16_t port() const;  // of the TCP listener; 0 without one
    // Reads certificate and key anew; what is wrong with them is said and the old ones stay. Connections that
    // are open keep theirs.
    Status reload(const Identity& identity);
    void set_policy(Policy policy) { policy_ = std::move(policy); }

    // Closes the listeners and every connection.
    void close();
    Counts counts() const;

    // ---- for connections ----
    const Policy& policy() const { return policy_; }
    const Handler& handler() const { return handler_; }
    Strangers& strangers() { return *strangers_; }
    bool reserve_body(std::size_t bytes);
    void release_body(std::size_t bytes) { body_bytes_ -= bytes; }
    void count_request(bool refused) { ++(refused ? counts_.refused : counts_.requests); }
    // It has had its last answer. Call once.
    void leaves(const Connection& connection);
    void forget(const std::shared_ptr<Connection>& connection);

  private:
    void accept_local();
    void accept();
    static void accept_later(boost::asio::steady_timer& pause, std::function<void()> accept);
    bool admit(const std::string& address);
    void begin(std::shared_ptr<Connection> connection);

    boost::asio::io_context& io_;
    Policy policy_;
    Handler handler_;
    boost::asio::local::stream_protocol::acceptor local_;
    boost::asio::ip::tcp::acceptor tcp_;
    std::shared_ptr<boost::asio::ssl::context> tls_;  // null: plain
    std::string path_;
    std::set<std::shared_ptr<Connection>> connections_;
    struct Presence {
        std::size_t open = 0, leaving = 0;  // leaving: of the open ones
    };
    std::map<std::string, Presence, std::less<>> by_address_;  // those of the unix socket under ""
    const std::shared_ptr<Strangers> strangers_ = std::make_shared<Strangers>();
    std::size_t body_bytes_ = 0;
    Counts counts_;
    // After a failed accept, such as for want of file descriptors.
    boost::asio::steady_timer local_pause_, tcp_pause_;
};

}  // namespace liaisond::web
