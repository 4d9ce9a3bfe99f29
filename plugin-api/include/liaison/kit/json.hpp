// Json: a document tree that keeps every number exactly as it was written, and objects in their order.
//
// Not a general JSON library: no iterators, no comments, no streaming. Prices and ids must survive a round
// trip unchanged, which trees that turn numbers into doubles cannot promise.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <liaison/kit/text.hpp>

namespace liaison {

class JsonError : public BadData {
  public:
    JsonError(const std::string& text, std::size_t offset)
        : BadData("JSON, byte " + std::to_string(offset) + ": " + text), offset(offset) {}
    std::size_t offset;
};

class Json {
  public:
    enum class Kind { null, boolean, number, string, array, object };
    struct Member;
    using Array = std::vector<Json>;
    using Object = std::vector<Member>;
    static constexpr int max_depth = 64;
    static constexpr std::size_t max_number_length = 256;

    Json() noexcept;
    Json(std::nullptr_t) noexcept;
    template <std::same_as<bool> B>
    Json(B value) : Json(boolean(value)) {}
    template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char>) Json(I value)
        : Json(number(std::to_string(value))) {}
    Json(std::string text);
    Json(std::string_view text);
    Json(const char* text);
    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(const Json& other);
    Json& operator=(Json&& other) noexcept;
    ~Json();
    static Json boolean(bool value);
    static Json array();
    static Json object();
    // `text` must be a JSON number; it is kept as it is.
    static Json number(std::string text);

    // Throws JsonError. Of repeated keys in an object the last one counts.
    static Json parse(std::string_view text);
    std::string dump() const {
        std::string out;
        dump_to(out);
        return out;
    }
    void dump_to(std::string& out) const;

    Kind kind() const { return static_cast<Kind>(value_.index()); }
    bool is_null() const { return kind() == Kind::null; }
    bool is_bool() const { return kind() == Kind::boolean; }
    bool is_number() const { return kind() == Kind::number; }
    bool is_string() const { return kind() == Kind::string; }
    bool is_array() const { return kind() == Kind::array; }
    bool is_object() const { return kind() == Kind::object; }

    // These throw std::bad_variant_access for another kind: check first.
    bool as_bool() const { return std::get<bool>(value_); }
    const std::string& number_text() const { return std::get<Number>(value_).text; }
    const std::string& as_string() const { return std::get<std::string>(value_); }
    const Array& items() const { return std::get<Array>(value_); }
    Array& items() { return std::get<Array>(value_); }
    const Object& members() const { return std::get<Object>(value_); }
    Object& members() { return std::get<Object>(value_); }

    // The number as an integer, when it is written as one and fits.
    std::optional<std::int64_t> to_int() const;
    // String or number text, "true" or "false"; empty for everything else.
    std::string_view scalar_text() const;

    // Member of an object; nullptr when this is no object or has no such member.
    const Json* find(std::string_view key) const;
    Json* find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }
    // The same where it must be there: throws JsonError.
    const Json& get(std::string_view key) const;
    Json& set(std::string key, Json value);
    void push_back(Json value);

    // RFC 6901. `tokens` come from split_pointer(); "" is the whole document.
    const Json* at(std::span<const std::string> tokens) const;
    const Json* at(std::string_view pointer) const;
    // Creates what is missing on the way: an array before "0" or "-", else an object. Throws JsonError when a
    // scalar stands in the way or an array would get a hole.
    Json& place(std::span<const std::string> tokens);
    Json& place(std::string_view pointer);

    friend bool operator==(const Json& a, const Json& b);

  private:
    struct Number {
        std::string text;
        friend bool operator==(const Number&, const Number&) = default;
    };
    using Value = std::variant<std::monostate, bool, Number, std::string, Array, Object>;
    explicit Json(Value value);
    Value value_;
};

struct Json::Member {
    std::string key;
    Json value;
    friend bool operator==(const Member&, const Member&) = default;
};

