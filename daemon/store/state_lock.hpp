// The state directory: made, checked and held by one daemon at a time.
#pragma once

#include <string>

#include "base/result.hpp"

namespace liaisond::store {

class StateLock {
  public:
    StateLock() = default;
    StateLock(const StateLock&) = delete;
    StateLock& operator=(const StateLock&) = delete;
    ~StateLock();

    // Errors: `config` when the directory cannot be made or written, `conflict` when another daemon holds it.
    // The kernel releases the lock with the process, however that ends.
    Status acquire(const std::string& directory);

  private:
    int fd_ = -1;
};

}  // namespace liaisond::store
