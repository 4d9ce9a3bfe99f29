// Starting a liaison-worker: no environment and no descriptor but what is named here, its own process group.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "plugin/sandbox.hpp"
#include "plugin/unique_fd.hpp"

namespace liaisond::plugin {

struct SpawnOptions {
    std::vector<std::string> arguments;  // the first is the program's path
    int standard_output = -1;            // these become 1, 2 and 3 of the child
    int standard_error = -1;
    int channel = -1;                           // -1: the child has no descriptor 3
    std::vector<std::string> environment = {};  // NAME=value
};

// Starts `worker_path` in that sandbox, tied to the life of this process; what it shall do comes after it.
std::vector<std::string> worker_command(const std::string& worker_path, const SandboxOptions& sandbox);

struct Child {
    pid_t pid = -1;
    UniqueFd pidfd;  // readable once the child has ended; it must then be reaped
};

Result<Child> spawn(const SpawnOptions& options);

// "was killed by SIGSEGV", "exited with status 3", "exited"; from a wait status.
std::string describe_exit(int wait_status);

// Both ends are close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> make_pipe();

}  // namespace liaisond::plugin
