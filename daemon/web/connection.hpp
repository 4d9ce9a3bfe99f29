// Connection: one client, its requests one after another. Server makes and forgets them; everything runs on
// its thread.
#pragma once

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <optional>

#include "web/head.hpp"
#include "web/server.hpp"

namespace liaisond::web {

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Server& server, Peer peer) : server_(&server), peer_(std::move(peer)) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    virtual void start() = 0;
    virtual void stop() = 0;
    const std::string& address() const { return peer_.address; }
    bool is_leaving() const { return is_leaving_; }

  protected:
    bool is_leaving_ = false;  // has had its last answer
    Server* server_;           // null once the server is gone
    const Peer peer_;
};

namespace http = boost::beast::http;

template <class Channel>
class TypedConnection final : public Connection {
  public:
    using Error = boost::system::error_code;
    static constexpr bool is_tls = requires(Channel channel) { channel.next_layer(); };

    template <class... Arguments>
    TypedConnection(Server& server, Peer peer, Arguments&&... arguments)
        : Connection(server, std::move(peer)), channel_(std::forward<Arguments>(arguments)...) {
        on_chunk_ = [](std::uint64_t, boost::beast::string_view extensions, Error& error) {
            if (extensions.size() > max_chunk_extension) error = http::error::bad_chunk_extension;
        };
    }
    ~TypedConnection() override { release_body(); }

    void start() override {
        if constexpr (is_tls) {
            expire(server_->policy().limits.head_time);
            channel_.async_handshake(boost::asio::ssl::stream_base::server, [self = mine()](Error error) {
                if (error) return self->end();
                self->read_head();
            });
        } else {
            read_head();
        }
    }

    void stop() override { end(); }

  private:
    static constexpr std::size_t max_chunk_extension = 256;

    // What a reply keeps: dropped unused it answers for whoever forgot to.
    struct Slot {
        explicit Slot(std::shared_ptr<TypedConnection> connection) : connection(std::move(connection)) {}
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        ~Slot() {
            if (!is_used)
                give({500,
                      "application/problem+json",
                      R"({"type":"about:blank","status":500})",
                      {},
                      {},
                      true});
        }
        void give(Answer answer) {
            is_used = true;
            auto& executor = connection->executor_;
            boost::asio::dispatch(executor, [to = connection, answer = std::move(answer)]() mutable {
                to->answer(std::move(answer));
            });
        }
        std::shared_ptr<TypedConnection> connection;
        bool is_used = false;
    };

    class Outflow final : public Stream {
      public:
        explicit Outflow(std::shared_ptr<TypedConnection> connection) : connection_(std::move(connection)) {}
        void send(std::string piece) override {
            const auto to = connection_.lock();
            if (!to || piece.empty()) return;
            boost::asio::post(to->executor_,
                              [to, piece = std::move(piece)]() mutable { to->send(std::move(piece)); });
        }
        void end() override {
            if (const auto to = connection_.lock())
                boost::asio::post(to->executor_, [to] { to->end_stream(); });
        }
        void on_drained(std::function<void(bool)> call) override {
            const auto to = connection_.lock();
            if (!to) return call(false);
            boost::asio::post(to->executor_,
                              [to, call = std::move(call)]() mutable { to->watch(std::move(call)); });
        }

      private:
        std::weak_ptr<TypedConnection> connection_;
    };

    std::shared_ptr<TypedConnection> mine() {
        return std::static_pointer_cast<TypedConnection>(this->shared_from_this());
    }
    void expire(std::chrono::milliseconds after) {
        boost::beast::get_lowest_layer(channel_).expires_after(after);
    }

    // ---- reading ----
    void read_head() {
        if (server_ == nullptr) return;
        const Limits& limits = server_->policy().limits;
        const bool waits = buffer_.size() == 0 && served_ != 0;
        if (waits || !is_reading_head_) expire(waits ? limits.idle_time : limits.head_time);
        is_reading_head_ = !waits;
        const std::string_view seen(static_cast<const char*>(buffer_.data().data()), buffer_.size());
        const std::size_t end = seen.substr(0, max_head_bytes).find("\r\n\r\n");
        if (end != seen.npos) return take_head(end + 4);
        if (seen.size() >= max_head_bytes)
            return refuse(Fault(431, "the head of the request is larger than 8 KiB"));
        channel_.async_read_some(buffer_.prepare(max_head_bytes),
                                 [self = mine()](Error error, std::size_t size) {
                                     if (error) return self->end();
                                     self->buffer_.commit(size);
                                     self->read_head();
                                 });
    }

