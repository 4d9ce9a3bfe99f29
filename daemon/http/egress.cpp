#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "http/transport.hpp"

namespace liaisond::http {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

enum : std::uint8_t { host_letter = 1, path_letter = 2 };
constexpr std::array<std::uint8_t, 256> letters = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = host_letter | path_letter;
    for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = host_letter | path_letter;
    for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = path_letter;
    table['-'] = table['.'] = host_letter | path_letter;
    for (const char c : std::string_view("_~!$&'()*+,;=:@/?"))
        table[static_cast<unsigned char>(c)] = path_letter;
    return table;
}();

// Of an address as nearly all are: scheme and host in lower case, no user, no fragment, and nothing that
// would need a closer look. Empty for every other.
std::string plain_origin_of(std::string_view url) {
    const std::string_view scheme = url.starts_with("https://")  ? "https"
                                    : url.starts_with("http://") ? "http"
                                                                 : "";
    if (scheme.empty()) return {};
    const auto is = [](char c, std::uint8_t kind) {
        return (letters[static_cast<unsigned char>(c)] & kind) != 0;
    };
    const std::string_view rest = url.substr(scheme.size() + 3);
    std::size_t at = 0;
    while (at < rest.size() && is(rest[at], host_letter)) ++at;
    const std::string_view host = rest.substr(0, at);
    std::string_view port = scheme == "https" ? "443" : "80";
    if (at < rest.size() && rest[at] == ':') {
        const std::size_t from = ++at;
        while (at < rest.size() && rest[at] >= '0' && rest[at] <= '9') ++at;
        port = rest.substr(from, at - from);
    }
    if (host.empty() || port.empty() || port.size() > 5) return {};
    if (at < rest.size() && rest[at] != '/') return {};
    for (; at < rest.size(); ++at) {
        if (!is(rest[at], path_letter)) return {};
    }
    return std::string(scheme) + "://" + std::string(host) + ":" + std::string(port);
}

}  // namespace

std::string origin_of(const std::string& url) {
    std::string plain = plain_origin_of(url);
    if (!plain.empty()) return plain;
    const auto parsed = boost::urls::parse_uri(url);
    if (parsed.has_error() || !parsed->has_authority()) return {};
    const std::string scheme = lower(parsed->scheme());
    if (scheme != "http" && scheme != "https") return {};
    if (parsed->has_userinfo()) return {};  // credentials never travel in URLs
    const std::string port = parsed->has_port()  ? std::string(parsed->port())
                             : scheme == "https" ? "443"
                                                 : "80";
    return scheme + "://" + lower(parsed->encoded_host()) + ":" + port;
}

bool may_send(const Egress& egress, const std::string& url) {
    const std::string origin = origin_of(url);
    if (origin.empty()) return false;
    const std::string host_port = origin.substr(origin.find("//") + 2);
    const std::string host = host_port.substr(0, host_port.rfind(':'));
    for (const std::string& allowed : egress.origins) {
        if (allowed.find("://") != std::string::npos
                ? origin_of(allowed) == origin
                : lower(allowed) == host || lower(allowed) == host_port) {
            return true;
        }
    }
    return false;
}

}  // namespace liaisond::http
