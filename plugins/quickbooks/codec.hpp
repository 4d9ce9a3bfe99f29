// Canonical records and what QuickBooks calls them: customers, items, and the documents that stand for
// orders. Pure. What cannot be said at the other side is a ValueError and belongs to one record.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liaison/kit/country.hpp>
#include <liaison/kit/time.hpp>

#include "settings.hpp"

namespace quickbooks {

using liaison::Record;

inline std::string text_in(const Json& document, std::string_view pointer) {
    const Json* found = document.at(pointer);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}

// MetaData.LastUpdatedTime has the company's offset: comparable only as a number. 0: there is none.
inline std::int64_t changed_at(const Json& row) {
    return kit::parse_rfc3339(text_in(row, "/MetaData/LastUpdatedTime")).value_or(0);
}

namespace codec_parts {

using kit::Decimal;
using kit::ValueError;

inline constexpr std::string_view mark = "liaison:";  // begins the line with our reference
inline constexpr int quantity_decimals = 7, hub_decimals = 6;
inline constexpr std::size_t note_limit = 4000;

// Control characters other than line ends make the service answer 500.
inline std::string clean(std::string_view text, std::size_t limit) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back((byte < 0x20 && c != '\n') || byte == 0x7F ? ' ' : c);
    }
    if (out.size() <= limit) return out;
    std::size_t cut = limit;
    while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0) == 0x80) --cut;
    return out.substr(0, cut);
}

// Names are unique keys there: they are refused rather than shortened.
inline std::string checked_name(const std::string& name, std::size_t limit, const std::string& what) {
    if (name.empty()) throw ValueError("name_missing", what + " needs a name, and the record has none");
    if (name.size() > limit)
        throw ValueError("name_length", what + " '" + kit::excerpt(name, 60) + "' is longer than " +
                                            std::to_string(limit) + " bytes, which QuickBooks refuses");
    if (name.find_first_of(":\t\n\r") != std::string::npos)
        throw ValueError("name_characters", what + " '" + kit::excerpt(name, 60) +
                                                "' has a colon, tab or line end, which QuickBooks refuses");
    return name;
}

inline Decimal decimal_of(const std::string& text, const std::string& what) {
    const auto value = Decimal::parse(text);
    if (!value) throw ValueError("number", what + " '" + kit::excerpt(text, 40) + "' is no number");
    return *value;
}

// As the hub writes quantities and prices: at most six decimals.
inline std::string hub_number(const std::string& text, const std::string& what) {
    const auto rounded = decimal_of(text, what).rounded(hub_decimals);
    if (!rounded) throw ValueError("number", what + " '" + kit::excerpt(text, 40) + "' is too large");
    return rounded->text();
}

inline Json money(const std::string& text, const std::string& currency) {
    Json made = Json::object();
    made.set("amount", kit::to_minor(decimal_of(text, "the amount"), currency, kit::Rounding::half_up));
    made.set("currency", currency);
    return made;
}

inline void put(Json& object, const char* key, const std::string& text) {
    if (!text.empty()) object.set(key, text);
}
inline void put_at(Json& object, const char* pointer, const std::string& text) {
    if (!text.empty()) object.place(pointer) = text;
}
inline Json reference(const std::string& id) {
    Json made = Json::object();
    made.set("value", id);
    return made;
}

// Our reference is the last line of a note that people may read and write.
inline std::pair<std::string, std::string> split_note(const std::string& note) {
    const std::size_t at = note.rfind(mark);
    if (at == std::string::npos || (at != 0 && note[at - 1] != '\n')) return {note, {}};
    std::string text = note.substr(0, at);
    while (!text.empty() && kit::is_blank(text.back())) text.pop_back();
    return {text, std::string(kit::trimmed(std::string_view(note).substr(at + mark.size())))};
}
inline std::string join_note(const std::string& text, const std::string& ours, std::size_t limit) {
    const std::string last = std::string(mark) + ours;
    if (text.empty()) return last;
    return clean(text, limit - last.size() - 1) + "\n" + last;
}

