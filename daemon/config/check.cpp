#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <set>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "config/config.hpp"
#include "config/section.hpp"

namespace liaisond::config {
namespace json = boost::json;

const Entity* Integration::entity(std::string_view name) const {
    const auto found =
        std::find_if(entities.begin(), entities.end(), [&](const Entity& e) { return e.name == name; });
    return found == entities.end() ? nullptr : &*found;
}

namespace {

// A frame of the largest size has to fit in twice.
constexpr std::size_t least_worker_memory = 128u << 20;

const Schema& compiled_daemon_schema() {
    static const Schema schema = Schema::compile(daemon_schema()).value();
    return schema;
}

const json::object& object_at(const json::object& parent, std::string_view key) {
    static const json::object empty;
    const json::value* found = parent.if_contains(key);
    return found != nullptr && found->is_object() ? found->get_object() : empty;
}

std::string text_at(const json::object& parent, std::string_view key, std::string otherwise = {}) {
    const json::value* found = parent.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::move(otherwise);
}

std::uint32_t number_at(const json::object& parent, std::string_view key, std::uint32_t otherwise) {
    const json::value* found = parent.if_contains(key);
    return found != nullptr && found->is_int64() ? static_cast<std::uint32_t>(found->get_int64()) : otherwise;
}

// Turns the checked document into the typed configuration, collecting what the schema cannot know.
class Builder {
  public:
    Builder(const Document& document, std::vector<Fault>& faults) : document_(document), faults_(faults) {}

    void schema_faults() {
        for (const Schema::Fault& fault : compiled_daemon_schema().check(document_.root(), 100)) {
            add(fault.pointer, fault.message + boolean_hint(fault.pointer), fault.about_key);
        }
    }

    Config daemon() {
        Config config;
        const json::object& daemon = object_at(document_.root(), "daemon");
        config.state_dir = expanded(daemon, "state_dir", "/var/lib/liaison");
        config.vault_key = expanded(daemon, "vault_key", "");
        config.socket = expanded(daemon, "socket", "/run/liaison/liaisond.sock");
        config.worker = expanded(daemon, "worker", "");
        if (const json::value* dumps = daemon.if_contains("core_dumps"))
            config.core_dumps = dumps->is_bool() && dumps->get_bool();
        config.degraded_sandbox = text_at(daemon, "sandbox") == "degraded";
        worker_memory(config, daemon);
        if (const json::value* dirs = daemon.if_contains("plugin_dirs");
            dirs != nullptr && dirs->is_array()) {
            for (std::size_t i = 0; i < dirs->get_array().size(); ++i) {
                const json::value& dir = dirs->get_array()[i];
                if (dir.is_string())
                    config.plugin_dirs.push_back(
                        expand(std::string(dir.get_string()), "/daemon/plugin_dirs/" + std::to_string(i)));
            }
        } else {
            config.plugin_dirs = {"/usr/lib/liaison/plugins", "/usr/local/lib/liaison/plugins"};
        }
        config.plugin_trust = plugin_trust(object_at(daemon, "plugin_trust"));
        config.http = http(daemon);
        config.upkeep = read_upkeep(Section(document_, faults_, document_.root(), ""));
        const json::object& log = object_at(document_.root(), "log");
        config.log_level = text_at(log, "level", "info");
        config.log_target = text_at(log, "target", "stderr");
        config.log_format = text_at(log, "format", "text");
        const bool normal = text_at(object_at(document_.root(), "store"), "durability") == "normal";
        config.durability = normal ? Durability::normal : Durability::full;
        return config;
    }

    static PluginTrust plugin_trust(const json::object& members) {
        PluginTrust trust;
        trust.own_user = text_at(members, "owner") == "self";
        const json::value* const required = members.if_contains("require_signatures");
        trust.require_signatures = required != nullptr && required->is_bool() && required->get_bool();
        for (const auto& [name, key] : object_at(members, "keys"))
            if (key.is_string()) trust.keys[std::string(name)] = std::string(key.get_string());
        return trust;
    }

