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

}  // namespace

std::string origin_of(const std::string& url) {
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
