// Pusher: writes a chunk of records and says what became of each.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pulling.hpp"
#include "writing.hpp"

namespace odoo {

using liaison::Result;
using liaison::Start;

// One record on its way into Odoo.
class Outgoing {
  public:
    Outgoing(std::uint32_t index, const Record& record)
        : index(index),
          record(&record),
          is_new(record.key.empty() || kit::is_unsent(record.key)),
          key(is_new ? std::string() : record.key) {}
    std::uint32_t index;
    const Record* record;
    bool is_new;
    std::string key;               // known from the start, or from the answer
    std::optional<Call> call;      // to be sent
    std::optional<Result> result;  // settled
    Aim aim = Aim::none;
    bool is_open() const { return !result; }
};

class Pusher {
  public:
    Pusher(Server& server, Reader& reader) : server_(server), reader_(reader), settings_(server.settings()) {}

    // Of the push's records those in [from, to). The first failure that concerns all of them is kept.
    Task<std::vector<Result>> write(const Start& start, std::size_t from, std::size_t to) {
        std::vector<Outgoing> all;
        for (std::size_t i = from; i < to; ++i)
            all.emplace_back(static_cast<std::uint32_t>(i), start.records[i]);
        if (reader_.is_invoice()) co_await adopt_known(all);
        co_await look_at_present(all);
        for (Outgoing& out : all) {
            if (out.is_open()) prepare(out);
        }
        co_await send(all);
        if (reader_.has_lines()) co_await act(all);
        co_await settle(all);
        std::vector<Result> results;
        for (Outgoing& out : all) results.push_back(std::move(*out.result));
        co_return results;
    }
    const std::optional<Failure>& failure() const { return failure_; }

  private:
    static Result refused(const Outgoing& out, ErrorKind kind, const std::string& text) {
        return Result(out.index, LIAISON_OUTCOME_REJECTED).because(kind, text);
    }

    // A new invoice may be there and posted already, where an answer was lost: load() could not repeat it.
    Task<void> adopt_known(std::vector<Outgoing>& all) {
        std::vector<std::string> references;
        for (const Outgoing& out : all) {
            if (out.is_new && !out.record->deleted) references.push_back(out.record->reference);
        }
        const std::map<std::string, std::string> known = co_await reader_.known_as(references);
        for (Outgoing& out : all) {
            const auto found = known.find(out.record->reference);
            if (!out.is_new || out.record->deleted || found == known.end()) continue;
            out.key = found->second;
            out.is_new = false;
        }
    }

    // Reads what the records to be changed look like now: gone, changed by somebody, with which lines.
    Task<void> look_at_present(std::vector<Outgoing>& all) {
        co_await read_states(all);
        for (Outgoing& out : all) {
            if (!out.is_open() || out.key.empty()) continue;
            const auto found = states_.find(out.key);
            if (found == states_.end()) {
                out.result = out.record->deleted
                                 ? Result(out.index, LIAISON_OUTCOME_DELETED).at(out.key)
                                 : refused(out, ErrorKind::permanent, "the record is gone in Odoo");
            } else if (settings_.checks_versions && !out.record->version.empty() &&
                       found->second.version != out.record->version) {
                out.result =
                    Result(out.index, LIAISON_OUTCOME_CONFLICT)
                        .because(ErrorKind::conflict, "changed in Odoo at " + found->second.version +
                                                          " UTC, after the version " + out.record->version);
            }
        }
        if (reader_.is_invoice()) co_await compare_posted(all);
        if (reader_.has_lines()) co_await read_lines(all);
    }

    // Invoices that are no drafts any more stay as they are: an update of one may only say what is there.
    Task<void> compare_posted(std::vector<Outgoing>& all) {
        Json ids = Json::array();
        for (const Outgoing& out : all) {
            const bool is_posted = out.is_open() && !out.key.empty() && states_.at(out.key).word != "draft";
            if (is_posted) ids.push_back(writing_parts::id(out.key, "the invoice"));
        }
        if (ids.items().empty()) co_return;
        std::vector<Json> rows = co_await reader_.rows_of(std::move(ids));
        std::vector<Record> present = co_await reader_.records_of(std::move(rows));
        for (Outgoing& out : all) {
            for (const Record& one : present) {
                if (out.is_open() && out.key == one.key) compare(out, one);
            }
        }
    }
    static void compare(Outgoing& out, const Record& present) {
        if (out.record->deleted) return;
        const Json wanted = Json::parse(out.record->payload), there = Json::parse(present.payload);
        std::string change = kit::issued_change(wanted, there);
        const bool makes_void = writing_parts::text(wanted, "status") == "void";
        if (change.empty() && makes_void && writing_parts::text(there, "status") != "void") change = "status";
        if (change.empty())
            out.result = Result(out.index, LIAISON_OUTCOME_UNCHANGED).at(out.key, present.version);
        else
            out.result = refused(out, ErrorKind::permanent,
                                 "a posted invoice is not changed (" + change +
                                     " would be another): write a credit note and a new invoice");
    }

