// What settings say about where an integration may go: the strings that its connector's schema marks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace liaisond::connectors {

// Every string in `settings` that the JSON Schema marks with `format`, such as "liaison-origin" or
// "liaison-folder".
std::vector<std::string> strings_of_format(const boost::json::object& schema,
                                           const boost::json::value& settings, std::string_view format);

// Where an integration may go on the network: the origins in its settings, and what `allow_hosts` adds
// ("host" or "host:port").
std::vector<std::string> origins_of(const boost::json::object& schema, const boost::json::value& settings,
                                    const std::vector<std::string>& allow_hosts);

}  // namespace liaisond::connectors
