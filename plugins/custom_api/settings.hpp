// The settings of the custom_api connector, checked and compiled. Immutable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liaison/kit/changed_time.hpp>
#include <liaison/kit/http.hpp>
#include <liaison/kit/mapping.hpp>

namespace custom_api {

using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
using liaison::Request;
using liaison::Response;
namespace kit = liaison::kit;

using Query = std::vector<std::pair<std::string, std::string>>;
using Pointer = std::optional<std::vector<std::string>>;  // split; absent: not configured

enum class Paging { none, page, offset, cursor, link };
enum class SinceFormat { rfc3339, unix_s, unix_ms, date };
enum class IdFrom { body, location, path };

struct List {
    std::string path;
    Query query;
    std::vector<std::string> items;
    Paging paging = Paging::none;
    std::string size_param, page_param, offset_param, cursor_param;
    std::int64_t size = 0, first_page = 1;
    bool is_stable = false;  // records keep their places
    Pointer next, has_more, total, total_pages;
    std::string since_param;
    SinceFormat since_format = SinceFormat::rfc3339;
    std::int64_t overlap_ms = 0;
    std::string from_param, to_param;  // of a range of dates; empty: the service cannot be asked for one
    SinceFormat range_format = SinceFormat::rfc3339;
};

// One kind of write.
struct Write {
    std::string method, path, reference_header;
    Query query;
    Pointer reference_field, id, version, duplicate_id;  // no version pointer: the ETag header
    IdFrom id_from = IdFrom::body;
    bool if_match = false;
};

struct Find {
    std::string path, param, key_path;
    Query query;
    std::vector<std::string> items;
    Pointer id, version, match;
};

struct Entity {
    explicit Entity(kit::Mapping mapping) : mapping(std::move(mapping)) {}
    kit::Mapping mapping;
    Pointer key, version, changed, deleted, write_key;
    std::optional<List> list;
    std::optional<Write> create, update, remove;
    std::optional<Find> find;
    bool is_keyed = false;  // the remote recognises a repeated idempotency key
};

struct Settings {
    std::string base_url, scheme;
    std::vector<liaison::Header> headers;
    std::uint32_t parallel = 4;
    bool rejects_before_execution = false;
    std::string test_path;
    Pointer test_account;
    std::map<std::string, Entity> entities;

