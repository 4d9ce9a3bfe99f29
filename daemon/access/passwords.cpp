#include "access/passwords.hpp"

#include <sodium.h>

namespace liaisond::access {
namespace {
constexpr unsigned long long passes = 3;
constexpr std::size_t memory = 64u << 20;
}  // namespace

Result<std::string> hash_password(const Secret& password) {
    if (password.reveal().size() < shortest_password)
        return fail(ErrorKind::config, "a password needs at least 12 characters");
    char text[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str_alg(text, password.reveal().data(), password.reveal().size(), passes, memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail(ErrorKind::transient, "there is not enough memory to hash the password; try again");
    return std::string(text);
}

bool is_password(const std::string& kept, const Secret& password) {
    static const std::string nobody = hash_password(Secret("the password of nobody")).value_or("");
    const std::string& wanted = kept.empty() ? nobody : kept;
    const bool is_right =
        crypto_pwhash_str_verify(wanted.c_str(), password.reveal().data(), password.reveal().size()) == 0;
    return is_right && !kept.empty();
}

}  // namespace liaisond::access
