// What one round of the crash campaign does, drawn from a seed: systems, vendors' faults, and how the daemon
// or a worker is ended, life after life.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace liaison_crash {

enum class Scenario { shop, findable, blind, office, everything };
inline constexpr int scenarios = 5;

const char* to_string(Scenario scenario);

enum class End { daemon, worker, fault };

// One life of the daemon and how it ends. At the latest a SIGKILL ends it.
struct Life {
    End end = End::daemon;
    std::string point;  // of a fault
    int hit = 0;
    std::string mode;           // exit, kill, ioerr, enospc, delay:MS
    std::int64_t requests = 0;  // of the vendors before the SIGKILL, when nothing else ended it
};

struct Plan {
    std::uint64_t seed = 0;
    Scenario scenario = Scenario::shop;
    bool is_unattended = false;                   // schedules and changes drive everything, nobody triggers
    std::map<std::string, std::string> switches;  // by vendor
    std::vector<Life> lives;

    bool has_shop() const { return scenario != Scenario::findable && scenario != Scenario::blind; }
    bool has_office() const { return scenario == Scenario::office || scenario == Scenario::everything; }
    bool has_pms() const { return scenario != Scenario::shop && scenario != Scenario::office; }
};

// For people who look at a round.
std::string to_text(const Plan& plan);

// A point of the daemon, as `liaisond --fault-points` lists it.
struct Point {
    std::string name;
    bool can_fail = false;
};

// Round `number` of a campaign. Together the rounds take every point, hit and mode in turn, in an order of
// their seed; `only` restricts them to one point.
Plan make_plan(std::uint64_t seed, int number, const std::vector<Point>& points, const std::string& only);
// Points times hits times modes that a campaign has to cover.
std::size_t combinations(const std::vector<Point>& points);

}  // namespace liaison_crash