    // A request to base_url + path, with what every request carries.
    Request request(const std::string& method, const std::string& path, const Query& query) const {
        std::string url = base_url + path;
        char before = path.find('?') == std::string::npos ? '?' : '&';
        for (const auto& [name, value] : query) {
            url += before + kit::percent_encoded(name) + "=" + kit::percent_encoded(value);
            before = '&';
        }
        return request_to(method, std::move(url));
    }
    Request request_to(const std::string& method, std::string url) const {
        Request request(method, std::move(url));
        request.headers = headers;
        request.headers.emplace_back("Accept", "application/json");
        if (scheme != "none") request.auth_scheme = scheme;
        return request;
    }
};

namespace settings_parts {

using kit::field_parts::flag_of;
using kit::field_parts::text_of;

inline Pointer pointer_of(const Json& spec, std::string_view name) {
    const Json* found = spec.find(name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    try {
        return liaison::split_pointer(found->as_string());
    } catch (const liaison::JsonError& error) {
        throw Failure(ErrorKind::config, std::string(name) + ": " + error.what());
    }
}
inline std::vector<std::string> pointer_or_root(const Json& spec, std::string_view name) {
    return pointer_of(spec, name).value_or(std::vector<std::string>());
}
inline Query query_of(const Json& spec) {
    Query query;
    if (const Json* found = spec.find("query")) {
        for (const Json::Member& member : found->members())
            query.emplace_back(member.key, member.value.scalar_text());
    }
    return query;
}
inline std::int64_t duration_of(const Json& spec, std::string_view name, const std::string& fallback) {
    const std::optional<std::int64_t> ms = kit::parse_duration(text_of(spec, name, fallback));
    if (!ms) throw Failure(ErrorKind::config, std::string(name) + ": expected a duration such as 5m");
    return *ms;
}
template <class E, std::size_t N>
E choice_of(const Json& spec, std::string_view name,
            const std::array<std::pair<std::string_view, E>, N>& choices) {
    const std::string word = text_of(spec, name, std::string(choices[0].first));
    const std::optional<E> value = kit::field_parts::by_name(choices, word);
    if (!value) throw Failure(ErrorKind::config, std::string(name) + ": unknown '" + word + "'");
    return *value;
}

inline void read_paging(List& list, const Json& spec) {
    static constexpr std::array<std::pair<std::string_view, Paging>, 5> styles = {{{"none", Paging::none},
                                                                                   {"page", Paging::page},
                                                                                   {"offset", Paging::offset},
                                                                                   {"cursor", Paging::cursor},
                                                                                   {"link", Paging::link}}};
    list.paging = choice_of(spec, "style", styles);
    list.size_param = text_of(spec, "size_param");
    list.page_param = text_of(spec, "page_param", "page");
    list.offset_param = text_of(spec, "offset_param", "offset");
    list.cursor_param = text_of(spec, "cursor_param", "cursor");
    if (const Json* size = spec.find("size")) list.size = size->to_int().value_or(0);
    if (const Json* first = spec.find("first_page")) list.first_page = first->to_int().value_or(1);
    list.is_stable = flag_of(spec, "stable", false);
    list.next = pointer_of(spec, "next");
    list.has_more = pointer_of(spec, "has_more");
    list.total = pointer_of(spec, "total");
    list.total_pages = pointer_of(spec, "total_pages");
    if (list.paging == Paging::cursor && !list.next)
        throw Failure(ErrorKind::config, "paging: style cursor needs 'next'");
}

inline List list_of(const Json& spec, const Query& constant) {
    static constexpr std::array<std::pair<std::string_view, SinceFormat>, 4> formats = {
        {{"rfc3339", SinceFormat::rfc3339},
         {"unix", SinceFormat::unix_s},
         {"unix_ms", SinceFormat::unix_ms},
         {"date", SinceFormat::date}}};
    List list;
    list.path = text_of(spec, "path");
    list.items = pointer_or_root(spec, "items");
    list.query = constant;
    for (auto& parameter : query_of(spec)) list.query.push_back(std::move(parameter));
    if (const Json* paging = spec.find("paging")) read_paging(list, *paging);
    if (const Json* since = spec.find("since")) {
        list.since_param = text_of(*since, "param");
        list.since_format = choice_of(*since, "format", formats);
        list.overlap_ms = duration_of(*since, "overlap", "5m");
    }
    if (const Json* range = spec.find("range")) {
        list.from_param = text_of(*range, "from");
        list.to_param = text_of(*range, "to");
        list.range_format = choice_of(*range, "format", formats);
        if (list.from_param.empty() || list.to_param.empty())
            throw Failure(ErrorKind::config,
                          "list/range: needs the names of two parameters, 'from' and 'to'");
    }
    return list;
}

inline Write write_of(const Json& spec, const std::string& method) {
    static constexpr std::array<std::pair<std::string_view, IdFrom>, 3> origins = {
        {{"body", IdFrom::body}, {"location", IdFrom::location}, {"path", IdFrom::path}}};
    Write write;
    write.method = text_of(spec, "method", method);
    write.path = text_of(spec, "path");
    write.query = query_of(spec);
    write.id_from = choice_of(spec, "id_from", origins);
    write.id = pointer_of(spec, "id");
    if (!write.id) write.id.emplace(1, "id");
    write.duplicate_id = pointer_of(spec, "duplicate_id");
    if (text_of(spec, "version") != "etag") write.version = pointer_of(spec, "version");
    write.if_match = flag_of(spec, "if_match", false);
    if (const Json* reference = spec.find("reference")) {
        write.reference_header = text_of(*reference, "header");
        write.reference_field = pointer_of(*reference, "field");
    }
    return write;
}

inline Find find_of(const Json& spec, const std::optional<Write>& create) {
    Find find;
    find.path = text_of(spec, "path");
    find.param = text_of(spec, "param");
    find.key_path = text_of(spec, "key_path");
    find.query = query_of(spec);
    find.items = pointer_or_root(spec, "items");
    find.id = pointer_of(spec, "id");
    if (!find.id) find.id.emplace(1, "id");
    find.version = pointer_of(spec, "version");
    find.match = pointer_of(spec, "match");
    if (!find.match && create) find.match = create->reference_field;
    return find;
}

inline kit::MappingDefaults defaults_of(const Json& spec) {
    kit::MappingDefaults defaults;
    if (spec.find("nulls") != nullptr) defaults.nulls = kit::field_parts::list_of(spec, "nulls");
    if (flag_of(spec, "decimal_comma", false)) defaults.decimals.point = ',';
    const std::string thousands = text_of(spec, "thousands");
    if (thousands.size() == 1) defaults.decimals.thousands = thousands[0];
    defaults.zone = text_of(spec, "zone");
    return defaults;
}

inline Entity entity_of(const Json& spec) {
    const Json* fields = spec.find("fields");
    if (fields == nullptr) throw Failure(ErrorKind::config, "'fields' is missing");
    Entity entity(kit::Mapping::of_pointers(*fields, defaults_of(spec)));
    entity.key = pointer_of(spec, "key");
    entity.version = pointer_of(spec, "version");
    entity.changed = pointer_of(spec, "changed");
    entity.deleted = pointer_of(spec, "deleted");
    entity.write_key = pointer_of(spec, "write_key");
    const std::string effect = text_of(spec, "effect", "blind");
    entity.is_keyed = effect == "keyed";
    if (const Json* list = spec.find("list")) entity.list = list_of(*list, query_of(spec));
    if (const Json* create = spec.find("create")) entity.create = write_of(*create, "POST");
    if (const Json* update = spec.find("update")) entity.update = write_of(*update, "PUT");
    if (const Json* remove = spec.find("delete")) entity.remove = write_of(*remove, "DELETE");
    if (const Json* find = spec.find("find")) entity.find = find_of(*find, entity.create);
    if (entity.create || entity.update) entity.mapping.require_writable();
    const auto check = [](bool is_fine, const char* text) {
        if (!is_fine) throw Failure(ErrorKind::config, text);
    };
    check(!entity.list || entity.key.has_value(), "'list' needs 'key'");
    check(!entity.list || entity.list->since_param.empty() || entity.changed.has_value(),
          "'since' needs 'changed'");
    check(!entity.is_keyed || (entity.create && !entity.create->reference_header.empty()),
          "effect keyed needs create.reference.header");
    check(
        !entity.list || !entity.update || !entity.update->if_match || entity.version.has_value(),
        "update.if_match needs 'version', a pointer to it in the items of the list: without it every import "
        "forgets which version was read, and no update is accepted any more");
    check(effect != "findable" || (entity.find && !entity.find->path.empty()),
          "effect findable needs find.path");
    check(!entity.create || entity.create->path.find("{key}") == std::string::npos ||
              entity.write_key.has_value(),
          "{key} in create.path needs 'write_key'");
    return entity;
}

}  // namespace settings_parts

// `config` is what the host gives to open(). Throws Failure(config) that names the entity.
inline Settings read_settings(std::string_view config) {
    using namespace settings_parts;
    const Json document = Json::parse(config);
    const Json* given = document.find("settings");
    if (given == nullptr || !given->is_object()) throw Failure(ErrorKind::config, "settings: missing");
    Settings settings;
    settings.base_url = text_of(*given, "base_url");
    while (settings.base_url.ends_with("/")) settings.base_url.pop_back();
    if (kit::origin_of(settings.base_url).empty())
        throw Failure(ErrorKind::config, "base_url: expected http(s)://...");
    const Json* auth = given->find("auth");
    settings.scheme = auth != nullptr ? text_of(*auth, "scheme", "none") : "none";
    if (const Json* headers = given->find("headers")) {
        for (const Json::Member& member : headers->members()) {
            settings.headers.emplace_back(member.key, std::string(member.value.scalar_text()));
        }
    }
    if (const Json* parallel = given->find("parallel")) {
        settings.parallel = static_cast<std::uint32_t>(parallel->to_int().value_or(4));
    }
    settings.rejects_before_execution = flag_of(*given, "rejects_before_execution", false);
    if (const Json* test = given->find("test")) {
        settings.test_path = text_of(*test, "path");
        settings.test_account = pointer_of(*test, "account");
    }
    const Json* entities = given->find("entities");
    if (entities == nullptr || !entities->is_object()) throw Failure(ErrorKind::config, "entities: missing");
    for (const Json::Member& member : entities->members()) {
        try {
            settings.entities.emplace(member.key, entity_of(member.value));
        } catch (const Failure& failure) {
            throw Failure(ErrorKind::config, "entities/" + member.key + ": " + failure.what());
        }
    }
    return settings;
}

// Text of the value at the pointer; empty when there is none.
inline std::string text_at(const Json& document, const Pointer& pointer) {
    const Json* found = pointer ? document.at(*pointer) : nullptr;
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}

}  // namespace custom_api
