#include "auth/oauth2.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/parse.hpp>
#include <charconv>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::auth {
namespace json = boost::json;
namespace {

constexpr Milliseconds usual_life{3600'000};  // RFC 6749 5.1 only recommends expires_in
constexpr std::int64_t assertion_life_s = 300;

std::string random_text(Random& random) {
    std::string bytes(32, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return to_base64url(bytes);
}

std::string form_of(const std::map<std::string, std::string>& parameters) {
    std::string text;
    for (const auto& [name, value] : parameters)
        text += (text.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
    return text;
}

using Parameters = std::map<std::string, std::string>;

Status expand_into(const Parameters& templates, const Scope& scope, Parameters& into) {
    for (const auto& [name, value] : templates) {
        auto text = expand(value, scope, Place::plain);
        if (!text) return fail(text.error());
        into[name] = std::move(*text);
    }
    return {};
}

Result<std::string> assertion(const OAuth2& oauth, const Scope& scope, const std::string& id) {
    Parameters claims;
    const Status filled = expand_into(oauth.claims, scope, claims);
    if (!filled) return fail(filled.error());
    const std::int64_t now = to_unix_ms(scope.now) / 1000;
    json::object body{{"iat", now}, {"exp", now + assertion_life_s}, {"jti", id}};
    for (const auto& [name, value] : claims) body[name] = value;
    auto key = expand(oauth.private_key, scope, Place::plain);
    if (!key) return fail(key.error());
    auto key_id = expand(oauth.key_id, scope, Place::plain);
    if (!key_id) return fail(key_id.error());
    return signed_jwt(json::serialize(body), *key_id, Secret(std::move(*key)));
}

Result<http::Request> token_request(const OAuth2& oauth, const Scope& scope, Parameters form) {
    http::Request request;
    request.method = "POST";
    request.mutates = true;
    auto url = expand(oauth.token_url, scope, Place::plain);
    if (!url) return fail(url.error());
    request.url = std::move(*url);
    const Status more = expand_into(oauth.parameters, scope, form);
    if (!more) return fail(more.error());
    const bool has_client = oauth.grant != Grant::jwt_bearer && !oauth.assertion_is_client;
    if (has_client) {
        auto id = expand(oauth.client_id, scope, Place::plain);
        if (!id) return fail(id.error());
        auto secret = oauth.client_secret.empty() ? Result<std::string>(std::string())
                                                  : expand(oauth.client_secret, scope, Place::plain);
        if (!secret) return fail(secret.error());
        if (oauth.client_in_body || secret->empty()) {
            form["client_id"] = *id;
            if (!secret->empty()) form["client_secret"] = *secret;
        } else {
            // RFC 6749 2.3.1: both are form-encoded first.
            const std::string encoded = to_base64(percent_encoded(*id) + ":" + percent_encoded(*secret));
            redactor().add(encoded);
            request.headers.emplace_back("Authorization", "Basic " + encoded);
        }
    }
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.headers.emplace_back("Accept", "application/json");
    Parameters headers;
    const Status further = expand_into(oauth.headers, scope, headers);
    if (!further) return fail(further.error());
    for (auto& [name, value] : headers) request.headers.emplace_back(name, std::move(value));
    request.body = form_of(form);
    return request;
}

std::string text_in(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// `expires_in`, as the number that RFC 6749 asks for or as the text that some vendors write. Nothing where it
// is neither, or no time that a token lives.
std::optional<Milliseconds> life_in(const json::object& object) {
    constexpr double longest = 10 * 366 * 86'400.0;  // seconds
    const json::value* found = object.if_contains("expires_in");
    if (found == nullptr) return std::nullopt;
    double seconds = 0;
    if (found->is_string()) {
        const json::string& text = found->get_string();
        const auto [end, error] = std::from_chars(text.begin(), text.end(), seconds);
        if (error != std::errc() || end != text.end()) return std::nullopt;
    } else if (found->is_number()) {
        seconds = found->to_number<double>();
    }
    if (!(seconds > 0 && seconds <= longest)) return std::nullopt;  // what is no number is neither
    return Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

Secret Tokens::to_json() const {
    json::object body{{"access", access.reveal()},
                      {"refresh", refresh.reveal()},
                      {"expires", to_unix_ms(expires)},
                      {"renewing", renewing},
                      {"refused", refused}};
    json::object& known = body["account"].emplace_object();
    for (const auto& [name, value] : account) known[name] = value;
    return Secret(json::serialize(body));
}

Tokens Tokens::from_json(const Secret& text) {
    Tokens tokens;
    boost::system::error_code error;
    const json::value parsed = json::parse(text.reveal(), error);
    if (error || !parsed.is_object()) return tokens;
    const json::object& body = parsed.get_object();
    const auto flag = [&](const char* key) {
        const json::value* found = body.if_contains(key);
        return found != nullptr && found->is_bool() && found->get_bool();
    };
    tokens.access = Secret(text_in(body, "access"));
    tokens.refresh = Secret(text_in(body, "refresh"));
    const json::value* expires = body.if_contains("expires");
    tokens.expires = from_unix_ms(expires != nullptr && expires->is_int64() ? expires->get_int64() : 0);
    tokens.renewing = flag("renewing");
    tokens.refused = flag("refused");
    const json::value* account = body.if_contains("account");
    if (account != nullptr && account->is_object()) {
        for (const auto& [name, value] : account->get_object()) {
            if (value.is_string()) tokens.account[std::string(name)] = value.get_string();
        }
    }
    return tokens;
}

Result<Authorization> authorization(const OAuth2& oauth, const Scope& scope, const std::string& redirect_uri,
                                    Random& random) {
    if (oauth.grant != Grant::authorization_code)
        return fail(ErrorKind::config, "this connector signs in by itself; nobody has to connect it");
    Authorization asked;
    asked.state = random_text(random);
    asked.verifier = random_text(random);
    asked.redirect_uri = redirect_uri;
    auto url = expand(oauth.authorize_url, scope, Place::plain);
    if (!url) return fail(url.error());
    auto client = expand(oauth.client_id, scope, Place::plain);
    if (!client) return fail(client.error());
    Parameters query{{"response_type", "code"},
                     {"client_id", *client},
                     {"redirect_uri", redirect_uri},
                     {"state", asked.state}};
    auto wanted = expand(oauth.scope, scope, Place::plain);
    if (!wanted) return fail(wanted.error());
    if (!wanted->empty()) query["scope"] = *wanted;
    if (oauth.pkce) {
        query["code_challenge"] = to_base64url(*digest("sha256", asked.verifier));
        query["code_challenge_method"] = "S256";
    }
    const Status more = expand_into(oauth.authorize_parameters, scope, query);
    if (!more) return fail(more.error());
    asked.url = *url + (url->find('?') == std::string::npos ? "?" : "&") + form_of(query);
    return asked;
}

Result<Callback> parse_callback(std::string_view url) {
    const auto parsed = boost::urls::parse_uri_reference(url);
    if (parsed.has_error())
        return fail(ErrorKind::permanent,
                    "that is no address; paste the whole one to which the browser was sent back");
    Callback callback;
    std::string error, description;
    for (const auto parameter : parsed->params()) {
        const std::string name(parameter.key), value(parameter.value);
        if (name == "code")
            callback.code = value;
        else if (name == "state")
            callback.state = value;
        else if (name == "error")
            error = value;
        else if (name == "error_description")
            description = value;
        else
            callback.account[name] = value;
    }
    if (!error.empty())
        return fail(ErrorKind::auth,
                    "the vendor did not let us in: " + shortened(error, 100) +
                        (description.empty() ? "" : " (" + shortened(description, 300) + ")"));
    if (callback.code.empty() || callback.state.empty())
        return fail(
            ErrorKind::permanent,
            "that address has no code and state; paste the whole one to which the browser was sent back");
    redactor().add(callback.code);
    return callback;
}

Result<http::Request> exchange_request(const OAuth2& oauth, const Scope& scope, const Authorization& asked,
                                       const std::string& code) {
    Parameters form{
        {"grant_type", "authorization_code"}, {"code", code}, {"redirect_uri", asked.redirect_uri}};
    if (oauth.pkce) form["code_verifier"] = asked.verifier;
    return token_request(oauth, scope, std::move(form));
}

Result<http::Request> refresh_request(const OAuth2& oauth, const Scope& scope, const Secret& refresh) {
    return token_request(oauth, scope,
                         {{"grant_type", "refresh_token"}, {"refresh_token", refresh.reveal()}});
}

Result<http::Request> grant_request(const OAuth2& oauth, const Scope& scope, const std::string& id) {
    const bool bearer = oauth.grant == Grant::jwt_bearer;
    Parameters form{
        {"grant_type", bearer ? "urn:ietf:params:oauth:grant-type:jwt-bearer" : "client_credentials"}};
    auto wanted = expand(oauth.scope, scope, Place::plain);
    if (!wanted) return fail(wanted.error());
    if (!wanted->empty()) form["scope"] = *wanted;
    if (bearer || oauth.assertion_is_client) {
        auto signed_text = assertion(oauth, scope, id);
        if (!signed_text) return fail(signed_text.error());
        form[bearer ? "assertion" : "client_assertion"] = std::move(*signed_text);
        if (!bearer) form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    }
    return token_request(oauth, scope, std::move(form));
}

Result<Tokens> parse_tokens(const http::Response& answer, const Tokens& old, Instant now) {
    if (answer.failure == http::Response::Failure::refused) return fail(ErrorKind::config, answer.error);
    if (answer.failure != http::Response::Failure::none)
        return fail(ErrorKind::transient, "the vendor's token endpoint did not answer: " + answer.error);
    boost::system::error_code error;
    const json::value parsed = json::parse(answer.body, error);
    const json::object empty, &body = !error && parsed.is_object() ? parsed.get_object() : empty;
    const std::string code = text_in(body, "error"),
                      said = shortened(text_in(body, "error_description"), 300);
    const std::string words = "HTTP " + std::to_string(answer.status) +
                              (code.empty() ? "" : " " + shortened(code, 100)) +
                              (said.empty() ? "" : ": " + redactor().scrub(said));
    const std::string access = text_in(body, "access_token");
    if (answer.status == 200 && !access.empty()) {
        Tokens tokens;
        tokens.access = Secret(access);
        redactor().add(access);
        const std::string refresh = text_in(body, "refresh_token");
        tokens.refresh = refresh.empty() ? old.refresh : Secret(refresh);
        redactor().add(refresh);
        tokens.expires = now + life_in(body).value_or(usual_life);
        tokens.account = old.account;
        return tokens;
    }
    // RFC 6749 5.2. Some vendors answer 401 where the RFC says 400.
    const bool refused = answer.status == 400 || answer.status == 401 || answer.status == 403;
    if (refused && code == "invalid_grant")
        return fail(
            Error{ErrorKind::auth,
                  "the vendor no longer accepts what this integration was connected with (" + words + ")",
                  {},
                  "needs_reauth"});
    if (refused && !code.empty())
        return fail(ErrorKind::config, "the vendor's token endpoint refused the client (" + words +
                                           "); check client id, client secret and scope");
    return fail(ErrorKind::transient, "the vendor's token endpoint gave no token (" + words + ")");
}

}  // namespace liaisond::auth
