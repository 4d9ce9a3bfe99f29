// Templates: how secrets get into requests (abi.md 6). Only values that are flagged as templates are ever
// expanded; each value is escaped for the place where it stands.
//     {{secret:NAME}}              a credential of the integration
//     {{setting:/pointer}}         a text among its settings
//     {{setting:/pointer|TEXT}}    the same, or TEXT where it is not there
//     {{setting:/pointer|/other=WORD?TEXT|TEXT}}
//                                  before that last one, a TEXT for where another setting is WORD
//     {{token}}, {{session:NAME}}  what it holds from the vendor for a while (an access token, a session)
//     {{basic:USER:PASSWORD}}      Base64 of two credentials (RFC 7617)
//     {{now_s}}                    Unix seconds, the same in the whole request
//     {{hex:sha512:TERM+TERM}}     a digest (also base64:, and any of auth/digest.hpp) of secret:, setting:,
//     session:,
//                                  token and now_s, one after the other
//     {{{{}}                       two braces
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace liaisond::auth {

// What an integration holds from its vendor for a while.
struct Live {
    std::uint64_t generation = 0;  // grows with each new one; 0: none
    Secret token;
    std::map<std::string, Secret, std::less<>> session;
};

// Where an expanded value stands.
enum class Place : std::uint8_t { header, json, xml, form, plain };
// By the Content-Type of a body.
Place place_of(std::string_view content_type);

struct Scope {
    const std::map<std::string, Secret, std::less<>>& secrets;
    const std::string& settings;  // JSON
    const Live& live;
    Instant now;
};

// Errors are of kind `config` and name what is missing, never a value.
Result<std::string> expand(std::string_view text, const Scope& scope, Place place);

}  // namespace liaisond::auth
