/* liaison plugin ABI - the whole C surface between liaison and a connector plugin.
 *
 * A plugin exports ONE function, liaison_plugin_v1(), that returns a static table. A connector is a pure state
 * machine: the host gives a job an event, the job answers with exactly one effect ("send these requests", "store
 * these records", "done"), and waits for the next event. The plugin never touches a socket, file, clock, thread,
 * environment variable or secret; the host does all of that for it.
 *
 * Status: 1.0, frozen. Within major 1 nothing here moves, changes its meaning or goes away, and nothing becomes
 * required: structs grow at their end, and new constants appear. abi/ holds what watches over that.
 *
 * Rules that hold everywhere below:
 *  - Fixed-width integers only. Strings are {pointer, length}, UTF-8, not terminated; bodies are bytes.
 *  - Every struct that may grow begins with `size`, written by its producer. A reader uses min(size, sizeof mine);
 *    what is missing reads as zero, and zero always means "as it was before that field existed".
 *    The least sizes of 1.0 are the constants LIAISON_SIZE_1_0_x at the end.
 *  - Unknown constants are met, not feared: a job kind the plugin does not know is answered with NULL, an event type
 *    it does not know ends the job as FAIL. The host sends an event type that is newer than 1.0 only to a plugin
 *    whose manifest lists its feature: "features": ["name/1"]. A plugin looks at host->abi_minor before it uses a
 *    newer effect, or sets abi_minor_min and is refused by older hosts. Optional services have ids and revisions, too
 *    (host->extension); a revision changes only with the shape.
 *  - Event memory is the host's and dies when step() returns. Effect memory is the plugin's and lives until the
 *    next step() or job_destroy() of the same job. Nobody frees the other side's memory.
 *  - No exception crosses. An unknown or NULL effect is a plugin bug: the job fails as `internal`.
 *  - Thread tags: [any thread] may be called at any time from any thread; [job] is called by one thread at a time
 *    per job, though the thread may differ from step to step, so nothing thread-local survives a step.
 */
#ifndef LIAISON_PLUGIN_H
#define LIAISON_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIAISON_ABI_MAJOR 1u
#define LIAISON_ABI_MINOR 0u

#if defined(_WIN32)
#define LIAISON_CALL __cdecl
#define LIAISON_EXPORT __declspec(dllexport)
#else
#define LIAISON_CALL
#define LIAISON_EXPORT __attribute__((visibility("default")))
#endif

/* ---- closed structs: these never grow ------------------------------------------------------------------- */

typedef struct liaison_str {
    const char *ptr; /* may be NULL when len is 0 */
    uint64_t len;    /* bytes */
} liaison_str;

typedef struct liaison_header {
    liaison_str name;  /* as sent; compared without case */
    liaison_str value; /* repeated headers are repeated entries, in order */
} liaison_header;

/* An array of growable structs. The producer states the distance between elements, so that readers built against
 * an older or newer header step correctly. */
typedef struct liaison_array {
    const void *ptr; /* first element; NULL when count is 0 */
    uint32_t count;
    uint32_t stride; /* bytes from one element to the next */
} liaison_array;

/* ---- the plugin and its host ----------------------------------------------------------------------------- */

typedef struct liaison_instance liaison_instance; /* one configured integration; defined by the plugin */
typedef struct liaison_job liaison_job;           /* one running operation; defined by the plugin */
typedef struct liaison_event liaison_event;
typedef struct liaison_effect liaison_effect;

#define LIAISON_LOG_DEBUG 0u
#define LIAISON_LOG_INFO 1u
#define LIAISON_LOG_WARNING 2u
#define LIAISON_LOG_ERROR 3u

typedef struct liaison_host {
    uint32_t size, abi_major, abi_minor, reserved;
    void *ctx; /* pass it back as the first argument */
    /* Writes one line to the host's log, attributed to this plugin. The text is copied. [any thread] */
    void(LIAISON_CALL *log)(void *ctx, uint32_t level, liaison_str text);
    /* Optional services by id, such as "liaison.crypto/1"; NULL when the host has none. [any thread] */
    const void *(LIAISON_CALL *extension)(void *ctx, liaison_str id);
} liaison_host;

