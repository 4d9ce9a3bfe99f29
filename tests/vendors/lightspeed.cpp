#include "lightspeed.hpp"

#include <algorithm>

#include "instant.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t minute_ms = 60'000, day_ms = 86'400'000;
constexpr std::int64_t zone_ms = 60 * minute_ms;        // the venue's clock: +01:00, without summer time
constexpr std::int64_t day_start_ms = 330 * minute_ms;  // business days begin at 05:30

[[noreturn]] void refuse_financial(const std::string& error) {
    throw Refusal{json_response(400, ObjectWriter().string("error", error).take())};
}

std::int64_t financial_instant(const Request& request, const std::string& name, std::int64_t otherwise) {
    const std::string text = parameter_of(request, name);
    if (text.empty()) return otherwise;
    const auto parsed = parse_instant(text);
    if (!parsed) refuse_financial("Invalid date format: " + text);
    return *parsed;
}

std::int64_t financial_integer(const Request& request, const std::string& name, std::int64_t otherwise,
                               std::int64_t low, std::int64_t high) {
    const std::string text = parameter_of(request, name);
    if (text.empty()) return otherwise;
    const bool is_number = text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
    const std::int64_t value = is_number ? std::stoll(text) : -1;
    if (value < low || value > high) refuse_financial("Invalid " + name + ": " + text);
    return value;
}

std::set<std::string> included(const Request& request) {
    static const std::set<std::string> known{"staff",
                                             "table",
                                             "consumer",
                                             "payments",
                                             "revenue_center",
                                             "account_profile",
                                             "payment_authorization"};
    std::set<std::string> words;
    std::string rest = parameter_of(request, "include");
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string word = rest.substr(0, comma);
        if (!known.contains(word)) refuse_financial("Invalid include: " + word);
        words.insert(word);
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    }
    return words;
}

std::int64_t closed_at(const Json& sale) { return parse_instant(sale.text_of("timeClosed")).value_or(0); }

Entity entity_named(const char* name, const char* id) {
    return {name, id, "sim_changed", "", "", 0, false, {}, true};
}

// Where the next page begins; with characters that an address does not take as they are.
std::string token_after(const Json& sale) {
    return "k+/" + std::to_string(closed_at(sale)) + "=" + sale.text_of("accountFiscId");
}

bool is_after(const Json& sale, const std::string& token) {
    const std::size_t at = token.find('=');
    const std::int64_t last = std::stoll(token.substr(3, at - 3));
    return std::pair(closed_at(sale), sale.text_of("accountFiscId")) > std::pair(last, token.substr(at + 1));
}

// "12.345678" of millionths, and with `decimals` digits less.
std::string amount(std::int64_t millionths, int decimals) {
    const std::int64_t size = millionths < 0 ? -millionths : millionths;
    std::string digits = std::to_string(size % 1'000'000);
    digits.insert(0, 6 - digits.size(), '0');
    return (millionths < 0 ? "-" : "") + std::to_string(size / 1'000'000) + "." +
           digits.substr(0, static_cast<std::size_t>(decimals));
}

}  // namespace

Lightspeed::Lightspeed(std::shared_ptr<TokenBook> tokens)
    : Vendor("lightspeed", "/lightspeed", {}),
      tokens_(std::move(tokens)),
      sales_(add_entity({"sales", "accountFiscId", "sim_changed", "", "A65315.", 0, false, {}, true})),
      items_(add_entity({"items", "id", "sim_changed", "sku", "9107199254", 6, true, {}, true})),
      discounts_(add_entity({"discounts", "code", "sim_changed", "", "D", 0, false, {}, true})),
      availability_(add_entity(entity_named("availability", "sku"))) {
    using http::verb;
    route(verb::get, "f/data/businesses", &Lightspeed::businesses);
    route(verb::get, "f/v2/business-location/*/sales", &Lightspeed::sales);
    route(verb::get, "f/v2/business-location/*/sales-daily", &Lightspeed::sales_of_day);
    route(verb::get, "items/v1/items", &Lightspeed::items);
    route(verb::post, "items/v1/items", &Lightspeed::create_item);
    route(verb::get, "items/v1/items/*", &Lightspeed::item);
    route(verb::put, "items/v1/items/*", &Lightspeed::replace_item);
    route(verb::get, "o/op/1/itemAvailability", &Lightspeed::availability);
    route(verb::get, "o/op/1/menu/discounts", &Lightspeed::discounts);
}

