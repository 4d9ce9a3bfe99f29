#include "backoffice.hpp"

#include "instant.hpp"
#include "shop_data.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t max_limit = 500;
constexpr std::size_t max_key_bytes = 255;

Entity product_entity() {
    using namespace field;
    return {"products",
            "code",
            "changed_at",
            "",
            "PRD-",
            6,
            false,
            {read_only(text("code", 60)), text("label"), decimal("price", 4), currency("currency"),
             optional(text("unit", 10)), optional(decimal("vat", 3)), boolean("active"),
             read_only(instant("changed_at"))}};
}

Entity customer_entity() {
    using namespace field;
    return {"customers",
            "ref",
            "changed_at",
            "",
            "CUST-",
            5,
            false,
            {read_only(text("ref", 60)), text("name"), optional(text("email")), optional(text("phone", 40)),
             optional(text("vat", 20)), optional(text("city")), optional(text("country", 2)),
             read_only(instant("changed_at"))}};
}

Entity order_entity() {
    using namespace field;
    const Schema line{text("product_code", 60), decimal("quantity", 3), decimal("unit_price", 4),
                      optional(text("text"))};
    return {
        "orders",
        "id",
        "changed_at",
        "external_ref",
        "BO-",
        0,
        false,
        {read_only(text("id", 60)), text("external_ref", 100), text("customer_ref", 60), currency("currency"),
         list("lines", line), decimal("total", 2),
         optional(choice("status", {"received", "confirmed", "shipped", "cancelled"})),
         optional(date("requested_date")), optional(text("note", 2000)), read_only(instant("changed_at"))}};
}

}  // namespace

Backoffice::Backoffice()
    : Vendor("backoffice", "/backoffice/v1", {{"key", "bo-key"}}),
      products_(add_entity(product_entity())),
      customers_(add_entity(customer_entity())),
      orders_(add_entity(order_entity())) {
    route(http::verb::get, "ping", &Backoffice::ping);
    for (const char* entity : {"products", "customers"}) {
        const std::string one = std::string(entity) + "/*";
        route(http::verb::get, entity, &Backoffice::list);
        route(http::verb::get, one, &Backoffice::get_one);
        route(http::verb::put, one, &Backoffice::upsert_keyed);
    }
    route(http::verb::get, "orders", &Backoffice::list_orders);
    route(http::verb::post, "orders", &Backoffice::create_order);
    route(http::verb::get, "orders/*", &Backoffice::get_one);
    route(http::verb::put, "orders/*", &Backoffice::replace_order);
}

bool Backoffice::is_authorized(const Request& request) const {
    return request.header("X-Api-Key") == credential("key");
}

Collection& Backoffice::named(const std::string& entity) {
    if (entity == "products") return products_;
    return entity == "customers" ? customers_ : orders_;
}

Response Backoffice::ping(const Request& request) {
    const Params none(request, {});
    return json_response(200, R"({"company":"Le Grossiste","currency":"EUR"})");
}

