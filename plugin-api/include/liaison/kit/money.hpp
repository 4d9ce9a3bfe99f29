// Money: decimal text to minor units of an ISO 4217 currency and back, exactly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <liaison/kit/decimal.hpp>

namespace liaison::kit {

// Decimals of the currency; nothing for a code that ISO 4217 does not list as circulating money.
inline std::optional<int> currency_exponent(std::string_view code) {
    struct Group {
        int exponent;
        std::string_view codes;
    };
    static constexpr std::array<Group, 4> groups = {{
        {2,
         "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
         "CDF CHE CHF "
         "CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ "
         "GYD HKD HNL "
         "HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
         "MNT MOP MRU "
         "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR "
         "SBD SCR SDG "
         "SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU "
         "UZS VED VES "
         "WST XCD XCG YER ZAR ZMW ZWG ZWL"},
        {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"},
        {3, "BHD IQD JOD KWD LYD OMR TND"},
        {4, "CLF UYW"},
    }};
    if (code.size() != 3) return std::nullopt;
    for (const Group& group : groups) {
        for (std::size_t at = 0; at + 3 <= group.codes.size(); at += 4) {
            if (group.codes.substr(at, 3) == code) return group.exponent;
        }
    }
    return std::nullopt;
}

enum class Rounding { exact, half_up };

inline int exponent_or_throw(std::string_view currency) {
    const std::optional<int> exponent = currency_exponent(currency);
    if (!exponent)
        throw ValueError("unknown_currency", "'" + std::string(currency) + "' is no ISO 4217 currency");
    return *exponent;
}

// Throws ValueError: unknown_currency, money_precision, money_range.
inline std::int64_t to_minor(const Decimal& value, std::string_view currency,
                             Rounding rounding = Rounding::exact) {
    const int exponent = exponent_or_throw(currency);
    const auto scaled = rounding == Rounding::exact ? value.rescaled(exponent) : value.rounded(exponent);
    if (!scaled && value.rounded(exponent)) {
        throw ValueError("money_precision", value.text() + " has more decimals than " +
                                                std::string(currency) + " (" + std::to_string(exponent) +
                                                ")");
    }
    const std::optional<std::int64_t> units = scaled ? scaled->units() : std::nullopt;
    if (!units) throw ValueError("money_range", value.text() + " is too large for an amount");
    return *units;
}

// "12.30" for 1230 EUR, "1230" for 1230 JPY.
inline std::string from_minor(std::int64_t amount, std::string_view currency) {
    return Decimal::scaled(amount, exponent_or_throw(currency)).fixed_text();
}

}  // namespace liaison::kit
