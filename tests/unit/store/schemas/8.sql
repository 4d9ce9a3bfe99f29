-- A store as liaison wrote it with schema 8. Frozen: it is what people have on their disks.
BEGIN TRANSACTION;
CREATE TABLE alerts(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL,
    state TEXT NOT NULL,                  -- open, acknowledged, resolved
    count INTEGER NOT NULL,               -- how often it was found since it opened
    opened_at INTEGER NOT NULL, last_at INTEGER NOT NULL, resolved_at INTEGER NOT NULL,
    acknowledged_by TEXT NOT NULL) STRICT;
CREATE TABLE audit(
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE changes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, entity INTEGER NOT NULL, rid INTEGER NOT NULL,
    version INTEGER NOT NULL, action INTEGER NOT NULL,
    origin INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
    fields TEXT) STRICT;
INSERT INTO "changes" VALUES(1,1,3,1,1,1,2,1,1772355660000,NULL);
INSERT INTO "changes" VALUES(2,1,3,1,2,2,2,1,1772355660000,'["/name"]');
INSERT INTO "changes" VALUES(3,1,3,2,1,1,2,1,1772355660000,NULL);
INSERT INTO "changes" VALUES(4,1,3,2,2,3,2,1,1772355660000,NULL);
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
INSERT INTO "conflicts" VALUES(1,4,3,'99',1,'fields','[]','{}','v1',X'00',1,1772355600000,1772355660000);
CREATE TABLE cursors(
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, direction INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY(integration, entity, direction)) STRICT, WITHOUT ROWID;
INSERT INTO "cursors" VALUES(2,3,1,'page-7');
CREATE TABLE dead_letters(
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, direction INTEGER NOT NULL,
    key TEXT NOT NULL,                    -- external id on import, record id on export
    run INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, payload TEXT NOT NULL,
    version INTEGER NOT NULL,             -- export: of the record that was refused; an older or equal one is not sent again
    attempts INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    UNIQUE(integration, entity, direction, key)) STRICT;
