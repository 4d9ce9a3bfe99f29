// The daemon's own keys as JSON Schema: what `config check` enforces and `config schema` prints.
#include <boost/json/parse.hpp>

#include "config/config.hpp"

namespace liaisond::config {
namespace {

constexpr char text[] = R"schema({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "liaison configuration",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "daemon": { "$ref": "#/$defs/daemon" },
    "store": {
      "type": "object", "additionalProperties": false, "description": "The hub's own database.",
      "properties": {
        "durability": { "enum": ["full", "normal"], "default": "full", "description": "full: a commit survives a power cut. normal: it survives a crash of the daemon, and a power cut may lose the last moments." }
      }
    },
    "log": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "level": { "enum": ["debug", "info", "warning", "error"], "default": "info" },
        "target": { "enum": ["journal", "stderr"], "default": "stderr", "description": "journal: structured fields for journalctl." },
        "format": { "enum": ["text", "json"], "default": "text" }
      }
    },
    "defaults": {
      "type": "object", "additionalProperties": false, "description": "Every integration inherits these.",
      "properties": {
        "retry": { "$ref": "#/$defs/retry" },
        "timeouts": { "$ref": "#/$defs/timeouts" },
        "settle": { "$ref": "#/$defs/duration" }
      }
    },
    "tenants": { "type": "object", "additionalProperties": { "$ref": "#/$defs/tenant" }, "description": "Establishments, by id." },
    "integrations": { "type": "object", "additionalProperties": { "$ref": "#/$defs/integration" }, "description": "Connectors configured for a tenant, by id." }
  },
  "$defs": {
    "duration": { "type": "string", "format": "duration", "examples": ["250ms", "30s", "5m", "2h", "7d"] },
    "daemon": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "state_dir": { "type": "string", "minLength": 1, "default": "/var/lib/liaison", "description": "Database and caches. One daemon at a time." },
        "plugin_dirs": { "type": "array", "items": { "type": "string" }, "default": ["/usr/lib/liaison/plugins", "/usr/local/lib/liaison/plugins"] },
        "socket": { "type": "string", "default": "/run/liaison/liaisond.sock", "description": "Unix socket that liaisonctl talks to." },
        "worker": { "type": "string", "description": "The liaison-worker program; by default the one installed with this liaisond." }
      }
    },
    "retry": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "attempts": { "type": "integer", "minimum": 1, "maximum": 100, "default": 5 },
        "base": { "$ref": "#/$defs/duration" },
        "max": { "$ref": "#/$defs/duration" }
      }
    },
    "timeouts": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "connect": { "$ref": "#/$defs/duration" },
        "request": { "$ref": "#/$defs/duration" },
        "run": { "$ref": "#/$defs/duration" }
      }
    },
    "tenant": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "name": { "type": "string" },
        "kind": { "enum": ["hotel", "restaurant", "wholesaler", "other"] },
        "timezone": { "type": "string", "default": "UTC", "examples": ["Europe/Paris"] },
        "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217" }
      }
    },
    "direction": { "enum": ["import", "export", "bidirectional"], "description": "import: from the vendor into the hub. export: from the hub to the vendor." },
    "entity": {
      "type": ["object", "null"], "additionalProperties": false,
      "properties": {
        "direction": { "$ref": "#/$defs/direction" },
        "on_change": { "type": "boolean", "default": false, "description": "Export soon after the hub changed, besides the schedule." },
        "debounce": { "$ref": "#/$defs/duration" },
        "conflict": { "enum": ["remote", "hub", "newest", "manual"], "description": "Whose value a field gets that the vendor and the hub both changed. manual (the default where records go both ways): liaisonctl conflicts. newest: by the vendors' change times, where both have them." },
        "authority": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 }, "examples": [{ "/status": ["paradise-pms"] }], "description": "Integrations that own a field or a group of fields, the foremost first. Comes before `conflict`." },
        "missing_reference": { "type": "object", "additionalProperties": { "type": "string" }, "examples": [{ "customer": "WALK-IN" }], "description": "Id at the vendor that stands in for a record it does not have, by the entity referred to." }
      }
    },
    "integration": {
      "type": "object", "additionalProperties": false, "required": ["tenant", "connector", "entities"],
      "properties": {
        "tenant": { "type": "string" },
        "connector": { "type": "string" },
        "enabled": { "type": "boolean", "default": true },
        "isolation": { "enum": ["plugin", "integration", "none"], "default": "plugin", "description": "plugin: one worker process for this plugin and tenant. integration: one for this integration. none: inside the daemon, for plugins trusted as much as the daemon." },
        "direction": { "$ref": "#/$defs/direction" },
        "entities": { "anyOf": [ { "type": "object", "additionalProperties": { "$ref": "#/$defs/entity" } }, { "type": "array", "items": { "type": "string" } } ] },
        "schedule": { "anyOf": [ { "$ref": "#/$defs/schedule" }, { "type": "string", "enum": ["manual"] } ] },
        "settings": { "type": "object", "description": "As the connector's manifest says." },
        "credentials": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Names of secrets: !env NAME or !file PATH." },
        "allow_hosts": { "type": "array", "items": { "type": "string" }, "description": "Hosts (host or host:port) that this integration may reach besides those in its settings." },
        "limits": {
          "type": "object", "additionalProperties": false,
          "properties": { "concurrent": { "type": "integer", "minimum": 1, "maximum": 64, "description": "Requests at once." } }
        },
        "page_size": { "type": "integer", "minimum": 1, "maximum": 5000, "default": 500, "description": "Records per transaction of an import." },
        "push_batch": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "description": "Records per batch of an export." },
        "settle": { "$ref": "#/$defs/duration" },
        "match": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 }, "examples": [{ "customer": ["email", "phone"] }], "description": "Values by which a record is recognised as one that another system brought, by entity." },
        "guard": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "mass_delete": {
              "type": "object", "additionalProperties": false, "description": "More deletes than the larger of count and share of the mappings, within that time, stop the flow until liaisonctl run --confirm-deletes.",
              "properties": {
                "share": { "type": "number", "minimum": 0, "maximum": 1 },
                "count": { "type": "integer", "minimum": 0 },
                "within": { "$ref": "#/$defs/duration" }
              }
            }
          }
        },
        "retry": { "$ref": "#/$defs/retry" },
        "timeouts": { "$ref": "#/$defs/timeouts" }
      }
    },
    "schedule": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "every": { "$ref": "#/$defs/duration" },
        "cron": { "type": "string", "examples": ["*/15 6-22 * * *"], "description": "minute hour day month weekday, in the tenant's time zone" },
        "jitter": { "$ref": "#/$defs/duration" }
      }
    }
  }
})schema";

}  // namespace

const boost::json::value& daemon_schema() {
    static const boost::json::value schema = boost::json::parse(text);
    return schema;
}

}  // namespace liaisond::config
