// The worker's side: serves one plugin over one inherited socket, step by step, until the daemon closes it.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::plugin {

// Returns the exit status. Blocking; the daemon sees to deadlines. The sandbox closes in two steps around the
// loading of the plugin.
int serve_worker(const SandboxOptions& sandbox);

// {id, version, vendor, abi: [major, minor], capabilities, manifest: {...}}; loads the file into this
// process, which the sandbox then holds for good.
Result<boost::json::object> describe_plugin(const std::string& path, const SandboxOptions& sandbox);

}  // namespace liaisond::plugin
