// Items of Lightspeed K-Series, what of them is left, and discounts.
#include <algorithm>

#include "decimal.hpp"
#include "instant.hpp"
#include "lightspeed.hpp"

namespace liaison_sim {
namespace {

constexpr const char* food = "40570261078058";

struct Complaint {
    std::string field, value, message;
};

// The status is a text, and a create that fails is a 404.
[[noreturn]] void refuse_item(unsigned status, const std::string& message,
                              const std::vector<Complaint>& complaints = {}) {
    Json list = Json::array(), body = Json::object();
    for (const Complaint& one : complaints) {
        Json entry = Json::object();
        entry.set("field", Json::string(one.field)).set("rejectedValue", Json::string(one.value));
        list.items().push_back(entry.set("message", Json::string(one.message)));
    }
    body.set("status", Json::string(std::to_string(status)));
    body.set("timestamp", Json::string(format_instant(now_ms()))).set("message", Json::string(message));
    body.set("apiSubExceptions", std::move(list));
    throw Refusal{json_response(status, body.serialize())};
}

// Spring, as the ordering API has it.
[[noreturn]] void refuse_ordering(const std::string& message, const std::string& path) {
    ObjectWriter body;
    body.string("timestamp", format_instant(now_ms())).integer("status", 400).string("error", "Bad Request");
    body.string("message", message).raw("errors", "[]").string("path", path);
    throw Refusal{json_response(400, body.take())};
}

void check_text(const Json& body, const char* field, std::size_t most, std::vector<Complaint>& complaints) {
    const Json* found = body.find(field);
    if (found == nullptr) return;
    if (!found->is(Json::Kind::string) || found->text().empty() || found->text().size() > most)
        complaints.push_back({field, found->text(), "size must be between 1 and " + std::to_string(most)});
}

void check_number(const Json& body, const char* field, std::vector<Complaint>& complaints) {
    const Json* found = body.find(field);
    if (found != nullptr && (!found->is(Json::Kind::number) || !is_plain_decimal(found->text())))
        complaints.push_back({field, found->text(), "must be a number"});
}

std::vector<Complaint> complaints_about(const Json& body, bool is_new) {
    static const std::set<std::string> known{
        "name",     "businessLocationId", "docketName", "sku",          "active",   "barcode",
        "barcodes", "accountingGroupId",  "costPrice",  "defaultPrice", "priceMode"};
    static const std::set<std::string> modes{"AMOUNT", "PERCENT", "POSITIVE_OPEN_PRICE",
                                             "NEGATIVE_OPEN_PRICE"};
    std::vector<Complaint> complaints;
    for (const auto& [key, value] : body.members()) {
        if (!known.contains(key)) complaints.push_back({key, value.text(), "unknown property"});
        if (value.is(Json::Kind::null)) complaints.push_back({key, "null", "must not be null"});
    }
    for (const char* field : {"name", "businessLocationId", "accountingGroupId", "defaultPrice", "sku"}) {
        const bool is_needed = !is_new || std::string(field) != "sku";
        if (is_needed && body.find(field) == nullptr)
            complaints.push_back({field, "null", "must not be null"});
    }
    check_text(body, "name", 255, complaints);
    check_text(body, "sku", 32, complaints);
    check_text(body, "docketName", 64, complaints);
    check_text(body, "barcode", 64, complaints);
    check_number(body, "defaultPrice", complaints);
    check_number(body, "costPrice", complaints);
    if (const Json* group = body.find("accountingGroupId"); group != nullptr) {
        const bool is_known =
            group->is(Json::Kind::number) && (group->text() == food || group->text() == "7");
        if (!is_known)
            complaints.push_back({"accountingGroupId", group->text(), "Accounting group not found"});
    }
    if (const Json* mode = body.find("priceMode"); mode != nullptr && !modes.contains(mode->text()))
        complaints.push_back({"priceMode", mode->text(), "unknown value"});
    const Json* where = body.find("businessLocationId");
    if (where != nullptr && (!where->is(Json::Kind::number) || (where->text() != lightspeed_location &&
                                                                where->text() != lightspeed_other_location)))
        complaints.push_back({"businessLocationId", where->text(), "Business location not found"});
    return complaints;
}

Json body_of(const Request& request) {
    std::string error;
    auto body = Json::parse(request.body, error);
    const bool is_json = request.header("Content-Type").starts_with("application/json");
    if (!is_json || !body || !body->is(Json::Kind::object))
        refuse_item(400, "Malformed JSON request: " + error);
    return std::move(*body);
}

std::int64_t list_number(const Request& request, const char* name, std::int64_t otherwise,
                         std::int64_t most) {
    const std::string text = parameter_of(request, name);
    if (text.empty()) return otherwise;
    const bool is_number = text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || std::stoll(text) > most)
        refuse_item(400, "Constraint violation", {{name, text, "must be at most " + std::to_string(most)}});
    return std::stoll(text);
}

Json price_named(const char* name, const std::string& amount) {
    Json price = Json::object();
    return price.set("name", Json::string(name)).set("amount", Json::number(amount));
}

}  // namespace

