#include "access/audit.hpp"

#include <sodium.h>

namespace liaisond::access {
namespace {

// Lengths go first, so that no two entries have the same bytes.
void add(crypto_generichash_state& state, std::string_view text) {
    const std::uint64_t size = text.size();
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

}  // namespace

std::string audit_digest(const Secret& key, const std::string& previous, const store::AuditRow& entry) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(key.reveal().data()),
                            key.reveal().size(), crypto_generichash_BYTES);
    for (const std::string& part : {previous, std::to_string(entry.seq), std::to_string(to_unix_ms(entry.at)),
                                    entry.actor, entry.action, entry.target, entry.detail})
        add(state, part);
    std::string digest(crypto_generichash_BYTES, '\0');
    crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(digest.data()), digest.size());
    return digest;
}

std::optional<AuditFault> verify_audit(const Secret& key, std::string previous, std::int64_t next_seq,
                                       const std::vector<store::AuditRow>& entries) {
    for (const store::AuditRow& entry : entries) {
        if (entry.seq != next_seq)
            return AuditFault{next_seq, "entry " + std::to_string(next_seq) + " is missing"};
        if (entry.hash != audit_digest(key, previous, entry))
            return AuditFault{entry.seq,
                              "entry " + std::to_string(entry.seq) + " was changed after it was written"};
        previous = entry.hash;
        ++next_seq;
    }
    return std::nullopt;
}

}  // namespace liaisond::access
