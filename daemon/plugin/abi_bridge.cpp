#include "plugin/abi_bridge.hpp"

#include <algorithm>
#include <cstring>

#include "plugin/limits.hpp"

namespace liaisond::plugin {

namespace {

liaison_str view(const std::string& text) { return {text.data(), text.size()}; }

template <class T>
liaison_array array(const std::vector<T>& items, std::size_t first = 0) {
    const std::size_t count = items.size() - first;
    return {count == 0 ? nullptr : items.data() + first, static_cast<std::uint32_t>(count), sizeof(T)};
}

// Reads one effect; the first problem found stops everything that follows.
class EffectReader {
  public:
    Result<Effect> read(const liaison_effect* raw, std::string_view plugin) {
        Effect effect = read_any(raw);
        if (problem_.empty()) problem_ = effect_problem(effect);
        if (problem_.empty()) return effect;
        return fail(ErrorKind::internal, std::string(plugin) + " answered with an effect that " + problem_);
    }

  private:
    void problem(std::string text) {
        if (problem_.empty()) problem_ = std::move(text);
    }
    bool spend(std::uint64_t bytes) {
        if (!problem_.empty()) return false;
        if (bytes > max_effect_bytes - spent_) {
            problem("is larger than " + std::to_string(max_effect_bytes >> 20) + " MiB");
            return false;
        }
        spent_ += bytes;
        return true;
    }

    Effect read_any(const liaison_effect* raw) {
        if (raw == nullptr) return problem("is NULL"), Effect();
        std::uint32_t head[2];
        std::memcpy(head, raw, sizeof head);
        if (head[0] < sizeof head)
            return problem("says it is " + std::to_string(head[0]) + " bytes"), Effect();
        switch (head[1]) {
            case LIAISON_EFFECT_HTTP: return read_http(part<liaison_effect_http>(raw, head[0]));
            case LIAISON_EFFECT_EMIT: return read_emit(part<liaison_effect_emit>(raw, head[0]));
            case LIAISON_EFFECT_RESULT: return read_results(part<liaison_effect_result>(raw, head[0]));
            case LIAISON_EFFECT_SLEEP:
                return SleepEffect{part<liaison_effect_sleep>(raw, head[0]).duration_ms};
            case LIAISON_EFFECT_DONE: return DoneEffect{text(part<liaison_effect_done>(raw, head[0]).output)};
            case LIAISON_EFFECT_FAIL: return read_fail(part<liaison_effect_fail>(raw, head[0]));
            default: return problem("is unknown (type " + std::to_string(head[1]) + ")"), Effect();
        }
    }
    HttpEffect read_http(const liaison_effect_http& raw) {
        HttpEffect effect;
        effect.requests = requests(raw.requests);
        effect.max_parallel = raw.max_parallel;
        return effect;
    }
    EmitEffect read_emit(const liaison_effect_emit& raw) {
        EmitEffect effect;
        effect.cursor = text(raw.cursor);
        each<liaison_record>(raw.records, max_records_per_effect, "records", [&](const liaison_record& one) {
            if (one.op != LIAISON_OP_UPSERT && one.op != LIAISON_OP_DELETE) {
                return problem("has a record whose op is " + std::to_string(one.op));
            }
            Record& record = next(effect.records, raw.records);
            record.deleted = one.op == LIAISON_OP_DELETE;
            record.key = text(one.key);
            record.version = text(one.version);
            record.payload = text(one.payload);
            record.reference = text(one.reference);
            record.changed_ms = one.changed_ms;
            record.entity = text(one.entity);
        });
        effect.pipelined = (raw.flags & LIAISON_EMIT_PIPELINED) != 0;
        return effect;
    }
    ResultEffect read_results(const liaison_effect_result& raw) {
        ResultEffect effect;
        each<liaison_result>(raw.results, max_records_per_effect, "results", [&](const liaison_result& one) {
            PushResult& result = next(effect.results, raw.results);
            result.index = one.record_index;
            result.outcome = one.outcome;
            result.category = one.category;
            result.external_id = text(one.external_id);
            result.version = text(one.version);
            result.text = text(one.text);
            result.retry_after_ms = one.retry_after_ms;
        });
        return effect;
    }
    FailEffect read_fail(const liaison_effect_fail& raw) {
        return {raw.category, raw.retry_after_ms, text(raw.code), text(raw.text), text(raw.detail)};
    }
    std::vector<Request> requests(const liaison_array& raw) {
        std::vector<Request> all;
        each<liaison_request>(raw, max_requests_per_effect, "requests", [&](const liaison_request& one) {
            Request& request = next(all, raw);
            request.flags = one.flags;
            request.timeout_ms = one.timeout_ms;
            request.method = text(one.method);
            request.url = text(one.url);
            request.auth = text(one.auth);
            request.body = text(one.body);
            request.idempotency_key = text(one.idempotency_key);
            request.max_body = one.max_body;
            request.record_index = one.record_index;
            each<liaison_header>(one.headers, max_headers_per_request, "headers",
                                 [&](const liaison_header& h) {
                                     Header& header = next(request.headers, one.headers);
                                     header.name = text(h.name);
                                     header.value = text(h.value);
                                 });
        });
        return all;
    }

