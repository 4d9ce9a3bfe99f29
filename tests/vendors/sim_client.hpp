// A blocking HTTP client for tests of the simulator: one connection, no retries, nothing hidden. get/put/...
// throw boost::system::system_error when the connection dies, which is what the fault tests look for.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "json.hpp"

namespace liaison_sim {

class Client {
  public:
    using Headers = std::initializer_list<std::pair<const char*, std::string>>;

    struct Answer {
        unsigned status = 0;
        std::string body;
        boost::beast::http::fields fields;

        std::string header(const std::string& name) const { return std::string(fields[name]); }
        Json json() const {
            std::string error;
            return Json::parse(body, error).value_or(Json());
        }
    };

    Client(std::uint16_t port, std::string authorization_header, std::string authorization)
        : socket_(context_), header_(std::move(authorization_header)), value_(std::move(authorization)) {
        socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        host_ = "127.0.0.1:" + std::to_string(port);
    }
    explicit Client(std::uint16_t port) : Client(port, "", "") {}

    Answer get(const std::string& target, Headers headers = {}) { return ask("GET", target, "", headers); }
    Answer post(const std::string& target, const std::string& body, Headers headers = {}) {
        return ask("POST", target, body, headers);
    }
    Answer put(const std::string& target, const std::string& body, Headers headers = {}) {
        return ask("PUT", target, body, headers);
    }
    Answer erase(const std::string& target, Headers headers = {}) {
        return ask("DELETE", target, "", headers);
    }

    Answer ask(const char* method, const std::string& target, const std::string& body, Headers headers = {}) {
        send(method, target, body, headers);
        return receive();
    }

    void send(const char* method, const std::string& target, const std::string& body, Headers headers = {}) {
        namespace http = boost::beast::http;
        http::request<http::string_body> request;
        request.method_string(method);
        request.target(target);
        request.set(http::field::host, host_);
        if (!header_.empty()) request.set(header_, value_);
        if (!body.empty()) request.set(http::field::content_type, "application/json");
        for (const auto& [name, value] : headers) request.set(name, value);
        request.body() = body;
        request.prepare_payload();
        http::write(socket_, request);
    }

    Answer receive() {
        namespace http = boost::beast::http;
        http::response_parser<http::string_body> parser;
        parser.body_limit(std::uint64_t{256} * 1024 * 1024);
        http::read(socket_, buffer_, parser);
        auto message = parser.release();
        Answer answer{message.result_int(), std::move(message.body()), {}};
        answer.fields = std::move(message.base());
        return answer;
    }

  private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
    std::string header_;
    std::string value_;
    std::string host_;
};

}  // namespace liaison_sim
