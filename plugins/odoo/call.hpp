// Call: one method of one model, and its two ways onto the wire; Refusal: what Odoo says instead of a result.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/http.hpp>
#include <liaison/kit/xmlrpc.hpp>

#include "settings.hpp"

namespace odoo {

using liaison::Request;
using liaison::Response;

// Values hold no null: Odoo's "empty" is false.
class Call {
  public:
    Call(std::string model, std::string method) : model_(std::move(model)), method_(std::move(method)) {}
    // The next positional argument; JSON-2 knows it by its name.
    Call&& with(std::string name, Json value) && {
        positional_.push_back({std::move(name), std::move(value)});
        return std::move(*this);
    }
    // An argument that both know by name.
    Call&& option(std::string name, Json value) && {
        options_.set(std::move(name), std::move(value));
        return std::move(*this);
    }
    const std::string& model() const { return model_; }
    const std::string& method() const { return method_; }

    // The user's number and password are placeholders that the host fills in.
    std::string xmlrpc(const std::string& database) const {
        kit::xmlrpc::MethodCall call("execute_kw", kit::xmlrpc::Body::host_template);
        call.parameter(database).placeholder("int", "session:uid").placeholder("string", "secret:api_key");
        call.parameter(model_).parameter(method_);
        Json positional = Json::array();
        for (const Json::Member& one : positional_) positional.push_back(one.value);
        return call.parameter(positional).parameter(options_).text();
    }
    std::string json2() const {
        Json body = Json::object();
        for (const Json::Member& one : positional_) body.members().push_back(one);
        for (const Json::Member& one : options_.members()) body.members().push_back(one);
        return body.dump();
    }