Json Lightspeed::generated_item(std::int64_t number) {
    Json item = Json::object(), group = Json::object(), prices = Json::array(), barcodes = Json::array();
    const std::string barcode = std::to_string(3'760'000'000'000 + number);
    item.set("id", Json::number(std::to_string(9'107'199'254'000'000 + number)));
    item.set("name", Json::string("Plat " + std::to_string(number)));
    item.set("docketName", Json::string("PLAT " + std::to_string(number)));
    item.set("sku", Json::string(std::to_string(number))).set("active", Json::boolean(true));
    item.set("barcode", Json::string(barcode));
    barcodes.items().push_back(Json::string(barcode));
    item.set("barcodes", std::move(barcodes));
    group.set("id", Json::number(food)).set("name", Json::string("Food"));
    item.set("accountingGroup", std::move(group)).set("costPrice", Json::number("5.0"));
    prices.items().push_back(price_named("Default", std::to_string(10 + number % 20) + ".5"));
    prices.items().push_back(price_named("Happy Hour", std::to_string(8 + number % 20) + ".0"));
    item.set("prices", std::move(prices));
    item.set("sharingType", Json::string(number % 10 == 0 ? "SHARED" : "LOCAL"));
    item.set("priceMode", Json::string(number % 25 == 0 ? "PERCENT" : "AMOUNT"));
    item.set("inventorySource", Json::string("PRODUCED")).set("disabled", Json::boolean(false));
    return item;
}

Response Lightspeed::items(const Request& request) {
    const std::string location = parameter_of(request, "businessLocationId");
    if (location.empty()) refuse_item(400, "businessLocationId is required");
    require_location(location);
    const auto offset = static_cast<std::size_t>(list_number(request, "offset", 0, 100'000'000));
    const auto most = static_cast<std::size_t>(list_number(request, "amount", 100, 1000));
    const std::string sku = parameter_of(request, "sku");
    std::set<std::string> indexed;
    for (const Record* record : search(items_, sku)) indexed.insert(record->id);
    const std::vector<Json> found = rows(items_, location, [&](const Json& item) {
        return sku.empty() || (item.text_of("sku") == sku && indexed.contains(item.text_of("id")));
    });
    Json list = Json::array();
    for (std::size_t i = offset; i < std::min(found.size(), offset + most); ++i)
        list.items().push_back(found[i]);
    if (!is_wrapped_) return json_response(200, list.serialize());
    Json body = Json::object();
    return json_response(200, body.set("items", std::move(list)).serialize());
}

Response Lightspeed::item(const Request& request) {
    const std::string location = parameter_of(request, "businessLocationId");
    require_location(location);
    const std::vector<Json> found =
        rows(items_, location, [&](const Json& item) { return item.text_of("id") == request.segments[3]; });
    if (found.empty()) refuse_item(404, "Item not found");
    return json_response(200, found.front().serialize());
}

// The whole item as the body says: what it does not say falls back.
Response Lightspeed::store_item(const std::string& id, const Json& body, const Json& before,
                                unsigned status) {
    Json item = before, group = Json::object(), prices = Json::array();
    for (const char* field : {"docketName", "barcode", "barcodes"}) {
        item.erase(field);
        if (const Json* value = body.find(field)) item.set(field, *value);
    }
    item.set("name", *body.find("name"));
    if (const Json* sku = body.find("sku")) item.set("sku", *sku);
    const Json *active = body.find("active"), *cost = body.find("costPrice"), *mode = body.find("priceMode");
    item.set("active", active != nullptr ? *active : Json::boolean(true));
    item.set("costPrice", cost != nullptr ? *cost : Json::number("0.0"));
    item.set("priceMode", mode != nullptr ? *mode : Json::string("AMOUNT"));
    group.set("id", *body.find("accountingGroupId")).set("name", Json::string("Food"));
    item.set("accountingGroup", std::move(group));
    prices.items().push_back(price_named("Default", body.text_of("defaultPrice")));
    if (const Json* old = before.find("prices")) {
        for (const Json& price : old->items()) {
            if (price.text_of("name") != "Default") prices.items().push_back(price);
        }
    }
    item.set("prices", std::move(prices));
    if (body.text_of("businessLocationId") != lightspeed_location)
        item.set("sim_location", Json::string(body.text_of("businessLocationId")));
    std::string error;
    Json stored = Json::parse(items_.put(id, std::move(item)).json, error).value_or(Json::object());
    stored.erase("sim_changed");
    stored.erase("sim_location");
    Response response = json_response(status, stored.serialize());
    response.committed = true;
    return response;
}

// Nothing keeps anybody from making a second one with the same SKU.
Response Lightspeed::create_item(const Request& request) {
    const Json body = body_of(request);
    const std::vector<Complaint> complaints = complaints_about(body, true);
    if (!complaints.empty()) refuse_item(404, "Could not create item", complaints);
    const std::string sku = body.text_of("sku");
    if (!sku.empty() && items_.has_lookup(sku)) ++stats_.duplicates;
    Json fresh = Json::object();
    fresh.set("sharingType", Json::string("LOCAL"));
    return store_item(items_.id_of(items_.next_number()), body, fresh, 201);
}

Response Lightspeed::replace_item(const Request& request) {
    const Json body = body_of(request);
    const std::vector<Complaint> complaints = complaints_about(body, false);
    if (!complaints.empty()) refuse_item(400, "Constraint violation", complaints);
    const std::string id = request.segments[3];
    const std::vector<Json> found = rows(items_, body.text_of("businessLocationId"),
                                         [&](const Json& item) { return item.text_of("id") == id; });
    if (found.empty()) refuse_item(404, "Item not found");
    return store_item(id, body, found.front(), 200);
}

Response Lightspeed::availability(const Request& request) {
    const std::string path = "/o/op/1/itemAvailability",
                      location = parameter_of(request, "businessLocationId");
    require_location(location);
    std::vector<std::string> skus;
    for (const auto& [name, value] : request.query) {
        if (name == "skus") skus.push_back(value);
    }
    const std::string given = parameter_of(request, "size"), wanted = parameter_of(request, "page");
    const bool is_size =
        !given.empty() && given.size() < 3 && given.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t size = given.empty() ? 25 : is_size ? std::stoul(given) : 0;
    if (skus.empty() || skus.size() > 50) refuse_ordering("skus: 1 to 50", path);
    if (size < 1 || size > 50) refuse_ordering("size: 1 to 50", path);
    const std::size_t page = wanted.empty() ? 0 : std::stoul(wanted);
    std::vector<Json> known;
    Json list = Json::array(), metadata = Json::object(), warnings = Json::array(), body = Json::object();
    for (const std::string& sku : skus) {
        if (!items_.has_lookup(sku)) {
            warnings.items().push_back(Json::string("Unknown sku " + sku));
            continue;
        }
        std::string error;
        const Record* counted = availability_.find(sku);
        Json row = counted != nullptr ? Json::parse(counted->json, error).value_or(Json::object())
                                      : Json::object().set("sku", Json::string(sku)).set("count", Json());
        row.erase("sim_changed");
        known.push_back(std::move(row));
    }
    for (std::size_t i = page * size; i < std::min(known.size(), (page + 1) * size); ++i)
        list.items().push_back(known[i]);
    metadata.set("total", Json::integer(static_cast<std::int64_t>(known.size())));
    metadata.set("totalPages", Json::integer(static_cast<std::int64_t>((known.size() + size - 1) / size)));
    metadata.set("current", Json::integer(static_cast<std::int64_t>(page)))
        .set("warnings", std::move(warnings));
    body.set("data", std::move(list)).set("metadata", std::move(metadata));
    return json_response(200, body.serialize());
}

Response Lightspeed::discounts(const Request& request) {
    const std::string location = parameter_of(request, "businessLocationId");
    require_location(location);
    Json list = Json::array();
    list.items() = rows(discounts_, location, [](const Json&) { return true; });
    return json_response(200, list.serialize());
}

}  // namespace liaison_sim
