#include "ctl/prompt.hpp"

#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

namespace liaisond::ctl {

Secret read_secret(const std::string& prompt) {
    termios usual{};
    const bool terminal = ::tcgetattr(STDIN_FILENO, &usual) == 0;
    if (terminal) {
        std::cerr << prompt << std::flush;
        termios silent = usual;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    std::string line;
    if (terminal)
        std::getline(std::cin, line);
    else
        line.assign(std::istreambuf_iterator<char>(std::cin), {});  // keys have several lines
    if (terminal) {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        std::cerr << std::endl;
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    return Secret(std::move(line));
}

Result<std::string> read_input(const std::string& path) {
    if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorKind::permanent, "cannot read " + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace liaisond::ctl