  private:
    std::string model_, method_;
    std::vector<Json::Member> positional_;
    Json options_ = Json::object();
};

// Whether a refused write has changed anything.
enum class Effect { none, done, unclear };

class Refusal {
  public:
    Refusal(ErrorKind kind, Effect effect, std::string text)
        : kind(kind), effect(effect), text(std::move(text)) {}
    ErrorKind kind;
    Effect effect;
    std::string text;    // for the operator
    std::string detail;  // for the log
    std::chrono::milliseconds wait{0};
    bool is_missing = false;  // the record is not there
    bool stops = false;       // the next write would fare no better
    Failure failure() const { return Failure(kind, text, detail).retry_after(wait); }
};

class Answer {
  public:
    Json result;
    std::optional<Refusal> refusal;
};

namespace call_parts {

inline constexpr std::size_t max_text = 400, max_detail = 4000;

inline bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}
template <std::size_t count>
bool has_any(std::string_view text, const std::array<std::string_view, count>& parts) {
    for (const std::string_view part : parts) {
        if (has(text, part)) return true;
    }
    return false;
}

// What follows the last frame of a Python traceback: "psycopg2.errors.UniqueViolation: duplicate key ...".
inline std::string exception_of(std::string_view traceback) {
    std::size_t at = traceback.rfind("\n  File \"");
    if (at == std::string_view::npos) return std::string(kit::trimmed(traceback));
    while (at != std::string_view::npos && at + 1 < traceback.size() && traceback[at + 1] == ' ')
        at = traceback.find('\n', at + 1);
    if (at == std::string_view::npos) return "no reason";
    return std::string(kit::trimmed(traceback.substr(at)));
}

inline Refusal refusal(ErrorKind kind, Effect effect, std::string_view text) {
    return Refusal(kind, effect, "Odoo: " + kit::excerpt(text, max_text));
}
inline Refusal stopping(ErrorKind kind, std::string_view text, const char* advice) {
    Refusal made(kind, Effect::none, "Odoo: " + kit::excerpt(text, max_text) + advice);
    made.stops = true;
    return made;
}
inline Refusal missing(std::string_view text) {
    Refusal made = refusal(ErrorKind::permanent, Effect::none, text);
    made.is_missing = true;
    return made;
}

// PostgreSQL undid the transaction, and the same may succeed a little later.
inline bool is_contention(std::string_view text) {
    static constexpr std::array<std::string_view, 8> signs = {
        "could not serialize access", "SerializationFailure",  "LockNotAvailable",
        "deadlock detected",          "could not obtain lock", "due to lock timeout",
        "Connection Pool Is Full",    "too many connections"};
    return has_any(text, signs);
}

// The answer could not be written; what had been asked for is done (allow_none=False, rpc.py).
inline bool is_unspeakable(std::string_view exception) {
    return has(exception, "cannot marshal") || has(exception, "exceeds XML-RPC limits");
}

// Raised inside the method, whose transaction was undone. Anything else proves nothing.
inline bool is_undone(std::string_view exception) {
    static constexpr std::array<std::string_view, 16> classes = {"ValueError",
                                                                 "TypeError",
                                                                 "KeyError",
                                                                 "AttributeError",
                                                                 "IndexError",
                                                                 "AssertionError",
                                                                 "NameError",
                                                                 "ZeroDivisionError",
                                                                 "NotNullViolation",
                                                                 "CheckViolation",
                                                                 "UniqueViolation",
                                                                 "ForeignKeyViolation",
                                                                 "DatetimeFieldOverflow",
                                                                 "InvalidTextRepresentation",
                                                                 "NumericValueOutOfRange",
                                                                 "odoo.exceptions."};
    return has_any(exception.substr(0, exception.find(':')), classes);
}

// An exception with its class, as XML-RPC's fault 1 and JSON-2 name it.
inline Refusal of_exception(std::string_view exception) {
    if (is_unspeakable(exception)) return refusal(ErrorKind::unknown_outcome, Effect::done, exception);
    if (is_contention(exception)) return refusal(ErrorKind::transient, Effect::none, exception);
    if (has(exception, "database \"") && has(exception, "does not exist"))
        return stopping(ErrorKind::config, exception, "; check the setting 'database'");
    if (has(exception, "AccessDenied"))
        return stopping(ErrorKind::auth, exception, "; the API key may have been revoked or have expired");
    if (has(exception, "AccessError")) return refusal(ErrorKind::auth, Effect::none, exception);
    if (has(exception, "MissingError")) return missing(exception);
    if (has(exception, "UniqueViolation") || has(exception, "already exists"))
        return refusal(ErrorKind::conflict, Effect::none, exception);
    if (has(exception, "type object '") || has(exception, "The method '"))
        return stopping(ErrorKind::config, exception, "; this version of Odoo has no such method");
    if (has(exception, "Invalid field"))
        return stopping(ErrorKind::config, exception, "; a module may be missing in this database");
    if (is_undone(exception)) return refusal(ErrorKind::invalid_record, Effect::none, exception);
    return refusal(ErrorKind::transient, Effect::unclear, exception);
}

inline Refusal of_fault(const kit::xmlrpc::Fault& fault) {
    const std::string_view text = kit::trimmed(fault.text);
    if (fault.code == 3)
        return stopping(ErrorKind::auth, text, "; the API key may have been revoked or have expired");
    if (fault.code == 4) return refusal(ErrorKind::auth, Effect::none, text);
    if (fault.code != 2) return of_exception(exception_of(fault.text));
    if (is_contention(text)) return refusal(ErrorKind::transient, Effect::none, text);
    if (has(text, "does not exist or has been deleted")) return missing(text);
    if (text.starts_with("Object ") && text.ends_with("doesn't exist"))
        return stopping(ErrorKind::config, text, "; its app is not installed in this database");
    if (has(text, "already exists")) return refusal(ErrorKind::conflict, Effect::none, text);
    return refusal(ErrorKind::invalid_record, Effect::none, text);
}

// JSON-2: {"name": "odoo.exceptions.MissingError", "message": ..., "debug": traceback} under a real status.
inline Refusal of_json2(const Response& response, const Json& body) {
    const Json *name = body.find("name"), *message = body.find("message"), *debug = body.find("debug");
    const std::string said = std::string(name->scalar_text()) + ": " +
                             std::string(message != nullptr ? message->scalar_text() : std::string_view());
    if (response.status == 401)
        return stopping(ErrorKind::auth, said,
                        "; JSON-2 takes API keys only, passwords need transport: xmlrpc");
    // Of the web framework, not of the model: no such model or method, or not these arguments.
    const bool is_framework =
        said.starts_with("werkzeug.") && (response.status == 404 || response.status == 422);
    Refusal made = is_framework
                       ? stopping(ErrorKind::config, said, "; is its app installed in this database?")
                       : of_exception(said);
    // UserError, ValidationError and what derives from them.
    if (made.effect == Effect::unclear && response.status < 500)
        made = refusal(ErrorKind::invalid_record, Effect::none, said);
    if (debug != nullptr) made.detail = kit::excerpt(debug->scalar_text(), max_detail);
    return made;
}

// An answer that is not Odoo's: of a proxy in front of it, or none at all.
inline Refusal of_http(const Response& response, const std::string& url, std::int64_t now_ms) {
    if (response.error != LIAISON_ERROR_NONE) {
        const auto kind = static_cast<ErrorKind>(response.error);
        Refusal made(kind, kind == ErrorKind::unknown_outcome ? Effect::unclear : Effect::none,
                     response.error_text);
        made.stops = kind != ErrorKind::transient && kind != ErrorKind::unknown_outcome;
        return made;
    }
    const Failure failure = kit::read_failure(response, url, now_ms);
    const bool is_told = response.status == 429 || (response.status >= 400 && response.status < 500 &&
                                                    response.status != 408 && response.status != 425);
    Refusal made(failure.kind, is_told ? Effect::none : Effect::unclear, failure.what());
    if (response.status == 404) {
        made = Refusal(ErrorKind::config, Effect::none,
                       "there is no Odoo at " + url +
                           "; check the setting 'url', and 'database' where the server has several");
    }
    if (response.status == 413)
        made = Refusal(ErrorKind::invalid_record, Effect::none, "too large for the proxy of Odoo");
    made.detail = failure.detail;
    made.wait = std::chrono::milliseconds(failure.retry_after_ms);
    made.stops = is_told && response.status != 413;
    return made;
}

inline Refusal of_gibberish(const Response& response, const std::string& url, const char* what) {
    Refusal made(
        ErrorKind::transient, Effect::unclear,
        "what came is no answer of Odoo: " + std::string(what) + " (" + url + "); a proxy or a web page?");
    made.detail = kit::vendor_text(response);
    return made;
}

}  // namespace call_parts

