#include "ctl/client.hpp"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/url.hpp>

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"

namespace liaisond::ctl {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

namespace {

constexpr std::uint64_t longest_answer =
    256 * 1024 * 1024;  // bytes: a thousand records of the greatest size fit

// One request and its answer. Beast's time limits hold for asynchronous calls only, hence the chain of
// handlers.
class Exchange {
  public:
    Exchange(const std::string& method, const std::string& target, const json::value& body,
             const std::string& user_agent)
        : request_(http::string_to_verb(method), target, 11), stream_(io_) {
        request_.set(http::field::host, "liaisond");
        request_.set(http::field::user_agent, user_agent);
        request_.set(http::field::accept, "application/json, application/problem+json");
        request_.keep_alive(false);
        if (!body.is_null()) {
            request_.set(http::field::content_type, "application/json");
            request_.body() = json::serialize(body);
        }
        request_.prepare_payload();
        parser_.body_limit(longest_answer);
    }

    void run(const std::string& socket, Milliseconds patience) {
        // Checked here, because a longer path would be an exception.
        if (socket.size() >= sizeof(sockaddr_un::sun_path)) {
            error_ = boost::system::errc::make_error_code(boost::system::errc::filename_too_long);
            return;
        }
        if (patience == Client::no_limit)
            stream_.expires_never();
        else
            stream_.expires_after(patience);
        stream_.async_connect(
            asio::local::stream_protocol::endpoint(socket), [this](beast::error_code error) {
                if (failed(error)) return;
                connected_ = true;
                http::async_write(stream_, request_, [this](beast::error_code problem, std::size_t) {
                    if (failed(problem)) return;
                    http::async_read(stream_, buffer_, parser_,
                                     [this](beast::error_code last, std::size_t) { (void)failed(last); });
                });
            });
        io_.run();
    }

    const beast::error_code& error() const { return error_; }
    bool connected() const { return connected_; }
    const http::response<http::string_body>& answer() const { return parser_.get(); }

  private:
    bool failed(beast::error_code error) {
        error_ = error;
        return static_cast<bool>(error);
    }

    asio::io_context io_;
    http::request<http::string_body> request_;
    beast::basic_stream<asio::local::stream_protocol> stream_;
    beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
    beast::error_code error_;
    bool connected_ = false;
};

Error unreachable_error(const std::string& socket, const Exchange& exchange, Milliseconds patience) {
    const beast::error_code& error = exchange.error();
    std::string text;
    if (error == beast::error::timeout) {
        text = "liaisond does not answer (waited " + format_span(patience) + " on " + socket +
               "); look at it with: systemctl status liaisond";
    } else if (error == boost::system::errc::permission_denied) {
        text = "you may not talk to liaisond (" + socket + ": " + error.message() +
               "); run this as root or as a member of the group that owns the socket";
    } else if (!exchange.connected()) {
        text = "liaisond is not running (no answer on " + socket + ": " + error.message() +
               "); start it with: systemctl start liaisond, or give --socket or --config";
    } else if (error == http::error::body_limit) {
        text = "the answer of liaisond is too long; ask for less with --limit";
    } else {
        text = "liaisond broke off while it was asked (" + socket + ": " + error.message() +
               "); look at it with: systemctl status liaisond";
    }
    return {ErrorKind::transient, std::move(text), {}, Client::unreachable};
}

}  // namespace

std::string api_target(const std::vector<std::string>& segments, const Parameters& parameters) {
    boost::urls::url url("/api/v1");
    for (const std::string& segment : segments) url.segments().push_back(segment);
    for (const auto& [name, value] : parameters) {
        if (!value.empty()) url.params().append({name, value});
    }
    return std::string(url.buffer());
}

Result<json::value> Client::get(const std::string& target, Milliseconds patience) {
    return ask("GET", target, {}, patience);
}

Result<json::value> Client::post(const std::string& target, Milliseconds patience) {
    return ask("POST", target, {}, patience);
}

Result<json::value> Client::post(const std::string& target, const json::value& body) {
    return ask("POST", target, body, usual_patience);
}

Result<json::value> Client::send(const std::string& method, const std::string& target,
                                 const json::value& body) {
    return ask(method, target, body, usual_patience);
}

Result<json::value> Client::ask(const std::string& method, const std::string& target, const json::value& body,
                                Milliseconds patience) {
    problem_ = nullptr;
    Exchange exchange(method, target, body, user_agent_);
    exchange.run(socket_, patience);
    if (exchange.error()) return fail(unreachable_error(socket_, exchange, patience));
    return understand(exchange.answer().result_int(), exchange.answer().body());
}

Result<json::value> Client::understand(unsigned status, const std::string& body) {
    boost::system::error_code error;
    json::value value = body.empty() ? json::value() : json::parse(body, error);
    if (!error && status < 300) return value;
    if (error && status < 300) {
        return fail({ErrorKind::internal,
                     "the answer on " + socket_ + " is not JSON; does another program listen there?",
                     {},
                     refused});
    }
    std::string text = text_at(value, "detail");
    if (text.empty()) text = text_at(value, "title");
    if (text.empty()) text = "liaisond answered with status " + std::to_string(status);
    for (const json::value& one : array_at(value, "errors")) {
        const std::string pointer = text_at(one, "pointer");
        text += "\n  " + (pointer.empty() ? "" : pointer + " ") + text_at(one, "detail");
    }
    if (!error) problem_ = std::move(value);
    const ErrorKind kind = status == 401 || status == 403 ? ErrorKind::auth
                           : status >= 500                ? ErrorKind::transient
                                                          : ErrorKind::permanent;
    return fail({kind, std::move(text), {}, refused});
}

}  // namespace liaisond::ctl
