// Completion scripts for shells, generated from what liaisonctl understands.
#pragma once

#include <string>
#include <vector>

#include "ctl/command_line.hpp"

namespace liaisond::ctl {

std::string bash_completion(const std::vector<KnownCommand>& commands);
std::string zsh_completion(const std::vector<KnownCommand>& commands);

}  // namespace liaisond::ctl
