// Tables of what the hub holds and of the operator's queues, from the API's JSON.
#pragma once

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/time.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {

std::string logs_text(const boost::json::array& newest_first, const Look& look);  // printed oldest first
std::string records_text(const boost::json::array& items, const Look& look);
std::string record_text(const boost::json::value& record, const boost::json::array& mappings,
                        const Look& look);
std::string mappings_text(const boost::json::array& items, const Look& look);
std::string dead_letters_text(const boost::json::array& items, const Look& look);
std::string dead_letter_text(const boost::json::value& letter, const Look& look);
std::string intents_text(const boost::json::array& items, const Look& look, Instant now);

// The answer of GET /plugins.
std::string plugins_text(const boost::json::value& answer, const Look& look);

}  // namespace liaisond::ctl
