// The crash campaign: rounds in processes of their own, several at a time, and the sum of what they found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace liaison_crash {

struct Wishes {
    int kills = 0;
    std::uint64_t seed = 1;
    int jobs = 4;
    int round = -1;  // only this one, in this process
    std::string point, house;
    std::filesystem::path result;  // where a round writes what came of it, as JSON; empty: prints it
    bool keep = false;
    bool stop_at_first = false;
};

inline constexpr int exit_clean = 0, exit_violations = 1, exit_setup = 2;

// Both return an exit status and throw std::runtime_error when the campaign cannot be held.
int run_campaign(const Wishes& wishes);
int run_round(const Wishes& wishes);

}  // namespace liaison_crash
