// OAuth 2.0 (RFC 6749, 7523, 7636) without the network: what to ask, and what the answers mean. Who sends it,
// keeps the tokens and renews them in time is sync/logins.hpp.
#pragma once

#include <string>
#include <string_view>

#include "auth/scheme.hpp"
#include "auth/templates.hpp"
#include "base/random.hpp"
#include "http/transport.hpp"

namespace liaisond::auth {

// What an integration holds; kept sealed in the vault, as JSON.
struct Tokens {
    Secret access, refresh;
    Instant expires{};  // of the access token
    // The refresh token was sent and no answer was stored: the vendor may have replaced it.
    bool renewing = false;
    // The vendor has refused the refresh token for good: a person must connect again.
    bool refused = false;
    std::map<std::string, std::string> account;  // what the callback said besides, such as realmId

    Secret to_json() const;
    static Tokens from_json(const Secret& text);
    bool usable(Instant now, Milliseconds early) const { return !access.empty() && now + early < expires; }
};

// The address at which a person lets us in, for a browser. `state` and `verifier` are random texts kept until
// the answer.
struct Authorization {
    Authorization() = default;  // no aggregate: it travels through coroutines
    std::string url, state, verifier, redirect_uri;
};
Result<Authorization> authorization(const OAuth2& oauth, const Scope& scope, const std::string& redirect_uri,
                                    Random& random);

// What came back to the redirect address: its code, or why there is none.
struct Callback {
    Callback() = default;
    std::string code, state;
    std::map<std::string, std::string> account;  // other parameters
};
Result<Callback> parse_callback(std::string_view url);

// Token requests. They go out once: a refresh token may be good for one use only.
Result<http::Request> exchange_request(const OAuth2& oauth, const Scope& scope, const Authorization& asked,
                                       const std::string& code);
Result<http::Request> refresh_request(const OAuth2& oauth, const Scope& scope, const Secret& refresh);
// client_credentials and jwt_bearer: with what the integration is configured with. `id`: a random text for
// the assertion.
Result<http::Request> grant_request(const OAuth2& oauth, const Scope& scope, const std::string& id);

// The tokens in an answer; where it has no new refresh token the old one stays. Errors: `auth` with code
// "needs_reauth" when the grant is gone (invalid_grant), `config` when the client is not known, else
// `transient`.
Result<Tokens> parse_tokens(const http::Response& answer, const Tokens& old, Instant now);

}  // namespace liaisond::auth
