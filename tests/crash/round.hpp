// One round: a house of its own, several lives of its daemon, then rest and the invariants.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks.hpp"
#include "house.hpp"
#include "plan.hpp"
#include "systems.hpp"

namespace liaison_crash {

struct Outcome {
    int kills = 0;                              // ends of a daemon or worker that were not asked for politely
    int idle = 0;                               // of these, when nothing was under way
    std::map<std::string, int> struck, missed;  // faults that came about in this round, or did not
    std::int64_t doubts = 0;                    // left to a person, as the effect class demands
    std::vector<std::string> violations;
    std::string directory;  // of the house, when it was kept
};

class Round {
  public:
    explicit Round(const Plan& plan) : plan_(plan), system_(system_of(plan)) {}
    Outcome run(bool keep);

  private:
    void build();
    void let_in();
    void set_faults(bool on) const;
    void make_news();
    void live(const Life& life);
    bool struck_while_working(const Life& life, int before);
    void provoke(const Life& life);
    void end_at_random(const Life& life);
    void kill_daemon();
    void look_at_the_dead();
    bool kill_a_worker();
    bool is_busy() const;
    int strikes() const;
    std::int64_t requests() const;
    void trigger_all() const;
    void come_to_rest();

    Plan plan_;
    std::unique_ptr<System> system_;  // null: none
    liaison_system::House house_;
    Outcome outcome_;
    Bookings bookings_;
    int wave_ = 0;
};

}  // namespace liaison_crash
