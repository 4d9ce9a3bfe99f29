#include "base/schema.hpp"

#include <boost/json/serialize.hpp>
#include <map>

#include "base/json.hpp"
#include "base/schema_node.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace liaisond {
namespace json = boost::json;

Schema::Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

namespace {

constexpr std::pair<std::string_view, unsigned> type_names[] = {
    {"null", null_bit},       {"boolean", boolean_bit},
    {"integer", integer_bit}, {"number", number_bit | integer_bit},
    {"string", string_bit},   {"array", array_bit},
    {"object", object_bit}};

}  // namespace

class SchemaCompiler {
  public:
    explicit SchemaCompiler(const json::value& document) : document_(document) {}

    Result<Schema> run() {
        schema_.root_ = compile(document_, "");
        if (error_.empty()) refuse_circles();
        if (error_.empty()) read_references();
        if (error_.empty()) read_places("x-match", schema_.match_);
        if (error_.empty()) read_places("x-personal", schema_.personal_);
        if (error_.empty()) read_over_field();
        if (error_.empty()) read_transitions();
        if (error_.empty()) read_cancel_fields();
        if (!error_.empty()) return fail(ErrorKind::config, "the schema is not usable: " + error_);
        return std::move(schema_);
    }

  private:
    using Node = Schema::Node;

    const Node* compile(const json::value& value, const std::string& pointer) {
        if (const auto known = by_pointer_.find(pointer); known != by_pointer_.end()) return known->second;
        Node& node = *schema_.nodes_.emplace_back(std::make_unique<Node>());
        by_pointer_[pointer] = &node;  // first, so that recursive $refs end
        if (value.is_bool()) {
            node.never = !value.get_bool();
            return &node;
        }
        if (!value.is_object()) return refuse(pointer, "is neither an object nor true or false"), &node;
        for (const auto& [key, argument] : value.get_object())
            keyword(node, key, argument, pointer + "/" + pointer_token(key));
        return &node;
    }

    // A schema that asks itself about the same value would never have an answer.
    void refuse_circles() {
        std::map<const Node*, bool> is_done;  // false: on the way
        const auto visit = [&](const auto& self, const Node* node) -> bool {
            const auto [at, is_new] = is_done.try_emplace(node, false);
            if (!is_new) return at->second;
            const auto ends = [&](const Node* next) { return self(self, next); };
            if (node->reference != nullptr && !ends(node->reference)) return false;
            if (!std::all_of(node->one_of.begin(), node->one_of.end(), ends)) return false;
            if (!std::all_of(node->any_of.begin(), node->any_of.end(), ends)) return false;
            is_done[node] = true;
            return true;
        };
        for (const auto& [pointer, node] : by_pointer_) {
            if (!visit(visit, node)) return refuse(pointer, "refers to itself");
        }
    }

    void refuse(const std::string& pointer, const std::string& what) {
        if (error_.empty()) error_ = (pointer.empty() ? "the root" : pointer) + " " + what;
    }

    void keyword(Node& node, std::string_view key, const json::value& argument, const std::string& at) {
        static const std::vector<std::string> annotations{
            "title",   "description",   "default",  "examples",     "$defs",
            "$schema", "$id",           "$comment", "x-references", "x-match",
            "x-order", "x-transitions", "x-cancel", "x-personal",   "x-over"};
        if (key == "type") return types(node, argument, at);
        if (key == "enum" && argument.is_array())
            return void(node.allowed.assign(argument.get_array().begin(), argument.get_array().end()));
        if (key == "const") return node.allowed.push_back(argument);
        if (key == "properties" && argument.is_object()) return properties(node, argument.get_object(), at);
        if (key == "required" && argument.is_array()) {
            for (const json::value& name : argument.get_array())
                node.required.emplace_back(name.is_string() ? name.get_string().c_str() : "");
            return;
        }
        if (key == "additionalProperties") return void(node.additional = compile(argument, at));
        if (key == "items") return void(node.items = compile(argument, at));
        if (key == "oneOf" && argument.is_array()) return alternatives(node.one_of, argument.get_array(), at);
        if (key == "anyOf" && argument.is_array()) return alternatives(node.any_of, argument.get_array(), at);
        if (key == "minimum") return number(node.minimum, argument, at);
        if (key == "maximum") return number(node.maximum, argument, at);
        if (key == "minLength") return number(node.min_length, argument, at);
        if (key == "maxLength") return number(node.max_length, argument, at);
        if (key == "minItems") return number(node.min_items, argument, at);
        if (key == "maxItems") return number(node.max_items, argument, at);
        if (key == "format" && argument.is_string()) return void(node.format = argument.get_string());
        if (key == "pattern" && argument.is_string()) return pattern(node, argument, at);
        if (key == "$ref" && argument.is_string()) return reference(node, argument, at);
        if (std::find(annotations.begin(), annotations.end(), key) != annotations.end()) return;
        refuse(at, "is a keyword that liaison does not know, or has the wrong kind of value");
    }