    void take_head(std::size_t size) {
        is_reading_head_ = false;
        const std::string_view head(static_cast<const char*>(buffer_.data().data()), size);
        if (auto fault = check_raw_head(head)) return refuse(*fault);
        parser_.emplace();
        parser_->header_limit(max_head_bytes);
        parser_->body_limit(boost::none);  // until it is known which one holds
        parser_->on_chunk_header(on_chunk_);
        Error error;
        parser_->put(boost::asio::buffer(head), error);
        if (error || !parser_->is_header_done()) return refuse(Fault(400, "the request is malformed"));
        buffer_.consume(size);
        request_ = Request();
        request_.peer = peer_;
        auto& message = parser_->get();
        request_.method = std::string(message.method_string());
        request_.target = std::string(message.target());
        for (const auto& field : message)
            request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
        keep_alive_ = message.keep_alive() && ++served_ < server_->policy().limits.requests_per_connection;
        BodyPlan plan;
        if (auto fault = check_head(request_, static_cast<int>(message.version() % 10), plan))
            return refuse(*fault);
        if (!peer_.is_local && !is_host_allowed(request_.header("Host"), server_->policy().hosts))
            return refuse(Fault(421, "this host is not served here; see daemon.public_url and daemon.hosts"));
        if (auto fault = parse_target(request_)) return refuse(*fault);
        believe_proxy();
        take_turn(plan);
    }

    // The nearest address that is no proxy of ours speaks for itself.
    void believe_proxy() {
        const auto& trusted = server_->policy().trusted_proxies;
        if (peer_.is_local || trusted.find(peer_.address) == trusted.end()) return;
        const std::string_view forwarded = request_.header("X-Forwarded-For");
        const std::size_t comma = forwarded.rfind(',');
        std::string_view last = comma == forwarded.npos ? forwarded : forwarded.substr(comma + 1);
        while (!last.empty() && last.front() == ' ') last.remove_prefix(1);
        Error error;
        const auto address = boost::asio::ip::make_address(std::string(last), error);
        if (!error) request_.peer.address = address.to_string();
        request_.peer.is_secure = request_.header("X-Forwarded-Proto") == "https";
    }

    // Nobody knows yet who asks. A crowd of honest clients behind one address is recognised soon.
    void take_turn(const BodyPlan& plan) {
        if (peer_.is_local) return read_body(plan);
        const Limits& limits = server_->policy().limits;
        const std::string& address = request_.peer.address;
        place_ = server_->strangers().take(address, limits.strangers_per_address);
        if (place_) return read_body(plan);
        deadline_.expires_after(limits.turn_time);
        deadline_.async_wait([self = mine()](Error error) {
            if (error || !std::exchange(self->waiting_, nullptr)) return;
            self->refuse(Fault(429, "too many requests of this address at one time; try again in a moment"));
        });
        waiting_ = std::make_shared<const Strangers::Take>(
            [me = std::weak_ptr(mine()), plan](std::shared_ptr<Strangers::Place> place) {
                const auto self = me.lock();
                if (!self) return;
                self->waiting_.reset();
                self->place_ = std::move(place);
                boost::asio::post(self->executor_, [self, plan] {
                    self->deadline_.cancel();
                    if (self->server_ != nullptr) self->read_body(plan);
                });
            });
        server_->strangers().wait(address, waiting_);
    }

    void read_body(const BodyPlan& plan) {
        if (!plan.is_chunked && plan.length == 0) return handle();
        const web::Policy& policy = server_->policy();
        const Limits& limits = policy.limits;
        body_limit_ = policy.body_limit ? policy.body_limit(request_) : limits.body;
        if (plan.length > body_limit_) return refuse(too_large());
        parser_->body_limit(body_limit_);
        parser_->eager(true);
        reserved_ = plan.is_chunked ? body_limit_ : plan.length;
        if (reserved_ <= limits.small_body) {
            reserved_ = 0;
        } else if (!server_->reserve_body(reserved_)) {
            reserved_ = 0;
            return refuse(Fault(503, "too many large requests at one time; try again in a moment"));
        }
        expire_body();
        if (request_.header("Expect").empty()) return read_rest();
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        boost::asio::async_write(channel_, boost::asio::buffer(go_on),
                                 [self = mine()](Error error, std::size_t) {
                                     if (error) return self->end();
                                     self->read_rest();
                                 });
    }

    // Unlike the stream's own time limit this one leaves the connection open for an answer.
    void expire_body() {
        boost::beast::get_lowest_layer(channel_).expires_never();
        is_reading_body_ = true;
        body_begun_ = boost::asio::steady_timer::clock_type::now();
        arrived_ = 0;
        watch_body(body_due());
    }
    // Until when what has arrived is enough.
    boost::asio::steady_timer::time_point body_due() const {
        const Limits& limits = server_->policy().limits;
        const std::chrono::milliseconds share(arrived_ * 1000 / limits.body_bytes_per_second);
        return body_begun_ + std::min(limits.body_time, limits.body_grace + share);
    }
    void watch_body(boost::asio::steady_timer::time_point due) {
        deadline_.expires_at(due);
        deadline_.async_wait([self = mine(), due](Error error) {
            if (error || self->server_ == nullptr || !self->is_reading_body_) return;
            if (const auto later = self->body_due(); later > due) return self->watch_body(later);
            self->is_late_ = true;
            boost::beast::get_lowest_layer(self->channel_).cancel();
        });
    }

