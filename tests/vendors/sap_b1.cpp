#include "sap_b1.hpp"

#include <algorithm>
#include <cstdio>

#include "decimal.hpp"
#include "instant.hpp"
#include "ledger.hpp"
#include "shop_data.hpp"

namespace liaison_sim {

namespace {

constexpr std::size_t usual_page = 20;
constexpr std::int64_t lock_after = 3;

Entity entity(const char* name, const char* key, const char* prefix, std::size_t width, bool has_numbers,
              const char* lookup = "") {
    return {name, key, "_changed", lookup, prefix, width, has_numbers, {}};
}

// 12 is a double there, too.
Json as_double(const Json& number) {
    const std::string& text = number.text();
    return text.find_first_of(".eE") == std::string::npos ? Json::number(text + ".0") : number;
}

std::string cookie(const Request& request, std::string_view name) {
    const std::string all = request.header("Cookie");
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find(';', at), all.size());
        std::string_view one = std::string_view(all).substr(at, end - at);
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (one.starts_with(name) && one.substr(name.size()).starts_with('='))
            return std::string(one.substr(name.size() + 1));
        at = end + 1;
    }
    return {};
}

bool is_v1(const Request& request) { return !request.segments.empty() && request.segments[0] == "v1"; }

}  // namespace

SapB1::SapB1()
    : Vendor("sap_b1", "/b1s", {{"user", "manager"}, {"password", "sap-password"}, {"company", "SBODEMODE"}},
             {{"etags", "true"},
              {"etag_on_patch", "false"},
              {"multi_node", "true"},
              {"session_seconds", "1800"},
              {"session_requests", "0"},
              {"max_sessions", "0"},
              {"null_update_dates", "false"},
              {"udf", "true"},
              {"approval", "none"},
              {"lock", "false"},
              {"zone_minutes", "0"},
              {"links", "relative"},
              {"language", "en"}}),
      items_(add_entity(entity("Items", "ItemCode", "I", 6, false))),
      partners_(add_entity(entity("BusinessPartners", "CardCode", "C", 5, false))),
      orders_(add_entity(entity("Orders", "DocEntry", "", 0, true, "U_ExtId"))),
      drafts_(add_entity(entity("Drafts", "DocEntry", "", 0, true, "U_ExtId"))),
      invoices_(add_entity(entity("Invoices", "DocEntry", "", 0, true, "U_ExtId"))) {
    using Type = Property::Type;
    const std::set<std::string> changes{"CreateDate", "CreateTime", "UpdateDate", "UpdateTime"};
    const auto with = [&](std::set<std::string> more) {
        more.insert(changes.begin(), changes.end());
        return more;
    };
    sets_.push_back({"Items",
                     "Item",
                     &items_,
                     {{"ItemCode", Type::text, 50},
                      {"ItemName", Type::text, 100},
                      {"ItemsGroupCode", Type::number},
                      {"SalesUnit", Type::text, 100},
                      {"BarCode", Type::text, 254},
                      {"InventoryItem", Type::yes},
                      {"SalesItem", Type::yes},
                      {"PurchaseItem", Type::yes},
                      {"Valid", Type::yes},
                      {"Frozen", Type::yes},
                      {"ItemPrices", Type::list}},
                     with({"QuantityOnStock", "ItemWarehouseInfoCollection"})});
    sets_.push_back({"BusinessPartners",
                     "BusinessPartner",
                     &partners_,
                     {{"CardCode", Type::text, 15},
                      {"CardName", Type::text, 100},
                      {"CardType"},
                      {"GroupCode", Type::number},
                      {"Currency", Type::text, 3},
                      {"EmailAddress", Type::text, 100},
                      {"Phone1", Type::text, 50},
                      {"FederalTaxID", Type::text, 32},
                      {"Valid", Type::yes},
                      {"Frozen", Type::yes},
                      {"PriceListNum", Type::number},
                      {"BPAddresses", Type::list}},
                     changes});
    const std::vector<Property> order{{"CardCode", Type::text, 15},
                                      {"DocDate"},
                                      {"DocDueDate"},
                                      {"NumAtCard", Type::text, 100},
                                      {"DocCurrency", Type::text, 3},
                                      {"Comments", Type::text, 254},
                                      {"Series", Type::number},
                                      {"DocumentLines", Type::list},
                                      {"U_ExtId", Type::text, 50}};
    const auto readable = with({"DocEntry", "DocNum", "DocumentStatus", "Cancelled", "DocTotal", "VatSum",
                                "DocTotalFc", "VatSumFc"});
    sets_.push_back({"Orders", "Document", &orders_, order, readable});
    sets_.push_back({"Drafts", "Document", &drafts_, order, readable});
    auto paid = readable;
    paid.insert({"PaidToDate", "PaidToDateFC"});
    sets_.push_back({"Invoices", "Document", &invoices_, order, paid});
    for (const char* path : {"*/*", "*/*/*"}) {
        for (const auto method : {http::verb::get, http::verb::post, http::verb::patch, http::verb::delete_})
            route(method, path, &SapB1::serve);
    }
}

