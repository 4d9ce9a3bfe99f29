// What travels between the HTTP session and a vendor: a request taken apart, a response not yet framed,
// and Refusal, the exception by which a handler answers an error from any depth. No sockets here.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json.hpp"

namespace liaison_sim {

namespace http = boost::beast::http;

struct Request {
    http::verb method = http::verb::get;
    std::string target;
    // Decoded path segments; a vendor sees them without its own prefix.
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> query;
    http::fields headers;
    std::string body;

    bool is_write() const { return method != http::verb::get && method != http::verb::head; }
    std::string header(std::string_view name) const;
    // Fills target, segments and query; false when the target is not a valid origin form.
    bool set_target(std::string_view text);
};

struct FieldError {
    std::string field;  // JSON pointer, or the name of a query parameter
    std::string message;
};

struct Response {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool committed = false;  // a vendor's state changed; the lossy switches act on this

    Response& with(std::string name, std::string value);
};

struct Refusal {
    Response response;
};

Response json_response(unsigned status, std::string body);
Response error_response(unsigned status, std::string_view code, std::string_view message,
                        const std::vector<FieldError>& fields = {});
[[noreturn]] void refuse(unsigned status, std::string_view code, std::string_view message,
                         const std::vector<FieldError>& fields = {});

// The request's JSON body: 415 for another Content-Type, 400 when it does not parse.
Json parse_body(const Request& request);

// Query parameters, checked: an unknown name, a repeated name or a bad value is 400.
class Params {
  public:
    Params(const Request& request, std::initializer_list<std::string_view> allowed);
    std::optional<std::string> text(std::string_view name) const;
    std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                         std::int64_t high) const;
    std::optional<std::int64_t> instant(std::string_view name) const;

  private:
    const Request& request_;
};

}  // namespace liaison_sim
