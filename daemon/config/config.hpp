// The configuration as the daemon uses it: typed, complete (defaults applied), valid.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "base/time.hpp"
#include "config/document.hpp"
#include "config/policies.hpp"
#include "config/schedule.hpp"
#include "config/upkeep.hpp"
#include "config/webhook.hpp"

namespace liaisond::config {

enum class Isolation : std::uint8_t { plugin, integration, none };
enum class Durability : std::uint8_t { full, normal };

struct RetryPolicy {
    std::uint32_t attempts = 5;  // in all, the first included
    Milliseconds base{1000}, max{300'000};
};

struct Timeouts {
    Milliseconds connect{10'000}, request{30'000}, run{30 * 60'000};
};

// Whose value a field gets that both sides changed.
enum class ConflictPolicy : std::uint8_t { remote, hub, newest, manual };

struct Entity {
    std::string name;
    bool imports = false, exports = false;
    bool on_change = false;  // export soon after a change in the hub, without waiting for the schedule
    Milliseconds debounce{500};
    ConflictPolicy conflict = ConflictPolicy::manual;
    // By JSON pointer of a field or a group of fields: the integrations that own it, first the foremost.
    std::map<std::string, std::vector<std::string>> authority;
    // By which values a record of another system is recognised as one the hub has: "email", "sku".
    std::vector<std::string> match;
    // Id at the vendor that stands in for a reference it does not have, by the entity referred to.
    std::map<std::string, std::string> missing_reference;
};

// More deletes than that within the time stop the flow until a person confirms them.
struct MassDelete {
    double share = 0.02;  // of the integration's mappings of the entity
    std::uint32_t count = 10;
    Milliseconds within{3'600'000};
};

// A run that would do more than that on one side is only planned, and waits until a person approves it.
struct Approval {
    std::optional<std::uint32_t> creates, updates, deletes;
    std::map<std::string, std::map<std::string, std::uint32_t>> fields;  // by entity and JSON pointer
};

struct Tenant {
    std::string id, name, kind, timezone = "UTC", currency;
};

struct Integration {
    std::string id, tenant, connector;
    bool enabled = true;
    Isolation isolation = Isolation::plugin;
    std::vector<Entity> entities;
    Schedule schedule;
    std::string settings =
        "{}";  // JSON; parsed where somebody needs it, because ten thousand of them lie idle
    std::map<std::string, SecretSource> credentials;
    std::vector<std::string> allow_hosts;
    std::string ca_file;           // PEM; trusted instead of the system's authorities; empty: those
    std::uint32_t concurrent = 4;  // requests at once
    Limits limits;
    Supervision supervision;
    Milliseconds settle{300'000};  // how long a vendor may still be executing a write whose answer was lost
    std::uint32_t page_size = 500, push_batch = 100;
    MassDelete mass_delete;
    std::shared_ptr<const Approval> approval;  // null: none is needed
    RetryPolicy retry;
    Timeouts timeouts;
    std::shared_ptr<const Webhook> webhook;  // null: nothing comes in
    std::string fingerprint;                 // changes when anything above does

    const Entity* entity(std::string_view name) const;
};

// The API on the network; the unix socket is always there.
struct Http {
    std::string listen;           // "127.0.0.1:8480"; empty: not on the network
    std::string webhooks_listen;  // the same for webhooks alone; empty: they come in where the API does
    std::string public_url;
    std::string certificate, key;              // PEM files; empty: without TLS
    std::vector<std::string> hosts;            // further names in Host
    std::vector<std::string> trusted_proxies;  // addresses
    bool operator==(const Http&) const = default;
};

// Which plugin files may be loaded.
struct PluginTrust {
    bool own_user = false;  // the user of the daemon may own them, as root may
    bool require_signatures = false;
    std::map<std::string, std::string> keys;  // minisign public keys by the name of whom they belong to
    bool operator==(const PluginTrust&) const = default;
};

struct Config {
    std::string state_dir, socket, worker;
    std::string vault_key;  // empty: the usual place
    std::vector<std::string> plugin_dirs;
    PluginTrust plugin_trust;
    bool core_dumps = false;
    bool degraded_sandbox = false;               // plugins run where the kernel has no Landlock
    std::uint64_t worker_memory = 512ull << 20;  // bytes of address space
    Http http;
    Durability durability = Durability::full;
    std::string log_level = "info", log_target = "stderr", log_format = "text";
    Upkeep upkeep;
    std::map<std::string, Tenant> tenants;
    std::map<std::string, Integration> integrations;
};

// What validation needs to know of an installed connector.
struct ConnectorSchemas {
    const Schema* settings = nullptr;  // null: anything goes
    const Schema* credentials = nullptr;
    std::vector<std::string> entities;  // empty: any
    std::uint32_t concurrent = 4;
    Limits limits = {};                                                 // as the manifest says
    std::vector<std::string> never_imported = {}, never_exported = {};  // of the entities
    // What the manifest says about webhooks, in the words of the configuration, `secret` being the name of a
    // credential; null: nothing.
    const boost::json::object* webhook = nullptr;
};

class Connectors {
  public:
    virtual ~Connectors() = default;
    // Nothing when no installed plugin offers it.
    virtual std::optional<ConnectorSchemas> find(const std::string& name) const = 0;
    virtual std::vector<std::string> names() const = 0;
    // Names and messages of plugins that could not be used, for the error about a missing connector.
    virtual std::vector<std::string> broken() const = 0;
};

// The JSON Schema of the daemon's own keys.
const boost::json::value& daemon_schema();

// liaison.yaml followed by conf.d/*.yaml, then conf.d/managed/*.yaml, each in name order (conf.d stands
// beside liaison.yaml).
std::vector<std::filesystem::path> config_files(const std::filesystem::path& main);

// Only the `daemon:` section: what must be known before plugins can be looked for. Faults as for `check`.
Config check_daemon(const Document& document, std::vector<Fault>& faults);
// Everything. The result may be used only when no fault was added.
Config check(const Document& document, const Connectors& connectors, const TimeZones& zones,
             std::vector<Fault>& faults);

}  // namespace liaisond::config
