// Write: what one pushed record needs at SAP, request by request, until there is a result. Waits for nothing
// itself: next() is the request to send, take() its answer.
//
//  new item, partner   POST; where its code is taken, as an existing one: it is the same record
//  new order, invoice  POST; where no document came of it, our reference is looked for among the drafts; an
//                      invoice of one order reads that first
//  existing            GET, compare with the version agreed on, PATCH with If-Match (orders: or Cancel), and
//  GET
//                      its new version where the answer does not tell; invoices are only compared
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "bodies.hpp"
#include "service.hpp"
#include "sets.hpp"

namespace sap_b1 {

using liaison::Result;

class Write {
  public:
    Write(const Settings& settings, const Set& set, std::uint32_t index, const Record& record,
          std::string today)
        : settings_(settings), set_(set), index_(index), record_(record), today_(std::move(today)) {
        try {
            if (!record.deleted) payload_ = Json::parse(record.payload);
            const bool is_there = !record.key.empty() && !liaison::kit::is_unsent(record.key);
            if (is_there)
                read(record.key);
            else if (record.deleted)
                finish(LIAISON_OUTCOME_DELETED, record.key, "");
            else
                begin();
        } catch (const std::runtime_error& error) {  // ValueError, JsonError
            refuse(ErrorKind::invalid_record, error.what());
        }
    }

    bool is_done() const { return result_.has_value(); }
    Request next() const { return *request_; }
    const Result& result() const { return *result_; }
    // Nothing else of this push would fare better.
    const std::optional<Failure>& stops_job() const { return stops_job_; }
    // Gives up before anything more is sent.
    void abandon(const Failure& why) {
        if (is_done()) return;
        if (step_ == Step::version) return finish(LIAISON_OUTCOME_UPDATED, id_, "");
        finish(Result(index_, LIAISON_OUTCOME_RETRY).because(why.kind, why.what()));
    }

    void take(const Response& response, std::int64_t now_ms) {
        const odata::Fault fault(response.ok() ? std::string() : response.body);
        try {
            if (step_ == Step::version) return take_version(response);
            if (response.error != LIAISON_ERROR_NONE) return take_silence(response);
            if (stops(response, fault, now_ms)) return;
            switch (step_) {
                case Step::base: return take_base(response, now_ms);
                case Step::create: return take_created(response, fault);
                case Step::read: return take_current(response, fault, now_ms);
                case Step::change: return take_changed(response, fault);
                case Step::search: return take_found(response, fault);
                case Step::version: break;
            }
        } catch (const Failure& failure) {
            later(failure.kind, failure.what());
        } catch (const std::runtime_error& error) { refuse(ErrorKind::invalid_record, error.what()); }
    }

  private:
    enum class Step { base, create, read, change, version, search };

    void send(Step step, Request request) {
        step_ = step;
        request_ = std::move(request);
    }
    void finish(Result result) { result_ = std::move(result); }
    void finish(std::uint32_t outcome, const std::string& id, const std::string& version) {
        finish(Result(index_, outcome).at(id, version));
    }
    void refuse(ErrorKind kind, const std::string& text) {
        finish(Result(index_, LIAISON_OUTCOME_REJECTED).because(kind, text));
    }
    void later(ErrorKind kind, const std::string& text) {
        finish(Result(index_, LIAISON_OUTCOME_RETRY).because(kind, text));
    }
    void unknown(const std::string& text) {
        finish(Result(index_, LIAISON_OUTCOME_UNKNOWN).because(ErrorKind::unknown_outcome, text));
    }
    bool is_write() const { return step_ == Step::create || step_ == Step::change; }

    // ---- requests ----

