// Transport: the port through which requests leave the house. It decides nothing about retries; a request
// that mutates is put on the wire at most once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/completion.hpp"
#include "base/time.hpp"

namespace liaisond::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Where one integration may go. Anything else is refused before a byte leaves.
struct Egress {
    std::vector<std::string>
        origins;  // "https://host:port", or "host" / "host:port" for any of http and https
    std::vector<std::string> folders;  // for file: requests; absolute
};

struct Request {
    std::string method, url, body;
    Headers headers;
    bool mutates = false;
    Milliseconds connect_timeout{10'000}, timeout{30'000};
    std::uint64_t max_body = 32u << 20;  // bytes of the answer
    std::string ca_file;                 // PEM; trusted instead of the system's authorities; empty: those
    std::string pool;                    // connections are shared within a pool: the integration's id
    std::shared_ptr<const Egress> egress;
};

struct Response {
    // `none` when an answer arrived, whatever its status.
    enum class Failure : std::uint8_t {
        none,
        not_sent,  // certainly not executed: not allowed, no address, no connection
        unknown,   // something may have reached the vendor
        refused,   // not allowed by the integration's egress rules: a matter of configuration
    } failure = Failure::none;
    std::uint32_t status = 0;
    Headers headers;
    std::string body, error;  // error: one sentence for people
    Milliseconds duration{0};
    std::uint64_t bytes = 0;  // received
};

class Transport {
  public:
    virtual ~Transport() = default;
    virtual void send(Request request, Completion<Response> done) = 0;
    // Ends every request of the pool now; each completes with failure `unknown` (or `not_sent`).
    virtual void cancel(const std::string& pool) = 0;
};

// "https://host:443/path" -> "https://host:443"; the default port is written out. Empty when it is no http(s)
// URL.
std::string origin_of(const std::string& url);
bool may_send(const Egress& egress, const std::string& url);

}  // namespace liaisond::http