    Task<void> read_states(const std::vector<Outgoing>& all) {
        Json ids = Json::array(), names = Json::array();
        for (const Outgoing& out : all) {
            if (out.is_open() && !out.key.empty()) ids.push_back(writing_parts::id(out.key, "the record"));
        }
        if (ids.items().empty()) co_return;
        names.push_back("write_date");
        if (reader_.has_lines()) names.push_back("state");
        Json domain = Json::array();
        domain.push_back(condition("id", "in", std::move(ids)));
        std::vector<Json> rows = co_await server_.ask_rows(
            search(settings_, reader_.model().name, std::move(domain), std::move(names)));
        states_.clear();
        for (const Json& raw : rows) {
            const Row row(raw);
            State& state = states_[std::to_string(row.integer("id"))];
            state.version = row.text("write_date");
            state.word = row.text("state");
        }
    }
    Task<void> read_lines(const std::vector<Outgoing>& all) {
        Json orders = Json::array();
        for (const Outgoing& out : all) {
            if (out.is_open() && !out.key.empty() && !out.record->deleted)
                orders.push_back(writing_parts::id(out.key, "the order"));
        }
        if (orders.items().empty()) co_return;
        std::vector<Json> rows = co_await reader_.lines_of(std::move(orders));
        for (const Json& raw : rows) {
            const Row row(raw);
            if (reading_parts::is_goods(row))
                lines_[row.id_of(reader_.model().lines->parent)].push_back(row.integer("id"));
        }
    }

    void prepare(Outgoing& out) {
        try {
            if (out.record->deleted)
                prepare_removal(out);
            else
                prepare_write(out, Json::parse(out.record->payload));
        } catch (const std::runtime_error& error) {  // ValueError, JsonError
            out.result = refused(out, ErrorKind::invalid_record, error.what());
        }
    }
    // Nothing that others may refer to is erased: it is archived, an order cancelled.
    void prepare_removal(Outgoing& out) {
        if (out.is_new) {
            out.result = Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key);
            return;
        }
        if (reader_.is_invoice()) {
            out.result =
                refused(out, ErrorKind::permanent,
                        "an invoice is never deleted by liaison: cancel it in Odoo, or write a credit "
                        "note there");
            return;
        }
        if (reader_.has_lines()) {
            out.aim = Aim::cancelled;
            return;
        }
        Json values = Json::object();
        values.set("active", Json(false));
        out.call = write_call(settings_, reader_.model().name, out.key, std::move(values));
    }
    void prepare_write(Outgoing& out, const Json& payload) {
        if (reader_.is_invoice() && !is_to_be_written(out, payload)) return;
        const Values values = values_of(payload, out.is_new);
        const Json* lines = reader_.has_lines() ? payload.find("lines") : nullptr;
        if (reader_.is_invoice())
            out.aim = aim_of_invoice(payload, settings_);
        else if (reader_.has_lines())
            out.aim = aim_of(payload, settings_);
        if (out.is_new) {
            out.call = reader_.has_lines()
                           ? load_document_call(settings_, reader_.model(), out.record->reference, values,
                                                lines != nullptr ? *lines : Json::array())
                           : load_call(settings_, reader_.model().name, out.record->reference, values);
            return;
        }
        Json written = object_of(values);
        const State& state = states_.at(out.key);
        if (lines != nullptr && state.word != "cancel") {
            const bool is_confirmed = state.word == "sale" || state.word == "done";
            const Lines& model = *reader_.model().lines;
            written.set(model.list, line_commands(*lines, lines_[out.key], is_confirmed, settings_, model));
        }
        out.call = write_call(settings_, reader_.model().name, out.key, std::move(written));
    }
    // Void invoices that Odoo never had need not be there.
    bool is_to_be_written(Outgoing& out, const Json& payload) const {
        const invoices_parts::Type* type = invoice_kind(writing_parts::text(payload, "kind"));
        const std::vector<std::string>& types = settings_.move_types;
        if (type == nullptr || std::find(types.begin(), types.end(), type->odoo) == types.end())
            throw ValueError("kind",
                             "'" + writing_parts::text(payload, "kind") + "' is not among invoice_types");
        if (writing_parts::text(payload, "status") != "void") return true;
        if (out.is_new) {
            Result result(out.index, LIAISON_OUTCOME_UNCHANGED);
            result.external_id = kit::unsent_key(out.record->reference);
            result.text = "not sent: an invoice that is void need not be in Odoo";
            out.result = std::move(result);
        } else {
            out.result =
                refused(out, ErrorKind::permanent, "liaison makes no invoice void: cancel the draft in Odoo");
        }
        return false;
    }
    Values values_of(const Json& payload, bool is_new) const {
        const std::string& model = reader_.model().name;
        if (reader_.is_invoice()) return invoice_values(payload, reader_.fields(), is_new);
        if (reader_.has_lines()) return order_values(payload, reader_.fields());
        return model == "res.partner"
                   ? customer_values(payload, reader_.fields(), reader_.country_ids(), is_new)
                   : product_values(payload, reader_.fields(), is_new);
    }