    Json body(const Json* current) const {
        switch (set_.kind) {
            case Kind::product: return item_body(settings_, payload_, current);
            case Kind::customer: return partner_body(settings_, payload_, record_.reference, current);
            case Kind::invoice:
                return invoice_body(settings_, payload_, record_.reference, base_ ? &*base_ : nullptr);
            default: return order_body(settings_, payload_, record_.reference, today_, current);
        }
    }
    void begin() {
        std::string why;
        if (set_.kind == Kind::order && text_of(payload_, "status") == "cancelled")
            why = "the order was cancelled before SAP had it";
        if (set_.kind == Kind::invoice) why = reason_not_posted(payload_);
        if (!why.empty()) return leave_out(why);
        const std::vector<Json>& orders = reading_parts::list(payload_, "order_refs");
        if (set_.kind != Kind::invoice || !settings_.bases_invoices || orders.size() != 1) return create();
        const std::string order = odata::by_number("Orders", std::string(orders[0].scalar_text()));
        const std::string fields = "DocEntry,Cancelled,DocumentLines";
        send(Step::base, get(settings_, order + odata::Query().select(fields).text()));
    }
    // Known to the hub as not there, and created when a later version has to be.
    void leave_out(const std::string& why) {
        Result result(index_, LIAISON_OUTCOME_UNCHANGED);
        result.external_id = liaison::kit::unsent_key(record_.reference);
        result.text = "not sent: " + why;
        finish(std::move(result));
    }
    void create() {
        const Json made = body(nullptr);
        id_ = text_of(made, set_.key);
        send(Step::create,
             write(settings_, "POST", set_.name, index_).content("application/json", made.dump()));
    }
    void read(const std::string& id) {
        id_ = id;
        send(Step::read, get(settings_, set_.path_of(id)));
    }
    void change(const Json& current, const std::string& version) {
        const bool cancels =
            set_.kind == Kind::order && (record_.deleted || text_of(payload_, "status") == "cancelled");
        const std::string path = set_.path_of(id_);
        Request request =
            write(settings_, cancels ? "POST" : "PATCH", path + (cancels ? "/Cancel" : ""), index_);
        if (is_etag(version)) request.headers.emplace_back("If-Match", version);
        if (!cancels) {
            Json made = record_.deleted ? Json::object() : body(&current);
            if (record_.deleted) {
                made.set("Valid", "tNO");
                made.set("Frozen", "tYES");
            }
            // The lines that are sent are all of them; without it SAP would keep those that are gone.
            if (set_.kind == Kind::order)
                request.headers.emplace_back("B1S-ReplaceCollectionsOnPatch", "true");
            request.headers.emplace_back("Content-Type", "application/json");
            request.body = made.dump();
        }
        send(Step::change, std::move(request));
    }
    // A draft that waits for somebody's approval, or an order that is there already.
    void search(const std::string& in, const std::string& why) {
        why_ = why;
        const std::string filter =
            settings_.reference_field + " eq " + odata::text_literal(record_.reference);
        send(Step::search,
             get(settings_, in + odata::Query().filter(filter).select("DocEntry,DocNum").text()));
    }

    // ---- answers ----