bool Lightspeed::is_authorized(const Request& request) const {
    const std::string header = request.header("Authorization");
    return header.starts_with("Bearer ") && tokens_->may_read(header.substr(7));
}

Response Lightspeed::unauthorized() const {
    return json_response(401, R"({"error":"invalid_token","error_description":"Access token expired"})")
        .with("WWW-Authenticate", challenge());
}

// Nothing is published: it does not say how long.
Response Lightspeed::too_many() const { return json_response(429, R"({"error":"Too Many Requests"})"); }

void Lightspeed::require_location(const std::string& id) {
    if (id != lightspeed_location && id != lightspeed_other_location)
        throw Refusal{json_response(403, R"({"error":"Forbidden"})")};
}

std::vector<Json> Lightspeed::rows(const Collection& collection, const std::string& location,
                                   const Keep& keep) const {
    std::vector<Json> kept;
    for (const Record* record : collection.slice({}, 0, collection.size())) {
        std::string error;
        Json row = Json::parse(record->json, error).value_or(Json::object());
        const std::string where = row.text_of("sim_location");
        row.erase("sim_changed");
        row.erase("sim_location");
        if ((where.empty() ? lightspeed_location : where) == location && keep(row))
            kept.push_back(std::move(row));
    }
    return kept;
}

// ---- financial ----

Response Lightspeed::businesses(const Request& request) {
    if (financial_integer(request, "page", 0, 0, 1'000'000) > 0)
        return json_response(200, R"({"_embedded":{"businessList":[]}})");
    const std::string one = R"({"blName":"Salle","blID":)" + std::string(lightspeed_location) +
                            R"(,"country":"FR","timezone":"Europe/Paris"})";
    const std::string other = R"({"blName":"Terrasse","blID":)" + std::string(lightspeed_other_location) +
                              R"(,"country":"FR","timezone":"Europe/Paris"})";
    return json_response(200, R"({"_embedded":{"businessList":[{"businessName":"Le Vieux Moulin",)"
                              R"("businessId":1234,"currencyCode":"EUR","businessLocations":[)" +
                                  one + "," + other + R"(]}]},"_links":{"self":{"href":"/"}}})");
}

Json Lightspeed::shown_sale(Json sale, const std::set<std::string>& include) {
    if (!include.contains("payments")) sale.erase("payments");
    if (!include.contains("table")) {
        sale.erase("tableNumber");
        sale.erase("tableName");
    }
    if (!include.contains("staff")) {
        sale.erase("ownerId");
        sale.erase("ownerName");
    }
    return sale;
}

Response Lightspeed::sales(const Request& request) {
    const std::string location = request.segments[3];
    require_location(location);
    if (parameter_of(request, "from").empty())
        refuse_financial(
            "Required request parameter 'from' for method parameter type OffsetDateTime is not present");
    const std::int64_t now = now_ms(), from = financial_instant(request, "from", 0);
    const std::int64_t to = std::min(financial_instant(request, "to", now), now);
    if (from > to) refuse_financial("Invalid date range: 'from' date should not be after 'to' date");
    if (to - from > 365 * day_ms) refuse_financial("Invalid date range: more than 365 days");
    if (!operational_.empty() && from < parse_instant(operational_).value_or(0))
        refuse_financial(
            "Invalid 'from' date query parameter. The requested business location was not operational on the "
            "provided date.\nPlease specify a date and time after: " +
            operational_ + ", which is the earliest available date for this location.\n");
    const auto size = static_cast<std::size_t>(financial_integer(request, "pageSize", 50, 1, 100));
    const std::string token = parameter_of(request, "nextPageToken");
    if (!token.empty() && (!token.starts_with("k+/") || token.find('=') == std::string::npos))
        refuse_financial("Invalid nextPageToken");
    const std::set<std::string> include = included(request);
    std::vector<Json> found = rows(sales_, location, [&](const Json& sale) {
        const std::int64_t closed = closed_at(sale);
        return closed >= from && closed <= to && (token.empty() || is_after(sale, token));
    });
    std::sort(found.begin(), found.end(), [](const Json& a, const Json& b) {
        return std::pair(closed_at(a), a.text_of("accountFiscId")) <
               std::pair(closed_at(b), b.text_of("accountFiscId"));
    });
    Json list = Json::array(), body = Json::object();
    const bool is_last = found.size() <= size;
    if (!is_last) found.resize(size);
    for (Json& sale : found) list.items().push_back(shown_sale(sale, include));
    body.set("sales", std::move(list));
    if (!is_last) body.set("nextPageToken", Json::string(token_after(found.back())));
    return json_response(200, body.serialize());
}

