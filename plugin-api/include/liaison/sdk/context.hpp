// Context: what a connector may ask of the host. Every function returns something to co_await - alone.
//
// Effect structs live in the awaiter, which lives in the waiting frame: exactly as long as the ABI demands.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <liaison/sdk/task.hpp>
#include <liaison/sdk/types.hpp>

namespace liaison {

namespace abi {

inline liaison_str view(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(const liaison_str& text) {
    return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}
inline std::string copy(const liaison_str& text) { return std::string(view(text)); }

template <class T>
liaison_array array(const std::vector<T>& items) {
    return {items.data(), static_cast<std::uint32_t>(items.size()), sizeof(T)};
}

// Copies the part of a struct that its producer wrote; the rest stays zero.
template <class T>
T read(const void* raw) {
    T value{};
    std::uint32_t size = 0;
    std::memcpy(&size, raw, sizeof size);
    std::memcpy(static_cast<void*>(&value), raw, size < sizeof(T) ? size : sizeof(T));
    return value;
}

// liaison_header is closed and has no size field.
template <>
inline liaison_header read<liaison_header>(const void* raw) {
    liaison_header value;
    std::memcpy(&value, raw, sizeof value);
    return value;
}

// Calls visit(const T&) for each element, stepping by the producer's stride.
template <class T, class Visit>
void each(const liaison_array& items, Visit visit) {
    const char* at = static_cast<const char*>(items.ptr);
    for (std::uint32_t i = 0; i < items.count; ++i, at += items.stride) visit(read<T>(at));
}

// Views into Request objects, kept alive beside them.
class RequestViews {
  public:
    explicit RequestViews(const std::vector<Request>& requests) {
        headers_.reserve(requests.size());
        views_.reserve(requests.size());
        for (const Request& request : requests) add(request);
    }
    liaison_array array() const { return abi::array(views_); }

  private:
    void add(const Request& request) {
        std::vector<liaison_header>& headers = headers_.emplace_back();
        headers.reserve(request.headers.size());
        for (const Header& header : request.headers)
            headers.push_back({view(header.name), view(header.value)});
        liaison_request raw{};
        raw.size = sizeof raw;
        raw.flags = request.flags;
        raw.method = view(request.method);
        raw.url = view(request.url);
        raw.auth = view(request.auth_scheme);
        raw.headers = abi::array(headers);
        raw.body = view(request.body);
        raw.idempotency_key = view(request.idempotency_key);
        raw.max_body = request.max_body;
        raw.timeout_ms = request.timeout_ms;
        raw.record_index = request.record_index;
        views_.push_back(raw);
    }
    std::vector<std::vector<liaison_header>> headers_;
    std::vector<liaison_request> views_;
};

inline std::vector<Response> responses(const liaison_array& raw) {
    std::vector<Response> all;
    all.reserve(raw.count);
    each<liaison_response>(raw, [&](const liaison_response& one) { all.emplace_back(one); });
    return all;
}

}  // namespace abi

inline Response::Response(const liaison_response& raw)
    : error(raw.error), status(raw.status), body(abi::copy(raw.body)), error_text(abi::copy(raw.error_text)) {
    abi::each<liaison_header>(raw.headers, [&](const liaison_header& h) {
        headers.emplace_back(abi::copy(h.name), abi::copy(h.value));
    });
}

inline WebhookEvent::WebhookEvent(const liaison_webhook_event& raw)
    : id(abi::copy(raw.id)),
      type(abi::copy(raw.type)),
      body(abi::copy(raw.body)),
      received_ms(raw.received_ms) {
    abi::each<liaison_header>(raw.headers, [&](const liaison_header& h) {
        headers.emplace_back(abi::copy(h.name), abi::copy(h.value));
    });
}

inline Start::Start(const liaison_event_start& raw)
    : entity(abi::copy(raw.entity)),
      cursor(abi::copy(raw.cursor)),
      full(raw.mode == LIAISON_MODE_FULL),
      page_size(raw.page_size),
      deadline_ms(raw.deadline_ms),
      from_ms(raw.from_ms),
      to_ms(raw.to_ms),
      seed(raw.seed, raw.seed + sizeof raw.seed) {
    abi::each<liaison_record>(raw.records, [&](const liaison_record& one) {
        Record& record = records.emplace_back(abi::copy(one.key), abi::copy(one.payload));
        record.deleted = one.op == LIAISON_OP_DELETE;
        record.version = abi::copy(one.version);
        record.reference = abi::copy(one.reference);
        record.changed_ms = one.changed_ms;
        record.entity = abi::copy(one.entity);
    });
    abi::each<liaison_query>(raw.queries, [&](const liaison_query& one) {
        queries.emplace_back(abi::copy(one.reference), abi::copy(one.key), abi::copy(one.payload));
    });
    abi::each<liaison_webhook_event>(raw.events,
                                     [&](const liaison_webhook_event& one) { events.emplace_back(one); });
}

// Answer to Context::emit.
class Emitted {
  public:
    std::vector<Rejection> rejections;
};

// Base of all awaiters: hands its effect to the driver, and turns EVENT_CANCEL into Cancelled.
class EffectAwaiter {
  public:
    bool await_ready() const noexcept { return false; }