    void types(Node& node, const json::value& argument, const std::string& at) {
        const json::array one{argument};
        for (const json::value& name : argument.is_array() ? argument.get_array() : one) {
            unsigned bit = 0;
            for (const auto& [known, value] : type_names) {
                if (name.is_string() && name.get_string() == known) bit = value;
            }
            if (bit == 0) refuse(at, "names an unknown type");
            node.types |= bit;
        }
    }

    void properties(Node& node, const json::object& members, const std::string& at) {
        for (const auto& [name, schema] : members) {
            node.properties.push_back({std::string(name), compile(schema, at + "/" + pointer_token(name))});
        }
        std::sort(node.properties.begin(), node.properties.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
    }

    void alternatives(std::vector<const Node*>& into, const json::array& schemas, const std::string& at) {
        for (std::size_t i = 0; i < schemas.size(); ++i)
            into.push_back(compile(schemas[i], at + "/" + std::to_string(i)));
    }

    template <class T>
    void number(std::optional<T>& into, const json::value& argument, const std::string& at) {
        if (argument.is_int64())
            into = static_cast<T>(argument.get_int64());
        else
            refuse(at, "must be a whole number");
    }

    void pattern(Node& node, const json::value& argument, const std::string& at) {
        node.pattern_text = argument.get_string();
        try {
            node.pattern = boost::regex(node.pattern_text, boost::regex::ECMAScript | boost::regex::optimize);
        } catch (const boost::regex_error&) { refuse(at, "is not a regular expression"); }
    }

    void reference(Node& node, const json::value& argument, const std::string& at) {
        const std::string_view target(argument.get_string());
        boost::system::error_code error;
        const json::value* found =
            target.starts_with("#") ? document_.find_pointer(target.substr(1), error) : nullptr;
        if (found == nullptr) return refuse(at, "points to nothing in this document");
        node.reference = compile(*found, std::string(target.substr(1)));
    }

    void read_references() {
        const json::object* root = document_.if_object();
        const json::value* list = root != nullptr ? root->if_contains("x-references") : nullptr;
        if (list == nullptr || !list->is_array()) return;
        for (const json::value& one : list->get_array()) {
            const json::value* pointer = one.is_object() ? one.get_object().if_contains("pointer") : nullptr;
            const json::value* entity = one.is_object() ? one.get_object().if_contains("entity") : nullptr;
            if (pointer == nullptr || entity == nullptr || !pointer->is_string() || !entity->is_string()) {
                return refuse("/x-references", "needs objects of a pointer and an entity");
            }
            Schema::Reference reference{{}, std::string(entity->get_string())};
            reference.path = pointer_keys(pointer->get_string());
            schema_.references_.push_back(std::move(reference));
        }
    }

    // A list of places by pointer, at the root.
    void read_places(const char* key, std::vector<std::vector<std::string>>& places) {
        const json::object* root = document_.if_object();
        const json::value* list = root != nullptr ? root->if_contains(key) : nullptr;
        if (list == nullptr) return;
        const std::string at = std::string("/") + key;
        if (!list->is_array()) return refuse(at, "needs a list of pointers");
        for (const json::value& one : list->get_array()) {
            if (!one.is_string()) return refuse(at, "needs a list of pointers");
            places.push_back(pointer_keys(one.get_string()));
        }
    }

    void read_over_field() {
        const json::object* root = document_.if_object();
        const json::value* name = root != nullptr ? root->if_contains("x-over") : nullptr;
        if (name == nullptr) return;
        if (!name->is_string()) return refuse("/x-over", "needs the name of a field");
        schema_.over_field_ = std::string(name->get_string());
    }

    void read_cancel_fields() {
        const json::object* root = document_.if_object();
        const json::value* list = root != nullptr ? root->if_contains("x-cancel") : nullptr;
        if (list == nullptr) return;
        if (!list->is_array()) return refuse("/x-cancel", "needs a list of names");
        for (const json::value& one : list->get_array()) {
            if (!one.is_string()) return refuse("/x-cancel", "needs a list of names");
            schema_.cancel_fields_.emplace_back(one.get_string());
        }
    }

    void read_transitions() {
        const json::object* root = document_.if_object();
        const json::value* fields = root != nullptr ? root->if_contains("x-transitions") : nullptr;
        if (fields == nullptr) return;
        const char* shape = "needs, by pointer, an object of lists of states";
        if (!fields->is_object()) return refuse("/x-transitions", shape);
        for (const auto& [pointer, states] : fields->get_object()) {
            if (!states.is_object()) return refuse("/x-transitions", shape);
            Schema::Transitions& field = schema_.transitions_.emplace_back();
            field.pointer = pointer;
            for (const auto& [from, list] : states.get_object()) {
                std::vector<std::string>& to = field.allowed[std::string(from)];
                if (!list.is_array()) return refuse("/x-transitions", shape);
                for (const json::value& state : list.get_array()) {
                    if (!state.is_string()) return refuse("/x-transitions", shape);
                    to.emplace_back(state.get_string());
                }
            }
        }
    }

    const json::value& document_;
    Schema schema_;
    std::map<std::string, const Node*> by_pointer_;
    std::string error_;
};

bool Schema::Transitions::allows(std::string_view from, std::string_view to) const {
    const auto known = allowed.find(from);
    return known == allowed.end() ||
           std::find(known->second.begin(), known->second.end(), to) != known->second.end();
}

Result<Schema> Schema::compile(const json::value& document) { return SchemaCompiler(document).run(); }

namespace {

using Node = Schema::Node;

unsigned type_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null: return null_bit;
        case json::kind::bool_: return boolean_bit;
        case json::kind::int64:
        case json::kind::uint64: return integer_bit;
        case json::kind::double_: return number_bit;
        case json::kind::string: return string_bit;
        case json::kind::array: return array_bit;
        case json::kind::object: return object_bit;
    }
    return 0;
}

