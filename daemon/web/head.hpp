// The head of a request, judged before anything believes it. Sans-IO.
//
// Boost.Beast 1.81 reads more than RFC 9112 allows: folded lines, `Transfer-Encoding: gzip, chunked` beside a
// Content-Length, absolute targets, requests with two hosts. Where a proxy in front reads such a request
// another way, one request hides in another (request smuggling). What is not plain is refused here, and
// nothing more is read from such a connection.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "web/message.hpp"

namespace liaisond::web {

struct Fault {
    Fault(unsigned status, std::string text) : status(status), text(std::move(text)) {}
    unsigned status;
    std::string text;  // for the client: what is wrong with its request
};

// The answer that says so, after which the connection ends: what follows on it is not to be trusted.
Answer refusal_of(const Fault& fault);

inline constexpr std::size_t max_head_bytes = 8u << 10, max_fields = 100;

// Of the raw bytes up to and including the empty line.
std::optional<Fault> check_raw_head(std::string_view head);

// What the parsed head says about its body.
struct BodyPlan {
    bool is_chunked = false;
    std::size_t length = 0;  // of a body that is not chunked
};
// `request` has its method, target and headers. `minor`: of the version HTTP/1.x.
std::optional<Fault> check_head(const Request& request, int minor, BodyPlan& plan);

// Whether the Host header names this server, against DNS rebinding. `allowed`: names in lower case without
// port.
bool is_host_allowed(std::string_view host, const std::set<std::string, std::less<>>& allowed);

// Fills in path and query. Refused are relative segments, NUL and slashes hidden in a segment, and what is no
// UTF-8.
std::optional<Fault> parse_target(Request& request);

}  // namespace liaisond::web
