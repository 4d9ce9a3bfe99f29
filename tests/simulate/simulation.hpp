// Simulation: the life of one seed. Days of changes, faults, crashes and operators; each ends with a quiet
// phase of two hours after which everything must be right.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "simulate/house.hpp"
#include "simulate/memory_files.hpp"
#include "simulate/scenario.hpp"

namespace liaisond::simulate {

struct Violation {
    std::string invariant, found;
};

struct Summary {
    std::uint64_t seed = 0, hash = 0, crashes = 0, requests = 0, runs = 0, events = 0;
    int days = 0;
    std::map<Fault, std::uint64_t> injected;
    std::string topology, faults;
    std::vector<Violation> violations;
};

class Simulation {
  public:
    Simulation(std::uint64_t seed, const Options& options);

    Summary run();

  private:
    struct Asked {  // a run that an operator asked for
        std::string integration;
        int life = 0;
        bool is_answered = false;
    };

    // ---- a day ----
    void day();
    void live(Milliseconds duration);
    void settle(Milliseconds duration);
    void start_house();
    void end_house();
    bool dies(Fault fault, std::string_view point);
    void configure();
    void plan_changes(Milliseconds within);
    void plan_machine(Milliseconds within);
    void plan_people(Milliseconds within);
    void times_a_day(Fault fault, Milliseconds within, const std::function<void()>& what);
    double rate_of(Fault fault) const;  // 0: this seed does not have it
    void strike(Fault fault, std::string_view detail = {});
    void plan_touches(Milliseconds within);
    void touch_something();
    void change_something(System& system);
    void add_record(System& system, const std::string& entity);
    void edit_record(System& system, const std::string& entity);
    void change_record(System& system, const std::string& entity, const std::string& id,
                       const std::string& mark);
    void tell(const System& system, const std::string& entity, const std::string& id);
    void deliver(const std::string& integration, const std::string& id, const std::string& body);
    void operate();
    void decide_until_settled();
    bool decide_everything();
    void decide(const store::Conflict& conflict);
    bool decide(const store::Intent& intent);
    std::string sku_for(System& system, const std::string& mark);
    void reload();
    void stop_and_start();

    // ---- invariants ----
    void complain(const std::string& invariant, const std::string& found);
    void check_write(const http::Request& request);  // at every write
    void check_vendors();                            // at every day's end, and below
    void check_runs();
    void check_schedule(const System& system, const std::vector<store::Run>& runs);
    void check_engine();
    // What the hub has, read once per check.
    struct Hub {
        struct Record {
            std::string id, entity;
            json::object payload;
            bool deleted = false;
        };
        std::map<std::string, Record> records;                                // by id
        std::map<std::string, std::map<std::string, std::string>> externals;  // integration -> record -> id
        std::map<std::string, std::map<std::string, std::string>>
            by_external;                                        // integration -> entity id -> record
        std::map<std::string, std::set<std::string>> dead;      // integration -> "import key" / "export key"
        std::map<std::string, std::set<std::string>> outdated;  // of them, by record: refused as outdated
        std::map<std::string, std::map<std::string, store::Intent>> open;  // integration -> record -> intent
    };
    Hub read_hub();
    void check_imports(System& system, const Hub& hub);
    void check_exports(System& system, const Hub& hub);
    json::object as_shown(const Hub& hub, const Hub::Record& record, const std::string& integration) const;

    const std::uint64_t seed_;
    const Options& options_;
    World world_;
    SystemTimeZones zones_;
    Scenario scenario_;
    MemoryFiles files_;
    std::unique_ptr<store::Database> database_;  // the connection of all lives
    std::unique_ptr<SimNetwork> network_;
    std::unique_ptr<House> house_;
    bool is_dead_ = false, is_quiet_ = false, disk_is_full_ = false;
    int life_ = 0, names_ = 0, moved_ = 0, told_ = 0;
    std::mt19937_64 postman_;                     // of its own, so that other seeds live as before
    std::map<std::string, std::string> sent_as_;  // reference -> record
    std::set<std::string> decided_;               // conflicts of the day: integration and external id
    std::vector<std::shared_ptr<Asked>> asked_;
    Summary summary_;
};

}  // namespace liaisond::simulate