    void take_silence(const Response& response) {
        const auto kind = static_cast<ErrorKind>(response.error);
        if (kind == ErrorKind::unknown_outcome) return unknown(response.error_text);
        if (kind != ErrorKind::transient) stops_job_.emplace(kind, response.error_text);
        if (step_ == Step::search) return unknown(why_);
        later(kind, response.error_text);
    }
    // What concerns more than this record. Certainly nothing was executed.
    bool stops(const Response& response, const odata::Fault& fault, std::int64_t now_ms) {
        const std::uint32_t status = response.status;
        const bool is_redirect = status >= 300 && status < 400;
        if (status != 401 && status != 403 && status != 429 && !is_redirect) return false;
        Failure failure = refusal(response, request_->url, now_ms);
        if (step_ == Step::search)
            unknown(why_);
        else
            finish(
                Result(index_, LIAISON_OUTCOME_RETRY)
                    .because(failure.kind, std::string(failure.what()) + ": " + fault_text(response, fault))
                    .retry_after(std::chrono::milliseconds(failure.retry_after_ms)));
        stops_job_ = std::move(failure);
        return true;
    }
    // Refusals that creating and changing have in common.
    void take_refusal(const Response& response, const odata::Fault& fault) {
        const std::string said = fault_text(response, fault);
        // A gateway's timeout and any fault of SAP's prove nothing, the empty 500 of its balancer neither.
        if (response.status >= 500 || response.status == 408) return unknown(said);
        if (response.status == 412)
            return finish(Result(index_, LIAISON_OUTCOME_CONFLICT).because(ErrorKind::conflict, said));
        if (fault.code == code::changed) {
            return finish(Result(index_, LIAISON_OUTCOME_RETRY)
                              .because(ErrorKind::transient, "somebody has it open in SAP: " + said)
                              .retry_after(std::chrono::seconds(2)));
        }
        if (fault.code == code::unknown_property) {
            return refuse(ErrorKind::permanent,
                          said + "; a U_ field has to be created in SAP first (setting reference_field)");
        }
        refuse(ErrorKind::invalid_record, said);
    }

    // An order that is gone is no base; the invoice is written all the same.
    void take_base(const Response& response, std::int64_t now_ms) {
        if (!response.ok() && response.status != 404) throw refusal(response, request_->url, now_ms);
        if (response.ok()) base_ = liaison::kit::json_body(response, request_->url);
        create();
    }
    void take_created(const Response& response, const odata::Fault& fault) {
        const bool is_document = set_.is_document();
        if (response.ok() && is_web_page(response))
            return unknown("a web page answered; a proxy may have swallowed the write");
        const Json made = response.ok() && !response.body.empty() ? parsed(response.body) : Json();
        const std::string id = text_of(made, set_.key);
        if (!id.empty()) return finish(LIAISON_OUTCOME_CREATED, id, version_of(made));
        if (response.ok() && !is_document) return read(id_);
        const std::string said = fault_text(response, fault);
        if (fault.code == code::exists && !is_document) return read(id_);
        if (fault.code == code::exists) return search(set_.name, said);
        // An approval procedure makes a draft instead, and says so in strange ways.
        const bool is_draft = response.ok() || fault.code == code::not_found;
        if (is_draft && is_document && settings_.has_approvals) {
            is_refused_ = !response.ok();
            return search("Drafts", response.ok() ? "SAP accepted it and named no number" : said);
        }
        if (response.ok()) return unknown("SAP accepted it and named no number");
        take_refusal(response, fault);
    }

    void take_found(const Response& response, const odata::Fault&) {
        const std::vector<Json>* found = nullptr;
        Json page;
        if (response.ok()) page = parsed(response.body);
        found = odata::entities(page);
        if (found == nullptr) return unknown(why_);
        const bool among_drafts = request_->url.find("/Drafts?") != std::string::npos;
        if (!among_drafts && found->size() == 1)
            return finish(LIAISON_OUTCOME_DUPLICATE, text_of(found->front(), "DocEntry"), "");
        if (!among_drafts) return refuse(ErrorKind::invalid_record, why_);
        if (!found->empty()) return unknown(waits_as_draft(text_of(found->front(), "DocEntry")));
        if (is_refused_) return refuse(ErrorKind::invalid_record, why_);
        unknown(why_);
    }

