// How pushed records become requests, and what the answers mean for each of them. Does no waiting itself.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "settings.hpp"

namespace custom_api {

using liaison::Record;
using liaison::Result;

enum class Operation { create, update, remove };

// One record on its way out: either a request, or already a result.
struct Outgoing {
    Outgoing(std::uint32_t index, const Record& record) : index(index), record(&record) {}
    std::uint32_t index;
    const Record* record;
    Operation operation = Operation::create;
    const Write* write = nullptr;
    std::string key;  // what {key} stood for
    std::optional<Request> request;
    std::optional<Result> result;
};

// What a write's answer demands beyond its own result.
struct Verdict {
    explicit Verdict(Result result) : result(std::move(result)) {}
    Result result;
    bool look_up = false;              // it exists under our reference: find says where
    std::optional<Failure> stops_job;  // after the results are recorded
};

inline std::string expand(std::string path, const std::string& key, const std::string& reference) {
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>("{key}", key), {"{reference}", reference}, {"{id}", key}}) {
        const std::string escaped = kit::percent_encoded(value);
        for (std::size_t at = path.find(name); at != std::string::npos;
             at = path.find(name, at + escaped.size())) {
            path.replace(at, name.size(), escaped);
        }
    }
    return path;
}

inline Result refused(std::uint32_t index, ErrorKind kind, const std::string& text) {
    return Result(index, LIAISON_OUTCOME_REJECTED).because(kind, text);
}

// Chooses the operation; nullptr with a reason when it is not configured.
inline const Write* choose(const Entity& entity, Outgoing& out) {
    const Record& record = *out.record;
    out.operation = record.deleted       ? Operation::remove
                    : record.key.empty() ? Operation::create
                                         : Operation::update;
    out.key = record.key;
    if (record.deleted) return entity.remove ? &*entity.remove : nullptr;
    if (!record.key.empty() && entity.update) return &*entity.update;
    // PUT /products/{key} both creates and replaces.
    const bool replaces = entity.create && entity.create->path.find("{key}") != std::string::npos;
    return entity.create && (record.key.empty() || replaces) ? &*entity.create : nullptr;
}

inline Outgoing prepare(const Settings& settings, const Entity& entity, std::uint32_t index,
                        const Record& record) {
    Outgoing out(index, record);
    out.write = choose(entity, out);
    if (out.write == nullptr) {
        static constexpr const char* names[] = {"create", "update", "delete"};
        out.result =
            refused(index, ErrorKind::permanent,
                    std::string("'") + names[static_cast<int>(out.operation)] + "' is not configured");
        return out;
    }
    try {
        Json body;
        if (!record.deleted) {
            const Json payload = Json::parse(record.payload);
            if (out.key.empty() && entity.write_key) out.key = text_at(payload, entity.write_key);
            body = entity.mapping.write_json(payload);
        }
        if (out.write->path.find("{key}") != std::string::npos && out.key.empty()) {
            throw kit::ValueError("key", "the record has no value at write_key");
        }
        if (out.write->reference_field) body.place(*out.write->reference_field) = record.reference;
        Request request = settings.request(
            out.write->method, expand(out.write->path, out.key, record.reference), out.write->query);
        if (!record.deleted) {
            request.headers.emplace_back("Content-Type", "application/json");
            request.body = body.dump();
        }
        if (!out.write->reference_header.empty())
            request.headers.emplace_back(out.write->reference_header, record.reference);
        if (out.write->if_match && !record.version.empty())
            request.headers.emplace_back("If-Match", record.version);
        if (entity.is_keyed && out.operation == Operation::create) request.idempotency_key = record.reference;
        out.request = std::move(request).mutates(static_cast<std::int32_t>(index));
    } catch (const std::runtime_error& error) {  // ValueError, JsonError
        out.result = refused(index, ErrorKind::invalid_record, error.what());
    }
    return out;
}

