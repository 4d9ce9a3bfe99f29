// Decimal: exact numbers of at most 38 digits, from text to text. Nothing here rounds unless its name says
// so.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <liaison/kit/text.hpp>

namespace liaison::kit {

// How numbers are written at the source: 1234.50, 1.234,50 or 1 234,50.
struct DecimalStyle {
    char point = '.';
    char thousands = '\0';  // none; ' ' also stands for the no-break spaces
};

class Decimal {
  public:
    __extension__ typedef __int128 Digits;
    static constexpr int max_digits = 38;

    constexpr Decimal() = default;
    constexpr explicit Decimal(std::int64_t whole) : digits_(whole) {}
    // units / 10^scale
    static constexpr Decimal scaled(std::int64_t units, int scale) { return Decimal(Digits(units), scale); }

    // [+-] digits [point digits] [e exponent]; thousands groups, where used, must be complete. Nothing
    // otherwise.
    static std::optional<Decimal> parse(std::string_view text, DecimalStyle style = {});

    int scale() const { return scale_; }
    bool is_zero() const { return digits_ == 0; }
    bool is_negative() const { return digits_ < 0; }
    Decimal negated() const { return Decimal(-digits_, scale_); }

    // Nothing when the result needs more than 38 digits.
    std::optional<Decimal> plus(const Decimal& other) const;
    std::optional<Decimal> times(const Decimal& other) const;
    // The same value with exactly `scale` decimals; nothing when that would lose digits.
    std::optional<Decimal> rescaled(int scale) const;
    // Half away from zero. Nothing on overflow.
    std::optional<Decimal> rounded(int scale) const;
    // The digits without the point, when they fit.
    std::optional<std::int64_t> units() const;
    std::optional<std::int64_t> to_int() const;

    // Shortest form, "-0.5", never "-0" or "1.50".
    std::string text() const;
    // With all decimals of its scale, "1.50".
    std::string fixed_text() const;

    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
    friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

  private:
    constexpr Decimal(Digits digits, int scale) : digits_(digits), scale_(scale) {}
    static constexpr Digits power(int exponent) {
        Digits result = 1;
        for (int i = 0; i < exponent; ++i) result *= 10;
        return result;
    }
    // Checks first: ten times a 38 digit number does not fit into the type.
    static bool times_ten(Digits& digits) {
        constexpr Digits most = power(max_digits - 1);
        if (digits >= most || digits <= -most) return false;
        digits *= 10;
        return true;
    }
    static bool fits(Digits digits) { return digits < power(max_digits) && digits > -power(max_digits); }

