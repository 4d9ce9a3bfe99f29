// Looking for what is wrong with a plugin before a house does: liaisonctl plugin check. The plugin's code
// runs in child processes only, so that a crash is a finding.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace liaisond::plugin {

struct Finding {
    std::string check;  // one word or two: "symbols"
    bool ok = true;
    std::string text;  // what was found; where it is not ok, what to do, too
};

// `scripts` are files; errors: a script that cannot be read. The process must have one thread.
Result<std::vector<Finding>> check_plugin(const std::string& library,
                                          const std::vector<std::string>& scripts);

// ---- its parts ----

// Of the file alone: "symbols", "libraries", "calls".
std::vector<Finding> check_file(const std::string& library);
// Of what it says about itself: "manifest", "identity". `beside` is the installed manifest, empty: there is
// none.
struct PluginClaims {
    std::string id, version, vendor, manifest;
    std::uint64_t capabilities = 0;
};
std::vector<Finding> check_claims(const PluginClaims& claims, const std::string& beside);

}  // namespace liaisond::plugin