Response Lightspeed::sales_of_day(const Request& request) {
    const std::string location = request.segments[3], date = parameter_of(request, "date");
    require_location(location);
    if (!is_date(date)) refuse_financial("Invalid date format: " + date);
    const std::set<std::string> include = included(request);
    const std::int64_t begins = parse_instant(date + "T00:00:00Z").value_or(0) + day_start_ms - zone_ms;
    if (!operational_.empty() && begins + day_ms < parse_instant(operational_).value_or(0))
        refuse_financial("The requested business location was not operational on the provided date.");
    const std::int64_t until = std::min(begins + day_ms, now_ms());
    Json list = Json::array(), body = Json::object();
    for (Json& sale : rows(sales_, location, [&](const Json& one) {
             return closed_at(one) >= begins && closed_at(one) < until;
         }))
        list.items().push_back(shown_sale(std::move(sale), include));
    const std::string next = format_instant(begins + day_ms + zone_ms).substr(0, 19) + "+01:00";
    body.set("sales", std::move(list)).set("nextStartOfDayAsIso8601", Json::string(next));
    const bool is_over = begins + day_ms <= now_ms();
    const bool is_synced = unsynced_ != "*" && unsynced_.find(date) == std::string::npos;
    body.set("dataComplete", Json::boolean(is_over && is_synced));
    return json_response(200, body.serialize());
}

// ---- made-up records ----

