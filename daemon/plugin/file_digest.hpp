// The SHA-256 of a file's bytes: how a plugin is known again between being looked at and being loaded.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"

namespace liaisond::plugin {

// Hands over the whole file behind `fd` piece by piece, from its beginning, wherever its position is, and
// leaves the position alone. Errors are clauses: "cannot be read: Input/output error". [any thread]
Status read_through(int fd, const std::function<void(std::span<const unsigned char>)>& take);

// Of such a file, in lower-case hex: 64 characters. Errors as above. [any thread]
Result<std::string> file_digest(int fd);

}  // namespace liaisond::plugin
