// What an operator can say about a company in QuickBooks Online, as the connector uses it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <liaison/kit/http.hpp>
#include <liaison/kit/json.hpp>
#include <liaison/kit/money.hpp>
#include <liaison/sdk.hpp>

namespace quickbooks {

namespace kit = liaison::kit;
using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
using liaison::Request;

// Where the number of an exported document comes from: its own, our reference, QuickBooks.
enum class Numbering { own, reference, none };

struct DocumentRules {
    Numbering numbering = Numbering::own;
    std::string default_customer, default_item;
};

// What is done about the taxes of a sale at a till: prices include them and QuickBooks takes them out, they
// are a line of their own, or they stay part of the prices.
enum class TillTaxes { inclusive, item, none };

// How sales at a till become receipts.
struct Till {
    Numbering numbering = Numbering::reference;
    std::string customer, deposit_account;
    std::string default_item, tip_item, service_item, rounding_item, tax_item, exempt_code;
    std::map<std::string, std::string> items;             // SKU or category, to an item's id
    std::map<std::string, std::string> payment_methods;   // method or its code, to a payment method's id
    std::map<std::string, std::string> deposit_accounts;  // the same, to an account's id
    std::set<std::string> unsent{"void", "non_revenue"};  // kinds that are not booked
    TillTaxes taxes = TillTaxes::none;
    std::int64_t rounding_limit = 5;  // minor units
};

struct Settings {
    std::string base_url, realm;
    std::string currency;  // the company's own
    std::string minor_version;
    std::int64_t overlap_ms = 0;
    bool multicurrency = false, adopt_existing = false, use_cdc = true;
    // Orders
    std::string document;  // "Estimate", "SalesReceipt" or "Invoice"
    DocumentRules orders, invoices;
    Till till;
    std::string stock_location;
    // Items
    bool name_is_sku = false;
    std::string item_type, income_account, expense_account, asset_account;
    // Taxes
    std::string calculation;  // GlobalTaxCalculation; empty: a company in the USA
    std::string default_code;
    std::map<std::string, std::string> codes;  // the hub's, to ids of the company's