    void read_rest() {
        http::async_read_some(channel_, buffer_, *parser_, [self = mine()](Error error, std::size_t size) {
            self->arrived_ += size;
            if (!error && !self->is_late_ && !self->parser_->is_done()) return self->read_rest();
            self->is_reading_body_ = false;
            self->deadline_.cancel();
            self->take_body(error);
        });
    }

    void take_body(Error error) {
        if (is_late_) return refuse(Fault(408, "the body of the request came too slowly"));
        if (error == http::error::body_limit) return refuse(too_large());
        const bool is_http = error.category() == http::make_error_code(http::error::bad_method).category();
        if (error && is_http && error != http::error::partial_message && error != http::error::end_of_stream)
            return refuse(Fault(400, "the body of the request is malformed"));
        if (error) return end();
        const auto& fields = parser_->get();
        if (static_cast<std::size_t>(std::distance(fields.begin(), fields.end())) != request_.headers.size())
            return refuse(Fault(400, "the request is malformed: trailers are not read here"));
        request_.body = std::move(parser_->get().body());
        handle();
    }

    Fault too_large() const {
        return Fault(413, "the body of the request is larger than " + std::to_string(body_limit_) + " bytes");
    }

    // ---- answering ----
    void handle() {
        if (server_ == nullptr) return;
        is_answering_ = true;
        is_head_only_ = request_.method == "HEAD";
        server_->count_request(false);
        boost::beast::get_lowest_layer(channel_).expires_never();
        if (place_) {
            request_.on_recognised = [to = mine(), place = std::weak_ptr(place_)] {
                boost::asio::dispatch(to->executor_, [to, place] {
                    if (place.lock() == to->place_) to->place_.reset();
                });
            };
        }
        const auto slot = std::make_shared<Slot>(mine());
        server_->handler()(std::move(request_), [slot](Answer answer) { slot->give(std::move(answer)); });
    }

    void refuse(const Fault& fault) {
        if (server_ == nullptr) return end();
        server_->count_request(true);
        is_answering_ = true;
        is_head_only_ = false;
        answer(refusal_of(fault));
    }

    void answer(Answer answer) {
        release_body();
        if (server_ == nullptr || !is_answering_ || response_) return;
        expire(server_->policy().limits.answer_time);
        if (answer.close) keep_alive_ = false;
        response_.emplace(static_cast<http::status>(answer.status), 11u);
        auto& head = *response_;
        if (!answer.type.empty()) head.set(http::field::content_type, answer.type);
        head.set(http::field::cache_control, "no-store");
        head.set("X-Content-Type-Options", "nosniff");
        // With no-referrer, browsers send forms with `Origin: null` (Fetch, "append a request Origin
        // header").
        head.set("Referrer-Policy", "same-origin");
        head.set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
        if (peer_.is_secure) head.set("Strict-Transport-Security", "max-age=31536000");
        for (const auto& [name, value] : answer.headers) head.set(name, value);
        head.keep_alive(keep_alive_);
        if (answer.stream && !is_head_only_) return begin_stream(std::move(answer.stream));
        head.body() = std::move(answer.body);
        head.prepare_payload();
        write_answer();
    }

    // In one piece: a serializer hands the socket a buffer for every part of every field.
    void write_answer() {
        const auto& head = *response_;
        written_ =
            "HTTP/1.1 " + std::to_string(head.result_int()) + " " + std::string(head.reason()) + "\r\n";
        for (const auto& field : head) {
            written_.append(field.name_string()).append(": ");
            written_.append(field.value()).append("\r\n");
        }
        written_ += "\r\n";
        if (!is_head_only_) written_ += head.body();
        response_->body() = {};
        boost::asio::async_write(channel_, boost::asio::buffer(written_),
                                 [self = mine()](Error error, std::size_t) {
                                     self->response_.reset();
                                     self->is_answering_ = false;
                                     self->place_.reset();
                                     if (error) return self->end();
                                     if (!self->keep_alive_) return self->say_goodbye();
                                     self->read_head();
                                 });
    }

