// One connection: reads a request, lets its vendor delay, refuse or lose it, writes the answer, again.
// All of it runs on the connection's strand; a delay is a timer, so waiting requests cost no thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
#include <optional>
#include <vector>

#include "control.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class Session : public std::enable_shared_from_this<Session> {
  public:
    // Vendors and control must outlive every session.
    Session(boost::asio::ip::tcp::socket socket, const std::vector<std::unique_ptr<Vendor>>& vendors,
            const Control& control);
    void start();

  private:
    using Error = boost::system::error_code;
    using Message = http::response<http::string_body>;

    void read_header();
    void on_header(Error error);
    void read_body();
    void refuse_unread(Error error);
    void handle();
    void admit(Vendor& vendor);
    void process();
    void process_late(std::chrono::milliseconds delay);
    void answer(Response response, std::int64_t body_bytes_per_second = 0);
    void write();
    void write_slowly();
    void write_slice(std::size_t from, std::size_t bytes);
    void on_written(Error error);
    void leave();
    void close(bool is_abrupt);
    void drain();
    // The vendor whose prefix the path starts with; its segments are cut from the request.
    Vendor* find_vendor();

    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    boost::asio::steady_timer timer_;
    const std::vector<std::unique_ptr<Vendor>>& vendors_;
    const Control& control_;

    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    Request request_;
    Message message_;
    Vendor* vendor_ = nullptr;  // the one that counts this request, until it leaves
    std::int64_t body_bytes_per_second_ = 0;
    std::size_t drained_ = 0;
    unsigned version_ = 11;
    bool is_keep_alive_ = true;
};

}  // namespace liaison_sim
