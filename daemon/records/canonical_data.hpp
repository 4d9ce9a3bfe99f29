// The texts of plugin-api/schemas/*.json; the definition is generated at build time.
#pragma once

#include <span>
#include <string_view>

namespace liaisond::records {

struct CanonicalSchemaText {
    std::string_view entity, json;
};

std::span<const CanonicalSchemaText> canonical_schema_texts();

}  // namespace liaisond::records