std::string type_list(unsigned types) {
    std::vector<std::string> names;
    for (const auto& [name, bit] : type_names) {
        if ((types & bit) == bit && !(name == "integer" && (types & number_bit) != 0))
            names.emplace_back(name);
    }
    return list_of(names);
}

std::string shown(const json::value& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    return shortened(json::serialize(value), 80);
}

// Counts code points, as the standard asks.
std::uint64_t length_of(std::string_view text) {
    std::uint64_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    return count;
}

class Checker {
  public:
    explicit Checker(std::size_t limit) : limit_(limit) {}
    std::vector<Schema::Fault> faults;

    // The path is kept as a chain on the stack and turned into text only for a fault.
    struct Place {
        const Place* parent;
        std::string_view key;
        std::size_t index;
    };

    void check(const Node& node, const json::value& value, const Place* place) {
        if (faults.size() >= limit_) return;
        if (node.reference != nullptr) check(*node.reference, value, place);
        if (node.never) return fault(place, "is not allowed here");
        const unsigned type = type_of(value);
        if (node.types != 0 && (node.types & type) == 0) {
            const bool lacks_unit = node.format == "duration" && (type & integer_bit) != 0;
            const std::string expected = lacks_unit
                                             ? "; write it with its unit, such as 250ms, 30s, 5m, 2h or 7d"
                                             : "; expected " + type_list(node.types);
            return fault(place, "is " + shown(value) + expected);
        }
        if (!node.allowed.empty()) allowed(node, value, place);
        if (type == string_bit) string(node, value.get_string(), place);
        if (type == integer_bit) integer(node, value, place);
        if (type == array_bit) array(node, value.get_array(), place);
        if (type == object_bit) object(node, value.get_object(), place);
        alternatives(node, value, place);
    }

  private:
    // Some patterns take for ever on some texts; the matcher gives up by throwing.
    static bool is_found(const boost::regex& pattern, std::string_view text) {
        try {
            return boost::regex_search(text.begin(), text.end(), pattern);
        } catch (const std::runtime_error&) { return false; }
    }

    void fault(const Place* place, std::string message, bool about_key = false) {
        std::string pointer;
        for (; place != nullptr; place = place->parent) {
            const std::string token =
                place->key.data() != nullptr ? pointer_token(place->key) : std::to_string(place->index);
            pointer.insert(0, "/" + token);
        }
        faults.push_back({std::move(pointer), std::move(message), about_key});
    }

    void allowed(const Node& node, const json::value& value, const Place* place) {
        std::vector<std::string> words;
        for (const json::value& one : node.allowed) {
            if (one == value) return;
            words.push_back(one.is_string() ? std::string(one.get_string()) : json::serialize(one));
        }
        const std::string hint = value.is_string() ? did_you_mean(value.get_string(), words) : std::string();
        fault(place, "is " + shown(value) + "; allowed: " + list_of(words) + hint);
    }