    void worker_memory(Config& config, const json::object& daemon) {
        const std::string text = text_at(daemon, "worker_memory");
        if (text.empty()) return;
        const auto bytes = parse_size(text);
        if (bytes && *bytes >= least_worker_memory)
            config.worker_memory = *bytes;
        else
            add("/daemon/worker_memory",
                "is '" + text + "', which is no size of 128MiB or more; write 512MiB or 2GiB");
    }

    void tenants(Config& config, const TimeZones& zones) {
        for (const auto& [id, value] : object_at(document_.root(), "tenants")) {
            const std::string pointer = "/tenants/" + pointer_token(id);
            const json::object& members = object_at(object_at(document_.root(), "tenants"), id);
            check_id(id, pointer);
            Tenant tenant{std::string(id), text_at(members, "name", std::string(id)),
                          text_at(members, "kind", "other"), text_at(members, "timezone", "UTC"),
                          text_at(members, "currency")};
            if (!zones.exists(tenant.timezone)) {
                add(pointer + "/timezone",
                    "is '" + tenant.timezone +
                        "', which is no IANA time zone; write one such as Europe/Paris");
            }
            config.tenants[tenant.id] = std::move(tenant);
        }
        // What is done at night is done at night where the tenants are, as far as that is one place.
        std::set<std::string> places;
        for (const auto& [id, tenant] : config.tenants) places.insert(tenant.timezone);
        if (places.size() == 1 && zones.exists(*places.begin())) config.upkeep.timezone = *places.begin();
    }

    void integrations(Config& config, const Connectors& connectors) {
        const json::object& defaults = object_at(document_.root(), "defaults");
        (void)read_supervision(Section(document_, faults_, defaults, "/defaults"), {});
        for (const auto& [id, value] : object_at(document_.root(), "integrations")) {
            if (!value.is_object()) continue;
            Integration integration = this->integration(std::string(id), value.get_object(), defaults);
            check_tenant(config, integration);
            check_connector(config, connectors, integration, value.get_object());
            integration.fingerprint =
                to_hex(content_hash(json::serialize(value) + json::serialize(defaults)));
            config.integrations[integration.id] = std::move(integration);
        }
        for (const auto& [id, integration] : config.integrations) {
            check_rules(
                config, integration,
                Section(document_, faults_, object_at(object_at(document_.root(), "integrations"), id),
                        "/integrations/" + pointer_token(id)));
        }
    }

  private:
    static std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
        std::vector<std::string> texts;
        const json::value* list = object.if_contains(key);
        if (list == nullptr || !list->is_array()) return texts;
        for (const json::value& one : list->get_array()) {
            if (one.is_string()) texts.emplace_back(one.get_string());
        }
        return texts;
    }

    // Passwords and tokens in clear over a network are a fault, not a choice.
    Http http(const json::object& daemon) {
        Http http;
        http.listen = expanded(daemon, "listen", "");
        http.webhooks_listen = expanded(daemon, "webhooks_listen", "");
        http.public_url = expanded(daemon, "public_url", "");
        const json::object& tls = object_at(daemon, "tls");
        http.certificate = expanded(tls, "certificate", "");
        http.key = expanded(tls, "key", "");
        http.hosts = texts_at(daemon, "hosts");
        http.trusted_proxies = texts_at(daemon, "trusted_proxies");
        const auto check_address = [&](const std::string& address, const std::string& pointer) {
            const bool is_near = address.starts_with("127.") || address.starts_with("[::1]");
            if (!address.empty() && !is_near && http.certificate.empty())
                add(pointer,
                    "is reachable from the network without TLS, and tokens would travel in clear; add "
                    "daemon.tls, or "
                    "listen on 127.0.0.1 behind a proxy that speaks TLS");
        };
        check_address(http.listen, "/daemon/listen");
        check_address(http.webhooks_listen, "/daemon/webhooks_listen");
        return http;
    }

