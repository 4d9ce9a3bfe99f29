#include "decimal.hpp"

#include <algorithm>
#include <charconv>

namespace liaison_sim {
namespace {

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_plain_decimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    if (!all_digits(whole) || (whole.size() > 1 && whole[0] == '0')) return false;
    return point == std::string_view::npos || all_digits(text.substr(point + 1));
}

int decimals_of(std::string_view text) {
    const std::size_t point = text.find('.');
    return point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
    if (!is_plain_decimal(text)) return std::nullopt;
    Decimal value;
    value.scale = decimals_of(text);
    std::string digits(text);
    std::erase(digits, '.');
    const char* end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, value.units);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return value;
}

std::string Decimal::text() const {
    std::string digits = std::to_string(units);
    std::erase(digits, '-');
    const auto width = static_cast<std::size_t>(scale) + 1;
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    if (scale > 0) digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
    return units < 0 ? "-" + digits : digits;
}

std::optional<Decimal> multiply(Decimal a, Decimal b) {
    Decimal product{0, a.scale + b.scale};
    if (__builtin_mul_overflow(a.units, b.units, &product.units)) return std::nullopt;
    return product;
}

std::optional<Decimal> add(Decimal a, Decimal b) {
    const int scale = std::max(a.scale, b.scale);
    const auto left = rescale(a, scale);
    const auto right = rescale(b, scale);
    Decimal sum{0, scale};
    if (!left || !right || __builtin_add_overflow(left->units, right->units, &sum.units)) return std::nullopt;
    return sum;
}

std::optional<Decimal> rescale(Decimal value, int scale) {
    while (value.scale < scale) {
        if (__builtin_mul_overflow(value.units, 10, &value.units)) return std::nullopt;
        ++value.scale;
    }
    // Half away from zero looks at the first dropped digit only, so the ones after it are simply cut.
    for (; value.scale > scale + 1; --value.scale) value.units /= 10;
    if (value.scale > scale) {
        const std::int64_t last = value.units % 10;
        value.units = value.units / 10 + (last >= 5 ? 1 : 0) - (last <= -5 ? 1 : 0);
        --value.scale;
    }
    return value;
}

}  // namespace liaison_sim
