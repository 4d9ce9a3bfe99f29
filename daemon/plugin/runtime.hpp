// Runtime: the one door to plugin code, whether it runs in this process or in a worker. Nothing above can
// tell.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/completion.hpp"
#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

// How far plugin code is kept away from the daemon (architecture.md, Processes).
enum class Isolation : std::uint8_t {
    plugin,       // one worker serves one plugin for one tenant
    integration,  // one worker for this integration alone
    none,         // loaded into the daemon: for plugins trusted as much as the daemon itself
};

// One integration as plugin code sees it. Equal specs share an instance.
struct InstanceSpec {
    std::string library;  // absolute path of the .so
    std::string tenant;
    std::string integration;
    std::string config;  // {"connector":..., "settings":{...}}, already validated
    Isolation isolation = Isolation::plugin;
    // SHA-256 of the library in hex; one that differs is not loaded. Empty: not checked.
    std::string library_digest = {};
    bool operator==(const InstanceSpec&) const = default;
};

// One running operation. Destroying it destroys the plugin's job, at any time; a pending completion is then
// dropped.
class Job {
  public:
    virtual ~Job() = default;
    // Hands the plugin one event; completes with its next effect, or with an error of kind `internal` when
    // the plugin crashed, hung, answered nonsense or cannot be loaded. After an error the job is dead. One
    // step at a time.
    virtual void step(Event event, Completion<Result<Effect>> done) = 0;
};

class Runtime {
  public:
    virtual ~Runtime() = default;
    // Never fails: what goes wrong (plugin missing, refused, quarantined) comes with the first step.
    virtual std::unique_ptr<Job> create_job(const InstanceSpec& spec, JobKind kind) = 0;
    // Closes the instances of that integration once their jobs are gone (configuration changed or removed).
    virtual void forget(const std::string& integration) = 0;
    // Why the plugin is not started for it any more, a sentence; empty: it is (quarantine,
    // reliability.md 5.2).
    virtual std::string quarantined(const InstanceSpec&) const { return {}; }
};

}  // namespace liaisond::plugin
