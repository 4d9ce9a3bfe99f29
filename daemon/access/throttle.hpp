// Throttle: how often somebody may try to log in. Five attempts a minute for one name and twenty for one
// address; after that each failure doubles the wait, up to a quarter of an hour. Nobody is ever locked out
// for good. [core thread]
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace liaisond::access {

class Throttle {
  public:
    static constexpr Milliseconds window{60'000}, longest{15LL * 60 * 1000};
    static constexpr int per_name = 5, per_address = 20;

    // How long to wait before the next attempt; zero: it may be made.
    Milliseconds wait(std::string_view name, std::string_view address, Instant now) const;
    void failed(std::string_view name, std::string_view address, Instant now);
    void succeeded(std::string_view name);

  private:
    struct Count {
        int failures = 0;
        Instant last{};
    };
    using Counts = std::map<std::string, Count, std::less<>>;
    static Milliseconds wait(const Counts& counts, std::string_view key, int allowed, Instant now);
    static void count(Counts& counts, std::string_view key, Instant now);
    Counts names_, addresses_;
};

}  // namespace liaisond::access
