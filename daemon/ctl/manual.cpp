#include "ctl/manual.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "ctl/help.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

// Text as roff takes it literally.
std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '"')
            out += "\\(dq";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    return out;
}

// A line of its own, which shall not be taken for a request.
std::string line(std::string_view text) {
    const std::string safe = literal(text);
    return (safe.starts_with('.') || safe.starts_with('\'') ? "\\&" : "") + safe + "\n";
}

// Each sentence on a line of its own, with a full stop.
std::string sentences(std::string_view text) {
    std::string whole(text), out;
    if (whole.empty()) return {};
    if (whole.back() != '.') whole += '.';
    std::size_t from = 0;
    for (std::size_t at = whole.find(". "); at != std::string::npos; at = whole.find(". ", from)) {
        out += line(whole.substr(from, at + 1 - from));
        from = at + 2;
    }
    return out + line(whole.substr(from));
}

std::string capitalised(std::string_view text) {
    std::string out(text);
    if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
        out.front() = static_cast<char>(out.front() - 32);
    return out;
}

std::string option_head(const KnownOption& option) {
    std::string head = ".It";
    for (const std::string& name : option.names) {
        head += (&name == &option.names.front() ? " Fl " : " , Fl ") + literal(name.substr(1));
        if (!option.value.empty()) head += " Ar " + literal(option.value);
    }
    return head + "\n";
}

std::string command_entry(const KnownCommand& command, const Guide& guide) {
    std::string text = ".It Cm " + literal(command.path);
    if (!guide.usage.empty()) text += " No \"" + literal(guide.usage) + "\"";
    text += "\n" + sentences(capitalised(guide.purpose));
    if (!command.options.empty()) {
        text += ".Bl -tag -width Ds -compact\n";
        for (const KnownOption& option : command.options)
            text += option_head(option) + sentences(option.purpose);
        text += ".El\n";
    }
    return text + ".Pp\n.Dl $ " + literal(guide.example) + "\n";
}

// The keys of a JSON Schema as one list for each section.
class Keys {
  public:
    explicit Keys(const json::value& schema) : root_(schema.as_object()) {}

    std::string text() {
        for (const auto& [name, section] : root_.at("properties").as_object()) {
            text_ += ".Ss " + std::string(name) + "\n";
            if (const json::value* words = section.as_object().if_contains("description"))
                text_ += sentences(words->as_string());
            text_ += ".Bl -tag -width Ds\n";
            members(section, std::string(name));
            text_ += ".El\n";
        }
        return text_;
    }

  private:
    // What a reference leads to, and its name.
    const json::object& resolved(const json::object& schema, std::string& name) const {
        const json::value* reference = schema.if_contains("$ref");
        if (reference == nullptr) return schema;
        const std::string target(reference->as_string());
        name = target.substr(target.rfind('/') + 1);
        return root_.at("$defs").at(name).as_object();
    }

    static const json::array& choices(const json::object& schema) {
        static const json::array none;
        const json::value* all = schema.if_contains("anyOf");
        return all == nullptr ? none : all->get_array();
    }

    // Everything below a key. An object that stands in several places is told once.
    void members(const json::value& value, const std::string& path) {
        std::string name;
        const json::object& schema = resolved(value.as_object(), name);
        for (const json::value& choice : choices(schema)) members(choice, path);
        if (const json::value* properties = schema.if_contains("properties")) {
            for (const auto& [key, member] : properties->as_object())
                entry(member, path + "." + std::string(key));
        }
        const json::value* others = schema.if_contains("additionalProperties");
        if (others == nullptr || !others->is_object()) return;
        std::string kind;
        const json::object& other = resolved(others->as_object(), kind);
        if (!other.contains("properties")) return;
        std::transform(kind.begin(), kind.end(), kind.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        members(other, path + "." + kind);
    }

    void entry(const json::value& value, const std::string& path) {
        std::string name;
        const json::object& given = value.as_object();
        const json::object& schema = resolved(given, name);
        text_ += ".It Ic " + literal(path) + "\n";
        const json::value* words = given.if_contains("description");
        if (words == nullptr) words = schema.if_contains("description");
        if (words != nullptr) text_ += sentences(words->as_string());
        const auto known = told_.find(name);
        if (known != told_.end()) {
            text_ += line("Takes what " + known->second + " takes.");
            return;
        }
        if (!name.empty() && schema.contains("properties")) told_[name] = path;
        text_ += line("Value: " + type_of(schema, name) + ".");
        fact(schema, "default", "Default:");
        fact(schema, "examples", "Example:");
        members(value, path);
    }

    void fact(const json::object& schema, const char* key, const char* title) {
        const json::value* value = schema.if_contains(key);
        if (value == nullptr) return;
        if (key == std::string_view("examples")) value = &value->as_array().front();
        text_ += line(title + (" " + json::serialize(*value)));
    }

    std::string type_of(const json::object& schema, const std::string& name) const {
        if (name == "duration") return "a duration";
        if (const json::value* values = schema.if_contains("enum")) {
            std::vector<std::string> words;
            for (const json::value& one : values->as_array()) words.emplace_back(one.as_string());
            return list_of(words);
        }
        std::vector<std::string> kinds;
        for (const json::value& choice : choices(schema)) {
            std::string inner;
            const json::object& one = resolved(choice.as_object(), inner);
            kinds.push_back(type_of(one, inner));
        }
        if (!kinds.empty()) return list_of(kinds);
        const json::value* type = schema.if_contains("type");
        if (type == nullptr) return "anything";
        if (type->is_string()) return spoken(type->get_string(), schema);
        for (const json::value& one : type->as_array()) {
            if (one != "null") kinds.push_back(spoken(one.as_string(), schema));
        }
        return list_of(kinds);
    }

    std::string spoken(std::string_view type, const json::object& schema) const {
        if (type == "integer") return "a whole number" + range_of(schema);
        if (type == "boolean") return "true or false";
        if (type == "array") return "a list";
        if (type == "object") return "a mapping";
        return "text";
    }

    static std::string range_of(const json::object& schema) {
        const json::value* least = schema.if_contains("minimum");
        const json::value* most = schema.if_contains("maximum");
        if (least == nullptr) return {};
        return " from " + json::serialize(*least) +
               (most == nullptr ? " on" : " to " + json::serialize(*most));
    }

    const json::object& root_;
    std::map<std::string, std::string> told_;  // by name of the definition: where it was told
    std::string text_;
};

}  // namespace

std::string manual_of_commands(const std::vector<KnownCommand>& commands) {
    std::vector<std::string_view> groups;
    std::map<std::string_view, std::string> entries;
    for (const KnownCommand& command : commands) {
        const Guide* guide = ctl::guide(command.path);
        if (guide == nullptr || guide->group.empty()) continue;
        if (!entries.contains(guide->group)) groups.push_back(guide->group);
        entries[guide->group] += command_entry(command, *guide);
    }
    std::string text;
    for (const std::string_view group : groups)
        text += ".Ss " + std::string(group) + "\n.Bl -tag -width Ds\n" + entries[group] + ".El\n";
    text += ".Ss Options for every command\n.Bl -tag -width Ds\n";
    for (const KnownOption& option : commands.front().options)
        text += option_head(option) + sentences(option.purpose);
    return text + ".El\n";
}

std::string manual_of_keys(const json::value& schema) { return Keys(schema).text(); }

}  // namespace liaisond::ctl
