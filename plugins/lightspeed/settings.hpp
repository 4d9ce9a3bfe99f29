// What an operator can say about a Lightspeed account, as the connector uses it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/http.hpp>
#include <liaison/kit/json.hpp>
#include <liaison/kit/local_time.hpp>
#include <liaison/kit/money.hpp>
#include <liaison/sdk.hpp>

namespace lightspeed {

namespace kit = liaison::kit;
using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
using liaison::Record;
using liaison::Request;
using liaison::Response;
using liaison::Result;

// Whether the amounts of a till include taxes: as each of its tax lines says, or as the operator does.
enum class Taxes { as_said, included, excluded };

struct Settings {
    std::string base_url;  // without a slash at the end
    std::string currency;
    std::vector<std::string> locations;  // business locations
    std::int64_t overlap_ms = 0, history_ms = 0, late_days = 0;
    kit::SummerTime summer = kit::SummerTime::none;
    std::string day_start;  // "05:30+01:00": when business days begin, in winter; empty: the till says it
    Taxes taxes = Taxes::as_said;
    bool tips_in_payments = false;
    std::map<std::string, std::string> methods;  // payment codes of the till, to the hub's methods
    std::map<std::string, std::string> groups;   // categories of the hub, to ids of accounting groups
    std::string default_group, default_price_list;

    static Request get(std::string url) { return request("GET", std::move(url)); }
    static Request request(std::string method, std::string url) {
        return Request(std::move(method), std::move(url)).auth("k").header("Accept", "application/json");
    }
};

// The scalar there as text; empty when there is none.
inline std::string text_in(const Json& document, std::string_view pointer) {
    const Json* found = document.at(pointer);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}
inline bool flag_in(const Json& document, std::string_view pointer, bool otherwise) {
    const Json* found = document.at(pointer);
    return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}
inline void put(Json& object, const char* key, const std::string& text) {
    if (!text.empty()) object.set(key, text);
}
// The rows of a list; none when there is no list.
inline const Json::Array& rows_in(const Json& document, std::string_view pointer) {
    static const Json::Array none;
    const Json* found = document.at(pointer);
    return found != nullptr && found->is_array() ? found->items() : none;
}

namespace settings_parts {

inline std::string text_or(const Json& given, std::string_view pointer, const char* otherwise) {
    const std::string text = text_in(given, pointer);
    return text.empty() ? otherwise : text;
}
inline std::int64_t duration(const Json& given, std::string_view pointer, const char* otherwise) {
    const std::string text = text_or(given, pointer, otherwise);
    const auto ms = kit::parse_duration(text);
    if (!ms) throw Failure(ErrorKind::config, "'" + text + "' is no duration such as 24h");
    return *ms;
}
inline void texts(const Json& given, std::string_view pointer, std::map<std::string, std::string>& into) {
    const Json* found = given.at(pointer);
    if (found == nullptr || !found->is_object()) return;
    for (const Json::Member& member : found->members())
        into[member.key] = std::string(member.value.scalar_text());
}

inline void read_hosts(const Json& given, Settings& settings) {
    const bool is_trial = text_in(given, "/environment") == "trial";
    settings.base_url = is_trial ? text_or(given, "/trial_url", "https://api.trial.lsk.lightspeed.app")
                                 : text_or(given, "/production_url", "https://api.lsk.lightspeed.app");
    while (settings.base_url.ends_with("/")) settings.base_url.pop_back();
}

}  // namespace settings_parts

// `config` is what the host gives to open(), checked against the manifest's schema. Throws Failure(config).
inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json* found = document.find("settings");
    const Json given = found != nullptr ? *found : Json::object();
    Settings settings;
    read_hosts(given, settings);
    settings.currency = text_in(given, "/currency");
    (void)kit::exponent_or_throw(settings.currency);
    for (const Json& one : rows_in(given, "/locations")) settings.locations.emplace_back(one.scalar_text());
    settings.overlap_ms = duration(given, "/overlap", "24h");
    settings.history_ms = duration(given, "/history", "90d");
    settings.late_days = duration(given, "/late", "14d") / kit::ms_per_day;
    settings.summer = kit::summer_time_of(text_or(given, "/summer_time", "eu"));
    settings.day_start = text_in(given, "/day_start");
    const std::string taxes = text_in(given, "/taxes");
    settings.taxes = taxes == "included"   ? Taxes::included
                     : taxes == "excluded" ? Taxes::excluded
                                           : Taxes::as_said;
    settings.tips_in_payments = flag_in(given, "/tips_in_payments", false);
    texts(given, "/payment_methods", settings.methods);
    texts(given, "/items/accounting_groups", settings.groups);
    settings.default_group = text_in(given, "/items/default_accounting_group");
    settings.default_price_list = text_or(given, "/items/price_list", "Default");
    return settings;
}

}  // namespace lightspeed
