#include "api/answers.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/redact.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

struct Kind {
    unsigned status;
    const char* name;
    const char* title;
};

// What stays the same for programs, whatever the words of the detail.
const Kind& kind_of(unsigned status) {
    static constexpr Kind kinds[] = {{400, "bad-request", "The request cannot be understood"},
                                     {401, "unauthorized", "Somebody has to say who they are"},
                                     {403, "forbidden", "This is not allowed"},
                                     {404, "not-found", "There is no such thing"},
                                     {405, "method-not-allowed", "This cannot be done with it"},
                                     {409, "conflict", "It is not in the state for that"},
                                     {412, "precondition-failed", "It has changed meanwhile"},
                                     {413, "too-large", "The request is too large"},
                                     {415, "unsupported-type", "The body is of another kind than expected"},
                                     {422, "invalid", "The request is understood, but wrong"},
                                     {428, "precondition-required", "Say which version is meant"},
                                     {429, "too-many", "Too many requests"},
                                     {502, "vendor", "The vendor did not do it"},
                                     {503, "unavailable", "Not at the moment"},
                                     {500, "internal", "Something is wrong with liaison"}};
    for (const Kind& kind : kinds) {
        if (kind.status == status) return kind;
    }
    return kinds[std::size(kinds) - 1];
}

unsigned status_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::permanent: return 404;
        case ErrorKind::config: return 409;
        case ErrorKind::conflict: return 412;
        case ErrorKind::transient:
        case ErrorKind::rate_limited: return 503;
        default: return 500;
    }
}

json::object problem_body(unsigned status, std::string_view detail) {
    const Kind& kind = kind_of(status);
    return {{"type", std::string("urn:liaison:problem:") + kind.name},
            {"title", kind.title},
            {"status", status},
            {"detail", redactor().scrub(detail)}};
}

}  // namespace

web::Answer ok(const json::value& body, unsigned status) {
    return {status, "application/json", json::serialize(body)};
}

web::Answer problem(const Error& error) { return problem(status_of(error), error.message); }

web::Answer problem(unsigned status, std::string_view detail) {
    return {status, "application/problem+json", json::serialize(problem_body(status, detail))};
}

web::Answer problem(unsigned status, std::string_view detail, json::array errors) {
    json::object body = problem_body(status, detail);
    body["errors"] = std::move(errors);
    return {status, "application/problem+json", json::serialize(body)};
}

json::array errors_of(const std::vector<Schema::Fault>& faults) {
    json::array errors;
    for (const Schema::Fault& fault : faults)
        errors.push_back(
            json::object{{"pointer", fault.pointer}, {"detail", redactor().scrub(fault.message)}});
    return errors;
}

web::Answer refusal(const Error& error) {
    return error.kind == ErrorKind::permanent ? problem(422, error.message) : problem(error);
}

json::value time_or_null(Instant at) {
    return to_unix_ms(at) == 0 ? json::value() : json::value(format_instant(at));
}

json::value parsed(const std::string& text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value(text) : value;
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

}  // namespace liaisond::api