    // Sends the calls of all that have one, and judges the answers.
    Task<void> send(std::vector<Outgoing>& all) {
        std::vector<Request> requests;
        for (const Outgoing& out : all) {
            if (!out.is_open() || !out.call) continue;
            requests.push_back(server_.request(*out.call).mutates(static_cast<std::int32_t>(out.index)));
        }
        if (requests.empty()) co_return;
        std::vector<Response> responses =
            co_await server_.context().send_all(std::move(requests), settings_.parallel);
        std::size_t at = 0;
        for (Outgoing& out : all) {
            if (!out.is_open() || !out.call) continue;
            const Answer answer = server_.read(*out.call, responses.at(at++));
            if (answer.refusal)
                refuse(out, *answer.refusal);
            else if (out.call->method() == "load")
                take_loaded(out, answer.result);
            out.call.reset();
        }
    }
    void refuse(Outgoing& out, const Refusal& refusal) {
        if (refusal.effect == Effect::done && !out.key.empty())
            return;  // and what became of it is read afterwards
        if (refusal.stops && !failure_) failure_.emplace(refusal.failure());
        if (refusal.effect != Effect::none) {
            out.result =
                Result(out.index, LIAISON_OUTCOME_UNKNOWN).because(ErrorKind::unknown_outcome, refusal.text);
        } else if (refusal.stops || refusal.kind == ErrorKind::transient) {
            out.result = Result(out.index, LIAISON_OUTCOME_RETRY)
                             .because(refusal.kind, refusal.text)
                             .retry_after(refusal.wait);
        } else {
            out.result = refused(out, refusal.kind, refusal.text);
        }
    }
    // {"ids": [41], "messages": []}, or ids false and the reasons; nothing is stored then.
    void take_loaded(Outgoing& out, const Json& result) {
        const Json* id = result.at("/ids/0");
        if (id != nullptr && id->to_int()) {
            out.key = id->number_text();
            return;
        }
        std::string reasons;
        if (const Json* messages = result.find("messages"); messages != nullptr && messages->is_array()) {
            for (const Json& message : messages->items()) {
                const Json *text = message.find("message"), *field = message.find("field");
                if (!reasons.empty()) reasons += "; ";
                if (field != nullptr && !field->scalar_text().empty())
                    reasons += std::string(field->scalar_text()) + ": ";
                if (text != nullptr) reasons += text->scalar_text();
            }
        }
        const std::string text = "Odoo: " + kit::excerpt(reasons.empty() ? "load() stored nothing" : reasons,
                                                         call_parts::max_text);
        if (call_parts::is_contention(reasons))
            out.result = Result(out.index, LIAISON_OUTCOME_RETRY).because(ErrorKind::transient, text);
        else
            out.result = refused(out, ErrorKind::invalid_record, text);
    }

    // Confirms and cancels the orders that are not where they have to be.
    Task<void> act(std::vector<Outgoing>& all) {
        if (failure_) co_return;
        co_await read_states(all);
        for (Outgoing& out : all) {
            const auto found = states_.find(out.key);
            if (!out.is_open() || found == states_.end() || is_reached(out.aim, found->second.word)) continue;
            // A cancelled order that is to be confirmed is somebody's decision: not undone.
            if (out.aim == Aim::confirmed && found->second.word == "cancel") continue;
            out.call = aim_call(settings_, out.aim, reader_.model().name, out.key);
        }
        co_await send(all);
    }

    // Reads the versions that the writes have left, and whether the orders got where they should.
    Task<void> settle(std::vector<Outgoing>& all) {
        co_await read_states(all);
        for (Outgoing& out : all) {
            if (!out.is_open()) continue;
            const auto found = states_.find(out.key);
            if (found == states_.end()) {
                out.result =
                    Result(out.index, LIAISON_OUTCOME_UNKNOWN)
                        .because(ErrorKind::unknown_outcome, "written, and not there when it was read back");
            } else if (!is_reached(out.aim, found->second.word)) {
                out.result =
                    refused(out, ErrorKind::permanent,
                            "document " + out.key + " is written, and Odoo left it in the state '" +
                                found->second.word + "'; an add-on may ask for more before it goes on");
            } else {
                const std::uint32_t outcome = out.record->deleted ? LIAISON_OUTCOME_DELETED
                                              : out.is_new        ? LIAISON_OUTCOME_CREATED
                                                                  : LIAISON_OUTCOME_UPDATED;
                out.result = Result(out.index, outcome).at(out.key, found->second.version);
            }
        }
    }

    struct State {
        std::string version, word;
    };
    Server& server_;
    Reader& reader_;
    const Settings& settings_;
    std::map<std::string, State> states_;                     // by key, as last read
    std::map<std::string, std::vector<std::int64_t>> lines_;  // ids of lines, by order
    std::optional<Failure> failure_;
};

}  // namespace odoo