// Out of line, as they need Member to be complete.
inline Json::Json() noexcept = default;
inline Json::Json(std::nullptr_t) noexcept {}
inline Json::Json(std::string text) : value_(std::move(text)) {}
inline Json::Json(std::string_view text) : value_(std::string(text)) {}
inline Json::Json(const char* text) : value_(std::string(text)) {}
inline Json::Json(Value value) : value_(std::move(value)) {}
inline Json::Json(const Json& other) = default;
inline Json::Json(Json&& other) noexcept = default;
inline Json& Json::operator=(const Json& other) = default;
inline Json& Json::operator=(Json&& other) noexcept = default;
inline Json::~Json() = default;
inline Json Json::boolean(bool value) { return Json(Value(value)); }
inline Json Json::array() { return Json(Value(Array())); }
inline Json Json::object() { return Json(Value(Object())); }
inline Json Json::number(std::string text) { return Json(Value(Number{std::move(text)})); }
inline bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

// Throws JsonError for a pointer that is neither empty nor begins with '/'.
inline std::vector<std::string> split_pointer(std::string_view pointer) {
    std::vector<std::string> tokens;
    if (pointer.empty()) return tokens;
    if (pointer.front() != '/') throw JsonError("a pointer begins with '/': " + std::string(pointer), 0);
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] == '/') {
            tokens.emplace_back();
        } else if (pointer[i] == '~') {
            const char next = i + 1 < pointer.size() ? pointer[++i] : '\0';
            if (next != '0' && next != '1') throw JsonError("'~' in a pointer is followed by 0 or 1", i);
            tokens.back().push_back(next == '0' ? '~' : '/');
        } else {
            tokens.back().push_back(pointer[i]);
        }
    }
    return tokens;
}

namespace json_parts {

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Json document() {
        Json root = value(0);
        blanks();
        if (at_ != text_.size()) fail("nothing may follow the document");
        return root;
    }

