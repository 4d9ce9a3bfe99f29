/* Offset and width of every field of plugin.h, and the value of every constant, as static assertions.
 * Once the ABI is 1.0, lines are only ever added: one that has to change is an ABI break. C11 and C++20. */
#include <liaison/plugin.h>

#ifdef __cplusplus
#define LIAISON_ASSERT static_assert
#else
#define LIAISON_ASSERT _Static_assert
#endif
#define FIELD(type, field, offset, width)                                                                 \
    LIAISON_ASSERT(offsetof(struct type, field) == (offset) && sizeof(((struct type *)0)->field) == (width), \
                   #type "." #field " has moved or changed its width")
#define CONSTANT(name, value) LIAISON_ASSERT(name == (value), #name " has changed its value")

/* Closed structs never grow. */
LIAISON_ASSERT(sizeof(liaison_str) == 16, "liaison_str is closed");
LIAISON_ASSERT(sizeof(liaison_header) == 32, "liaison_header is closed");
LIAISON_ASSERT(sizeof(liaison_array) == 16, "liaison_array is closed");

FIELD(liaison_str, ptr, 0, 8);
FIELD(liaison_str, len, 8, 8);

FIELD(liaison_header, name, 0, 16);
FIELD(liaison_header, value, 16, 16);

FIELD(liaison_array, ptr, 0, 8);
FIELD(liaison_array, count, 8, 4);
FIELD(liaison_array, stride, 12, 4);

FIELD(liaison_host, size, 0, 4);
FIELD(liaison_host, abi_major, 4, 4);
FIELD(liaison_host, abi_minor, 8, 4);
FIELD(liaison_host, reserved, 12, 4);
FIELD(liaison_host, ctx, 16, 8);
FIELD(liaison_host, log, 24, 8);
FIELD(liaison_host, extension, 32, 8);

FIELD(liaison_plugin, size, 0, 4);
FIELD(liaison_plugin, abi_major, 4, 4);
FIELD(liaison_plugin, abi_minor, 8, 4);
FIELD(liaison_plugin, abi_minor_min, 12, 4);
FIELD(liaison_plugin, id, 16, 16);
FIELD(liaison_plugin, version, 32, 16);
FIELD(liaison_plugin, vendor, 48, 16);
FIELD(liaison_plugin, manifest, 64, 16);
FIELD(liaison_plugin, capabilities, 80, 8);
FIELD(liaison_plugin, open, 88, 8);
FIELD(liaison_plugin, close, 96, 8);
FIELD(liaison_plugin, job_create, 104, 8);
FIELD(liaison_plugin, step, 112, 8);
FIELD(liaison_plugin, job_destroy, 120, 8);

FIELD(liaison_record, size, 0, 4);
FIELD(liaison_record, op, 4, 4);
FIELD(liaison_record, key, 8, 16);
FIELD(liaison_record, version, 24, 16);
FIELD(liaison_record, payload, 40, 16);
FIELD(liaison_record, reference, 56, 16);
FIELD(liaison_record, changed_ms, 72, 8);
FIELD(liaison_record, entity, 80, 16);

FIELD(liaison_query, size, 0, 4);
FIELD(liaison_query, reserved, 4, 4);
FIELD(liaison_query, reference, 8, 16);
FIELD(liaison_query, key, 24, 16);

FIELD(liaison_webhook_event, size, 0, 4);
FIELD(liaison_webhook_event, reserved, 4, 4);
FIELD(liaison_webhook_event, id, 8, 16);
FIELD(liaison_webhook_event, type, 24, 16);
FIELD(liaison_webhook_event, headers, 40, 16);
FIELD(liaison_webhook_event, body, 56, 16);
FIELD(liaison_webhook_event, received_ms, 72, 8);

FIELD(liaison_request, size, 0, 4);
FIELD(liaison_request, flags, 4, 4);
FIELD(liaison_request, method, 8, 16);
FIELD(liaison_request, url, 24, 16);
FIELD(liaison_request, auth, 40, 16);
FIELD(liaison_request, headers, 56, 16);
FIELD(liaison_request, body, 72, 16);
FIELD(liaison_request, idempotency_key, 88, 16);
FIELD(liaison_request, max_body, 104, 8);
FIELD(liaison_request, timeout_ms, 112, 4);
FIELD(liaison_request, record_index, 116, 4);

FIELD(liaison_response, size, 0, 4);
FIELD(liaison_response, error, 4, 4);
FIELD(liaison_response, status, 8, 4);
FIELD(liaison_response, reserved, 12, 4);
FIELD(liaison_response, headers, 16, 16);
FIELD(liaison_response, body, 32, 16);
FIELD(liaison_response, error_text, 48, 16);

FIELD(liaison_event, size, 0, 4);
FIELD(liaison_event, type, 4, 4);
FIELD(liaison_event, now_ms, 8, 8);

FIELD(liaison_event_start, size, 0, 4);
FIELD(liaison_event_start, type, 4, 4);
FIELD(liaison_event_start, now_ms, 8, 8);
FIELD(liaison_event_start, entity, 16, 16);
FIELD(liaison_event_start, cursor, 32, 16);
FIELD(liaison_event_start, mode, 48, 4);
FIELD(liaison_event_start, page_size, 52, 4);
FIELD(liaison_event_start, deadline_ms, 56, 8);
FIELD(liaison_event_start, seed, 64, 32);
FIELD(liaison_event_start, records, 96, 16);
FIELD(liaison_event_start, queries, 112, 16);
FIELD(liaison_event_start, from_ms, 128, 8);
FIELD(liaison_event_start, to_ms, 136, 8);
FIELD(liaison_event_start, events, 144, 16);

FIELD(liaison_event_http, size, 0, 4);
FIELD(liaison_event_http, type, 4, 4);
FIELD(liaison_event_http, now_ms, 8, 8);
FIELD(liaison_event_http, responses, 16, 16);

FIELD(liaison_rejection, size, 0, 4);
FIELD(liaison_rejection, record_index, 4, 4);
FIELD(liaison_rejection, text, 8, 16);
FIELD(liaison_rejection, lost, 24, 4);
FIELD(liaison_rejection, reserved, 28, 4);

FIELD(liaison_event_emitted, size, 0, 4);
FIELD(liaison_event_emitted, type, 4, 4);
FIELD(liaison_event_emitted, now_ms, 8, 8);
FIELD(liaison_event_emitted, rejections, 16, 16);

FIELD(liaison_effect, size, 0, 4);
FIELD(liaison_effect, type, 4, 4);

FIELD(liaison_effect_http, size, 0, 4);
FIELD(liaison_effect_http, type, 4, 4);
FIELD(liaison_effect_http, requests, 8, 16);
FIELD(liaison_effect_http, max_parallel, 24, 4);
FIELD(liaison_effect_http, reserved, 28, 4);

FIELD(liaison_effect_emit, size, 0, 4);
FIELD(liaison_effect_emit, type, 4, 4);
FIELD(liaison_effect_emit, records, 8, 16);
FIELD(liaison_effect_emit, cursor, 24, 16);
FIELD(liaison_effect_emit, flags, 40, 4);
FIELD(liaison_effect_emit, reserved, 44, 4);

FIELD(liaison_result, size, 0, 4);
FIELD(liaison_result, record_index, 4, 4);
FIELD(liaison_result, outcome, 8, 4);
FIELD(liaison_result, category, 12, 4);
FIELD(liaison_result, external_id, 16, 16);
FIELD(liaison_result, version, 32, 16);
FIELD(liaison_result, text, 48, 16);
FIELD(liaison_result, retry_after_ms, 64, 8);

FIELD(liaison_effect_result, size, 0, 4);
FIELD(liaison_effect_result, type, 4, 4);
FIELD(liaison_effect_result, results, 8, 16);

FIELD(liaison_effect_sleep, size, 0, 4);
FIELD(liaison_effect_sleep, type, 4, 4);
FIELD(liaison_effect_sleep, duration_ms, 8, 8);

FIELD(liaison_effect_done, size, 0, 4);
FIELD(liaison_effect_done, type, 4, 4);
FIELD(liaison_effect_done, output, 8, 16);

FIELD(liaison_effect_fail, size, 0, 4);
FIELD(liaison_effect_fail, type, 4, 4);
FIELD(liaison_effect_fail, category, 8, 4);
FIELD(liaison_effect_fail, reserved, 12, 4);
FIELD(liaison_effect_fail, retry_after_ms, 16, 8);
FIELD(liaison_effect_fail, code, 24, 16);
FIELD(liaison_effect_fail, text, 40, 16);
FIELD(liaison_effect_fail, detail, 56, 16);

CONSTANT(LIAISON_LOG_DEBUG, 0u);
CONSTANT(LIAISON_LOG_INFO, 1u);
CONSTANT(LIAISON_LOG_WARNING, 2u);
CONSTANT(LIAISON_LOG_ERROR, 3u);
CONSTANT(LIAISON_JOB_TEST, 1u);
CONSTANT(LIAISON_JOB_PULL, 2u);
CONSTANT(LIAISON_JOB_PUSH, 3u);
CONSTANT(LIAISON_JOB_FIND, 4u);
CONSTANT(LIAISON_JOB_LOGIN, 5u);
CONSTANT(LIAISON_JOB_LOGOUT, 6u);
CONSTANT(LIAISON_JOB_WEBHOOK, 7u);
CONSTANT(LIAISON_ERROR_NONE, 0u);
CONSTANT(LIAISON_ERROR_TRANSIENT, 1u);
CONSTANT(LIAISON_ERROR_AUTH, 2u);
CONSTANT(LIAISON_ERROR_RATE_LIMITED, 3u);
CONSTANT(LIAISON_ERROR_INVALID_RECORD, 4u);
CONSTANT(LIAISON_ERROR_CONFLICT, 5u);
CONSTANT(LIAISON_ERROR_PERMANENT, 6u);
CONSTANT(LIAISON_ERROR_CONFIG, 7u);
CONSTANT(LIAISON_ERROR_UNKNOWN_OUTCOME, 8u);
CONSTANT(LIAISON_ERROR_INTERNAL, 9u);
CONSTANT(LIAISON_OP_UPSERT, 1u);
CONSTANT(LIAISON_OP_DELETE, 2u);
CONSTANT(LIAISON_REQUEST_MUTATES, 1u);
CONSTANT(LIAISON_REQUEST_BODY_IS_TEMPLATE, 2u);
CONSTANT(LIAISON_EVENT_START, 1u);
CONSTANT(LIAISON_EVENT_HTTP, 2u);
CONSTANT(LIAISON_EVENT_EMITTED, 3u);
CONSTANT(LIAISON_EVENT_RECORDED, 4u);
CONSTANT(LIAISON_EVENT_TIMER, 5u);
CONSTANT(LIAISON_EVENT_CANCEL, 6u);
CONSTANT(LIAISON_MODE_INCREMENTAL, 0u);
CONSTANT(LIAISON_MODE_FULL, 1u);
CONSTANT(LIAISON_EFFECT_HTTP, 1u);
CONSTANT(LIAISON_EFFECT_EMIT, 2u);
CONSTANT(LIAISON_EFFECT_RESULT, 3u);
CONSTANT(LIAISON_EFFECT_SLEEP, 4u);
CONSTANT(LIAISON_EFFECT_DONE, 5u);
CONSTANT(LIAISON_EFFECT_FAIL, 6u);
CONSTANT(LIAISON_OUTCOME_CREATED, 1u);
CONSTANT(LIAISON_OUTCOME_UPDATED, 2u);
CONSTANT(LIAISON_OUTCOME_UNCHANGED, 3u);
CONSTANT(LIAISON_OUTCOME_DELETED, 4u);
CONSTANT(LIAISON_OUTCOME_DUPLICATE, 5u);
CONSTANT(LIAISON_OUTCOME_REJECTED, 6u);
CONSTANT(LIAISON_OUTCOME_CONFLICT, 7u);
CONSTANT(LIAISON_OUTCOME_UNKNOWN, 8u);
CONSTANT(LIAISON_OUTCOME_FOUND, 9u);
CONSTANT(LIAISON_OUTCOME_NOT_FOUND, 10u);
CONSTANT(LIAISON_OUTCOME_RETRY, 11u);
CONSTANT(LIAISON_OUTCOME_IGNORED, 12u);
