// What connectors to bookkeeping share about documents: amounts of lines, how far an invoice is paid, whether
// one that was issued would be changed, and records that need not be sent. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <liaison/kit/json.hpp>
#include <liaison/kit/money.hpp>

namespace liaison::kit {

inline Json money_of(std::int64_t minor, std::string_view currency) {
    Json made = Json::object();
    made.set("amount", minor);
    made.set("currency", std::string(currency));
    return made;
}

// The minor units of {"amount": 1230, "currency": "EUR"}; nothing where there is no such thing.
inline std::optional<std::int64_t> minor_units(const Json* money) {
    const Json* amount = money != nullptr ? money->find("amount") : nullptr;
    return amount != nullptr ? amount->to_int() : std::nullopt;
}

// Status of an issued document by what it asks for and what is still owed, both in the same unit.
inline const char* payment_status(std::int64_t total, std::int64_t due) {
    if (due == 0) return "paid";
    return due == total ? "issued" : "part_paid";
}

// The unit price of at most `decimals` decimals by which `quantity` comes to exactly `minor` / 10^exponent
// when it is rounded to the currency; nothing where there is none.
inline std::optional<Decimal> price_for(std::int64_t minor, int exponent, const Decimal& quantity,
                                        int decimals) {
    const std::optional<std::int64_t> units = quantity.units();
    if (!units || *units == 0) return std::nullopt;
    Decimal::Digits scaled = minor;
    for (int i = exponent; i < decimals + quantity.scale(); ++i) {
        if (__builtin_mul_overflow(scaled, Decimal::Digits(10), &scaled)) return std::nullopt;
    }
    const Decimal::Digits half = (*units < 0 ? -*units : *units) / 2;
    const Decimal::Digits rounded = (scaled < 0 ? scaled - half : scaled + half) / *units;
    if (rounded > INT64_MAX || rounded < INT64_MIN) return std::nullopt;
    const Decimal price = Decimal::scaled(static_cast<std::int64_t>(rounded), decimals);
    const std::optional<Decimal> product = quantity.times(price);
    const std::optional<Decimal> amount = product ? product->rounded(exponent) : std::nullopt;
    if (!amount || *amount != Decimal::scaled(minor, exponent)) return std::nullopt;
    return price;
}

namespace documents_parts {

inline std::string text(const Json& object, std::string_view key) {
    const Json* found = object.find(key);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}

// Quantity x price without discount, to the cent; nothing where the line does not say it.
inline std::optional<Decimal> net_of(const Json& line) {
    const auto quantity = Decimal::parse(text(line, "quantity")),
               price = Decimal::parse(text(line, "unit_price"));
    std::optional<Decimal> net = quantity && price ? quantity->times(*price) : std::nullopt;
    const Json* discount = line.find("discount_ppm");
    if (net && discount != nullptr && discount->to_int())
        net = net->times(Decimal::scaled(1'000'000 - *discount->to_int(), 6));
    return net ? net->rounded(2) : std::nullopt;
}

inline bool differ(const std::string& wanted, const std::string& present) {
    return !wanted.empty() && !present.empty() && wanted != present;
}

}  // namespace documents_parts

// What an update would change of an issued invoice; empty: nothing that matters. Both are payloads. What only
// one of them says is no difference.
inline std::string issued_change(const Json& wanted, const Json& present) {
    using namespace documents_parts;
    for (const char* key : {"kind", "customer_ref", "issue_date", "currency"}) {
        if (differ(text(wanted, key), text(present, key))) return key;
    }
    const Json *ours = wanted.find("lines"), *theirs = present.find("lines");
    if (ours == nullptr || theirs == nullptr || !ours->is_array() || !theirs->is_array()) return {};
    if (ours->items().size() != theirs->items().size()) return "number of lines";
    for (std::size_t i = 0; i < ours->items().size(); ++i) {
        const Json &one = ours->items()[i], &other = theirs->items()[i];
        const auto a = net_of(one), b = net_of(other);
        const auto quantity = Decimal::parse(text(one, "quantity")),
                   quantity_there = Decimal::parse(text(other, "quantity"));
        const bool same = !differ(text(one, "product_ref"), text(other, "product_ref")) &&
                          (!a || !b || *a == *b) &&
                          (!quantity || !quantity_there || *quantity == *quantity_there);
        if (!same) return "line " + std::to_string(i + 1);
    }
    return {};
}

// The external id of a record that the vendor need not have (a draft, a cancelled sale): reported as
// `unchanged` under it, and created when a later version has to be there.
inline std::string unsent_key(std::string_view reference) { return "unsent:" + std::string(reference); }
inline bool is_unsent(std::string_view key) { return key.starts_with("unsent:"); }

}  // namespace liaison::kit
