// Exact decimal arithmetic for order totals: an integer count of 10^-scale units. Every operation that
// could overflow answers nothing instead of a wrong sum.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace liaison_sim {

// Plain notation as JSON writes it: optional minus, no leading zeros, no plus, no exponent.
bool is_plain_decimal(std::string_view text);
// Digits after the point.
int decimals_of(std::string_view text);

struct Decimal {
    std::int64_t units = 0;
    int scale = 0;

    static std::optional<Decimal> parse(std::string_view text);
    std::string text() const;
};

std::optional<Decimal> multiply(Decimal a, Decimal b);
std::optional<Decimal> add(Decimal a, Decimal b);
// Rounds half away from zero when digits are dropped.
std::optional<Decimal> rescale(Decimal value, int scale);

}  // namespace liaison_sim
