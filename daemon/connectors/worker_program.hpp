// Where the liaison-worker program is.
#pragma once

#include <string>

#include "config/config.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::connectors {

// `configured` (daemon.worker) when it is set; else the one installed with the running program: beside it, or
// in
// ../libexec/liaison. Empty when there is none.
std::string worker_program(const std::string& configured);

// What the configuration says of the sandbox around it.
plugin::SandboxOptions sandbox_of(const config::Config& config);

}  // namespace liaisond::connectors
