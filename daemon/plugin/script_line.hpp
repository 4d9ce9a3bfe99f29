// One line of a connector script, cut into words, parts and values. The first problem stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace liaisond::plugin {

class ScriptLine {
  public:
    ScriptLine(std::string_view text, int number) : rest_(text), number_(number) { skip_blanks(); }

    int number() const { return number_; }
    const std::string& problem() const { return problem_; }
    void wrong(std::string text) {
        if (problem_.empty()) problem_ = std::move(text);
    }

    bool at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }
    char next() const { return rest_.empty() ? '\0' : rest_.front(); }
    // Up to the next blank.
    std::string word();
    // Up to two blanks or the end: URLs and headers have single ones inside.
    std::string part();
    // A number; `what` names it when it is none.
    std::int64_t number(std::string_view what);
    // "a \"JSON\" string", or a plain word.
    std::string value();
    // name=value; nothing when the line goes on otherwise.
    bool take(std::string_view name, std::string& value_out);
    // The rest of the line as a body: JSON text as written, a "text" decoded, or @file from `folder`.
    std::string body(const std::string& folder);
    boost::json::value json(const std::string& folder);

  private:
    void skip_blanks();
    std::string quoted();

    std::string_view rest_;
    int number_;
    std::string problem_;
};

}  // namespace liaisond::plugin
