// HttpServer: HTTP/1.1 on a unix socket, for liaisonctl. Access is a matter of the socket's file permission.
// It parses, bounds and answers; what an answer says is the router's business. [core thread]
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.hpp"

namespace liaisond::api {

struct HttpRequest {
    std::string method, target, body;
};

struct HttpAnswer {
    unsigned status = 200;
    std::string type = "application/json", body;
};

// Answers exactly once, now or later.
using HttpHandler = std::function<void(HttpRequest, std::function<void(HttpAnswer)>)>;

class HttpServer {
  public:
    HttpServer(boost::asio::io_context& core, HttpHandler handler);
    ~HttpServer();

    // Creates the socket (mode 0660) and its folder. An error names the path and what to do.
    Status listen(const std::string& path);
    // Closes the listener and every connection, and removes the socket file.
    void close();

  private:
    class Session;
    void accept();

    boost::asio::io_context& core_;
    HttpHandler handler_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::string path_;
    std::set<std::shared_ptr<Session>> sessions_;
};

}  // namespace liaisond::api
