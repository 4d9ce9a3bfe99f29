// How pushed records become requests, and what the answers mean for each of them. Does no waiting itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "faults.hpp"
#include "walk.hpp"

namespace quickbooks {

enum class Operation { create, update, remove };

// One record on its way out: either a body, or already a result.
struct Outgoing {
    Outgoing(std::uint32_t index, const Record& record) : index(index), record(&record) {}
    std::uint32_t index;
    const Record* record;
    Operation operation = Operation::create;
    Json body = Json::object();
    std::string version;  // SyncToken that the write expects
    std::optional<Result> result;
};

inline Result refused(std::uint32_t index, ErrorKind kind, const std::string& text) {
    return Result(index, LIAISON_OUTCOME_REJECTED).because(kind, text);
}

inline Outgoing prepare(const Settings& settings, const std::string& type, std::uint32_t index,
                        const Record& record, std::int64_t now_ms) {
    Outgoing out(index, record);
    out.version = record.version;
    out.operation = record.deleted       ? Operation::remove
                    : record.key.empty() ? Operation::create
                                         : Operation::update;
    try {
        if (!record.deleted) out.body = body_of(record, type, settings, now_ms);
        if (record.deleted && (type == "Customer" || type == "Item")) out.body.set("Active", false);
        if (record.deleted && (type == "Invoice" || type == "SalesReceipt"))
            out.result = refused(index, ErrorKind::permanent,
                                 "a posted " + type +
                                     " is never deleted by liaison: void it or write a credit "
                                     "memo in QuickBooks");
    } catch (const kit::ValueError& error) {
        out.result = refused(index, ErrorKind::invalid_record, error.what());
    } catch (const liaison::JsonError& error) {
        out.result = refused(index, ErrorKind::invalid_record, error.what());
    }
    return out;
}

// The same write has the same id, and another one never does: the service answers a known id with what it
// answered before, whatever the body says.
inline std::string request_id(const Outgoing& out, const std::string& body) {
    kit::Hash128 hash;
    hash.add_field(out.record->key).add_field(out.version).add_field(body);
    const char* kind = out.operation == Operation::create   ? "c"
                       : out.operation == Operation::update ? "u"
                                                            : "d";
    return out.record->reference + "-" + kind + hash.hex(20);
}

// Sparse: what the record does not say stays as it is there.
inline Request write_request(const Settings& settings, const std::string& type, const Outgoing& out) {
    Json body = out.body;
    const bool deletes_document = out.operation == Operation::remove && body.members().empty();
    if (out.operation != Operation::create) {
        body.set("Id", out.record->key);
        body.set("SyncToken", out.version);
        if (!deletes_document) body.set("sparse", true);
    }
    const std::string text = body.dump(), id = request_id(out, text);
    const std::string operation = deletes_document ? "operation=delete&" : "";
    return Settings::request("POST", settings.url("/" + kit::lowered(type),
                                                  operation + "requestid=" + kit::percent_encoded(id)))
        .content("application/json; charset=utf-8", text)
        .idempotent_by(id)
        .mutates(static_cast<std::int32_t>(out.index));
}

// "SELECT ... WHERE Field IN ('a', 'b')", as many statements as short addresses need.
inline std::vector<std::string> look_ups(const std::string& type, const std::string& field,
                                         const std::vector<std::string>& values) {
    constexpr std::size_t longest_list = 1500;
    std::vector<std::string> statements;
    std::string list;
    const auto finish = [&] {
        if (list.empty()) return;
        const std::string active = also_inactive(type);
        statements.push_back("SELECT * FROM " + type + " WHERE " + field + " IN (" + list + ")" +
                             (active.empty() ? "" : " AND " + active) + " MAXRESULTS 1000");
        list.clear();
    };
    for (const std::string& value : values) {
        list += (list.empty() ? "" : ", ") + quoted(value);
        if (list.size() > longest_list) finish();
    }
    finish();
    return statements;
}

// A record of that name, number or SKU is there already: ours after all, or somebody else's.
inline Result judge_known(const Settings& settings, const std::string& type, const Outgoing& out,
                          const std::vector<Json>& rows) {
    std::vector<const Json*> ours;
    for (const Json& row : rows) {
        if (is_ours(row, type, out.body, out.record->reference)) ours.push_back(&row);
    }
    if (ours.empty() && settings.adopt_existing && rows.size() == 1) ours.push_back(&rows[0]);
    const std::string field = natural_field(type, out.body);
    const std::string name =
        type + " with " + field + " '" + kit::excerpt(text_in(out.body, "/" + field), 100) + "'";
    if (ours.size() == 1)
        return Result(out.index, LIAISON_OUTCOME_DUPLICATE)
            .at(text_in(*ours[0], "/Id"), text_in(*ours[0], "/SyncToken"));
    if (ours.size() > 1)
        return refused(
            out.index, ErrorKind::conflict,
            std::to_string(ours.size()) + " records are there as " + name + ": merge them in QuickBooks");
    const std::string id = rows.empty() ? "" : " (Id " + text_in(rows[0], "/Id") + ")";
    return refused(
        out.index, ErrorKind::conflict,
        "there is a " + name + id +
            " that liaison did not make: import that entity with `match` first, rename one of them, or "
            "set adopt_existing");
}

// What a write's answer demands beyond its own result.
struct Verdict {
    explicit Verdict(Result result) : result(std::move(result)) {}
    Result result;
    bool look_up = false;              // a record of that name is there: is it ours?
    std::optional<Failure> stops_job;  // after the results are recorded
};

// No answer came.
inline Verdict judge_silence(const Outgoing& out, const Response& response) {
    const auto kind = static_cast<ErrorKind>(response.error);
    if (kind == ErrorKind::unknown_outcome)
        return Verdict(Result(out.index, LIAISON_OUTCOME_UNKNOWN).because(kind, response.error_text));
    Verdict verdict(Result(out.index, LIAISON_OUTCOME_RETRY).because(kind, response.error_text));
    if (kind != ErrorKind::transient) verdict.stops_job.emplace(kind, response.error_text);
    return verdict;
}

inline Verdict judge_success(const std::string& type, const Outgoing& out, const Response& response,
                             const Answer& answer) {
    if (out.operation == Operation::remove)
        return Verdict(Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key));
    const Json* row = answer.body->find(type);
    const std::string id = row != nullptr ? text_in(*row, "/Id") : std::string();
    if (id.empty())
        return Verdict(Result(out.index, LIAISON_OUTCOME_UNKNOWN)
                           .because(ErrorKind::unknown_outcome,
                                    "accepted, but the answer names no Id: " + kit::vendor_text(response)));
    const bool is_new = out.operation == Operation::create;
    return Verdict(Result(out.index, is_new ? LIAISON_OUTCOME_CREATED : LIAISON_OUTCOME_UPDATED)
                       .at(id, text_in(*row, "/SyncToken")));
}

