// Web: a server on loopback, and a client that says what it likes.
#pragma once

#include "web/server.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <future>
#include <thread>

namespace liaisond::web {
namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A server on loopback whose thread is its own; what it is asked, `handle` answers on that thread.
class Web : public testing::Test {
  protected:
    Web() {
        policy.hosts = {"a"};
        handle = [](Request request, Reply reply) {
            Answer answer;
            answer.type = "text/plain";
            answer.body = request.method + " " + request.target + " " + request.body;
            reply(std::move(answer));
        };
    }
    ~Web() override { stop(); }

    void start(const Identity& identity = {}) {
        server = std::make_unique<Server>(io, policy, [this](Request request, Reply reply) {
            handle(std::move(request), std::move(reply));
        });
        const Status listening = server->listen("127.0.0.1:0", identity);
        ASSERT_TRUE(listening) << listening.error().message;
        port = server->port();
        thread = std::thread([this] { io.run(); });
    }
    void stop() {
        if (!thread.joinable()) return;
        asio::post(io, [this] {
            server->close();
            io.stop();
        });
        thread.join();
    }

    Tcp::socket connected() {
        Tcp::socket socket(clients);
        socket.connect(Tcp::endpoint(asio::ip::make_address("127.0.0.1"), port));
        return socket;
    }
    // All that is answered until the server closes.
    template <class Socket>
    static std::string rest(Socket& socket) {
        std::string all;
        boost::system::error_code error;
        asio::read(socket, asio::dynamic_buffer(all), error);
        return all;
    }
    std::string ask(const std::string& bytes) {
        Tcp::socket socket = connected();
        boost::system::error_code error;
        asio::write(socket, asio::buffer(bytes), error);
        return rest(socket);
    }
    static std::string plain(const std::string& method, const std::string& more = {},
                             const std::string& body = {}) {
        return method + " /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + more + "\r\n" + body;
    }

    asio::io_context io{1}, clients;
    Policy policy;
    Handler handle;
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
    std::thread thread;
};

}  // namespace liaisond::web