    // The part of a struct that both its producer and we know; the rest is zero.
    template <class T>
    static T part(const void* raw, std::size_t size) {
        T value{};
        std::memcpy(static_cast<void*>(&value), raw, std::min(size, sizeof value));
        return value;
    }
    // Room for all elements at once, but only after `each` has found their number acceptable.
    template <class T>
    static T& next(std::vector<T>& items, const liaison_array& raw) {
        if (items.empty()) items.reserve(raw.count);
        return items.emplace_back();
    }
    template <class T, class Visit>
    void each(const liaison_array& items, std::size_t limit, const char* what, Visit visit) {
        if (items.count == 0) return;
        if (items.count > limit) {
            return problem("has " + std::to_string(items.count) + " " + what + " (at most " +
                           std::to_string(limit) + ")");
        }
        if (items.ptr == nullptr) return problem(std::string("has ") + what + " without a pointer");
        const char* at = static_cast<const char*>(items.ptr);
        for (std::uint32_t i = 0; i < items.count && problem_.empty(); ++i, at += items.stride) {
            std::uint32_t size = sizeof(T);
            if constexpr (!std::is_same_v<T, liaison_header>) {
                std::memcpy(&size, at, sizeof size);
                if (size < 2 * sizeof size) return problem(std::string("has ") + what + " without a size");
            }
            if (items.count > 1 && items.stride < size) {
                return problem(std::string("has ") + what + " larger than their stride");
            }
            if (spend(element_cost_bytes)) visit(part<T>(at, size));
        }
    }
    std::string text(const liaison_str& raw) {
        if (raw.len == 0 || !problem_.empty()) return {};
        if (raw.ptr == nullptr) return problem("has a string without a pointer"), std::string();
        if (raw.len > max_string_bytes) {
            return problem("has a string of " + std::to_string(raw.len) + " bytes (at most " +
                           std::to_string(max_string_bytes >> 20) + " MiB)"),
                   std::string();
        }
        if (!spend(raw.len)) return {};
        return std::string(raw.ptr, raw.len);
    }

