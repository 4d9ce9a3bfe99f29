// What an operator can say about a company in QuickBooks Online, as the connector uses it.
#pragma once

#include <map>
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

// Where the number of an exported document comes from.
enum class Numbering { order_no, reference, none };

struct Settings {
    std::string base_url, realm;
    std::string currency;  // the company's own
    std::string minor_version;
    std::int64_t overlap_ms = 0;
    bool multicurrency = false, adopt_existing = false, use_cdc = true;
    // Orders
    std::string document;  // "Estimate", "SalesReceipt" or "Invoice"
    Numbering numbering = Numbering::order_no;
    std::string default_customer, default_item;
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
    const std::string numbering = text_of(orders, "number");
    settings.numbering = numbering == "reference" ? Numbering::reference
                         : numbering == "none"    ? Numbering::none
                                                  : Numbering::order_no;
    settings.default_customer = text_of(orders, "default_customer");
    settings.default_item = text_of(orders, "default_item");

    const Json items = section_of(given, "items");
    settings.name_is_sku = text_of(items, "name") == "sku";
    settings.item_type = text_of(items, "type", "NonInventory");
    settings.income_account = text_of(items, "income_account");
    settings.expense_account = text_of(items, "expense_account");
    settings.asset_account = text_of(items, "asset_account");

    const Json tax = section_of(given, "tax");
    settings.calculation = text_of(tax, "calculation");
    settings.default_code = text_of(tax, "default_code");
    const Json codes = section_of(tax, "codes");
    for (const Json::Member& member : codes.members())
        settings.codes[member.key] = std::string(member.value.scalar_text());
    return settings;
}

}  // namespace quickbooks
