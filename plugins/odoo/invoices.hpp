// Invoices and credit notes, of customers and of suppliers (account.move).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <liaison/kit/documents.hpp>

#include "reading.hpp"

namespace odoo {

// What belongs to some invoices in other models.
struct InvoiceParts {
    std::map<std::string, std::vector<const Json*>> lines, taxes;  // by the invoice's number
    std::map<std::string, std::string> orders;                     // name of an order, to its number
};

namespace invoices_parts {

struct Type {
    const char* odoo;
    const char* kind;
    bool is_customers;
    bool is_refund;
};

inline constexpr Type types[] = {{"out_invoice", "invoice", true, false},
                                 {"out_refund", "credit_note", true, true},
                                 {"in_invoice", "bill", false, false},
                                 {"in_refund", "bill_credit", false, true}};

// Names of the orders in invoice_origin: "S00042, S00043".
inline std::vector<std::string> origins_of(const Row& invoice) {
    std::vector<std::string> names;
    const std::string text = invoice.text("invoice_origin");
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        const std::string name(kit::trimmed(std::string_view(text).substr(at, end - at)));
        if (!name.empty()) names.push_back(name);
        at = end + 1;
    }
    return names;
}

inline std::string status_of(const Row& invoice, std::int64_t total, std::int64_t due) {
    const std::string state = invoice.text("state");
    if (state == "draft") return "draft";
    if (state == "cancel") return "void";
    if (state != "posted") return "unknown";
    if (invoice.text("payment_state") == "in_payment") return "paid";  // the bank has not said so yet
    return kit::payment_status(total, due);
}

inline Json line_of_invoice(const Json& raw) {
    Json line = line_of(Row(raw), invoice_lines());
    std::string codes;
    if (const Json* taxes = raw.find("tax_ids"); taxes != nullptr && taxes->is_array()) {
        for (const Json& tax : taxes->items())
            codes += (codes.empty() ? "" : "+") + std::string(tax.scalar_text());
    }
    reading_parts::put_text(line, "tax_code", codes, 50);
    return line;
}

// A journal item of a tax: credited by invoices of customers, debited by their refunds.
inline Json tax_of(const Json& raw, bool is_credited, const std::string& currency) {
    const Row row(raw);
    Json tax = Json::object();
    reading_parts::put_text(tax, "code", row.name_of("tax_line_id"), 50);
    const auto amount = row.decimal("amount_currency");
    if (amount && kit::currency_exponent(currency)) {
        const kit::Decimal shown = is_credited ? amount->negated() : *amount;
        tax.set("amount", kit::money_of(kit::to_minor(shown, currency, kit::Rounding::half_up), currency));
    }
    return tax;
}

}  // namespace invoices_parts

inline const invoices_parts::Type* invoice_type(std::string_view odoo) {
    for (const invoices_parts::Type& one : invoices_parts::types) {
        if (odoo == one.odoo) return &one;
    }
    return nullptr;
}
inline const invoices_parts::Type* invoice_kind(std::string_view kind) {
    for (const invoices_parts::Type& one : invoices_parts::types) {
        if (kind == one.kind) return &one;
    }
    return nullptr;
}

inline Json invoice_of(const Json& raw, const Fields& fields, const InvoiceParts& parts) {
    using namespace reading_parts;
    using namespace invoices_parts;
    const Row row(raw);
    Json made = Json::object(), lines = Json::array(), taxes = Json::array(), orders = Json::array();
    const std::string id = std::to_string(row.integer("id")), currency = row.name_of("currency_id");
    const Type* type = invoice_type(row.text("move_type"));
    if (row.text("name") != "/") put_text(made, "invoice_no", row.text("name"), 100);
    if (type != nullptr) made.set("kind", type->kind);
    const bool is_customers = type == nullptr || type->is_customers;
    const bool is_refund = type != nullptr && type->is_refund;
    put_text(made, "status_raw", row.text("state") + "/" + row.text("payment_state"), 100);
    put_text(made, is_customers ? "customer_ref" : "supplier_ref", row.id_of("partner_id"), 200);
    put_text(made, "issue_date", row.text("invoice_date"), 10);
    put_text(made, "due_date", row.text("invoice_date_due"), 10);
    for (const std::string& name : origins_of(row)) {
        const auto known = parts.orders.find(name);
        if (known != parts.orders.end()) orders.push_back(known->second);
    }
    if (!orders.items().empty()) made.set("order_refs", std::move(orders));
    put_text(made, "currency", currency, 3);
    if (const auto found = parts.lines.find(id); found != parts.lines.end()) {
        for (const Json* line : found->second) {
            if (is_goods(Row(*line))) lines.push_back(line_of_invoice(*line));
        }
    }
    made.set("lines", std::move(lines));
    if (const auto found = parts.taxes.find(id); found != parts.taxes.end()) {
        for (const Json* tax : found->second)
            taxes.push_back(tax_of(*tax, is_customers != is_refund, currency));
        made.set("taxes", std::move(taxes));
    }
    put_money(made, "total_net", row, "amount_untaxed", currency);
    put_money(made, "total_tax", row, "amount_tax", currency);
    put_money(made, "total", row, "amount_total", currency);
    put_money(made, "amount_due", row, "amount_residual", currency);
    made.set("status", status_of(row, kit::minor_units(made.find("total")).value_or(0),
                                 kit::minor_units(made.find("amount_due")).value_or(0)));
    put_long_text(made, "notes", long_text(row, fields, "narration"), 4000);
    put_instant(made, "created_at", row.instant("create_date"));
    if (!row.text("ref").empty()) made.place("/extra/ref") = kit::excerpt(row.text("ref"), 200);
    return made;
}

}  // namespace odoo
