#include "api/http_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>

namespace liaisond::api {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using Unix = asio::local::stream_protocol;
namespace {

constexpr std::size_t max_connections = 256;
constexpr std::size_t max_header_bytes = 8u << 10;
constexpr std::size_t max_body_bytes = 1u << 20;
constexpr std::chrono::seconds idle_limit{30};

}  // namespace

// One connection: requests one after another.
class HttpServer::Session : public std::enable_shared_from_this<Session> {
  public:
    Session(HttpServer& server, Unix::socket socket)
        : server_(&server), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

    void read() {
        parser_.emplace();
        parser_->header_limit(max_header_bytes);
        parser_->body_limit(max_body_bytes);
        timer_.expires_after(idle_limit);
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error) self->end();
        });
        http::async_read(
            socket_, buffer_, *parser_,
            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                self->timer_.cancel();
                if (error == http::error::body_limit || error == http::error::header_limit)
                    return self->refuse(413);
                if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
                    error != http::error::end_of_stream)
                    return self->refuse(400);
                if (error) return self->end();
                self->handle();
            });
    }

    void end() {
        timer_.cancel();
        boost::system::error_code ignored;
        socket_.close(ignored);
        if (server_ != nullptr) {
            HttpServer* server = std::exchange(server_, nullptr);
            server->sessions_.erase(shared_from_this());
        }
    }
    void detach() {
        server_ = nullptr;
        end();
    }

  private:
    void handle() {
        auto& message = parser_->get();
        keep_alive_ = message.keep_alive();
        HttpRequest request{std::string(message.method_string()), std::string(message.target()),
                            std::move(message.body())};
        if (server_ == nullptr) return;
        server_->handler_(std::move(request), [self = shared_from_this()](HttpAnswer answer) {
            self->answer(std::move(answer));
        });
    }

    void refuse(unsigned status) {
        keep_alive_ = false;  // what follows on this connection is not to be trusted
        answer({status, "application/problem+json",
                "{\"status\":" + std::to_string(status) +
                    ",\"detail\":\"the request is malformed or too large\"}"});
    }

    void answer(HttpAnswer answer) {
        response_.emplace(static_cast<http::status>(answer.status), 11);
        response_->set(http::field::content_type, answer.type);
        response_->set(http::field::cache_control, "no-store");
        response_->keep_alive(keep_alive_);
        response_->body() = std::move(answer.body);
        response_->prepare_payload();
        http::async_write(socket_, *response_,
                          [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                              if (error || !self->keep_alive_) return self->end();
                              self->read();
                          });
    }

    HttpServer* server_;  // null once the server is gone
    Unix::socket socket_;
    asio::steady_timer timer_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    bool keep_alive_ = true;
};

HttpServer::HttpServer(asio::io_context& core, HttpHandler handler)
    : core_(core), handler_(std::move(handler)), acceptor_(core) {}
HttpServer::~HttpServer() { close(); }

Status HttpServer::listen(const std::string& path) {
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
    boost::system::error_code failed;
    acceptor_.open(Unix(), failed);
    if (!failed) acceptor_.bind(Unix::endpoint(path), failed);
    if (!failed && ::chmod(path.c_str(), 0660) != 0) return refuse(std::strerror(errno));
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return refuse(failed.message());
    path_ = path;
    accept();
    return {};
}

void HttpServer::accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Unix::socket socket) {
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
        if (!error && sessions_.size() < max_connections) {
            const auto session = std::make_shared<Session>(*this, std::move(socket));
            sessions_.insert(session);
            session->read();
        }
        accept();
    });
}

void HttpServer::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (!path_.empty()) ::unlink(std::exchange(path_, {}).c_str());
    for (const auto& session : std::exchange(sessions_, {})) session->detach();
}

}  // namespace liaisond::api
