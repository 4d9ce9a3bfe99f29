// Running liaison-worker --describe on several files at once.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::plugin {

// One result per path, in order. Errors are the worker's own sentence, or say how it failed. The limit holds
// for each of them and counts only time in which this process ran, too. Blocking.
std::vector<Result<boost::json::object>> describe_all(const std::string& worker_path,
                                                      const SandboxOptions& sandbox,
                                                      const std::vector<std::string>& paths,
                                                      std::chrono::milliseconds time_limit);

}  // namespace liaisond::plugin