typedef struct liaison_plugin {
    uint32_t size;
    uint32_t abi_major, abi_minor; /* the header this plugin was built with */
    uint32_t abi_minor_min;        /* oldest host minor it accepts */
    liaison_str id;                /* "com.acme.opera-cloud" */
    liaison_str version;           /* "1.4.2" */
    liaison_str vendor;            /* "Acme" */
    liaison_str manifest;          /* JSON; also installed beside the library, byte for byte the same */
    uint64_t capabilities;         /* one bit per job kind: 1 << LIAISON_JOB_x */

    /* `config` is a JSON object {"connector": name, "settings": {...}} that the host has already checked against the
     * manifest. It has no error channel: a connector that still dislikes it fails every job as `config`. Returns
     * NULL only when out of memory. `host` outlives the instance. Instances are immutable. [any thread] */
    liaison_instance *(LIAISON_CALL *open)(const liaison_host *host, liaison_str config);
    /* After every job of the instance is destroyed. [any thread] */
    void(LIAISON_CALL *close)(liaison_instance *instance);
    /* NULL for a kind the plugin does not know. [any thread] */
    liaison_job *(LIAISON_CALL *job_create)(liaison_instance *instance, uint32_t kind);
    /* Runs the job until it wants something. The first event is START. [job] */
    const liaison_effect *(LIAISON_CALL *step)(liaison_job *job, const liaison_event *event);
    /* Legal at any time between steps; releases everything the job holds. [job] */
    void(LIAISON_CALL *job_destroy)(liaison_job *job);
} liaison_plugin;

/* The one exported symbol. Pure: no allocation, no input or output, no host calls. Returns a static table. */
LIAISON_EXPORT const liaison_plugin *LIAISON_CALL liaison_plugin_v1(void);

/* ---- job kinds -------------------------------------------------------------------------------------------- */

#define LIAISON_JOB_TEST 1u /* is the connection usable? ends in DONE with a description of the account */
#define LIAISON_JOB_PULL 2u /* read records of one entity, emitting batches */
#define LIAISON_JOB_PUSH 3u /* write the given records, answering each with a RESULT */
#define LIAISON_JOB_FIND 4u /* look up records by our reference or by external id, answering each with a RESULT */
#define LIAISON_JOB_LOGIN 5u /* obtain a session for the authentication scheme named in `entity`: the host keeps the
                              * cookies that the scheme names, and of DONE's JSON object the texts, as {{session:x}} */
#define LIAISON_JOB_LOGOUT 6u /* give that session back */
/* Make something of events that the vendor sent. It may ask the vendor (an event is often no more than a
 * hint), emits records of any entity, and answers each event with a RESULT whose record_index is the event's: UPDATED
 * or UNCHANGED: it is dealt with; IGNORED: it is not for us; REJECTED: no attempt will ever succeed, and text says why;
 * RETRY: later. An event that is not answered comes again, and so may one whose records were stored: events are
 * delivered at least once, and in any order. DONE may say {"changed": ["invoice"]}: a pull of these entities follows */
#define LIAISON_JOB_WEBHOOK 7u

/* ---- error categories ------------------------------------------------------------------------------------- */

#define LIAISON_ERROR_NONE 0u
#define LIAISON_ERROR_TRANSIENT 1u       /* try again later: network, 5xx */
#define LIAISON_ERROR_AUTH 2u            /* credentials refused */
#define LIAISON_ERROR_RATE_LIMITED 3u    /* see retry_after_ms */
#define LIAISON_ERROR_INVALID_RECORD 4u  /* this record is refused and will be until it changes */
#define LIAISON_ERROR_CONFLICT 5u        /* the remote version has moved on */
#define LIAISON_ERROR_PERMANENT 6u       /* no retry will help */
#define LIAISON_ERROR_CONFIG 7u          /* the configuration is wrong */
#define LIAISON_ERROR_UNKNOWN_OUTCOME 8u /* a write was sent and nobody knows whether it was executed */
#define LIAISON_ERROR_INTERNAL 9u        /* a bug, in the plugin or in the host */

