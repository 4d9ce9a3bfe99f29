// Trust: what is asked of a plugin file before anything of it runs: whose it is, who could have changed it,
// and who signed it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugin/minisign.hpp"

namespace liaisond::plugin {

struct TrustPolicy {
    enum class Owner : std::uint8_t { root, self };
    Owner owner = Owner::root;  // self: the user of this process is as good as root
    bool require_signatures = false;
    std::map<std::string, PublicKey> keys;  // by the name of whom they belong to
};

struct Examined {
    std::string digest;     // SHA-256, hex
    std::string signed_by;  // name of a trusted key; empty: of none
    std::string warning;    // a sentence; empty: none
};

// The signature of a plugin file lies beside it: acme_till.so.minisig.
std::string signature_file(const std::string& plugin);

// Reads the file, its signature, and the folders on the way to it. Errors are sentences that name the file
// and say what to do. [any thread]
Result<Examined> examine(const std::string& path, const TrustPolicy& policy);

// The part of it that is about the signature.
Status check_signature(const std::string& path, const TrustPolicy& policy, Examined& into);

// BLAKE2b-512 of a file's bytes.
Result<FileHash> file_hash(const std::string& path);

}  // namespace liaisond::plugin
