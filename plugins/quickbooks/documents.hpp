// Documents: their lines, and those that stand for orders.
#pragma once

#include "parts.hpp"

namespace quickbooks::codec_parts {

// `number`: the document's own; `setting`: where the operator says where numbers come from.
inline std::string document_number(const std::string& number, Numbering numbering, const char* setting,
                                   const std::string& ours) {
    if (numbering == Numbering::none) return {};
    if (numbering == Numbering::own && !number.empty()) {
        if (number.size() > 21)
            throw ValueError("number_length", "the number '" + kit::excerpt(number, 40) +
                                                  "' is longer than 21 bytes, which QuickBooks refuses; " +
                                                  setting + ": reference would use ours");
        return number;
    }
    return ours.substr(0, 21);
}

inline std::string status_from(const Json& row, const Settings& settings) {
    if (settings.document != "Estimate") return "invoiced";
    const std::string status = text_in(row, "/TxnStatus");
    if (status == "Pending") return "draft";
    if (status == "Accepted") return "confirmed";
    if (status == "Closed" || status == "Converted") return "invoiced";
    return status == "Rejected" ? "cancelled" : "unknown";
}

inline std::string status_to(const std::string& status) {
    if (status == "draft") return "Pending";
    if (status == "cancelled") return "Rejected";
    if (status == "invoiced" || status == "fulfilled") return "Closed";
    return status == "confirmed" || status == "partially_fulfilled" ? "Accepted" : "";
}

inline void lines_from(const Json& rows, const Settings& settings, const std::string& currency, Json& lines) {
    for (const Json& row : rows.items()) {
        if (const Json* inside = row.at("/GroupLineDetail/Line"); inside != nullptr && inside->is_array())
            lines_from(*inside, settings, currency, lines);
        const Json* detail = row.find("SalesItemLineDetail");
        if (detail == nullptr) continue;  // subtotals, discounts, remarks
        Json line = Json::object();
        const std::string item = text_in(*detail, "/ItemRef/value"), quantity = text_in(*detail, "/Qty");
        put(line, "line", text_in(row, "/LineNum"));
        const bool is_item = !item.empty() && item.find_first_not_of("0123456789") == std::string::npos;
        if (is_item) line.set("product_ref", item);  // SHIPPING_ITEM_ID is none
        const std::string text = text_in(row, "/Description");
        put(line, "text", kit::excerpt(text.empty() ? text_in(*detail, "/ItemRef/name") : text, 1000));
        line.set("quantity", quantity.empty() ? "1" : hub_number(quantity, "Qty"));
        const std::string price = text_in(*detail, "/UnitPrice");
        const std::string amount = text_in(row, "/Amount");
        if (!price.empty()) line.set("unit_price", hub_number(price, "UnitPrice"));
        put(line, "tax_code", hub_tax_code(text_in(*detail, "/TaxCodeRef/value"), settings));
        if (!amount.empty()) line.set("total", money(amount, currency));
        lines.push_back(std::move(line));
    }
}

inline std::string currency_of(const Json& row, const Settings& settings) {
    const std::string currency = text_in(row, "/CurrencyRef/value");
    return currency.empty() ? settings.currency : currency;
}

inline Json order_from(const Json& row, const Settings& settings) {
    Json made = Json::object(), lines = Json::array();
    const std::string currency = currency_of(row, settings);
    put(made, "order_no", text_in(row, "/DocNumber"));
    put(made, "customer_ref", text_in(row, "/CustomerRef/value"));
    made.set("status", status_from(row, settings));
    put(made, "status_raw", text_in(row, "/TxnStatus"));
    put(made, "order_date", text_in(row, "/TxnDate"));
    put(made, "requested_date", text_in(row, "/ShipDate"));
    made.set("currency", currency);
    if (const Json* rows = row.find("Line"); rows != nullptr && rows->is_array())
        lines_from(*rows, settings, currency, lines);
    made.set("lines", std::move(lines));
    const std::string total = text_in(row, "/TotalAmt"), tax = text_in(row, "/TxnTaxDetail/TotalTax");
    if (!total.empty()) made.set("total", money(total, currency));
    if (!tax.empty()) made.set("total_tax", money(tax, currency));
    put(made, "notes", split_note(text_in(row, "/PrivateNote")).first);
    return made;
}

// Amount must be Qty x UnitPrice to the cent, so both come from here. A discount is in the price: lines have
// none.
inline Json line_to(const Json& line, const Settings& settings, const std::string& default_item,
                    int amount_decimals) {
    const std::string item = text_in(line, "/product_ref"), price_text = text_in(line, "/unit_price");
    if (item.empty() && default_item.empty())
        throw ValueError("product_ref", "a line names no product, and default_item is not set");
    if (price_text.empty()) throw ValueError("unit_price", "a line has no unit_price");
    const auto quantity = decimal_of(text_in(line, "/quantity"), "quantity").rescaled(quantity_decimals);
    std::optional<Decimal> price = decimal_of(price_text, "unit_price");
    if (const Json* discount = line.find("discount_ppm"); discount != nullptr && discount->to_int())
        price = price->times(Decimal::scaled(1'000'000 - *discount->to_int(), 6));
    if (price) price = price->rounded(quantity_decimals);
    const auto exact = price && quantity ? quantity->times(*price) : std::nullopt;
    const auto amount = exact ? exact->rounded(amount_decimals) : std::nullopt;
    if (!amount) throw ValueError("number", "quantity or price of a line has too many digits");
    Json detail = Json::object(), made = Json::object();
    detail.set("ItemRef", reference(item.empty() ? default_item : item));
    detail.set("Qty", Json::number(quantity->text()));
    detail.set("UnitPrice", Json::number(price->text()));
    const std::string tax = tax_code_to(text_in(line, "/tax_code"), settings);
    if (!tax.empty()) detail.set("TaxCodeRef", reference(tax));
    made.set("Amount", Json::number(amount->fixed_text()));
    put(made, "Description", clean(text_in(line, "/text"), 4000));
    made.set("DetailType", "SalesItemLineDetail");
    made.set("SalesItemLineDetail", std::move(detail));
    return made;
}

// What all documents have, in the order in which they are written. `what`: for people.
inline void put_customer(Json& made, const Json& record, const DocumentRules& rules,
                         const std::string& what) {
    const std::string customer = text_in(record, "/customer_ref");
    if (customer.empty() && rules.default_customer.empty())
        throw ValueError("customer_ref",
                         "the " + what + " has no customer, and " + what + "s.default_customer is not set");
    made.set("CustomerRef", reference(customer.empty() ? rules.default_customer : customer));
}

inline void put_currency(Json& made, const Json& record, const Settings& settings, const std::string& what) {
    const std::string currency = text_in(record, "/currency");
    if (!currency.empty() && currency != settings.currency && !settings.multicurrency)
        throw ValueError("currency", "the " + what + " is in " + currency +
                                         ", and the company keeps its books in " + settings.currency +
                                         " alone (multicurrency: false)");
    if (settings.multicurrency && !currency.empty()) made.set("CurrencyRef", reference(currency));
    put(made, "GlobalTaxCalculation", settings.calculation);
}

inline void put_lines(Json& made, const Json& record, const Settings& settings, const DocumentRules& rules,
                      const std::string& what) {
    const std::string currency = text_in(record, "/currency");
    const int decimals = kit::exponent_or_throw(currency.empty() ? settings.currency : currency);
    const Json* given = record.find("lines");
    if (given == nullptr || !given->is_array() || given->items().empty())
        throw ValueError("lines", "the " + what + " has no lines, and QuickBooks takes none without");
    Json lines = Json::array();
    for (const Json& line : given->items())
        lines.push_back(line_to(line, settings, rules.default_item, std::min(decimals, 2)));
    made.set("Line", std::move(lines));
}

inline Json order_to(const Json& order, const Settings& settings, const std::string& ours, bool is_new) {
    const DocumentRules& rules = settings.orders;
    Json made = Json::object();
    const std::string number = text_in(order, "/order_no"), notes = text_in(order, "/notes");
    if (is_new || (rules.numbering == Numbering::own && !number.empty()))
        put(made, "DocNumber", document_number(number, rules.numbering, "orders.number", ours));
    put_customer(made, order, rules, "order");
    put(made, "TxnDate", text_in(order, "/order_date"));
    put(made, "ShipDate", text_in(order, "/requested_date"));
    if (settings.document == "Estimate") put(made, "TxnStatus", status_to(text_in(order, "/status")));
    put_currency(made, order, settings, "order");
    if (is_new || !notes.empty()) made.set("PrivateNote", join_note(notes, ours, note_limit));
    put_lines(made, order, settings, rules, "order");
    return made;
}

}  // namespace quickbooks::codec_parts
