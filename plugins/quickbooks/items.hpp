// Items: products, and what is in stock of them.
#pragma once

#include "parts.hpp"

namespace quickbooks::codec_parts {

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

// What is in stock of an inventory item; nothing for what is not counted.
inline std::optional<Json> stock_from(const Json& row, const Settings& settings) {
    const std::string stock = text_in(row, "/QtyOnHand");
    if (text_in(row, "/Type") != "Inventory" || stock.empty()) return std::nullopt;
    Json made = Json::object();
    made.set("product_ref", text_in(row, "/Id"));
    put(made, "sku", text_in(row, "/Sku"));
    made.set("location", settings.stock_location);
    made.set("kind", "quantity");
    made.set("on_hand", hub_number(stock, "QtyOnHand"));
    const std::string reorder = text_in(row, "/ReorderPoint");
    if (!reorder.empty()) made.set("reorder_point", hub_number(reorder, "ReorderPoint"));
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

}  // namespace quickbooks::codec_parts
