// Schemes: how requests of a connector are authenticated, as its manifest declares it.
//
//     "bearer": {"headers": {"Authorization": "Bearer {{secret:token}}"}}
//
//     "oauth": {"oauth2": {"grant": "authorization_code", "authorize_url": "https://...", "token_url":
//     "https://...",
//                          "client_id": "{{secret:client_id}}", "client_secret": "{{secret:client_secret}}",
//                          "client_auth": "basic", "scope": "accounting"},
//               "headers": {"Authorization": "Bearer {{token}}"}}
//
//     "session": {"session": {"cookies": ["B1SESSION", "ROUTEID"], "idle": "25m"}}
//
// "when": {"/series": "k"} beside them: the scheme is for integrations with those settings; a person connects
// it only there. Without: for all.
//
// What stands for a text may be a template (templates.hpp).
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace liaisond::auth {

// RFC 6749, RFC 7523 (jwt_bearer).
enum class Grant : std::uint8_t { authorization_code, client_credentials, jwt_bearer };

struct OAuth2 {
    Grant grant = Grant::client_credentials;
    std::string token_url, authorize_url;
    std::string client_id = "{{secret:client_id}}", client_secret = "{{secret:client_secret}}";
    bool client_in_body = false;  // else by HTTP Basic, as RFC 6749 2.3.1 prefers
    bool pkce = true;             // RFC 7636, S256
    std::string scope;
    std::map<std::string, std::string> parameters;            // further ones of a token request
    std::map<std::string, std::string> authorize_parameters;  // further ones of the authorization request
    std::map<std::string, std::string> headers;               // further ones of a token request
    Milliseconds early{60'000};  // an access token is renewed so long before its end
    Milliseconds settle{0};      // a new one may be refused so long, before the vendor's servers all know it
    // jwt_bearer
    std::string private_key = "{{secret:private_key}}", key_id;
    std::map<std::string, std::string> claims;
    bool assertion_is_client =
        false;  // RFC 7523 2.2: it authenticates the client of a client_credentials grant
};

// RFC 5849 with HMAC-SHA256; its values are templates.
struct OAuth1 {
    std::string consumer_key, consumer_secret, token, token_secret, realm;
};

// A login job of the connector brings cookies that the host keeps and sends, and values for {{session:NAME}}.
struct Session {
    std::vector<std::string> cookies;
    Milliseconds idle{0};  // unused for so long, it is not worth trying; 0: not known
    bool logout = false;   // the connector has a logout job, and vendors count open sessions
};

struct Scheme {
    std::string name;
    std::map<std::string, std::string> headers, query;  // templates, in names and values
    std::map<std::string, std::string> when;            // texts of settings, by JSON pointer
    std::vector<unsigned> expired = {401};              // answers after which a new token or session may help
    std::optional<OAuth2> oauth2;
    std::optional<OAuth1> oauth1;
    std::optional<Session> session;

    // Whether something must be obtained from the vendor first.
    bool needs_login() const { return oauth2 || session; }
};

using Schemes = std::map<std::string, Scheme, std::less<>>;

// Errors name the key: "auth.oauth.oauth2.grant is 'password'; known are ...".
Result<Scheme> parse_scheme(const std::string& name, const boost::json::object& definition);

}  // namespace liaisond::auth
