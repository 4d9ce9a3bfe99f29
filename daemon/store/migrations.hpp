// The store's tables. Each entry brings a file from one schema version to the next; the version is PRAGMA
// user_version.
#pragma once

#include <array>

namespace liaisond::store {

inline constexpr std::array<const char*, 9> migrations{R"sql(
-- Integrations, entities and tenants by number: the big tables hold small integers.
CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE records(
    rid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,              -- UUIDv7, 16 bytes: new ones go to the end of the index
    tenant INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    version INTEGER NOT NULL,             -- grows by one with every stored change
    payload TEXT NOT NULL,                -- canonical JSON; empty for a stub
    stub INTEGER NOT NULL,                -- 1: only referred to so far
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, deleted_at INTEGER) STRICT;

CREATE TABLE mappings(
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, external_id TEXT NOT NULL,
    rid INTEGER NOT NULL,
    remote_version TEXT NOT NULL,
    hash BLOB NOT NULL,                   -- of the payload as last emitted by the connector; empty: never
    synced_version INTEGER NOT NULL,      -- the record's version that both sides agree on
    synced_at INTEGER NOT NULL,
    PRIMARY KEY(integration, entity, external_id)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mappings_by_record ON mappings(rid, integration);

-- The feed of changes: one row per stored change. It is the log of imports, too.
CREATE TABLE changes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, entity INTEGER NOT NULL, rid INTEGER NOT NULL,
    version INTEGER NOT NULL, action INTEGER NOT NULL,
    origin INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
    fields TEXT) STRICT;                  -- JSON array of changed fields; NULL: all of them are new
CREATE INDEX changes_by_entity ON changes(tenant, entity, seq);

CREATE TABLE cursors(
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, direction INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY(integration, entity, direction)) STRICT, WITHOUT ROWID;

-- Work that is written down before it is done: a record about to be sent, with the very payload.
CREATE TABLE intents(
    id INTEGER PRIMARY KEY,
    op_key TEXT NOT NULL UNIQUE,
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, rid INTEGER NOT NULL,
    external_id TEXT NOT NULL, remote_version TEXT NOT NULL, deleted INTEGER NOT NULL, payload TEXT NOT NULL,
    version INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
    next_at INTEGER NOT NULL, first_sent_at INTEGER NOT NULL, last_error TEXT NOT NULL) STRICT;
CREATE INDEX intents_by_record ON intents(integration, rid);
CREATE INDEX intents_by_due ON intents(integration, entity, next_at);

CREATE TABLE dead_letters(
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, direction INTEGER NOT NULL,
    key TEXT NOT NULL,                    -- external id on import, record id on export
    run INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, payload TEXT NOT NULL,
    version INTEGER NOT NULL,             -- export: of the record that was refused; an older or equal one is not sent again
    attempts INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    UNIQUE(integration, entity, direction, key)) STRICT;

CREATE TABLE runs(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL, trigger TEXT NOT NULL,
    status INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
    requests INTEGER NOT NULL, bytes INTEGER NOT NULL, error TEXT NOT NULL,
    entities TEXT NOT NULL) STRICT;       -- counters per entity and direction, JSON
CREATE INDEX runs_by_integration ON runs(integration, id);

-- What happened to single records besides plain imports: exports, refusals, doubts.
CREATE TABLE logs(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL, at INTEGER NOT NULL, integration INTEGER NOT NULL, entity INTEGER NOT NULL,
    direction INTEGER NOT NULL, action TEXT NOT NULL, status TEXT NOT NULL,
    external_id TEXT NOT NULL, rid INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
CREATE INDEX logs_by_integration ON logs(integration, id);
)sql",
                                                       R"sql(
-- What must outlive a restart and is no record: breakers, quotas, planned runs. JSON, by kind and key.
CREATE TABLE states(
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;

-- Both directions. `base` is the canonical content as last agreed with this integration; NULL while it is the
-- record's own payload, which is nearly always: it is copied when somebody else changes the record.
ALTER TABLE mappings ADD COLUMN base TEXT;
ALTER TABLE mappings ADD COLUMN shown TEXT;           -- what the vendor made of it, where that differs from base
ALTER TABLE mappings ADD COLUMN tomb_at INTEGER;      -- the record was deleted here or there; kept to know it again
ALTER TABLE mappings ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;  -- complete listings in a row that lacked it

-- The content that is being sent, in the hub's ids; empty: the payload itself.
ALTER TABLE intents ADD COLUMN content TEXT NOT NULL DEFAULT '';

-- Who changed which field last, and when by the vendor's clock: {"/status": ["pms", 1772355600000]}. NULL: nobody
-- since it was created.
ALTER TABLE records ADD COLUMN provenance TEXT;
ALTER TABLE records ADD COLUMN alias_of INTEGER;      -- a stub that turned out to be that other record

-- Values by which a record is recognised when another system brings it (customer by e-mail, say).
CREATE TABLE match_keys(
    tenant INTEGER NOT NULL, entity INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY(tenant, entity, name, value, rid)) STRICT, WITHOUT ROWID;
CREATE INDEX match_keys_by_record ON match_keys(rid);

-- What a person has to decide.
CREATE TABLE conflicts(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, external_id TEXT NOT NULL,
    rid INTEGER NOT NULL,                 -- 0: not decided which record it is
    kind TEXT NOT NULL,                   -- fields, identity, deletion
    detail TEXT NOT NULL,                 -- JSON: the fields with base, hub and remote; or the candidates
    payload TEXT NOT NULL,                -- canonical content as the vendor shows it; empty: deleted there
    remote_version TEXT NOT NULL, hash BLOB NOT NULL,
    run INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    UNIQUE(integration, entity, external_id)) STRICT;
CREATE INDEX conflicts_by_record ON conflicts(integration, rid);
)sql",
                                                       R"sql(
-- What runs would do, by the run that found it.
CREATE TABLE plans(
    run INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL, entity TEXT NOT NULL, full INTEGER NOT NULL, at INTEGER NOT NULL,
    state INTEGER NOT NULL, reason TEXT NOT NULL,
    counts TEXT NOT NULL) STRICT;         -- JSON: {"hub": {"creates": 1}, "vendor": {}}
CREATE TABLE plan_items(
    run INTEGER NOT NULL, n INTEGER NOT NULL, at_vendor INTEGER NOT NULL, action TEXT NOT NULL,
    entity TEXT NOT NULL, record TEXT NOT NULL, external_id TEXT NOT NULL,
    fields TEXT NOT NULL, requests TEXT NOT NULL,
    PRIMARY KEY(run, n)) STRICT, WITHOUT ROWID;
)sql",
                                                       R"sql(
-- Secrets, sealed by the vault (auth/vault.hpp): what people set, and tokens that vendors gave.
CREATE TABLE vault(
    name TEXT PRIMARY KEY, sealed BLOB NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql",
                                                       R"sql(
-- Who may use the API, and what they did with it. Scopes: 0 read, 1 operate, 2 admin; an empty tenant is all of them.
CREATE TABLE tokens(
    id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL, scope INTEGER NOT NULL, tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE users(
    name TEXT PRIMARY KEY, password TEXT NOT NULL, scope INTEGER NOT NULL, tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit(
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
)sql",
                                                       R"sql(
-- What vendors sent us by webhook, durable before it is answered. States: 0 waiting, 1 done, 2 ignored, 3 dead.
CREATE TABLE inbox(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL,
    event_id TEXT NOT NULL,               -- the same in every delivery of one event
    type TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL,
    received_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
    state INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX inbox_by_event ON inbox(integration, event_id);
CREATE INDEX inbox_waiting ON inbox(integration, next_at) WHERE state = 0;

-- When the vendor changed what it showed last, by its own clock; 0: it did not say. What comes out of order is known
-- by it.
ALTER TABLE mappings ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
)sql",
                                                       R"sql(
-- What needs somebody's attention, as long as it does. One row is open per kind and subject.
CREATE TABLE alerts(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL,
    state TEXT NOT NULL,                  -- open, acknowledged, resolved
    count INTEGER NOT NULL,               -- how often it was found since it opened
    opened_at INTEGER NOT NULL, last_at INTEGER NOT NULL, resolved_at INTEGER NOT NULL,
    acknowledged_by TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts(kind, integration, subject) WHERE state <> 'resolved';
)sql",
                                                       R"sql(
-- The version from which what tells of a person was taken, or in which nothing did; 0: none yet.
ALTER TABLE records ADD COLUMN erased_version INTEGER NOT NULL DEFAULT 0;
)sql",
                                                       R"sql(
-- Creates that were sent more than once because an answer was missing: the vendor is asked later whether it has two.
CREATE TABLE second_looks(
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, rid INTEGER NOT NULL,
    reference TEXT NOT NULL,              -- ours, as the vendor was given it
    external_id TEXT NOT NULL,            -- what we know it by
    due_at INTEGER NOT NULL,
    found TEXT NOT NULL,                  -- what is wrong; empty: nothing so far
    PRIMARY KEY(integration, entity, rid)) STRICT, WITHOUT ROWID;
)sql"};

}  // namespace liaisond::store
