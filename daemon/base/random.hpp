// The seam behind which randomness hides.
#pragma once

#include <cstdint>
#include <span>

namespace liaisond {

class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;

    std::uint64_t next() {
        std::uint8_t bytes[8];
        fill(bytes);
        std::uint64_t value = 0;
        for (const std::uint8_t byte : bytes) value = value << 8 | byte;
        return value;
    }
    // Uniform in [0, bound); 0 when bound is 0. The bias of the modulo is below 2^-32 for the bounds used
    // here.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
};

}  // namespace liaisond
