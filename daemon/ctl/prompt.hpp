// Asking a person for what must not be shown.
#pragma once

#include <string>

#include "base/secret.hpp"

namespace liaisond::ctl {

// A line typed without being shown, or read from a pipe.
Secret read_secret(const std::string& prompt);

}  // namespace liaisond::ctl
