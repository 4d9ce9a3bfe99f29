// Sessions: people in a browser. In memory only: a restart asks them to log in again. [core thread]
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "access/principal.hpp"
#include "base/random.hpp"
#include "base/time.hpp"

namespace liaisond::access {

class Sessions {
  public:
    static constexpr Milliseconds idle{30LL * 60 * 1000}, longest{12LL * 3600 * 1000};
    static constexpr std::size_t most = 1000;  // the oldest makes room

    struct Begun {
        std::string id;    // for the cookie, 128 random bits; a new one at each login
        std::string csrf;  // to be sent back in X-CSRF-Token with whatever changes something
    };
    Begun begin(Principal principal, Instant now, Random& random);
    void end(std::string_view id);
    // All sessions of one name, such as when its password changes.
    void end_all(std::string_view name);

    struct Found {
        Principal principal;
        std::string csrf;
    };
    std::optional<Found> find(std::string_view id, Instant now);

  private:
    struct Session {
        Principal principal;
        std::string csrf;
        Instant begun{}, seen{};
    };
    std::map<std::string, Session, std::less<>> sessions_;  // by digest of the id
};

}  // namespace liaisond::access
