// Tokens: API keys of other software. A token is shown once, when it is made; what is kept is a digest, which
// nobody can turn back because a token has 256 random bits. [core thread]
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/principal.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "store/types.hpp"

namespace liaisond::access {

inline constexpr Milliseconds usual_life{90LL * 24 * 3600 * 1000};

class Tokens {
  public:
    struct Made {
        store::TokenRow row;  // to be written before the token is shown
        Secret text;          // "liaison_<id>_<secret>"
    };
    static Made make(std::string name, Scope scope, std::string tenant, Instant now, Instant expires,
                     Random& random);

    void load(std::vector<store::TokenRow> rows);
    void add(store::TokenRow row);
    void remove(std::string_view id);
    const std::map<std::string, store::TokenRow, std::less<>>& all() const { return rows_; }

    // Whose token it is; nothing where it is unknown, wrong or expired. Takes the same time for a wrong
    // secret as for a right one.
    std::optional<Principal> check(std::string_view text, Instant now);
    // Ids whose last use is newer than what was told here before, for the store: not every use is written.
    std::vector<std::pair<std::string, Instant>> take_uses();

  private:
    std::map<std::string, store::TokenRow, std::less<>> rows_;
    std::map<std::string, Instant, std::less<>> uses_;
};

}  // namespace liaisond::access