// Deactivating a customer or item appends this to its name.
inline std::string without_deleted(std::string name, bool active) {
    if (active || !name.ends_with(")")) return name;
    const std::size_t at = name.rfind(" (deleted");
    return at == std::string::npos ? name : name.substr(0, at);
}

inline Json address_from(const Json& row) {
    Json lines = Json::array(), made = Json::object();
    for (const char* key : {"Line1", "Line2", "Line3", "Line4", "Line5"}) {
        const std::string line = kit::excerpt(settings_parts::text_of(row, key), 200);
        if (!line.empty()) lines.push_back(line);
    }
    if (!lines.items().empty()) made.set("lines", std::move(lines));
    put(made, "city", settings_parts::text_of(row, "City"));
    put(made, "region", settings_parts::text_of(row, "CountrySubDivisionCode"));
    put(made, "postal_code", settings_parts::text_of(row, "PostalCode"));
    put(made, "country", kit::country_code(settings_parts::text_of(row, "Country")).value_or(""));
    return made;
}

inline Json address_to(const Json& address) {
    Json made = Json::object();
    static constexpr std::array keys = {"Line1", "Line2", "Line3", "Line4", "Line5"};
    if (const Json* lines = address.find("lines"); lines != nullptr && lines->is_array()) {
        for (std::size_t i = 0; i < std::min(lines->items().size(), keys.size()); ++i)
            put(made, keys[i], clean(lines->items()[i].scalar_text(), 500));
    }
    put(made, "City", clean(text_in(address, "/city"), 255));
    put(made, "CountrySubDivisionCode", clean(text_in(address, "/region"), 255));
    put(made, "PostalCode", clean(text_in(address, "/postal_code"), 30));
    put(made, "Country", text_in(address, "/country"));
    return made;
}

// ---- customers ----

inline std::string display_name(const Json& customer) {
    std::string name = text_in(customer, "/company_name");
    if (name.empty()) name = text_in(customer, "/full_name_raw");
    if (!name.empty()) return name;
    const std::string given = text_in(customer, "/given_name"), surname = text_in(customer, "/surname");
    return given + (given.empty() || surname.empty() ? "" : " ") + surname;
}

inline Json customer_from(const Json& row) {
    Json made = Json::object();
    const std::string company = text_in(row, "/CompanyName");
    const bool active = settings_parts::flag_of(row, "Active", true);
    made.set("kind", company.empty() ? "person" : "company");
    put(made, "company_name", company);
    put(made, "given_name", text_in(row, "/GivenName"));
    put(made, "middle_name", text_in(row, "/MiddleName"));
    put(made, "surname", text_in(row, "/FamilyName"));
    put(made, "full_name_raw", without_deleted(text_in(row, "/DisplayName"), active));
    put(made, "email", text_in(row, "/PrimaryEmailAddr/Address"));
    put(made, "phone", text_in(row, "/PrimaryPhone/FreeFormNumber"));
    if (const Json* address = row.find("BillAddr")) made.set("billing_address", address_from(*address));
    put(made, "currency", text_in(row, "/CurrencyRef/value"));
    put(made, "notes", split_note(text_in(row, "/Notes")).first);
    made.set("active", active);
    return made;
}

