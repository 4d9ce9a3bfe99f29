#include "web/server.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "web/connection.hpp"

namespace liaisond::web {
namespace asio = boost::asio;
namespace ssl = asio::ssl;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using Code = boost::system::error_code;
namespace {

// TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3 (RFC 9325, section 4).
constexpr std::chrono::milliseconds pause_after_failure{100};
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

Result<std::shared_ptr<ssl::context>> make_tls(const Identity& identity) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                         ssl::context::no_tlsv1_1 | ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION |
                         SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_cipher_list(context->native_handle(), ciphers);
    const auto refuse = [](const std::string& what, const std::string& file, const Code& error) {
        return fail(ErrorKind::config, "cannot use the " + what + " " + file + ": " + error.message() +
                                           "; it must be a PEM file that the daemon may read");
    };
    Code error;
    context->use_certificate_chain_file(identity.certificate, error);
    if (error) return refuse("certificate", identity.certificate, error);
    context->use_private_key_file(identity.key, ssl::context::pem, error);
    if (error) return refuse("key", identity.key, error);
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
        return fail(ErrorKind::config, "the key " + identity.key + " does not belong to the certificate " +
                                           identity.certificate);
    return context;
}

// "127.0.0.1:8480", "[::1]:8480"
Result<Tcp::endpoint> endpoint_of(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const auto refuse = [&] {
        return fail(ErrorKind::config,
                    "'" + text + "' is no address to listen on; write 127.0.0.1:8480 or [::1]:8480");
    };
    if (colon == std::string::npos || colon == 0) return refuse();
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto [end, number] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    Code error;
    const auto address = asio::ip::make_address(host, error);
    if (error || number != std::errc() || end != text.data() + text.size() || colon + 1 == text.size())
        return refuse();
    return Tcp::endpoint(address, port);
}

Status not_the_one(const std::string& found, const std::string& wanted, const Code& error) {
    return fail(ErrorKind::config,
                "cannot take over the socket for " + wanted + ": " +
                    (error ? error.message() : "the one that was handed over listens on " + found) +
                    "; let ListenStream= of the socket unit and the configuration say the same");
}

}  // namespace

Server::Server(asio::io_context& io, Policy policy, Handler handler)
    : io_(io),
      policy_(std::move(policy)),
      handler_(std::move(handler)),
      local_(io),
      tcp_(io),
      local_pause_(io),
      tcp_pause_(io) {}

Server::~Server() { close(); }

Status Server::listen_local(const std::string& path) {
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorKind::config, "cannot listen on " + path + ": " + why +
                                           "; check the folder's owner, or set daemon.socket");
    };
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) return refuse(error.message());
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return refuse("the path is longer than a unix socket's may be");
    ::unlink(path.c_str());  // left by a crash; the state directory's lock says that no other daemon lives
    Code failed;
    local_.open(Unix(), failed);
    if (!failed) local_.bind(Unix::endpoint(path), failed);
    if (!failed && ::chmod(path.c_str(), 0660) != 0) return refuse(std::strerror(errno));
    if (!failed) local_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return refuse(failed.message());
    path_ = path;
    accept_local();
    return {};
}

Status Server::listen(const std::string& address, const Identity& identity) {
    const auto endpoint = endpoint_of(address);
    if (!endpoint) return fail(endpoint.error());
    if (!identity.certificate.empty()) {
        if (const Status ready = reload(identity); !ready) return ready;
    }
    Code failed;
    tcp_.open(endpoint->protocol(), failed);
    if (!failed) tcp_.set_option(Tcp::acceptor::reuse_address(true), failed);
    if (!failed) tcp_.bind(*endpoint, failed);
    if (!failed) tcp_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed)
        return fail(ErrorKind::config, "cannot listen on " + address + ": " + failed.message() +
                                           "; choose another daemon.listen, or stop what holds it");
    accept();
    return {};
}

Status Server::adopt_local(int descriptor, const std::string& path) {
    Code failed;
    local_.assign(Unix(), descriptor, failed);
    const Unix::endpoint bound = failed ? Unix::endpoint() : local_.local_endpoint(failed);
    if (failed || bound.path() != path) return not_the_one(bound.path(), path, failed);
    accept_local();
    return {};
}