  private:
    [[noreturn]] void fail(const char* what) const { throw JsonError(what, at_); }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void blanks() {
        while (at_ < text_.size() && kit::is_blank(text_[at_])) ++at_;
    }
    void word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) fail("expected a value");
        at_ += expected.size();
    }

    Json value(int depth) {
        blanks();
        switch (peek()) {
            case '{': return object(depth + 1);
            case '[': return array(depth + 1);
            case '"': return Json(string());
            case 't': return word("true"), Json(true);
            case 'f': return word("false"), Json(false);
            case 'n': return word("null"), Json();
            default: return number();
        }
    }

    Json object(int depth) {
        if (depth > Json::max_depth) fail("nested too deeply");
        ++at_;
        Json result = Json::object();
        Json::Object& members = result.members();
        blanks();
        if (peek() == '}') return ++at_, result;
        std::size_t& usual = members_at_[static_cast<std::size_t>(depth)];
        members.reserve(usual);
        while (true) {
            blanks();
            if (peek() != '"') fail("expected a key");
            std::string key = string();
            blanks();
            if (peek() != ':') fail("expected ':'");
            ++at_;
            members.push_back({std::move(key), value(depth)});
            blanks();
            const char next = peek();
            if (next != ',' && next != '}') fail("expected ',' or '}'");
            ++at_;
            if (next == '}') break;
        }
        usual = std::min(members.size(), most_reserved);
        if (members.size() > 1) drop_repeated(members);
        return result;
    }

    static void drop_repeated(Json::Object& members);

    Json array(int depth) {
        if (depth > Json::max_depth) fail("nested too deeply");
        ++at_;
        Json result = Json::array();
        Json::Array& items = result.items();
        blanks();
        if (peek() == ']') return ++at_, result;
        while (true) {
            items.push_back(value(depth));
            blanks();
            const char next = peek();
            if (next != ',' && next != ']') fail("expected ',' or ']'");
            ++at_;
            if (next == ']') return result;
        }
    }

    void digits() {
        if (!kit::is_digit(peek())) fail("expected a digit");
        while (kit::is_digit(peek())) ++at_;
    }
    Json number() {
        const std::size_t start = at_;
        if (peek() == '-') ++at_;
        if (!kit::is_digit(peek())) fail("expected a value");
        if (peek() == '0') {
            ++at_;
        } else {
            digits();
        }
        if (peek() == '.') ++at_, digits();
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            digits();
        }
        if (at_ - start > Json::max_number_length) fail("the number is too long");
        return Json::number(std::string(text_.substr(start, at_ - start)));
    }

    // Moves over what needs no look: neither quote, backslash, control character nor a byte above 0x7F.
    void plain() {
        constexpr std::uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
        const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word & tops; };
        for (; at_ + sizeof(std::uint64_t) <= text_.size(); at_ += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, text_.data() + at_, sizeof word);
            const std::uint64_t control = (word - ones * 0x20) & ~word;
            if (((word | control) & tops) != 0 || has_zero(word ^ (ones * '"')) != 0 ||
                has_zero(word ^ (ones * '\\')) != 0)
                return;
        }
    }

    std::string string() {
        ++at_;
        std::string out;
        std::size_t run = at_;
        while (true) {
            plain();
            if (at_ >= text_.size()) fail("the text does not end");
            auto byte = static_cast<unsigned char>(text_[at_]);
            while (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
                if (++at_ >= text_.size()) fail("the text does not end");
                byte = static_cast<unsigned char>(text_[at_]);
            }
            if (byte == '"') break;
            if (byte < 0x20) fail("a control character in a text");
            if (byte == '\\') {
                out.append(text_.substr(run, at_ - run));
                escape(out);
                run = at_;
            } else {
                const std::size_t length = kit::utf8_sequence(text_.substr(at_));
                if (length == 0) fail("not UTF-8");
                at_ += length;
            }
        }
        out.append(text_.substr(run, at_ - run));
        ++at_;
        return out;
    }

    std::uint32_t unit() {
        std::uint32_t code = 0;
        const std::string_view hex = text_.substr(at_, 4);
        const auto end = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16).ptr;
        if (hex.size() != 4 || end != hex.data() + 4) fail("expected four hexadecimal digits");
        at_ += 4;
        return code;
    }
    void escape(std::string& out) {
        ++at_;
        const char c = peek();
        ++at_;
        switch (c) {
            case '"':
            case '\\':
            case '/': out.push_back(c); return;
            case 'b': out.push_back('\b'); return;
            case 'f': out.push_back('\f'); return;
            case 'n': out.push_back('\n'); return;
            case 'r': out.push_back('\r'); return;
            case 't': out.push_back('\t'); return;
            case 'u': break;
            default: --at_, fail("unknown escape");
        }
        // A lone surrogate becomes U+FFFD: one emoji cut in half must not cost a whole page of records.
        std::uint32_t code = unit();
        if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
            const std::size_t back = at_;
            at_ += 2;
            const std::uint32_t low = unit();
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            } else {
                at_ = back;
            }
        }
        if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
        kit::append_utf8(out, code);
    }

    // Records of a list are alike: an object gets the room that the one before it at its depth needed.
    static constexpr std::size_t most_reserved = 64;
    std::array<std::size_t, Json::max_depth + 1> members_at_{};

    std::string_view text_;
    std::size_t at_ = 0;
};

inline void Parser::drop_repeated(Json::Object& members) {
    // Keys are few: comparing lengths and first letters settles nearly every pair. Big objects pay for
    // sorting.
    static constexpr std::size_t few = 64;
    bool repeated = false;
    if (members.size() <= few) {
        for (std::size_t i = 1; i < members.size() && !repeated; ++i) {
            for (std::size_t j = 0; j < i && !repeated; ++j) repeated = members[i].key == members[j].key;
        }
    } else {
        std::vector<std::string_view> keys;
        for (const Json::Member& member : members) keys.push_back(member.key);
        std::sort(keys.begin(), keys.end());
        repeated = std::adjacent_find(keys.begin(), keys.end()) != keys.end();
    }
    if (!repeated) return;
    Json result = Json::object();
    for (Json::Member& member : members) result.set(std::move(member.key), std::move(member.value));
    members = std::move(result.members());
}

inline void dump_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    static constexpr auto is_special = [] {
        std::array<bool, 256> table{};
        for (std::size_t i = 0; i < 0x20; ++i) table[i] = true;
        table['"'] = table['\\'] = true;
        return table;
    }();
    out.push_back('"');
    std::size_t run = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (!is_special[byte]) continue;
        out.append(text.substr(run, i - run));
        run = i + 1;
        out.push_back('\\');
        switch (byte) {
            case '"':
            case '\\': out.push_back(static_cast<char>(byte)); break;
            case '\n': out.push_back('n'); break;
            case '\r': out.push_back('r'); break;
            case '\t': out.push_back('t'); break;
            default:
                out.append("u00");
                out.push_back(hex[byte >> 4]);
                out.push_back(hex[byte & 15]);
        }
    }
    out.append(text.substr(run));
    out.push_back('"');
}

