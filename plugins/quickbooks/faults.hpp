// What the service means by its answers. Faults come in two spellings (`Fault`, and `fault` when the token is
// refused), and also inside answers with status 200.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "settings.hpp"

namespace quickbooks {

using liaison::Response;
using liaison::Result;

struct Fault {
    std::string code, text;  // without leading zeros; what the vendor says, for people
    bool is_system = false;
};

// The service says nothing about how long to stay away after a 429; Intuit's advice is a minute.
inline constexpr std::chrono::seconds throttled_for{60};

namespace fault_parts {

// Of an object, whatever the case of its key.
inline const Json* member(const Json* object, std::string_view key) {
    if (object == nullptr || !object->is_object()) return nullptr;
    for (const Json::Member& one : object->members()) {
        if (kit::lowered(one.key) == key) return &one.value;
    }
    return nullptr;
}

inline std::string text(const Json* object, std::string_view key) {
    const Json* found = member(object, key);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}

inline std::string without_zeros(std::string code) {
    code.erase(0, std::min(code.find_first_not_of('0'), code.size()));
    return code;
}

}  // namespace fault_parts

inline std::optional<Fault> fault_of(const Json& body) {
    using namespace fault_parts;
    const Json* fault = member(&body, "fault");
    if (fault == nullptr || !fault->is_object()) return std::nullopt;
    Fault made;
    const std::string type = kit::lowered(text(fault, "type"));
    made.is_system = type.find("system") != std::string::npos;
    const Json* errors = member(fault, "error");
    const Json* first =
        errors != nullptr && errors->is_array() && !errors->items().empty() ? &errors->items()[0] : nullptr;
    made.code = without_zeros(text(first, "code"));
    const std::string message = text(first, "message"), detail = text(first, "detail");
    made.text = message + (detail.empty() || detail == message ? "" : ": " + detail);
    if (!made.code.empty()) made.text += " (code " + made.code + ")";
    made.text = kit::excerpt(made.text, kit::max_vendor_text);
    return made;
}

// One answer, read once.
struct Answer {
    std::optional<Json> body;    // absent: not JSON
    std::optional<Fault> fault;  // also with status 200
    explicit Answer(const Response& response) {
        try {
            body = Json::parse(response.body);
        } catch (const liaison::JsonError&) {}
        if (body) fault = fault_of(*body);
    }
    bool has_code(std::string_view code) const { return fault && fault->code == code; }
};

inline bool is_throttled(const Response& response, const Answer& answer) {
    return response.status == 429 || answer.has_code("3001");
}
// The token, the app or the company: nothing was executed.
inline bool is_refusal_of_us(const Response& response, const Answer& answer) {
    return response.status == 401 || response.status == 403 || answer.has_code("3200") ||
           answer.has_code("3100") || answer.has_code("120");
}
inline bool is_system_failure(const Response& response, const Answer& answer) {
    return response.status >= 500 || response.status == 408 || answer.has_code("10000") ||
           (answer.fault && answer.fault->is_system);
}

// `intuit_tid` is what Intuit's support asks for.
inline std::string detail_of(const Response& response) {
    const std::string_view tid = response.header("intuit_tid");
    return kit::vendor_text(response) + (tid.empty() ? "" : " [intuit_tid " + std::string(tid) + "]");
}

inline Failure throttled(const Response& response, std::int64_t now_ms) {
    Failure failure(ErrorKind::rate_limited, "QuickBooks wants fewer requests", detail_of(response), "3001");
    const auto wait = kit::retry_after(response, now_ms).value_or(throttled_for);
    failure.retry_after_ms = wait.count();
    return failure;
}

inline Failure refusal_of_us(const Response& response, const Answer& answer) {
    const std::string code = answer.fault ? answer.fault->code : std::string();
    std::string text = "QuickBooks refuses the access token";
    if (code == "3100" || response.status == 403)
        text =
            "QuickBooks does not let this app into the company: check realm_id, and that base_url (sandbox "
            "or production) fits the app's keys; then connect the integration again";
    if (code == "6190") text = "the company's QuickBooks subscription has ended";
    return Failure(code == "6190" ? ErrorKind::permanent : ErrorKind::auth, text, detail_of(response), code);
}

// The failure that an answer to a read stands for; nothing when it is fine.
inline std::optional<Failure> read_failure(const Response& response, const Answer& answer,
                                           const std::string& url, std::int64_t now_ms) {
    if (response.ok() && !answer.fault && answer.body) return std::nullopt;
    const std::string code = answer.fault ? answer.fault->code : std::string();
    if (is_throttled(response, answer)) return throttled(response, now_ms);
    if (code == "6190" || is_refusal_of_us(response, answer)) return refusal_of_us(response, answer);
    if (!answer.fault && response.ok())
        return Failure(ErrorKind::transient, "the answer is not JSON (" + url + ")", detail_of(response));
    if (!answer.fault) return kit::read_failure(response, url, now_ms);
    const bool passes = is_system_failure(response, answer);
    return Failure(passes ? ErrorKind::transient : ErrorKind::permanent,
                   "QuickBooks refused to answer: " + answer.fault->text, detail_of(response), code);
}

// What the answer to a write means, beyond success.
enum class Meaning {
    executed,
    stale,      // somebody wrote it since: 5010
    duplicate,  // a record of that name or number is there
    missing,    // 610
    refused,
    throttled,
    not_let_in,
    unclear,
};

inline Meaning meaning_of(const Response& response, const Answer& answer) {
    if (is_throttled(response, answer)) return Meaning::throttled;
    if (answer.has_code("6190") || is_refusal_of_us(response, answer)) return Meaning::not_let_in;
    if (is_system_failure(response, answer)) return Meaning::unclear;
    if (answer.fault) {
        const std::string& code = answer.fault->code;
        if (code == "5010") return Meaning::stale;
        if (code == "6240" || code == "6140") return Meaning::duplicate;
        if (code == "6210" && kit::lowered(answer.fault->text).find("duplicate") != std::string::npos)
            return Meaning::duplicate;
        if (code == "610") return Meaning::missing;
        return Meaning::refused;
    }
    if (response.ok() && answer.body) return Meaning::executed;
    return response.status >= 400 && response.status < 500 ? Meaning::refused : Meaning::unclear;
}

}  // namespace quickbooks
