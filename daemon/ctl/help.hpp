// What --help says: every command with what it does and one example.
#pragma once

#include <string>
#include <string_view>

#include "ctl/table.hpp"

namespace liaisond::ctl {

struct Guide {
    std::string_view group;    // heading it stands under
    std::string_view command;  // "runs show"
    std::string_view usage;    // what follows the command: "N"
    std::string_view purpose;
    std::string_view example;
};

// Null when there is no such command.
const Guide* guide(std::string_view command);
// The whole page.
std::string help_text(const std::string& version, const Look& look);

}  // namespace liaisond::ctl
