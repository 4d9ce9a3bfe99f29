// One compiled subschema. Only for the sources of Schema.
#pragma once

#include <algorithm>
#include <boost/json/value.hpp>
#include <boost/regex.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/schema.hpp"

namespace liaisond {

enum TypeBit : unsigned {
    null_bit = 1,
    boolean_bit = 2,
    integer_bit = 4,
    number_bit = 8,
    string_bit = 16,
    array_bit = 32,
    object_bit = 64
};

struct Schema::Node {
    struct Property {
        std::string name;
        const Node* node;
    };
    bool never = false;                       // the schema `false`
    unsigned types = 0;                       // zero: any
    std::vector<boost::json::value> allowed;  // enum and const
    std::vector<Property> properties;         // in order of name
    std::vector<std::string> required;
    const Node* additional = nullptr;  // null: anything goes
    const Node* items = nullptr;
    const Node* reference = nullptr;
    std::vector<const Node*> one_of, any_of;
    std::optional<std::int64_t> minimum, maximum;
    std::optional<std::uint64_t> min_length, max_length, min_items, max_items;
    std::optional<boost::regex> pattern;
    std::string pattern_text, format;

    const Node* property(std::string_view name) const {
        const auto at = std::lower_bound(properties.begin(), properties.end(), name,
                                         [](const Property& p, std::string_view n) { return p.name < n; });
        return at != properties.end() && at->name == name ? at->node : nullptr;
    }
};

}  // namespace liaisond
