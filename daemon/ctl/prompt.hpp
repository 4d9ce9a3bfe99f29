// What commands read: what a person types and must not be shown, and files.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace liaisond::ctl {

// A line typed without being shown, or read from a pipe.
Secret read_secret(const std::string& prompt);

// The whole of a file; "-" is standard input.
Result<std::string> read_input(const std::string& path);

}  // namespace liaisond::ctl