Response Backoffice::page(const Collection& collection, const Params& params) {
    const auto offset = static_cast<std::size_t>(params.integer("offset", 0, 0, 1'000'000'000));
    const auto limit = static_cast<std::size_t>(params.integer("limit", 100, 1, max_limit));
    const auto since = params.instant("changed_since");
    std::string body = R"({"items":)";
    append_array(body, collection.slice(since, offset, limit));
    body += ",\"offset\":" + std::to_string(offset) +
            ",\"total\":" + std::to_string(collection.count(since)) + "}";
    return json_response(200, std::move(body));
}

Response Backoffice::list(const Request& request) {
    const Params params(request, {"offset", "limit", "changed_since"});
    return page(named(request.segments[0]), params);
}

Response Backoffice::list_orders(const Request& request) {
    const Params params(request, {"offset", "limit", "changed_since", "external_ref"});
    const auto reference = params.text("external_ref");
    if (!reference) return page(orders_, params);
    const auto records = search(orders_, *reference);
    std::string body = R"({"items":)";
    append_array(body, records);
    body += ",\"offset\":0,\"total\":" + std::to_string(records.size()) + "}";
    return json_response(200, std::move(body));
}

Response Backoffice::get_one(const Request& request) {
    const Params none(request, {});
    return json_response(200, record_or_404(named(request.segments[0]), request.segments[1]).json);
}

Response Backoffice::upsert_keyed(const Request& request) {
    const Params none(request, {});
    Collection& collection = named(request.segments[0]);
    const Entity& entity = collection.entity();
    const std::string& key = request.segments[1];
    Json body = parse_body(request);
    // The key may be repeated in the body, as long as it is the same one.
    const Json* repeated = body.find(entity.id_field);
    const bool is_same = repeated && repeated->is(Json::Kind::string) && repeated->text() == key;
    if (repeated && !is_same) {
        refuse(422, "validation_failed", "the body is refused",
               {{"/" + entity.id_field, "differs from the path"}});
    }
    body.erase(entity.id_field);
    require_valid(body, entity.schema, Origin::vendor_call);
    const bool is_new = !collection.find(key);
    Response response = json_response(is_new ? 201 : 200, collection.put(key, std::move(body)).json);
    response.committed = true;
    return response;
}

Json Backoffice::checked_order(const Request& request) const {
    Json body = parse_body(request);
    require_valid(body, orders_.entity().schema, Origin::vendor_call);
    std::vector<FieldError> unknown;
    const std::string customer = body.text_of("customer_ref");
    if (!customers_.find(customer)) unknown.push_back({"/customer_ref", "no customer " + customer});
    const auto& lines = body.find("lines")->items();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string code = lines[i].text_of("product_code");
        if (products_.find(code)) continue;
        unknown.push_back({"/lines/" + std::to_string(i) + "/product_code", "no product " + code});
    }
    if (!unknown.empty()) refuse(422, "unknown_reference", "the order names what is not here", unknown);
    return body;
}

Response Backoffice::create_order(const Request& request) {
    const Params none(request, {});
    const std::string key = request.header("Idempotency-Key");
    if (key.empty() || key.size() > max_key_bytes) {
        refuse(400, "idempotency_key_required", "Idempotency-Key of 1 to 255 bytes is required");
    }
    const auto before = answered_.find(key);
    if (before != answered_.end()) {
        if (before->second.body == request.body) return before->second.response;
        refuse(422, "idempotency_key_reused", "this key came with another body before");
    }
    Json body = checked_order(request);
    if (!body.find("status")) body.set("status", Json::string("received"));
    if (orders_.has_lookup(body.text_of("external_ref"))) ++stats_.duplicates;
    const std::string id = orders_.id_of(orders_.next_number());
    Response response = json_response(201, orders_.put(id, std::move(body)).json);
    response.with("Location", "/backoffice/v1/orders/" + id);
    // Only a done order is remembered: one that was refused may come again, corrected, under its key.
    Answered& answered = answered_[key];
    answered = {request.body, response};
    answered.response.with("Idempotent-Replayed", "true");
    response.committed = true;
    return response;
}

Response Backoffice::replace_order(const Request& request) {
    const Params none(request, {});
    const Record& record = record_or_404(orders_, request.segments[1]);
    const std::string id = record.id;
    Json body = checked_order(request);
    std::string error;
    const auto before = Json::parse(record.json, error);
    if (!body.find("status") && before) body.set("status", Json::string(before->text_of("status")));
    Response response = json_response(200, orders_.put(id, std::move(body)).json);
    response.committed = true;
    return response;
}

Vendor::Generated Backoffice::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                       std::int64_t stamp_ms) {
    const shop_data::Product product = shop_data::product(number, seed);
    shop_data::Random random(seed + 5, number);
    std::string lookup;
    ObjectWriter json;
    json.string(collection.entity().id_field, collection.id_of(number));
    if (&collection == &products_) {
        json.string("label", product.name).string("price", shop_data::cents(product.price_cents) + "00");
        json.string("currency", "EUR").string("unit", product.unit);
        json.string("vat", product.vat_tenths == 55 ? "5.5" : "20").boolean("active", true);
    } else if (&collection == &customers_) {
        json.string("name", "Client " + std::to_string(number)).string("country", "FR");
    } else {
        const std::int64_t quantity = 1 + random.below(12);
        lookup = "SEED-" + shop_data::padded(number, 6);
        ObjectWriter line;
        line.string("product_code", product.sku).string("quantity", std::to_string(quantity));
        line.string("unit_price", shop_data::cents(product.price_cents));
        json.string("external_ref", lookup)
            .string("customer_ref", customers_.id_of(1))
            .string("currency", "EUR");
        json.raw("lines", "[" + line.take() + "]");
        json.string("total", shop_data::cents(quantity * product.price_cents)).string("status", "received");
    }
    return {json.string("changed_at", format_instant(stamp_ms)).take(), std::move(lookup)};
}

}  // namespace liaison_sim
