// The generated parts of the manual pages, in mdoc(7): what liaisonctl understands, and the configuration's
// keys.
#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "ctl/command_line.hpp"

namespace liaisond::ctl {

std::string manual_of_commands(const std::vector<KnownCommand>& commands);
// `schema`: config::daemon_schema(), of which it understands the words that are used there.
std::string manual_of_keys(const boost::json::value& schema);

}  // namespace liaisond::ctl
