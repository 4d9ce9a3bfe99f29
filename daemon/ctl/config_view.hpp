// What the `config` and `plugin` commands print, and the JSON Schema that editors read.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "config/config.hpp"
#include "ctl/session.hpp"
#include "ctl/table.hpp"
#include "plugin/catalog.hpp"

namespace liaisond::ctl {

struct ConfigCounts {
    std::size_t tenants = 0, integrations = 0, connectors = 0;
};

// "file:line:column: path message" per fault and their number, or that all is fine.
std::string check_text(const std::vector<config::Fault>& faults, const ConfigCounts& counts,
                       const Look& look);
boost::json::object check_json(const std::vector<config::Fault>& faults, const ConfigCounts& counts);

// The daemon's schema in which each connector's schemas apply to the integrations that name it.
boost::json::value full_schema(const boost::json::value& daemon_schema,
                               const std::vector<const plugin::ConnectorManifest*>& connectors);

// The merged document; a credential in clear text, which is a fault, is masked.
boost::json::object shown_config(boost::json::object root);

// What the configuration says of the daemon itself; its faults are somebody else's business.
config::Config daemon_section(const Session& session);

}  // namespace liaisond::ctl