    void add(const std::string& pointer, std::string message, bool about_key = false) {
        document_.add_fault(faults_, pointer, std::move(message), about_key);
    }

    // YAML 1.1 habits: `enabled: no` is text in YAML 1.2.
    std::string boolean_hint(const std::string& pointer) const {
        boost::system::error_code error;
        const json::value root(document_.root());
        const json::value* found = root.find_pointer(pointer, error);
        if (found == nullptr || !found->is_string()) return {};
        const std::string_view text(found->get_string());
        const bool yes = text == "yes" || text == "on" || text == "Yes" || text == "On";
        const bool no = text == "no" || text == "off" || text == "No" || text == "Off";
        if (!yes && !no) return {};
        return std::string(" (YAML 1.2 reads ") + std::string(text) + " as text; write " +
               (yes ? "true" : "false") + ")";
    }

    void check_id(std::string_view id, const std::string& pointer) {
        const bool fine = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        if (!fine) add(pointer, "is not a usable id; use at most 64 small letters, digits, - and _", true);
    }

    // ${NAME} is replaced by the environment variable, as systemd's credentials need it.
    std::string expand(std::string text, const std::string& pointer) {
        for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
            const std::size_t end = text.find('}', at);
            if (end == std::string::npos) break;
            const std::string name = text.substr(at + 2, end - at - 2);
            const char* value = std::getenv(name.c_str());
            if (value == nullptr) {
                add(pointer, "uses ${" + name + "}, which is not set in the environment");
                return text;
            }
            text.replace(at, end - at + 1, value);
        }
        return text;
    }
    std::string expanded(const json::object& parent, std::string_view key, std::string otherwise) {
        return expand(text_at(parent, key, std::move(otherwise)), "/daemon/" + std::string(key));
    }

    Milliseconds duration(const json::object& parent, std::string_view key, const std::string& pointer,
                          Milliseconds otherwise, Milliseconds least = Milliseconds(0)) {
        return Section(document_, faults_, parent, pointer).duration(key, otherwise, least);
    }

    RetryPolicy retry(const json::object& parent, const std::string& pointer, RetryPolicy policy) {
        const json::object& members = object_at(parent, "retry");
        policy.attempts = number_at(members, "attempts", policy.attempts);
        policy.base = duration(members, "base", pointer + "/retry", policy.base);
        policy.max = duration(members, "max", pointer + "/retry", policy.max);
        return policy;
    }
    Timeouts timeouts(const json::object& parent, const std::string& pointer, Timeouts limits) {
        const json::object& members = object_at(parent, "timeouts");
        const Milliseconds least(1);
        limits.connect = duration(members, "connect", pointer + "/timeouts", limits.connect, least);
        limits.request = duration(members, "request", pointer + "/timeouts", limits.request, least);
        limits.run = duration(members, "run", pointer + "/timeouts", limits.run, least);
        return limits;
    }