// ---- sessions ----

std::optional<Response> SapB1::turn_away(const Request& request) {
    if (!request.header("Expect").empty()) {
        Response response;  // Apache's, on every node
        response.status = 500;
        return response;
    }
    if (is_authorized(request)) return std::nullopt;
    try {
        refuse_with(is_v1(request), 401, "301", "Invalid session or session already timeout.");
    } catch (Refusal& refusal) { return std::move(refusal.response); }
}

bool SapB1::is_authorized(const Request& request) const {
    const bool is_login = request.segments.size() == 2 && request.segments[1] == "Login";
    if (is_login && request.method == http::verb::post) return true;
    const auto found = sessions_.find(cookie(request, "B1SESSION"));
    if (found == sessions_.end()) return false;
    Session& session = found->second;
    if (is_on("multi_node") && cookie(request, "ROUTEID") != session.route) return false;
    const std::int64_t now = now_ms(), most = number_mode("session_requests");
    const bool is_over = now - session.used_ms > number_mode("session_seconds") * 1000 ||
                         (most > 0 && session.requests >= most);
    if (is_over) {
        sessions_.erase(found);
        return false;
    }
    session.used_ms = now;
    ++session.requests;
    return true;
}

Response SapB1::log_in(const Request& request) {
    const bool v1 = is_v1(request);
    ++stats_.logins;
    const Json body = parse_body(request);
    for (const auto& [name, value] : body.members()) {
        static const std::set<std::string> known{"CompanyDB", "UserName", "Password", "Language"};
        if (!known.contains(name) || !value.is(Json::Kind::string))
            refuse_with(v1, 400, "-1000", "Property '" + name + "' of 'Login' is invalid");
    }
    if (body.text_of("CompanyDB") != credential("company"))
        refuse_with(v1, 400, "-304", "Fail to get DB credentials from SLD");
    if (bad_passwords_ >= lock_after) refuse_with(v1, 401, "100000055", "User is locked");
    const bool is_right =
        body.text_of("UserName") == credential("user") && body.text_of("Password") == credential("password");
    if (!is_right) {
        ++bad_passwords_;
        refuse_with(v1, 401, "100000027", "Login failed");
    }
    const std::int64_t most = number_mode("max_sessions");
    if (most > 0 && static_cast<std::int64_t>(sessions_.size()) >= most)
        refuse_with(v1, 500, "-1101", "No licence is free");
    bad_passwords_ = 0;
    char id[64];
    std::snprintf(id, sizeof id, "5f6c9e2a-1e72-11ed-8000-%012lld", static_cast<long long>(++last_session_));
    const std::string route = ".node" + std::to_string(1 + last_session_ % 3);
    secret(id);
    sessions_[id] = {route, now_ms(), 0};
    Json answer = Json::object();
    answer.set(v1 ? "odata.metadata" : "@odata.context", Json::string("$metadata#B1Sessions"));
    answer.set("SessionId", Json::string(id)).set("Version", Json::string("1000190"));
    answer.set("SessionTimeout",
               Json::integer(std::max<std::int64_t>(1, number_mode("session_seconds") / 60)));
    return json_response(200, answer.serialize())
        .with("Set-Cookie", std::string("B1SESSION=") + id + ";HttpOnly;")
        .with("Set-Cookie", "ROUTEID=" + route + "; path=/b1s");
}