INSERT INTO "dead_letters" VALUES(1,2,3,1,'18',1,'invalid_record','has no name','{"id":18}',0,3,1772355600000,1772355660000);
CREATE TABLE inbox(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL,
    event_id TEXT NOT NULL,               -- the same in every delivery of one event
    type TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL,
    received_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
    state INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
INSERT INTO "inbox" VALUES(1,1,2,'evt-1','paid','{}','{}',1772355600000,1772355600000,0,0,'');
CREATE TABLE intents(
    id INTEGER PRIMARY KEY,
    op_key TEXT NOT NULL UNIQUE,
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, rid INTEGER NOT NULL,
    external_id TEXT NOT NULL, remote_version TEXT NOT NULL, deleted INTEGER NOT NULL, payload TEXT NOT NULL,
    version INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
    next_at INTEGER NOT NULL, first_sent_at INTEGER NOT NULL, last_error TEXT NOT NULL, content TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "intents" VALUES(1,'LABC',4,3,1,'','',0,'{"sku":"A-1"}',2,2,1,1772355960000,1772355660000,'no answer','');
CREATE TABLE logs(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL, at INTEGER NOT NULL, integration INTEGER NOT NULL, entity INTEGER NOT NULL,
    direction INTEGER NOT NULL, action TEXT NOT NULL, status TEXT NOT NULL,
    external_id TEXT NOT NULL, rid INTEGER NOT NULL, message TEXT NOT NULL) STRICT;
INSERT INTO "logs" VALUES(1,1,1772355660000,2,3,1,'rejected','failed','18',0,'has no name');
CREATE TABLE mappings(
    integration INTEGER NOT NULL, entity INTEGER NOT NULL, external_id TEXT NOT NULL,
    rid INTEGER NOT NULL,
    remote_version TEXT NOT NULL,
    hash BLOB NOT NULL,                   -- of the payload as last emitted by the connector; empty: never
    synced_version INTEGER NOT NULL,      -- the record's version that both sides agree on
    synced_at INTEGER NOT NULL, base TEXT, shown TEXT, tomb_at INTEGER, missing INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(integration, entity, external_id)) STRICT, WITHOUT ROWID;
INSERT INTO "mappings" VALUES(2,3,'17',1,'v9',X'000102030405060708090A0B0C0D0E0F',2,1772355660000,NULL,NULL,NULL,0,0);
CREATE TABLE match_keys(
    tenant INTEGER NOT NULL, entity INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY(tenant, entity, name, value, rid)) STRICT, WITHOUT ROWID;
INSERT INTO "match_keys" VALUES(1,3,'sku','a-1',1);
CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO "names" VALUES(1,'wholesaler');
INSERT INTO "names" VALUES(2,'shop');
INSERT INTO "names" VALUES(3,'product');
INSERT INTO "names" VALUES(4,'erp');
CREATE TABLE plan_items(
    run INTEGER NOT NULL, n INTEGER NOT NULL, at_vendor INTEGER NOT NULL, action TEXT NOT NULL,
    entity TEXT NOT NULL, record TEXT NOT NULL, external_id TEXT NOT NULL,
    fields TEXT NOT NULL, requests TEXT NOT NULL,
    PRIMARY KEY(run, n)) STRICT, WITHOUT ROWID;
CREATE TABLE plans(
    run INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL, entity TEXT NOT NULL, full INTEGER NOT NULL, at INTEGER NOT NULL,
    state INTEGER NOT NULL, reason TEXT NOT NULL,
    counts TEXT NOT NULL) STRICT;
CREATE TABLE records(
    rid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,              -- UUIDv7, 16 bytes: new ones go to the end of the index
    tenant INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    version INTEGER NOT NULL,             -- grows by one with every stored change
    payload TEXT NOT NULL,                -- canonical JSON; empty for a stub
    stub INTEGER NOT NULL,                -- 1: only referred to so far
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, deleted_at INTEGER, provenance TEXT, alias_of INTEGER, erased_version INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "records" VALUES(1,X'0195A000000070008000000000000001',1,3,2,'{"sku":"A-1","name":"Espresso"}',0,1772355600000,1772355660000,NULL,NULL,NULL,0);
INSERT INTO "records" VALUES(2,X'0195A000000070008000000000000002',1,3,2,'{"sku":"A-2","name":"Lungo"}',0,1772355600000,1772355660000,1772355660000,NULL,NULL,0);
CREATE TABLE runs(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL, integration INTEGER NOT NULL, trigger TEXT NOT NULL,
    status INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
    requests INTEGER NOT NULL, bytes INTEGER NOT NULL, error TEXT NOT NULL,
    entities TEXT NOT NULL) STRICT;
INSERT INTO "runs" VALUES(1,1,2,'schedule',1,1772355600000,1772355660000,3,4096,'','[]');
CREATE TABLE states(
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;
INSERT INTO "states" VALUES('vitals','shop','{"failures":2}');
CREATE TABLE tokens(
    id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL, scope INTEGER NOT NULL, tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "tokens" VALUES('3f9a12c04b7e','till',X'00',1,'',1772355600000,1780131600000,0);
CREATE TABLE users(
    name TEXT PRIMARY KEY, password TEXT NOT NULL, scope INTEGER NOT NULL, tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE vault(
    name TEXT PRIMARY KEY, sealed BLOB NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "vault" VALUES('shop-token',X'010203',1772355600000);
CREATE UNIQUE INDEX mappings_by_record ON mappings(rid, integration);
CREATE INDEX changes_by_entity ON changes(tenant, entity, seq);
CREATE INDEX intents_by_record ON intents(integration, rid);
CREATE INDEX intents_by_due ON intents(integration, entity, next_at);
CREATE INDEX runs_by_integration ON runs(integration, id);
CREATE INDEX logs_by_integration ON logs(integration, id);
CREATE INDEX match_keys_by_record ON match_keys(rid);
CREATE INDEX conflicts_by_record ON conflicts(integration, rid);
CREATE UNIQUE INDEX inbox_by_event ON inbox(integration, event_id);
CREATE INDEX inbox_waiting ON inbox(integration, next_at) WHERE state = 0;
CREATE UNIQUE INDEX alerts_open ON alerts(kind, integration, subject) WHERE state <> 'resolved';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',4);
INSERT INTO "sqlite_sequence" VALUES('runs',1);
INSERT INTO "sqlite_sequence" VALUES('logs',1);
INSERT INTO "sqlite_sequence" VALUES('conflicts',1);
INSERT INTO "sqlite_sequence" VALUES('inbox',1);
COMMIT;
PRAGMA user_version = 8;
