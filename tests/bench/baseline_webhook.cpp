// The least that can take webhooks in durably: Boost.Beast on one thread, SQLite (WAL, full sync) on another,
// and one transaction for all that waits. It checks the MAC and knows an event again; it looks at nothing
// else. Ends with SIGTERM.
//
//   baseline_webhook DB PORT_FILE SECRET
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sqlite3.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

struct Job {
    std::string id, body;
    std::function<void()> done;
};

class Writer {
  public:
    Writer(const char* path, asio::io_context& io) : io_(io) {
        sqlite3_open(path, &database_);
        sqlite3_exec(
            database_,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE inbox(id INTEGER PRIMARY "
            "KEY, event TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT",
            nullptr, nullptr, nullptr);
        sqlite3_prepare_v2(database_, "INSERT INTO inbox(event, body) VALUES(?, ?) ON CONFLICT DO NOTHING",
                           -1, &insert_, nullptr);
        thread_ = std::thread([this] { run(); });
    }
    void add(Job job) {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        wake_.notify_one();
    }

  private:
    [[noreturn]] void run() {
        for (;;) {
            auto batch = std::make_shared<std::vector<Job>>();
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [this] { return !jobs_.empty(); });
                batch->swap(jobs_);
            }
            sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
            for (const Job& job : *batch) {
                sqlite3_bind_text(insert_, 1, job.id.data(), static_cast<int>(job.id.size()), SQLITE_STATIC);
                sqlite3_bind_text(insert_, 2, job.body.data(), static_cast<int>(job.body.size()),
                                  SQLITE_STATIC);
                sqlite3_step(insert_);
                sqlite3_reset(insert_);
            }
            if (sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
            asio::post(io_, [batch] {
                for (const Job& job : *batch) job.done();
            });
        }
    }

    asio::io_context& io_;
    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Job> jobs_;
    std::thread thread_;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Tcp::socket socket, Writer& writer, const std::string& secret)
        : socket_(std::move(socket)), writer_(writer), secret_(secret) {
        socket_.set_option(Tcp::no_delay(true));
    }
    void read() {
        request_ = {};
        http::async_read(socket_, buffer_, request_, [self = shared_from_this()](Error error, std::size_t) {
            if (error) return;
            if (!self->is_signed()) return self->answer(http::status::unauthorized);
            std::string& body = self->request_.body();
            std::string id = body.substr(7, body.find('"', 7) - 7);
            self->writer_.add({std::move(id), std::move(body), [self] { self->answer(http::status::ok); }});
        });
    }

  private:
    bool is_signed() const {
        const std::string& body = request_.body();
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
             reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac, &size);
        std::string hex;
        for (unsigned i = 0; i < size; ++i) {
            static constexpr char digits[] = "0123456789abcdef";
            hex += {digits[mac[i] >> 4], digits[mac[i] & 15]};
        }
        const auto shown = request_["X-Signature"];
        return shown.size() == hex.size() && CRYPTO_memcmp(shown.data(), hex.data(), hex.size()) == 0;
    }
    void answer(http::status status) {
        response_ = {status, 11};
        response_.body() = "{\"ok\":true}";
        response_.prepare_payload();
        http::async_write(socket_, response_, [self = shared_from_this()](Error error, std::size_t) {
            if (!error) self->read();
        });
    }

    Tcp::socket socket_;
    Writer& writer_;
    const std::string& secret_;
    boost::beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
    http::response<http::string_body> response_;
};

void accept(Tcp::acceptor& acceptor, Writer& writer, const std::string& secret) {
    acceptor.async_accept([&](Error error, Tcp::socket socket) {
        if (!error) std::make_shared<Connection>(std::move(socket), writer, secret)->read();
        accept(acceptor, writer, secret);
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: baseline_webhook DB PORT_FILE SECRET\n");
        return 2;
    }
    asio::io_context io{1};
    Writer writer(argv[1], io);
    const std::string secret = argv[3];
    Tcp::acceptor acceptor(io, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    std::ofstream(argv[2]) << acceptor.local_endpoint().port() << '\n';
    accept(acceptor, writer, secret);
    io.run();
}