Response SapB1::log_out(const Request& request) {
    sessions_.erase(cookie(request, "B1SESSION"));
    ++stats_.logouts;
    Response response;
    response.status = 204;
    return response;
}

void SapB1::forget() {
    sessions_.clear();
    bad_passwords_ = 0;
}

// ---- requests ----

void SapB1::refuse_with(bool v1, unsigned status, const std::string& code, const std::string& message) const {
    const std::string text = mode("language") == "de" ? "Vorgang nicht erlaubt" : message;
    Json error = Json::object();
    error.set("code", v1 ? Json::number(code) : Json::string(code));
    if (v1) {
        Json words = Json::object();
        words.set("lang", Json::string("en-us")).set("value", Json::string(text));
        error.set("message", std::move(words));
    } else {
        error.set("details", Json::array()).set("message", Json::string(text));
    }
    Json body = Json::object();
    body.set("error", std::move(error));
    throw Refusal{json_response(status, body.serialize())};
}

SapB1::Call SapB1::call_of(const Request& request) const {
    Call call;
    call.request = &request;
    call.is_v1 = is_v1(request);
    const auto unknown = [&] {
        refuse_with(call.is_v1, 404, "-1003", "Unrecognized resource path " + request.target);
    };
    if (request.segments[0] != "v1" && request.segments[0] != "v2") unknown();
    try {
        call.address = parse_address(request.segments[1]);
    } catch (const ODataError& error) { refuse_with(call.is_v1, 400, "-1003", error.what()); }
    for (const Set& set : sets_) {
        if (set.name == call.address.set) call.set = &set;
    }
    if (call.set == nullptr) unknown();
    const bool wants_text = call.set->collection == &items_ || call.set->collection == &partners_;
    if (call.address.key && call.address.is_quoted != wants_text)
        refuse_with(call.is_v1, 400, "-1003", "The key of " + call.set->name + " is of another type");
    if (request.segments.size() > 2) call.action = request.segments[2];
    return call;
}

Response SapB1::serve(const Request& request) {
    const std::string& name = request.segments[1];
    const bool posts = request.method == http::verb::post;
    if (posts && name == "Login") return log_in(request);
    if (posts && name == "Logout") return log_out(request);
    const Call call = call_of(request);
    if (!call.action.empty()) {
        if (posts && call.action == "Cancel" && call.set->collection == &orders_ && call.address.key)
            return cancel(call);
        refuse_with(call.is_v1, 404, "-1003", "Unrecognized resource path " + request.target);
    }
    if (request.method == http::verb::get) return call.address.key ? read_one(call) : list(call);
    if (posts && !call.address.key) return create(call);
    if (request.method == http::verb::patch && call.address.key) return change(call);
    if (request.method == http::verb::delete_ && call.address.key)
        refuse_with(call.is_v1, 400, "-5006", "The requested action is not supported for this object.");
    refuse_with(call.is_v1, 405, "-1", "Method not allowed");
}

// ---- reading ----

