// Invoices and credit memos. Issued ones are immutable: nothing here changes one, it can only be made void.
#pragma once

#include "documents.hpp"

namespace quickbooks::codec_parts {

inline constexpr std::string_view void_mark = "Voided";

// The note without what QuickBooks writes before it when a document is made void.
inline std::string note_of(const Json& row) {
    std::string note = text_in(row, "/PrivateNote");
    if (!note.starts_with(void_mark)) return note;
    const std::size_t at = note.find_first_not_of(" -\n", void_mark.size());
    return at == std::string::npos ? std::string() : note.substr(at);
}

// A void document keeps its lines without amounts.
inline bool is_void(const Json& row) {
    const auto total = Decimal::parse(text_in(row, "/TotalAmt"));
    return total && total->is_zero() && text_in(row, "/PrivateNote").starts_with(void_mark);
}

inline Json taxes_from(const Json& row, const std::string& currency) {
    Json taxes = Json::array();
    const Json* lines = row.at("/TxnTaxDetail/TaxLine");
    if (lines == nullptr || !lines->is_array()) return taxes;
    for (const Json& line : lines->items()) {
        Json tax = Json::object();
        const std::string amount = text_in(line, "/Amount");
        const std::string base = text_in(line, "/TaxLineDetail/NetAmountTaxable");
        const auto percent = Decimal::parse(text_in(line, "/TaxLineDetail/TaxPercent"));
        const auto ppm = percent ? percent->times(Decimal(10'000)) : std::nullopt;
        put(tax, "code", text_in(line, "/TaxLineDetail/TaxRateRef/value"));
        if (const auto whole = ppm ? ppm->rounded(0) : std::nullopt) {
            if (const auto rate = whole->to_int()) tax.set("rate_ppm", *rate);
        }
        if (!base.empty()) tax.set("base", money(base, currency));
        if (!amount.empty()) tax.set("amount", money(amount, currency));
        taxes.push_back(std::move(tax));
    }
    return taxes;
}

inline std::string invoice_status(const Json& row, std::int64_t total, std::int64_t due) {
    return is_void(row) ? "void" : kit::payment_status(total, due);
}

inline Json invoice_from(const Json& row, const std::string& type, const Settings& settings) {
    Json made = Json::object(), lines = Json::array(), orders = Json::array();
    const std::string currency = currency_of(row, settings);
    const std::string total_text = text_in(row, "/TotalAmt"), due_text = text_in(row, "/Balance");
    put(made, "invoice_no", text_in(row, "/DocNumber"));
    made.set("kind", type == "CreditMemo" ? "credit_note" : "invoice");
    put(made, "customer_ref", text_in(row, "/CustomerRef/value"));
    put(made, "issue_date", text_in(row, "/TxnDate"));
    put(made, "due_date", text_in(row, "/DueDate"));
    made.set("currency", currency);
    const std::string rate = text_in(row, "/ExchangeRate"), tax = text_in(row, "/TxnTaxDetail/TotalTax");
    if (!rate.empty()) made.set("exchange_rate", hub_number(rate, "ExchangeRate"));
    if (const Json* links = row.find("LinkedTxn"); links != nullptr && links->is_array()) {
        for (const Json& link : links->items()) {
            if (text_in(link, "/TxnType") == settings.document) orders.push_back(text_in(link, "/TxnId"));
        }
    }
    if (!orders.items().empty()) made.set("order_refs", std::move(orders));
    if (const Json* rows = row.find("Line"); rows != nullptr && rows->is_array())
        lines_from(*rows, settings, currency, lines);
    made.set("lines", std::move(lines));
    Json taxes = taxes_from(row, currency);
    if (!taxes.items().empty()) made.set("taxes", std::move(taxes));
    const Json total = money(total_text.empty() ? "0" : total_text, currency);
    const Json due = money(due_text.empty() ? "0" : due_text, currency);
    const std::int64_t minor = kit::minor_units(&total).value_or(0);
    made.set("status", invoice_status(row, minor, kit::minor_units(&due).value_or(0)));
    if (!tax.empty()) {
        const Json tax_total = money(tax, currency);
        made.set("total_net", kit::money_of(minor - kit::minor_units(&tax_total).value_or(0), currency));
        made.set("total_tax", tax_total);
    }
    made.set("total", total);
    made.set("amount_due", due);
    put(made, "notes", split_note(note_of(row)).first);
    return made;
}

// "Invoice" or "CreditMemo".
inline std::string invoice_type(const Json& invoice) {
    const std::string kind = text_in(invoice, "/kind");
    if (kind == "invoice") return "Invoice";
    if (kind == "credit_note") return "CreditMemo";
    throw ValueError("kind",
                     "a '" + kind + "' is a supplier's document; invoices and credit notes are written");
}

inline Json invoice_to(const Json& invoice, const std::string& type, const Settings& settings,
                       const std::string& ours) {
    const DocumentRules& rules = settings.invoices;
    Json made = Json::object();
    const std::string number = text_in(invoice, "/invoice_no");
    put(made, "DocNumber", document_number(number, rules.numbering, "invoices.number", ours));
    put_customer(made, invoice, rules, "invoice");
    put(made, "TxnDate", text_in(invoice, "/issue_date"));
    if (type == "Invoice") put(made, "DueDate", text_in(invoice, "/due_date"));
    put_currency(made, invoice, settings, "invoice");
    made.set("PrivateNote", join_note(text_in(invoice, "/notes"), ours, note_limit));
    put_lines(made, invoice, settings, rules, "invoice");
    const Json* orders = invoice.find("order_refs");
    if (type != "Invoice" || settings.document != "Estimate" || orders == nullptr) return made;
    Json links = Json::array();
    for (const Json& order : orders->items()) {
        Json link = Json::object();
        link.set("TxnId", std::string(order.scalar_text()));
        link.set("TxnType", "Estimate");
        links.push_back(std::move(link));
    }
    if (!links.items().empty()) made.set("LinkedTxn", std::move(links));
    return made;
}

}  // namespace quickbooks::codec_parts
