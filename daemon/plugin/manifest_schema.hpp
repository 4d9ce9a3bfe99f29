// plugin-api/manifest.schema.json, compiled in.
#pragma once

#include <boost/json/value.hpp>

namespace liaisond::plugin {

const boost::json::value& manifest_schema();

}  // namespace liaisond::plugin
