/* A plugin in plain C: proof that the header needs no C++, and the smallest state machine there is.
 * Pull: one GET, one record made of the answer, done. */
#include <stdlib.h>
#include <string.h>

#include <liaison/plugin.h>

#define LITERAL(text) {text, sizeof(text) - 1}

struct liaison_instance {
    const liaison_host *host;
};

struct liaison_job {
    const liaison_instance *instance;
    uint32_t kind;
    char *payload; /* copied: event memory dies with the step */
    liaison_request request;
    liaison_record record;
    liaison_effect_http http;
    liaison_effect_emit emit;
    liaison_effect_done done;
    liaison_effect_fail fail;
};

static liaison_instance *LIAISON_CALL open_instance(const liaison_host *host, liaison_str config) {
    liaison_instance *instance = malloc(sizeof *instance);
    (void)config;
    if (instance) instance->host = host;
    return instance;
}

static void LIAISON_CALL close_instance(liaison_instance *instance) { free(instance); }

static liaison_job *LIAISON_CALL create(liaison_instance *instance, uint32_t kind) {
    liaison_job *job;
    if (kind != LIAISON_JOB_TEST && kind != LIAISON_JOB_PULL) return NULL;
    job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->instance = instance;
    job->kind = kind;
    return job;
}

static const liaison_effect *finish(liaison_job *job, const char *output) {
    job->done.size = sizeof job->done;
    job->done.type = LIAISON_EFFECT_DONE;
    job->done.output.ptr = output;
    job->done.output.len = strlen(output);
    return (const liaison_effect *)&job->done;
}

static const liaison_effect *give_up(liaison_job *job) {
    static const liaison_str text = LITERAL("the plain C plugin heard something unexpected");
    job->fail.size = sizeof job->fail;
    job->fail.type = LIAISON_EFFECT_FAIL;
    job->fail.category = LIAISON_ERROR_TRANSIENT;
    job->fail.text = text;
    return (const liaison_effect *)&job->fail;
}

static const liaison_effect *ask(liaison_job *job) {
    static const liaison_str method = LITERAL("GET"), url = LITERAL("https://c.example/item");
    static const liaison_str line = LITERAL("asking");
    job->instance->host->log(job->instance->host->ctx, LIAISON_LOG_INFO, line);
    job->request.size = sizeof job->request;
    job->request.method = method;
    job->request.url = url;
    job->request.record_index = -1;
    job->http.size = sizeof job->http;
    job->http.type = LIAISON_EFFECT_HTTP;
    job->http.requests.ptr = &job->request;
    job->http.requests.count = 1;
    job->http.requests.stride = sizeof job->request;
    return (const liaison_effect *)&job->http;
}

static const liaison_effect *emit(liaison_job *job, const liaison_event_http *event) {
    static const liaison_str key = LITERAL("1"), cursor = LITERAL("after-1");
    const liaison_response *response = event->responses.ptr;
    if (event->responses.count != 1 || response->status != 200) return give_up(job);
    job->payload = malloc(response->body.len + 1);
    if (!job->payload) return NULL;
    memcpy(job->payload, response->body.ptr, response->body.len);
    job->record.size = sizeof job->record;
    job->record.op = LIAISON_OP_UPSERT;
    job->record.key = key;
    job->record.payload.ptr = job->payload;
    job->record.payload.len = response->body.len;
    job->emit.size = sizeof job->emit;
    job->emit.type = LIAISON_EFFECT_EMIT;
    job->emit.records.ptr = &job->record;
    job->emit.records.count = 1;
    job->emit.records.stride = sizeof job->record;
    job->emit.cursor = cursor;
    return (const liaison_effect *)&job->emit;
}

static const liaison_effect *LIAISON_CALL step(liaison_job *job, const liaison_event *event) {
    switch (event->type) {
        case LIAISON_EVENT_START:
            return job->kind == LIAISON_JOB_TEST ? finish(job, "{\"account\":\"plain C\"}") : ask(job);
        case LIAISON_EVENT_HTTP: return emit(job, (const liaison_event_http *)event);
        case LIAISON_EVENT_EMITTED: return finish(job, "");
        default: return give_up(job);
    }
}

static void LIAISON_CALL destroy(liaison_job *job) {
    free(job->payload);
    free(job);
}

static const liaison_plugin table = {
    sizeof(liaison_plugin),
    LIAISON_ABI_MAJOR,
    LIAISON_ABI_MINOR,
    0,
    LITERAL("org.liaison.plain-c"),
    LITERAL("1.0.0"),
    LITERAL("liaison"),
    LITERAL("{\"id\": \"org.liaison.plain-c\", \"version\": \"1.0.0\", \"vendor\": \"liaison\", "
            "\"connectors\": "
            "[{\"name\": \"plain_c\", \"jobs\": [\"test\", \"pull\"], \"entities\": \"any\"}]}\n"),
    1u << LIAISON_JOB_TEST | 1u << LIAISON_JOB_PULL,
    open_instance,
    close_instance,
    create,
    step,
    destroy,
};

const liaison_plugin *LIAISON_CALL liaison_plugin_v1(void) { return &table; }