    std::string problem_;
    std::uint64_t spent_ = element_cost_bytes;
};

bool known_category(std::uint32_t category) { return category <= LIAISON_ERROR_INTERNAL; }

}  // namespace

EventView::EventView(const Event& event) : raw_() {
    std::visit([this](const auto& body) { fill(body); }, event.body);
    raw_.head.now_ms = event.now_ms;
}

void EventView::head(std::uint32_t type, std::size_t size) {
    raw_.head.size = static_cast<std::uint32_t>(size);
    raw_.head.type = type;
}

void EventView::fill(const StartEvent& event) {
    raw_.start = {};
    head(LIAISON_EVENT_START, sizeof raw_.start);
    records_.reserve(event.records.size());
    for (const Record& record : event.records) {
        liaison_record raw{};
        raw.size = sizeof raw;
        raw.op = record.deleted ? LIAISON_OP_DELETE : LIAISON_OP_UPSERT;
        raw.key = view(record.key);
        raw.version = view(record.version);
        raw.payload = view(record.payload);
        raw.reference = view(record.reference);
        raw.changed_ms = record.changed_ms;
        raw.entity = view(record.entity);
        records_.push_back(raw);
    }
    queries_.reserve(event.queries.size());
    for (const Query& query : event.queries) {
        liaison_query raw{};
        raw.size = sizeof raw;
        raw.reference = view(query.reference);
        raw.key = view(query.key);
        raw.payload = view(query.payload);
        queries_.push_back(raw);
    }
    raw_.start.entity = view(event.entity);
    raw_.start.cursor = view(event.cursor);
    raw_.start.mode = event.full ? LIAISON_MODE_FULL : LIAISON_MODE_INCREMENTAL;
    raw_.start.page_size = event.page_size;
    raw_.start.deadline_ms = event.deadline_ms;
    std::copy(event.seed.begin(), event.seed.end(), raw_.start.seed);
    raw_.start.records = array(records_);
    raw_.start.queries = array(queries_);
    raw_.start.from_ms = event.from_ms;
    raw_.start.to_ms = event.to_ms;
    raw_.start.events = add(event.events);
}

void EventView::fill(const HttpEvent& event) {
    raw_.http = {};
    head(LIAISON_EVENT_HTTP, sizeof raw_.http);
    raw_.http.responses = add(event.responses);
}

void EventView::fill(const EmittedEvent& event) {
    raw_.emitted = {};
    head(LIAISON_EVENT_EMITTED, sizeof raw_.emitted);
    rejections_.reserve(event.rejections.size());
    for (const Rejection& rejection : event.rejections) {
        rejections_.push_back(
            {sizeof(liaison_rejection), rejection.index, view(rejection.text), rejection.lost ? 1u : 0u, 0});
    }
    raw_.emitted.rejections = array(rejections_);
}

void EventView::fill(const RecordedEvent&) { head(LIAISON_EVENT_RECORDED, sizeof raw_.head); }
void EventView::fill(const TimerEvent&) { head(LIAISON_EVENT_TIMER, sizeof raw_.head); }
void EventView::fill(const CancelEvent&) { head(LIAISON_EVENT_CANCEL, sizeof raw_.head); }

namespace {

template <class T>
std::size_t headers_of(const std::vector<T>& items) {
    std::size_t count = 0;
    for (const T& item : items) count += item.headers.size();
    return count;
}

}  // namespace

// There must be room for them: the views of earlier ones point into headers_.
liaison_array EventView::add(const std::vector<Header>& headers) {
    const std::size_t first = headers_.size();
    for (const Header& header : headers) headers_.push_back({view(header.name), view(header.value)});
    return array(headers_, first);
}

liaison_array EventView::add(const std::vector<Response>& responses) {
    headers_.reserve(headers_of(responses));
    responses_.reserve(responses.size());
    for (const Response& response : responses) {
        liaison_response raw{};
        raw.size = sizeof raw;
        raw.error = response.error;
        raw.status = response.status;
        raw.headers = add(response.headers);
        raw.body = view(response.body);
        raw.error_text = view(response.error_text);
        responses_.push_back(raw);
    }
    return array(responses_);
}

liaison_array EventView::add(const std::vector<WebhookEvent>& events) {
    headers_.reserve(headers_of(events));
    events_.reserve(events.size());
    for (const WebhookEvent& event : events) {
        liaison_webhook_event raw{};
        raw.size = sizeof raw;
        raw.id = view(event.id);
        raw.type = view(event.type);
        raw.headers = add(event.headers);
        raw.body = view(event.body);
        raw.received_ms = event.received_ms;
        events_.push_back(raw);
    }
    return array(events_);
}

Result<Effect> read_effect(const liaison_effect* raw, std::string_view plugin) {
    return EffectReader().read(raw, plugin);
}

std::string effect_problem(const Effect& effect) {
    if (const auto* http = std::get_if<HttpEffect>(&effect)) {
        if (http->requests.empty()) return "asks for HTTP without a request";
    } else if (const auto* results = std::get_if<ResultEffect>(&effect)) {
        for (const PushResult& result : results->results) {
            if (result.outcome < LIAISON_OUTCOME_CREATED || result.outcome > LIAISON_OUTCOME_IGNORED) {
                return "has an unknown outcome (" + std::to_string(result.outcome) + ")";
            }
            if (!known_category(result.category)) {
                return "has an unknown error category (" + std::to_string(result.category) + ")";
            }
        }
    } else if (const auto* sleep = std::get_if<SleepEffect>(&effect)) {
        if (sleep->duration_ms < 0) return "asks to sleep for a negative time";
    } else if (const auto* failed = std::get_if<FailEffect>(&effect)) {
        if (failed->category == LIAISON_ERROR_NONE || !known_category(failed->category)) {
            return "fails with an unknown error category (" + std::to_string(failed->category) + ")";
        }
    }
    return {};
}

}  // namespace liaisond::plugin
