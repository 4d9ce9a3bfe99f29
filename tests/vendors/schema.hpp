// What a vendor accepts in a body: a list of fields with their types, checked strictly (required, type,
// unknown fields refused, null refused). Built with the small functions below, one line per field.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "json.hpp"
#include "message.hpp"

namespace liaison_sim {

struct Field {
    enum class Type {
        text,
        integer,
        number,
        decimal,
        boolean,
        date,
        instant,
        currency,
        choice,
        object,
        list
    };

    std::string name;
    Type type = Type::text;
    bool is_required = true;
    bool is_read_only = false;  // refused in a vendor call, ignored by the control API
    std::int64_t low = 0;
    std::int64_t high = std::numeric_limits<std::int64_t>::max();  // value, text length or decimals
    std::vector<std::string> choices;
    std::vector<Field> fields;
};

using Schema = std::vector<Field>;

namespace field {

Field text(std::string name, std::int64_t max_length = 255);
Field integer(std::string name, std::int64_t low, std::int64_t high = 1'000'000'000);
// A JSON number in plain notation, not negative.
Field number(std::string name, int max_decimals);
// A decimal string, not negative.
Field decimal(std::string name, int max_decimals);
Field boolean(std::string name);
Field date(std::string name);
Field instant(std::string name);
Field currency(std::string name);
Field choice(std::string name, std::vector<std::string> choices);
Field object(std::string name, std::vector<Field> fields);
// A list of objects with at least one entry.
Field list(std::string name, std::vector<Field> fields);
Field optional(Field field);
Field read_only(Field field);

}  // namespace field

enum class Origin { vendor_call, control };

std::vector<FieldError> validate(const Json& body, const Schema& schema, Origin origin);
// 422 with the list of fields when there is any error.
void require_valid(const Json& body, const Schema& schema, Origin origin);

}  // namespace liaison_sim
