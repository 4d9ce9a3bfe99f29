// Waiting in tests: for a condition, never for a time.
#pragma once

#include <chrono>
#include <thread>

namespace liaison_system {

// Of somebody who sits before a broken program; a machine that others use, too, can stand still for long.
inline constexpr std::chrono::seconds patience{180};

template <class Condition>
bool until(Condition condition, std::chrono::milliseconds deadline = patience,
           std::chrono::milliseconds pace = std::chrono::milliseconds(10)) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(pace);
    }
    return true;
}

}  // namespace liaison_system
