// Credentials of one integration, and how they get into its requests. Plugins name schemes; values stay here.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "auth/scheme.hpp"
#include "auth/templates.hpp"
#include "auth/vault.hpp"
#include "base/random.hpp"
#include "config/config.hpp"
#include "http/transport.hpp"

namespace liaisond::auth {

using Credentials = std::map<std::string, Secret, std::less<>>;

// Reads every secret from where the configuration says (vault, environment, or a file of mode 0600 or
// stricter), and registers the values with the redactor. Errors name the credential and its place, never a
// value. `vault` null: there is none. `is_public`: names that are no secrets (user names, client ids) and may
// be read in logs.
Result<Credentials> read_secrets(const std::map<std::string, config::SecretSource>& sources,
                                 const Secrets* vault, const std::set<std::string>& is_public = {});

// Authenticates requests by the schemes of the manifest. Nothing but what a scheme says, and bodies that the
// connector flagged, is ever scanned for templates; secrets go only to the origins the integration was
// configured with (Egress), which whoever sends has to see to. [core thread]
class Authorizer {
  public:
    // `schemes` are shared by the integrations of a connector. `settings` is JSON; it is kept as text and
    // read when a template asks for a setting.
    Authorizer(std::shared_ptr<const Schemes> schemes, std::string settings, Credentials credentials);

    // Null for a name that the manifest does not have.
    const Scheme* scheme(std::string_view name) const;
    // The one for which a person has to let us in, of those that these settings are for; null when there is
    // none.
    const Scheme* connectable() const;
    // Errors are of kind `config` when the scheme, a credential or a setting is missing, or a value cannot
    // stand in a header. `live`: what the scheme needs from the vendor, where it needs something.
    Status apply(const std::string& scheme, http::Request& request, const Live& live, Instant now,
                 Random& random) const;
    // A body that the connector flagged as a template, escaped for what its Content-Type says it is.
    Status expand_body(http::Request& request, const Live& live, Instant now) const;

    Scope scope(const Live& live, Instant now) const { return {credentials_, settings_, live, now}; }

  private:
    bool is_meant(const Scheme& scheme) const;

    std::shared_ptr<const Schemes> schemes_;
    std::string settings_;
    Credentials credentials_;
};

}  // namespace liaisond::auth