std::string SapB1::local_date(std::int64_t ms) const {
    const std::int64_t local = ms + number_mode("zone_minutes") * 60'000;
    return format_date(local / 86'400'000) + "T00:00:00Z";
}
std::string SapB1::local_time(std::int64_t ms) const {
    return format_instant(ms + number_mode("zone_minutes") * 60'000).substr(11, 8);
}

std::string SapB1::tag_of(const Record& record) const {
    char text[40];
    std::snprintf(text, sizeof text, "W/\"%llX\"", static_cast<unsigned long long>(record.stamp_ms));
    return text;
}

bool SapB1::knows(const Set& set, std::string_view property) const {
    if (property == "U_ExtId" && !is_on("udf")) return false;
    if (set.readable.contains(std::string(property))) return true;
    return std::any_of(set.writable.begin(), set.writable.end(),
                       [&](const Property& one) { return one.name == property; });
}

Json SapB1::shown(const Record& record, const Call& call) const {
    std::string error;
    Json made = Json::parse(record.json, error).value_or(Json::object());
    const bool was_updated = made.find("_updated") != nullptr || !is_on("null_update_dates");
    made.erase("_changed");
    made.erase("_updated");
    made.set("UpdateDate", was_updated ? Json::string(local_date(record.stamp_ms)) : Json());
    made.set("UpdateTime", was_updated ? Json::string(local_time(record.stamp_ms)) : Json());
    if (is_on("etags")) made.set(call.is_v1 ? "odata.etag" : "@odata.etag", Json::string(tag_of(record)));
    return made;
}

Response SapB1::list(const Call& call) {
    std::string filter, order, select;
    std::size_t skip = 0, top = SIZE_MAX, page = usual_page;
    for (const auto& [name, value] : call.request->query) {
        if (name == "$filter")
            filter = value;
        else if (name == "$orderby")
            order = value;
        else if (name == "$select")
            select = value;
        else if (name == "$skip")
            skip = std::stoul(value);
        else if (name == "$top")
            top = std::stoul(value);
        else
            refuse_with(call.is_v1, 400, "-1002", "Query option '" + name + "' is not supported");
    }
    // $top does not lift the size of a page.
    const std::string prefer = call.request->header("Prefer"), own = call.request->header("B1S-PageSize");
    if (prefer.starts_with("odata.maxpagesize=")) page = std::stoul(prefer.substr(18));
    if (!own.empty()) page = std::stoul(own);
    if (page == 0) page = SIZE_MAX;

    std::vector<Json> found;
    std::vector<std::string> wanted;
    try {
        const auto is_property = [&](std::string_view name) { return knows(*call.set, name); };
        for (const auto& [name, ascending] : parse_order(select, is_property)) wanted.push_back(name);
        std::optional<ODataFilter> test;
        if (!filter.empty()) test.emplace(filter, is_property);
        const Collection& all = *call.set->collection;
        for (const Record* record : all.slice({}, 0, all.size())) {
            Json one = shown(*record, call);
            if (!test || test->matches(one)) found.push_back(std::move(one));
        }
        const auto keys = parse_order(order, is_property);
        std::stable_sort(found.begin(), found.end(), [&](const Json& a, const Json& b) {
            for (const auto& [name, ascending] : keys) {
                const int difference = compare(a.find(name), b.find(name));
                if (difference != 0) return (difference < 0) == ascending;
            }
            return false;
        });
    } catch (const ODataError& error) {
        refuse_with(call.is_v1, 400, "-1000", std::string(error.what()) + " of '" + call.set->type + "'");
    }
    Json values = Json::array();
    const std::size_t end = std::min({found.size(), skip + std::min(page, top), SIZE_MAX});
    for (std::size_t i = skip; i < end && i - skip < page; ++i) {
        if (wanted.empty()) {
            values.items().push_back(std::move(found[i]));
            continue;
        }
        Json part = Json::object();
        for (const auto& [name, value] : found[i].members()) {
            const bool is_tag = name.find("odata.") != std::string::npos;
            if (is_tag || std::find(wanted.begin(), wanted.end(), name) != wanted.end())
                part.set(name, value);
        }
        values.items().push_back(std::move(part));
    }
    Json body = Json::object();
    body.set(call.is_v1 ? "odata.metadata" : "@odata.context", Json::string("$metadata#" + call.set->name));
    body.set("value", std::move(values));
    const bool has_more = end < found.size() && end - skip < top;
    if (has_more) {
        std::string link = call.request->target.substr(call.request->target.rfind('/') + 1);
        const std::size_t old = link.find("$skip=");
        if (old != std::string::npos) link = link.substr(0, old > 0 ? old - 1 : 0);
        link +=
            (link.find('?') == std::string::npos ? "?" : "&") + std::string("$skip=") + std::to_string(end);
        const std::string root = "/b1s/" + call.request->segments[0] + "/";
        if (mode("links") == "rooted") link = root + link;
        if (mode("links") == "absolute") link = "https://node1.internal:50001" + root + link;
        body.set(call.is_v1 ? "odata.nextLink" : "@odata.nextLink", Json::string(link));
    }
    return json_response(200, body.serialize());
}

const Record& SapB1::addressed(const Call& call) const {
    const Record* record = call.set->collection->find(*call.address.key);
    if (record == nullptr) refuse_with(call.is_v1, 404, "-2028", "No matching records found (ODBC -2028)");
    return *record;
}

Response SapB1::answer_with(const Record& record, const Call& call, unsigned status) const {
    Response response = json_response(status, shown(record, call).serialize());
    if (is_on("etags")) response.with("ETag", tag_of(record));
    return response;
}

Response SapB1::read_one(const Call& call) { return answer_with(addressed(call), call, 200); }

// ---- writing ----

Json SapB1::body_of(const Call& call) const {
    if (is_on("lock")) refuse_with(call.is_v1, 400, "-2039", "Another user modified data (ODBC -2039)");
    Json body = parse_body(*call.request);
    if (!body.is(Json::Kind::object)) refuse_with(call.is_v1, 400, "-1", "An object is expected");
    check_properties(call, body, call.set->writable, call.set->type);
    return body;
}

void SapB1::check_properties(const Call& call, const Json& body, const std::vector<Property>& known,
                             const std::string& of) const {
    using Type = Property::Type;
    for (const auto& [name, value] : body.members()) {
        const auto found = std::find_if(known.begin(), known.end(),
                                        [&, key = name](const Property& one) { return one.name == key; });
        if (found == known.end() || (name == "U_ExtId" && !is_on("udf")))
            refuse_with(call.is_v1, 400, "-1000", "Property '" + name + "' of '" + of + "' is invalid");
        const bool is_word = value.is(Json::Kind::string);
        const bool fits = found->type == Type::number ? value.is(Json::Kind::number)
                          : found->type == Type::list ? value.is(Json::Kind::array)
                          : found->type == Type::yes
                              ? is_word && (value.text() == "tYES" || value.text() == "tNO")
                              : is_word && value.text().size() <= found->longest;
        if (!fits)
            refuse_with(call.is_v1, 400, "-1004", "The value of '" + name + "' of '" + of + "' is invalid");
    }
}

void SapB1::check_references(const Call& call, const Json& body) const {
    using Type = Property::Type;
    static const std::vector<Property> line{
        {"LineNum", Type::number},   {"ItemCode", Type::text, 50},     {"Quantity", Type::number},
        {"UnitPrice", Type::number}, {"WarehouseCode", Type::text, 8}, {"VatGroup", Type::text, 8},
        {"TaxCode", Type::text, 8},  {"DiscountPercent", Type::number}};
    std::vector<Property> based = line;
    based.insert(based.end(),
                 {{"BaseType", Type::number}, {"BaseEntry", Type::number}, {"BaseLine", Type::number}});
    const bool is_invoice = call.set->collection == &invoices_;
    const std::string customer = body.text_of("CardCode");
    if (body.find("CardCode") && !partners_.find(customer))
        refuse_with(call.is_v1, 400, "-2028", "Invalid BP code [ORDR.CardCode] , '" + customer + "'");
    const Json* lines = body.find("DocumentLines");
    if (lines == nullptr) return;
    for (const Json& one : lines->items()) {
        check_properties(call, one, is_invoice ? based : line, "DocumentLine");
        if (one.find("BaseType")) check_base(call, one);
        const bool is_kept = one.find("LineNum") != nullptr && one.find("ItemCode") == nullptr;
        if (!is_kept && !items_.find(one.text_of("ItemCode")))
            refuse_with(call.is_v1, 400, "-2028", "Item number is missing [DocumentLines.ItemCode]");
    }
}

// Lines are based on lines of orders that are open and have the same item.
void SapB1::check_base(const Call& call, const Json& line) const {
    const Record* order =
        line.text_of("BaseType") == "17" ? orders_.find(line.text_of("BaseEntry")) : nullptr;
    if (order == nullptr) refuse_with(call.is_v1, 400, "-2028", "No matching base document");
    std::string error;
    const Json found = Json::parse(order->json, error).value_or(Json::object());
    for (const Json& one : found.find("DocumentLines")->items()) {
        if (one.text_of("LineNum") != line.text_of("BaseLine")) continue;
        if (one.text_of("LineStatus") == "bost_Close")
            refuse_with(call.is_v1, 400, "-5002", "Base document line is closed");
        if (one.text_of("ItemCode") != line.text_of("ItemCode"))
            refuse_with(call.is_v1, 400, "-5002", "Item differs from the base document's");
        return;
    }
    refuse_with(call.is_v1, 400, "-2028", "No matching base document line");
}

// What an invoice is based on is closed by it, and the order with its last line.
void SapB1::close_bases(const Json& invoice) {
    for (const Json& line : invoice.find("DocumentLines")->items()) {
        const Record* record = line.find("BaseType") ? orders_.find(line.text_of("BaseEntry")) : nullptr;
        if (record == nullptr) continue;
        const std::string id = record->id;
        std::string error;
        Json order = Json::parse(record->json, error).value_or(Json::object());
        bool is_open = false;
        for (Json& one : order.find("DocumentLines")->items()) {
            if (one.text_of("LineNum") == line.text_of("BaseLine"))
                one.set("LineStatus", Json::string("bost_Close"));
            is_open = is_open || one.text_of("LineStatus") != "bost_Close";
        }
        if (!is_open) order.set("DocumentStatus", Json::string("bost_Close"));
        order.set("_updated", Json::boolean(true));
        orders_.put(id, std::move(order));
    }
}

// Line numbers and states, doubles, and the totals that SAP makes itself.
void SapB1::finish_order(Json& order) const {
    Json* lines = order.find("DocumentLines");
    if (lines == nullptr) return;
    std::int64_t next = 0;
    for (const Json& one : lines->items()) {
        if (const Json* number = one.find("LineNum"))
            next = std::max(next, number->as_integer().value_or(0) + 1);
    }
    Decimal net;
    for (Json& one : lines->items()) {
        if (one.find("LineNum") == nullptr) one.set("LineNum", Json::integer(next++));
        if (one.find("LineStatus") == nullptr) one.set("LineStatus", Json::string("bost_Open"));
        for (const char* field : {"Quantity", "UnitPrice", "DiscountPercent"}) {
            if (const Json* number = one.find(field)) one.set(field, as_double(*number));
        }
        const auto quantity = Decimal::parse(one.text_of("Quantity")),
                   price = Decimal::parse(one.text_of("UnitPrice"));
        const auto value = quantity && price ? multiply(*quantity, *price) : std::nullopt;
        if (const auto sum = value ? add(net, *value) : std::nullopt) net = *sum;
    }
    const Decimal tax = rescale(multiply(net, {19, 2}).value_or(Decimal{}), 2).value_or(Decimal{});
    order.set("VatSum", as_double(Json::number(tax.text())));
    const Decimal total = rescale(add(net, tax).value_or(Decimal{}), 2).value_or(Decimal{});
    order.set("DocTotal", as_double(Json::number(total.text())));
    if (order.find("DocumentStatus") == nullptr) order.set("DocumentStatus", Json::string("bost_Open"));
    if (order.find("Cancelled") == nullptr) order.set("Cancelled", Json::string("tNO"));
}

Response SapB1::create(const Call& call) {
    Json body = body_of(call);
    const bool is_order = call.set->collection == &orders_ || call.set->collection == &invoices_;
    if (call.set->collection == &drafts_) refuse_with(call.is_v1, 400, "-5006", "Not supported");
    Collection* into = call.set->collection;
    std::string id;
    if (is_order) {
        for (const char* required : {"CardCode", "DocDueDate", "DocumentLines"}) {
            const Json* found = body.find(required);
            const bool has_terms =
                call.set->collection == &invoices_ && required == std::string("DocDueDate");
            if (has_terms) continue;  // those of the customer
            if (found == nullptr || (found->is(Json::Kind::array) && found->items().empty()))
                refuse_with(call.is_v1, 400, "-5002", std::string("Enter ") + required);
        }
        check_references(call, body);
        if (mode("approval") != "none") into = &drafts_;
        const std::string reference = body.text_of("U_ExtId") + body.text_of("NumAtCard");
        if (into != &drafts_ && body.find("U_ExtId") && into->has_lookup(body.text_of("U_ExtId")))
            ++stats_.duplicates;
        id = into->id_of(into->next_number());
        body.set("DocNum", Json::integer(100'000 + into->next_number()));
        finish_order(body);
        if (into == &invoices_) body.set("PaidToDate", as_double(Json::number("0")));
        if (into == &invoices_) close_bases(body);
    } else {
        const std::string key = call.set->collection->entity().id_field;
        id = body.text_of(key);
        if (id.empty()) refuse_with(call.is_v1, 400, "-5002", "Enter " + key);
        if (into->find(id) != nullptr)
            refuse_with(call.is_v1, 400, "-2035",
                        "This entry already exists in the following tables (ODBC -2035)");
        if (into == &partners_ && body.text_of("CardType").empty())
            refuse_with(call.is_v1, 400, "-5002", "Enter CardType");
    }
    const std::int64_t stamp = into->next_stamp();
    body.set("CreateDate", Json::string(local_date(stamp)))
        .set("CreateTime", Json::string(local_time(stamp)));
    const Record& record = into->put(id, std::move(body));
    Response response;
    if (into == &drafts_) {
        // SAP has made a draft and says something else.
        response.status = 204;
        try {
            if (mode("approval") == "fault")
                refuse_with(call.is_v1, 404, "-2028", "No matching records found (ODBC -2028)");
        } catch (Refusal& refusal) { response = std::move(refusal.response); }
    } else {
        response = answer_with(record, call, 201);
        response.with("Location",
                      "/b1s/" + call.request->segments[0] + "/" + call.set->name + "(" + id + ")");
    }
    response.committed = true;
    return response;
}

void SapB1::check_tag(const Call& call, const Record& record) const {
    const std::string wanted = call.request->header("If-Match");
    if (!is_on("etags") || wanted.empty() || wanted == tag_of(record)) return;
    refuse_with(
        call.is_v1, 412, "-2039",
        "Another user or another operation modified data; to continue, open the window again (ODBC -2039)");
}

namespace {

// Rows with a known number are changed, others are appended; what is not sent stays unless everything is
// replaced.
void merge_rows(Json& into, const Json& sent, const char* number, bool replaces) {
    Json merged = replaces ? Json::array() : into;
    for (const Json& row : sent.items()) {
        const std::string wanted = row.text_of(number);
        const auto is_it = [&](const Json& one) { return !wanted.empty() && one.text_of(number) == wanted; };
        auto& known = replaces ? into.items() : merged.items();
        const auto found = std::find_if(known.begin(), known.end(), is_it);
        if (found == known.end()) {
            merged.items().push_back(row);
            continue;
        }
        found->merge_patch(row);
        if (replaces) merged.items().push_back(*found);
    }
    into = std::move(merged);
}

}  // namespace

Response SapB1::change(const Call& call) {
    const Record& record = addressed(call);
    check_tag(call, record);
    Json body = body_of(call);
    check_references(call, body);
    std::string error;
    Json changed = Json::parse(record.json, error).value_or(Json::object());
    if (changed.text_of("Cancelled") == "tYES")
        refuse_with(call.is_v1, 400, "-5002", "The document is cancelled");
    // Amounts, items and dates of what is posted stay.
    if (call.set->collection == &invoices_) {
        for (const auto& [name, value] : body.members()) {
            if (name != "Comments" && name != "NumAtCard" && name != "U_ExtId")
                refuse_with(call.is_v1, 400, "-5002", "Field '" + name + "' of a posted document");
        }
    }
    const bool replaces = call.request->header("B1S-ReplaceCollectionsOnPatch") == "true";
    static constexpr std::pair<const char*, const char*> lists[] = {
        {"DocumentLines", "LineNum"}, {"ItemPrices", "PriceList"}, {"BPAddresses", "RowNum"}};
    for (const auto& [name, number] : lists) {
        const Json* sent = body.find(name);
        if (sent == nullptr) continue;
        if (changed.find(name) == nullptr) changed.set(name, Json::array());
        merge_rows(*changed.find(name), *sent, number, replaces);
        body.erase(name);
    }
    changed.merge_patch(body);
    changed.set("_updated", Json::boolean(true));
    if (call.set->collection == &orders_) finish_order(changed);
    const std::string id = record.id;
    const Record& stored = call.set->collection->put(id, std::move(changed));
    Response response;
    response.status = 204;
    if (is_on("etag_on_patch") && is_on("etags")) response.with("ETag", tag_of(stored));
    response.committed = true;
    return response;
}

Response SapB1::cancel(const Call& call) {
    const Record& record = addressed(call);
    check_tag(call, record);
    std::string error;
    Json order = Json::parse(record.json, error).value_or(Json::object());
    if (order.text_of("Cancelled") == "tYES")
        refuse_with(call.is_v1, 400, "-5006", "The document is already cancelled");
    order.set("Cancelled", Json::string("tYES")).set("DocumentStatus", Json::string("bost_Close"));
    order.set("_updated", Json::boolean(true));
    const std::string id = record.id;
    orders_.put(id, std::move(order));
    Response response;
    response.status = 204;
    response.committed = true;
    return response;
}

// ---- the control interface ----

void SapB1::complete(const Collection& collection, Json& record, const Json&) {
    record.set("_updated", Json::boolean(true));
    if (&collection == &orders_ || &collection == &drafts_ || &collection == &invoices_) finish_order(record);
}

Vendor::Generated SapB1::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                  std::int64_t stamp_ms) {
    const shop_data::Product product = shop_data::product(number, seed);
    const std::string price = shop_data::cents(product.price_cents);
    ObjectWriter json;
    std::string lookup;
    if (&collection == &items_) {
        json.string("ItemCode", collection.id_of(number)).string("ItemName", product.name.substr(0, 100));
        json.integer("ItemsGroupCode", 100).string("SalesUnit", product.unit);
        json.string("BarCode", "400" + shop_data::padded(number, 10)).string("InventoryItem", "tYES");
        json.string("SalesItem", "tYES").string("Valid", "tYES").string("Frozen", "tNO");
        json.raw("ItemPrices", R"([{"PriceList":1,"Price":)" + price + R"(,"Currency":"EUR"}])");
        json.raw("ItemWarehouseInfoCollection", R"([{"WarehouseCode":"01","InStock":)" +
                                                    std::to_string(number % 50) +
                                                    R"(.0,"Committed":0.0,"Ordered":0.0}])");
    } else if (&collection == &partners_) {
        json.string("CardCode", collection.id_of(number))
            .string("CardName", "Client " + std::to_string(number));
        json.string("CardType", "cCustomer").string("Currency", "EUR").string("Valid", "tYES");
        json.string("EmailAddress", "client" + std::to_string(number) + "@example.com")
            .string("Frozen", "tNO");
        json.raw("BPAddresses",
                 R"([{"RowNum":0,"AddressName":"Main","AddressType":"bo_BillTo","City":"Berlin",)"
                 R"("Country":"DE"}])");
    } else {
        json.integer("DocEntry", number).integer("DocNum", 100'000 + number);
        json.string("CardCode", partners_.id_of(1)).string("DocDate", local_date(stamp_ms));
        json.string("DocDueDate", local_date(stamp_ms)).string("DocCurrency", "EUR");
        json.raw("DocumentLines", R"([{"LineNum":0,"ItemCode":")" + items_.id_of(1 + number % 20) +
                                      R"(","Quantity":2.0,"UnitPrice":)" + price +
                                      R"(,"LineStatus":"bost_Open"}])");
        json.string("DocumentStatus", "bost_Open").string("Cancelled", "tNO");
        json.raw("DocTotal", price).raw("VatSum", "0.0");
        if (&collection == &invoices_) json.raw("PaidToDate", "0.0");
    }
    json.string("CreateDate", local_date(stamp_ms)).string("CreateTime", local_time(stamp_ms));
    return {json.take(), std::move(lookup)};
}

}  // namespace liaison_sim
