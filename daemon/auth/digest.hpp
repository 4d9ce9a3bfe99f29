// Digests and signatures that vendors ask for, over OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace liaisond::auth {

// Raw bytes. `algorithm`: md5, sha1, sha256, sha384, sha512; an error of kind `config` for any other.
Result<std::string> digest(std::string_view algorithm, std::string_view data);
Result<std::string> hmac(std::string_view algorithm, const Secret& key, std::string_view data);

std::string to_base64url(std::string_view bytes);  // without padding (RFC 7515)
// RFC 3986: everything but unreserved characters, as OAuth 1 and forms want it.
std::string percent_encoded(std::string_view text);
// A percent sign that encodes nothing stands for itself.
std::string percent_decoded(std::string_view text);

// A signed JSON Web Token (RFC 7519) with RS256 or ES256, by the kind of the PEM key. `claims` is a JSON
// object.
Result<std::string> signed_jwt(const std::string& claims, const std::string& key_id, const Secret& pem);

}  // namespace liaisond::auth
