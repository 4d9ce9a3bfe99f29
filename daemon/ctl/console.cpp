#include "ctl/console.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/format.hpp"

namespace liaisond::ctl {

Console Console::standard() {
    Console console{std::cout, std::cerr, {}, ::isatty(STDOUT_FILENO) == 1};
    if (!console.interactive) return console;
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool dumb = term != nullptr && std::string_view(term) == "dumb";
    console.look.colour = !dumb && (no_color == nullptr || *no_color == '\0');
    winsize size{};
    constexpr std::size_t usual = 80, least = 40;
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    console.look.width = known ? std::max<std::size_t>(size.ws_col, least) : usual;
    return console;
}

void Console::complain(std::string_view text) const {
    error << "liaisonctl: " << many_lines(text) << std::endl;
}

void Console::note(std::string_view text) const { error << many_lines(text) << std::endl; }

}  // namespace liaisond::ctl
