#include "web/head.hpp"

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <charconv>

#include "base/text.hpp"

namespace liaisond::web {
namespace {

constexpr std::array<std::string_view, 7> methods{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};

constexpr const char* retry_after = "2";  // seconds: what is too much at one time is soon over

Fault malformed(std::string why) { return Fault(400, "the request is malformed: " + std::move(why)); }

bool is_name_character(char c) {  // RFC 9110 5.6.2, token
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::optional<std::size_t> whole_number(std::string_view text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool fine = !text.empty() && error == std::errc() && end == text.data() + text.size();
    return fine ? std::optional(number) : std::nullopt;
}

// One of a name, or none.
std::optional<Fault> at_most_one(const Request& request, std::string_view name) {
    if (request.count(name) <= 1) return std::nullopt;
    return malformed("more than one " + std::string(name));
}

bool is_plain(std::string_view part) {
    return part != "." && part != ".." && part.find('/') == part.npos && part.find('\\') == part.npos &&
           part.find('\0') == part.npos && valid_utf8(part);
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const auto& [have, value] : headers) {
        if (equals_ignoring_case(have, name)) return value;
    }
    return {};
}

std::size_t Request::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(), [&](const auto& one) {
        return equals_ignoring_case(one.first, name);
    }));
}

Answer refusal_of(const Fault& fault) {
    Answer refusal;
    refusal.status = fault.status;
    refusal.type = "application/problem+json";
    refusal.body = "{\"type\":\"about:blank\",\"status\":" + std::to_string(fault.status) + ",\"detail\":\"" +
                   fault.text + "\"}";
    if (fault.status == 429 || fault.status == 503) refusal.headers.emplace_back("Retry-After", retry_after);
    refusal.close = true;
    return refusal;
}

std::optional<Fault> check_raw_head(std::string_view head) {
    std::size_t fields = 0;
    for (std::size_t at = 0; at < head.size();) {
        const std::size_t end = head.find('\n', at);
        if (end == head.npos || end == at || head[end - 1] != '\r')
            return malformed("a line does not end in CR LF");
        const std::string_view line = head.substr(at, end - 1 - at);
        const bool has_control = std::any_of(line.begin(), line.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        });
        if (has_control) return malformed("a control character in the head");
        if (at != 0 && !line.empty()) {
            if (++fields > max_fields) return Fault(431, "the request has more than 100 header fields");
            if (line.front() == ' ' || line.front() == '\t') return malformed("a folded header line");
            const std::size_t colon = line.find(':');
            const bool is_name = colon != line.npos && colon != 0 &&
                                 std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                                             is_name_character);
            if (!is_name) return malformed("a header line without a name");
        }
        at = end + 1;
    }
    return std::nullopt;
}

std::optional<Fault> check_head(const Request& request, int minor, BodyPlan& plan) {
    if (std::find(methods.begin(), methods.end(), request.method) == methods.end())
        return Fault(501, "the method is not known here");
    if (!request.target.starts_with('/')) return malformed("its target is no path");
    if (request.count("Host") != 1) return malformed("it needs exactly one Host");
    for (const char* name : {"Content-Length", "Transfer-Encoding", "Content-Type", "Authorization"}) {
        if (auto fault = at_most_one(request, name)) return fault;
    }
    if (request.count("Upgrade") != 0) return malformed("Upgrade is not offered here");
    const bool has_length = request.count("Content-Length") != 0,
               has_encoding = request.count("Transfer-Encoding") != 0;
    if (has_encoding) {
        if (minor == 0) return malformed("Transfer-Encoding in HTTP/1.0");
        if (has_length) return malformed("both Content-Length and Transfer-Encoding");
        if (!equals_ignoring_case(request.header("Transfer-Encoding"), "chunked"))
            return Fault(501, "the only transfer encoding known here is chunked");
        plan.is_chunked = true;
    }
    if (has_length) {
        const auto length = whole_number(request.header("Content-Length"));
        if (!length) return malformed("its Content-Length is no number");
        plan.length = *length;
    }
    const bool has_body = plan.is_chunked || plan.length != 0;
    if (has_body && (request.method == "GET" || request.method == "HEAD"))
        return malformed("a body with " + request.method);
    if (request.count("Trailer") != 0) return malformed("trailers are not read here");
    const std::string_view expected = request.header("Expect");
    if (!expected.empty() && !equals_ignoring_case(expected, "100-continue"))
        return Fault(417, "the only expectation known here is 100-continue");
    if (request.count("Content-Encoding") != 0 &&
        !equals_ignoring_case(request.header("Content-Encoding"), "identity"))
        return Fault(415, "bodies are read as they are; send this one without Content-Encoding");
    return std::nullopt;
}

bool is_host_allowed(std::string_view host, const std::set<std::string, std::less<>>& allowed) {
    const bool is_bracketed = host.starts_with('[');
    const std::size_t colon = is_bracketed ? host.find(':', host.find(']')) : host.find(':');
    std::string name(host.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (colon != host.npos && !whole_number(host.substr(colon + 1))) return false;
    return allowed.find(name) != allowed.end();
}

std::optional<Fault> parse_target(Request& request) {
    const auto target = boost::urls::parse_origin_form(request.target);
    if (target.has_error()) return malformed("its target is no path");
    for (const auto segment : target->segments()) {
        const std::string part(segment);
        if (!is_plain(part)) return malformed("its path is not plain");
        request.path.push_back(part);
    }
    if (request.path.size() == 1 && request.path.front().empty()) request.path.clear();
    for (const auto parameter : target->params()) {
        const std::string name(parameter.key), value(parameter.value);
        if (!valid_utf8(name) || !valid_utf8(value)) return malformed("its query is no UTF-8");
        request.query.emplace(name, value);
    }
    return std::nullopt;
}

}  // namespace liaisond::web
