// Odoo in the tests: an integration with the simulated one, of any version.
#pragma once

#include <string>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {

struct OdooServer {
    const char* database;  // decides the version: "sim14"
    const char* transport;
};

// `direction`: import, export or bidirectional. `settings`: further lines, indented by six blanks.
std::string odoo(const OdooServer& server, const std::string& direction, const Options& options,
                 const std::string& settings = {});
// Before the daemon starts.
void write_odoo_credentials(const House& house);

}  // namespace liaison_system