    void take_current(const Response& response, const odata::Fault& fault, std::int64_t now_ms) {
        const bool is_gone = response.status == 404;
        if (is_gone && record_.deleted) return finish(LIAISON_OUTCOME_DELETED, id_, "");
        if (is_gone)
            return refuse(ErrorKind::permanent, "SAP no longer has it: " + fault_text(response, fault));
        if (!response.ok()) throw refusal(response, request_->url, now_ms);
        const Json current = liaison::kit::json_body(response, request_->url);
        const std::string version = version_of(current);
        // A record that is only now found under its own code was never agreed on. Invoices are not written.
        if (set_.kind != Kind::invoice && !record_.version.empty() && !version.empty() &&
            record_.version != version) {
            return finish(Result(index_, LIAISON_OUTCOME_CONFLICT)
                              .because(ErrorKind::conflict, "it changed in SAP since it was last read"));
        }
        const std::string type = text_of(current, "CardType");
        if (set_.kind == Kind::customer && !type.empty() && type != "cCustomer") {
            return refuse(ErrorKind::conflict,
                          "the code " + id_ + " belongs to another kind of business partner in SAP: " + type);
        }
        if (set_.kind == Kind::invoice) return take_posted(current, version);
        if (set_.kind == Kind::order && is_yes(current, "Cancelled")) return take_cancelled(version);
        change(current, version);
    }
    // What was posted stays: the payments that SAP books are no change of it.
    void take_posted(const Json& current, const std::string& version) {
        if (record_.deleted) {
            return refuse(
                ErrorKind::permanent,
                "a posted invoice is never deleted by liaison: cancel it or write a credit note in SAP");
        }
        if (text_of(payload_, "status") == "void") {
            if (is_yes(current, "Cancelled")) return finish(LIAISON_OUTCOME_UNCHANGED, id_, version);
            return refuse(ErrorKind::permanent, "liaison cancels no posted invoice: do it in SAP");
        }
        const std::string change = liaison::kit::issued_change(payload_, invoice(settings_, current));
        if (change.empty()) return finish(LIAISON_OUTCOME_UNCHANGED, id_, version);
        refuse(ErrorKind::permanent, "a posted invoice is not changed (" + change +
                                         " would be another): write a credit note and a new invoice");
    }
    void take_cancelled(const std::string& version) {
        if (record_.deleted) return finish(LIAISON_OUTCOME_DELETED, id_, "");
        if (text_of(payload_, "status") == "cancelled")
            return finish(LIAISON_OUTCOME_UNCHANGED, id_, version);
        refuse(ErrorKind::invalid_record, "the order is cancelled in SAP, where nothing brings it back");
    }

    void take_changed(const Response& response, const odata::Fault& fault) {
        if (!response.ok()) return take_refusal(response, fault);
        if (is_web_page(response))
            return unknown("a web page answered; a proxy may have swallowed the write");
        if (record_.deleted) return finish(LIAISON_OUTCOME_DELETED, id_, "");
        const std::string tag(response.header("ETag"));
        if (!tag.empty()) return finish(outcome_of_change(), id_, tag);
        send(Step::version,
             get(settings_, set_.path_of(id_) + odata::Query().select(set_.key + change_fields).text()));
    }
    // The write is done in any case: without its version the next one finds out.
    void take_version(const Response& response) {
        const Json now = response.ok() ? parsed(response.body) : Json();
        finish(outcome_of_change(), id_, version_of(now));
    }
    std::uint32_t outcome_of_change() const {
        return record_.key.empty() ? LIAISON_OUTCOME_DUPLICATE : LIAISON_OUTCOME_UPDATED;
    }

    static bool is_web_page(const Response& response) {
        return liaison::kit::lowered(response.header("Content-Type")).find("html") != std::string::npos;
    }
    static Json parsed(const std::string& text) {
        try {
            return Json::parse(text);
        } catch (const liaison::JsonError&) { return Json(); }
    }

  public:
    static std::string waits_as_draft(const std::string& number) {
        return "it waits for approval in SAP, as draft " + number;
    }

  private:
    const Settings& settings_;
    const Set& set_;
    std::uint32_t index_;
    const Record& record_;
    std::string today_, id_, why_;
    Json payload_ = Json::object();
    std::optional<Json> base_;  // the order that an invoice is for
    Step step_ = Step::create;
    bool is_refused_ = false;  // by SAP, with a code that may stand for a draft
    std::optional<Request> request_;
    std::optional<Result> result_;
    std::optional<Failure> stops_job_;
};

}  // namespace sap_b1