    Integration integration(std::string id, const json::object& members, const json::object& defaults) {
        const std::string pointer = "/integrations/" + pointer_token(id);
        check_id(id, pointer);
        const Section here(document_, faults_, members, pointer);
        const Section usual(document_, ignored_, defaults, "/defaults");
        Integration made;
        made.id = std::move(id);
        made.tenant = text_at(members, "tenant");
        made.connector = text_at(members, "connector");
        if (const json::value* enabled = members.if_contains("enabled");
            enabled != nullptr && enabled->is_bool())
            made.enabled = enabled->get_bool();
        const std::string isolation = text_at(members, "isolation", "plugin");
        made.isolation = isolation == "none"          ? Isolation::none
                         : isolation == "integration" ? Isolation::integration
                                                      : Isolation::plugin;
        made.entities = entities(members, pointer);
        match(members, made.entities);
        made.mass_delete = read_mass_delete(here);
        const json::object& guard = object_at(members, "guard");
        if (guard.contains("approval"))
            made.approval =
                approval(object_at(guard, "approval"), pointer + "/guard/approval", made.entities);
        made.schedule = read_schedule(here);
        made.supervision = read_supervision(here, read_supervision(usual, {}));
        made.settings = json::serialize(object_at(members, "settings"));
        made.credentials = credentials(members, pointer);
        if (const json::value* hosts = members.if_contains("allow_hosts");
            hosts != nullptr && hosts->is_array()) {
            for (const json::value& host : hosts->get_array()) {
                if (host.is_string()) made.allow_hosts.emplace_back(host.get_string());
            }
        }
        made.ca_file = text_at(object_at(members, "tls"), "ca_file");
        made.concurrent = number_at(object_at(members, "limits"), "concurrent", 0);
        made.page_size = number_at(members, "page_size", made.page_size);
        made.push_batch = number_at(members, "push_batch", made.push_batch);
        made.settle =
            duration(members, "settle", pointer, duration(defaults, "settle", "/defaults", made.settle));
        made.retry = retry(members, pointer, retry(defaults, "/defaults", {}));
        made.timeouts = timeouts(members, pointer, timeouts(defaults, "/defaults", {}));
        return made;
    }

    std::vector<Entity> entities(const json::object& members, const std::string& pointer) {
        std::vector<Entity> made;
        const std::string fallback = text_at(members, "direction");
        const json::value* list = members.if_contains("entities");
        const auto add_entity = [&](std::string name, const json::object& options, const std::string& at) {
            const std::string direction = text_at(options, "direction", fallback);
            if (direction.empty())
                add(at,
                    "needs a direction (import, export or bidirectional), here or for the whole integration",
                    true);
            Entity entity;
            entity.name = std::move(name);
            entity.imports = direction != "export";
            entity.exports = direction == "export" || direction == "bidirectional";
            const json::value* on_change = options.if_contains("on_change");
            entity.on_change = on_change != nullptr && on_change->is_bool() && on_change->get_bool();
            entity.debounce = duration(options, "debounce", at, entity.debounce);
            entity.conflict = conflict_policy(options, entity.imports && entity.exports);
            for (const auto& [field, owners] : object_at(options, "authority")) {
                entity.authority[std::string(field)] = texts_of(owners);
            }
            for (const auto& [other, id] : object_at(options, "missing_reference")) {
                if (id.is_string()) entity.missing_reference[std::string(other)] = id.get_string().c_str();
            }
            made.push_back(std::move(entity));
        };
        if (list != nullptr && list->is_object()) {
            for (const auto& [name, options] : list->get_object()) {
                add_entity(std::string(name), object_at(list->get_object(), name),
                           pointer + "/entities/" + pointer_token(name));
            }
        } else if (list != nullptr && list->is_array()) {
            for (std::size_t i = 0; i < list->get_array().size(); ++i) {
                const json::value& name = list->get_array()[i];
                if (name.is_string())
                    add_entity(std::string(name.get_string()), {},
                               pointer + "/entities/" + std::to_string(i));
            }
        }
        made.shrink_to_fit();  // ten thousand of them lie idle
        return made;
    }

    static std::vector<std::string> texts_of(const json::value& list) {
        std::vector<std::string> texts;
        if (!list.is_array()) return texts;
        for (const json::value& text : list.get_array()) {
            if (text.is_string()) texts.emplace_back(text.get_string());
        }
        return texts;
    }

    // A vendor that is only read is the source of what it shows; where records go both ways a person decides.
    static ConflictPolicy conflict_policy(const json::object& options, bool both_ways) {
        const std::string word = text_at(options, "conflict", both_ways ? "manual" : "remote");
        return word == "remote"   ? ConflictPolicy::remote
               : word == "hub"    ? ConflictPolicy::hub
               : word == "newest" ? ConflictPolicy::newest
                                  : ConflictPolicy::manual;
    }

    static void match(const json::object& members, std::vector<Entity>& entities) {
        for (Entity& entity : entities) {
            const json::value* names = object_at(members, "match").if_contains(entity.name);
            if (names != nullptr) entity.match = texts_of(*names);
        }
    }

