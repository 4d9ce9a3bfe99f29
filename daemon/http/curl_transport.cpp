#include "http/curl_transport.hpp"

#include <curl/curl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_set>

#include "base/fault_point.hpp"

namespace liaisond::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t max_header_bytes = 64u << 10;
constexpr long connections_per_host = 16;
constexpr std::size_t idle_handles_kept = 16;

}  // namespace

// One request in flight. curl holds raw pointers to it; the pool owns it.
struct Transfer {
    Request request;
    Completion<Response> done;
    Response response;
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    std::size_t header_bytes = 0;
    int attempts_on_wire = 0;
    bool body_too_large = false;
    char error[CURL_ERROR_SIZE] = {};

    ~Transfer() { curl_slist_free_all(headers); }
};

class CurlPool {
  public:
    explicit CurlPool(asio::io_context& core) : core_(core), timer_(core), multi_(curl_multi_init()) {
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlPool::on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlPool::on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections_per_host);
    }
    CurlPool(const CurlPool&) = delete;
    CurlPool& operator=(const CurlPool&) = delete;
    ~CurlPool() {
        *alive_ = false;
        for (const auto& [easy, transfer] : transfers_) {
            curl_multi_remove_handle(multi_, easy);
            curl_easy_cleanup(easy);
        }
        for (CURL* easy : idle_) curl_easy_cleanup(easy);
        curl_multi_cleanup(multi_);
        for (const auto& [fd, watch] : watches_) watch->descriptor.release();
    }

    void start(Request request, Completion<Response> done) {
        auto transfer = std::make_unique<Transfer>();
        transfer->request = std::move(request);
        transfer->done = std::move(done);
        if (idle_.empty()) {
            transfer->easy = curl_easy_init();
        } else {
            transfer->easy = idle_.back();
            idle_.pop_back();
        }
        prepare(*transfer);
        CURL* easy = transfer->easy;
        transfers_[easy] = std::move(transfer);
        curl_multi_add_handle(multi_, easy);  // asks for a timer, which starts it
    }

    void cancel() {
        while (!transfers_.empty())
            finish(transfers_.begin()->first, CURLE_ABORTED_BY_CALLBACK, "the request was cancelled");
    }

  private:
    // A socket that curl wants watched.
    struct Watch {
        explicit Watch(asio::io_context& core, curl_socket_t fd) : descriptor(core, fd) {}
        asio::posix::stream_descriptor descriptor;
        int wanted = 0;
        bool reading = false, writing = false;
    };

    void prepare(Transfer& transfer) {
        CURL* easy = transfer.easy;
        const Request& request = transfer.request;
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
        curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
        if (!request.ca_file.empty()) {
            curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca_file.c_str());
            curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
        }
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "liaison/0.1");
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &CurlPool::on_prereq);
        curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlPool::on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlPool::on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
        prepare_method(transfer);
        for (const auto& [name, value] : request.headers) {
            const std::string line = value.empty() ? name + ";" : name + ": " + value;
            transfer.headers = curl_slist_append(transfer.headers, line.c_str());
        }
        transfer.headers = curl_slist_append(transfer.headers, "Expect:");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
    }

    static void prepare_method(Transfer& transfer) {
        CURL* easy = transfer.easy;
        const Request& request = transfer.request;
        const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
                              request.method == "PATCH";
        if (request.method == "HEAD")
            curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        else if (!has_body)
            curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        if (has_body) {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
            bool has_type = false;
            for (const auto& [name, value] : request.headers)
                has_type = has_type || curl_strequal(name.c_str(), "Content-Type") != 0;
            if (!has_type) transfer.headers = curl_slist_append(transfer.headers, "Content-Type:");
        }
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    // libcurl repeats a request on its own when a kept connection dies (reliability.md 0.1). A write is let
    // through once.
    static int on_prereq(void* data, char*, char*, int, int) {
        auto& transfer = *static_cast<Transfer*>(data);
        if (transfer.request.mutates) LIAISON_FAULT_POINT("transport.write_leaves");
        const bool again = transfer.attempts_on_wire++ > 0;
        return again && transfer.request.mutates ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
    }

    static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* data) {
        auto& transfer = *static_cast<Transfer*>(data);
        if (transfer.response.body.size() + count > transfer.request.max_body) {
            transfer.body_too_large = true;
            return 0;
        }
        transfer.response.body.append(bytes, count);
        return count;
    }

    static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* data) {
        auto& transfer = *static_cast<Transfer*>(data);
        transfer.header_bytes += count;
        if (transfer.header_bytes > max_header_bytes) return 0;
        std::string_view line(bytes, count);
        while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
        if (line.starts_with("HTTP/")) {
            transfer.response.headers.clear();  // an interim answer came before this one
            transfer.response.body.clear();
            return count;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return count;
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
        transfer.response.headers.emplace_back(std::string(line.substr(0, colon)), std::string(value));
        return count;
    }

    static int on_timer(CURLM*, long timeout_ms, void* data) {
        auto& pool = *static_cast<CurlPool*>(data);
        if (timeout_ms < 0) {
            pool.timer_.cancel();
            return 0;
        }
        pool.timer_.expires_after(std::chrono::milliseconds(timeout_ms));
        pool.timer_.async_wait([&pool, alive = pool.alive_](boost::system::error_code error) {
            if (!error && *alive) pool.act(CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    }

    static int on_socket(CURL*, curl_socket_t fd, int what, void* data, void*) {
        auto& pool = *static_cast<CurlPool*>(data);
        if (what == CURL_POLL_REMOVE) {
            const auto found = pool.watches_.find(fd);
            if (found == pool.watches_.end()) return 0;
            found->second->wanted = 0;
            found->second->descriptor.cancel();
            found->second->descriptor.release();  // the descriptor stays curl's
            pool.watches_.erase(found);
            return 0;
        }
        std::shared_ptr<Watch>& watch = pool.watches_[fd];
        if (!watch) watch = std::make_shared<Watch>(pool.core_, fd);
        watch->wanted = what;
        pool.wait(fd, watch);
        return 0;
    }

    void wait(curl_socket_t fd, const std::shared_ptr<Watch>& watch) {
        if ((watch->wanted & CURL_POLL_IN) != 0 && !watch->reading) {
            watch->reading = true;
            watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                         ready(fd, watch, CURL_CSELECT_IN));
        }
        if ((watch->wanted & CURL_POLL_OUT) != 0 && !watch->writing) {
            watch->writing = true;
            watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                         ready(fd, watch, CURL_CSELECT_OUT));
        }
    }

    std::function<void(boost::system::error_code)> ready(curl_socket_t fd,
                                                         const std::shared_ptr<Watch>& watch, int event) {
        return [this, fd, watch, event, alive = alive_](boost::system::error_code error) {
            (event == CURL_CSELECT_IN ? watch->reading : watch->writing) = false;
            if (error || !*alive || watch->wanted == 0) return;
            const int asked = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
            if ((watch->wanted & asked) != 0) act(fd, event);
            if (*alive && watch->wanted != 0) wait(fd, watch);
        };
    }

    void act(curl_socket_t fd, int events) {
        int running = 0;
        curl_multi_socket_action(multi_, fd, events, &running);
        int left = 0;
        while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result, {});
        }
    }

    void finish(CURL* easy, CURLcode code, std::string reason) {
        const auto found = transfers_.find(easy);
        std::unique_ptr<Transfer> transfer = std::move(found->second);
        transfers_.erase(found);
        LIAISON_FAULT_POINT("transport.answered");
        judge(*transfer, code, std::move(reason));
        curl_multi_remove_handle(multi_, easy);
        if (idle_.size() < idle_handles_kept) {
            curl_easy_reset(easy);
            idle_.push_back(easy);
        } else {
            curl_easy_cleanup(easy);
        }
        asio::post(core_,
                   [done = std::move(transfer->done), response = std::move(transfer->response)]() mutable {
                       done(std::move(response));
                   });
    }

    static void judge(Transfer& transfer, CURLcode code, std::string reason) {
        Response& response = transfer.response;
        long status = 0;
        curl_off_t microseconds = 0;
        curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(transfer.easy, CURLINFO_TOTAL_TIME_T, &microseconds);
        response.duration = Milliseconds(microseconds / 1000);
        response.bytes = response.body.size() + transfer.header_bytes;
        if (code == CURLE_OK) {
            response.status = static_cast<std::uint32_t>(status);
            return;
        }
        // Before the prerequest callback nothing of the request had been sent.
        response.failure =
            transfer.attempts_on_wire == 0 ? Response::Failure::not_sent : Response::Failure::unknown;
        if (transfer.body_too_large) {
            reason = "the answer is larger than the limit of " + std::to_string(transfer.request.max_body) +
                     " bytes";
        }
        if (reason.empty()) reason = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
        if (code == CURLE_ABORTED_BY_CALLBACK && transfer.attempts_on_wire > 1) {
            reason = "the connection died after the request had been sent; it is not sent twice";
        }
        response.error =
            transfer.request.method + " " + origin_of(transfer.request.url) + " failed: " + reason;
        response.body.clear();
        response.headers.clear();
    }

    asio::io_context& core_;
    asio::steady_timer timer_;
    CURLM* multi_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
    std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
    std::vector<CURL*> idle_;
};

CurlTransport::CurlTransport(asio::io_context& core) : core_(core) { curl_global_init(CURL_GLOBAL_DEFAULT); }
CurlTransport::~CurlTransport() = default;

void CurlTransport::send(Request request, Completion<Response> done) {
    if (!request.egress || !may_send(*request.egress, request.url)) {
        Response response;
        response.failure = Response::Failure::refused;
        const std::string origin = origin_of(request.url);
        response.error = origin.empty()
                             ? "the connector asked for something that is no plain http or https URL"
                             : "the connector asked for " + origin +
                                   ", which this integration may not reach; if that is right, add the host "
                                   "to its allow_hosts";
        asio::post(core_, [done = std::move(done), response = std::move(response)]() mutable {
            done(std::move(response));
        });
        return;
    }
    std::unique_ptr<CurlPool>& pool = pools_[request.pool];
    if (!pool) pool = std::make_unique<CurlPool>(core_);
    pool->start(std::move(request), std::move(done));
}

void CurlTransport::cancel(const std::string& pool) {
    if (const auto found = pools_.find(pool); found != pools_.end()) found->second->cancel();
}

}  // namespace liaisond::http