  protected:
    template <class Promise>
    void suspend(std::coroutine_handle<Promise> frame, const void* effect) noexcept {
        driver_ = frame.promise().driver;
        driver_->current = frame;
        driver_->effect = static_cast<const liaison_effect*>(effect);
    }
    const liaison_event& answer(std::uint32_t expected) const {
        const liaison_event& event = *driver_->event;
        if (event.type == LIAISON_EVENT_CANCEL) throw Cancelled();
        if (event.type != expected) throw Failure(ErrorKind::internal, "the host sent an event out of turn");
        return event;
    }
    Driver* driver_ = nullptr;
};

class SendAwaiter : public EffectAwaiter {
  public:
    SendAwaiter(std::vector<Request> requests, std::uint32_t max_parallel)
        : requests_(std::move(requests)), max_parallel_(max_parallel) {}
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        views_.emplace(requests_);
        effect_.size = sizeof effect_;
        effect_.type = LIAISON_EFFECT_HTTP;
        effect_.requests = views_->array();
        effect_.max_parallel = max_parallel_;
        suspend(frame, &effect_);
    }
    std::vector<Response> await_resume() const {
        const auto event = abi::read<liaison_event_http>(&answer(LIAISON_EVENT_HTTP));
        return abi::responses(event.responses);
    }

  private:
    std::vector<Request> requests_;
    std::uint32_t max_parallel_;
    std::optional<abi::RequestViews> views_;
    liaison_effect_http effect_{};
};

class EmitAwaiter : public EffectAwaiter {
  public:
    EmitAwaiter(std::vector<Record> records, std::string cursor, std::uint32_t flags)
        : records_(std::move(records)), cursor_(std::move(cursor)), flags_(flags) {}
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        raw_.reserve(records_.size());
        for (const Record& record : records_) {
            liaison_record one{};
            one.size = sizeof one;
            one.op = record.deleted ? LIAISON_OP_DELETE : LIAISON_OP_UPSERT;
            one.key = abi::view(record.key);
            one.version = abi::view(record.version);
            one.payload = abi::view(record.payload);
            one.reference = abi::view(record.reference);
            one.changed_ms = record.changed_ms;
            one.entity = abi::view(record.entity);
            raw_.push_back(one);
        }
        effect_.size = sizeof effect_;
        effect_.type = LIAISON_EFFECT_EMIT;
        effect_.records = abi::array(raw_);
        effect_.cursor = abi::view(cursor_);
        effect_.flags = flags_;
        suspend(frame, &effect_);
    }
    Emitted await_resume() const {
        const auto event = abi::read<liaison_event_emitted>(&answer(LIAISON_EVENT_EMITTED));
        Emitted emitted;
        abi::each<liaison_rejection>(event.rejections, [&](const liaison_rejection& one) {
            emitted.rejections.emplace_back(one.record_index, abi::copy(one.text), one.lost != 0);
        });
        return emitted;
    }

