// Sends signed webhooks as fast as they are answered, over keep-alive connections, each event with an id of
// its own (profile generic, event_id /id).
//
//   webhook_load PORT TARGET SECRET CONNECTIONS SECONDS     prints: requests/s, p50 and p99 in ms, failures
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Error = boost::system::error_code;

struct Load {
    Tcp::endpoint server;
    std::string target, secret, run;
    Clock::time_point end;
    std::uint64_t sent = 0, failed = 0;
    std::vector<std::uint32_t> latencies_us;

    std::string request() {
        const std::string body =
            "{\"id\":\"" + run + "-" + std::to_string(++sent) +
            "\",\"event\":\"payment_received\",\"at\":\"2026-03-01T12:00:00Z\",\"receipt\":{"
            "\"number\":\"R-100100\",\"till\":\"bar\",\"lines\":[{\"sku\":\"espresso\",\"quantity\":"
            "\"2\",\"amount\":\"5.60\"},{\"sku\":\"croissant\",\"quantity\":\"1\",\"amount\":"
            "\"2.40\"}]},\"total\":\"8.00\",\"currency\":\"EUR\",\"method\":\"card\"}";
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac, &size);
        std::string hex;
        for (unsigned i = 0; i < size; ++i) {
            static constexpr char digits[] = "0123456789abcdef";
            hex += {digits[mac[i] >> 4], digits[mac[i] & 15]};
        }
        return "POST " + target +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Signature: " + hex +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
};

class Sender : public std::enable_shared_from_this<Sender> {
  public:
    Sender(asio::io_context& io, Load& load) : socket_(io), load_(load) {}

    void connect() {
        Error ignored;
        socket_.close(ignored);
        in_.clear();
        socket_.async_connect(load_.server, [self = shared_from_this()](Error error) {
            if (error) return self->fail(error);
            self->socket_.set_option(Tcp::no_delay(true));
            self->send();
        });
    }

  private:
    void fail(const Error& error) {
        ++load_.failed;
        std::fprintf(stderr, "webhook_load: %s\n", error.message().c_str());
    }
    void send() {
        if (Clock::now() >= load_.end) return;
        out_ = load_.request();
        began_ = Clock::now();
        asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](Error error, std::size_t) {
            if (error) return self->fail(error);
            self->receive();
        });
    }
    void receive() {
        asio::async_read_until(socket_, asio::dynamic_buffer(in_), "\r\n\r\n",
                               [self = shared_from_this()](Error error, std::size_t head) {
                                   if (error) return self->fail(error);
                                   self->read_body(head);
                               });
    }
    void read_body(std::size_t head) {
        static const std::string length = "Content-Length: ";
        const std::size_t at = in_.find(length);
        const std::size_t whole = head + (at < head ? std::stoul(in_.substr(at + length.size(), 10)) : 0);
        if (in_.size() >= whole) return take(head, whole);
        asio::async_read(socket_, asio::dynamic_buffer(in_), asio::transfer_exactly(whole - in_.size()),
                         [self = shared_from_this(), head, whole](Error error, std::size_t) {
                             if (error) return self->fail(error);
                             self->take(head, whole);
                         });
    }
    void take(std::size_t head, std::size_t whole) {
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
        load_.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
        if (in_.compare(9, 3, "200") != 0 && ++load_.failed == 1)
            std::fprintf(stderr, "webhook_load: answered %s\n", in_.substr(0, whole).c_str());
        const bool is_last = in_.find("Connection: close") < head;
        in_.erase(0, whole);
        if (is_last && Clock::now() < load_.end) return connect();
        send();
    }

    Tcp::socket socket_;
    Load& load_;
    std::string out_, in_;
    Clock::time_point began_;
};

double at_share(const std::vector<std::uint32_t>& sorted, double share) {
    return sorted.empty()
               ? 0
               : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))] / 1000.0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: webhook_load PORT TARGET SECRET CONNECTIONS SECONDS\n");
        return 2;
    }
    asio::io_context io{1};
    Load load;
    load.server =
        Tcp::endpoint(asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoi(argv[1])));
    load.target = argv[2];
    load.secret = argv[3];
    load.run = std::to_string(std::random_device()());
    const auto began = Clock::now();
    load.end = began + std::chrono::milliseconds(static_cast<int>(1000 * std::stod(argv[5])));
    for (int i = 0; i < std::stoi(argv[4]); ++i) std::make_shared<Sender>(io, load)->connect();
    io.run();
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    std::sort(load.latencies_us.begin(), load.latencies_us.end());
    std::printf("%.0f %.3f %.3f %llu\n", static_cast<double>(load.latencies_us.size()) / seconds,
                at_share(load.latencies_us, 0.5), at_share(load.latencies_us, 0.99),
                static_cast<unsigned long long>(load.failed));
    return load.failed == 0 ? 0 : 1;
}
