// plugin-api/abi/fields.inc as data: what each struct of plugin.h looks like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <liaison/plugin.h>

namespace liaisond::plugin {

struct FieldLayout {
    std::string name;
    std::size_t offset, width;
};

struct StructLayout {
    std::string name;
    std::size_t size, least;  // today's, and the one of 1.0
    bool is_closed;
    std::vector<FieldLayout> fields = {};
};

struct ConstantLayout {
    std::string name;
    std::uint64_t value;
};

inline const std::vector<StructLayout>& struct_layouts() {
    static const std::vector<StructLayout> all = [] {
        std::vector<StructLayout> made;
#define CLOSED(type, bytes) made.push_back({#type, sizeof(type), bytes, true});
#define STRUCT(type, least) made.push_back({#type, sizeof(type), least, false});
#define FIELD(type, field, offset, width) made.back().fields.push_back({#field, offset, width});
#define CONSTANT(name, value)
#include "../../plugin-api/abi/fields.inc"
#undef CLOSED
#undef STRUCT
#undef FIELD
#undef CONSTANT
        return made;
    }();
    return all;
}

inline const std::vector<ConstantLayout>& constant_layouts() {
    static const std::vector<ConstantLayout> all = {
#define CLOSED(type, bytes)
#define STRUCT(type, least)
#define FIELD(type, field, offset, width)
#define CONSTANT(name, value) {#name, value},
#include "../../plugin-api/abi/fields.inc"
#undef CLOSED
#undef STRUCT
#undef FIELD
#undef CONSTANT
    };
    return all;
}

inline const StructLayout& layout_of(const std::string& name) {
    for (const StructLayout& one : struct_layouts()) {
        if (one.name == name) return one;
    }
    static const StructLayout none{"", 0, 0, false};
    return none;
}

}  // namespace liaisond::plugin
