#include "http.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/parse.hpp>
#include <cstring>
#include <limits>
#include <string_view>

namespace liaison_system {
namespace {

constexpr timeval patience{20, 0};

std::string request_text(const Call& call) {
    std::string text = call.method + " " + call.target + " HTTP/1.1\r\nHost: " + call.host +
                       "\r\nConnection: close\r\n" + call.headers;
    if (!call.body.empty() || call.method != "GET") {
        text +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
    }
    return text + "\r\n" + call.body;
}

// Empty when the other side is not there or too slow.
std::string exchange(int socket, const sockaddr* address, socklen_t length, std::string_view request) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket, address, length) != 0) return {};
    while (!request.empty()) {
        const ssize_t sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
        if (sent <= 0) return {};
        request.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string answer;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(got));
    }
    return answer;
}

Reply ask(int family, const sockaddr* address, socklen_t length, const Call& call) {
    const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string answer = exchange(socket, address, length, request_text(call));
    ::close(socket);
    namespace http = boost::beast::http;
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser.eager(true);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(answer), error);
    if (error || !parser.is_done()) return {};
    Reply reply{
        parser.get().result_int(), {}, parser.get().body(), std::string(parser.get()[http::field::location])};
    reply.body = boost::json::parse(parser.get().body(), error);
    return reply;
}

}  // namespace

Reply ask_port(std::uint16_t port, const Call& call) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ask(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address, call);
}

Reply ask_socket(const std::string& path, const Call& call) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return ask(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, call);
}

}  // namespace liaison_system