inline Json customer_to(const Json& customer, const Settings& settings, const std::string& ours,
                        bool is_new) {
    Json made = Json::object();
    made.set("DisplayName", checked_name(display_name(customer), 500, "the customer"));
    put(made, "CompanyName", clean(text_in(customer, "/company_name"), 100));
    put(made, "GivenName", clean(text_in(customer, "/given_name"), 100));
    put(made, "MiddleName", clean(text_in(customer, "/middle_name"), 100));
    put(made, "FamilyName", clean(text_in(customer, "/surname"), 100));
    std::string email = text_in(customer, "/email"), phone = text_in(customer, "/phone");
    if (email.empty()) email = text_in(customer, "/emails/0/value");
    if (phone.empty()) phone = text_in(customer, "/phones/0/e164");
    if (phone.empty()) phone = text_in(customer, "/phones/0/raw");
    if (email.size() > 100)
        throw ValueError("email_length",
                         "the e-mail address is longer than 100 bytes, which QuickBooks refuses");
    put_at(made, "/PrimaryEmailAddr/Address", email);
    put_at(made, "/PrimaryPhone/FreeFormNumber", clean(phone, 30));
    const Json* address = customer.find("billing_address");
    if (address == nullptr) address = customer.find("address");
    if (address != nullptr && address->is_object()) made.set("BillAddr", address_to(*address));
    const std::string currency = text_in(customer, "/currency");
    if (is_new && settings.multicurrency && !currency.empty()) made.set("CurrencyRef", reference(currency));
    const std::string notes = text_in(customer, "/notes");
    if (is_new || !notes.empty()) made.set("Notes", join_note(notes, ours, 2000));
    if (const Json* active = customer.find("active"); active != nullptr && active->is_bool() && !is_new)
        made.set("Active", *active);
    return made;
}

// ---- items ----

inline std::string item_name(const Json& product, const Settings& settings) {
    const std::string sku = text_in(product, "/sku");
    return settings.name_is_sku && !sku.empty() ? sku : text_in(product, "/name");
}

inline Json item_from(const Json& row, const Settings& settings) {
    Json made = Json::object();
    const bool active = settings_parts::flag_of(row, "Active", true);
    const std::string name = without_deleted(text_in(row, "/Name"), active);
    const std::string described = text_in(row, "/Description"), type = text_in(row, "/Type");
    const bool is_name = settings.name_is_sku && !described.empty();
    put(made, "sku", text_in(row, "/Sku"));
    made.set("name", is_name ? kit::excerpt(described, 500) : name);
    if (!is_name) put(made, "description", described);
    if (type == "Inventory") made.set("kind", "stock");
    if (type == "Service") made.set("kind", "service");
    if (type == "Group") made.set("kind", "bundle");
    const std::string price = text_in(row, "/UnitPrice"), cost = text_in(row, "/PurchaseCost");
    if (!price.empty()) made.set("sales_price", hub_number(price, "UnitPrice"));
    if (!cost.empty()) made.set("cost_price", hub_number(cost, "PurchaseCost"));
    made.set("currency", settings.currency);
    made.set("active", active);
    const std::string stock = text_in(row, "/QtyOnHand");
    if (!stock.empty()) made.place("/extra/quantity_on_hand") = hub_number(stock, "QtyOnHand");
    return made;
}

inline void put_accounts(Json& made, const Json& product, const Settings& settings, std::int64_t now_ms) {
    const std::string kind = text_in(product, "/kind");
    std::string type = kind == "service" ? "Service" : settings.item_type;
    made.set("Type", type);
    const auto need = [&](const char* key, const std::string& account, const char* setting) {
        if (account.empty())
            throw Failure(ErrorKind::config, std::string("items/") + setting + ": QuickBooks creates no " +
                                                 type + " item without the id of that account");
        made.set(key, reference(account));
    };
    need("IncomeAccountRef", settings.income_account, "income_account");
    if (type == "Inventory") {
        need("ExpenseAccountRef", settings.expense_account, "expense_account");
        need("AssetAccountRef", settings.asset_account, "asset_account");
        const std::string stock = text_in(product, "/extra/quantity_on_hand");
        made.set("TrackQtyOnHand", true);
        made.set("QtyOnHand", Json::number(stock.empty() ? "0" : decimal_of(stock, "the stock").text()));
        made.set("InvStartDate", kit::date_text(kit::DateTime::from_unix_ms(now_ms).date));
    } else if (!settings.expense_account.empty()) {
        made.set("ExpenseAccountRef", reference(settings.expense_account));
    }
}

