// Logins: what integrations hold from their vendors for a while - OAuth 2 tokens, sessions. Obtained when
// first needed, by one request at a time; an OAuth token is durable before anybody sends it, and before a
// refresh token is used the vault knows that it may be used up. [core thread]
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/oauth2.hpp"
#include "auth/vault.hpp"
#include "sync/fiber.hpp"
#include "sync/gate.hpp"
#include "sync/link.hpp"

namespace liaisond::sync {

class Logins {
  public:
    using Live = std::shared_ptr<const auth::Live>;
    using LinkPtr = std::shared_ptr<const Link>;

    Logins(const Ports& ports, Fibers& fibers, Gates& gates);
    ~Logins();

    // What requests of that scheme are sent with. Errors: `auth` with code "needs_reauth" when a person has
    // to connect the integration (again), `auth` when the vendor refuses its credentials, `transient` when it
    // cannot be asked.
    Await<Result<Live>> of(const LinkPtr& link, const auth::Scheme& scheme);
    // The vendor refused what it was sent with: the next one to ask gets something new.
    void refused(const Link& link, const auth::Scheme& scheme, std::uint64_t generation);
    // A vendor changed a cookie of the session.
    void learn(const Link& link, const auth::Scheme& scheme, const std::string& cookie,
               const std::string& value);

    // The integration is configured anew: sessions, refusals and what is cached of its tokens are forgotten.
    void forget(const std::string& integration);
    // What a person has to do; empty: nothing.
    std::string problem(const Link& link) const;

    // ---- connecting by hand (authorization code) ----
    // The address to open in a browser, which afterwards is sent to `redirect_uri`.
    Result<std::string> begin_connect(const LinkPtr& link, const std::string& redirect_uri);
    // With the address to which it was sent; completes with what else it said ("realmId").
    void finish_connect(const LinkPtr& link, const std::string& callback,
                        Completion<Result<std::map<std::string, std::string>>> done);

    // Ends the sessions that vendors count.
    void log_out(std::function<void()> done);

  private:
    struct Held;  // by one integration for one scheme
    using HeldPtr = std::shared_ptr<Held>;
    using Key = std::pair<std::string, std::string>;

    HeldPtr held(const LinkPtr& link, const auth::Scheme& scheme);
    Task<void> obtain(HeldPtr held);
    Task<Status> obtain_tokens(Held& held);
    Task<Status> obtain_session(Held& held);
    Task<Status> renew(Held& held);
    Task<Result<auth::Tokens>> ask(Held& held, http::Request& request);
    Task<void> exchange(HeldPtr held, auth::Authorization asked, auth::Callback callback,
                        Completion<Result<std::map<std::string, std::string>>> done);
    Task<void> log_out_all(std::function<void()> done);
    Await<http::Response> send(Held& held, http::Request request);
    Await<Status> keep(Held& held, const auth::Tokens& tokens);
    void adopt(Held& held, auth::Live live);
    void load(Held& held);

    const Ports& ports_;
    Fibers& fibers_;
    Gates& gates_;
    std::map<Key, HeldPtr> held_;
    std::map<std::string, std::pair<std::string, auth::Authorization>>
        asked_;  // by state: integration, what was asked
    std::uint64_t generations_ = 0;
};

// What a login job brings: its requests are sent for it, and their cookies are kept.
struct LoginCapture {
    const auth::Scheme* scheme = nullptr;
    std::map<std::string, Secret, std::less<>> session;
};

// "B1SESSION=abc; HttpOnly;" - its name and value. Attributes are ignored: the host sends a session's cookies
// to the integration's own origins and nowhere else. Some vendors send what strict cookie jars drop
// (sap_b1.md 2).
std::pair<std::string, std::string> cookie_in(std::string_view header);

}  // namespace liaisond::sync
