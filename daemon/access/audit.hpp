// Audit: who changed what, as a chain: each entry's digest covers the one before, under a key that is not in
// the database. Whoever edits, reorders or cuts entries without that key is noticed by verify().
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "store/types.hpp"

namespace liaisond::access {

// The digest of `entry` behind one whose digest is `previous` (empty: the first): keyed BLAKE2b-256.
std::string audit_digest(const Secret& key, const std::string& previous, const store::AuditRow& entry);

// The number of the first entry that is not what was written, with what is wrong; nothing when all is well.
// `entries` in their order, behind one whose digest is `previous`.
struct AuditFault {
    std::int64_t seq = 0;
    std::string text;
};
std::optional<AuditFault> verify_audit(const Secret& key, std::string previous, std::int64_t next_seq,
                                       const std::vector<store::AuditRow>& entries);

}  // namespace liaisond::access
