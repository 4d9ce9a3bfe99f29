// What a request and its answer are, apart from how they travel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace liaisond::web {

// Who asks.
struct Peer {
    bool is_local = false;   // on the unix socket, whose file permission has let them in
    bool is_secure = false;  // TLS here, or at a proxy that is trusted
    std::string address;  // as text; the client's own where a trusted proxy says so; empty on the unix socket
};

struct Request {
    // Empty where there is none; names without case. Of a repeated header the first.
    std::string_view header(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    // For its handler, once it knows who asks: of strangers the server serves few at one time. Any thread.
    void recognise() const {
        if (on_recognised) on_recognised();
    }

    std::string method;                                          // "GET", "POST", ...
    std::string target;                                          // as sent: "/api/v1/runs?limit=3"
    std::vector<std::string> path;                               // decoded segments: {"api", "v1", "runs"}
    std::multimap<std::string, std::string, std::less<>> query;  // decoded
    std::vector<std::pair<std::string, std::string>> headers;    // in their order
    std::string body;
    Peer peer;
    std::function<void()> on_recognised = {};
};

// An answer that goes on: events, or a long list. Belongs to the connection's thread; every function may be
// called from any thread, and does nothing once the other side has gone.
class Stream {
  public:
    virtual ~Stream() = default;
    virtual void send(std::string piece) = 0;
    virtual void end() = 0;
    // Called, on the server's thread, whenever all that was sent has left, and once more with false when
    // nobody listens any longer.
    virtual void on_drained(std::function<void(bool open)> call) = 0;
};

struct Answer {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
    // Instead of a body: called once the head has left.
    std::function<void(std::shared_ptr<Stream>)> stream = {};
    // Nothing more is wanted on this connection.
    bool close = false;
};

// Answers exactly once, now or later, from any thread; where the function is dropped unused the server
// answers 500.
using Reply = std::function<void(Answer)>;
using Handler = std::function<void(Request, Reply)>;

}  // namespace liaisond::web
