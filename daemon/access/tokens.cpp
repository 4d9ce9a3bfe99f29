#include "access/tokens.hpp"

#include <sodium.h>

#include "access/digest.hpp"
#include "base/redact.hpp"

namespace liaisond::access {
namespace {

constexpr std::string_view prefix = "liaison_";
constexpr std::size_t id_bytes = 6, secret_bytes = 32;

}  // namespace

std::string_view to_string(Scope scope) {
    switch (scope) {
        case Scope::read: return "read";
        case Scope::operate: return "operate";
        case Scope::admin: return "admin";
    }
    return "read";
}

std::optional<Scope> parse_scope(std::string_view word) {
    for (const Scope scope : {Scope::read, Scope::operate, Scope::admin}) {
        if (word == to_string(scope)) return scope;
    }
    return std::nullopt;
}

Tokens::Made Tokens::make(std::string name, Scope scope, std::string tenant, Instant now, Instant expires,
                          Random& random) {
    Made made;
    made.row.id = random_hex(random, id_bytes);
    const std::string secret = random_hex(random, secret_bytes);
    made.row.name = std::move(name);
    made.row.hash = sha256(secret);
    made.row.scope = static_cast<std::uint32_t>(scope);
    made.row.tenant = std::move(tenant);
    made.row.created = now;
    made.row.expires = expires;
    made.text = Secret(std::string(prefix) + made.row.id + "_" + secret);
    redactor().add(secret);
    return made;
}

void Tokens::load(std::vector<store::TokenRow> rows) {
    rows_.clear();
    for (store::TokenRow& row : rows) add(std::move(row));
}

void Tokens::add(store::TokenRow row) {
    std::string id = row.id;
    rows_.insert_or_assign(std::move(id), std::move(row));
}

void Tokens::remove(std::string_view id) {
    if (const auto found = rows_.find(id); found != rows_.end()) rows_.erase(found);
}

std::optional<Principal> Tokens::check(std::string_view text, Instant now) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const std::size_t mark = text.find('_');
    if (mark == text.npos) return std::nullopt;
    const auto found = rows_.find(text.substr(0, mark));
    const std::string given = sha256(text.substr(mark + 1));
    static const std::string nobody(crypto_hash_sha256_BYTES, '\0');
    const std::string& wanted = found == rows_.end() ? nobody : found->second.hash;
    const bool is_right =
        wanted.size() == given.size() && sodium_memcmp(given.data(), wanted.data(), given.size()) == 0;
    if (found == rows_.end() || !is_right || found->second.expires <= now) return std::nullopt;
    store::TokenRow& row = found->second;
    uses_[row.id] = row.last_used = now;
    return Principal{"token " + row.name, static_cast<Scope>(row.scope), row.tenant};
}

std::vector<std::pair<std::string, Instant>> Tokens::take_uses() {
    std::vector<std::pair<std::string, Instant>> uses(uses_.begin(), uses_.end());
    uses_.clear();
    return uses;
}

}  // namespace liaisond::access
