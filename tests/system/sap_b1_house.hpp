// SAP Business One in the tests: an integration with the simulated company.
#pragma once

#include <string>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {

// `direction`: import, export or bidirectional. `settings`: further ones, as in "select: false, paging:
// keyset".
std::string sap_b1(const Options& options, const std::string& direction, const std::string& settings = {});
// Before the daemon starts.
void write_sap_b1_credentials(const House& house);
// What was cancelled before SAP had it is not sent: makes new orders of the shop's cancelled ones.
void renew_cancelled_orders(const House& house);

}  // namespace liaison_system
