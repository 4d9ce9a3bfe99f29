/* A plugin that does nothing by itself, so that what is measured is the way to it and back. A pull of the entity
 * "small" asks for one request at every step; a pull of "page" emits 500 records of 600 bytes at every step. */
#include <stdlib.h>
#include <string.h>

#include <liaison/plugin.h>

#define LITERAL(text) {text, sizeof(text) - 1}
#define RECORDS 500
#define RECORD_BYTES 600

struct liaison_instance {
    const liaison_host *host;
};

struct liaison_job {
    int emits;
    char payload[RECORD_BYTES];
    liaison_record records[RECORDS];
    liaison_request request;
    liaison_effect_http http;
    liaison_effect_emit emit;
};

static liaison_instance *LIAISON_CALL open_instance(const liaison_host *host, liaison_str config) {
    liaison_instance *instance = malloc(sizeof *instance);
    (void)config;
    if (instance) instance->host = host;
    return instance;
}

static void LIAISON_CALL close_instance(liaison_instance *instance) { free(instance); }

static liaison_job *LIAISON_CALL create(liaison_instance *instance, uint32_t kind) {
    static const liaison_str method = LITERAL("GET"), url = LITERAL("https://bench.example/item"), key = LITERAL("12345");
    static const liaison_str version = LITERAL("2024-01-01T00:00:00Z"), cursor = LITERAL("{\"next\":\"17\"}");
    liaison_job *job = calloc(1, sizeof *job);
    size_t i;
    (void)instance;
    (void)kind;
    if (!job) return NULL;
    memset(job->payload, 'x', sizeof job->payload);
    for (i = 0; i < RECORDS; ++i) {
        job->records[i].size = sizeof job->records[i];
        job->records[i].op = LIAISON_OP_UPSERT;
        job->records[i].key = key;
        job->records[i].version = version;
        job->records[i].payload.ptr = job->payload;
        job->records[i].payload.len = sizeof job->payload;
    }
    job->request.size = sizeof job->request;
    job->request.method = method;
    job->request.url = url;
    job->request.record_index = -1;
    job->http.size = sizeof job->http;
    job->http.type = LIAISON_EFFECT_HTTP;
    job->http.requests.ptr = &job->request;
    job->http.requests.count = 1;
    job->http.requests.stride = sizeof job->request;
    job->emit.size = sizeof job->emit;
    job->emit.type = LIAISON_EFFECT_EMIT;
    job->emit.records.ptr = job->records;
    job->emit.records.count = RECORDS;
    job->emit.records.stride = sizeof job->records[0];
    job->emit.cursor = cursor;
    return job;
}

static const liaison_effect *LIAISON_CALL step(liaison_job *job, const liaison_event *event) {
    if (event->type == LIAISON_EVENT_START)
        job->emits = ((const liaison_event_start *)event)->entity.len == strlen("page");
    if (job->emits) return (const liaison_effect *)&job->emit;
    return (const liaison_effect *)&job->http;
}

static void LIAISON_CALL destroy(liaison_job *job) { free(job); }

static const liaison_plugin table = {
    sizeof(liaison_plugin),
    LIAISON_ABI_MAJOR,
    LIAISON_ABI_MINOR,
    0,
    LITERAL("org.liaison.step-plugin"),
    LITERAL("1.0.0"),
    LITERAL("liaison"),
    LITERAL("{\"id\": \"org.liaison.step-plugin\", \"version\": \"1.0.0\", \"vendor\": \"liaison\", \"connectors\": "
            "[{\"name\": \"step_plugin\", \"jobs\": [\"pull\"], \"entities\": \"any\"}]}"),
    1u << LIAISON_JOB_PULL,
    open_instance,
    close_instance,
    create,
    step,
    destroy,
};

const liaison_plugin *LIAISON_CALL liaison_plugin_v1(void) { return &table; }
