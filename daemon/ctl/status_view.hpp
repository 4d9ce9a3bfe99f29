// What `status` and `integrations` print, from the API's JSON.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "base/time.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {

std::string status_text(const boost::json::value& status, const Look& look, Instant now);
std::string integrations_text(const boost::json::array& items, const Look& look, Instant now);
std::string integration_text(const boost::json::value& integration, const Look& look, Instant now);
// The answer of `integrations test`.
std::string test_text(const std::string& id, const boost::json::value& answer, const Look& look);

// The answer of `schedule`.
std::string schedule_text(const boost::json::value& answer, const Look& look, Instant now);

// Stands over a part of a page.
std::string heading(std::string_view text, const Look& look);
// Lines "name:  value" with aligned values; empty values are left out.
std::string details_text(const std::vector<std::pair<std::string, Cell>>& details, const Look& look);

}  // namespace liaisond::ctl
