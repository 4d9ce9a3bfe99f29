#include "session.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>

namespace liaison_sim {
namespace {

constexpr std::size_t max_body_bytes = 1024 * 1024;
constexpr std::size_t max_drain_bytes = 16 * max_body_bytes;
constexpr std::chrono::seconds idle_timeout{300};
constexpr std::chrono::seconds drain_timeout{2};
constexpr std::chrono::milliseconds slice_time{50};

bool starts_with_segments(const Request& request, const std::string& prefix) {
    std::size_t index = 0;
    for (std::size_t at = 1; at <= prefix.size();) {
        const std::size_t slash = std::min(prefix.find('/', at), prefix.size());
        const std::string_view want = std::string_view(prefix).substr(at, slash - at);
        if (index >= request.segments.size() || request.segments[index] != want) return false;
        ++index;
        at = slash + 1;
    }
    return true;
}

}  // namespace

Session::Session(boost::asio::ip::tcp::socket socket, const std::vector<std::unique_ptr<Vendor>>& vendors,
                 const Control& control)
    : stream_(std::move(socket)), timer_(stream_.get_executor()), vendors_(vendors), control_(control) {
    Error ignored;
    stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

void Session::start() {
    boost::asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->read_header(); });
}

void Session::read_header() {
    parser_.emplace();
    parser_->body_limit(max_body_bytes);
    stream_.expires_after(idle_timeout);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](Error error, std::size_t) { self->on_header(error); });
}

void Session::on_header(Error error) {
    if (error == http::error::end_of_stream) return close(false);
    if (error) return refuse_unread(error);
    if (!boost::beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    boost::asio::async_write(stream_, boost::asio::buffer(go_on),
                             [self = shared_from_this()](Error failure, std::size_t) {
                                 if (!failure) self->read_body();
                             });
}

void Session::read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](Error error, std::size_t) {
        if (error) return self->refuse_unread(error);
        self->handle();
    });
}

// A request we could not read whole still gets an answer when it is the request's fault.
void Session::refuse_unread(Error error) {
    const bool is_too_large = error == http::error::body_limit;
    const bool is_http = error.category() == http::make_error_code(http::error::bad_method).category();
    if (!is_http || error == http::error::partial_message) return;
    request_ = Request{};
    request_.method = parser_->get().method();
    const unsigned status = is_too_large ? 413 : error == http::error::header_limit ? 431 : 400;
    const auto target = parser_->get().target();
    if (request_.set_target({target.data(), target.size()})) {
        if (Vendor* vendor = find_vendor()) vendor->count_unread(request_.is_write(), status);
    }
    is_keep_alive_ = false;
    const char* code = is_too_large ? "payload_too_large" : "bad_request";
    answer(error_response(status, code, is_too_large ? "a body has at most 1 MiB" : error.message()));
}

void Session::handle() {
    auto message = parser_->release();
    is_keep_alive_ = message.keep_alive();
    version_ = message.version();
    request_ = Request{};
    request_.method = message.method();
    request_.body = std::move(message.body());
    const std::string target(message.target());
    request_.headers = std::move(message.base());
    if (!request_.set_target(target)) return answer(error_response(400, "bad_request", "malformed target"));
    if (!request_.segments.empty() && request_.segments[0] == "_sim")
        return answer(control_.handle(request_));
    Vendor* vendor = find_vendor();
    if (!vendor) return answer(error_response(404, "not_found", "no vendor at this path; see /_sim"));
    admit(*vendor);
}

Vendor* Session::find_vendor() {
    for (const auto& vendor : vendors_) {
        const std::string& prefix = vendor->prefix();
        if (!starts_with_segments(request_, prefix)) continue;
        const auto count = std::count(prefix.begin(), prefix.end(), '/');
        request_.segments.erase(request_.segments.begin(), request_.segments.begin() + count);
        return vendor.get();
    }
    return nullptr;
}

