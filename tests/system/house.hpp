// A house for one test: a temporary directory with configuration and secrets, a simulator and a daemon.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http.hpp"
#include "process.hpp"

namespace liaison_system {

class House {
  public:
    // With the simulator running and the right secrets in place; the daemon is not started yet.
    House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;
    // Whatever the test was about: no secret and no card number may be left in anything that was written or
    // shown.
    ~House();

    const std::filesystem::path& root() const { return root_; }
    // Leaves the directory behind for somebody to look at.
    void keep() { is_kept_ = true; }
    std::filesystem::path state_dir = {};  // below the root, unless a test puts it elsewhere
    std::string plugin_dir;
    std::string plugin_trust = "owner: self";  // members of daemon.plugin_trust
    std::string daemon_section;                // further lines of the `daemon:` section
    std::string defaults;                      // further lines of the `defaults:` section

    // Below the root, with @ROOT@ and @SIM@ filled in. The file appears whole.
    void write(const std::filesystem::path& path, std::string_view text) const;
    // liaison.yaml with these entries of `integrations:`.
    void configure(std::string_view integrations) const;

    // Starts the daemon and waits until it answers; fails the test when it does not.
    void start();
    // The same with armed fault points (base/fault_point.hpp); false when it ended before it answered.
    bool start_armed(const std::string& fault_points);
    // Starts the daemon and waits for its end: what a faulty configuration does.
    std::unique_ptr<Process> try_start() const;
    // "liaison.yaml:7:5": where the last occurrence of `text` stands in the configuration.
    std::string place_of(std::string_view text, const std::string& file = "liaison.yaml") const;
    Process& daemon() { return *daemon_; }
    void kill_daemon();
    // With SIGTERM; the exit code.
    int stop();
    std::string log() const;
    // The log so far, shown with a failed assertion.
    std::string last_lines() const;

    struct Told {
        int code = -1;
        std::string text;  // what stands on the screen, standard error with it
    };
    // liaisonctl with these words, as the shell reads them.
    Told ctl(const std::string& words) const;

    Reply api(const std::string& method, const std::string& target) const;
    boost::json::value get(const std::string& target) const { return api("GET", target).body; }
    Reply sim(const std::string& method, const std::string& target, const std::string& body = {}) const;
    // What a browser would ask the simulator.
    Reply at_sim(const std::string& method, const std::string& target) const;
    std::string sim_url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void seed(const std::string& entity, int count) const;
    void set(const std::string& vendor, const std::string& switches) const;
    std::int64_t count(const std::string& entity) const;  // at the vendor: "pms/reservations"
    bool wait_until_at_vendor(const std::string& entity, std::int64_t count) const;
    std::int64_t stat(const std::string& vendor, const std::string& name) const;

    // The process that runs a plugin for a tenant or an integration; 0 when there is none.
    pid_t worker(const std::string& plugin, const std::string& key) const;

    // The number of the run that was asked for, of one entity or of all.
    std::int64_t trigger(const std::string& integration, const std::string& entity = {}) const;
    boost::json::object look_at_run(std::int64_t run) const;
    boost::json::object wait_for_run(std::int64_t run) const;
    boost::json::object run(const std::string& integration) const {
        return wait_for_run(trigger(integration));
    }
    // Newest first.
    std::vector<boost::json::object> runs(const std::string& integration) const;
    // The first run after that one that ended with `status`; empty when none does in time.
    boost::json::object wait_for_status(const std::string& integration, std::int64_t after,
                                        std::string_view status) const;
    // Waits until the live run has fetched that many records.
    bool wait_until_fetched(std::int64_t run, std::int64_t records) const;

  private:
    void look_for_leaks();
    std::string filled(std::string_view text) const;
    std::vector<std::string> command() const;

    std::filesystem::path root_;
    std::unique_ptr<Process> simulator_, daemon_;
    std::uint16_t port_ = 0;
    bool is_kept_ = false;
    mutable std::string shown_;  // by liaisonctl
};

// Of an answer: text, whole number, member.
std::string text_of(const boost::json::object& object, std::string_view key);
std::int64_t number_of(const boost::json::object& object, std::string_view key);
// A counter of a run, over all its entities.
std::int64_t total_of(const boost::json::object& run, std::string_view counter);

}  // namespace liaison_system
