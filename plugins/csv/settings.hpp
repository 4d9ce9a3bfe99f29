// The settings of the csv connector, checked and compiled. Immutable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/csv.hpp>
#include <liaison/kit/mapping.hpp>
#include <liaison/sdk/types.hpp>

namespace csv {

using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
namespace kit = liaison::kit;

// How the key of a row is made: of its columns, or of its content and its place among equal rows.
struct KeyRule {
    bool is_row = false;
    std::string prefix;
    std::vector<std::string> columns;
};

struct Import {
    Import(std::string folder, kit::Mapping mapping)
        : folder(std::move(folder)), mapping(std::move(mapping)) {}
    std::string folder, pattern = "*.csv", processed, failed;
    std::int64_t settle_ms = 0;
    kit::CsvFormat format;
    bool has_header = true;
    KeyRule key;
    kit::Mapping mapping;
};

struct Export {
    Export(std::string folder, kit::Mapping mapping)
        : folder(std::move(folder)), mapping(std::move(mapping)) {}
    std::string folder, file_name;
    kit::CsvFormat format;
    bool has_header = true;
    std::vector<std::size_t> columns, key;  // slots of the mapping; no key: our reference serves
    kit::Mapping mapping;
};

struct Entity {
    std::optional<Import> in;
    std::optional<Export> out;
};

inline std::string text_or(const Json& object, std::string_view name, std::string fallback) {
    const Json* found = object.find(name);
    return found != nullptr && found->is_string() ? found->as_string() : fallback;
}

inline std::string folder_path(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (path.empty() || path[0] != '/')
        throw Failure(ErrorKind::config, "a folder is an absolute path: " + path);
    return path;
}

// "file:///srv/in/" and, with a name, "file:///srv/in/bookings%201.csv"
inline std::string file_url(const std::string& folder, std::string_view name = {}) {
    std::string url = "file://";
    std::size_t from = 0;
    while (from < folder.size()) {
        const std::size_t slash = folder.find('/', from + 1);
        url += "/" + kit::percent_encoded(
                         folder.substr(from + 1, slash == std::string::npos ? slash : slash - from - 1));
        from = slash == std::string::npos ? folder.size() : slash;
    }
    return url + "/" + kit::percent_encoded(name);
}

// '*' stands for any characters, '?' for one; everything else for itself.
inline bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, back = 0;
    while (n < name.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && pattern[p] == name[n]))) {
            ++p, ++n;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            back = n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

namespace settings_parts {

inline kit::CsvFormat format_of(const Json& spec) {
    kit::CsvFormat format;
    const std::string delimiter = text_or(spec, "delimiter", ",");
    if (delimiter.size() != 1) throw Failure(ErrorKind::config, "delimiter: expected one character");
    format.delimiter = delimiter[0];
    const auto encoding = kit::encoding_by_name(text_or(spec, "encoding", "utf-8"));
    if (!encoding) throw Failure(ErrorKind::config, "encoding: expected utf-8, latin-1 or windows-1252");
    format.encoding = *encoding;
    return format;
}

inline kit::MappingDefaults defaults_of(const Json& spec) {
    kit::MappingDefaults defaults;
    if (spec.find("nulls") != nullptr) defaults.nulls = kit::field_parts::list_of(spec, "nulls");
    if (kit::field_parts::flag_of(spec, "decimal_comma", false)) defaults.decimals.point = ',';
    const std::string thousands = text_or(spec, "thousands", "");
    if (thousands.size() == 1) defaults.decimals.thousands = thousands[0];
    defaults.zone = text_or(spec, "zone", "");
    return defaults;
}

inline KeyRule key_of(const Json& spec) {
    KeyRule key;
    key.prefix = text_or(spec, "key_prefix", "");
    const Json* given = spec.find("key");
    if (given == nullptr) throw Failure(ErrorKind::config, "key: name the column(s), or say `row`");
    key.is_row = given->is_string() && given->as_string() == "row";
    if (!key.is_row) key.columns = kit::field_parts::list_of(spec, "key");
    return key;
}

inline Export export_of(const Json& entity, const Json& spec) {
    const Json* fields = spec.find("fields") != nullptr ? spec.find("fields") : entity.find("fields");
    if (fields == nullptr)
        throw Failure(ErrorKind::config, "export: needs 'fields', its own or the entity's");
    Export out(folder_path(text_or(spec, "folder", "")),
               kit::Mapping::of_columns(*fields, defaults_of(entity)));
    out.mapping.require_writable();
    out.file_name = text_or(spec, "file_name", "");
    out.format = format_of(entity);
    if (spec.find("delimiter") != nullptr) out.format = format_of(spec);
    out.format.encoding = kit::Encoding::utf8;
    out.has_header = kit::field_parts::flag_of(spec, "header", true);
    const std::vector<std::string>& names = out.mapping.sources().names;
    const auto slot_of = [&](const std::string& column) {
        const auto found = std::find(names.begin(), names.end(), column);
        if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
        throw Failure(ErrorKind::config, "export: no field fills the column '" + column + "'");
    };
    for (const std::string& column : kit::field_parts::list_of(spec, "columns"))
        out.columns.push_back(slot_of(column));
    if (out.columns.empty()) out.columns = out.mapping.written_slots();
    if (out.columns.empty()) throw Failure(ErrorKind::config, "export: no field can be written");
    const KeyRule key = key_of(entity);
    for (const std::string& column : key.columns) out.key.push_back(slot_of(column));
    return out;
}

inline Import import_of(const Json& spec) {
    const Json* fields = spec.find("fields");
    if (fields == nullptr) throw Failure(ErrorKind::config, "fields: missing");
    Import in(folder_path(text_or(spec, "folder", "")), kit::Mapping::of_columns(*fields, defaults_of(spec)));
    in.pattern = text_or(spec, "pattern", "*.csv");
    if (spec.find("processed") != nullptr) in.processed = folder_path(text_or(spec, "processed", ""));
    if (spec.find("failed") != nullptr) in.failed = folder_path(text_or(spec, "failed", ""));
    const auto settle = kit::parse_duration(text_or(spec, "settle", "0s"));
    if (!settle) throw Failure(ErrorKind::config, "settle: expected a duration such as 30s");
    in.settle_ms = *settle;
    in.format = format_of(spec);
    in.has_header = kit::field_parts::flag_of(spec, "header", true);
    in.key = key_of(spec);
    return in;
}

}  // namespace settings_parts

// `config` is what the host gives to open(). Throws Failure(config) that names the entity.
inline std::map<std::string, Entity> read_settings(std::string_view config) {
    std::map<std::string, Entity> entities;
    const Json document = Json::parse(config);
    const Json* all = document.at("/settings/entities");
    if (all == nullptr || !all->is_object())
        throw Failure(ErrorKind::config, "settings: 'entities' is missing");
    for (const Json::Member& member : all->members()) {
        try {
            Entity entity;
            if (member.value.find("folder") != nullptr) entity.in = settings_parts::import_of(member.value);
            if (const Json* out = member.value.find("export"))
                entity.out = settings_parts::export_of(member.value, *out);
            entities.emplace(member.key, std::move(entity));
        } catch (const Failure& failure) {
            throw Failure(ErrorKind::config, "entities/" + member.key + ": " + failure.what());
        }
    }
    return entities;
}

}  // namespace csv
