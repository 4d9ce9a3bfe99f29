#include "shop.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

#include "decimal.hpp"
#include "instant.hpp"
#include "shop_data.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t max_limit = 500;
constexpr std::int64_t max_page = 1'000'000'000;

Entity product_entity() {
    using namespace field;
    return {"products",
            "id",
            "updated_at",
            "",
            "",
            0,
            true,
            {read_only(integer("id", 1)), text("sku"), text("name"), optional(text("description", 4000)),
             optional(text("ean", 14)), optional(text("category")), number("price", 4),
             optional(number("cost", 4)), currency("currency"), text("unit", 10), number("vat_rate", 3),
             number("stock", 3), boolean("active"), read_only(instant("updated_at"))}};
}

Entity customer_entity() {
    using namespace field;
    const Schema contact{optional(text("first_name")), text("last_name"), optional(text("email")),
                         optional(text("phone", 40))};
    const Schema address{text("street"), text("zip", 20), text("city"), text("country", 2)};
    return {"customers",
            "id",
            "updated_at",
            "",
            "",
            0,
            true,
            {read_only(integer("id", 1)), text("company"), object("contact", contact),
             optional(text("vat_number", 20)), object("address", address), integer("payment_days", 0, 365),
             read_only(instant("updated_at"))}};
}

Entity order_entity() {
    using namespace field;
    const Schema line{integer("line", 1),    integer("product_id", 1), text("sku"),       text("text"),
                      number("quantity", 3), number("unit_price", 4),  number("total", 2)};
    return {"orders",
            "id",
            "updated_at",
            "",
            "",
            0,
            true,
            {read_only(integer("id", 1)), text("number", 40), integer("customer_id", 1),
             choice("status", {"new", "paid", "shipped", "cancelled"}), instant("placed_at"),
             optional(date("requested_date")), currency("currency"), list("lines", line),
             number("total_net", 2), number("total_tax", 2), number("total", 2), optional(text("note", 2000)),
             read_only(instant("updated_at"))}};
}

// The cursor is the change time of the last order sent, with a check so that an invented one is refused.
std::uint32_t cursor_check(std::int64_t stamp_ms) {
    return static_cast<std::uint32_t>(shop_data::Random(7, stamp_ms).next());
}

std::string make_cursor(std::int64_t stamp_ms) {
    char text[40];
    std::snprintf(text, sizeof text, "c%012llx%08x", static_cast<unsigned long long>(stamp_ms),
                  cursor_check(stamp_ms));
    return text;
}

std::int64_t parse_cursor(const std::string& text) {
    std::uint64_t stamp = 0;
    const char* end = text.data() + std::min<std::size_t>(text.size(), 13);
    if (text.size() == 21) std::from_chars(text.data() + 1, end, stamp, 16);
    const auto stamp_ms = static_cast<std::int64_t>(stamp);
    if (text == make_cursor(stamp_ms)) return stamp_ms;
    refuse(400, "bad_cursor", "the cursor is malformed", {{"cursor", "is not one we gave"}});
}

[[noreturn]] void refuse_amounts() {
    refuse(422, "validation_failed", "the body is refused", {{"/lines", "amounts cannot be added up"}});
}

Decimal amount(const Json& object, std::string_view key) {
    const auto value = Decimal::parse(object.text_of(key));
    if (!value) refuse_amounts();
    return *value;
}

template <class T>
T or_refuse(std::optional<T> value) {
    if (!value) refuse_amounts();
    return *value;
}

}  // namespace

Shop::Shop()
    : Vendor("shop", "/shop/v1", {{"token", "shop-token"}}),
      products_(add_entity(product_entity())),
      customers_(add_entity(customer_entity())),
      orders_(add_entity(order_entity())) {
    route(http::verb::get, "ping", &Shop::ping);
    route(http::verb::get, "products", &Shop::list_products);
    route(http::verb::get, "customers", &Shop::list_customers);
    route(http::verb::get, "orders", &Shop::list_orders);
    for (const char* pattern : {"products/*", "customers/*", "orders/*"}) {
        route(http::verb::get, pattern, &Shop::get_one);
    }
}

bool Shop::is_authorized(const Request& request) const {
    return request.header("Authorization") == "Bearer " + credential("token");
}

Response Shop::ping(const Request& request) {
    const Params none(request, {});
    return json_response(200, R"({"shop":"Le Grossiste","currency":"EUR"})");
}

Response Shop::list_products(const Request& request) {
    const Params params(request, {"page", "limit", "updated_since"});
    const std::int64_t page = params.integer("page", 1, 1, max_page);
    const std::int64_t limit = params.integer("limit", 100, 1, max_limit);
    const auto since = params.instant("updated_since");
    const auto total = static_cast<std::int64_t>(products_.count(since));
    std::string body = R"({"items":)";
    append_array(body, products_.slice(since, static_cast<std::size_t>((page - 1) * limit),
                                       static_cast<std::size_t>(limit)));
    body += ",\"page\":" + std::to_string(page) + ",\"pages\":" + std::to_string((total + limit - 1) / limit);
    body += ",\"total\":" + std::to_string(total) + "}";
    return json_response(200, std::move(body));
}

