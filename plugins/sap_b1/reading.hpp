// What SAP shows, as canonical records. Numbers are doubles there with six decimals that count; booleans and
// states are words; dates are midnights that mean no instant.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <liaison/kit/country.hpp>
#include <liaison/kit/decimal.hpp>
#include <liaison/kit/money.hpp>

#include "settings.hpp"

namespace sap_b1 {

using liaison::Record;

inline std::string text_of(const Json& object, std::string_view name) {
    const Json* found = object.find(name);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}
inline bool is_yes(const Json& object, std::string_view name) { return text_of(object, name) == "tYES"; }
// "2026-05-01" of "2026-05-01T00:00:00Z"; empty for anything else.
inline std::string date_of(const Json& object, std::string_view name) {
    const std::string text = text_of(object, name).substr(0, 10);
    return liaison::kit::parse_date("%Y-%m-%d", text) ? text : std::string();
}

// When the record last changed, as the company's clock showed it: "2026-05-01 14:05:33".
inline std::string changed_text(const Json& item) {
    const bool was_updated = !date_of(item, "UpdateDate").empty();
    const std::string date = date_of(item, was_updated ? "UpdateDate" : "CreateDate");
    if (date.empty()) return {};
    const auto clock = parse_clock(text_of(item, was_updated ? "UpdateTime" : "CreateTime"));
    const liaison::kit::DateTime time{{}, clock.value_or(0), {}};
    return date + " " + liaison::kit::format_time("%H:%M:%S", time);
}
inline std::int64_t changed_ms(const Settings& settings, const Json& item) {
    const auto moment = liaison::kit::parse_time("%Y-%m-%d %H:%M:%S", changed_text(item));
    return moment ? settings.time.to_unix_ms(moment->date, moment->ms_of_day) : 0;
}
// The entity tag where the version of SAP has them, else when it changed.
inline std::string version_of(const Json& item) {
    const std::string tag = odata::etag(item);
    return tag.empty() ? changed_text(item) : tag;
}
inline bool is_etag(const std::string& version) {
    return version.starts_with("\"") || version.starts_with("W/");
}

namespace reading_parts {

inline void put(Json& record, const char* name, const std::string& value) {
    if (!value.empty()) record.set(name, value);
}
// As a decimal text of at most six decimals; empty for none.
inline std::string decimal(const Json& object, std::string_view name) {
    const auto number = liaison::kit::Decimal::parse(text_of(object, name));
    const auto rounded = number ? number->rounded(6) : std::nullopt;
    return rounded ? rounded->text() : std::string();
}
// Rounded as SAP shows it: what stands behind the currency's decimals is noise of the double.
inline void put_money(Json& record, const char* name, const Json& object, std::string_view field,
                      const std::string& currency) {
    const auto number = liaison::kit::Decimal::parse(text_of(object, field));
    if (!number || currency.empty()) return;
    Json money = Json::object();
    money.set("amount", liaison::kit::to_minor(*number, currency, liaison::kit::Rounding::half_up));
    money.set("currency", currency);
    record.set(name, std::move(money));
}
inline const std::vector<Json>& list(const Json& object, std::string_view name) {
    static const std::vector<Json> none;
    const Json* found = object.find(name);
    return found != nullptr && found->is_array() ? found->items() : none;
}

inline Json address(const Json& from) {
    Json made = Json::object();
    Json lines = Json::array();
    for (const char* name : {"Street", "Block"}) {
        if (!text_of(from, name).empty()) lines.push_back(text_of(from, name));
    }
    if (!lines.items().empty()) made.set("lines", std::move(lines));
    put(made, "city", text_of(from, "City"));
    put(made, "region", text_of(from, "State"));
    put(made, "postal_code", text_of(from, "ZipCode"));
    put(made, "country", liaison::kit::country_code(text_of(from, "Country")).value_or(""));
    return made;
}

// How much there is of an item in one warehouse.
inline void put_quantities(Json& made, const Json& warehouse) {
    put(made, "on_hand", decimal(warehouse, "InStock"));
    put(made, "reserved", decimal(warehouse, "Committed"));
    put(made, "incoming", decimal(warehouse, "Ordered"));
    const auto on_hand = liaison::kit::Decimal::parse(decimal(warehouse, "InStock"));
    const auto reserved = liaison::kit::Decimal::parse(decimal(warehouse, "Committed"));
    const auto incoming = liaison::kit::Decimal::parse(decimal(warehouse, "Ordered"));
    if (!on_hand || !reserved || !incoming) return;
    const auto free = on_hand->plus(reserved->negated());
    const auto available = free ? free->plus(*incoming) : std::nullopt;
    if (available) made.set("available", available->text());
}
// As a product carries it.
inline Json stock(const Json& warehouse) {
    Json made = Json::object();
    put(made, "warehouse", text_of(warehouse, "WarehouseCode"));
    put_quantities(made, warehouse);
    return made;
}

inline Json line(const Json& from, const std::string& currency) {
    Json made = Json::object();
    put(made, "line", text_of(from, "LineNum"));
    put(made, "product_ref", text_of(from, "ItemCode"));
    put(made, "sku", text_of(from, "ItemCode"));
    put(made, "text", text_of(from, "ItemDescription"));
    put(made, "quantity", decimal(from, "Quantity"));
    put(made, "unit_price", decimal(from, "UnitPrice"));
    if (const auto percent = liaison::kit::Decimal::parse(text_of(from, "DiscountPercent"))) {
        const auto ppm = percent->times(liaison::kit::Decimal(10'000));
        const auto whole = ppm ? ppm->rounded(0) : std::nullopt;
        if (whole && !whole->is_zero()) made.set("discount_ppm", whole->to_int().value_or(0));
    }
    for (const char* field : {"VatGroup", "TaxCode"}) put(made, "tax_code", text_of(from, field));
    put_money(made, "total", from, "LineTotal", currency);
    return made;
}

// Closed is what has been delivered or invoiced, wholly or by hand; SAP's order does not say which.
inline std::string status(const Json& order) {
    if (is_yes(order, "Cancelled")) return "cancelled";
    const std::string word = text_of(order, "DocumentStatus");
    if (word == "bost_Close" || word == "bost_Delivered") return "fulfilled";
    if (word == "bost_Paid") return "invoiced";
    if (word != "bost_Open") return "unknown";
    for (const Json& one : list(order, "DocumentLines")) {
        if (text_of(one, "LineStatus") == "bost_Close") return "partially_fulfilled";
    }
    return "confirmed";
}

}  // namespace reading_parts

inline Json product(const Settings& settings, const Json& item) {
    using namespace reading_parts;
    Json made = Json::object(), extra = Json::object();
    put(made, "sku", text_of(item, "ItemCode"));
    const std::string name = text_of(item, "ItemName");
    made.set("name", name.empty() ? text_of(item, "ItemCode") : name);
    if (item.find("InventoryItem") != nullptr)
        made.set("kind", is_yes(item, "InventoryItem") ? "stock" : "service");
    put(made, "base_unit", liaison::kit::excerpt(text_of(item, "SalesUnit"), 10));
    const std::string code = text_of(item, "BarCode");
    const bool is_gtin =
        code.size() >= 8 && code.size() <= 14 && code.find_first_not_of("0123456789") == std::string::npos;
    if (is_gtin) {
        made.set("gtins", Json::array());
        made.find("gtins")->push_back(code);
    } else {
        put(extra, "barcode", code);
    }
    for (const Json& price : list(item, "ItemPrices")) {
        if (text_of(price, "PriceList") != std::to_string(settings.price_list)) continue;
        const std::string own = text_of(price, "Currency");
        put(made, "sales_price", decimal(price, "Price"));
        put(made, "currency", own.empty() ? settings.currency : settings.iso(own));
    }
    made.set("active", text_of(item, "Valid") != "tNO" && !is_yes(item, "Frozen"));
    put(extra, "items_group", text_of(item, "ItemsGroupCode"));
    if (settings.has_stock && !list(item, "ItemWarehouseInfoCollection").empty()) {
        Json warehouses = Json::array();
        for (const Json& one : list(item, "ItemWarehouseInfoCollection")) warehouses.push_back(stock(one));
        extra.set("stock", std::move(warehouses));
    }
    if (!extra.members().empty()) made.set("extra", std::move(extra));
    return made;
}

inline Json customer(const Settings& settings, const Json& partner) {
    using namespace reading_parts;
    Json made = Json::object();
    made.set("kind", "company");
    put(made, "company_name", text_of(partner, "CardName"));
    put(made, "account_no", text_of(partner, "CardCode"));
    const std::string email = text_of(partner, "EmailAddress");
    if (email.size() >= 3) made.place("/emails/0/value") = Json(email);
    const std::string phone = text_of(partner, "Phone1");
    if (!phone.empty()) made.place("/phones/0/raw") = Json(liaison::kit::excerpt(phone, 60));
    put(made, "vat_id", text_of(partner, "FederalTaxID"));
    put(made, "currency", settings.iso(text_of(partner, "Currency")));  // "##" is all of them
    put(made, "price_list", text_of(partner, "PriceListNum"));
    Json shipping = Json::array();
    for (const Json& one : list(partner, "BPAddresses")) {
        const bool is_bill = text_of(one, "AddressType") == "bo_BillTo";
        Json made_address = address(one);
        if (made_address.members().empty()) continue;
        if (is_bill && made.find("billing_address") == nullptr)
            made.set("billing_address", std::move(made_address));
        else if (!is_bill)
            shipping.push_back(std::move(made_address));
    }
    if (!shipping.items().empty()) made.set("shipping_addresses", std::move(shipping));
    made.set("active", text_of(partner, "Valid") != "tNO" && !is_yes(partner, "Frozen"));
    return made;
}

inline Json stock_level(const Json& item, const Json& warehouse) {
    using namespace reading_parts;
    Json made = Json::object();
    put(made, "product_ref", text_of(item, "ItemCode"));
    put(made, "sku", text_of(item, "ItemCode"));
    put(made, "location", text_of(warehouse, "WarehouseCode"));
    made.set("kind", "quantity");
    put_quantities(made, warehouse);
    return made;
}

namespace reading_parts {

inline std::string currency_of(const Settings& settings, const Json& document) {
    const std::string own = text_of(document, "DocCurrency");
    return own.empty() ? settings.currency : settings.iso(own);
}
// Totals are in the company's currency, and beside them in that of the document where it is another.
inline bool is_foreign(const Settings& settings, const std::string& currency) {
    return !settings.currency.empty() && currency != settings.currency;
}
inline void put_totals(Json& made, const Settings& settings, const Json& document,
                       const std::string& currency) {
    const bool foreign = is_foreign(settings, currency);
    put_money(made, "total", document, foreign ? "DocTotalFc" : "DocTotal", currency);
    put_money(made, "total_tax", document, foreign ? "VatSumFc" : "VatSum", currency);
}

}  // namespace reading_parts

inline Json order(const Settings& settings, const Json& document) {
    using namespace reading_parts;
    Json made = Json::object();
    put(made, "order_no", text_of(document, "DocNum"));
    if (!settings.keeps_reference_in_number()) put(made, "client_ref", text_of(document, "NumAtCard"));
    put(made, "customer_ref", text_of(document, "CardCode"));
    made.set("status", status(document));
    put(made, "status_raw", text_of(document, "DocumentStatus"));
    put(made, "order_date", date_of(document, "DocDate"));
    put(made, "requested_date", date_of(document, "DocDueDate"));
    const std::string currency = currency_of(settings, document);
    put(made, "currency", currency);
    Json lines = Json::array();
    std::string warehouse;
    for (const Json& one : list(document, "DocumentLines")) {
        Json made_line = line(one, currency);
        put(made_line, "status", text_of(one, "LineStatus"));
        lines.push_back(std::move(made_line));
        warehouse = text_of(one, "WarehouseCode");
    }
    for (const Json& one : list(document, "DocumentLines")) {
        if (text_of(one, "WarehouseCode") != warehouse) warehouse.clear();
    }
    made.set("lines", std::move(lines));
    put(made, "warehouse", warehouse);
    put_totals(made, settings, document, currency);
    put(made, "notes", text_of(document, "Comments"));
    return made;
}

}  // namespace sap_b1