  private:
    std::vector<Record> records_;
    std::string cursor_;
    std::uint32_t flags_;
    std::vector<liaison_record> raw_;
    liaison_effect_emit effect_{};
};

class ResultAwaiter : public EffectAwaiter {
  public:
    explicit ResultAwaiter(std::vector<Result> results) : results_(std::move(results)) {}
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        raw_.reserve(results_.size());
        for (const Result& result : results_) {
            liaison_result one{};
            one.size = sizeof one;
            one.record_index = result.index;
            one.outcome = result.outcome;
            one.category = result.category;
            one.external_id = abi::view(result.external_id);
            one.version = abi::view(result.version);
            one.text = abi::view(result.text);
            one.retry_after_ms = result.retry_after_ms;
            raw_.push_back(one);
        }
        effect_.size = sizeof effect_;
        effect_.type = LIAISON_EFFECT_RESULT;
        effect_.results = abi::array(raw_);
        suspend(frame, &effect_);
    }
    void await_resume() const { (void)answer(LIAISON_EVENT_RECORDED); }

  private:
    std::vector<Result> results_;
    std::vector<liaison_result> raw_;
    liaison_effect_result effect_{};
};

class SleepAwaiter : public EffectAwaiter {
  public:
    explicit SleepAwaiter(std::chrono::milliseconds duration) : duration_ms_(duration.count()) {}
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        effect_.size = sizeof effect_;
        effect_.type = LIAISON_EFFECT_SLEEP;
        effect_.duration_ms = duration_ms_;
        suspend(frame, &effect_);
    }
    void await_resume() const { (void)answer(LIAISON_EVENT_TIMER); }

  private:
    std::int64_t duration_ms_;
    liaison_effect_sleep effect_{};
};

class Context {
  public:
    Context(const Driver* driver, const liaison_host* host) : driver_(driver), host_(host) {}

    // Sends one request. Throws Failure when no answer arrives: `transient`, or `unknown_outcome` for a write
    // that may have been executed. Any HTTP status is an answer: judging it is the connector's.
    Task<Response> send(Request request) {
        std::vector<Request> batch;
        batch.push_back(std::move(request));
        std::vector<Response> answers = co_await SendAwaiter(std::move(batch), 1);
        if (answers.size() != 1)
            throw Failure(ErrorKind::internal, "the host answered one request with several");
        if (answers[0].error != LIAISON_ERROR_NONE) {
            throw Failure(static_cast<ErrorKind>(answers[0].error), answers[0].error_text);
        }
        co_return std::move(answers[0]);
    }
    // Sends a batch, at most `max_parallel` at once; one response per request, transport errors in
    // Response::error.
    SendAwaiter send_all(std::vector<Request> requests, std::uint32_t max_parallel) const {
        return SendAwaiter(std::move(requests), max_parallel);
    }
    // Returns after the host has committed the records together with the cursor.
    EmitAwaiter emit(std::vector<Record> records, std::string cursor) const {
        return EmitAwaiter(std::move(records), std::move(cursor), 0);
    }
    // Returns at once: the next page is fetched and read while the host decides and stores this one.
    // Rejections become dead letters and are not reported. Safe also before an acknowledgement, because a
    // request that mutates waits until everything emitted is durable.
    EmitAwaiter emit_pipelined(std::vector<Record> records, std::string cursor) const {
        return EmitAwaiter(std::move(records), std::move(cursor), LIAISON_EMIT_PIPELINED);
    }
    // Reports what became of pushed records or queries; returns once that is durable.
    ResultAwaiter result(std::vector<Result> results) const { return ResultAwaiter(std::move(results)); }
    SleepAwaiter sleep(std::chrono::milliseconds duration) const { return SleepAwaiter(duration); }

    // Unix milliseconds, as told with the current event.
    std::int64_t now_ms() const { return driver_->event->now_ms; }
    void log(std::uint32_t level, std::string_view text) const {
        host_->log(host_->ctx, level, abi::view(text));
    }

  private:
    const Driver* driver_;
    const liaison_host* host_;
};

}  // namespace liaison
