// What all records there have in common: numbers, notes with our reference, addresses, tax codes. Pure. What
// cannot be said at the other side is a ValueError and belongs to one record.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <liaison/kit/amounts.hpp>
#include <liaison/kit/country.hpp>
#include <liaison/kit/documents.hpp>
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
inline constexpr int quantity_decimals = 7;
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

using kit::decimal_of;
using kit::hub_number;

inline Json money(const std::string& text, const std::string& currency) {
    return kit::money_of(kit::to_minor(decimal_of(text, "the amount"), currency, kit::Rounding::half_up),
                         currency);
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

inline std::string hub_tax_code(const std::string& id, const Settings& settings) {
    for (const auto& [ours, theirs] : settings.codes) {
        if (theirs == id) return ours;
    }
    return id;
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

}  // namespace codec_parts

}  // namespace quickbooks