// An array index in canonical form; nothing for "-", "01" and the like.
inline std::optional<std::size_t> index(std::string_view token) {
    if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) return std::nullopt;
    std::size_t value = 0;
    for (const char c : token) {
        if (!kit::is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<std::size_t>(c - '0');
    }
    return value;
}

}  // namespace json_parts

inline Json Json::parse(std::string_view text) { return json_parts::Parser(text).document(); }

inline void Json::dump_to(std::string& out) const {
    switch (kind()) {
        case Kind::null: out += "null"; return;
        case Kind::boolean: out += as_bool() ? "true" : "false"; return;
        case Kind::number: out += number_text(); return;
        case Kind::string: json_parts::dump_string(out, as_string()); return;
        case Kind::array: {
            char before = '[';
            for (const Json& item : items()) {
                out.push_back(std::exchange(before, ','));
                item.dump_to(out);
            }
            out += before == '[' ? "[]" : "]";
            return;
        }
        case Kind::object: {
            char before = '{';
            for (const Member& member : members()) {
                out.push_back(std::exchange(before, ','));
                json_parts::dump_string(out, member.key);
                out.push_back(':');
                member.value.dump_to(out);
            }
            out += before == '{' ? "{}" : "}";
            return;
        }
    }
}

inline std::optional<std::int64_t> Json::to_int() const {
    if (!is_number()) return std::nullopt;
    const std::string& text = number_text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

inline std::string_view Json::scalar_text() const {
    switch (kind()) {
        case Kind::boolean: return as_bool() ? "true" : "false";
        case Kind::number: return number_text();
        case Kind::string: return as_string();
        default: return {};
    }
}

inline const Json* Json::find(std::string_view key) const {
    if (!is_object()) return nullptr;
    for (const Member& member : members()) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

inline const Json& Json::get(std::string_view key) const {
    const Json* found = find(key);
    if (found == nullptr) throw JsonError("there is no \"" + std::string(key) + "\"", 0);
    return *found;
}

inline Json& Json::set(std::string key, Json value) {
    if (is_null()) value_ = Object();
    if (Json* existing = find(key)) return *existing = std::move(value);
    return members().emplace_back(Member{std::move(key), std::move(value)}).value;
}

inline void Json::push_back(Json value) {
    if (is_null()) value_ = Array();
    items().push_back(std::move(value));
}

inline const Json* Json::at(std::span<const std::string> tokens) const {
    const Json* here = this;
    for (const std::string& token : tokens) {
        if (here->is_array()) {
            const std::optional<std::size_t> index = json_parts::index(token);
            if (!index || *index >= here->items().size()) return nullptr;
            here = &here->items()[*index];
        } else {
            here = here->find(token);
            if (here == nullptr) return nullptr;
        }
    }
    return here;
}
inline const Json* Json::at(std::string_view pointer) const { return at(split_pointer(pointer)); }

inline Json& Json::place(std::span<const std::string> tokens) {
    Json* here = this;
    for (const std::string& token : tokens) {
        if (here->is_null()) *here = token == "0" || token == "-" ? Json::array() : Json::object();
        if (here->is_object()) {
            Json* next = here->find(token);
            here = next != nullptr ? next : &here->members().emplace_back(Member{token, Json()}).value;
        } else if (here->is_array()) {
            Array& items = here->items();
            const std::optional<std::size_t> index = token == "-" ? items.size() : json_parts::index(token);
            if (!index || *index > items.size())
                throw JsonError("no place in the array for '" + token + "'", 0);
            if (*index == items.size()) items.emplace_back();
            here = &items[*index];
        } else {
            throw JsonError("a value stands in the way of '" + token + "'", 0);
        }
    }
    return *here;
}
inline Json& Json::place(std::string_view pointer) { return place(split_pointer(pointer)); }

}  // namespace liaison
