// QuickBooks Online in the tests: an integration with the simulated company, let in by its token service.
#pragma once

#include <string>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {

// `direction`: import, export or bidirectional. `settings`: further lines, indented by six blanks.
std::string quickbooks(const Options& options, const std::string& direction,
                       const std::string& settings = {});
// Writes the app's credentials; before the daemon starts.
void write_quickbooks_credentials(const House& house);
// What a person does: asks for the address, opens it, and tells where the browser was sent. Over the API.
void connect_quickbooks(const House& house);
// The same, and waits for the end of the run that this begins.
void connect_and_run_quickbooks(const House& house);

}  // namespace liaison_system
