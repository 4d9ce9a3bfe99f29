// Where the liaison-worker program is.
#pragma once

#include <string>

namespace liaisond::connectors {

// `configured` (daemon.worker) when it is set; else the one installed with the running program: beside it, or
// in
// ../libexec/liaison. Empty when there is none.
std::string worker_program(const std::string& configured);

}  // namespace liaisond::connectors