    // Of a path below the company, such as "/query"; `query` without "?".
    std::string url(const std::string& path, const std::string& query = {}) const {
        return base_url + "/v3/company/" + realm + path + "?minorversion=" + minor_version +
               (query.empty() ? "" : "&" + query);
    }
    // Without Accept the service answers in XML.
    static Request request(std::string method, std::string url) {
        return Request(std::move(method), std::move(url)).auth("oauth").header("Accept", "application/json");
    }
};

namespace settings_parts {

inline std::string text_of(const Json& object, std::string_view key, std::string_view otherwise = {}) {
    const Json* found = object.find(key);
    return std::string(found != nullptr ? found->scalar_text() : otherwise);
}

inline bool flag_of(const Json& object, std::string_view key, bool otherwise) {
    const Json* found = object.find(key);
    return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}

inline Json section_of(const Json& object, std::string_view key) {
    const Json* found = object.find(key);
    return found != nullptr && found->is_object() ? *found : Json::object();
}

inline std::map<std::string, std::string> texts_of(const Json& object, std::string_view key) {
    std::map<std::string, std::string> texts;
    const Json section = section_of(object, key);
    for (const Json::Member& member : section.members())
        texts[member.key] = std::string(member.value.scalar_text());
    return texts;
}

inline Numbering numbering_of(const Json& section, Numbering otherwise) {
    const std::string word = text_of(section, "number");
    if (word.empty()) return otherwise;
    return word == "reference" ? Numbering::reference : word == "none" ? Numbering::none : Numbering::own;
}

inline DocumentRules rules_of(const Json& section, const DocumentRules& otherwise) {
    DocumentRules rules;
    rules.numbering = numbering_of(section, otherwise.numbering);
    rules.default_customer = text_of(section, "default_customer", otherwise.default_customer);
    rules.default_item = text_of(section, "default_item", otherwise.default_item);
    return rules;
}

inline Till till_of(const Json& section, const std::string& calculation) {
    Till till;
    till.numbering = numbering_of(section, Numbering::reference);
    till.customer = text_of(section, "customer");
    till.deposit_account = text_of(section, "deposit_account");
    till.default_item = text_of(section, "default_item");
    till.tip_item = text_of(section, "tip_item");
    till.service_item = text_of(section, "service_item", till.default_item);
    till.rounding_item = text_of(section, "rounding_item", till.default_item);
    till.tax_item = text_of(section, "tax_item");
    till.exempt_code = text_of(section, "exempt_code");
    till.items = texts_of(section, "items");
    till.payment_methods = texts_of(section, "payment_methods");
    till.deposit_accounts = texts_of(section, "deposit_accounts");
    const bool has_codes = !calculation.empty() && calculation != "NotApplicable";
    const std::string taxes = text_of(section, "taxes", has_codes ? "inclusive" : "none");
    till.taxes = taxes == "inclusive" ? TillTaxes::inclusive
                 : taxes == "item"    ? TillTaxes::item
                                      : TillTaxes::none;
    if (till.taxes == TillTaxes::item && till.tax_item.empty())
        throw Failure(ErrorKind::config,
                      "pos.taxes: item needs pos.tax_item, the item that taxes are booked as");
    if (const Json* limit = section.find("rounding_limit")) till.rounding_limit = limit->to_int().value_or(5);
    if (const Json* kinds = section.find("not_sent"); kinds != nullptr && kinds->is_array()) {
        till.unsent.clear();
        for (const Json& kind : kinds->items()) till.unsent.emplace(kind.scalar_text());
    }
    return till;
}

inline std::string document_of(const std::string& word) {
    if (word == "salesreceipt") return "SalesReceipt";
    if (word == "invoice") return "Invoice";
    return "Estimate";
}

}  // namespace settings_parts

// `config` is what the host gives to open(), checked against the manifest's schema. Throws Failure(config).
inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json given = section_of(document, "settings");
    Settings settings;
    settings.base_url = text_of(given, "base_url", "https://quickbooks.api.intuit.com");
    while (settings.base_url.ends_with("/")) settings.base_url.pop_back();
    settings.realm = text_of(given, "realm_id");
    settings.currency = text_of(given, "currency");
    if (!kit::currency_exponent(settings.currency))
        throw Failure(ErrorKind::config, "currency: '" + settings.currency + "' is no ISO 4217 currency");
    settings.minor_version = text_of(given, "minor_version", "75");
    settings.overlap_ms = kit::parse_duration(text_of(given, "overlap", "5m")).value_or(300'000);
    settings.multicurrency = flag_of(given, "multicurrency", false);
    settings.adopt_existing = flag_of(given, "adopt_existing", false);
    settings.use_cdc = flag_of(given, "change_data_capture", true);

    const Json orders = section_of(given, "orders");
    settings.document = document_of(text_of(orders, "as"));
    settings.orders = rules_of(orders, {});
    settings.invoices = rules_of(section_of(given, "invoices"), settings.orders);
    settings.stock_location = text_of(section_of(given, "stock"), "location", "main");

    const Json items = section_of(given, "items");
    settings.name_is_sku = text_of(items, "name") == "sku";
    settings.item_type = text_of(items, "type", "NonInventory");
    settings.income_account = text_of(items, "income_account");
    settings.expense_account = text_of(items, "expense_account");
    settings.asset_account = text_of(items, "asset_account");

    const Json tax = section_of(given, "tax");
    settings.calculation = text_of(tax, "calculation");
    settings.default_code = text_of(tax, "default_code");
    settings.codes = texts_of(tax, "codes");
    settings.till = till_of(section_of(given, "pos"), settings.calculation);
    return settings;
}

}  // namespace quickbooks