inline Json item_to(const Json& product, const Settings& settings, bool is_new, std::int64_t now_ms) {
    Json made = Json::object();
    const std::string sku = text_in(product, "/sku"), price = text_in(product, "/sales_price");
    const std::string currency = text_in(product, "/currency"), cost = text_in(product, "/cost_price");
    made.set("Name", checked_name(item_name(product, settings), 100, "the item"));
    put(made, "Sku", sku);
    put(made, "Description",
        clean(text_in(product, settings.name_is_sku && !sku.empty() ? "/name" : "/description"), 4000));
    if ((!price.empty() || !cost.empty()) && !currency.empty() && currency != settings.currency)
        throw ValueError("currency",
                         "its price is in " + currency + "; items there are priced in " + settings.currency);
    if (!price.empty()) made.set("UnitPrice", Json::number(decimal_of(price, "sales_price").text()));
    if (!cost.empty()) made.set("PurchaseCost", Json::number(decimal_of(cost, "cost_price").text()));
    if (is_new) put_accounts(made, product, settings, now_ms);
    if (const Json* active = product.find("active"); active != nullptr && active->is_bool() && !is_new)
        made.set("Active", *active);
    return made;
}

// ---- orders ----

inline std::string document_number(const Json& order, const Settings& settings, const std::string& ours) {
    if (settings.numbering == Numbering::none) return {};
    const std::string number = text_in(order, "/order_no");
    if (settings.numbering == Numbering::order_no && !number.empty()) {
        if (number.size() > 21)
            throw ValueError("number_length", "order_no '" + kit::excerpt(number, 40) +
                                                  "' is longer than 21 bytes, which QuickBooks refuses; "
                                                  "orders.number: reference would use ours");
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

inline std::string hub_tax_code(const std::string& id, const Settings& settings) {
    for (const auto& [ours, theirs] : settings.codes) {
        if (theirs == id) return ours;
    }
    return id;
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

inline Json order_from(const Json& row, const Settings& settings) {
    Json made = Json::object(), lines = Json::array();
    std::string currency = text_in(row, "/CurrencyRef/value");
    if (currency.empty()) currency = settings.currency;
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

inline std::string tax_code_to(const std::string& code, const Settings& settings) {
    const auto known = settings.codes.find(code);
    if (known != settings.codes.end()) return known->second;
    if (!code.empty() && !settings.codes.empty() && settings.default_code.empty())
        throw ValueError("tax_code", "the tax code '" + kit::excerpt(code, 40) + "' is not among tax.codes");
    const std::string chosen = settings.default_code;
    if (chosen.empty() && !settings.calculation.empty() && settings.calculation != "NotApplicable")
        throw ValueError("tax_code", "a line has no tax code, and tax.default_code is not set");
    return chosen;
}

// Amount must be Qty x UnitPrice to the cent, so both come from here. A discount is in the price: lines have
// none.
inline Json line_to(const Json& line, const Settings& settings, int amount_decimals) {
    const std::string item = text_in(line, "/product_ref"), price_text = text_in(line, "/unit_price");
    if (item.empty() && settings.default_item.empty())
        throw ValueError("product_ref", "a line names no product, and orders.default_item is not set");
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
    detail.set("ItemRef", reference(item.empty() ? settings.default_item : item));
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

inline Json order_to(const Json& order, const Settings& settings, const std::string& ours, bool is_new) {
    Json made = Json::object(), lines = Json::array();
    const std::string customer = text_in(order, "/customer_ref"), currency = text_in(order, "/currency");
    if (customer.empty() && settings.default_customer.empty())
        throw ValueError("customer_ref", "the order has no customer, and orders.default_customer is not set");
    if (!currency.empty() && currency != settings.currency && !settings.multicurrency)
        throw ValueError("currency", "the order is in " + currency + ", and the company keeps its books in " +
                                         settings.currency + " alone (multicurrency: false)");
    if (is_new || settings.numbering == Numbering::order_no) {
        const bool keeps_number = !is_new && text_in(order, "/order_no").empty();
        if (!keeps_number) put(made, "DocNumber", document_number(order, settings, ours));
    }
    made.set("CustomerRef", reference(customer.empty() ? settings.default_customer : customer));
    put(made, "TxnDate", text_in(order, "/order_date"));
    put(made, "ShipDate", text_in(order, "/requested_date"));
    const std::string status = status_to(text_in(order, "/status"));
    if (settings.document == "Estimate") put(made, "TxnStatus", status);
    if (settings.multicurrency && !currency.empty()) made.set("CurrencyRef", reference(currency));
    put(made, "GlobalTaxCalculation", settings.calculation);
    const std::string notes = text_in(order, "/notes");
    if (is_new || !notes.empty()) made.set("PrivateNote", join_note(notes, ours, note_limit));
    const int decimals = kit::exponent_or_throw(currency.empty() ? settings.currency : currency);
    const Json* given = order.find("lines");
    if (given == nullptr || !given->is_array() || given->items().empty())
        throw ValueError("lines", "the order has no lines, and QuickBooks takes none without");
    for (const Json& line : given->items()) lines.push_back(line_to(line, settings, std::min(decimals, 2)));
    made.set("Line", std::move(lines));
    return made;
}

}  // namespace codec_parts

// One entity of the hub, as QuickBooks names it: "Customer", "Item", or a document.
inline std::string type_of(const std::string& entity, const Settings& settings) {
    if (entity == "customer") return "Customer";
    if (entity == "product") return "Item";
    if (entity == "sales_order") return settings.document;
    throw Failure(ErrorKind::config, "this connector has no '" + entity + "'");
}

// Of a row as the service shows it; a deleted one is a tombstone. Nothing for what is no record of the hub,
// such as a category among the items.
inline std::optional<Record> record_of(const Json& row, const std::string& type, const Settings& settings) {
    using namespace codec_parts;
    if (type == "Item" && text_in(row, "/Type") == "Category") return std::nullopt;
    const std::string id = text_in(row, "/Id");
    if (id.empty()) throw Failure(ErrorKind::permanent, "QuickBooks shows a " + type + " without Id");
    if (text_in(row, "/status") == "Deleted") {
        Record gone = Record::tombstone(id);
        gone.changed_ms = changed_at(row);
        return gone;
    }
    Record record(id, {});
    record.version = text_in(row, "/SyncToken");
    record.changed_ms = changed_at(row);
    try {
        const Json payload = type == "Customer" ? customer_from(row)
                             : type == "Item"   ? item_from(row, settings)
                                                : order_from(row, settings);
        record.payload = payload.dump();
        record.reference = split_note(text_in(row, type == "Customer" ? "/Notes" : "/PrivateNote")).second;
    } catch (const ValueError& error) {
        Json rejected = Json::object();
        rejected.set("$rejected", error.what());
        rejected.set("$raw", row);
        record.payload = rejected.dump();
    }
    return record;
}

// The body of a write. Throws ValueError where the record cannot be said there, Failure(config) where a
// setting is missing.
inline Json body_of(const Record& record, const std::string& type, const Settings& settings,
                    std::int64_t now_ms) {
    using namespace codec_parts;
    const Json payload = Json::parse(record.payload);
    const bool is_new = record.key.empty();
    if (type == "Customer") return customer_to(payload, settings, record.reference, is_new);
    if (type == "Item") return item_to(payload, settings, is_new, now_ms);
    return order_to(payload, settings, record.reference, is_new);
}

// The member by which a record can be looked for before it is created, and whose value is its own there.
inline std::string natural_field(const std::string& type, const Json& body) {
    if (type == "Customer") return "DisplayName";
    if (type == "Item") return body.find("Sku") != nullptr ? "Sku" : "Name";
    return "DocNumber";
}

// Whether that row was made of the record with this reference.
inline bool is_ours(const Json& row, const std::string& type, const Json& body, const std::string& ours) {
    using namespace codec_parts;
    if (type == "Item") {
        const std::string sku = text_in(body, "/Sku");
        return !sku.empty() && text_in(row, "/Sku") == sku;
    }
    const std::string note = text_in(row, type == "Customer" ? "/Notes" : "/PrivateNote");
    return !ours.empty() && split_note(note).second == ours;
}

}  // namespace quickbooks
