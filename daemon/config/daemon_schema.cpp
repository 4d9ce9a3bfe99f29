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
    "backup": {
      "type": "object", "additionalProperties": false, "required": ["to"], "description": "A copy of the hub's database every day. The key of the vault is not in it: keep a copy of that elsewhere.",
      "properties": {
        "to": { "type": "string", "pattern": "^/", "examples": ["/var/backups/liaison"], "description": "Folder, best on another disk." },
        "at": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "default": "03:30", "description": "Time of day, in the zone that all tenants share, else UTC." },
        "keep": { "type": "object", "additionalProperties": false, "properties": {
          "daily": { "type": "integer", "minimum": 1, "maximum": 366, "default": 7 },
          "weekly": { "type": "integer", "minimum": 0, "maximum": 520, "default": 4 } } }
      }
    },
    "retention": {
      "type": "object", "additionalProperties": false, "description": "How long what is kept. The audit log is kept for ever.",
      "properties": {
        "at": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "default": "04:10", "description": "A quiet time of day, in the zone that all tenants share, else UTC." },
        "runs": { "$ref": "#/$defs/kept_for", "description": "Runs and resolved alerts (400d). Runs that a dead letter, conflict or plan names stay." },
        "logs": { "$ref": "#/$defs/kept_for", "description": "Log rows in the database (7d); then they go to archive/ in state_dir, compressed, a file a day." },
        "archive": { "$ref": "#/$defs/kept_for", "description": "Those files (90d)." },
        "inbox": { "$ref": "#/$defs/kept_for", "description": "Bodies of webhooks that are done with (30d)." },
        "dead_letters": { "$ref": "#/$defs/kept_for", "description": "Records and webhooks that were refused (180d)." },
        "reservations": { "$ref": "#/$defs/kept_for", "description": "Names, addresses and remarks of guests, after departure (30d). The reservation itself stays, and nobody is told." }
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
        "settle": { "$ref": "#/$defs/duration" },
        "circuit_breaker": { "$ref": "#/$defs/circuit_breaker" },
        "suspend_after_failures": { "$ref": "#/$defs/suspend_after_failures" },
        "alert_after_failures": { "$ref": "#/$defs/alert_after_failures" },
        "expect_success_within": { "$ref": "#/$defs/duration" }
      }
    },
    "tenants": { "type": "object", "additionalProperties": { "$ref": "#/$defs/tenant" }, "description": "Establishments, by id." },
    "integrations": { "type": "object", "additionalProperties": { "$ref": "#/$defs/integration" }, "description": "Connectors configured for a tenant, by id." }
  },
  "$defs": {
    "duration": { "type": "string", "format": "duration", "examples": ["250ms", "30s", "5m", "2h", "7d"] },
    "kept_for": { "anyOf": [ { "type": "string", "enum": ["forever"] }, { "$ref": "#/$defs/duration" } ] },
    "daemon": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "state_dir": { "type": "string", "minLength": 1, "default": "/var/lib/liaison", "description": "Database and caches. One daemon at a time." },
        "plugin_dirs": { "type": "array", "items": { "type": "string" }, "default": ["/usr/lib/liaison/plugins", "/usr/local/lib/liaison/plugins"] },
        "plugin_trust": {
          "type": "object", "additionalProperties": false, "description": "Which plugin files are loaded. Never those that others than their owner may write to or exchange.",
          "properties": {
            "owner": { "enum": ["root", "self"], "default": "root", "description": "Whose the files have to be. self: the user that liaisond runs as will do, too; for developers." },
            "require_signatures": { "type": "boolean", "default": false, "description": "Load only plugins that one of the keys has signed (liaisonctl plugin sign). A signature that is there must fit in any case." },
            "keys": { "type": "object", "additionalProperties": { "type": "string", "pattern": "^RW[Q-T][A-Za-z0-9+/]{53}$" }, "examples": [{ "acme": "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3" }], "description": "Public keys, as minisign and liaisonctl plugin keygen print them, by the name of whom they belong to." } }
        },
        "socket": { "type": "string", "default": "/run/liaison/liaisond.sock", "description": "Unix socket that liaisonctl talks to." },
        "vault_key": { "type": "string", "minLength": 1, "description": "The key file of the vault; by default vault.key in state_dir, or the systemd credential liaison-vault-key where there is one. Keep a copy apart from the backups." },
        "listen": { "type": "string", "pattern": "^.+:[0-9]+$", "examples": ["127.0.0.1:8480"], "description": "Address of the API on the network, for software that shows a token (liaisonctl token create). Without it there is only the unix socket." },
        "webhooks_listen": { "type": "string", "pattern": "^.+:[0-9]+$", "examples": ["127.0.0.1:8481"], "description": "Address for webhooks alone, apart from the API; with daemon.tls where that is set. Without it they come in at `listen`." },
        "public_url": { "type": "string", "pattern": "^https?://[^/]+$", "examples": ["https://hub.hotel-paradise.example"], "description": "The address at which others reach this liaison, behind a proxy perhaps." },
        "hosts": { "type": "array", "items": { "type": "string", "pattern": "^[a-z0-9.-]+$" }, "description": "Further names by which this liaison may be asked for." },
        "tls": { "type": "object", "additionalProperties": false, "required": ["certificate", "key"], "description": "PEM files. Without them: only behind a proxy on this machine.", "properties": { "certificate": { "type": "string", "minLength": 1 }, "key": { "type": "string", "minLength": 1 } } },
        "trusted_proxies": { "type": "array", "items": { "type": "string" }, "description": "Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Of a proxy that is not named here all clients count as one, and share the limits of one address." },
        "core_dumps": { "type": "boolean", "default": false, "description": "Allow core dumps. They hold customer data, keys and tokens: only on a machine for finding bugs." },
        "sandbox": { "enum": ["required", "degraded"], "default": "required", "description": "required: liaisond does not start where the kernel has no Landlock. degraded: plugins then run with the rest of the sandbox alone, and one that attacks while it is loaded can read files." },
        "worker_memory": { "type": "string", "default": "512MiB", "examples": ["1GiB"], "description": "Address space of one worker process, at least 128MiB. A plugin that asks for more gets none and fails its job." },
        "worker": { "type": "string", "description": "The liaison-worker program; by default the one installed with this liaisond." }
      }
    },
    "retry": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "attempts": { "type": "integer", "minimum": 1, "maximum": 100, "default": 5 },
        "base": { "$ref": "#/$defs/duration" },
        "max": { "$ref": "#/$defs/duration" },
        "budget": { "type": ["string", "integer"], "default": "0.2", "description": "Share of a run's requests that may be repetitions of failed ones, besides ten." }
      }
    },
    "circuit_breaker": {
      "type": "object", "additionalProperties": false, "description": "When a vendor is left alone, and for how long.",
      "properties": {
        "window": { "type": "integer", "minimum": 1, "maximum": 64, "default": 20, "description": "Last requests looked at." },
        "failure_rate": { "type": ["string", "integer"], "default": "0.5", "description": "Share of them that failed, from which on the breaker opens." },
        "min_calls": { "type": "integer", "minimum": 1, "maximum": 64, "default": 5 },
        "open_for": { "$ref": "#/$defs/duration" },
        "max_open_for": { "$ref": "#/$defs/duration" }
      }
    },
    "suspend_after_failures": { "type": "integer", "minimum": 1, "maximum": 10000, "default": 10, "description": "Failed runs in a row after which nothing is started any more until a probe or a person says so." },
    "alert_after_failures": {
      "type": "object", "additionalProperties": false, "description": "More failed runs than that within that time are a problem.",
      "properties": {
        "count": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 5 },
        "within": { "$ref": "#/$defs/duration" }
      }
    },
    "limits": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "concurrent": { "type": "integer", "minimum": 1, "maximum": 64, "description": "Requests at once." },
        "requests_per_second": { "type": "integer", "minimum": 1, "maximum": 10000 },
        "requests_per_minute": { "type": "integer", "minimum": 1, "maximum": 600000 },
        "requests_per_hour": { "type": "integer", "minimum": 1, "maximum": 10000000 },
        "requests_per_day": { "type": "integer", "minimum": 1, "maximum": 100000000, "description": "In any 24 hours." },
        "min_gap": { "$ref": "#/$defs/duration" },
        "pause_after_429": { "$ref": "#/$defs/duration", "description": "After a 429 that has no Retry-After." },
        "burst": { "type": "integer", "minimum": 1, "maximum": 10000, "description": "Requests that may go at once after a rest; by default a fifth of the rate." },
        "scope": { "enum": ["integration", "credential", "vendor"], "description": "Who shares them: this integration alone, all of the tenant with the same credentials, all of the connector." }
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
        "credentials": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Where secrets come from: !secret NAME (the vault), !env NAME or !file PATH." },
        "allow_hosts": { "type": "array", "items": { "type": "string" }, "description": "Hosts (host or host:port) that this integration may reach besides those in its settings." },
        "tls": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "ca_file": { "type": "string", "pattern": "^/", "description": "PEM file of the authorities, or of the server's own certificate, that this integration trusts instead of the system's: for vendors with self-signed certificates. The certificate must name the host." }
          }
        },
        "limits": { "$ref": "#/$defs/limits" },
        "webhook": { "$ref": "#/$defs/webhook" },
        "circuit_breaker": { "$ref": "#/$defs/circuit_breaker" },
        "suspend_after_failures": { "$ref": "#/$defs/suspend_after_failures" },
        "alert_after_failures": { "$ref": "#/$defs/alert_after_failures" },
        "expect_success_within": { "$ref": "#/$defs/duration" },
        "page_size": { "type": "integer", "minimum": 1, "maximum": 5000, "default": 500, "description": "Records per transaction of an import." },
        "push_batch": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "description": "Records per batch of an export." },
        "settle": { "$ref": "#/$defs/duration" },
        "match": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 }, "examples": [{ "customer": ["email", "phone"] }], "description": "Values by which a record is recognised as one that another system of the tenant brought, or brings later, by entity." },
        "guard": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "mass_delete": {
              "type": "object", "additionalProperties": false, "description": "More deletes than the larger of count and share of the mappings, within that time, stop the flow until liaisonctl run --confirm-deletes.",
              "properties": {
                "share": { "type": ["string", "integer"], "default": "0.02", "description": "From 0 to 1." },
                "count": { "type": "integer", "minimum": 0, "default": 10 },
                "within": { "$ref": "#/$defs/duration" }
              }
            },
            "approval": {
              "type": "object", "additionalProperties": false, "description": "A run that would do more than that, in the hub or at the vendor, is only planned and waits for: liaisonctl plans approve.",
              "properties": {
                "creates": { "type": "integer", "minimum": 0 },
                "updates": { "type": "integer", "minimum": 0 },
                "deletes": { "type": "integer", "minimum": 0, "examples": [5] },
                "fields": {
                  "type": "object", "description": "By entity, and by the JSON pointer of a field.", "examples": [{ "product": { "/price": 200 } }],
                  "additionalProperties": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } }
                }
              }
            }
          }
        },
        "retry": { "$ref": "#/$defs/retry" },
        "timeouts": { "$ref": "#/$defs/timeouts" }
      }
    },
    "webhook": {
      "type": "object", "additionalProperties": false, "description": "Lets the vendor's webhooks in, at POST /api/webhooks/integrations/TENANT/INTEGRATION. Left out, what the connector's manifest says holds.",
      "properties": {
        "profile": { "enum": ["generic", "stripe", "standard", "github", "shopify", "slack", "twilio", "xseries", "query_token", "basic", "intuit"], "description": "How the vendor proves that a delivery is its own." },
        "secret": { "anyOf": [ { "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 2 } ], "examples": ["!secret till-hook"], "description": "!secret NAME, !env NAME or !file PATH; two while one replaces the other. Left out: liaisonctl webhook secret makes one." },
        "header": { "type": "string", "default": "X-Signature", "description": "generic: where the signature stands." },
        "prefix": { "type": "string", "examples": ["sha256="], "description": "generic: what stands before the signature in that header." },
        "encoding": { "enum": ["hex", "base64", "base64url"], "default": "hex", "description": "generic: of the signature." },
        "signed": { "type": "string", "default": "{body}", "examples": ["{timestamp}.{body}"], "description": "generic: what the MAC is made over, of {body}, {timestamp}, {id}, {method}, {path}, {url} and what stands between them." },
        "algorithm": { "enum": ["sha256", "sha1", "sha512"], "default": "sha256", "description": "generic: of the MAC." },
        "secret_encoding": { "enum": ["utf8", "base64", "hex"], "default": "utf8", "description": "generic: how the secret's bytes are written." },
        "timestamp_header": { "type": "string", "description": "generic: seconds since 1970, part of what is signed." },
        "id_header": { "type": "string", "description": "generic: an id of the event, for {id} and to know it again." },
        "tolerance": { "$ref": "#/$defs/duration" },
        "username": { "type": "string", "description": "basic: the name that must come with the password; by default any." },
        "event_id": { "type": "string", "examples": ["/id"], "description": "What is the same in every delivery of one event: a JSON pointer into the body, or a header. delivery: whatever comes is an event of its own. By default equal contents are one event." },
        "event_type": { "type": "string", "examples": ["/event"], "description": "What kind of event it is: a JSON pointer into the body, or a header." },
        "events": { "type": "array", "items": { "type": "string" }, "minItems": 1, "examples": [["payment_received", "refund_processed"]], "description": "The types that are wanted; others are answered and put aside. By default all." },
        "max_body": { "type": ["string", "integer"], "default": "1MiB", "description": "Up to 2MiB." },
        "max_waiting": { "type": "integer", "minimum": 1, "maximum": 1000000, "default": 10000, "description": "Events that are not processed yet, from which on the vendor is told to come again later." }
      }
    },
    "every": { "$ref": "#/$defs/duration" },
    "hourly": { "type": ["string", "integer", "boolean"], "examples": [":15"], "description": "The minute of every hour." },
    "daily": { "type": "string", "examples": ["02:30"], "description": "In the tenant's time zone; exactly once also on the days when clocks change." },
    "weekly": { "anyOf": [ { "type": "string" }, { "type": "object", "additionalProperties": false, "required": ["day", "at"], "properties": { "day": { "type": "string" }, "at": { "type": "string" } } } ], "examples": ["mon 02:30"] },
    "cron": { "type": "string", "examples": ["*/15 6-22 * * *"], "description": "minute hour day month weekday, in the tenant's time zone" },
    "rhythm": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "every": { "$ref": "#/$defs/every" }, "hourly": { "$ref": "#/$defs/hourly" }, "daily": { "$ref": "#/$defs/daily" },
        "weekly": { "$ref": "#/$defs/weekly" }, "cron": { "$ref": "#/$defs/cron" }
      }
    },
    "schedule": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "every": { "$ref": "#/$defs/every" }, "hourly": { "$ref": "#/$defs/hourly" }, "daily": { "$ref": "#/$defs/daily" },
        "weekly": { "$ref": "#/$defs/weekly" }, "cron": { "$ref": "#/$defs/cron" },
        "full": { "$ref": "#/$defs/rhythm" },
        "jitter": { "$ref": "#/$defs/duration" },
        "blackout": { "type": "array", "items": { "type": "string" }, "examples": [["02:00-03:30", "sun 22:00-02:00"]], "description": "Wall times in the tenant's zone between which nothing starts." },
        "catch_up": { "enum": ["one", "none"], "default": "one", "description": "What becomes of slots that could not be used, because the daemon was down or the integration busy: one run for all, or none." }
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
