// The command line: words to commands.
#pragma once

#include <string>
#include <vector>

#include "ctl/console.hpp"

namespace liaisond::ctl {

// Everything liaisonctl does. `words` are the arguments without the program's name; returns the exit code.
int run_command_line(const std::vector<std::string>& words, const std::string& version,
                     const Console& console);

// What it understands, for manual pages and completion.
struct KnownOption {
    std::vector<std::string> names;  // "-f", "--follow"
    std::string value;               // "ID"; empty: a flag
    std::string purpose;
};
struct KnownArgument {
    std::string name, purpose;
    bool repeats = false;
};
struct KnownCommand {
    std::string path;  // "runs show"; empty: options that every command has
    std::vector<KnownOption> options;
    std::vector<KnownArgument> arguments;
};
std::vector<KnownCommand> known_commands();

}  // namespace liaisond::ctl
