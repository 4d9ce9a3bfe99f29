// Amounts as Lightspeed writes them: decimal texts or numbers of up to six decimals, added exactly and
// rounded once.
#pragma once

#include <string>

#include <liaison/kit/amounts.hpp>

#include "settings.hpp"

namespace lightspeed {

using kit::Decimal;
using kit::ValueError;

using kit::decimal_of;
using kit::hub_number;

inline Decimal plus(const Decimal& a, const Decimal& b) {
    const auto sum = a.plus(b);
    if (!sum) throw ValueError("number", "the amounts have too many digits to be added");
    return *sum;
}
// Of a member; zero when it is not there.
inline Decimal amount_in(const Json& row, std::string_view pointer) {
    const std::string text = text_in(row, pointer);
    return text.empty() ? Decimal() : decimal_of(text, std::string(pointer.substr(1)));
}
inline Json money(const Decimal& value, const std::string& currency) {
    Json made = Json::object();
    made.set("amount", kit::to_minor(value, currency, kit::Rounding::half_up));
    made.set("currency", currency);
    return made;
}
// What a share of one is in parts per million.
inline std::int64_t ppm_of(const Decimal& share) {
    const auto scaled = share.times(Decimal(1'000'000));
    const auto whole = scaled ? scaled->rounded(0) : std::nullopt;
    const auto value = whole ? whole->to_int() : std::nullopt;
    if (!value) throw ValueError("number", "a rate is too large");
    return *value;
}
inline std::int64_t ppm_of_percent(const Decimal& percent) {
    const auto share = percent.times(Decimal::scaled(1, 2));
    return ppm_of(share.value_or(Decimal()));
}

// What the vendor sent, as a dead letter with the reason.
inline std::string rejection(const std::string& why, const Json& raw) {
    Json rejected = Json::object();
    rejected.set("$rejected", why);
    rejected.set("$raw", raw);
    return rejected.dump();
}

}  // namespace lightspeed
