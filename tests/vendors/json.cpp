#include "json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>

namespace liaison_sim {
namespace {

constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

// Receives Boost.JSON's parse events; a number's value is ignored, its text is kept.
struct Builder {
    static constexpr std::size_t max_object_size = no_limit;
    static constexpr std::size_t max_array_size = no_limit;
    static constexpr std::size_t max_key_size = no_limit;
    static constexpr std::size_t max_string_size = no_limit;
    using Error = boost::system::error_code;
    using View = boost::json::string_view;

    std::vector<Json> open;
    std::vector<std::string> keys;
    std::string text;
    Json root;
    std::string duplicate;

    bool add(Json value) {
        if (open.empty()) {
            root = std::move(value);
        } else if (open.back().is(Json::Kind::array)) {
            open.back().items().push_back(std::move(value));
        } else {
            open.back().members().push_back({std::move(keys.back()), std::move(value)});
            keys.pop_back();
        }
        return true;
    }
    bool part(View piece) {
        text.append(piece.data(), piece.size());
        return true;
    }
    std::string take(View piece) {
        part(piece);
        return std::exchange(text, {});
    }
    bool close() {
        Json value = std::move(open.back());
        open.pop_back();
        return add(std::move(value));
    }

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_array_begin(Error&) { return open.push_back(Json::array()), true; }
    bool on_array_end(std::size_t, Error&) { return close(); }
    bool on_object_begin(Error&) { return open.push_back(Json::object()), true; }
    bool on_object_end(std::size_t, Error& error) {
        std::vector<std::string_view> names;
        for (const auto& member : open.back().members()) names.push_back(member.key);
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice == names.end()) return close();
        duplicate = *twice;
        error = boost::json::error::syntax;
        return false;
    }
    bool on_key_part(View piece, std::size_t, Error&) { return part(piece); }
    bool on_key(View piece, std::size_t, Error&) { return keys.push_back(take(piece)), true; }
    bool on_string_part(View piece, std::size_t, Error&) { return part(piece); }
    bool on_string(View piece, std::size_t, Error&) { return add(Json::string(take(piece))); }
    bool on_number_part(View piece, Error&) { return part(piece); }
    bool on_int64(std::int64_t, View piece, Error&) { return add(Json::number(take(piece))); }
    bool on_uint64(std::uint64_t, View piece, Error&) { return add(Json::number(take(piece))); }
    bool on_double(double, View piece, Error&) { return add(Json::number(take(piece))); }
    bool on_bool(bool value, Error&) { return add(Json::boolean(value)); }
    bool on_null(Error&) { return add(Json()); }
    bool on_comment_part(View, Error&) { return true; }
    bool on_comment(View, Error&) { return true; }
};

}  // namespace

Json Json::boolean(bool value) {
    Json json;
    json.kind_ = Kind::boolean;
    json.truth_ = value;
    return json;
}

Json Json::number(std::string text) {
    Json json;
    json.kind_ = Kind::number;
    json.text_ = std::move(text);
    return json;
}

Json Json::integer(std::int64_t value) { return number(std::to_string(value)); }

Json Json::string(std::string text) {
    Json json;
    json.kind_ = Kind::string;
    json.text_ = std::move(text);
    return json;
}

Json Json::array() {
    Json json;
    json.kind_ = Kind::array;
    return json;
}

Json Json::object() {
    Json json;
    json.kind_ = Kind::object;
    return json;
}

std::optional<Json> Json::parse(std::string_view text, std::string& error) {
    boost::json::basic_parser<Builder> parser{boost::json::parse_options{}};
    boost::system::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (!failure && used < text.size()) failure = boost::json::error::extra_data;
    if (!failure) return std::move(parser.handler().root);
    const std::string& twice = parser.handler().duplicate;
    error = twice.empty() ? failure.message() : "key given twice: " + twice;
    error += " (at byte " + std::to_string(used) + ")";
    return std::nullopt;
}

std::optional<std::int64_t> Json::as_integer() const {
    std::int64_t value = 0;
    const char* end = text_.data() + text_.size();
    if (kind_ != Kind::number) return std::nullopt;
    const auto [stop, failure] = std::from_chars(text_.data(), end, value);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return value;
}

const Json* Json::find(std::string_view key) const {
    for (const auto& member : members_) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

std::string Json::text_of(std::string_view key) const {
    const Json* value = find(key);
    return value ? value->text_ : std::string{};
}

Json& Json::set(std::string_view key, Json value) {
    if (Json* existing = find(key)) {
        *existing = std::move(value);
    } else {
        members_.push_back({std::string(key), std::move(value)});
    }
    return *this;
}

void Json::erase(std::string_view key) {
    std::erase_if(members_, [&](const Member& member) { return member.key == key; });
}

void Json::merge_patch(const Json& patch) {
    if (!patch.is(Kind::object)) {
        *this = patch;
        return;
    }
    if (!is(Kind::object)) *this = object();
    for (const auto& member : patch.members_) {
        if (member.value.is(Kind::null)) {
            erase(member.key);
            continue;
        }
        if (!find(member.key)) set(member.key, Json());
        find(member.key)->merge_patch(member.value);
    }
}

std::string Json::serialize() const {
    std::string out;
    append_to(out);
    return out;
}

void Json::append_to(std::string& out) const {
    switch (kind_) {
        case Kind::null: out += "null"; break;
        case Kind::boolean: out += truth_ ? "true" : "false"; break;
        case Kind::number: out += text_; break;
        case Kind::string: append_quoted(out, text_); break;
        case Kind::array:
            out += '[';
            for (std::size_t i = 0; i < items_.size(); ++i) {
                if (i) out += ',';
                items_[i].append_to(out);
            }
            out += ']';
            break;
        case Kind::object:
            out += '{';
            for (std::size_t i = 0; i < members_.size(); ++i) {
                if (i) out += ',';
                append_quoted(out, members_[i].key);
                out += ':';
                members_[i].value.append_to(out);
            }
            out += '}';
            break;
    }
}

void append_quoted(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += hex[c >> 4];
            out += hex[c & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

void ObjectWriter::key(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    append_quoted(text_, name);
    text_ += ':';
}

ObjectWriter& ObjectWriter::string(std::string_view name, std::string_view value) {
    key(name);
    append_quoted(text_, value);
    return *this;
}

ObjectWriter& ObjectWriter::integer(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
}

ObjectWriter& ObjectWriter::boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

ObjectWriter& ObjectWriter::raw(std::string_view name, std::string_view json) {
    key(name);
    text_ += json;
    return *this;
}

std::string ObjectWriter::take() {
    text_ += '}';
    return std::move(text_);
}

}  // namespace liaison_sim
