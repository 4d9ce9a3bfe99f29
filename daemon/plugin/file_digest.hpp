// The SHA-256 of a file's bytes: how a plugin is known again between being looked at and being loaded.
#pragma once

#include <string>

#include "base/result.hpp"

namespace liaisond::plugin {

// Lower-case hex, 64 characters. Reads the whole file behind `fd` from its beginning, wherever its position
// is, and leaves the position alone. Errors are clauses: "cannot be read: Input/output error". [any thread]
Result<std::string> file_digest(int fd);

}  // namespace liaisond::plugin
