// Makes the manual pages and the completion scripts, at build time: `page FILE`, where a line @COMMANDS@ or
// @KEYS@ stands for the generated part, `bash` or `zsh`. Writes to standard output.
#include <fstream>
#include <iostream>
#include <string>

#include "config/config.hpp"
#include "ctl/completion.hpp"
#include "ctl/manual.hpp"

namespace {

using namespace liaisond;

int write_page(const std::string& file) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line == "@COMMANDS@")
            std::cout << ctl::manual_of_commands(ctl::known_commands());
        else if (line == "@KEYS@")
            std::cout << ctl::manual_of_keys(config::daemon_schema());
        else
            std::cout << line << "\n";
    }
    return stream.eof() && std::cout.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "page" && argc == 3) return write_page(argv[2]);
    if (what == "bash") std::cout << ctl::bash_completion(ctl::known_commands());
    if (what == "zsh") std::cout << ctl::zsh_completion(ctl::known_commands());
    return (what == "bash" || what == "zsh") && std::cout.flush() ? 0 : 1;
}