/* ---- shared shapes ---------------------------------------------------------------------------------------- */

#define LIAISON_OP_UPSERT 1u
#define LIAISON_OP_DELETE 2u

/* One canonical record, in both directions. */
typedef struct liaison_record {
    uint32_t size;
    uint32_t op;         /* LIAISON_OP_x */
    liaison_str key;     /* external id at this vendor; empty in a push of a record that is new there */
    liaison_str version; /* the vendor's version marker (ETag, SyncToken, timestamp); empty when it has none */
    liaison_str payload; /* canonical JSON object; empty in a delete */
    liaison_str reference; /* push: our reference of the record at this vendor, the same for every operation on it; in a
                            * create also the idempotency key, and what find searches by afterwards. emit: the
                            * reference that the vendor's record carries; empty when it shows none. The host knows by
                            * it a record that it created itself and never heard back about */
    int64_t changed_ms;    /* when the vendor says it changed, Unix milliseconds; 0 unknown */
    liaison_str entity;    /* emit: what kind of record it is; empty: START's entity */
} liaison_record;

typedef struct liaison_query {
    uint32_t size, reserved;
    liaison_str reference; /* our operation key; empty when only the key is known */
    liaison_str key;       /* external id; empty when only the reference is known */
    liaison_str payload;   /* canonical JSON of the record that was to be written, for vendors that keep no reference
                            * but know it by something in it, such as an article number; may be empty */
} liaison_query;

/* What a vendor sent by itself, after its signature was checked. */
typedef struct liaison_webhook_event {
    uint32_t size, reserved;
    liaison_str id;        /* the same in every delivery of one event */
    liaison_str type;      /* the vendor's word; empty: it says none outside the body */
    liaison_array headers; /* of liaison_header: those that connectors are shown, never credentials */
    liaison_str body;
    int64_t received_ms; /* Unix milliseconds */
} liaison_webhook_event;

#define LIAISON_REQUEST_MUTATES 1u          /* changes something at the vendor: sent at most once by the host */
#define LIAISON_REQUEST_BODY_IS_TEMPLATE 2u /* {{secret:name}} in the body is filled in by the host */

/* One request. http and https are sent on the network. `file` is the drop-folder scheme, confined by the host to the
 * folders named in the settings: GET of a folder (trailing slash) answers a JSON listing
 * [{"name","size","modified_ms"}]; GET of a file honours Range and If-Match; PUT replaces a file atomically and
 * durably, refusing to overwrite under If-None-Match: *; MOVE renames to the Destination header. */
typedef struct liaison_request {
    uint32_t size, flags; /* LIAISON_REQUEST_x */
    liaison_str method, url;
    liaison_str auth;      /* name of a scheme in the manifest; empty: none */
    liaison_array headers; /* of liaison_header */
    liaison_str body;
    liaison_str idempotency_key; /* empty: none. The vendor honours it: the host may repeat with the same bytes */
    uint64_t max_body;           /* of the answer, bytes; 0: the host's cap */
    uint32_t timeout_ms;         /* 0: the integration's */
    int32_t record_index;        /* MUTATES: which pushed record this request carries; -1: none in particular */
} liaison_request;

typedef struct liaison_response {
    uint32_t size;
    uint32_t error;        /* LIAISON_ERROR_NONE when an answer arrived, whatever its status */
    uint32_t status;       /* 0 when there was no answer */
    uint32_t reserved;
    liaison_array headers; /* of liaison_header */
    liaison_str body;
    liaison_str error_text; /* for people */
} liaison_response;

/* ---- events: what the host tells a job ------------------------------------------------------------------------ */