    Digits digits_ = 0;
    int scale_ = 0;  // 0 .. max_digits
};

namespace decimal_parts {

// No-break spaces to blanks, so that one thousands character is enough.
inline std::string plain_blanks(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "\xC2\xA0") {
            out.push_back(' ');
            i += 1;
        } else if (text.substr(i, 3) == "\xE2\x80\xAF") {
            out.push_back(' ');
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// Removes complete groups of three from the whole part; false when they are not complete.
inline bool ungroup(std::string& text, DecimalStyle style) {
    const std::size_t point = text.find(style.point);
    const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    std::string whole = text.substr(sign, point == std::string::npos ? point : point - sign);
    if (whole.find(style.thousands) == std::string::npos) return true;
    std::string digits;
    std::size_t group = 0;
    bool first = true;
    for (std::size_t i = 0; i <= whole.size(); ++i) {
        if (i < whole.size() && whole[i] != style.thousands) {
            digits.push_back(whole[i]);
            ++group;
            continue;
        }
        if (first ? group < 1 || group > 3 : group != 3) return false;
        first = false;
        group = 0;
    }
    text = text.substr(0, sign) + digits + (point == std::string::npos ? "" : text.substr(point));
    return true;
}

}  // namespace decimal_parts

inline std::optional<Decimal> Decimal::parse(std::string_view raw, DecimalStyle style) {
    std::string text(trimmed(raw));
    if (style.thousands != '\0') {
        if (style.thousands == ' ') text = decimal_parts::plain_blanks(text);
        if (!decimal_parts::ungroup(text, style)) return std::nullopt;
    }
    std::size_t at = 0;
    const bool negative = !text.empty() && text[0] == '-';
    if (negative || (!text.empty() && text[0] == '+')) ++at;
    Digits digits = 0;
    int scale = 0;
    bool any = false, after_point = false, digit_after_point = false;
    for (; at < text.size(); ++at) {
        if (text[at] == style.point && !after_point) {
            after_point = true;
            continue;
        }
        if (!is_digit(text[at])) break;
        any = true;
        if (after_point) ++scale, digit_after_point = true;
        if (!times_ten(digits) || scale > max_digits) return std::nullopt;
        digits += text[at] - '0';
    }
    if (!any || (after_point && !digit_after_point)) return std::nullopt;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        bool down = false;
        int exponent = 0;
        if (++at < text.size() && (text[at] == '-' || text[at] == '+')) down = text[at++] == '-';
        if (at >= text.size()) return std::nullopt;
        for (; at < text.size() && is_digit(text[at]); ++at) {
            exponent = exponent * 10 + (text[at] - '0');
            if (exponent > 999) return std::nullopt;
        }
        scale += down ? exponent : -exponent;
        for (; scale < 0 && digits != 0; ++scale) {
            if (!times_ten(digits)) return std::nullopt;
        }
        if (scale < 0) scale = 0;
        while (scale > 0 && digits % 10 == 0 && (scale > max_digits || digits == 0)) digits /= 10, --scale;
        if (scale > max_digits) return std::nullopt;
    }
    if (at != text.size()) return std::nullopt;
    return Decimal(negative ? -digits : digits, scale);
}

inline std::optional<Decimal> Decimal::rescaled(int scale) const {
    if (scale < 0 || scale > max_digits) return std::nullopt;
    Decimal result = *this;
    while (result.scale_ < scale) {
        if (!times_ten(result.digits_)) return std::nullopt;
        ++result.scale_;
    }
    while (result.scale_ > scale) {
        if (result.digits_ % 10 != 0) return std::nullopt;
        result.digits_ /= 10;
        --result.scale_;
    }
    return result;
}

inline std::optional<Decimal> Decimal::rounded(int scale) const {
    if (scale_ <= scale) return rescaled(scale);
    const Digits divisor = power(scale_ - scale);
    Digits quotient = digits_ / divisor;
    Digits rest = digits_ % divisor;
    if (rest < 0) rest = -rest;
    if (rest >= divisor - rest) quotient += digits_ < 0 ? -1 : 1;
    return Decimal(quotient, scale);
}

inline std::optional<Decimal> Decimal::plus(const Decimal& other) const {
    const int scale = scale_ > other.scale_ ? scale_ : other.scale_;
    const std::optional<Decimal> a = rescaled(scale), b = other.rescaled(scale);
    if (!a || !b) return std::nullopt;
    Digits sum = 0;
    if (__builtin_add_overflow(a->digits_, b->digits_, &sum) || !fits(sum)) return std::nullopt;
    return Decimal(sum, scale);
}

inline std::optional<Decimal> Decimal::times(const Decimal& other) const {
    Digits product = 0;
    if (__builtin_mul_overflow(digits_, other.digits_, &product) || !fits(product)) return std::nullopt;
    Decimal result(product, scale_ + other.scale_);
    while (result.scale_ > max_digits) {
        if (result.digits_ % 10 != 0) return std::nullopt;
        result.digits_ /= 10;
        --result.scale_;
    }
    return result;
}

inline std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    const auto sign = [](const Decimal& d) { return d.digits_ == 0 ? 0 : d.digits_ < 0 ? -1 : 1; };
    if (sign(a) != sign(b)) return sign(a) <=> sign(b);
    // What cannot be written at the finer scale within 38 digits is larger in magnitude than what can.
    const int scale = a.scale_ > b.scale_ ? a.scale_ : b.scale_;
    const std::optional<Decimal> x = a.rescaled(scale), y = b.rescaled(scale);
    const int direction = sign(a);
    if (!x) return direction <=> 0;
    if (!y) return 0 <=> direction;
    if (x->digits_ == y->digits_) return std::strong_ordering::equal;
    return x->digits_ < y->digits_ ? std::strong_ordering::less : std::strong_ordering::greater;
}

inline std::optional<std::int64_t> Decimal::units() const {
    if (digits_ > Digits(INT64_MAX) || digits_ < Digits(INT64_MIN)) return std::nullopt;
    return static_cast<std::int64_t>(digits_);
}

inline std::optional<std::int64_t> Decimal::to_int() const {
    const std::optional<Decimal> whole = rescaled(0);
    return whole ? whole->units() : std::nullopt;
}

inline std::string Decimal::fixed_text() const {
    Digits rest = digits_ < 0 ? -digits_ : digits_;
    std::string backwards;
    for (int i = 0; rest != 0 || i <= scale_; ++i) {
        if (i == scale_ && scale_ > 0) backwards.push_back('.');
        backwards.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    }
    if (digits_ < 0) backwards.push_back('-');
    return std::string(backwards.rbegin(), backwards.rend());
}

inline std::string Decimal::text() const {
    std::string out = fixed_text();
    if (scale_ == 0) return out;
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
    return out;
}

}  // namespace liaison::kit
