// Directory: which webhooks the configuration lets in, and their secrets: those it names, or those that
// liaison made and keeps in the vault. It makes the endpoints anew whenever one of the two changes. [core
// thread]
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/vault.hpp"
#include "base/random.hpp"
#include "config/config.hpp"
#include "webhooks/endpoint.hpp"

namespace liaisond::webhooks {

// Secrets that liaison made: one, or while it replaces another two.
struct MadeSecrets {
    struct One {
        Secret value;
        Instant made{};
    };
    std::optional<One> current, old;
    Instant old_until{};  // from then on the old one is not accepted
};

class Directory {
  public:
    using Publish = std::function<void(std::shared_ptr<const Endpoints>)>;
    // What was published, as people see it.
    struct Entry {
        std::string tenant, integration;
        bool enabled = true;
        std::shared_ptr<const config::Webhook> rules;
        std::shared_ptr<Counters> counters;
        std::string problem;  // why nothing can be let in; empty: it can
    };

    // `secrets` outlives this.
    Directory(const auth::Secrets& secrets, Publish publish);

    void configure(const config::Config& config);
    // After the secrets have changed.
    void refresh();

    // By integration.
    const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
    // Null where the integration has no webhook.
    const Entry* find(std::string_view integration) const;
    // Why some let nothing in; each sentence names its integration.
    std::vector<std::string> problems() const;
    // The address that the vendor is told, without a token.
    std::string url(const Entry& entry) const;

    MadeSecrets made_secrets(std::string_view integration) const;
    // With a new secret in front; the one before stays for a day. For save(), and then refresh().
    MadeSecrets renewed(const Entry& entry, Instant now, Random& random) const;
    // What to seal in the row of that name.
    static Secret written(const MadeSecrets& made);
    static std::string row_name(std::string_view integration) {
        return "webhook/" + std::string(integration);
    }

  private:
    Endpoint endpoint(Entry& entry) const;

    const auth::Secrets& secrets_;
    Publish publish_;
    std::string public_url_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace liaisond::webhooks
