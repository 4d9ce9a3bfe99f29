// Small text tools: UTF-8, legacy encodings, percent-encoding, a stable hash. No locale anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <liaison/sdk/types.hpp>

namespace liaison::kit {

// A value that is not what it has to be. `code` is a stable word such as "money_precision", what() is for
// people.
class ValueError : public BadData {
  public:
    ValueError(std::string code, const std::string& text) : BadData(text), code(std::move(code)) {}
    std::string code;
};

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

inline std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = to_lower(c);
    return out;
}

// Length of the valid UTF-8 sequence at the start of `text`; 0 when there is none (overlong forms, surrogates
// and values above U+10FFFF are invalid).
inline std::size_t utf8_sequence(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    unsigned char low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    }
    if (length == 0 || text.size() < length) return 0;
    if (byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    }
    return length;
}

// Offset of the first byte that is not UTF-8; npos when all of it is.
inline std::size_t utf8_fault(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            ++at;
            continue;
        }
        const std::size_t length = utf8_sequence(text.substr(at));
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

inline void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

enum class Encoding { utf8, latin1, windows1252 };

inline std::optional<Encoding> encoding_by_name(std::string_view name) {
    if (name == "utf-8") return Encoding::utf8;
    if (name == "latin-1") return Encoding::latin1;
    if (name == "windows-1252") return Encoding::windows1252;
    return std::nullopt;
}

// To UTF-8; nothing when the bytes are not in that encoding.
inline std::optional<std::string> to_utf8(std::string_view bytes, Encoding encoding) {
    static constexpr std::uint16_t upper[32] = {
        0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
    if (encoding == Encoding::utf8) {
        if (utf8_fault(bytes) != std::string_view::npos) return std::nullopt;
        return std::string(bytes);
    }
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes) {
        std::uint32_t code = static_cast<unsigned char>(c);
        if (encoding == Encoding::windows1252 && code >= 0x80 && code < 0xA0) {
            code = upper[code - 0x80];
            if (code == 0) return std::nullopt;
        }
        append_utf8(out, code);
    }
    return out;
}

// At most `limit` bytes, cut between characters, control characters made blanks, invalid bytes made '?'.
inline std::string excerpt(std::string_view text, std::size_t limit) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = utf8_sequence(text.substr(at));
        if (out.size() + (length == 0 ? 1 : length) > limit) break;
        const auto first = static_cast<unsigned char>(text[at]);
        if (length == 0) {
            out.push_back('?');
        } else if (first < 0x20 || first == 0x7F) {
            out.push_back(' ');
        } else {
            out.append(text.substr(at, length));
        }
        at += length == 0 ? 1 : length;
    }
    return out;
}

// For one path segment or query value: everything but unreserved characters is escaped.
inline std::string percent_encoded(std::string_view text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(hex[byte >> 4]);
            out.push_back(hex[byte & 15]);
        }
    }
    return out;
}

// FNV-1a, 128 bits: stable across builds and machines. Not for secrets and not against an adversary.
class Hash128 {
  public:
    Hash128& add(std::string_view bytes) {
        for (const char c : bytes) {
            state_ ^= static_cast<unsigned char>(c);
            state_ *= prime;
        }
        return *this;
    }
    // A field with its length, so that ("ab","c") and ("a","bc") differ.
    Hash128& add_field(std::string_view bytes) {
        add(std::to_string(bytes.size()));
        add(":");
        return add(bytes);
    }
    // The first `digits` (at most 32) hexadecimal digits.
    std::string hex(int digits = 32) const {
        std::string out;
        for (int i = 0; i < digits; ++i) {
            out.push_back("0123456789abcdef"[static_cast<unsigned>(state_ >> (124 - 4 * i)) & 15u]);
        }
        return out;
    }

  private:
    __extension__ typedef unsigned __int128 Word;
    static constexpr Word prime = (static_cast<Word>(1) << 88) | 0x13B;
    Word state_ = (static_cast<Word>(0x6c62272e07bb0142u) << 64) | 0x62b821756295c58du;
};

}  // namespace liaison::kit
