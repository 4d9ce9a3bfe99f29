// liaisonctl: the administrator's command line.
#include <ctime>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "ctl/command_line.hpp"

int main(int count, char** arguments) {
    try {
        ::tzset();
        const std::vector<std::string> words(arguments + 1, arguments + count);
        return liaisond::ctl::run_command_line(words, LIAISON_VERSION, liaisond::ctl::Console::standard());
    } catch (const std::exception& error) {
        std::cerr << "liaisonctl: this is a fault of liaisonctl itself: " << error.what() << std::endl;
        return 1;
    }
}
