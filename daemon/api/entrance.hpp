// Entrance: people in a browser. The login form, the session's cookie, and what a request from a browser has
// to show before it may change anything (reliability.md 5.5). [core thread]
#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/backend.hpp"

namespace liaisond::api {

class Entrance {
  public:
    // The cookie: host-bound, only over TLS (browsers make an exception for this machine), out of reach of
    // scripts, never sent along from elsewhere (RFC 6265bis, 4.1.3).
    static constexpr std::string_view cookie = "__Host-liaison";

    explicit Entrance(const Backend& backend) : backend_(backend) {}

    // Answers /, /login and /logout; false: it is another path.
    bool handle(const web::Request& request, const web::Reply& answer);
    // Whose session the request's cookie names; nothing where it names none.
    std::optional<access::Sessions::Found> session_of(const web::Request& request) const;
    // What is wrong with a changing request that shows nothing but a cookie; empty: nothing.
    static std::string forgery(const web::Request& request, const std::string& csrf, std::string_view shown);

  private:
    struct Attempt {
        std::string name;
        Secret password;
        std::string code;  // of an authenticator; empty: none was shown
        std::string address;
        bool wants_json = false;
        store::UserRow user = {};
        bool is_right = false;
    };
    void login(const web::Request& request, const web::Reply& answer);
    void check(const std::shared_ptr<Attempt>& attempt, const web::Reply& answer);
    void note_visit(const Attempt& attempt);
    // Right, or not asked for. Each counts once.
    bool takes_code(const Attempt& attempt);
    bool asks_for_codes() const;  // of anybody
    web::Answer login_page(unsigned status, const std::string& wrong) const;
    void logout(const web::Request& request, const web::Reply& answer);
    web::Answer welcome(const store::UserRow& user, bool wants_json);

    const Backend& backend_;
    int being_checked_ = 0;
    std::map<std::string, std::int64_t> taken_;  // the last code's step, by name
};

// What has changed about the addresses from which people sign in.
Status keep(store::Database& database, const access::Throttle::States& changed);

void add_user_routes(Router& router, const Backend& backend);

}  // namespace liaisond::api
