// Throttle: how often somebody may try to log in. Five attempts a minute for one name and twenty for one
// address; after that each failure doubles the wait, up to a quarter of an hour. Nobody is ever locked out
// for good, and nobody can keep others out: an address from which a name has logged in has attempts of its
// own (after OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). [core thread]
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.hpp"
#include "base/time.hpp"

namespace liaisond::access {

class Throttle {
  public:
    static constexpr Milliseconds window{60'000}, longest{15LL * 60 * 1000};
    static constexpr int per_name = 5, per_address = 20;
    // For how long an address is known, and how many of one name.
    static constexpr Milliseconds known_for{90LL * 24 * 3600 * 1000};
    static constexpr std::size_t most_known = 20;

    // What the store keeps of known addresses, as states of this kind: digests of names and addresses, and
    // when somebody was there. An empty value: to be forgotten.
    static constexpr const char* state_kind = "known_address";
    using States = std::map<std::string, std::string>;
    // As they were kept, under a key that only this house has; returns those that are too old.
    States load(Secret key, const States& kept, Instant now);

    // An address is empty where there is none, as on the unix socket.
    // How long to wait before the next attempt; zero: it may be made.
    Milliseconds wait(const std::string& name, const std::string& address, Instant now) const;
    void failed(const std::string& name, const std::string& address, Instant now);
    // Of an attempt that was counted as failed before; returns what is to be kept.
    States succeeded(const std::string& name, const std::string& address, Instant now);
    // That name is nobody's any longer; returns what is not to be kept.
    States forget(const std::string& name);

  private:
    struct Count {
        int failures = 0;
        Instant first{}, last{};
    };
    using Place = std::pair<std::string, std::string>;  // name, address; either may be empty
    using Visits = std::map<std::string, Instant>;      // the last one, by digest of the address

    Milliseconds wait(const Place& place, int allowed, Instant now) const;
    void count(const Place& place, int allowed, Instant now);
    // Whose attempts these are: the name's, or those of the name at an address that it is known from.
    Place guesser(const std::string& name, const std::string& address, Instant now) const;
    std::string digest(std::string_view name, std::string_view address) const;

    Secret key_;
    std::map<Place, Count> counts_;
    std::map<std::string, Visits> known_;  // by digest of the name
};

}  // namespace liaisond::access