#define LIAISON_EVENT_START 1u
#define LIAISON_EVENT_HTTP 2u
#define LIAISON_EVENT_EMITTED 3u
#define LIAISON_EVENT_RECORDED 4u
#define LIAISON_EVENT_TIMER 5u
#define LIAISON_EVENT_CANCEL 6u /* instead of the awaited event: finish soon; a few more effects are honoured */

/* The head that every event shares; RECORDED, TIMER and CANCEL are nothing more. */
struct liaison_event {
    uint32_t size, type;
    int64_t now_ms; /* wall clock, Unix milliseconds: the only clock a plugin has */
};

#define LIAISON_MODE_INCREMENTAL 0u
#define LIAISON_MODE_FULL 1u /* read everything, whatever the cursor says */

typedef struct liaison_event_start {
    uint32_t size, type;
    int64_t now_ms;
    liaison_str entity;    /* empty for TEST */
    liaison_str cursor;    /* pull: as last emitted and committed; empty: from the beginning */
    uint32_t mode;         /* pull: LIAISON_MODE_x */
    uint32_t page_size;    /* records per emit the host would like; 0: the connector's choice */
    int64_t deadline_ms;   /* when the host will give up; 0: none */
    uint8_t seed[32];      /* randomness of this job: same inputs, same effects */
    liaison_array records; /* push: of liaison_record */
    liaison_array queries; /* find: of liaison_query */
    int64_t from_ms;       /* pull of a date range: records of this instant and later; 0: no bound */
    int64_t to_ms;         /* records before this instant; 0: no bound. What a record's date is, the connector says in
                            * its documentation. The cursor is the range's own. Only entities whose manifest says
                            * date_range are asked for one */
    liaison_array events;  /* webhook: of liaison_webhook_event, in their order of arrival */
} liaison_event_start;

/* Answers EFFECT_HTTP, one response per request in the same order. */
typedef struct liaison_event_http {
    uint32_t size, type;
    int64_t now_ms;
    liaison_array responses; /* of liaison_response */
} liaison_event_http;

typedef struct liaison_rejection {
    uint32_t size, record_index; /* index into the emitted batch */
    liaison_str text;
    uint32_t lost; /* 1: the host does not keep it as a dead letter either: only the connector knows of it */
    uint32_t reserved;
} liaison_rejection;

/* Answers EFFECT_EMIT: everything not rejected is durable, together with the cursor - or, where the effect was flagged
 * PIPELINED, only received. */
typedef struct liaison_event_emitted {
    uint32_t size, type;
    int64_t now_ms;
    liaison_array rejections; /* of liaison_rejection */
} liaison_event_emitted;

/* ---- effects: what a job asks for ------------------------------------------------------------------------------ */

#define LIAISON_EFFECT_HTTP 1u   /* answered by HTTP */
#define LIAISON_EFFECT_EMIT 2u   /* answered by EMITTED */
#define LIAISON_EFFECT_RESULT 3u /* answered by RECORDED */
#define LIAISON_EFFECT_SLEEP 4u  /* answered by TIMER */
#define LIAISON_EFFECT_DONE 5u   /* the job is over */
#define LIAISON_EFFECT_FAIL 6u   /* the job is over, badly */

struct liaison_effect {
    uint32_t size, type;
};

typedef struct liaison_effect_http {
    uint32_t size, type;
    liaison_array requests; /* of liaison_request */
    uint32_t max_parallel;  /* 0: one after another */
    uint32_t reserved;
} liaison_effect_http;

/* The host answers at once, so that the connector fetches and reads the next page while this one is being decided and
 * stored. What it rejects becomes a dead letter and is not reported to the connector. Batches are
 * committed in their order; before a request that mutates leaves, and before DONE counts, all of them are durable. A
 * connector that acknowledges to its vendor by such a request needs to do nothing else. */
#define LIAISON_EMIT_PIPELINED 1u

/* Records and the cursor that follows them, committed in one transaction. */
typedef struct liaison_effect_emit {
    uint32_t size, type;
    liaison_array records; /* of liaison_record */
    liaison_str cursor;    /* opaque to the host; empty: leave the stored one */
    uint32_t flags, reserved; /* LIAISON_EMIT_x */
} liaison_effect_emit;

