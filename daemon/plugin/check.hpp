// Looking for what is wrong with a plugin before a house does: liaisonctl plugin check. The plugin's code
// runs in child processes only, each in the sandbox of a worker: a crash is a finding, and so is an attack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin/sandbox.hpp"

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
// What keeps the plugin from this machine while it is checked: "sandbox". Not ok: it must not be run.
Finding check_sandbox(const KernelFeatures& kernel);
// Of what it says about itself: "manifest", "identity". `beside` is the installed manifest, empty: there is
// none.
struct PluginClaims {
    std::string id, version, vendor, manifest;
    std::uint64_t capabilities = 0;
    std::string abi = {};
};
// As JSON from the process that has loaded it; nothing where it is something else, as the plugin can write
// there, too.
std::optional<PluginClaims> read_claims(const std::string& text);
std::vector<Finding> check_claims(const PluginClaims& claims, const std::string& beside);

}  // namespace liaisond::plugin
