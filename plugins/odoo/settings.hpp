// Settings of the odoo connector, read once; the host has checked their shape against the manifest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/json.hpp>
#include <liaison/kit/time.hpp>
#include <liaison/sdk/types.hpp>

namespace odoo {

namespace kit = liaison::kit;
using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;

enum class Transport { automatic, xmlrpc, json2 };

struct Settings {
    std::string url;  // without a slash at the end
    std::string database, login;
    Transport transport = Transport::automatic;
    std::string language;
    Json companies = Json::array();                    // ids; empty: those of the user
    std::map<std::string, Json, std::less<>> filters;  // by entity: further conditions of a domain
    std::int64_t page_size = 200;
    std::int64_t overlap_ms = 0;
    std::uint32_t parallel = 1;
    std::string external_id_module;
    bool confirms_orders = true, checks_versions = true, posts_invoices = false;
    std::vector<std::string> move_types{"out_invoice", "out_refund"};
    std::map<std::string, std::int64_t> stock_locations;  // the hub's code, to the location's number
    std::optional<std::int64_t> fallback_product;

    Json invoice_types() const {
        Json types = Json::array();
        for (const std::string& type : move_types) types.push_back(type);
        return types;
    }
    // The context of every call: whose language and companies, and times in UTC.
    Json context() const {
        Json context = Json::object();
        context.set("lang", language);
        context.set("tz", "UTC");
        if (!companies.items().empty()) context.set("allowed_company_ids", companies);
        return context;
    }
};

namespace settings_parts {

inline std::string text(const Json& settings, std::string_view key, const char* otherwise) {
    const Json* found = settings.find(key);
    return found != nullptr ? found->as_string() : otherwise;
}
inline std::int64_t number(const Json& settings, std::string_view key, std::int64_t otherwise) {
    const Json* found = settings.find(key);
    return found != nullptr ? found->to_int().value_or(otherwise) : otherwise;
}
inline bool flag(const Json& settings, std::string_view key, bool otherwise) {
    const Json* found = settings.find(key);
    return found != nullptr ? found->as_bool() : otherwise;
}

}  // namespace settings_parts

inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json& from = document.get("settings");
    Settings settings;
    settings.url = text(from, "url", "");
    while (settings.url.ends_with('/')) settings.url.pop_back();
    settings.database = text(from, "database", "");
    settings.login = text(from, "login", "");
    const std::string transport = text(from, "transport", "auto");
    if (transport == "xmlrpc") settings.transport = Transport::xmlrpc;
    if (transport == "json2") settings.transport = Transport::json2;
    settings.language = text(from, "language", "en_US");
    if (const Json* companies = from.find("company_ids")) settings.companies = *companies;
    settings.page_size = number(from, "page_size", 200);
    settings.parallel = static_cast<std::uint32_t>(number(from, "parallel", 1));
    settings.overlap_ms = kit::parse_duration(text(from, "overlap", "5m")).value_or(300'000);
    settings.external_id_module = text(from, "external_id_module", "liaison");
    settings.confirms_orders = flag(from, "confirm_orders", true);
    settings.checks_versions = flag(from, "check_versions", true);
    if (from.find("fallback_product_id") != nullptr)
        settings.fallback_product = number(from, "fallback_product_id", 0);
    settings.posts_invoices = flag(from, "post_invoices", false);
    if (const Json* types = from.find("invoice_types")) {
        settings.move_types.clear();
        for (const Json& type : types->items()) settings.move_types.emplace_back(type.scalar_text());
    }
    if (const Json* locations = from.find("stock_locations")) {
        for (const Json::Member& one : locations->members())
            settings.stock_locations[one.key] = one.value.to_int().value_or(0);
    }
    if (const Json* filters = from.find("filters")) {
        for (const Json::Member& one : filters->members()) settings.filters[one.key] = one.value;
    }
    if (settings.login.empty() && settings.transport != Transport::json2) {
        throw Failure(ErrorKind::config, "'login' is missing; only transport: json2 works without it");
    }
    return settings;
}

}  // namespace odoo
