// Items of K-Series: menu items and their prices. Pure. A write replaces the whole item, so what is sent is
// made of what is there and what the hub wants changed.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "amounts.hpp"

namespace lightspeed {

inline constexpr std::size_t longest_sku = 32, longest_docket_name = 64, longest_barcode = 64;

// "location/item" and "location/item/price list": ids are unique per location only.
struct ItemKey {
    std::string location, id, list;
    std::string text() const { return location + "/" + id + (list.empty() ? "" : "/" + list); }
    static ItemKey parse(const std::string& text) {
        ItemKey key;
        const std::size_t first = text.find('/'), second = text.find('/', first + 1);
        if (first == std::string::npos)
            throw ValueError("item", "'" + kit::excerpt(text, 60) + "' names no item of a location");
        key.location = text.substr(0, first);
        key.id = text.substr(first + 1, second == std::string::npos ? second : second - first - 1);
        if (second != std::string::npos) key.list = text.substr(second + 1);
        return key;
    }
};

// Percentages and open prices have no amount of their own.
inline bool has_fixed_price(const Json& item) {
    const std::string mode = text_in(item, "/priceMode");
    return mode.empty() || mode == "AMOUNT";
}
inline bool is_shared(const Json& item) {
    const std::string sharing = text_in(item, "/sharingType");
    return !sharing.empty() && sharing != "LOCAL";
}
inline std::string price_in(const Json& item, const std::string& list) {
    for (const Json& price : rows_in(item, "/prices")) {
        if (text_in(price, "/name") == list) return text_in(price, "/amount");
    }
    return {};
}

// There is no version: what we know of it stands for one.
inline std::string version_of(const Json& item) {
    kit::Hash128 hash;
    const auto number = [&](const std::string& text) {
        const auto value = Decimal::parse(text);
        hash.add_field(value ? value->text() : text);
    };
    for (const char* field : {"/name", "/docketName", "/sku", "/active", "/barcode", "/accountingGroup/id",
                              "/priceMode", "/sharingType"})
        hash.add_field(text_in(item, field));
    number(text_in(item, "/costPrice"));
    for (const Json& one : rows_in(item, "/barcodes")) hash.add_field(one.scalar_text());
    for (const Json& price : rows_in(item, "/prices")) {
        hash.add_field(text_in(price, "/name"));
        number(text_in(price, "/amount"));
    }
    return hash.hex(20);
}

inline Json menu_item_from(const Json& item, const Settings& settings) {
    Json made = Json::object(), barcodes = Json::array(), extra = Json::object();
    put(made, "sku", text_in(item, "/sku"));
    made.set("name", kit::excerpt(text_in(item, "/name"), 500));
    put(made, "receipt_name", kit::excerpt(text_in(item, "/docketName"), 200));
    const std::string group = kit::excerpt(text_in(item, "/accountingGroup/name"), 200);
    if (!group.empty()) {
        Json path = Json::array();
        path.push_back(group);
        made.set("category_path", std::move(path));
    }
    made.set("active", flag_in(item, "/active", true));
    for (const Json& one : rows_in(item, "/barcodes")) barcodes.push_back(std::string(one.scalar_text()));
    const std::string single = text_in(item, "/barcode");
    if (barcodes.items().empty() && !single.empty()) barcodes.push_back(single);
    if (!barcodes.items().empty()) made.set("barcodes", std::move(barcodes));
    const std::string price = price_in(item, settings.default_price_list), cost = text_in(item, "/costPrice");
    if (has_fixed_price(item) && !price.empty()) made.set("sales_price", hub_number(price, "the price"));
    if (!cost.empty()) made.set("cost_price", hub_number(cost, "costPrice"));
    made.set("currency", settings.currency);
    put(extra, "accounting_group_id", text_in(item, "/accountingGroup/id"));
    put(extra, "price_mode", text_in(item, "/priceMode"));
    put(extra, "sharing_type", text_in(item, "/sharingType"));
    put(extra, "inventory_source", text_in(item, "/inventorySource"));
    if (!extra.members().empty()) made.set("extra", std::move(extra));
    return made;
}

inline std::vector<Record> prices_from(const Json& item, const ItemKey& key, const Settings& settings) {
    std::vector<Record> records;
    if (!has_fixed_price(item)) return records;
    for (const Json& price : rows_in(item, "/prices")) {
        ItemKey own = key;
        own.list = text_in(price, "/name");
        if (own.list.empty() || text_in(price, "/amount").empty()) continue;
        Record& record = records.emplace_back(own.text(), std::string());
        try {
            Json made = Json::object();
            made.set("menu_item_ref", key.text());
            put(made, "sku", text_in(item, "/sku"));
            made.set("price_list", kit::excerpt(own.list, 200));
            made.set("kind", "list");
            made.set("status", "firm");
            made.set("unit_price", hub_number(text_in(price, "/amount"), "the price"));
            made.set("currency", settings.currency);
            record.version = text_in(made, "/unit_price");
            record.payload = made.dump();
        } catch (const ValueError& error) { record.payload = rejection(error.what(), price); }
    }
    return records;
}

// ---- writing ----

inline Json number_json(const std::string& text, const std::string& what) {
    return Json::number(decimal_of(text, what).text());
}

// All that can be written of an item, as it is: the body of a write that would change nothing.
inline Json body_of(const Json& item, const std::string& location, const Settings& settings) {
    Json body = Json::object();
    body.set("name", text_in(item, "/name"));
    body.set("businessLocationId", Json::number(location));
    put(body, "docketName", text_in(item, "/docketName"));
    put(body, "sku", text_in(item, "/sku"));
    body.set("active", flag_in(item, "/active", true));
    put(body, "barcode", text_in(item, "/barcode"));
    if (!rows_in(item, "/barcodes").empty()) body.set("barcodes", *item.find("barcodes"));
    const std::string group = text_in(item, "/accountingGroup/id"), cost = text_in(item, "/costPrice");
    if (!group.empty()) body.set("accountingGroupId", Json::number(group));
    if (!cost.empty()) body.set("costPrice", number_json(cost, "costPrice"));
    const std::string price = price_in(item, settings.default_price_list);
    body.set("defaultPrice", number_json(price.empty() ? "0" : price, "the price"));
    put(body, "priceMode", text_in(item, "/priceMode"));
    return body;
}

namespace item_parts {

inline std::string checked(const std::string& text, std::size_t limit, const char* what) {
    if (text.size() > limit)
        throw ValueError("length", std::string("its ") + what + " '" + kit::excerpt(text, 60) +
                                       "' is longer than " + std::to_string(limit) +
                                       " bytes, which Lightspeed refuses");
    return text;
}

inline void check_currency(const Json& record, const Settings& settings) {
    const std::string currency = text_in(record, "/currency");
    if (!currency.empty() && currency != settings.currency)
        throw ValueError("currency",
                         "its price is in " + currency + "; the till's are in " + settings.currency);
}

// Empty: none is known for it, which is fine for an item that has one.
inline std::string group_for(const Json& record, const Settings& settings, bool is_new) {
    const std::string category = text_in(record, "/category_path/0");
    const auto known = settings.groups.find(category);
    if (known != settings.groups.end()) return known->second;
    if (!is_new) return {};
    if (settings.default_group.empty())
        throw ValueError("accounting_group",
                         "new items need an accounting group: neither items.accounting_groups has '" +
                             kit::excerpt(category, 60) + "' nor items.default_accounting_group is set");
    return settings.default_group;
}

}  // namespace item_parts

// Lays what a menu_item says over a body. Throws ValueError.
inline void change(Json& body, const Json& record, const Settings& settings, bool is_new, bool has_price) {
    using namespace item_parts;
    const std::string name = text_in(record, "/name"), sku = text_in(record, "/sku");
    const std::string docket = text_in(record, "/receipt_name"), cost = text_in(record, "/cost_price");
    put(body, "name", name);
    put(body, "sku", checked(sku, longest_sku, "SKU"));
    put(body, "docketName", checked(docket, longest_docket_name, "receipt_name"));
    if (const Json* active = record.find("active"); active != nullptr && active->is_bool())
        body.set("active", *active);
    if (!rows_in(record, "/barcodes").empty()) {
        for (const Json& one : rows_in(record, "/barcodes"))
            (void)checked(std::string(one.scalar_text()), longest_barcode, "barcode");
        body.set("barcode", std::string(rows_in(record, "/barcodes")[0].scalar_text()));
        body.set("barcodes", *record.find("barcodes"));
    }
    const std::string group = group_for(record, settings, is_new);
    if (!group.empty()) body.set("accountingGroupId", Json::number(group));
    check_currency(record, settings);
    if (!cost.empty()) body.set("costPrice", number_json(cost, "cost_price"));
    const std::string price = text_in(record, "/sales_price");
    if (has_price && !price.empty()) body.set("defaultPrice", number_json(price, "sales_price"));
    if (is_new && body.find("defaultPrice") == nullptr)
        throw ValueError("sales_price", "a new item needs a sales_price, and the record has none");
}

}  // namespace lightspeed
