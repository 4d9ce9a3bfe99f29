// What the tests of liaisonctl share: a folder that goes away, a daemon that answers from a script, and
// liaisonctl called with words.
#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "ctl/command_line.hpp"

namespace liaisond::ctl {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "ctl-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ + "/" + name) << text;
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

// A whole HTTP answer.
inline std::string http_answer(const std::string& status, const std::string& body,
                               const std::string& type = "application/json") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Answers each request line ("GET /api/v1/status") with whatever bytes `reply` gives; an empty reply keeps
// silent.
class StubDaemon {
  public:
    using Reply = std::function<std::string(const std::string& request_line)>;

    StubDaemon(std::string socket, Reply reply)
        : socket_(std::move(socket)),
          reply_(std::move(reply)),
          acceptor_(io_, boost::asio::local::stream_protocol::endpoint(socket_)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~StubDaemon() {
        stopping_ = true;
        boost::asio::io_context io;  // wakes the accept
        boost::asio::local::stream_protocol::socket knock(io);
        boost::system::error_code ignored;
        knock.connect(boost::asio::local::stream_protocol::endpoint(socket_), ignored);
        thread_.join();
    }
    StubDaemon(const StubDaemon&) = delete;
    StubDaemon& operator=(const StubDaemon&) = delete;

    const std::string& socket() const { return socket_; }

  private:
    void serve() {
        std::vector<boost::asio::local::stream_protocol::socket> silent;
        while (true) {
            boost::system::error_code error;
            boost::asio::local::stream_protocol::socket peer(io_);
            acceptor_.accept(peer, error);
            if (stopping_ || error) return;
            boost::asio::streambuf head;
            boost::asio::read_until(peer, head, "\r\n\r\n", error);
            if (error) continue;
            const std::string text(boost::asio::buffers_begin(head.data()),
                                   boost::asio::buffers_end(head.data()));
            const std::string answer = reply_(text.substr(0, text.find(" HTTP/")));
            if (answer.empty())
                silent.push_back(std::move(peer));
            else
                boost::asio::write(peer, boost::asio::buffer(answer), error);
        }
    }

    std::string socket_;
    Reply reply_;
    boost::asio::io_context io_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

// What liaisonctl said.
struct Spoken {
    int code = -1;
    std::string out, error;
};

inline Spoken spoken(const std::vector<std::string>& words) {
    std::ostringstream out, error;
    const int code = run_command_line(words, "0.1.0", Console{out, error, {}, false});
    return {code, out.str(), error.str()};
}

}  // namespace liaisond::ctl
