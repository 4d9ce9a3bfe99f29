// Principal: somebody whose credentials were good, and what they may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace liaisond::access {

// Each may do what those before it may. read: see everything but secrets. operate: run, suspend, decide,
// write records. admin: configuration, secrets, tokens and users.
enum class Scope : std::uint8_t { read, operate, admin };

std::string_view to_string(Scope scope);
std::optional<Scope> parse_scope(std::string_view word);

struct Principal {
    std::string name;  // for the audit log: "token till-3f9a12", "user marie", "local"
    Scope scope = Scope::read;
    std::string tenant;  // the only one they see; empty: all

    bool may(Scope wanted) const { return scope >= wanted; }
    bool sees(std::string_view wanted) const { return tenant.empty() || tenant == wanted; }
};

}  // namespace liaisond::access