    std::shared_ptr<const Approval> approval(const json::object& limits, const std::string& pointer,
                                             const std::vector<Entity>& known) {
        Approval made;
        const auto limit = [&](const char* name, std::optional<std::uint32_t>& into) {
            if (limits.contains(name)) into = number_at(limits, name, 0);
        };
        limit("creates", made.creates);
        limit("updates", made.updates);
        limit("deletes", made.deletes);
        for (const auto& [entity, fields] : object_at(limits, "fields")) {
            const std::string at = pointer + "/fields/" + pointer_token(entity);
            const bool mine =
                std::any_of(known.begin(), known.end(),
                            [name = std::string_view(entity)](const Entity& e) { return e.name == name; });
            if (!mine) add(at, "names an entity that this integration does not have", true);
            if (!fields.is_object()) continue;
            for (const auto& [field, count] : fields.get_object()) {
                if (!field.starts_with('/'))
                    add(at + "/" + pointer_token(field),
                        "is no JSON pointer; write /" + std::string(field) + " for the field '" +
                            std::string(field) + "'",
                        true);
                made.fields[std::string(entity)][std::string(field)] =
                    number_at(fields.get_object(), field, 0);
            }
        }
        return std::make_shared<const Approval>(std::move(made));
    }

    std::map<std::string, SecretSource> credentials(const json::object& members, const std::string& pointer) {
        std::map<std::string, SecretSource> made;
        for (const auto& [name, value] : object_at(members, "credentials")) {
            if (!value.is_string()) continue;
            const std::string at = pointer + "/credentials/" + pointer_token(name);
            if (auto source = parse_secret_source(std::string_view(value.get_string())))
                made[std::string(name)] = std::move(*source);
            else
                add(at,
                    "holds a secret in clear text; put it into the vault with liaisonctl secret set NAME and "
                    "write !secret NAME, or into a file of mode 0600 and write !file /path/to/it");
        }
        return made;
    }

    void check_tenant(const Config& config, const Integration& integration) {
        if (integration.tenant.empty() || config.tenants.contains(integration.tenant)) return;
        std::vector<std::string> ids;
        for (const auto& [id, tenant] : config.tenants) ids.push_back(id);
        const std::string hint = did_you_mean(integration.tenant, ids);
        add("/integrations/" + pointer_token(integration.id) + "/tenant",
            "is '" + integration.tenant + "', and no such tenant is defined" +
                (hint.empty() && !ids.empty() ? "; defined: " + list_of(ids) : hint));
    }

    void check_connector(const Config& config, const Connectors& connectors, Integration& integration,
                         const json::object& members) {
        const std::string pointer = "/integrations/" + pointer_token(integration.id);
        if (integration.connector.empty()) return;
        const auto known = connectors.find(integration.connector);
        if (!known) return unknown_connector(config, connectors, integration, pointer);
        if (integration.concurrent == 0) integration.concurrent = known->concurrent;
        integration.limits = read_limits(Section(document_, faults_, members, pointer), known->limits);
        if (known->settings != nullptr) {
            for (const Schema::Fault& fault : known->settings->check(object_at(members, "settings"))) {
                add(pointer + "/settings" + fault.pointer,
                    fault.message + boolean_hint(pointer + "/settings" + fault.pointer), fault.about_key);
            }
        }
        if (known->credentials != nullptr) {
            for (const Schema::Fault& fault : known->credentials->check(object_at(members, "credentials"))) {
                add(pointer + "/credentials" + fault.pointer, fault.message, fault.about_key);
            }
        }
        if (members.contains("webhook"))
            integration.webhook =
                webhook(integration, *known, object_at(members, "webhook"), pointer + "/webhook");
        const bool is_list = members.contains("entities") && members.at("entities").is_array();
        for (std::size_t i = 0; i < integration.entities.size(); ++i) {
            const Entity& entity = integration.entities[i];
            const auto& offered = known->entities;
            const auto is_in = [&](const std::vector<std::string>& names) {
                return std::find(names.begin(), names.end(), entity.name) != names.end();
            };
            const std::string place =
                pointer + "/entities/" + (is_list ? std::to_string(i) : pointer_token(entity.name));
            // In both directions a connector does what it can; in one alone it would do nothing.
            const bool is_idle = (!entity.imports || is_in(known->never_imported)) &&
                                 (!entity.exports || is_in(known->never_exported));
            if (is_idle && is_in(offered))
                add(place,
                    "is only " + std::string(entity.imports ? "imported" : "exported") + ", and " +
                        integration.connector + " can only " + (entity.imports ? "export '" : "import '") +
                        entity.name + "'",
                    true);
            if (offered.empty() || is_in(offered)) continue;
            add(place,
                "is '" + entity.name + "', which " + integration.connector +
                    " does not offer; offered: " + list_of(offered) + did_you_mean(entity.name, offered),
                true);
        }
    }

