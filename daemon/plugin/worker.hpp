// The worker's side: serves one plugin over one inherited socket, step by step, until the daemon closes it.
#pragma once

#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "plugin/library.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::plugin {

// Returns the exit status. Blocking; the daemon sees to deadlines. The sandbox closes in two steps around the
// loading of the plugin.
int serve_worker(const SandboxOptions& sandbox);

// Loads the file into this process, which the sandbox closes around it in two steps and then holds for good.
// An empty `digest` is not checked.
Result<std::shared_ptr<const Library>> load_in_sandbox(const std::string& path, const std::string& digest,
                                                       const Sandbox& sandbox);

// {id, version, vendor, abi: [major, minor], capabilities, manifest: {...}}; loads the file into this
// process likewise.
Result<boost::json::object> describe_plugin(const std::string& path, const SandboxOptions& sandbox);

}  // namespace liaisond::plugin
