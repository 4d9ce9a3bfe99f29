// A JSON document that keeps every number as the text it arrived in, so 12.50 stays 12.50 and 0.1 never
// meets a double. Boost.JSON does the parsing (strict, UTF-8 checked); duplicate keys are refused.
// ObjectWriter builds an object's text directly, for seeding without a document in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liaison_sim {

class Json {
  public:
    enum class Kind { null, boolean, number, string, array, object };
    struct Member;

    Json() = default;
    static Json boolean(bool value);
    static Json number(std::string text);
    static Json integer(std::int64_t value);
    static Json string(std::string text);
    static Json array();
    static Json object();

    // Nothing and a message in `error` when the text is not one JSON document.
    static std::optional<Json> parse(std::string_view text, std::string& error);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool truth() const { return truth_; }
    // The characters of a string or the digits of a number, empty otherwise.
    const std::string& text() const { return text_; }
    // Only a number without fraction or exponent that fits 64 bits.
    std::optional<std::int64_t> as_integer() const;

    std::vector<Json>& items() { return items_; }
    const std::vector<Json>& items() const { return items_; }
    std::vector<Member>& members() { return members_; }
    const std::vector<Member>& members() const { return members_; }
    const Json* find(std::string_view key) const;
    Json* find(std::string_view key);
    // The text of a string or number member, empty when there is none.
    std::string text_of(std::string_view key) const;
    Json& set(std::string_view key, Json value);
    void erase(std::string_view key);

    // RFC 7396: null removes, objects merge, everything else replaces.
    void merge_patch(const Json& patch);

    std::string serialize() const;
    void append_to(std::string& out) const;

  private:
    Kind kind_ = Kind::null;
    bool truth_ = false;
    std::string text_;
    std::vector<Json> items_;
    std::vector<Member> members_;
};

struct Json::Member {
    std::string key;
    Json value;
};

void append_quoted(std::string& out, std::string_view text);

class ObjectWriter {
  public:
    ObjectWriter() { text_.reserve(700); }
    ObjectWriter& string(std::string_view key, std::string_view value);
    ObjectWriter& integer(std::string_view key, std::int64_t value);
    ObjectWriter& boolean(std::string_view key, bool value);
    // Any JSON text: a number with its exact digits, an array, an object.
    ObjectWriter& raw(std::string_view key, std::string_view json);
    std::string take();

  private:
    void key(std::string_view name);
    std::string text_ = "{";
};

}  // namespace liaison_sim
