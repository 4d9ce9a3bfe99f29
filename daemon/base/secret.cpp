#include "base/secret.hpp"

#include <sodium.h>

namespace liaisond {

// The whole buffer: a short value may follow a long one in it.
void Secret::wipe() noexcept {
    sodium_memzero(value_.data(), value_.capacity());
    value_.clear();
}

}  // namespace liaisond
