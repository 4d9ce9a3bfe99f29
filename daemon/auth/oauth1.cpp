#include "auth/oauth1.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"

namespace liaisond::auth {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Parameters of a form or a query, decoded: '+' is a blank there.
void add_parameters(std::string_view text, Pairs& into) {
    for (std::string& pair : split(text, '&')) {
        if (pair.empty()) continue;
        std::replace(pair.begin(), pair.end(), '+', ' ');
        const std::string_view whole = pair;
        const std::size_t equals = whole.find('=');
        into.emplace_back(percent_decoded(whole.substr(0, equals)),
                          equals == whole.npos ? std::string() : percent_decoded(whole.substr(equals + 1)));
    }
}

// RFC 5849 3.4.1.3.2: encoded, sorted, joined.
std::string normalized(const Pairs& parameters) {
    Pairs encoded;
    for (const auto& [name, value] : parameters)
        encoded.emplace_back(percent_encoded(name), percent_encoded(value));
    std::sort(encoded.begin(), encoded.end());
    std::string text;
    for (const auto& [name, value] : encoded) text += (text.empty() ? "" : "&") + name + "=" + value;
    return text;
}

// RFC 5849 3.4.1.2: scheme and host in lower case, without a usual port, query and fragment.
std::string base_uri(const boost::urls::url_view& url) {
    std::string host(url.encoded_host());
    std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::string scheme(url.scheme());
    const std::string port(url.port());
    const bool usual =
        port.empty() || (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
    const std::string path(url.encoded_path());
    return scheme + "://" + host + (usual ? "" : ":" + port) + (path.empty() ? "/" : path);
}

}  // namespace

Result<std::string> oauth1_header(const OAuth1& oauth, const Scope& scope, const http::Request& request,
                                  const std::string& nonce) {
    std::string values[5];
    std::size_t next = 0;
    for (const std::string* text :
         {&oauth.consumer_key, &oauth.consumer_secret, &oauth.token, &oauth.token_secret, &oauth.realm}) {
        auto value = expand(*text, scope, Place::plain);
        if (!value) return fail(value.error());
        values[next++] = std::move(*value);
    }
    const auto& [consumer_key, consumer_secret, token, token_secret, realm] = values;
    const auto url = boost::urls::parse_uri(request.url);
    if (url.has_error()) return fail(ErrorKind::internal, "the connector asks for a malformed URL");
    Pairs head{{"oauth_consumer_key", consumer_key},
               {"oauth_nonce", nonce},
               {"oauth_signature_method", "HMAC-SHA256"},
               {"oauth_timestamp", std::to_string(to_unix_ms(scope.now) / 1000)},
               {"oauth_token", token},
               {"oauth_version", "1.0"}};
    Pairs all = head;
    add_parameters(std::string_view(url->encoded_query()), all);
    const auto is_form = [](const auto& header) {
        return header.first == "Content-Type" && place_of(header.second) == Place::form;
    };
    if (std::any_of(request.headers.begin(), request.headers.end(), is_form))
        add_parameters(request.body, all);
    const std::string base =
        request.method + "&" + percent_encoded(base_uri(*url)) + "&" + percent_encoded(normalized(all));
    const auto signature =
        hmac("sha256", Secret(percent_encoded(consumer_secret) + "&" + percent_encoded(token_secret)), base);
    if (!signature) return fail(signature.error());
    head.emplace_back("oauth_signature", to_base64(*signature));
    std::string text = "OAuth ";
    if (!realm.empty()) text += "realm=\"" + percent_encoded(realm) + "\", ";
    for (std::size_t i = 0; i < head.size(); ++i)
        text += (i == 0 ? "" : ", ") + head[i].first + "=\"" + percent_encoded(head[i].second) + "\"";
    return text;
}

}  // namespace liaisond::auth