Status Server::adopt(int descriptor, const std::string& address, const Identity& identity) {
    const auto endpoint = endpoint_of(address);
    if (!endpoint) return fail(endpoint.error());
    if (!identity.certificate.empty()) {
        if (const Status ready = reload(identity); !ready) return ready;
    }
    Code failed;
    tcp_.assign(endpoint->protocol(), descriptor, failed);
    const Tcp::endpoint bound = failed ? Tcp::endpoint() : tcp_.local_endpoint(failed);
    if (failed || bound != *endpoint) {
        std::ostringstream found;
        found << bound;
        return not_the_one(found.str(), address, failed);
    }
    accept();
    return {};
}

std::uint16_t Server::port() const {
    Code error;
    const auto endpoint = tcp_.local_endpoint(error);
    return error ? 0 : endpoint.port();
}

Status Server::reload(const Identity& identity) {
    auto made = make_tls(identity);
    if (!made) return fail(made.error());
    tls_ = std::move(*made);
    return {};
}

// Whatever comes by TCP, there is room on the unix socket.
bool Server::admit(const std::string& address) {
    ++counts_.accepted;
    const Limits& limits = policy_.limits;
    const auto from = [this](const std::string& one) {
        const auto known = by_address_.find(one);
        return known == by_address_.end() ? Presence() : known->second;
    };
    const std::size_t local = from({}).open;
    const Presence here = from(address);
    const bool fine = address.empty() ? local < limits.local_connections
                                      : connections_.size() - local < limits.connections &&
                                            here.open - here.leaving < limits.per_address &&
                                            here.open < 2 * limits.per_address;
    if (!fine) ++counts_.refused;
    return fine;
}

void Server::begin(std::shared_ptr<Connection> connection) {
    ++by_address_[connection->address()].open;
    connections_.insert(connection);
    connection->start();
}

void Server::accept_local() {
    local_.async_accept([this](Code error, Unix::socket socket) {
        if (error == asio::error::operation_aborted || !local_.is_open()) return;
        if (error) return accept_later(local_pause_, [this] { accept_local(); });
        if (admit({})) {
            Peer peer;
            peer.is_local = true;
            begin(std::make_shared<TypedConnection<LocalChannel>>(*this, std::move(peer), std::move(socket)));
        }
        accept_local();
    });
}

void Server::accept() {
    tcp_.async_accept([this](Code error, Tcp::socket socket) {
        if (error == asio::error::operation_aborted || !tcp_.is_open()) return;
        if (error) return accept_later(tcp_pause_, [this] { accept(); });
        Code gone;
        const auto remote = socket.remote_endpoint(gone);
        Peer peer;
        peer.address = gone ? std::string() : remote.address().to_string();
        if (!gone && admit(peer.address)) {
            socket.set_option(Tcp::no_delay(true), gone);
            peer.is_secure = tls_ != nullptr;
            if (tls_)
                begin(std::make_shared<TypedConnection<TlsChannel>>(*this, std::move(peer),
                                                                    TcpChannel(std::move(socket)), *tls_));
            else
                begin(
                    std::make_shared<TypedConnection<TcpChannel>>(*this, std::move(peer), std::move(socket)));
        }
        accept();
    });
}

void Server::accept_later(asio::steady_timer& pause, std::function<void()> accept) {
    pause.expires_after(pause_after_failure);
    pause.async_wait([accept = std::move(accept)](Code error) {
        if (!error) accept();
    });
}

bool Server::reserve_body(std::size_t bytes) {
    if (body_bytes_ + bytes > policy_.limits.bodies) return false;
    body_bytes_ += bytes;
    return true;
}

void Server::leaves(const Connection& connection) { ++by_address_[connection.address()].leaving; }

void Server::forget(const std::shared_ptr<Connection>& connection) {
    connections_.erase(connection);
    const auto known = by_address_.find(connection->address());
    if (known == by_address_.end()) return;
    if (connection->is_leaving()) --known->second.leaving;
    if (--known->second.open == 0) by_address_.erase(known);
}

Counts Server::counts() const {
    Counts counts = counts_;
    counts.open = connections_.size();
    return counts;
}

void Server::close() {
    Code ignored;
    local_pause_.cancel();
    tcp_pause_.cancel();
    local_.close(ignored);
    tcp_.close(ignored);
    if (!path_.empty()) ::unlink(std::exchange(path_, {}).c_str());
    const auto open = connections_;  // each takes itself out
    for (const auto& connection : open) connection->stop();
}

}  // namespace liaisond::web
