// What Lightspeed means by its answers: four dialects of errors, and a create that failed is a 404.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "settings.hpp"

namespace lightspeed {

// What the body says, for people; of every dialect. Empty when it is none of them.
inline std::string said_in(const Response& response) {
    Json body;
    try {
        body = Json::parse(response.body);
    } catch (const liaison::JsonError&) { return {}; }
    std::string text = text_in(body, "/message");
    if (text.empty()) text = text_in(body, "/error_description");
    if (text.empty()) text = text_in(body, "/error");
    for (const char* list : {"/apiSubExceptions", "/errors"}) {
        for (const Json& one : rows_in(body, list)) {
            const std::string message = text_in(one, "/message"), spring = text_in(one, "/defaultMessage");
            text += "; " + text_in(one, "/field") + ": " + (message.empty() ? spring : message);
            const std::string value = text_in(one, "/rejectedValue");
            if (!value.empty()) text += " ('" + value + "')";
        }
    }
    return kit::excerpt(text, kit::max_vendor_text);
}

inline std::string with_reason(const std::string& text, const Response& response) {
    const std::string said = said_in(response);
    return said.empty() ? text : text + ": " + said;
}

inline Failure refusal_of_us(const Response& response) {
    const char* text = response.status == 403
                           ? "Lightspeed does not let this app there: a scope is missing, or the business "
                             "location was not granted; check locations, then connect the integration again"
                           : "Lightspeed refuses the access token";
    return Failure(ErrorKind::auth, with_reason(text, response), kit::vendor_text(response),
                   "HTTP " + std::to_string(response.status));
}

// The failure that an answer to a read stands for.
inline Failure read_failure(const Response& response, const std::string& url, std::int64_t now_ms) {
    if (response.status == 401 || response.status == 403) return refusal_of_us(response);
    const std::string said = said_in(response);
    Failure failure = kit::read_failure(response, url, now_ms);
    if (said.empty()) return failure;
    Failure told(failure.kind, said + " (" + url + ")", failure.detail, failure.code);
    told.retry_after_ms = failure.retry_after_ms;
    return told;
}

inline Result refused(std::uint32_t index, ErrorKind kind, const std::string& text) {
    return Result(index, LIAISON_OUTCOME_REJECTED).because(kind, text);
}

// What became of a write that did not succeed.
class Verdict {
  public:
    explicit Verdict(Result result) : result(std::move(result)) {}
    Result result;
    std::optional<Failure> stops_job;  // after the result is recorded
};

inline Verdict stopping(std::uint32_t index, Failure failure) {
    Verdict verdict(Result(index, LIAISON_OUTCOME_RETRY)
                        .because(failure.kind, failure.what())
                        .retry_after(std::chrono::milliseconds(failure.retry_after_ms)));
    verdict.stops_job = std::move(failure);
    return verdict;
}

// A 5xx may have been executed: nobody knows.
inline Verdict judge_failure(std::uint32_t index, const Response& response, const std::string& what,
                             std::int64_t now_ms) {
    if (response.status == 401 || response.status == 403) return stopping(index, refusal_of_us(response));
    if (response.status == 429) return stopping(index, read_failure(response, what, now_ms));
    if (response.status >= 400 && response.status < 500 && response.status != 408)
        return Verdict(refused(index, ErrorKind::invalid_record,
                               with_reason("Lightspeed refused to " + what, response)));
    return Verdict(Result(index, LIAISON_OUTCOME_UNKNOWN)
                       .because(ErrorKind::unknown_outcome, kit::vendor_text(response)));
}

// No answer came.
inline Verdict judge_silence(std::uint32_t index, const Failure& failure) {
    if (failure.kind == ErrorKind::unknown_outcome)
        return Verdict(Result(index, LIAISON_OUTCOME_UNKNOWN).because(failure.kind, failure.what()));
    if (failure.kind != ErrorKind::transient) return stopping(index, failure);
    return Verdict(Result(index, LIAISON_OUTCOME_RETRY).because(failure.kind, failure.what()));
}

}  // namespace lightspeed
