// The command line: words to commands.
#pragma once

#include <string>
#include <vector>

#include "ctl/console.hpp"

namespace liaisond::ctl {

// Everything liaisonctl does. `words` are the arguments without the program's name; returns the exit code.
int run_command_line(const std::vector<std::string>& words, const std::string& version,
                     const Console& console);

}  // namespace liaisond::ctl
