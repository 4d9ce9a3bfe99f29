#include "schema.hpp"

#include <algorithm>

#include "decimal.hpp"
#include "instant.hpp"

namespace liaison_sim {
namespace {

class Check {
  public:
    explicit Check(Origin origin) : origin_(origin) {}

    void object(const Json& value, const std::vector<Field>& fields, const std::string& at) {
        if (!value.is(Json::Kind::object)) return fail(at, "must be an object");
        for (const auto& field : fields) {
            const Json* member = value.find(field.name);
            const std::string pointer = at + "/" + field.name;
            if (field.is_read_only) {
                if (member && origin_ == Origin::vendor_call) fail(pointer, "is read only");
            } else if (member) {
                this->value(*member, field, pointer);
            } else if (field.is_required) {
                fail(pointer, "is required");
            }
        }
        for (const auto& member : value.members()) {
            const bool known = std::any_of(fields.begin(), fields.end(),
                                           [&](const Field& field) { return field.name == member.key; });
            if (!known) fail(at + "/" + member.key, "is unknown");
        }
    }

    std::vector<FieldError> take() { return std::move(errors_); }

  private:
    void fail(std::string at, std::string message) { errors_.push_back({std::move(at), std::move(message)}); }
    void expect(bool is_right, const std::string& at, std::string message) {
        if (!is_right) fail(at, std::move(message));
    }

    void value(const Json& value, const Field& field, const std::string& at) {
        using Type = Field::Type;
        const std::string& text = value.text();
        const bool is_text = value.is(Json::Kind::string);
        switch (field.type) {
            case Type::text: return this->text(value, field, at);
            case Type::integer: return integer(value, field, at);
            case Type::number: return decimal(value, field, at, Json::Kind::number);
            case Type::decimal: return decimal(value, field, at, Json::Kind::string);
            case Type::boolean: return expect(value.is(Json::Kind::boolean), at, "must be true or false");
            case Type::date: return expect(is_text && is_date(text), at, "must be a date YYYY-MM-DD");
            case Type::instant: return expect(is_text && parse_instant(text), at, "must be RFC 3339");
            case Type::currency:
                return expect(is_text && text.size() == 3 && std::all_of(text.begin(), text.end(), is_upper),
                              at, "must be a currency code of three capital letters");
            case Type::choice: return choice(value, field, at);
            case Type::object: return object(value, field.fields, at);
            case Type::list: return list(value, field, at);
        }
    }

    static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

    void text(const Json& value, const Field& field, const std::string& at) {
        if (!value.is(Json::Kind::string)) return fail(at, "must be a string");
        if (field.is_required && value.text().empty()) return fail(at, "must not be empty");
        const bool fits = value.text().size() <= static_cast<std::size_t>(field.high);
        expect(fits, at, "must have at most " + std::to_string(field.high) + " bytes");
    }

    void integer(const Json& value, const Field& field, const std::string& at) {
        const auto number = value.as_integer();
        if (!number) return fail(at, "must be an integer");
        const std::string range = std::to_string(field.low) + " to " + std::to_string(field.high);
        expect(*number >= field.low && *number <= field.high, at, "must be from " + range);
    }

    void decimal(const Json& value, const Field& field, const std::string& at, Json::Kind kind) {
        const bool wants_text = kind == Json::Kind::string;
        if (!value.is(kind)) return fail(at, wants_text ? "must be a decimal string" : "must be a number");
        const std::string& text = value.text();
        if (!is_plain_decimal(text) || text.size() > 18) return fail(at, "must be a plain decimal");
        if (text[0] == '-') return fail(at, "must not be negative");
        expect(decimals_of(text) <= field.high, at,
               "must have at most " + std::to_string(field.high) + " decimals");
    }

    void choice(const Json& value, const Field& field, const std::string& at) {
        std::string all;
        for (const auto& choice : field.choices) {
            if (value.is(Json::Kind::string) && value.text() == choice) return;
            all.append(all.empty() ? "" : ", ").append(choice);
        }
        fail(at, "must be one of " + all);
    }

    void list(const Json& value, const Field& field, const std::string& at) {
        if (!value.is(Json::Kind::array)) return fail(at, "must be a list");
        if (value.items().empty()) return fail(at, "must not be empty");
        for (std::size_t i = 0; i < value.items().size(); ++i) {
            object(value.items()[i], field.fields, at + "/" + std::to_string(i));
        }
    }

    Origin origin_;
    std::vector<FieldError> errors_;
};

Field make(std::string name, Field::Type type) {
    Field field;
    field.name = std::move(name);
    field.type = type;
    return field;
}

}  // namespace

namespace field {

Field text(std::string name, std::int64_t max_length) {
    Field field = make(std::move(name), Field::Type::text);
    field.high = max_length;
    return field;
}

Field integer(std::string name, std::int64_t low, std::int64_t high) {
    Field field = make(std::move(name), Field::Type::integer);
    field.low = low;
    field.high = high;
    return field;
}

Field number(std::string name, int max_decimals) {
    Field field = make(std::move(name), Field::Type::number);
    field.high = max_decimals;
    return field;
}

Field decimal(std::string name, int max_decimals) {
    Field field = make(std::move(name), Field::Type::decimal);
    field.high = max_decimals;
    return field;
}

Field boolean(std::string name) { return make(std::move(name), Field::Type::boolean); }
Field date(std::string name) { return make(std::move(name), Field::Type::date); }
Field instant(std::string name) { return make(std::move(name), Field::Type::instant); }
Field currency(std::string name) { return make(std::move(name), Field::Type::currency); }

Field choice(std::string name, std::vector<std::string> choices) {
    Field field = make(std::move(name), Field::Type::choice);
    field.choices = std::move(choices);
    return field;
}

Field object(std::string name, std::vector<Field> fields) {
    Field field = make(std::move(name), Field::Type::object);
    field.fields = std::move(fields);
    return field;
}

Field list(std::string name, std::vector<Field> fields) {
    Field field = make(std::move(name), Field::Type::list);
    field.fields = std::move(fields);
    return field;
}

Field optional(Field field) {
    field.is_required = false;
    return field;
}

Field read_only(Field field) {
    field.is_read_only = true;
    return field;
}

}  // namespace field

std::vector<FieldError> validate(const Json& body, const Schema& schema, Origin origin) {
    Check check(origin);
    check.object(body, schema, "");
    return check.take();
}

void require_valid(const Json& body, const Schema& schema, Origin origin) {
    const auto errors = validate(body, schema, origin);
    if (!errors.empty()) refuse(422, "validation_failed", "the body is refused", errors);
}

}  // namespace liaison_sim
