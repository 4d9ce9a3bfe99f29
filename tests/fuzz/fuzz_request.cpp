// The network: whatever a client sends on one connection, read by the server's own connection and, where it
// asks for something, answered by the whole API (a change goes no further than its route and its schema, so
// that one input does not disturb the next). "@SESSION@" stands for the cookie of somebody who is signed in.
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/api_house.hpp"
#include "web/connection.hpp"

namespace liaisond::api {
namespace {

namespace asio = boost::asio;

// What a client sends, in pieces, and what it hears: as much of a stream as a connection asks for.
class Wire {
  public:
    using executor_type = asio::any_io_executor;
    using Error = boost::system::error_code;

    Wire(asio::io_context& io, std::string_view input, std::size_t piece, std::string& heard)
        : executor_(io.get_executor()), input_(input), piece_(piece), heard_(&heard) {}
    executor_type get_executor() const { return executor_; }

    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& buffers, Handler&& handler) {
        return asio::async_initiate<Handler, void(Error, std::size_t)>(
            [this](auto&& done, const Buffers& to) {
                const std::size_t size =
                    asio::buffer_copy(to, asio::buffer(input_.data(), std::min(piece_, input_.size())));
                input_.remove_prefix(size);
                const Error error = is_closed_  ? asio::error::operation_aborted
                                    : size == 0 ? Error(asio::error::eof)
                                                : Error();
                tell(std::forward<decltype(done)>(done), error, size);
            },
            handler, buffers);
    }
    template <class Buffers, class Handler>
    auto async_write_some(const Buffers& buffers, Handler&& handler) {
        return asio::async_initiate<Handler, void(Error, std::size_t)>(
            [this](auto&& done, const Buffers& from) {
                const std::size_t size = asio::buffer_size(from), before = heard_->size();
                heard_->resize(before + size);
                asio::buffer_copy(asio::buffer(heard_->data() + before, size), from);
                tell(std::forward<decltype(done)>(done), Error(), size);
            },
            handler, buffers);
    }

    Wire& socket() { return *this; }
    void shutdown(asio::socket_base::shutdown_type, Error&) {}
    void expires_after(std::chrono::milliseconds) {}
    void expires_never() {}
    void cancel() {}
    void close() { is_closed_ = true; }

  private:
    template <class Done>
    void tell(Done&& done, Error error, std::size_t size) {
        asio::post(executor_, boost::beast::bind_front_handler(std::forward<Done>(done), error, size));
    }

    executor_type executor_;
    std::string_view input_;
    std::size_t piece_;
    std::string* heard_;
    bool is_closed_ = false;
};

class Subject final : public ApiHouse {
  public:
    Subject() {
        SetUp();
        policy.hosts = {"localhost"};
    }

    void hear(std::string_view input, std::size_t piece, bool is_local) {
        std::string heard;
        {
            web::Server server(io_, policy, [this](web::Request request, web::Reply reply) {
                answer(std::move(request), reply);
            });
            const auto connection = std::make_shared<web::TypedConnection<Wire>>(
                server, web::Peer{is_local, false, is_local ? "" : "192.0.2.1"}, io_, input, piece, heard);
            connection->start();
            settle();
            connection->stop();
            settle();
        }
        if (!heard.empty() && !heard.starts_with("HTTP/1.1 ")) std::abort();
    }

    std::string session() {
        const auto begun =
            sessions.begin(access::Principal{"user ada", access::Scope::admin, ""}, world.now(), world);
        return begun.id;
    }

    web::Policy policy;

  private:
    void settle() {
        do {
            io_.restart();
            while (io_.poll() != 0) {}
            world.run_until([] { return false; }, Milliseconds(1));
            io_.restart();
        } while (io_.poll() != 0);
    }

    void answer(web::Request request, const web::Reply& reply) {
        const bool reads = request.method == "GET" || request.method == "HEAD";
        if (reads || request.path == std::vector<std::string>{"logout"})
            return api.handle(std::move(request), reply);
        if (request.path.size() < 2) return;
        Call call;
        request.path.erase(request.path.begin(), request.path.begin() + 2);
        auto found = api.router().find(request.method, request.path);
        if (found.route == nullptr) return;
        call.route = found.route;
        call.parameters = std::move(found.parameters);
        call.request = std::move(request);
        if (auto fault = Router::read(call)) reply(std::move(*fault));
    }

    void TestBody() override {}

    asio::io_context io_;
};

}  // namespace
}  // namespace liaisond::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto* const subject = new liaisond::api::Subject;  // for as long as the process lives
    if (size == 0) return 0;
    // The first byte: who asks, and in pieces of which size it comes.
    const bool is_local = (data[0] & 1) != 0;
    const std::size_t piece = (data[0] & 6) == 0 ? 1u + (data[0] >> 3) : 65536;
    std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
    static constexpr std::string_view mark = "@SESSION@";
    if (const std::size_t at = input.find(mark); at != input.npos)
        input.replace(at, mark.size(), subject->session());
    subject->hear(input, piece, is_local);
    return 0;
}
