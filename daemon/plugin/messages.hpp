// Events and effects of the plugin ABI as values that own their memory: what the engine, the frames to a
// worker and the script runner speak. plugin.h documents the meaning of every field.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <liaison/plugin.h>

namespace liaisond::plugin {

enum class JobKind : std::uint32_t {
    test = LIAISON_JOB_TEST,
    pull = LIAISON_JOB_PULL,
    push = LIAISON_JOB_PUSH,
    find = LIAISON_JOB_FIND,
    login = LIAISON_JOB_LOGIN,
    logout = LIAISON_JOB_LOGOUT,
    webhook = LIAISON_JOB_WEBHOOK,
};

struct Header {
    std::string name, value;
    bool operator==(const Header&) const = default;
};

struct Record {
    bool deleted = false;
    std::string key, version, payload, reference;
    std::int64_t changed_ms = 0;
    std::string entity = {};  // emit; empty: the job's
    bool operator==(const Record&) const = default;
};

struct Query {
    std::string reference, key, payload = {};
    bool operator==(const Query&) const = default;
};

struct WebhookEvent {
    std::string id, type;
    std::vector<Header> headers;
    std::string body;
    std::int64_t received_ms = 0;
    bool operator==(const WebhookEvent&) const = default;
};

struct Request {
    std::uint32_t flags = 0, timeout_ms = 0;
    std::string method, url, auth, body, idempotency_key;
    std::vector<Header> headers;
    std::uint64_t max_body = 0;
    std::int32_t record_index = -1;
    bool mutates() const { return (flags & LIAISON_REQUEST_MUTATES) != 0; }
    bool operator==(const Request&) const = default;
};

struct Response {
    std::uint32_t error = 0, status = 0;
    std::vector<Header> headers;
    std::string body, error_text;
    bool operator==(const Response&) const = default;
};

struct Rejection {
    std::uint32_t index = 0;
    std::string text;
    bool lost = false;  // it is no dead letter either
    bool operator==(const Rejection&) const = default;
};

struct PushResult {
    std::uint32_t index = 0, outcome = 0, category = 0;
    std::string external_id, version, text;
    std::int64_t retry_after_ms = 0;
    bool operator==(const PushResult&) const = default;
};

// ---- events ----

struct StartEvent {
    std::string entity, cursor;
    bool full = false;
    std::uint32_t page_size = 0;
    std::int64_t deadline_ms = 0;
    std::array<std::uint8_t, 32> seed{};
    std::vector<Record> records;
    std::vector<Query> queries;
    std::int64_t from_ms = 0, to_ms = 0;
    std::vector<WebhookEvent> events = {};
    bool operator==(const StartEvent&) const = default;
};
struct HttpEvent {
    std::vector<Response> responses;
    bool operator==(const HttpEvent&) const = default;
};
struct EmittedEvent {
    std::vector<Rejection> rejections;
    bool operator==(const EmittedEvent&) const = default;
};
struct RecordedEvent {
    bool operator==(const RecordedEvent&) const = default;
};
struct TimerEvent {
    bool operator==(const TimerEvent&) const = default;
};
struct CancelEvent {
    bool operator==(const CancelEvent&) const = default;
};

struct Event {
    std::int64_t now_ms = 0;
    std::variant<StartEvent, HttpEvent, EmittedEvent, RecordedEvent, TimerEvent, CancelEvent> body;
    bool operator==(const Event&) const = default;
};

// ---- effects ----

struct HttpEffect {
    std::vector<Request> requests;
    std::uint32_t max_parallel = 0;
    bool operator==(const HttpEffect&) const = default;
};
struct EmitEffect {
    std::vector<Record> records;
    std::string cursor;
    bool pipelined = false;
    bool operator==(const EmitEffect&) const = default;
};
struct ResultEffect {
    std::vector<PushResult> results;
    bool operator==(const ResultEffect&) const = default;
};
struct SleepEffect {
    std::int64_t duration_ms = 0;
    bool operator==(const SleepEffect&) const = default;
};
struct DoneEffect {
    std::string output;
    bool operator==(const DoneEffect&) const = default;
};
struct FailEffect {
    std::uint32_t category = LIAISON_ERROR_INTERNAL;
    std::int64_t retry_after_ms = 0;
    std::string code, text, detail;
    bool operator==(const FailEffect&) const = default;
};

using Effect = std::variant<HttpEffect, EmitEffect, ResultEffect, SleepEffect, DoneEffect, FailEffect>;

}  // namespace liaisond::plugin
