// What plans look like on a terminal.
#pragma once

#include <boost/json/array.hpp>
#include <string>

#include "ctl/table.hpp"

namespace liaisond::ctl {

std::string plans_text(const boost::json::array& items, const Look& look);
// The head of a plan, and what to do about it.
std::string plan_text(const boost::json::value& plan, const Look& look);
// Every change, with its fields; and the requests, where asked for.
std::string plan_items_text(const boost::json::array& items, bool with_requests, const Look& look);

}  // namespace liaisond::ctl
