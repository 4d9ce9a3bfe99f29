// Takes elements out of an XML text without parsing it into anything that could be kept: what card data and
// the like goes through before it is logged, recorded or read.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/text.hpp>

namespace liaison::kit {

namespace xml_parts {

// "soap:Guarantee" is "Guarantee".
inline std::string_view local_name(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

inline bool is_named(std::string_view local, const std::vector<std::string>& names) {
    const std::string given = lowered(local);
    for (const std::string& name : names) {
        const std::string wanted = lowered(name);
        const bool is_beginning = wanted.ends_with('*');
        if (is_beginning ? given.starts_with(wanted.substr(0, wanted.size() - 1)) : given == wanted)
            return true;
    }
    return false;
}

// Just behind `end`, searched from `at`; the end of the text where it is missing.
inline std::size_t behind(std::string_view text, std::size_t at, std::string_view end) {
    const std::size_t found = text.find(end, at);
    return found == std::string_view::npos ? text.size() : found + end.size();
}

// Just behind the tag that begins at `at`; a > in quotes ends none.
inline std::size_t behind_tag(std::string_view text, std::size_t at) {
    char quote = '\0';
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return at + 1;
        }
    }
    return text.size();
}

struct Token {
    enum class Kind { text, open, close, empty, comment } kind = Kind::text;
    std::size_t end = 0;  // just behind it
    std::string_view name;
};

inline Token token_at(std::string_view text, std::size_t at) {
    using Kind = Token::Kind;
    if (text[at] != '<') return {Kind::text, std::min(text.find('<', at), text.size()), {}};
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("<!--")) return {Kind::comment, behind(text, at + 4, "-->"), {}};
    if (rest.starts_with("<![CDATA[")) return {Kind::text, behind(text, at + 9, "]]>"), {}};
    if (rest.starts_with("<?")) return {Kind::text, behind(text, at + 2, "?>"), {}};
    if (rest.starts_with("<!")) return {Kind::text, behind_tag(text, at), {}};
    const bool closes = rest.starts_with("</");
    const std::size_t from = at + (closes ? 2 : 1), end = behind_tag(text, at);
    const std::size_t stop = std::min(text.find_first_of(" \t\r\n/>", from), end);
    const bool is_empty = end >= at + 3 && text.substr(end - 2, 2) == "/>";
    return {closes ? Kind::close : is_empty ? Kind::empty : Kind::open, end, text.substr(from, stop - from)};
}

}  // namespace xml_parts

// The text with every element of these local names (compared without case and prefix; "cc_*" is a beginning)
// emptied, attributes and all: <Guarantee/> says that there was one. What is not closed goes to the end, and
// of a text in another encoding than UTF-8, in which no name would be seen, nothing remains.
inline std::string without_elements(std::string_view text, const std::vector<std::string>& names) {
    using Kind = xml_parts::Token::Kind;
    if (text.find('\0') != std::string_view::npos) return {};
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const xml_parts::Token token = xml_parts::token_at(text, at);
        const bool begins = token.kind == Kind::open || token.kind == Kind::empty;
        if (!begins || !xml_parts::is_named(xml_parts::local_name(token.name), names)) {
            out += text.substr(at, token.end - at);
            at = token.end;
            continue;
        }
        out.append("<").append(token.name).append("/>");
        at = token.end;
        for (int depth = token.kind == Kind::open ? 1 : 0; depth > 0 && at < text.size();) {
            const xml_parts::Token inner = xml_parts::token_at(text, at);
            if (inner.name == token.name && inner.kind == Kind::open) ++depth;
            if (inner.name == token.name && inner.kind == Kind::close) --depth;
            at = inner.end;
        }
    }
    return out;
}

}  // namespace liaison::kit
