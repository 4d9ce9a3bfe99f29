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

enum class Operation { create, update, remove, make_void };

// One record on its way out: either a body, or already a result.
struct Outgoing {
    Outgoing(std::uint32_t index, const Record& record) : index(index), record(&record) {}
    std::uint32_t index;
    const Record* record;
    std::string type, id;  // of QuickBooks; no id: it is not there
    Operation operation = Operation::create;
    Json payload = Json::object(), body = Json::object();
    std::string version;  // SyncToken that the write expects
    std::optional<Result> result;
};

inline Result refused(std::uint32_t index, ErrorKind kind, const std::string& text) {
    return Result(index, LIAISON_OUTCOME_REJECTED).because(kind, text);
}

// What need not be there: known to the hub as such, and created when a later version has to be.
inline Result unsent(const Outgoing& out, const std::string& why) {
    Result result(out.index, LIAISON_OUTCOME_UNCHANGED);
    result.external_id = kit::unsent_key(out.record->reference);
    result.text = "not sent: " + why;
    return result;
}

namespace writing_parts {

inline void prepare_removal(Outgoing& out) {
    out.operation = Operation::remove;
    if (out.id.empty()) out.result = Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key);
    if (out.type == "Customer" || out.type == "Item") {
        out.body.set("Active", false);
    } else if (out.type != "Estimate" && !out.id.empty()) {
        out.result =
            refused(out.index, ErrorKind::permanent,
                    "a posted " + out.type +
                        " is never deleted by liaison: void it or write a credit memo in QuickBooks");
    }
}

inline void prepare_invoice(Outgoing& out, const Settings& settings) {
    const std::string status = text_in(out.payload, "/status"), type = codec_parts::invoice_type(out.payload);
    const bool is_new = out.id.empty();
    if (is_new && (status == "draft" || status == "void")) {
        out.result = unsent(out, "QuickBooks has no invoices that are " + status);
        return;
    }
    if (!is_new && type != out.type)
        throw kit::ValueError("kind", "it is a " + out.type + " in QuickBooks, and stays one");
    out.type = type;
    if (!is_new && status == "void") {
        out.operation = Operation::make_void;
        if (type == "CreditMemo")
            out.result = refused(out.index, ErrorKind::permanent,
                                 "QuickBooks makes no credit memo void for a program: do it there");
        return;
    }
    if (is_new) out.body = codec_parts::invoice_to(out.payload, type, settings, out.record->reference);
}

inline void prepare_sale(Outgoing& out, const Settings& settings) {
    const std::string why = codec_parts::reason_not_booked(out.payload, settings.till);
    if (!why.empty()) {
        if (out.id.empty())
            out.result = unsent(out, why);
        else
            out.result = refused(
                out.index, ErrorKind::permanent,
                "it is booked as a " + out.type + " already, and now " + why + ": void it in QuickBooks");
        return;
    }
    const codec_parts::Receipt receipt(out.payload, settings);
    if (receipt.is_empty() && out.id.empty()) {
        out.result = unsent(out, "there is nothing to book, its amounts are zero");
        return;
    }
    if (!out.id.empty() && receipt.type() != out.type)
        throw kit::ValueError("kind", "it is booked as a " + out.type + ", and would now be a " +
                                          receipt.type() + ": correct it in QuickBooks");
    out.type = receipt.type();
    out.body = receipt.body(out.record->reference);
}

}  // namespace writing_parts

inline Outgoing prepare(const Settings& settings, const std::string& entity, std::uint32_t index,
                        const Record& record, std::int64_t now_ms) {
    using namespace codec_parts;
    Outgoing out(index, record);
    out.version = record.version;
    try {
        Place place = place_of(entity, record.key, settings);
        out.id = std::move(place.id);
        out.type = place.type.empty() ? types_of(entity, settings).front() : place.type;
        out.operation = out.id.empty() ? Operation::create : Operation::update;
        const bool is_new = out.id.empty();
        if (record.deleted) {
            writing_parts::prepare_removal(out);
            return out;
        }
        out.payload = Json::parse(record.payload);
        if (entity == "invoice")
            writing_parts::prepare_invoice(out, settings);
        else if (entity == "pos_transaction")
            writing_parts::prepare_sale(out, settings);
        else if (entity == "customer")
            out.body = customer_to(out.payload, settings, record.reference, is_new);
        else if (entity == "product")
            out.body = item_to(out.payload, settings, is_new, now_ms);
        else if (entity == "sales_order")
            out.body = order_to(out.payload, settings, record.reference, is_new);
        else
            throw Failure(ErrorKind::config, "'" + entity + "' is only read from QuickBooks");
    } catch (const kit::ValueError& error) {
        out.result = refused(out.index, ErrorKind::invalid_record, error.what());
    } catch (const liaison::JsonError& error) {
        out.result = refused(out.index, ErrorKind::invalid_record, error.what());
    }
    return out;
}