Response Shop::list_customers(const Request& request) {
    const Params params(request, {"offset", "limit", "updated_since"});
    const std::int64_t offset = params.integer("offset", 0, 0, max_page);
    const std::int64_t limit = params.integer("limit", 100, 1, max_limit);
    const auto since = params.instant("updated_since");
    std::string body;
    append_array(body,
                 customers_.slice(since, static_cast<std::size_t>(offset), static_cast<std::size_t>(limit)));
    return json_response(200, std::move(body)).with("X-Total-Count", std::to_string(customers_.count(since)));
}

Response Shop::list_orders(const Request& request) {
    const Params params(request, {"cursor", "limit", "updated_since", "placed_from", "placed_to"});
    const auto limit = static_cast<std::size_t>(params.integer("limit", 100, 1, max_limit));
    auto since = params.instant("updated_since");
    if (const auto cursor = params.text("cursor")) {
        since = std::max(parse_cursor(*cursor) + 1, since.value_or(0));
    }
    const auto from = params.instant("placed_from"), to = params.instant("placed_to");
    if (from && to && *from >= *to)
        refuse(422, "empty_range", "the range is empty", {{"placed_to", "must be later than placed_from"}});
    auto records =
        from || to ? placed_between(since, from, to, limit + 1) : orders_.slice(since, 0, limit + 1);
    const bool has_more = records.size() > limit;
    if (has_more) records.pop_back();
    std::string body = R"({"data":)";
    append_array(body, records);
    body += has_more ? ",\"next_cursor\":\"" + make_cursor(records.back()->stamp_ms) + "\"}"
                     : std::string(",\"next_cursor\":null}");
    return json_response(200, std::move(body));
}

// In order of change, like every list of orders; placed_to itself is out.
std::vector<const Record*> Shop::placed_between(Collection::Since since, std::optional<std::int64_t> from,
                                                std::optional<std::int64_t> to, std::size_t limit) const {
    std::vector<const Record*> found;
    for (const Record* order : orders_.slice(since, 0, orders_.size())) {
        std::string error;
        const auto document = Json::parse(order->json, error);
        const auto placed = document ? parse_instant(document->text_of("placed_at")) : std::nullopt;
        if (!placed || (from && *placed < *from) || (to && *placed >= *to)) continue;
        found.push_back(order);
        if (found.size() == limit) break;
    }
    return found;
}

Response Shop::get_one(const Request& request) {
    const Params none(request, {});
    for (const Collection* collection : {&products_, &customers_, &orders_}) {
        if (collection->entity().name != request.segments[0]) continue;
        return json_response(200, record_or_404(*collection, request.segments[1]).json);
    }
    refuse(404, "not_found", "no such path");
}

Vendor::Generated Shop::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                 std::int64_t stamp_ms) {
    if (&collection == &products_) return {shop_data::product_json(number, seed, stamp_ms), {}};
    if (&collection == &customers_) return {shop_data::customer_json(number, seed, stamp_ms), {}};
    const shop_data::OrderSeed order{seed, products_.seed(), static_cast<std::int64_t>(products_.size()),
                                     static_cast<std::int64_t>(customers_.size())};
    return {shop_data::order_json(number, order, stamp_ms), {}};
}

// Fills what a person leaves out of a line, from the product it names.
void Shop::complete_lines(Json& lines) {
    std::int64_t number = 0;
    for (Json& line : lines.items()) {
        ++number;
        if (!line.is(Json::Kind::object)) continue;
        if (!line.find("line")) line.set("line", Json::integer(number));
        std::string error;
        const Record* record = products_.find(line.text_of("product_id"));
        const auto product = record ? Json::parse(record->json, error) : std::nullopt;
        const auto fill = [&](const char* key, const char* from, const Json& fallback) {
            if (line.find(key)) return;
            const Json* known = product ? product->find(from) : nullptr;
            line.set(key, known ? *known : fallback);
        };
        fill("sku", "sku", Json::string("UNKNOWN"));
        fill("text", "name", Json::string("Unknown product"));
        fill("unit_price", "price", Json::number("0.00"));
        if (!line.find("quantity")) line.set("quantity", Json::integer(1));
        const auto total = multiply(amount(line, "quantity"), amount(line, "unit_price"));
        if (!line.find("total"))
            line.set("total", Json::number(or_refuse(rescale(or_refuse(total), 2)).text()));
    }
}

void Shop::complete(const Collection& collection, Json& record, const Json& patch) {
    if (&collection != &orders_ || !patch.find("lines")) return;
    Json* lines = record.find("lines");
    if (!lines || !lines->is(Json::Kind::array)) return;
    complete_lines(*lines);
    Decimal net{0, 2}, tax{0, 2};
    for (const Json& line : lines->items()) {
        std::string error;
        const Record* product = products_.find(line.text_of("product_id"));
        const auto parsed = product ? Json::parse(product->json, error) : std::nullopt;
        const Decimal total = amount(line, "total");
        const Decimal rate = parsed ? amount(*parsed, "vat_rate") : Decimal{20, 0};
        Decimal line_tax = or_refuse(multiply(total, rate));
        line_tax.scale += 2;  // percent
        net = or_refuse(add(net, total));
        tax = or_refuse(add(tax, or_refuse(rescale(line_tax, 2))));
    }
    const auto give = [&](const char* key, const Decimal& value) {
        if (!patch.find(key)) record.set(key, Json::number(or_refuse(rescale(value, 2)).text()));
    };
    give("total_net", net);
    give("total_tax", tax);
    give("total", or_refuse(add(net, tax)));
}

}  // namespace liaison_sim
