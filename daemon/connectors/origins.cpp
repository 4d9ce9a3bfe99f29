#include "connectors/origins.hpp"

#include <utility>

namespace liaisond::connectors {
namespace json = boost::json;

namespace {

// Walks a schema and a value side by side.
class FormatFinder {
  public:
    FormatFinder(const json::object& root, std::string_view format) : root_(root), format_(format) {}
    std::vector<std::string> found;

    void visit(const json::value& schema, const json::value& value, int depth = 0) {
        const json::object* node = schema.if_object();
        if (node == nullptr || depth > 32) return;
        if (const json::value* reference = node->if_contains("$ref");
            reference != nullptr && reference->is_string()) {
            const std::string_view target(reference->get_string());
            boost::system::error_code error;
            const json::value* definition =
                target.starts_with("#") ? root_.find_pointer(target.substr(1), error) : nullptr;
            if (definition != nullptr) visit(*definition, value, depth + 1);
        }
        for (const char* choice : {"oneOf", "anyOf"}) {
            const json::value* list = node->if_contains(choice);
            if (list == nullptr || !list->is_array()) continue;
            for (const json::value& one : list->get_array()) visit(one, value, depth + 1);
        }
        const json::value* format = node->if_contains("format");
        if (value.is_string() && format != nullptr && format->is_string() && format->get_string() == format_)
            found.emplace_back(value.get_string());
        if (value.is_object()) members(*node, value.get_object(), depth);
        if (value.is_array() && node->contains("items")) {
            for (const json::value& item : value.get_array()) visit(node->at("items"), item, depth + 1);
        }
    }

  private:
    void members(const json::object& node, const json::object& value, int depth) {
        const json::value* properties = node.if_contains("properties");
        const json::value* additional = node.if_contains("additionalProperties");
        for (const auto& [name, member] : value) {
            const json::value* known = properties != nullptr && properties->is_object()
                                           ? properties->get_object().if_contains(name)
                                           : nullptr;
            if (known == nullptr) known = additional;
            if (known != nullptr) visit(*known, member, depth + 1);
        }
        if (properties != nullptr && properties->is_object())
            defaults(properties->get_object(), value, depth);
    }
    // What stands for a setting that is left out.
    void defaults(const json::object& properties, const json::object& value, int depth) {
        for (const auto& [name, property] : properties) {
            const json::object* known = property.if_object();
            if (known != nullptr && known->contains("default") && !value.contains(name))
                visit(property, known->at("default"), depth + 1);
        }
    }
    json::value root_;
    std::string_view format_;
};

}  // namespace

std::vector<std::string> strings_of_format(const json::object& schema, const json::value& settings,
                                           std::string_view format) {
    FormatFinder finder(schema, format);
    finder.visit(json::value(schema), settings);
    return std::move(finder.found);
}

std::vector<std::string> origins_of(const json::object& schema, const json::value& settings,
                                    const std::vector<std::string>& allow_hosts) {
    std::vector<std::string> origins = strings_of_format(schema, settings, "liaison-origin");
    origins.insert(origins.end(), allow_hosts.begin(), allow_hosts.end());
    return origins;
}

}  // namespace liaisond::connectors