    void string(const Node& node, std::string_view text, const Place* place) {
        if (node.min_length || node.max_length) {
            const std::uint64_t length = length_of(text);
            if (node.min_length && length < *node.min_length) {
                fault(place, length == 0 ? "is empty"
                                         : "has " + std::to_string(length) + " characters; at least " +
                                               std::to_string(*node.min_length) + " are needed");
            }
            if (node.max_length && length > *node.max_length) {
                fault(place, "has " + std::to_string(length) + " characters; at most " +
                                 std::to_string(*node.max_length) + " are allowed");
            }
        }
        if (node.pattern && !is_found(*node.pattern, text)) {
            fault(place,
                  "is '" + shortened(text, 80) + "', which does not have the form " + node.pattern_text);
        }
        if (node.format == "date" && !is_date(text))
            fault(place, "is '" + shortened(text, 80) + "'; expected a date such as 2026-03-06");
        if (node.format == "date-time" && !parse_instant(text)) {
            fault(place,
                  "is '" + shortened(text, 80) + "'; expected an instant such as 2026-03-06T19:30:00Z");
        }
    }

    static bool is_date(std::string_view text) {
        return text.size() == 10 && parse_instant(std::string(text) + "T00:00:00Z").has_value();
    }

    void integer(const Node& node, const json::value& value, const Place* place) {
        const bool huge = value.is_uint64() && value.get_uint64() > INT64_MAX;
        const std::int64_t number = huge ? INT64_MAX : value.to_number<std::int64_t>();
        if (node.minimum && number < *node.minimum)
            fault(place, "is " + shown(value) + ", below the minimum " + std::to_string(*node.minimum));
        if (node.maximum && (huge || number > *node.maximum))
            fault(place, "is " + shown(value) + ", above the maximum " + std::to_string(*node.maximum));
    }

    void array(const Node& node, const json::array& items, const Place* place) {
        const auto elements = [](std::uint64_t n) {
            return std::to_string(n) + (n == 1 ? " element" : " elements");
        };
        const auto are = [](std::uint64_t n) { return n == 1 ? " is " : " are "; };
        const std::string size = items.empty() ? "is an empty list" : "has " + elements(items.size());
        if (node.min_items && items.size() < *node.min_items)
            fault(place, size + "; at least " + elements(*node.min_items) + are(*node.min_items) + "needed");
        if (node.max_items && items.size() > *node.max_items)
            fault(place, size + "; at most " + elements(*node.max_items) + are(*node.max_items) + "allowed");
        if (node.items == nullptr) return;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Place inside{place, std::string_view(nullptr, 0), i};
            check(*node.items, items[i], &inside);
        }
    }

    void object(const Node& node, const json::object& members, const Place* place) {
        for (const std::string& name : node.required) {
            if (!members.contains(name)) fault(place, "lacks '" + name + "'");
        }
        if (node.properties.empty() && node.additional == nullptr) return;
        for (const auto& member : members) {
            const Place inside{place, member.key(), 0};
            const Node* known = node.property(member.key());
            if (known == nullptr) known = node.additional;
            if (known == nullptr) continue;
            if (known->never)
                unknown_key(node, member.key(), inside);
            else
                check(*known, member.value(), &inside);
        }
    }

    void unknown_key(const Node& node, std::string_view key, const Place& place) {
        std::vector<std::string> names;
        for (const Node::Property& property : node.properties) names.push_back(property.name);
        const std::string hint = did_you_mean(key, names);
        fault(&place,
              "is not a known key" + (hint.empty() && !names.empty() ? "; allowed: " + list_of(names) : hint),
              true);
    }

    void alternatives(const Node& node, const json::value& value, const Place* place) {
        if (!node.any_of.empty()) one_matches(node.any_of, value, place, false);
        if (!node.one_of.empty()) one_matches(node.one_of, value, place, true);
    }

    // Where nothing matches, the faults of the alternative that came closest are the useful ones.
    void one_matches(const std::vector<const Node*>& choices, const json::value& value, const Place* place,
                     bool exactly_one) {
        std::size_t matching = 0;
        std::vector<Schema::Fault> best;
        bool best_has_type = false;
        for (const Node* choice : choices) {
            Checker inner(limit_);
            inner.check(*choice, value, place);
            if (inner.faults.empty()) {
                ++matching;
                continue;
            }
            const Node* shape = choice->reference != nullptr ? choice->reference : choice;
            const bool has_type = shape->types == 0 || (shape->types & type_of(value)) != 0;
            if (best.empty() || (has_type && !best_has_type)) {
                best = std::move(inner.faults);
                best_has_type = has_type;
            }
        }
        if (matching == 0) {
            for (Schema::Fault& one : best) faults.push_back(std::move(one));
        } else if (exactly_one && matching > 1) {
            fault(place, "fits more than one of the allowed forms");
        }
    }

    std::size_t limit_;
};

}  // namespace

std::vector<Schema::Fault> Schema::check(const json::value& value, std::size_t limit) const {
    Checker checker(limit);
    checker.check(*root_, value, nullptr);
    return std::move(checker.faults);
}

}  // namespace liaisond
