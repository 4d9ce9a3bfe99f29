#include "base/redact.hpp"

#include <algorithm>
#include <cctype>

namespace liaisond {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool passes_luhn(std::string_view digits) {
    int sum = 0;
    bool twice = false;
    for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
        int value = digits[i] - '0';
        if (twice) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += value;
    }
    return sum % 10 == 0;
}

// Where the run of digits with single separators that begins at `from` ends.
std::size_t run_end(std::string_view text, std::size_t from, std::string& digits) {
    std::size_t at = from;
    std::size_t end = from;
    while (at < text.size()) {
        if (is_digit(text[at])) {
            digits += text[at];
            end = ++at;
        } else if ((text[at] == ' ' || text[at] == '-') && at + 1 < text.size() && is_digit(text[at + 1])) {
            ++at;
        } else {
            break;
        }
    }
    return end;
}

// `replace` is given each card number as written, and its digits.
template <class Replace>
std::string replace_card_numbers(std::string_view text, Replace replace) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t next = at;
        const auto starts_run = [&] {
            return is_digit(text[next]) &&
                   (next == 0 || std::isalnum(static_cast<unsigned char>(text[next - 1])) == 0);
        };
        while (next < text.size() && !starts_run()) ++next;
        out += text.substr(at, next - at);
        at = next;
        if (at == text.size()) break;
        std::string digits;
        const std::size_t end = run_end(text, at, digits);
        const bool bounded = end == text.size() || std::isalpha(static_cast<unsigned char>(text[end])) == 0;
        if (bounded && digits.size() >= 13 && digits.size() <= 19 && digits[0] != '0' &&
            passes_luhn(digits)) {
            out += replace(text.substr(at, end - at), digits);
        } else {
            out += text.substr(at, end - at);
        }
        at = end;
    }
    return out;
}

// Other digits of the same number, no card's.
std::string blanked(const std::string& digits) {
    std::string made = digits;
    std::fill(made.begin() + 1, made.end() - 4, '0');
    for (made[0] = '9'; passes_luhn(made); --made[0]) {}
    return made;
}

std::string with_digits(std::string_view written, const std::string& digits) {
    std::string made(written);
    std::size_t next = 0;
    for (char& c : made) {
        if (is_digit(c)) c = digits[next++];
    }
    return made;
}

// ISO/IEC 7812 ranges of the schemes in use: Visa, Mastercard, American Express, Diners, Discover, JCB,
// UnionPay, Maestro.
bool is_issued(const std::string& digits) {
    const auto beginning = [&](std::size_t length) { return std::stoi(digits.substr(0, length)); };
    const auto within = [](int number, int from, int to) { return number >= from && number <= to; };
    const std::size_t size = digits.size();
    if (digits[0] == '4') return size == 13 || size == 16 || size == 19;
    const int two = beginning(2), three = beginning(3), four = beginning(4);
    if (two == 34 || two == 37) return size == 15;
    if (within(two, 51, 55) || within(four, 2221, 2720)) return size == 16;
    if (within(three, 300, 305) || two == 36 || two == 38 || two == 39) return size >= 14;
    if (within(four, 3528, 3589)) return size >= 16;
    return two == 50 || within(two, 56, 69);
}

}  // namespace

std::string mask_card_numbers(std::string_view text) {
    return replace_card_numbers(text, [](std::string_view, const std::string& digits) {
        return "****" + digits.substr(digits.size() - 4);
    });
}

std::string blank_card_numbers(std::string_view text) {
    return replace_card_numbers(text, [](std::string_view written, const std::string& digits) {
        return with_digits(written, blanked(digits));
    });
}

std::string blank_issued_card_numbers(std::string_view text) {
    return replace_card_numbers(text, [](std::string_view written, const std::string& digits) {
        return is_issued(digits) ? with_digits(written, blanked(digits)) : std::string(written);
    });
}

void Redactor::add(std::string_view secret) {
    if (secret.size() < 4) return;
    const MutexLock lock(mutex_);
    if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
    secrets_.emplace_back(secret);
    std::sort(secrets_.begin(), secrets_.end(),
              [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string Redactor::scrub_secrets(std::string_view text) const {
    std::string out(text);
    const MutexLock lock(mutex_);
    for (const std::string& secret : secrets_) {
        for (std::size_t at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3)) {
            out.replace(at, secret.size(), "***");
        }
    }
    return out;
}

std::string Redactor::scrub(std::string_view text) const { return mask_card_numbers(scrub_secrets(text)); }

Redactor& redactor() {
    static Redactor instance;
    return instance;
}

}  // namespace liaisond
