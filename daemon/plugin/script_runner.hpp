// Plays a connector script against a plugin: in process, in process with the job destroyed after every number
// of steps, and through a real worker.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace liaisond::plugin {

struct ScriptReport {
    std::size_t steps = 0;  // of one whole play
    std::vector<std::string>
        failures;                  // "file:line: what differs", with what the connector asked; empty: passed
    std::vector<std::string> log;  // what the connector logged in the first play

    bool passed() const { return failures.empty(); }
};

// Loads the plugin into this process. An empty worker_path leaves the worker out. Errors: the script or the
// plugin cannot be used at all.
Result<ScriptReport> run_script(const std::string& script_path, const std::string& library_path,
                                const std::string& worker_path);

}  // namespace liaisond::plugin
