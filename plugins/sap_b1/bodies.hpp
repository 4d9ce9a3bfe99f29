// Canonical records as SAP wants them written. Only what the record says is sent; totals never are, SAP makes
// them itself. `current`: what SAP has now, by whose row numbers lists are merged; null for a new record.
#pragma once

#include <string>
#include <utility>

#include "reading.hpp"

namespace sap_b1 {

namespace bodies_parts {

inline constexpr std::size_t longest_comment = 254, longest_card_code = 15;

// A text or number at the pointer; empty for none.
inline std::string at(const Json& record, const char* pointer) {
    const Json* found = record.at(pointer);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}
inline void put(Json& body, const char* field, const std::string& value) {
    if (!value.empty()) body.set(field, value);
}
inline void put_number(Json& body, const char* field, const std::string& value) {
    if (const auto number = liaison::kit::Decimal::parse(value))
        body.set(field, Json::number(number->text()));
}
inline void put_yes(Json& body, const char* field, bool value) { body.set(field, value ? "tYES" : "tNO"); }

inline void put_active(Json& body, const Json& record) {
    const Json* active = record.find("active");
    if (active == nullptr || !active->is_bool()) return;
    put_yes(body, "Valid", active->as_bool());
    put_yes(body, "Frozen", !active->as_bool());
}

// RowNum of the partner's first address of that type, without which SAP would add another one.
inline void put_address(Json& body, const Json& record, const char* pointer, const char* type,
                        const char* name, const Json* current) {
    const Json* from = record.at(pointer);
    if (from == nullptr || !from->is_object() || from->members().empty()) return;
    Json made = Json::object();
    made.set("AddressName", name);
    made.set("AddressType", type);
    if (current != nullptr) {
        for (const Json& one : reading_parts::list(*current, "BPAddresses")) {
            if (text_of(one, "AddressType") != type) continue;
            made.set("AddressName", text_of(one, "AddressName"));
            if (const Json* row = one.find("RowNum")) made.set("RowNum", *row);
            break;
        }
    }
    std::string street;
    for (const Json& one : reading_parts::list(*from, "lines"))
        street += (street.empty() ? "" : ", ") + std::string(one.scalar_text());
    put(made, "Street", street);
    put(made, "ZipCode", at(*from, "/postal_code"));
    put(made, "City", at(*from, "/city"));
    put(made, "Country", at(*from, "/country"));
    if (body.find("BPAddresses") == nullptr) body.set("BPAddresses", Json::array());
    body.find("BPAddresses")->push_back(std::move(made));
}

// LineNum of the line that this one was read from, or was written as.
inline const Json* line_number(const Json& line, std::size_t position, const Json& current) {
    const std::vector<Json>& theirs = reading_parts::list(current, "DocumentLines");
    const std::string given = at(line, "/line");
    for (const Json& one : theirs) {
        if (!given.empty() && text_of(one, "LineNum") == given &&
            text_of(one, "ItemCode") == at(line, "/product_ref"))
            return one.find("LineNum");
    }
    if (position >= theirs.size()) return nullptr;
    return text_of(theirs[position], "ItemCode") == at(line, "/product_ref")
               ? theirs[position].find("LineNum")
               : nullptr;
}

inline Json order_line(const Settings& settings, const Json& record, const Json& line, std::size_t position) {
    Json made = Json::object();
    std::string code = at(line, "/product_ref");
    if (code.empty()) code = at(line, "/sku");
    if (code.empty())
        throw liaison::kit::ValueError("line", "line " + std::to_string(position + 1) +
                                                   " names no product; SAP wants an ItemCode in each");
    made.set("ItemCode", code);
    put_number(made, "Quantity", at(line, "/quantity"));
    put_number(made, "UnitPrice", at(line, "/unit_price"));
    const std::string warehouse = at(record, "/warehouse");
    put(made, "WarehouseCode", warehouse.empty() ? settings.warehouse : warehouse);
    put(made, settings.tax_field.c_str(), at(line, "/tax_code"));
    if (const Json* ppm = line.find("discount_ppm"); ppm != nullptr && ppm->to_int())
        made.set("DiscountPercent", Json::number(liaison::kit::Decimal::scaled(*ppm->to_int(), 4).text()));
    return made;
}

}  // namespace bodies_parts

// The key of a new item: its article number.
inline std::string item_code(const Json& record) {
    const std::string code = bodies_parts::at(record, "/sku");
    if (code.empty() || code.size() > 50) {
        throw liaison::kit::ValueError("sku", code.empty()
                                                  ? "without sku there is no ItemCode for SAP"
                                                  : "sku is longer than the 50 bytes of an ItemCode");
    }
    return code;
}

// The key of a new business partner: its account number, else one made of our reference, which is the same at
// every attempt.
inline std::string card_code(const Settings& settings, const Json& record, const std::string& reference) {
    const std::string given = bodies_parts::at(record, "/account_no");
    if (given.size() > bodies_parts::longest_card_code)
        throw liaison::kit::ValueError("account_no", "account_no is longer than the 15 bytes of a CardCode");
    if (!given.empty()) return given;
    if (settings.customer_prefix.empty()) {
        throw liaison::kit::ValueError(
            "account_no",
            "without account_no there is no CardCode for SAP; set customer_code_prefix to have "
            "one made");
    }
    return (settings.customer_prefix + reference.substr(reference.empty() ? 0 : 1))
        .substr(0, bodies_parts::longest_card_code);
}

inline Json item_body(const Settings& settings, const Json& record, const Json* current) {
    using namespace bodies_parts;
    Json body = Json::object();
    if (current == nullptr) {
        body.set("ItemCode", item_code(record));
        const std::string kind = at(record, "/kind");
        put_yes(body, "InventoryItem", kind.empty() || kind != "service");
        put_yes(body, "SalesItem", true);
        if (settings.item_group) body.set("ItemsGroupCode", *settings.item_group);
    }
    put(body, "ItemName", at(record, "/name"));
    put(body, "SalesUnit", at(record, "/base_unit"));
    put(body, "BarCode", at(record, "/gtins/0"));
    put_active(body, record);
    const auto price = liaison::kit::Decimal::parse(at(record, "/sales_price"));
    const std::string currency = at(record, "/currency");
    if (!price) return body;
    Json one = Json::object();  // merged by its price list
    one.set("PriceList", settings.price_list);
    one.set("Price", Json::number(price->text()));
    put(one, "Currency", settings.own_code(currency.empty() ? settings.currency : currency));
    body.set("ItemPrices", Json::array());
    body.find("ItemPrices")->push_back(std::move(one));
    return body;
}

inline Json partner_body(const Settings& settings, const Json& record, const std::string& reference,
                         const Json* current) {
    using namespace bodies_parts;
    Json body = Json::object();
    if (current == nullptr) {
        body.set("CardCode", card_code(settings, record, reference));
        body.set("CardType", "cCustomer");
        if (settings.customer_group) body.set("GroupCode", *settings.customer_group);
        put(body, "Currency", settings.own_code(at(record, "/currency")));
    }
    std::string name = at(record, "/company_name");
    if (name.empty()) name = at(record, "/full_name_raw");
    if (name.empty()) {
        const std::string given = at(record, "/given_name"), surname = at(record, "/surname");
        name = given + (given.empty() || surname.empty() ? "" : " ") + surname;
    }
    if (name.empty() && current == nullptr)
        throw liaison::kit::ValueError("name", "the customer has no name, and SAP wants a CardName");
    put(body, "CardName", name);
    const std::string email = at(record, "/emails/0/value"), phone = at(record, "/phones/0/e164");
    put(body, "EmailAddress", email.empty() ? at(record, "/email") : email);
    put(body, "Phone1", phone.empty() ? at(record, "/phones/0/raw") : phone);
    put(body, "FederalTaxID", at(record, "/vat_id"));
    put_active(body, record);
    const char* billing = record.at("/billing_address") != nullptr ? "/billing_address" : "/address";
    put_address(body, record, billing, "bo_BillTo", "Bill to", current);
    put_address(body, record, "/shipping_addresses/0", "bo_ShipTo", "Ship to", current);
    return body;
}

// `today`: in the company's time.
inline Json order_body(const Settings& settings, const Json& record, const std::string& reference,
                       const std::string& today, const Json* current) {
    using namespace bodies_parts;
    Json body = Json::object();
    if (current == nullptr) {
        const std::string customer = at(record, "/customer_ref");
        if (customer.empty())
            throw liaison::kit::ValueError("customer_ref",
                                           "the order names no customer; SAP wants a CardCode");
        body.set("CardCode", customer);
        body.set(settings.reference_field, reference);
        if (settings.order_series) body.set("Series", *settings.order_series);
        put(body, "DocCurrency", settings.own_code(at(record, "/currency")));
        put(body, "DocDate", at(record, "/order_date"));
    }
    std::string due = at(record, "/requested_date");
    if (due.empty() && current == nullptr) {
        const std::string from = at(record, "/order_date");
        const auto date = liaison::kit::parse_date("%Y-%m-%d", from.empty() ? today : from);
        due = date ? liaison::kit::date_text(date->plus_days(settings.due_days)) : today;
    }
    put(body, "DocDueDate", due);
    if (!settings.keeps_reference_in_number()) put(body, "NumAtCard", at(record, "/client_ref"));
    put(body, "Comments", liaison::kit::excerpt(at(record, "/notes"), longest_comment));
    const std::vector<Json>& lines = reading_parts::list(record, "lines");
    if (lines.empty() && current == nullptr)
        throw liaison::kit::ValueError("lines", "the order has no lines, and SAP wants one at least");
    if (lines.empty()) return body;
    Json made = Json::array();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        Json one = order_line(settings, record, lines[i], i);
        const Json* number = current != nullptr ? line_number(lines[i], i, *current) : nullptr;
        if (number != nullptr) one.set("LineNum", *number);
        made.push_back(std::move(one));
    }
    body.set("DocumentLines", std::move(made));
    return body;
}

}  // namespace sap_b1
