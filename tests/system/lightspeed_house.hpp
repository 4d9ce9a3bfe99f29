// A Lightspeed till in the tests: an integration with the simulated one, let in by its sign-in.
#pragma once

#include <string>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {

// The simulated business location.
inline constexpr const char* till_location = "9107199254740993";

// `direction`: import, export or bidirectional. `settings`: further lines, indented by six blanks.
std::string lightspeed(const Options& options, const std::string& direction,
                       const std::string& settings = {});
// Writes the app's credentials; before the daemon starts.
void write_lightspeed_credentials(const House& house);
// What a person does: asks for the address, opens it, and tells where the browser was sent. Over the API.
void connect_lightspeed(const House& house);

// Menu items and prices from files in @ROOT@/in: menu_item*.csv with the columns id, sku, name, price, and
// price*.csv with id, item, price.
std::string menu_import(const Options& options = {"[menu_item, price]"});
// That many menu items at one price.
std::string menu_items_file(int items, const std::string& price);

}  // namespace liaison_system