void Session::admit(Vendor& vendor) {
    vendor_ = &vendor;
    Vendor::Admission admission = vendor.admit(request_);
    if (admission.close) return close(admission.is_abrupt);
    if (admission.is_answered) return answer(std::move(admission.early));
    if (admission.is_late) return process_late(admission.delay);
    if (admission.delay.count() == 0) return process();
    stream_.expires_never();
    timer_.expires_after(admission.delay);
    timer_.async_wait([self = shared_from_this()](Error error) {
        if (!error) self->process();
    });
}

void Session::process() {
    Vendor::Outcome outcome = vendor_->process(request_);
    if (outcome.is_lost) return close(false);
    answer(std::move(outcome.response), outcome.body_bytes_per_second);
}

// A gateway gave up on this request; what stands behind it has not.
void Session::process_late(std::chrono::milliseconds delay) {
    Error ignored;
    stream_.socket().close(ignored);
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](Error) {
        self->vendor_->process_late(self->request_);
        self->leave();
    });
}

void Session::answer(Response response, std::int64_t body_bytes_per_second) {
    message_ = Message(static_cast<http::status>(response.status), version_);
    message_.set(http::field::server, "liaison-sim");
    for (const auto& [name, value] : response.headers) message_.insert(name, value);
    message_.body() = std::move(response.body);
    message_.keep_alive(is_keep_alive_);
    if (response.status != 204 && response.status != 304) message_.prepare_payload();
    if (request_.method == http::verb::head) message_.body().clear();
    body_bytes_per_second_ = body_bytes_per_second;
    write();
}

void Session::write() {
    stream_.expires_after(idle_timeout);
    serializer_.emplace(message_);
    if (body_bytes_per_second_ > 0 && !message_.body().empty()) return write_slowly();
    http::async_write(stream_, *serializer_,
                      [self = shared_from_this()](Error error, std::size_t) { self->on_written(error); });
}

void Session::write_slowly() {
    serializer_->split(true);
    http::async_write_header(stream_, *serializer_, [self = shared_from_this()](Error error, std::size_t) {
        if (error) return self->on_written(error);
        const std::int64_t slices_per_second = std::chrono::seconds(1) / slice_time;
        self->write_slice(0, static_cast<std::size_t>(self->body_bytes_per_second_ / slices_per_second + 1));
    });
}

void Session::write_slice(std::size_t from, std::size_t bytes) {
    const std::string& body = message_.body();
    if (from >= body.size()) return on_written({});
    const std::size_t count = std::min(bytes, body.size() - from);
    stream_.expires_after(idle_timeout);
    const auto then = [self = shared_from_this(), from, count, bytes](Error error, std::size_t) {
        if (error) return self->on_written(error);
        self->timer_.expires_after(slice_time);
        self->timer_.async_wait([self, next = from + count, bytes](Error failure) {
            if (!failure) self->write_slice(next, bytes);
        });
    };
    boost::asio::async_write(stream_, boost::asio::buffer(body.data() + from, count), then);
}

void Session::on_written(Error error) {
    leave();
    if (error) return;
    if (is_keep_alive_) return read_header();
    stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
    drained_ = 0;
    drain();
}

void Session::leave() {
    if (vendor_) vendor_->leave();
    vendor_ = nullptr;
}

void Session::close(bool is_abrupt) {
    Error ignored;
    if (is_abrupt) stream_.socket().set_option(boost::asio::socket_base::linger(true, 0), ignored);
    stream_.socket().close(ignored);
    leave();
}

// Closing with unread bytes would reset the connection and take the answer with it.
void Session::drain() {
    stream_.expires_after(drain_timeout);
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(64 * 1024),
                            [self = shared_from_this()](Error error, std::size_t count) {
                                self->drained_ += count;
                                if (!error && self->drained_ < max_drain_bytes) return self->drain();
                                self->close(false);
                            });
}

}  // namespace liaison_sim
