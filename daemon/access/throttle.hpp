// Throttle: how often somebody may try to log in. Five attempts a minute for one name and twenty for one
// address; after that each failure doubles the wait, up to a quarter of an hour. Nobody is ever locked out
// for good, and nobody can keep others out: an address from which a name has logged in has attempts of its
// own (after OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). [core thread]
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"

namespace liaisond::access {

class Throttle {
  public:
    static constexpr Milliseconds window{60'000}, longest{15LL * 60 * 1000};
    static constexpr int per_name = 5, per_address = 20;

    // An address is empty where there is none, as on the unix socket.
    // How long to wait before the next attempt; zero: it may be made.
    Milliseconds wait(const std::string& name, const std::string& address, Instant now) const;
    void failed(const std::string& name, const std::string& address, Instant now);
    void succeeded(const std::string& name, const std::string& address, Instant now);

  private:
    struct Count {
        int failures = 0;
        Instant last{};
    };
    using Place = std::pair<std::string, std::string>;  // name, address; either may be empty

    Milliseconds wait(const Place& place, int allowed, Instant now) const;
    void count(const Place& place, Instant now);
    // Whose attempts these are: the name's, or those of the name at an address that it is known from.
    Place guesser(const std::string& name, const std::string& address) const;

    std::map<Place, Count> counts_;
    std::map<Place, Instant> known_;  // when it last logged in there
};

}  // namespace liaisond::access
