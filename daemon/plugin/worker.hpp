// The worker's side: serves one plugin over one inherited socket, step by step, until the daemon closes it.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace liaisond::plugin {

// Returns the exit status. Blocking; the daemon sees to deadlines.
int serve_worker(int fd);

// {id, version, vendor, abi: [major, minor], capabilities, manifest: {...}}; loads the file into this
// process.
Result<boost::json::object> describe_plugin(const std::string& path);

}  // namespace liaisond::plugin
