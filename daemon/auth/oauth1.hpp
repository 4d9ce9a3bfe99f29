// OAuth 1.0a request signing with HMAC-SHA256 (RFC 5849; NetSuite's token-based authentication).
#pragma once

#include <string>

#include "auth/scheme.hpp"
#include "auth/templates.hpp"
#include "http/transport.hpp"

namespace liaisond::auth {

// The value of the Authorization header. `nonce`: a text that is never used twice.
Result<std::string> oauth1_header(const OAuth1& oauth, const Scope& scope, const http::Request& request,
                                  const std::string& nonce);

}  // namespace liaisond::auth
