// What must be true of a house at rest, whatever was killed in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "house.hpp"
#include "plan.hpp"
#include "systems.hpp"

namespace liaison_crash {

struct Verdict {
    std::vector<std::string> violations;
    std::int64_t doubts = 0;
};

// What the newest file of bookings holds.
struct Bookings {
    std::int64_t rows = 0;
    std::string guest;  // the first word of every guest's name
};

// `system`: null where the round has none.
Verdict judge(const liaison_system::House& house, const Plan& plan, const Bookings& bookings,
              const System* system);

}  // namespace liaison_crash
