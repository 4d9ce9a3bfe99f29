// What the OAuth 2 services of several vendors share (RFC 6749, authorization code and refresh): who was let
// in, how long tokens are good, and how a token request is read. What is peculiar to a vendor stays with it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "message.hpp"

namespace liaison_sim {

// Who may do what, shared by a token service and the API behind it. Its functions lock.
class TokenBook {
  public:
    enum class Rotate { always, daily, never };
    struct Rules {
        Rotate rotate = Rotate::daily;  // when a refresh brings another refresh token
        std::int64_t grace_s = 86'400;  // how long the one before stays good
        std::int64_t access_s = 3'600;
        std::int64_t refresh_s = 100 * 86'400;
        std::int64_t lag_ms = 0;  // a new access token is refused so long
    };
    struct Pair {
        std::string access, refresh;
    };

    TokenBook() : TokenBook({}, Rules()) {}
    // `issuer`: begins all that it gives out, so that nothing is good at another one.
    TokenBook(std::string issuer, const Rules& rules)
        : issuer_(std::move(issuer)), usual_rules_(rules), rules_(rules) {}

    std::string new_code(const std::string& redirect_uri);
    // Nothing when the code is used up, or belongs to another address.
    std::optional<Pair> exchange(const std::string& code, const std::string& redirect_uri);
    std::optional<Pair> refresh(const std::string& token);
    bool may_read(const std::string& access) const;
    // Somebody disconnects the app: nothing is good any more.
    void revoke();
    void expire_access();
    void clear();

    Rules rules() const;
    void set_rules(const Rules& rules);

  private:
    struct Access {
        std::int64_t from_ms, to_ms;
    };
    struct Refresh {
        std::int64_t born_ms, to_ms;
        bool is_current;
    };
    std::string made(const char* kind);
    Pair give(const std::string& refresh);
    std::string new_refresh();

    const std::string issuer_;
    const Rules usual_rules_;
    Rules rules_;
    std::map<std::string, std::string> codes_;
    std::map<std::string, Access> access_;
    std::map<std::string, Refresh> refresh_;
    std::uint64_t count_ = 0;
    mutable std::mutex mutex_;  // guards everything above
};

using Form = std::map<std::string, std::string>;

Response oauth_error(unsigned status, const std::string& error, const std::string& description);
std::string url_encoded(const std::string& text);
// Of the query; empty when there is none of that name.
std::string parameter_of(const Request& request, const std::string& name);
// The fields of a token request; nothing when it is no form.
std::optional<Form> form_of(const Request& request);
// What the form's grant brings; nothing when its code or refresh token is no longer good, or the grant
// unknown.
std::optional<TokenBook::Pair> granted(TokenBook& book, Form& form);
// The person at the browser agrees at once: back to the redirect address. `more`: further parameters, "&a=b".
Response let_in(TokenBook& book, const Request& request, const std::string& more = {});

// Switches of a token service: `rotate` (always, daily, never), `grace_s`, `access_s`, `refresh_s`, `lag_ms`,
// and `revoke` and `expire`, which happen when they are set. False for another name.
bool set_token_switch(TokenBook& book, const std::string& name, const Json& value);
void show_token_switches(const TokenBook& book, Json& switches);

}  // namespace liaison_sim
