// Connecting an integration the way a person does, with a simulator that lets everybody in.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "house.hpp"

namespace liaison_system {

// Asks for the address, opens it, and tells where the browser was sent, over the API. What is known of the
// account afterwards; fails the test when anything does not work.
boost::json::object connect_in_browser(const House& house, const std::string& integration,
                                       const std::string& redirect_uri);

}  // namespace liaison_system