// An invoice that is there stays as it was issued. `row`: as QuickBooks shows it.
inline Result judge_issued(const Settings& settings, const Outgoing& out, const Json& row,
                           const std::string& key) {
    const Json present = codec_parts::invoice_from(row, out.type, settings);
    const std::string change = kit::issued_change(out.payload, present);
    if (change.empty())
        return Result(out.index, LIAISON_OUTCOME_UNCHANGED).at(key, text_in(row, "/SyncToken"));
    return refused(out.index, ErrorKind::permanent,
                   "an issued invoice is not changed (" + change +
                       " would be another): write a credit note and a new invoice");
}

// The same write has the same id, and another one never does: the service answers a known id with what it
// answered before, whatever the body says.
inline std::string request_id(const Outgoing& out, const std::string& body) {
    kit::Hash128 hash;
    hash.add_field(out.record->key).add_field(out.version).add_field(body);
    const char* kind = out.operation == Operation::create   ? "c"
                       : out.operation == Operation::update ? "u"
                       : out.operation == Operation::remove ? "d"
                                                            : "v";
    return out.record->reference + "-" + kind + hash.hex(20);
}

// Sparse: what the record does not say stays as it is there.
inline Request write_request(const Settings& settings, const Outgoing& out) {
    Json body = out.body;
    const bool deletes_document = out.operation == Operation::remove && body.members().empty();
    const bool makes_void = out.operation == Operation::make_void;
    if (out.operation != Operation::create) {
        body.set("Id", out.id);
        body.set("SyncToken", out.version);
        if (!deletes_document && !makes_void) body.set("sparse", true);
    }
    const std::string text = body.dump(), id = request_id(out, text);
    const std::string operation = deletes_document ? "operation=delete&"
                                  : makes_void     ? "operation=void&"
                                                   : "";
    return Settings::request("POST", settings.url("/" + kit::lowered(out.type),
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
inline Result judge_known(const Settings& settings, const std::string& entity, const Outgoing& out,
                          const std::vector<Json>& rows) {
    const std::string& type = out.type;
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
            .at(key_of(entity, type, text_in(*ours[0], "/Id"), settings), text_in(*ours[0], "/SyncToken"));
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

// Sales tax that is counted there may move the total by a cent: said, and left to people.
inline std::string other_total(const Outgoing& out, const Json& row) {
    if (out.type != "SalesReceipt" && out.type != "RefundReceipt") return {};
    const auto theirs = kit::Decimal::parse(text_in(row, "/TotalAmt"));
    std::optional<kit::Decimal> ours = kit::Decimal(0);
    const Json* lines = out.body.find("Line");
    for (const Json& line : lines != nullptr ? lines->items() : std::vector<Json>()) {
        const auto amount = kit::Decimal::parse(text_in(line, "/Amount"));
        if (ours && amount) ours = ours->plus(*amount);
    }
    if (!theirs || !ours || *theirs == *ours) return {};
    return "QuickBooks counts " + theirs->fixed_text() + ", and the till " + ours->fixed_text();
}

inline Verdict judge_success(const Settings& settings, const std::string& entity, const Outgoing& out,
                             const Response& response, const Answer& answer) {
    if (out.operation == Operation::remove)
        return Verdict(Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key));
    const Json* row = answer.body->find(out.type);
    const std::string id = row != nullptr ? text_in(*row, "/Id") : std::string();
    if (id.empty())
        return Verdict(Result(out.index, LIAISON_OUTCOME_UNKNOWN)
                           .because(ErrorKind::unknown_outcome,
                                    "accepted, but the answer names no Id: " + kit::vendor_text(response)));
    const bool is_new = out.operation == Operation::create;
    Result result = Result(out.index, is_new ? LIAISON_OUTCOME_CREATED : LIAISON_OUTCOME_UPDATED)
                        .at(key_of(entity, out.type, id, settings), text_in(*row, "/SyncToken"));
    result.text = other_total(out, *row);
    return Verdict(std::move(result));
}

inline Verdict judge(const Settings& settings, const std::string& entity, const Outgoing& out,
                     const Response& response, std::int64_t now_ms) {
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
        case Meaning::executed: return judge_success(settings, entity, out, response, answer);
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
