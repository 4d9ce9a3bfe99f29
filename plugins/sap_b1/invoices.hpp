// Invoices of customers, there and here. Posted ones are immutable.
#pragma once

#include <set>
#include <string>
#include <utility>

#include <liaison/kit/documents.hpp>

#include "bodies.hpp"

namespace sap_b1 {

namespace invoices_parts {

inline constexpr const char* order_object = "17";  // what SAP calls a sales order in base documents

inline std::string status(const Json& document, std::int64_t total, std::int64_t due) {
    if (is_yes(document, "Cancelled")) return "void";
    const std::string word = text_of(document, "DocumentStatus");
    if (word == "bost_Paid" || word == "bost_Close") return "paid";  // or balanced by a credit note
    return word == "bost_Open" ? liaison::kit::payment_status(total, due) : "unknown";
}

}  // namespace invoices_parts

inline Json invoice(const Settings& settings, const Json& document) {
    using namespace reading_parts;
    Json made = Json::object(), lines = Json::array(), orders = Json::array();
    const std::string currency = currency_of(settings, document);
    put(made, "invoice_no", text_of(document, "DocNum"));
    made.set("kind", "invoice");
    put(made, "status_raw", text_of(document, "DocumentStatus"));
    put(made, "customer_ref", text_of(document, "CardCode"));
    put(made, "issue_date", date_of(document, "DocDate"));
    put(made, "due_date", date_of(document, "DocDueDate"));
    put(made, "currency", currency);
    std::set<std::string> bases;
    for (const Json& one : list(document, "DocumentLines")) {
        lines.push_back(line(one, currency));
        const std::string base = text_of(one, "BaseEntry");
        const bool is_order = text_of(one, "BaseType") == invoices_parts::order_object;
        if (is_order && bases.insert(base).second) orders.push_back(base);
    }
    if (!orders.items().empty()) made.set("order_refs", std::move(orders));
    made.set("lines", std::move(lines));
    put_totals(made, settings, document, currency);
    Json payments = Json::object();
    put_money(payments, "sum", document, is_foreign(settings, currency) ? "PaidToDateFC" : "PaidToDate",
              currency);
    const auto total = liaison::kit::minor_units(made.find("total")),
               paid = liaison::kit::minor_units(payments.find("sum")),
               tax = liaison::kit::minor_units(made.find("total_tax"));
    const std::int64_t due = total.value_or(0) - paid.value_or(0);
    made.set("status", invoices_parts::status(document, total.value_or(0), due));
    if (total && paid) made.set("amount_due", liaison::kit::money_of(due, currency));
    if (total && tax) made.set("total_net", liaison::kit::money_of(*total - *tax, currency));
    put(made, "notes", text_of(document, "Comments"));
    return made;
}

namespace invoices_parts {

// Lines are based on those of the order that are still open, by item code in their order. What the order does
// not have, or not any more, is a line without a base.
inline void base_on(Json& line, const Json& order, std::set<std::string>& used) {
    for (const Json& one : reading_parts::list(order, "DocumentLines")) {
        const std::string number = text_of(one, "LineNum");
        const bool is_open = text_of(one, "LineStatus") != "bost_Close" && !used.contains(number);
        if (!is_open || text_of(one, "ItemCode") != text_of(line, "ItemCode")) continue;
        used.insert(number);
        line.set("BaseType", Json::number(order_object));
        line.set("BaseEntry", Json::number(text_of(order, "DocEntry")));
        line.set("BaseLine", Json::number(number));
        return;
    }
}

}  // namespace invoices_parts

// `order`: that the invoice is based on, as SAP shows it; null for none.
inline Json invoice_body(const Settings& settings, const Json& record, const std::string& reference,
                         const Json* order) {
    using namespace bodies_parts;
    const std::string customer = at(record, "/customer_ref");
    if (customer.empty())
        throw liaison::kit::ValueError("customer_ref", "the invoice names no customer; SAP wants a CardCode");
    Json body = Json::object(), made = Json::array();
    body.set("CardCode", customer);
    body.set(settings.reference_field, reference);
    if (settings.invoice_series) body.set("Series", *settings.invoice_series);
    put(body, "DocCurrency", settings.own_code(at(record, "/currency")));
    put(body, "DocDate", at(record, "/issue_date"));
    put(body, "DocDueDate", at(record, "/due_date"));
    if (!settings.keeps_reference_in_number())
        put(body, "NumAtCard", liaison::kit::excerpt(at(record, "/invoice_no"), 100));
    put(body, "Comments", liaison::kit::excerpt(at(record, "/notes"), longest_comment));
    const std::vector<Json>& lines = reading_parts::list(record, "lines");
    if (lines.empty())
        throw liaison::kit::ValueError("lines", "the invoice has no lines, and SAP wants one at least");
    std::set<std::string> used;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        Json one = order_line(settings, record, lines[i], i);
        if (order != nullptr && !is_yes(*order, "Cancelled")) invoices_parts::base_on(one, *order, used);
        made.push_back(std::move(one));
    }
    body.set("DocumentLines", std::move(made));
    return body;
}

// Why an invoice of the hub need not be at SAP; empty: it must. Throws ValueError for what cannot be there.
inline std::string reason_not_posted(const Json& record) {
    const std::string kind = bodies_parts::at(record, "/kind"), status = bodies_parts::at(record, "/status");
    if (kind != "invoice")
        throw liaison::kit::ValueError("kind", "a '" + kind + "' is not written to SAP, only invoices are");
    if (status == "draft" || status == "void") return "an invoice that is " + status + " is not posted";
    return {};
}

}  // namespace sap_b1
