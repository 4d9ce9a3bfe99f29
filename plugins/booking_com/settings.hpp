// Settings of the booking_com connector, read once; the host has checked their shape against the manifest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/json.hpp>
#include <liaison/kit/time.hpp>
#include <liaison/sdk/types.hpp>

namespace booking_com {

namespace kit = liaison::kit;
using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;

// One house at Booking.com. Rooms and rate plans: Booking.com's id, and the house's code.
struct Property {
    std::string hotel_id, code, currency;
    std::map<std::string, std::string, std::less<>> rooms, rate_plans;
};

struct Settings {
    std::string reservations_url, supply_url, token_url;  // without a slash at the end
    std::string auth;                                     // name of the scheme
    std::string target;
    std::map<std::string, Property, std::less<>> properties;  // by hotel id
    int zone_minutes = 0;                                     // of times that do not say theirs
    std::string zone;
    std::int64_t poll_gap_ms = 20'000, after_post_ms = 5'000;
    std::int64_t recover_after_ms = 0;  // 0: never
    std::size_t recover_per_run = 10;
    bool recovers_by_date = false;
    std::string recovery_cursor_field, recovery_cursor_parameter;
    std::int64_t full_days = 365;
    std::string confirmation_prefix;

    const Property* property(std::string_view hotel_id) const {
        const auto found = properties.find(hotel_id);
        return found != properties.end() ? &found->second : nullptr;
    }
    // The house that records of availability and rates name; with only one they need not.
    const Property* property_by_code(std::string_view code) const {
        if (code.empty()) return properties.size() == 1 ? &properties.begin()->second : nullptr;
        for (const auto& [id, one] : properties) {
            if (one.code == code || id == code) return &one;
        }
        return nullptr;
    }
};

namespace settings_parts {

inline std::string text(const Json& from, std::string_view key, const char* otherwise) {
    const Json* found = from.find(key);
    return found != nullptr ? found->as_string() : otherwise;
}
inline std::int64_t number(const Json& from, std::string_view key, std::int64_t otherwise) {
    const Json* found = from.find(key);
    return found != nullptr ? found->to_int().value_or(otherwise) : otherwise;
}
inline std::int64_t duration(const Json& from, std::string_view key, const char* otherwise) {
    return kit::parse_duration(text(from, key, otherwise)).value_or(0);
}
inline std::string url(const Json& from, std::string_view key, const char* otherwise) {
    std::string made = text(from, key, otherwise);
    while (made.ends_with('/')) made.pop_back();
    return made;
}
inline std::map<std::string, std::string, std::less<>> codes(const Json& from, std::string_view key) {
    std::map<std::string, std::string, std::less<>> made;
    if (const Json* found = from.find(key)) {
        for (const Json::Member& one : found->members()) made[one.key] = one.value.as_string();
    }
    return made;
}

}  // namespace settings_parts

inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json& from = document.get("settings");
    Settings settings;
    settings.reservations_url = url(from, "reservations_url", "https://secure-supply-xml.booking.com");
    settings.supply_url = url(from, "supply_url", "https://supply-xml.booking.com");
    settings.token_url = url(from, "token_url", "https://connectivity-authentication.booking.com");
    settings.auth = text(from, "auth", "token");
    settings.target = text(from, "target", "Production");
    for (const Json::Member& one : from.get("properties").members()) {
        Property property;
        property.hotel_id = one.key;
        property.code = text(one.value, "code", one.key.c_str());
        property.currency = text(one.value, "currency", "");
        property.rooms = codes(one.value, "rooms");
        property.rate_plans = codes(one.value, "rate_plans");
        settings.properties[one.key] = std::move(property);
    }
    settings.zone = text(from, "reservation_zone", "Z");
    if (const auto zone = kit::parse_time("%z", settings.zone))
        settings.zone_minutes = zone->offset_minutes.value_or(0);
    settings.poll_gap_ms = duration(from, "poll_gap", "20s");
    settings.after_post_ms = duration(from, "after_post", "5s");
    settings.recover_after_ms = duration(from, "recover_after", "25m");
    settings.recover_per_run = static_cast<std::size_t>(number(from, "recover_per_run", 10));
    settings.recovers_by_date = text(from, "recovery_times", "instant") == "date";
    settings.recovery_cursor_field = text(from, "recovery_cursor_field", "/meta/next_cursor");
    settings.recovery_cursor_parameter = text(from, "recovery_cursor_parameter", "cursor");
    settings.full_days = number(from, "full_days", 365);
    settings.confirmation_prefix = text(from, "confirmation_prefix", "L-");
    return settings;
}

}  // namespace booking_com