// Sales are ten minutes apart, the first one 40 days ago.
Json Lightspeed::generated_sale(std::int64_t number) const {
    if (first_sale_ms_ == 0) first_sale_ms_ = now_ms() / minute_ms * minute_ms - 40 * day_ms;
    const std::int64_t closed = first_sale_ms_ + number * 10 * minute_ms;
    const bool is_refund = number % 50 == 7, is_recall = number % 50 == 21, is_float = number % 97 == 0;
    const std::string fisc = "A65315." + std::to_string(number);
    Json sale = Json::object(), lines = Json::array(), payments = Json::array(), source = Json::object();
    std::int64_t total = 0;
    const auto add_line = [&](const std::string& name, std::int64_t gross, bool is_child) {
        const std::int64_t net = (gross * 10 + (gross < 0 ? -5 : 5)) / 11, tax = gross - net;
        const std::string id = "S" + std::to_string(number) + "." + std::to_string(lines.items().size() + 1);
        Json line = Json::object(), tax_line = Json::object(), taxes = Json::array(), group = Json::object();
        line.set("id", Json::string(id));
        line.set("parentLineId", is_child ? Json::string("S" + std::to_string(number) + ".1") : Json());
        line.set("sku", Json::string(std::to_string(1 + number % 60))).set("name", Json::string(name));
        line.set("quantity", Json::string(gross < 0 ? "-1.000" : "1.000"));
        line.set("menuListPrice", Json::string(amount(gross < 0 ? -gross : gross, 2)));
        line.set("totalNetAmountWithTax", Json::string(amount(gross, 6)));
        line.set("totalNetAmountWithoutTax", Json::string(amount(net, 6)));
        line.set("taxAmount", Json::string(amount(tax, 6))).set("taxRatePercentage", Json::string("10.00"));
        line.set("taxCode", Json::string("TVA10"));
        tax_line.set("taxId", Json::string("41910290874374")).set("taxCode", Json::string("TVA10"));
        tax_line.set("taxRate", Json::string("1.1")).set("taxAmount", Json::string(amount(tax, 6)));
        tax_line.set("taxIncluded", Json::boolean(true));
        taxes.items().push_back(std::move(tax_line));
        line.set("taxLines", std::move(taxes)).set("totalDiscountAmount", Json::string("0.00"));
        line.set("serviceCharge", Json::string("0.00"));
        line.set("serviceChargeType", Json::string("NO_SERVICE_CHARGE"));
        group.set("accountingGroupId", Json::number("141948669132845")).set("name", Json::string("Food"));
        line.set("accountingGroup", std::move(group)).set("currency", Json::string("EUR"));
        line.set("timeOfSale", Json::string(format_instant(closed - 20 * minute_ms)));
        lines.items().push_back(std::move(line));
        total += gross;
    };
    const std::int64_t sign = is_refund ? -1 : 1;
    if (!is_float && number % 10 == 3) {  // a third each: to the cent they do not add up
        for (const std::int64_t third : {3'333'333, 3'333'333, 3'333'334})
            add_line("Tapas", sign * third, false);
    } else if (!is_float) {
        add_line("Plat " + std::to_string(number % 60), sign * (8 + number % 20) * 500'000, false);
        if (number % 3 == 0) add_line("Cuisson", 0, true);
        if (number % 4 == 0) add_line("Boisson", sign * 3'500'000, false);
    }
    Json payment = Json::object();
    const std::int64_t tip = number % 5 == 0 && !is_refund ? 2'000'000 : 0;
    payment.set("code", Json::string(number % 2 == 0 ? "CB" : "CASH"));
    payment.set("paymentMethodId", Json::number("141948669132824"));
    payment.set("netAmountWithTax", Json::string(amount(is_float ? 100'000'000 : total, 2)));
    payment.set("tip", Json::string(amount(tip, 2))).set("currency", Json::string("EUR"));
    payment.set("type", Json::string("NORMAL")).set("fiscId", Json::string("T" + std::to_string(number)));
    payment.set("uuid", Json::string("uuid-" + std::to_string(number) + "=="));
    payment.set("fiscDate", Json::string(format_instant(closed)));
    payment.set("roundingAmount", Json::string("0.00"));
    payments.items().push_back(std::move(payment));
    source.set("initialAccountId",
               Json::string(is_refund || is_recall ? "A65315." + std::to_string(number - 1) : fisc));
    sale.set("accountFiscId", Json::string(fisc)).set("accountReference", Json::string("ref-" + fisc + "=="));
    sale.set("receiptId", Json::string("R65315." + std::to_string(number)));
    sale.set("source", std::move(source));
    sale.set("type", Json::string(is_float ? "FLOAT" : is_refund ? "REFUND" : is_recall ? "RECALL" : "SALE"));
    sale.set("cancelled", Json::boolean(false));
    sale.set("timeOfOpening", Json::string(format_instant(closed - 60 * minute_ms)));
    sale.set("timeClosed", Json::string(format_instant(closed)));
    sale.set("tableNumber", Json::string(std::to_string(number % 20)));
    sale.set("nbCovers", Json::number("2.0")).set("dineIn", Json::boolean(true));
    sale.set("ownerName", Json::string("Lea")).set("ownerId", Json::number("14670"));
    sale.set("deviceId", Json::number("75125")).set("deviceName", Json::string("ipad9"));
    sale.set("salesLines", std::move(lines)).set("payments", std::move(payments));
    return sale;
}

Vendor::Generated Lightspeed::generate(const Collection& collection, std::int64_t number, std::uint64_t,
                                       std::int64_t) {
    if (&collection == &sales_) return {generated_sale(number).serialize(), {}};
    if (&collection == &items_) {
        const Json made = generated_item(number);
        return {made.serialize(), made.text_of("sku")};
    }
    Json made = Json::object();
    if (&collection == &discounts_) {
        made.set("name", Json::string("Discount " + std::to_string(number)));
        made.set("code", Json::string(discounts_.id_of(number)));
        if (number % 2 == 0)
            made.set("discountPercentage", Json::number("20.0"));
        else
            made.set("discountAmount", Json::number("5.0"));
        return {made.serialize(), {}};
    }
    made.set("sku", Json::string(std::to_string(number))).set("count", Json::integer(number % 9));
    return {made.serialize(), {}};
}

void Lightspeed::forget() {
    first_sale_ms_ = 0;
    unsynced_.clear();
    operational_.clear();
    is_wrapped_ = false;
}

bool Lightspeed::set_own(const std::string& name, const Json& value) {
    if (name == "unsynced" && value.is(Json::Kind::string)) return unsynced_ = value.text(), true;
    if (name == "operational" && value.is(Json::Kind::string)) return operational_ = value.text(), true;
    if (name == "wrapped" && value.is(Json::Kind::boolean)) return is_wrapped_ = value.truth(), true;
    return false;
}

void Lightspeed::show_own(Json& switches) const {
    switches.set("unsynced", Json::string(unsynced_)).set("operational", Json::string(operational_));
    switches.set("wrapped", Json::boolean(is_wrapped_));
}

}  // namespace liaison_sim
