// The values a connector works with. All of them own their memory and have constructors (see task.hpp for
// why).
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liaison/plugin.h>

namespace liaison {

enum class ErrorKind : std::uint32_t {
    transient = LIAISON_ERROR_TRANSIENT,
    auth = LIAISON_ERROR_AUTH,
    rate_limited = LIAISON_ERROR_RATE_LIMITED,
    invalid_record = LIAISON_ERROR_INVALID_RECORD,
    conflict = LIAISON_ERROR_CONFLICT,
    permanent = LIAISON_ERROR_PERMANENT,
    config = LIAISON_ERROR_CONFIG,
    unknown_outcome = LIAISON_ERROR_UNKNOWN_OUTCOME,
    internal = LIAISON_ERROR_INTERNAL,
};

// What came from outside makes no sense: a number that is none, a member that is missing. Uncaught it ends
// the job as `permanent`, and not as the bug of the connector that other exceptions are.
class BadData : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Thrown by connectors and by Context; ends the job with EFFECT_FAIL unless caught.
class Failure : public std::runtime_error {
  public:
    Failure(ErrorKind kind, const std::string& text, std::string detail = {}, std::string code = {})
        : std::runtime_error(text), kind(kind), detail(std::move(detail)), code(std::move(code)) {}
    Failure&& retry_after(std::chrono::milliseconds delay) && {
        retry_after_ms = delay.count();
        return std::move(*this);
    }
    ErrorKind kind;
    std::string detail;  // for the log
    std::string code;    // the vendor's own
    std::int64_t retry_after_ms = 0;
};

// Thrown out of the pending await when the host cancels. Clean up briefly (log out, release a lock) and let
// it pass.
class Cancelled : public std::runtime_error {
  public:
    Cancelled() : std::runtime_error("cancelled") {}
};

class Header {
  public:
    Header(std::string name, std::string value) : name(std::move(name)), value(std::move(value)) {}
    std::string name, value;
};

// The first one of that name, compared without case; empty when absent. Lives as long as the list.
inline std::string_view header_of(const std::vector<Header>& headers, std::string_view name) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    for (const Header& candidate : headers) {
        if (candidate.name.size() != name.size()) continue;
        bool same = true;
        for (std::size_t i = 0; same && i < name.size(); ++i)
            same = lower(candidate.name[i]) == lower(name[i]);
        if (same) return candidate.value;
    }
    return {};
}

// One record on its way out of, or into, this connector. `payload` is a canonical JSON object.
class Record {
  public:
    Record() {}
    Record(std::string key, std::string payload) : key(std::move(key)), payload(std::move(payload)) {}
    static Record tombstone(std::string key) {
        Record record(std::move(key), {});
        record.deleted = true;
        return record;
    }
    bool deleted = false;
    std::string key;  // external id at this vendor; empty when the record is new there
    std::string payload;
    std::string version;    // vendor's version marker
    std::string reference;  // ours, of the record at this vendor; emit: where the vendor shows one
    std::int64_t changed_ms = 0;
    std::string entity;  // emit: of jobs that bring several; empty: the job's own
};

class Query {
  public:
    Query(std::string reference, std::string key, std::string payload = {})
        : reference(std::move(reference)), key(std::move(key)), payload(std::move(payload)) {}
    std::string reference, key;
    std::string payload;  // of the record that was to be written: for vendors that know it by something in it
};

// What the vendor sent by webhook. It may come twice and in any order: a hint, not a fact.
class WebhookEvent {
  public:
    WebhookEvent() {}
    explicit WebhookEvent(const liaison_webhook_event& raw);
    // First header of that name, compared without case; empty when absent.
    std::string_view header(std::string_view name) const { return header_of(headers, name); }

    std::string id, type;  // type: empty where the vendor says none outside the body
    std::vector<Header> headers;
    std::string body;
    std::int64_t received_ms = 0;
};

// A request under construction: Request("GET", url).auth("bearer").header("Accept", "application/json").
class Request {
  public:
    Request(std::string method, std::string url) : method(std::move(method)), url(std::move(url)) {}
    Request&& auth(std::string scheme) && { return auth_scheme = std::move(scheme), std::move(*this); }
    Request&& header(std::string name, std::string value) && {
        headers.emplace_back(std::move(name), std::move(value));
        return std::move(*this);
    }
    Request&& content(std::string type, std::string bytes) && {
        headers.emplace_back("Content-Type", std::move(type));
        body = std::move(bytes);
        return std::move(*this);
    }
    // Marks a write that carries pushed record number `index` (-1: none in particular).
    Request&& mutates(std::int32_t index = -1) && {
        flags |= LIAISON_REQUEST_MUTATES;
        record_index = index;
        return std::move(*this);
    }
    Request&& idempotent_by(std::string key) && { return idempotency_key = std::move(key), std::move(*this); }
    Request&& timeout(std::chrono::milliseconds limit) && {
        timeout_ms = static_cast<std::uint32_t>(limit.count());
        return std::move(*this);
    }
    std::string method, url, auth_scheme, body, idempotency_key;
    std::vector<Header> headers;
    std::uint32_t flags = 0, timeout_ms = 0;
    std::uint64_t max_body = 0;
    std::int32_t record_index = -1;
};

class Response {
  public:
    Response() {}
    explicit Response(const liaison_response& raw);
    // First header of that name, compared without case; empty when absent.
    std::string_view header(std::string_view name) const { return header_of(headers, name); }
    bool ok() const { return error == 0 && status >= 200 && status < 300; }

    std::uint32_t error = 0;  // LIAISON_ERROR_x; zero when an answer arrived
    std::uint32_t status = 0;
    std::vector<Header> headers;
    std::string body, error_text;
};

// What became of one pushed record or of one query.
class Result {
  public:
    Result(std::uint32_t index, std::uint32_t outcome) : index(index), outcome(outcome) {}
    Result&& at(std::string id, std::string remote_version = {}) && {
        external_id = std::move(id);
        version = std::move(remote_version);
        return std::move(*this);
    }
    Result&& because(ErrorKind kind, std::string reason) && {
        category = static_cast<std::uint32_t>(kind);
        text = std::move(reason);
        return std::move(*this);
    }
    Result&& retry_after(std::chrono::milliseconds delay) && {
        retry_after_ms = delay.count();
        return std::move(*this);
    }
    std::uint32_t index, outcome, category = 0;  // outcome: LIAISON_OUTCOME_x
    std::string external_id, version, text;
    std::int64_t retry_after_ms = 0;
};

class Rejection {
  public:
    Rejection(std::uint32_t index, std::string text, bool lost = false)
        : index(index), text(std::move(text)), lost(lost) {}
    std::uint32_t index;  // into the emitted batch
    std::string text;
    bool lost;  // the host does not keep it either
};

// What the job was started with. Fields that do not belong to the job kind are empty.
class Start {
  public:
    Start() {}
    explicit Start(const liaison_event_start& raw);
    std::string entity, cursor;
    bool full = false;
    std::uint32_t page_size = 0;
    std::int64_t deadline_ms = 0;
    // A pull of a date range: records of from_ms and later, before to_ms; 0: no bound. Its cursor is its own.
    std::int64_t from_ms = 0, to_ms = 0;
    bool has_range() const { return from_ms != 0 || to_ms != 0; }
    std::vector<std::uint8_t> seed;
    std::vector<Record> records;
    std::vector<Query> queries;
    std::vector<WebhookEvent> events;
};

}  // namespace liaison