    // What is written here over what the manifest says; another profile is another story altogether.
    std::shared_ptr<const Webhook> webhook(const Integration& integration, const ConnectorSchemas& known,
                                           const json::object& written, const std::string& pointer) {
        json::object members;
        if (known.webhook != nullptr) members = *known.webhook;
        const std::string usual = text_at(members, "profile"), credential = text_at(members, "secret");
        members.erase("secret");
        if (!usual.empty() && text_at(written, "profile", usual) != usual) members.clear();
        const bool is_usual = !members.empty();
        for (const auto& [key, value] : written) members[key] = value;
        auto made = read_webhook(Section(document_, faults_, members, pointer));
        if (!made) return nullptr;
        const auto found = integration.credentials.find(credential);
        if (made->secrets.empty() && is_usual && found != integration.credentials.end())
            made->secrets.push_back(found->second);
        return std::make_shared<const Webhook>(std::move(*made));
    }

    void unknown_connector(const Config& config, const Connectors& connectors, const Integration& integration,
                           const std::string& pointer) {
        const std::vector<std::string> names = connectors.names();
        std::string message = "is '" + integration.connector + "', and no installed plugin offers it" +
                              did_you_mean(integration.connector, names);
        message += names.empty() ? " (there is no usable plugin in daemon.plugin_dirs: " +
                                       list_of(config.plugin_dirs, " and ") + ")"
                                 : " (installed: " + list_of(names, " and ") + ")";
        for (const std::string& broken : connectors.broken()) message += "; " + broken;
        add(pointer + "/connector", std::move(message));
    }

    const Document& document_;
    std::vector<Fault>& faults_;
    std::vector<Fault> ignored_;  // of the defaults, which every integration reads again
};

}  // namespace

namespace {

void add_yaml_files(std::vector<std::filesystem::path>& files, const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> more;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string extension = entry.path().extension();
        if (extension == ".yaml" || extension == ".yml") more.push_back(entry.path());
    }
    std::sort(more.begin(), more.end());
    files.insert(files.end(), more.begin(), more.end());
}

}  // namespace

std::vector<std::filesystem::path> config_files(const std::filesystem::path& main) {
    std::vector<std::filesystem::path> files{main};
    add_yaml_files(files, main.parent_path() / "conf.d");
    add_yaml_files(files, main.parent_path() / "conf.d" / "managed");
    return files;
}

Config check_daemon(const Document& document, std::vector<Fault>& faults) {
    return Builder(document, faults).daemon();
}

Config check(const Document& document, const Connectors& connectors, const TimeZones& zones,
             std::vector<Fault>& faults) {
    Builder builder(document, faults);
    builder.schema_faults();
    Config config = builder.daemon();
    builder.tenants(config, zones);
    builder.integrations(config, connectors);
    std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) {
        return std::tie(a.place.file, a.place.line, a.place.column) <
               std::tie(b.place.file, b.place.line, b.place.column);
    });
    return config;
}

}  // namespace liaisond::config
