#include "simulate/vendor.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

namespace liaisond::simulate {

namespace {

// Fields that every record of an entity must have here.
const std::map<std::string, std::vector<std::string>> required_fields{
    {"product", {"name", "sku"}}, {"customer", {"name", "kind"}}, {"sales_order", {"number", "status"}}};

http::Response answer_text(unsigned status, std::string json) {
    http::Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = std::move(json);
    response.bytes = response.body.size();
    return response;
}

// A list of records that are JSON already, and what comes after it.
class ItemList {
  public:
    void add(const std::string& item) {
        if (text_.back() != '[') text_ += ',';
        text_ += item;
    }
    std::string with(const std::string& rest) && { return std::move(text_) + "]" + rest + "}"; }

  private:
    std::string text_ = R"({"items":[)";
};

http::Response refusal(unsigned status, const std::string& why) {
    return answer_json(status, json::object{{"error", why}});
}

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

http::Response answer_json(unsigned status, const json::value& body) {
    return answer_text(status, json::serialize(body));
}

std::string query_of(const std::string& url, const std::string& name) {
    for (std::size_t at = url.find('?'); at != std::string::npos; at = url.find('&', at + 1)) {
        if (url.compare(at + 1, name.size() + 1, name + "=") != 0) continue;
        const std::size_t from = at + name.size() + 2;
        return decoded(std::string_view(url).substr(from, url.find('&', from) - from));
    }
    return {};
}

std::pair<std::string, std::string> path_of(const std::string& url) {
    const std::size_t host = url.find("//") + 2;
    const std::size_t from = url.find('/', host) + 1;
    const std::string path = url.substr(from, url.find('?', from) - from);
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return {path, {}};
    return {path.substr(0, slash), decoded(std::string_view(path).substr(slash + 1))};
}

std::string header_of(const http::Headers& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

// Change times of one vendor never stand still: two changes in one millisecond are two.
void Vendor::touch(Row& row) {
    last_change_ = std::max(world_.true_time(), last_change_ + Milliseconds(1));
    row.changed = last_change_;
    row.shown.clear();
}

Vendor::Row& Vendor::insert(const std::string& entity, json::object content, const std::string& id) {
    Row& row = tables_[entity][id];
    row.id = id;
    row.content = std::move(content);
    touch(row);
    row.created = row.changed;
    return row;
}

std::string Vendor::add(const std::string& entity, json::object content) {
    std::string number = std::to_string(++next_id_[entity]);
    number.insert(0, 6 - std::min<std::size_t>(6, number.size()), '0');
    const std::string id = spec.name.substr(0, 1) + number;
    insert(entity, std::move(content), id);
    return id;
}

void Vendor::edit(const std::string& entity, const std::string& id, const std::string& field,
                  std::string value) {
    Row& row = tables_[entity].at(id);
    row.content[field] = std::move(value);
    touch(row);
    row.by_us = false;
    ++row.version;
}

void Vendor::renew(const std::string& entity, const std::string& id) {
    Row& row = tables_[entity].at(id);
    touch(row);
    ++row.version;
}

void Vendor::bury(const std::string& entity, const std::string& id) {
    Row& row = tables_[entity].at(id);
    row.deleted = true;
    touch(row);
    row.by_us = false;
    ++row.version;
}

const std::string& Vendor::item(const Row& row) const {
    if (!row.shown.empty()) return row.shown;
    json::object shown = row.content;
    shown["id"] = row.id;
    shown["reference"] = row.reference;
    shown["changed"] = to_unix_ms(row.changed);
    shown["deleted"] = row.deleted;
    if (spec.has_etags) shown["version"] = std::to_string(row.version);
    return row.shown = json::serialize(shown);
}

http::Response Vendor::shown(unsigned status, const Row& row) const {
    http::Response response = answer_text(status, item(row));
    if (spec.has_etags) response.headers.emplace_back("ETag", std::to_string(row.version));
    return response;
}

http::Response Vendor::handle(const http::Request& request) {
    if (header_of(request.headers, "Authorization") != "Bearer " + spec.token) {
        violations.push_back("a request without our credentials: " + request.method + " " + request.url);
        return refusal(401, "who are you?");
    }
    const auto [entity, id] = path_of(request.url);
    if (!required_fields.contains(entity)) return refusal(404, "no such collection");
    if (request.method == "GET" && !id.empty()) {
        const auto row = tables_[entity].find(id);
        return row == tables_[entity].end() || row->second.deleted ? refusal(404, "not here")
                                                                   : shown(200, row->second);
    }
    if (request.method == "GET") {
        const std::string reference = query_of(request.url, "reference");
        return reference.empty() ? list(entity, request) : find(entity, reference);
    }
    if (request.method == "DELETE") return remove(entity, id);
    if (header_of(request.headers, "Content-Type") != "application/json") {
        violations.push_back("a write whose content type is not JSON: " + request.url);
        return refusal(415, "JSON only");
    }
    return request.method == "POST" ? create(entity, request) : replace(entity, id, request);
}

// Nothing leaves a table, and what is in it stays where it is.
const std::vector<const Vendor::Row*>& Vendor::rows_of(const std::string& entity) {
    const Table& table = tables_[entity];
    std::vector<const Row*>& rows = in_order_[entity];
    if (rows.size() == table.size()) return rows;
    rows.clear();
    for (const auto& [id, row] : table) rows.push_back(&row);
    return rows;
}

http::Response Vendor::list(const std::string& entity, const http::Request& request) {
    const std::string limit = query_of(request.url, "limit");  // absent: a test of the connection
    const std::size_t size =
        limit.empty() ? spec.largest_page : static_cast<std::size_t>(std::stoul("0" + limit));
    if (size == 0 || size > spec.largest_page) {
        violations.push_back("a page of " + std::to_string(size) + " records asked for; at most " +
                             std::to_string(spec.largest_page) + " are allowed");
        return refusal(400, "limit");
    }
    const std::string since = query_of(request.url, "since");
    const std::string after = query_of(request.url, "after");
    const std::int64_t from = !after.empty() ? std::stoll(after) : since.empty() ? -1 : std::stoll(since) - 1;
    std::vector<const Row*> rows;
    for (const Row* row : rows_of(entity)) {
        if (spec.listing == Listing::pages || to_unix_ms(row->changed) > from) rows.push_back(row);
    }
    ItemList items;
    if (spec.listing == Listing::keyset_since) {
        std::sort(rows.begin(), rows.end(),
                  [](const Row* a, const Row* b) { return a->changed < b->changed; });
        const bool more = rows.size() > size;
        if (more) rows.resize(size);
        for (const Row* row : rows) items.add(item(*row));
        const std::string next = more ? std::to_string(to_unix_ms(rows.back()->changed)) : std::string();
        return answer_text(200, std::move(items).with(more ? ",\"next\":\"" + next + "\"" : next));
    }
    const std::size_t page = std::max(1ul, std::stoul("0" + query_of(request.url, "page")));
    for (std::size_t i = (page - 1) * size; i < std::min(rows.size(), page * size); ++i)
        items.add(item(*rows[i]));
    return answer_text(
        200, std::move(items).with(",\"pages\":" + std::to_string((rows.size() + size - 1) / size)));
}

http::Response Vendor::find(const std::string& entity, const std::string& reference) {
    if (spec.effect == plugin::EffectClass::blind) return refusal(404, "no search here");
    ItemList items;
    for (const Row* row : rows_of(entity)) {
        if (row->reference == reference && !row->deleted &&
            row->created + spec.index_lag <= world_.true_time())
            items.add(item(*row));
    }
    return answer_text(200, std::move(items).with({}));
}

std::optional<http::Response> Vendor::refuse(const std::string& entity, const json::object& content) {
    for (const std::string& field : required_fields.at(entity)) {
        if (text_of(content, field).empty()) {
            violations.push_back("a " + entity + " without '" + field + "': " + json::serialize(content));
            return refusal(422, field + " is missing");
        }
    }
    std::vector<std::pair<std::string, std::string>> references;  // entity, id
    if (entity == "sales_order") {
        references.emplace_back("customer", text_of(content, "customer"));
        if (const json::value* rows = content.if_contains("rows")) {
            for (const json::value& row : rows->as_array())
                references.emplace_back("product", text_of(row.as_object(), "product"));
        }
    }
    for (const auto& [referred, id] : references) {
        if (tables_[referred].contains(id)) continue;
        violations.push_back("a " + entity + " that refers to the " + referred + " '" + id +
                             "', which does not exist here");
        return refusal(422, "no such " + referred);
    }
    if (text_of(content, "name").find("unwanted") != std::string::npos)
        return refusal(422, "we do not want this one");
    return std::nullopt;
}

http::Response Vendor::create(const std::string& entity, const http::Request& request) {
    json::object content = json::parse(request.body).as_object();
    const std::string reference = text_of(content, "reference");
    content.erase("reference");
    if (reference.empty()) violations.push_back("a create without our reference: " + request.body);
    const bool keyed = spec.effect == plugin::EffectClass::keyed;
    const std::string key = header_of(request.headers, "Idempotency-Key");
    if (keyed && key.empty()) violations.push_back("a create without an idempotency key: " + request.body);
    if (keyed) {
        const auto kept = keys_.find(key);
        if (kept != keys_.end() && kept->second.until > world_.true_time()) {
            if (kept->second.body == request.body) return kept->second.answer;
            return refusal(422, "this key was used for another request");
        }
    }
    if (auto refused = refuse(entity, content)) return *refused;
    if (spec.unique_reference) {
        for (const auto& [id, row] : tables_[entity]) {
            if (row.reference == reference) return refusal(409, "this reference exists");
        }
    }
    const std::string id = add(entity, std::move(content));
    Row& row = tables_[entity].at(id);
    row.reference = reference;
    row.by_us = true;
    if (++ledger_[entity + " " + reference] > 1) {
        violations.push_back("a second " + entity + " with the reference " + reference + ": " +
                             json::serialize(row.content));
    }
    http::Response answer = shown(201, row);
    if (keyed) keys_[key] = {request.body, answer, world_.true_time() + spec.key_life};
    return answer;
}

http::Response Vendor::replace(const std::string& entity, const std::string& key,
                               const http::Request& request) {
    json::object content = json::parse(request.body).as_object();
    const std::string reference = text_of(content, "reference");
    content.erase("reference");
    Table& rows = tables_[entity];
    const auto found = rows.find(key);
    const bool makes = spec.effect == plugin::EffectClass::upsert;
    if (found == rows.end() && !makes) return refusal(404, "not here");
    if (auto refused = refuse(entity, content)) return *refused;
    if (found == rows.end()) {
        Row& made = insert(entity, std::move(content), key);
        made.reference = reference;
        made.by_us = true;
        ++ledger_[entity + " " + reference];
        return shown(201, made);
    }
    Row& row = found->second;
    const std::string expected = header_of(request.headers, "If-Match");
    if (spec.has_etags && !expected.empty() && expected != std::to_string(row.version))
        return refusal(412, "it has changed since");
    if (!row.by_us && !row.deleted && row.content == content)
        violations.push_back("an export of what we changed ourselves and nobody else: " + request.body);
    row.content = std::move(content);
    row.deleted = false;
    touch(row);
    row.by_us = true;
    ++row.version;
    return shown(200, row);
}

http::Response Vendor::remove(const std::string& entity, const std::string& id) {
    const auto found = tables_[entity].find(id);
    if (found == tables_[entity].end() || found->second.deleted) return refusal(404, "not here");
    found->second.deleted = true;
    found->second.by_us = true;
    touch(found->second);
    http::Response response;
    response.status = 204;
    return response;
}

}  // namespace liaisond::simulate