    // ---- streams ----
    void begin_stream(std::function<void(std::shared_ptr<Stream>)> begin) {
        place_.reset();
        keep_alive_ = false;
        response_->keep_alive(false);
        response_->chunked(true);
        serializer_.emplace(*response_);
        http::async_write_header(channel_, *serializer_,
                                 [self = mine(), begin = std::move(begin)](Error error, std::size_t) {
                                     if (error) return self->end();
                                     boost::beast::get_lowest_layer(self->channel_).expires_never();
                                     begin(std::make_shared<Outflow>(self));
                                 });
    }

    void send(std::string piece) {
        if (server_ == nullptr || stream_ended_) return;
        unsent_ += piece.size();
        if (unsent_ > server_->policy().limits.unsent) return end();  // a reader who does not read
        pieces_.push_back(std::move(piece));
        if (pieces_.size() == 1) write_piece();
    }

    void write_piece() {
        expire(server_->policy().limits.answer_time);
        boost::asio::async_write(channel_, http::make_chunk(boost::asio::buffer(pieces_.front())),
                                 [self = mine()](Error error, std::size_t) {
                                     if (error || self->server_ == nullptr) return self->end();
                                     boost::beast::get_lowest_layer(self->channel_).expires_never();
                                     self->unsent_ -= self->pieces_.front().size();
                                     self->pieces_.pop_front();
                                     if (!self->pieces_.empty()) return self->write_piece();
                                     if (self->stream_ended_) return self->write_last();
                                     if (self->drained_) self->drained_(true);
                                 });
    }

    void end_stream() {
        if (std::exchange(stream_ended_, true) || server_ == nullptr) return;
        if (pieces_.empty()) write_last();
    }
    void write_last() {
        if (server_ == nullptr) return;
        expire(server_->policy().limits.linger_time);
        drained_ = nullptr;
        boost::asio::async_write(channel_, http::make_chunk_last(),
                                 [self = mine()](Error error, std::size_t) {
                                     if (error) return self->end();
                                     self->say_goodbye();
                                 });
    }
    void watch(std::function<void(bool)> call) {
        if (server_ == nullptr || stream_ended_) return call(false);
        drained_ = std::move(call);
        if (pieces_.empty()) drained_(true);
    }

    // ---- the end ----
    // Closing with bytes unread would reset the connection and might take the answer with it (RFC 9112 9.6).
    void say_goodbye() {
        if (server_ == nullptr) return;
        expire(server_->policy().limits.linger_time);
        if (!std::exchange(is_leaving_, true)) server_->leaves(*this);
        if constexpr (is_tls) {
            channel_.async_shutdown([self = mine()](Error) { self->end(); });
        } else {
            Error ignored;
            boost::beast::get_lowest_layer(channel_).socket().shutdown(
                boost::asio::socket_base::shutdown_send, ignored);
            drain();
        }
    }
    void drain() {
        buffer_.clear();
        channel_.async_read_some(buffer_.prepare(16u << 10), [self = mine()](Error error, std::size_t) {
            if (error) return self->end();
            self->drain();
        });
    }

    void end() {
        boost::beast::get_lowest_layer(channel_).close();
        deadline_.cancel();
        release_body();
        waiting_.reset();
        place_.reset();
        pieces_.clear();
        if (auto call = std::exchange(drained_, nullptr)) call(false);
        if (Server* server = std::exchange(server_, nullptr)) server->forget(this->shared_from_this());
    }
    void release_body() {
        if (server_ != nullptr && reserved_ != 0) server_->release_body(std::exchange(reserved_, 0));
    }

    Channel channel_;
    boost::asio::any_io_executor executor_ = channel_.get_executor();
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::function<void(std::uint64_t, boost::beast::string_view, Error&)> on_chunk_;
    Request request_;
    std::size_t reserved_ = 0, served_ = 0, body_limit_ = 0;
    bool keep_alive_ = true, is_reading_head_ = false, is_answering_ = false, is_head_only_ = false;
    std::optional<http::response<http::string_body>> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    std::string written_;
    std::deque<std::string> pieces_;
    std::size_t unsent_ = 0;
    bool stream_ended_ = false;
    std::function<void(bool)> drained_;
    // While nobody knows who asks: the place of this request, or the wish for one.
    std::shared_ptr<Strangers::Place> place_;
    std::shared_ptr<const Strangers::Take> waiting_;
    boost::asio::steady_timer deadline_{executor_};  // of the turn, and then of the body
    boost::asio::steady_timer::time_point body_begun_;
    std::size_t arrived_ = 0;  // bytes of the body
    bool is_reading_body_ = false, is_late_ = false;
};

using LocalChannel = boost::beast::basic_stream<boost::asio::local::stream_protocol>;
using TcpChannel = boost::beast::basic_stream<boost::asio::ip::tcp>;
using TlsChannel = boost::asio::ssl::stream<TcpChannel>;

}  // namespace liaisond::web