inline Verdict judge(const std::string& type, const Outgoing& out, const Response& response,
                     std::int64_t now_ms) {
    if (response.error != LIAISON_ERROR_NONE) return judge_silence(out, response);
    const Answer answer(response);
    const std::string said = answer.fault ? answer.fault->text : kit::vendor_text(response);
    const auto stopped = [&](const Failure& failure) {
        Verdict verdict(Result(out.index, LIAISON_OUTCOME_RETRY)
                            .because(failure.kind, failure.what())
                            .retry_after(std::chrono::milliseconds(failure.retry_after_ms)));
        verdict.stops_job = failure;
        return verdict;
    };
    switch (meaning_of(response, answer)) {
        case Meaning::executed: return judge_success(type, out, response, answer);
        case Meaning::stale:
            return Verdict(Result(out.index, LIAISON_OUTCOME_CONFLICT).because(ErrorKind::conflict, said));
        case Meaning::duplicate: {
            Verdict verdict(refused(out.index, ErrorKind::conflict, said));
            verdict.look_up = out.operation == Operation::create;
            return verdict;
        }
        case Meaning::missing:
            if (out.operation == Operation::remove)
                return Verdict(Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key));
            return Verdict(refused(out.index, ErrorKind::permanent, said));
        case Meaning::refused: return Verdict(refused(out.index, ErrorKind::invalid_record, said));
        case Meaning::throttled: return stopped(throttled(response, now_ms));
        case Meaning::not_let_in: return stopped(refusal_of_us(response, answer));
        case Meaning::unclear: break;
    }
    return Verdict(Result(out.index, LIAISON_OUTCOME_UNKNOWN).because(ErrorKind::unknown_outcome, said));
}

}  // namespace quickbooks
