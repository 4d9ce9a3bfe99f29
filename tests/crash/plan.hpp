// What one round of the crash campaign does, drawn from a seed: systems, vendors' faults, and how the daemon
// or a worker is ended, life after life.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace liaison_crash {

// Systems that are described in the configuration, and those with a connector of their own (systems.hpp).
enum class Scenario {
    shop,
    findable,
    blind,
    office,
    everything,
    odoo,
    sap_b1,
    quickbooks,
    booking_com,
    lightspeed
};
inline constexpr int scenarios = 10;

const char* to_string(Scenario scenario);

// Of a connector: from the vendor, to it, both.
enum class Direction { in, out, both };

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
    Direction direction = Direction::in;          // of a system with a connector of its own
    bool has_invoices = false;                    // of books
    int variant = 0;                              // of a system that has several versions
    bool is_unattended = false;                   // schedules and changes drive everything, nobody triggers
    std::map<std::string, std::string> switches;  // by vendor
    std::vector<Life> lives;

    bool has_connector() const { return scenario >= Scenario::odoo; }
    bool has_shop() const {
        if (scenario >= Scenario::booking_com) return false;
        if (has_connector()) return direction != Direction::in;
        return scenario != Scenario::findable && scenario != Scenario::blind;
    }
    bool has_office() const { return scenario == Scenario::office || scenario == Scenario::everything; }
    bool has_pms() const {
        return scenario == Scenario::findable || scenario == Scenario::blind ||
               scenario == Scenario::everything;
    }
};

// For people who look at a round.
std::string to_text(const Plan& plan);

// A point of the daemon, as `liaisond --fault-points` lists it.
struct Point {
    std::string name;
    bool can_fail = false;
};

// What all rounds are restricted to.
struct Only {
    std::string point, house;  // a scenario's name; empty: any
};

// Round `number` of a campaign. Together the rounds take every point, hit and mode in turn, in an order of
// their seed.
Plan make_plan(std::uint64_t seed, int number, const std::vector<Point>& points, const Only& only);
// Points times hits times modes that a campaign has to cover.
std::size_t combinations(const std::vector<Point>& points);
// Throws std::runtime_error for a name that no scenario has.
Scenario scenario_of(const std::string& name);

}  // namespace liaison_crash
