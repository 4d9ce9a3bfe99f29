// Conflicts as people read them, from the API's JSON.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "ctl/console.hpp"

namespace liaisond::ctl {

std::string conflicts_text(const boost::json::array& items, const Look& look);
std::string conflict_text(const boost::json::value& conflict, const Look& look);

}  // namespace liaisond::ctl
