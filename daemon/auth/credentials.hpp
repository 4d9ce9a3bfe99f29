// Secrets of one integration, and the templates that put them into requests. Plugins name schemes; values
// stay here.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "http/transport.hpp"

namespace liaisond::auth {

// Reads every secret from where the configuration says (environment or file of mode 0600 or stricter), and
// registers the values with the redactor. Errors name the credential and its place, never a value.
Result<std::map<std::string, std::string>> read_secrets(
    const std::map<std::string, config::SecretSource>& sources);

// Fills in authentication by the manifest's schemes:
//     {"bearer": {"headers": {"Authorization": "Bearer {{secret:token}}"}}}
// In names and values of headers: {{secret:NAME}}, {{basic:USER:PASSWORD}} (Base64 of both secrets, RFC 7617)
// and
// {{setting:/pointer}}. Nothing else is ever scanned for templates, and secrets go only to the origins the
// integration was configured with (Egress).
class Authorizer {
  public:
    Authorizer(boost::json::object schemes, const boost::json::object& settings,
               std::map<std::string, std::string> secrets);
    // The same with what many integrations share: one set of schemes. `settings` is JSON; it is kept as text
    // and read when a template asks for a setting.
    Authorizer(std::shared_ptr<const boost::json::object> schemes, std::string settings,
               std::map<std::string, std::string> secrets);

    // An error of kind `config` when the scheme, a secret or a setting is missing, or a value cannot stand in
    // a header.
    Status apply(const std::string& scheme, http::Request& request) const;
    // {{secret:NAME}} in a body that the connector flagged as a template; values are escaped for JSON
    // strings.
    Result<std::string> expand_body(const std::string& body) const;

  private:
    Result<std::string> expand(std::string_view text) const;
    Result<std::string> value_of(std::string_view expression) const;
    Result<std::string> secret(std::string_view name) const;

    std::shared_ptr<const boost::json::object> schemes_;
    std::string settings_;
    std::map<std::string, std::string> secrets_;
};

}  // namespace liaisond::auth