#define LIAISON_OUTCOME_CREATED 1u
#define LIAISON_OUTCOME_UPDATED 2u
#define LIAISON_OUTCOME_UNCHANGED 3u
#define LIAISON_OUTCOME_DELETED 4u
#define LIAISON_OUTCOME_DUPLICATE 5u       /* it was there already under our reference: external_id says where */
#define LIAISON_OUTCOME_REJECTED 6u        /* category and text say why */
#define LIAISON_OUTCOME_CONFLICT 7u        /* the remote version moved: re-read first */
#define LIAISON_OUTCOME_UNKNOWN 8u         /* sent, no clear answer */
#define LIAISON_OUTCOME_FOUND 9u           /* find: external_id and version are set */
#define LIAISON_OUTCOME_NOT_FOUND 10u      /* find: certainly not there */
#define LIAISON_OUTCOME_RETRY 11u          /* certainly not executed; try again later */
#define LIAISON_OUTCOME_IGNORED 12u        /* webhook: an event that means nothing to this integration */

typedef struct liaison_result {
    uint32_t size;
    uint32_t record_index; /* of the pushed record, of the query, or of the event */
    uint32_t outcome;      /* LIAISON_OUTCOME_x */
    uint32_t category;     /* LIAISON_ERROR_x when the outcome is not a success */
    liaison_str external_id, version, text;
    int64_t retry_after_ms; /* RETRY only; 0: the host decides */
} liaison_result;

typedef struct liaison_effect_result {
    uint32_t size, type;
    liaison_array results; /* of liaison_result */
} liaison_effect_result;

typedef struct liaison_effect_sleep {
    uint32_t size, type;
    int64_t duration_ms; /* above the host's cap the job fails: answer FAIL with retry_after_ms instead */
} liaison_effect_sleep;

typedef struct liaison_effect_done {
    uint32_t size, type;
    liaison_str output; /* JSON or empty; TEST describes the account, for people to recognise it */
} liaison_effect_done;

typedef struct liaison_effect_fail {
    uint32_t size, type;
    uint32_t category, reserved; /* LIAISON_ERROR_x */
    int64_t retry_after_ms;      /* 0: the host decides */
    liaison_str code;            /* the vendor's own error code; open set */
    liaison_str text;            /* one sentence for the operator */
    liaison_str detail;          /* for the log */
} liaison_effect_fail;

/* ---- what 1.0 knew of each struct, in bytes: the least that a producer of any 1.x writes ------------------------- */

#define LIAISON_SIZE_1_0_HOST 40u
#define LIAISON_SIZE_1_0_PLUGIN 128u
#define LIAISON_SIZE_1_0_RECORD 96u
#define LIAISON_SIZE_1_0_QUERY 56u
#define LIAISON_SIZE_1_0_WEBHOOK_EVENT 80u
#define LIAISON_SIZE_1_0_REQUEST 120u
#define LIAISON_SIZE_1_0_RESPONSE 64u
#define LIAISON_SIZE_1_0_EVENT 16u
#define LIAISON_SIZE_1_0_EVENT_START 160u
#define LIAISON_SIZE_1_0_EVENT_HTTP 32u
#define LIAISON_SIZE_1_0_REJECTION 32u
#define LIAISON_SIZE_1_0_EVENT_EMITTED 32u
#define LIAISON_SIZE_1_0_EFFECT 8u
#define LIAISON_SIZE_1_0_EFFECT_HTTP 32u
#define LIAISON_SIZE_1_0_EFFECT_EMIT 48u
#define LIAISON_SIZE_1_0_RESULT 72u
#define LIAISON_SIZE_1_0_EFFECT_RESULT 24u
#define LIAISON_SIZE_1_0_EFFECT_SLEEP 16u
#define LIAISON_SIZE_1_0_EFFECT_DONE 24u
#define LIAISON_SIZE_1_0_EFFECT_FAIL 72u

#ifdef __cplusplus
}
#endif
#endif