inline Answer read_xmlrpc(const Response& response, const std::string& url, std::int64_t now_ms) {
    Answer answer;
    if (!response.ok()) {
        answer.refusal = call_parts::of_http(response, url, now_ms);
        return answer;
    }
    try {
        kit::xmlrpc::Answer said = kit::xmlrpc::parse_answer(response.body);
        answer.result = std::move(said.result);
        if (!said.fault) return answer;
        answer.refusal = call_parts::of_fault(*said.fault);
        answer.refusal->detail = "fault " + std::to_string(said.fault->code) + ": " +
                                 kit::excerpt(said.fault->text, call_parts::max_detail);
    } catch (const kit::xmlrpc::XmlRpcError& error) {
        answer.refusal = call_parts::of_gibberish(response, url, error.what());
    }
    return answer;
}

inline Answer read_json2(const Response& response, const std::string& url, std::int64_t now_ms) {
    Answer answer;
    if (response.error != LIAISON_ERROR_NONE) {
        answer.refusal = call_parts::of_http(response, url, now_ms);
        return answer;
    }
    try {
        answer.result = Json::parse(response.body);
    } catch (const liaison::JsonError& error) {
        answer.refusal = response.ok() ? call_parts::of_gibberish(response, url, error.what())
                                       : call_parts::of_http(response, url, now_ms);
        return answer;
    }
    if (response.ok()) return answer;
    const bool is_odoo = answer.result.find("name") != nullptr && answer.result.find("debug") != nullptr;
    answer.refusal =
        is_odoo ? call_parts::of_json2(response, answer.result) : call_parts::of_http(response, url, now_ms);
    return answer;
}

}  // namespace odoo