namespace writing_parts {

inline Result unknown(const Outgoing& out, const std::string& text) {
    return Result(out.index, LIAISON_OUTCOME_UNKNOWN).because(ErrorKind::unknown_outcome, text);
}

inline Result judge_success(const Outgoing& out, const Response& response) {
    if (kit::lowered(response.header("Content-Type")).find("html") != std::string::npos) {
        return unknown(out, "a web page answered the write; a proxy or portal may have swallowed it");
    }
    if (out.operation == Operation::remove) return Result(out.index, LIAISON_OUTCOME_DELETED).at(out.key);
    Json body;
    try {
        if (!response.body.empty()) body = Json::parse(response.body);
    } catch (const liaison::JsonError&) { body = Json(); }
    std::string id = out.key;
    if (out.operation == Operation::create && out.write->id_from == IdFrom::body)
        id = text_at(body, out.write->id);
    if (out.operation == Operation::create && out.write->id_from == IdFrom::location) {
        std::string_view location = response.header("Location");
        location = location.substr(0, location.find_first_of("?#"));
        while (location.ends_with("/")) location.remove_suffix(1);
        id = location.substr(location.rfind('/') + 1);
    }
    if (id.empty())
        return unknown(out, "accepted, but the answer names no id: " + kit::vendor_text(response));
    const std::string version =
        out.write->version ? text_at(body, out.write->version) : std::string(response.header("ETag"));
    const bool is_new = out.operation == Operation::create;
    return Result(out.index, is_new ? LIAISON_OUTCOME_CREATED : LIAISON_OUTCOME_UPDATED)
        .at(std::move(id), version);
}

inline Verdict judge_conflict(const Outgoing& out, const Entity& entity, const Response& response) {
    const std::string text = kit::vendor_text(response);
    if (out.operation != Operation::create) {
        return Verdict(Result(out.index, LIAISON_OUTCOME_CONFLICT).because(ErrorKind::conflict, text));
    }
    try {
        const std::string id =
            out.write->duplicate_id ? text_at(Json::parse(response.body), out.write->duplicate_id) : "";
        if (!id.empty()) return Verdict(Result(out.index, LIAISON_OUTCOME_DUPLICATE).at(id));
    } catch (const liaison::JsonError&) {
        // The refusal stands without an id.
    }
    Verdict verdict(refused(out.index, ErrorKind::conflict, text));
    verdict.look_up = entity.find && !entity.find->path.empty();
    return verdict;
}

// Certainly not executed, and the rest of the push would fare no better.
inline Verdict stop(const Outgoing& out, ErrorKind kind, const std::string& text,
                    std::chrono::milliseconds wait) {
    Verdict verdict(Result(out.index, LIAISON_OUTCOME_RETRY).because(kind, text).retry_after(wait));
    verdict.stops_job.emplace(Failure(kind, text).retry_after(wait));
    return verdict;
}

}  // namespace writing_parts

inline Verdict judge(const Settings& settings, const Entity& entity, const Outgoing& out,
                     const Response& response, std::int64_t now_ms) {
    using namespace writing_parts;
    if (response.error == LIAISON_ERROR_UNKNOWN_OUTCOME) return Verdict(unknown(out, response.error_text));
    if (response.error != LIAISON_ERROR_NONE) {
        const auto kind = static_cast<ErrorKind>(response.error);
        Verdict verdict(Result(out.index, LIAISON_OUTCOME_RETRY).because(kind, response.error_text));
        if (kind != ErrorKind::transient) verdict.stops_job.emplace(kind, response.error_text);
        return verdict;
    }
    const std::uint32_t status = response.status;
    const std::string text = kit::vendor_text(response);
    const auto wait = kit::retry_after(response, now_ms);
    if (response.ok()) return Verdict(judge_success(out, response));
    switch (status) {
        case 401:
        case 403: return stop(out, ErrorKind::auth, text, {});
        case 307:
        case 308: return stop(out, ErrorKind::config, "the remote redirects writes elsewhere: " + text, {});
        case 429:
            return stop(out, ErrorKind::rate_limited, text, wait.value_or(std::chrono::milliseconds(0)));
        case 409: return judge_conflict(out, entity, response);
        case 412:
        case 428:
            return Verdict(Result(out.index, LIAISON_OUTCOME_CONFLICT).because(ErrorKind::conflict, text));
        case 404:
        case 410:
            if (out.operation == Operation::remove)
                return Verdict(Result(out.index, LIAISON_OUTCOME_DELETED).at(out.key));
            return Verdict(refused(out.index, ErrorKind::permanent, text));
        case 503:
            if (!wait || !settings.rejects_before_execution) return Verdict(unknown(out, text));
            return stop(out, ErrorKind::transient, text, *wait);
        default: break;
    }
    // A timeout at the far side and any fault of it prove nothing, nor does a redirect after a POST.
    if (status >= 500 || status == 408 || status < 400) return Verdict(unknown(out, text));
    return Verdict(refused(out.index, ErrorKind::invalid_record, text));
}

}  // namespace custom_api
