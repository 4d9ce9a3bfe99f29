#include "plugin/script_line.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>

namespace liaisond::plugin {

namespace json = boost::json;

void ScriptLine::skip_blanks() {
    const std::size_t at = rest_.find_first_not_of(" \t\r");
    rest_ = at == std::string_view::npos ? std::string_view() : rest_.substr(at);
}

std::string ScriptLine::word() {
    const std::string found(rest_.substr(0, rest_.find_first_of(" \t\r")));
    rest_.remove_prefix(found.size());
    skip_blanks();
    return found;
}

std::string ScriptLine::part() {
    std::string found(rest_.substr(0, rest_.find("  ")));
    rest_.remove_prefix(found.size());
    skip_blanks();
    found.resize(found.find_last_not_of(" \t\r") + 1);
    return found;
}

std::int64_t ScriptLine::number(std::string_view what) {
    const std::string text = word();
    std::int64_t parsed = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (problem != std::errc() || end != text.data() + text.size() || parsed < 0) {
        wrong("expected " + std::string(what) + ", found '" + text + "'");
    }
    return parsed;
}

std::string ScriptLine::quoted() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return wrong("a text lacks its closing quote"), std::string();
    boost::system::error_code problem;
    const json::value parsed = json::parse(rest_.substr(0, end + 1), problem);
    if (problem) return wrong("a text has an unknown escape: it is written as in JSON"), std::string();
    rest_.remove_prefix(end + 1);
    skip_blanks();
    return std::string(parsed.get_string());
}

std::string ScriptLine::value() { return next() == '"' ? quoted() : word(); }

bool ScriptLine::take(std::string_view name, std::string& value_out) {
    if (!rest_.starts_with(name) || rest_.substr(name.size(), 1) != "=") return false;
    rest_.remove_prefix(name.size() + 1);
    // A blank right after `=` is an empty value, not the next word.
    value_out = rest_.empty() || rest_.front() == ' ' ? std::string() : value();
    skip_blanks();
    return true;
}

std::string ScriptLine::body(const std::string& folder) {
    std::string text(rest_);
    if (next() == '"') {
        text = quoted();
        if (!at_end()) wrong("text after the body");
        return text;
    }
    rest_ = {};
    if (text.empty() || text.front() != '@') return text;
    std::ifstream file(folder + text.substr(1), std::ios::binary);
    if (!file) return wrong("file " + folder + text.substr(1) + " cannot be read"), std::string();
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
}

json::value ScriptLine::json(const std::string& folder) {
    boost::system::error_code problem;
    json::value parsed = json::parse(body(folder), problem);
    if (problem) wrong("not JSON: " + problem.message());
    return parsed;
}

}  // namespace liaisond::plugin
