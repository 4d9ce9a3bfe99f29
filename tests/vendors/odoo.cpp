#include "odoo.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "decimal.hpp"
#include "instant.hpp"
#include "odoo_wire.hpp"
#include "shop_data.hpp"

namespace liaison_sim {
namespace {

using odoo_wire::Error;

constexpr std::int64_t user = 7;
constexpr std::size_t max_records_in_a_call = 1000;

Entity entity(std::string name, std::string lookup = "") {
    return {std::move(name), "id", "write_date", std::move(lookup), "", 0, true, {}};
}

Json no() { return Json::boolean(false); }
Json str(std::string_view text) { return Json::string(std::string(text)); }

bool is_empty(const Json* value) {
    return !value || value->is(Json::Kind::null) || (value->is(Json::Kind::boolean) && !value->truth()) ||
           (value->is(Json::Kind::string) && value->text().empty());
}
std::string text_in(const Json& row, std::string_view field) {
    const Json* value = row.find(field);
    return value ? value->text() : std::string();
}
std::int64_t number_in(const Json& row, std::string_view field) {
    const Json* value = row.find(field);
    return value ? value->as_integer().value_or(0) : 0;
}
// "2026-01-31T08:15:00.250Z" to "2026-01-31 08:15:00.250".
std::string stored_time(std::string text) {
    if (text.size() < 20) return text;
    text[10] = ' ';
    text.pop_back();
    return text;
}
std::string now_text() { return stored_time(format_instant(now_ms())).substr(0, 19); }

[[noreturn]] void value_error(const std::string& message) { throw Error(1, "ValueError", message); }
[[noreturn]] void user_error(const std::string& message) {
    throw Error(2, "odoo.exceptions.UserError", message);
}
[[noreturn]] void missing(const std::string& model, std::int64_t id) {
    throw Error(2, "odoo.exceptions.MissingError",
                "Record does not exist or has been deleted.\n(Record: " + model + "(" + std::to_string(id) +
                    ",), User: 7)");
}

bool is_number(const std::string& text) { return Decimal::parse(text).has_value(); }
bool is_moment(const std::string& text) {
    return text.size() == 19 && text[10] == ' ' &&
           parse_instant(text.substr(0, 10) + "T" + text.substr(11) + "Z");
}

const std::map<std::int64_t, std::pair<std::string, std::string>>& countries() {
    static const std::map<std::int64_t, std::pair<std::string, std::string>> all = {
        {20, {"BE", "Belgium"}},
        {43, {"CH", "Switzerland"}},
        {57, {"DE", "Germany"}},
        {75, {"FR", "France"}},
        {233, {"US", "United States"}}};
    return all;
}

}  // namespace

struct Odoo::Field {
    std::string name, type;
    int from = 14, until = 19;
    std::string comodel = {};               // of many2one
    std::vector<std::string> options = {};  // of selection
    bool is_required = false, is_read_only = false;
};

Odoo::Odoo()
    : Vendor("odoo", "/odoo", {{"login", "bot@paradise.example"}, {"key", "odoo-key"}, {"version", "17.0"}}),
      products_(add_entity(entity("products"))),
      partners_(add_entity(entity("partners"))),
      orders_(add_entity(entity("orders"))),
      lines_(add_entity(entity("lines"))),
      names_(add_entity(entity("names", "complete_name"))),
      invoices_(add_entity(entity("invoices"))),
      invoice_lines_(add_entity(entity("invoice_lines"))),
      quants_(add_entity(entity("quants"))) {
    route(http::verb::post, "xmlrpc/2/common", &Odoo::xmlrpc_common);
    route(http::verb::post, "xmlrpc/2/object", &Odoo::xmlrpc_object);
    route(http::verb::post, "json/2/*/*", &Odoo::json2);
    route(http::verb::get, "web/version", &Odoo::web_version);
}

std::optional<Odoo::Database> Odoo::database_of(const std::string& name) {
    static const std::map<std::string, Database> all = {
        {"sim14", {14, false, false}},    {"sim16", {16, false, false}}, {"sim17", {17, false, false}},
        {"sim18", {18, false, false}},    {"sim19", {19, false, false}}, {"sim16-none", {16, true, false}},
        {"sim17-busy", {17, false, true}}};
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional<Database>(found->second);
}

const std::vector<Odoo::Field>& Odoo::fields_of(const std::string& model) {
    static const std::map<std::string, std::vector<Field>> all = {
        {"product.product",
         {{"name", "char", 14, 19, "", {}, true},
          {"default_code", "char"},
          {"barcode", "char"},
          {"description_sale", "text"},
          {"list_price", "float"},
          {"standard_price", "float"},
          {"currency_id", "many2one", 14, 19, "res.currency", {}, false, true},
          {"uom_id", "many2one", 14, 19, "uom.uom"},
          {"categ_id", "many2one", 14, 19, "product.category"},
          {"type", "selection", 14, 14, "", {"consu", "service", "product"}},
          {"type", "selection", 15, 17, "", {"consu", "service", "product"}, false, true},
          {"type", "selection", 18, 19, "", {"consu", "service", "combo"}},
          {"detailed_type", "selection", 15, 17, "", {"consu", "service", "product"}},
          {"is_storable", "boolean", 18, 19},
          {"tracking", "selection", 14, 19, "", {"none", "lot", "serial"}},
          {"active", "boolean"}}},
        {"res.partner",
         {{"name", "char", 14, 19, "", {}, true},
          {"is_company", "boolean"},
          {"email", "char"},
          {"phone", "char"},
          {"mobile", "char", 14, 18},
          {"vat", "char"},
          {"ref", "char"},
          {"street", "char"},
          {"street2", "char"},
          {"zip", "char"},
          {"city", "char"},
          {"country_id", "many2one", 14, 19, "res.country"},
          {"lang", "selection", 14, 19, "", {"en_US", "fr_FR"}},
          {"comment", "text", 14, 14},
          {"comment", "html", 15, 19},
          {"customer_rank", "integer"},
          {"active", "boolean"}}},
        {"sale.order",
         {{"name", "char", 14, 19, "", {}, false, true},
          {"client_order_ref", "char"},
          {"partner_id", "many2one", 14, 19, "res.partner", {}, true},
          {"state", "selection", 14, 16, "", {"draft", "sent", "sale", "done", "cancel"}, false, true},
          {"state", "selection", 17, 19, "", {"draft", "sent", "sale", "cancel"}, false, true},
          {"date_order", "datetime"},
          {"commitment_date", "datetime"},
          {"currency_id", "many2one", 14, 19, "res.currency", {}, false, true},
          {"amount_untaxed", "monetary", 14, 19, "", {}, false, true},
          {"amount_tax", "monetary", 14, 19, "", {}, false, true},
          {"amount_total", "monetary", 14, 19, "", {}, false, true},
          {"note", "text", 14, 14},
          {"note", "html", 15, 19},
          {"warehouse_id", "many2one", 14, 19, "stock.warehouse"},
          {"delivery_status",
           "selection",
           16,
           19,
           "",
           {"pending", "started", "partial", "full"},
           false,
           true},
          {"invoice_status", "selection", 14, 19, "", {"no", "to invoice", "invoiced"}, false, true},
          {"order_line", "one2many", 14, 19, "sale.order.line"}}},
        {"sale.order.line",
         {{"order_id", "many2one", 14, 19, "sale.order"},
          {"product_id", "many2one", 14, 19, "product.product", {}, true},
          {"name", "text"},
          {"product_uom_qty", "float"},
          {"product_uom", "many2one", 14, 18, "uom.uom"},
          {"product_uom_id", "many2one", 19, 19, "uom.uom"},
          {"price_unit", "float"},
          {"discount", "float"},
          {"price_subtotal", "monetary", 14, 19, "", {}, false, true},
          {"display_type", "selection", 14, 19, "", {"line_section", "line_note"}},
          {"sequence", "integer"}}},
        {"account.move",
         {{"name", "char", 14, 19, "", {}, false, true},
          {"ref", "char"},
          {"move_type",
           "selection",
           14,
           19,
           "",
           {"entry", "out_invoice", "out_refund", "in_invoice", "in_refund"},
           true},
          {"state", "selection", 14, 19, "", {"draft", "posted", "cancel"}, false, true},
          {"payment_state",
           "selection",
           14,
           19,
           "",
           {"not_paid", "in_payment", "paid", "partial", "reversed"},
           false,
           true},
          {"partner_id", "many2one", 14, 19, "res.partner"},
          {"invoice_date", "date"},
          {"invoice_date_due", "date"},
          {"currency_id", "many2one", 14, 19, "res.currency", {}, false, true},
          {"amount_untaxed", "monetary", 14, 19, "", {}, false, true},
          {"amount_tax", "monetary", 14, 19, "", {}, false, true},
          {"amount_total", "monetary", 14, 19, "", {}, false, true},
          {"amount_residual", "monetary", 14, 19, "", {}, false, true},
          {"invoice_origin", "char"},
          {"narration", "text", 14, 14},
          {"narration", "html", 15, 19},
          {"invoice_line_ids", "one2many", 14, 19, "account.move.line"}}},
        {"account.move.line",
         {{"move_id", "many2one", 14, 19, "account.move"},
          {"product_id", "many2one", 14, 19, "product.product"},
          {"name", "char"},
          {"quantity", "float"},
          {"product_uom_id", "many2one", 14, 19, "uom.uom"},
          {"price_unit", "float"},
          {"discount", "float"},
          {"price_subtotal", "monetary", 14, 19, "", {}, false, true},
          {"tax_ids", "many2many"},
          {"tax_line_id", "many2one", 14, 19, "account.tax"},
          {"amount_currency", "monetary"},
          {"display_type", "selection", 14, 15, "", {"line_section", "line_note"}},
          {"display_type",
           "selection",
           16,
           19,
           "",
           {"product", "tax", "payment_term", "line_section", "line_note"}},
          {"sequence", "integer"}}},
        {"stock.quant",
         {{"product_id", "many2one", 14, 19, "product.product", {}, true},
          {"location_id", "many2one", 14, 19, "stock.location", {}, true},
          {"quantity", "float", 14, 19, "", {}, false, true},
          {"reserved_quantity", "float", 14, 19, "", {}, false, true},
          {"inventory_quantity", "float"}}},
        {"ir.model.data", {{"module", "char"}, {"name", "char"}, {"model", "char"}, {"res_id", "integer"}}},
        {"res.country", {{"code", "char"}, {"name", "char"}}},
        {"res.users",
         {{"login", "char"}, {"name", "char"}, {"company_id", "many2one", 14, 19, "res.company"}}}};
    const auto found = all.find(model);
    if (found == all.end()) throw Error(2, "builtins.KeyError", "Object " + model + " doesn't exist", 404);
    return found->second;
}

const Odoo::Field* Odoo::field_of(const Call& call, const std::string& model, const std::string& name) {
    static const Field id{"id", "integer", 14, 19, "", {}, false, true};
    static const Field created{"create_date", "datetime", 14, 19, "", {}, false, true};
    static const Field written{"write_date", "datetime", 14, 19, "", {}, false, true};
    for (const Field* field : {&id, &created, &written}) {
        if (field->name == name) return field;
    }
    for (const Field& field : fields_of(model)) {
        if (field.name == name && call.database.version >= field.from && call.database.version <= field.until)
            return &field;
    }
    return nullptr;
}

Collection* Odoo::collection_of(const std::string& model) {
    if (model == "product.product") return &products_;
    if (model == "res.partner") return &partners_;
    if (model == "sale.order") return &orders_;
    if (model == "sale.order.line") return &lines_;
    if (model == "account.move") return &invoices_;
    if (model == "account.move.line") return &invoice_lines_;
    if (model == "stock.quant") return &quants_;
    return model == "ir.model.data" ? &names_ : nullptr;
}

const Odoo::Document* Odoo::document_of(const std::string& model) {
    static const Document order{"sale.order.line", "order_id", "order_line", "product_uom_qty"},
        invoice{"account.move.line", "move_id", "invoice_line_ids", "quantity"};
    if (model == "sale.order") return &order;
    return model == "account.move" ? &invoice : nullptr;
}

// ---- the doors
// -------------------------------------------------------------------------------------------------

Response Odoo::web_version(const Request&) {
    return json_response(200, R"({"version_info":[19,0,0,"final",0,""],"version":"19.0"})");
}

Response Odoo::xmlrpc_common(const Request& request) {
    try {
        const odoo_wire::Call call = odoo_wire::parse_call(request);
        const auto& given = call.parameters.items();
        if (call.method == "version") {
            Json version = Json::object();
            version.set("server_version", str(credential("version")));
            version.set("server_serie", str(credential("version")));
            return odoo_wire::xml_answer(version.set("protocol_version", Json::integer(1)));
        }
        if (call.method != "authenticate" || given.size() != 4)
            throw Error(1, "AttributeError", "no such method, or not these arguments");
        if (!database_of(given[0].text()))
            throw Error(1, "psycopg2.OperationalError",
                        "FATAL:  database \"" + given[0].text() + "\" does not exist");
        const bool is_known = given[1].text() == credential("login") && given[2].text() == credential("key");
        if (!is_known) ++stats_.unauthorized;
        return odoo_wire::xml_answer(is_known ? Json::integer(user) : no());
    } catch (const Error& error) { return odoo_wire::xml_fault(error); }
}

Response Odoo::xmlrpc_object(const Request& request) {
    try {
        odoo_wire::Call sent = odoo_wire::parse_call(request);
        auto& given = sent.parameters.items();
        if (sent.method != "execute_kw" || given.size() < 6 || given.size() > 7)
            throw Error(1, "TypeError", "execute_kw takes db, uid, password, model, method, args, kwargs");
        const auto database = database_of(given[0].text());
        if (!database)
            throw Error(1, "psycopg2.OperationalError",
                        "FATAL:  database \"" + given[0].text() + "\" does not exist");
        if (given[1].as_integer() != user || given[2].text() != credential("key")) {
            ++stats_.unauthorized;
            throw Error(3, "odoo.exceptions.AccessDenied", "Access Denied");
        }
        Call call{*database, given[3].text(), given[4].text()};
        call.positional = given[5];
        if (given.size() == 7) call.named = given[6];
        if (!call.positional.is(Json::Kind::array) || !call.named.is(Json::Kind::object))
            throw Error(1, "TypeError", "args is a list and kwargs a dictionary");
        if (const Json* context = call.named.find("context")) call.context = *context;
        const Reply reply = execute(call);
        Response response = odoo_wire::xml_answer(reply.value);
        if (reply.is_none) {
            response = odoo_wire::xml_fault(
                Error(1, "TypeError", "cannot marshal None unless allow_none is enabled"));
        }
        response.committed = reply.committed;
        return response;
    } catch (const Error& error) { return odoo_wire::xml_fault(error); }
}

Response Odoo::json2(const Request& request) {
    try {
        std::string authorization = request.header("Authorization");
        if (authorization.size() > 7) authorization.replace(0, 6, "bearer");
        if (authorization != "bearer " + credential("key")) {
            ++stats_.unauthorized;
            throw Error(1, "werkzeug.exceptions.Unauthorized", "Invalid apikey", 401);
        }
        const auto database = database_of(request.header("X-Odoo-Database"));
        if (!database || database->version < 19)
            throw Error(1, "werkzeug.exceptions.NotFound", "not found", 404);
        Call call{*database, request.segments[2], request.segments[3]};
        call.named = parse_body(request);
        if (!call.named.is(Json::Kind::object))
            throw Error(1, "werkzeug.exceptions.UnprocessableEntity", "the body is an object", 422);
        if (const Json* context = call.named.find("context")) call.context = *context;
        const Reply reply = execute(call);
        Response response = json_response(200, reply.is_none ? "null" : reply.value.serialize());
        response.committed = reply.committed;
        return response;
    } catch (const Error& error) { return odoo_wire::json_error(error); }
}

// ---- methods
// ---------------------------------------------------------------------------------------------------

Odoo::Reply Odoo::execute(const Call& call) {
    (void)fields_of(call.model);
    if (call.method.starts_with("_"))
        throw Error(4, "odoo.exceptions.AccessError",
                    "Private methods (such as " + call.method + ") cannot be called remotely.");
    if (call.method == "search_read") return search_read(call);
    if (call.method == "read") return read(call);
    if (call.method == "fields_get") return fields_get(call);
    if (call.method == "context_get" && call.model == "res.users") {
        Json context = Json::object();
        context.set("lang", str("en_US")).set("tz", str("Europe/Paris"));
        if (call.database.version >= 17) context.set("uid", Json::integer(user));
        return {context};
    }
    if (call.database.is_busy && ++calls_of_a_busy_server_ % 3 == 1) {
        throw Error(1, "psycopg2.errors.SerializationFailure",
                    "could not serialize access due to concurrent update\nCONTEXT:  SQL statement");
    }
    if (call.method == "write") return write(call);
    if (call.model == "stock.quant" && call.method == "create") return count(call);
    if (call.model == "stock.quant" && call.method == "action_apply_inventory") return apply_count(call);
    if (call.model == "account.move" && call.method == "action_post") return post(call);
    if (call.method == "load") return load(call);
    if (call.method == "unlink") return unlink(call);
    if (call.model == "sale.order" && (call.method == "action_confirm" || call.method == "action_cancel"))
        return action(call);
    throw Error(1, "AttributeError",
                "type object '" + call.model + "' has no attribute '" + call.method + "'", 404);
}

Json Odoo::argument(const Call& call, std::size_t index, const char* name) const {
    if (index < call.positional.items().size()) return call.positional.items()[index];
    const Json* named = call.named.find(name);
    if (!named)
        throw Error(1, "werkzeug.exceptions.UnprocessableEntity",
                    std::string("missing a required argument: '") + name + "'", 422);
    return *named;
}

std::vector<Json> Odoo::rows_of(const std::string& model) {
    std::vector<Json> rows;
    std::string error;
    if (Collection* collection = collection_of(model)) {
        for (const Record* record : collection->slice({}, 0, collection->size()))
            rows.push_back(Json::parse(record->json, error).value_or(Json::object()));
    } else if (model == "res.country") {
        for (const auto& [id, country] : countries()) {
            Json row = Json::object();
            row.set("id", Json::integer(id)).set("code", str(country.first));
            row.set("name", str(country.second));
            rows.push_back(std::move(row));
        }
    } else if (model == "res.users") {
        Json row = Json::object();
        row.set("id", Json::integer(user)).set("login", str(credential("login"))).set("name", str("Bot"));
        rows.push_back(row.set("company_id", Json::integer(1)));
    }
    return rows;
}

Json Odoo::row_or_missing(const std::string& model, std::int64_t id) {
    std::string error;
    const Collection* collection = collection_of(model);
    const Record* record = collection ? collection->find(std::to_string(id)) : nullptr;
    if (!record) missing(model, id);
    return Json::parse(record->json, error).value_or(Json::object());
}

Odoo::Reply Odoo::search_read(const Call& call) {
    const Json domain = argument(call, 0, "domain");
    const Json *fields = call.named.find("fields"), *limit = call.named.find("limit"),
               *order = call.named.find("order");
    std::vector<Json> found;
    const Json* active_test = call.context.find("active_test");
    const bool hides_archived = !active_test || active_test->truth();
    (void)matches(call, call.model, Json::object(), domain);  // refused even where there is nothing to search
    for (Json& row : rows_of(call.model)) {
        const Json* active = row.find("active");
        if (hides_archived && active && !active->truth()) continue;
        if (matches(call, call.model, row, domain)) found.push_back(std::move(row));
    }
    const std::string by = order ? order->text() : "id";
    if (by == "id" || by == "id asc") {
        std::sort(found.begin(), found.end(),
                  [](const Json& a, const Json& b) { return number_in(a, "id") < number_in(b, "id"); });
    } else if (by == "order_id, sequence, id" || by == "move_id, sequence, id") {
        const std::string parent = by.substr(0, by.find(','));
        std::sort(found.begin(), found.end(), [&](const Json& a, const Json& b) {
            const auto place = [&](const Json& row) {
                return std::tuple(number_in(row, parent), number_in(row, "sequence"), number_in(row, "id"));
            };
            return place(a) < place(b);
        });
    } else if (by != "write_date asc, id asc") {  // the order in which the collection keeps them
        value_error("Invalid order '" + by + "'");
    }
    const auto most = limit && limit->as_integer() && *limit->as_integer() > 0
                          ? static_cast<std::size_t>(*limit->as_integer())
                          : found.size();
    if (found.size() > most) found.resize(most);
    Json answer = Json::array();
    for (const Json& row : found)
        answer.items().push_back(shown(call, call.model, row, fields ? *fields : Json::array()));
    return {answer};
}

Odoo::Reply Odoo::read(const Call& call) {
    const Json* fields = call.named.find("fields");
    Json answer = Json::array();
    const Json ids = argument(call, 0, "ids");
    for (const Json& id : ids.items()) {
        const Collection* collection = collection_of(call.model);
        if (!collection || !collection->find(id.text())) continue;
        answer.items().push_back(shown(call, call.model, row_or_missing(call.model, *id.as_integer()),
                                       fields ? *fields : Json::array()));
    }
    return {answer};
}

Odoo::Reply Odoo::fields_get(const Call& call) const {
    const Json names = argument(call, 0, "allfields");
    if (names.items().empty()) return {Json(), false, true};  // some module always has something that is None
    Json answer = Json::object();
    for (const Json& name : names.items()) {
        const Field* field = field_of(call, call.model, name.text());
        if (!field) continue;
        Json one = Json::object();
        one.set("type", str(field->type));
        if (field->type == "selection") {
            Json options = Json::array();
            for (const std::string& option : field->options) {
                Json pair = Json::array();
                pair.items() = {str(option), str(option)};
                options.items().push_back(std::move(pair));
            }
            one.set("selection", std::move(options));
        }
        answer.set(name.text(), std::move(one));
    }
    return {answer};
}

// As Odoo answers: false for everything empty, pairs for links, times in seconds.
Json Odoo::shown(const Call& call, const std::string& model, const Json& row, const Json& fields) {
    Json made = Json::object();
    made.set("id", *row.find("id"));
    for (const Json& wanted : fields.items()) {
        const Field* field = field_of(call, model, wanted.text());
        if (!field) value_error("Invalid field '" + wanted.text() + "' on model '" + model + "'");
        const Json* value = row.find(field->name);
        if (field->type == "one2many") {
            Json ids = Json::array();
            const Document& document = *document_of(model);
            for (const Json& line : rows_of(document.line_model)) {
                // Journal items of taxes and payments are no lines of an invoice.
                const bool is_item =
                    number_in(line, "tax_line_id") != 0 || text_in(line, "display_type") == "payment_term";
                if (number_in(line, document.parent) == number_in(row, "id") && !is_item)
                    ids.items().push_back(*line.find("id"));
            }
            made.set(field->name, std::move(ids));
        } else if (field->type == "many2many") {
            made.set(field->name, value ? *value : Json::array());
        } else if (field->type == "float" || field->type == "monetary" || field->type == "integer") {
            made.set(field->name, value && value->is(Json::Kind::number)
                                      ? *value
                                      : Json::number(field->type == "integer" ? "0" : "0.0"));
        } else if (is_empty(value)) {
            made.set(field->name, no());
        } else if (field->type == "many2one") {
            const std::int64_t id = value->as_integer().value_or(0);
            static const std::map<std::string, std::string> fixed = {{"res.currency", "EUR"},
                                                                     {"uom.uom", "Units"},
                                                                     {"product.category", "All / Food"},
                                                                     {"stock.warehouse", "Main"},
                                                                     {"res.company", "Paradise"},
                                                                     {"account.tax", "VAT 20"},
                                                                     {"stock.location", "WH/Stock"}};
            const auto known = fixed.find(field->comodel);
            std::string name = known != fixed.end() ? known->second : "";
            if (field->comodel == "res.country") name = countries().at(id).second;
            if (collection_of(field->comodel)) {
                const Record* record = collection_of(field->comodel)->find(std::to_string(id));
                std::string error;
                if (record) name = text_in(Json::parse(record->json, error).value_or(Json::object()), "name");
            }
            Json pair = Json::array();
            pair.items() = {Json::integer(id), str(name)};
            made.set(field->name, std::move(pair));
        } else if (field->type == "datetime") {
            made.set(field->name, str(stored_time(value->text()).substr(0, 19)));
        } else {
            made.set(field->name, *value);
        }
    }
    return made;
}

// ---- domains
// ---------------------------------------------------------------------------------------------------

bool Odoo::matches(const Call& call, const std::string& model, const Json& row, const Json& domain) {
    if (!domain.is(Json::Kind::array)) value_error("a domain is a list");
    // Read from the end: an operator finds its operands on the stack.
    std::vector<bool> stack;
    for (auto at = domain.items().rbegin(); at != domain.items().rend(); ++at) {
        if (!at->is(Json::Kind::string)) {
            stack.push_back(holds(call, model, row, *at));
            continue;
        }
        const std::size_t wanted = at->text() == "!" ? 1 : 2;
        if ((at->text() != "!" && at->text() != "|" && at->text() != "&") || stack.size() < wanted)
            value_error("Invalid domain");
        const bool first = stack.back();
        stack.pop_back();
        if (wanted == 1) {
            stack.push_back(!first);
            continue;
        }
        const bool second = stack.back();
        stack.pop_back();
        stack.push_back(at->text() == "|" ? first || second : first && second);
    }
    return std::all_of(stack.begin(), stack.end(), [](bool one) { return one; });
}

bool Odoo::holds(const Call& call, const std::string& model, const Json& row, const Json& leaf) {
    if (!leaf.is(Json::Kind::array) || leaf.items().size() != 3) value_error("Invalid leaf");
    const std::string name = leaf.items()[0].text(), op = leaf.items()[1].text();
    const Json& value = leaf.items()[2];
    // Of the locations, two are ours; others are customers, suppliers and losses.
    if (model == "stock.quant" && name == "location_id.usage") {
        const std::int64_t location = number_in(row, "location_id");
        return (location == 8 || location == 18) == (value.text() == "internal");
    }
    const Field* field = field_of(call, model, name);
    if (!field) value_error("Invalid field " + model + "." + name + " in leaf");
    const Json* have = row.find(name);
    if (op == "in" || op == "not in") {
        const bool is_in = std::any_of(value.items().begin(), value.items().end(), [&](const Json& one) {
            return is_empty(have) ? is_empty(&one) : one.text() == have->text();
        });
        return is_in == (op == "in");
    }
    if (op == "=" || op == "!=") {
        const bool is_same = value.is(Json::Kind::boolean) ? value.truth() == !is_empty(have)
                                                           : !is_empty(have) && have->text() == value.text();
        return is_same == (op == "=");
    }
    if (op != ">" && op != ">=" && op != "<" && op != "<=") value_error("Invalid operator '" + op + "'");
    if (is_empty(have)) return false;
    int order = 0;
    if (field->type == "datetime") {
        if (!is_moment(value.text()))
            value_error("time data '" + value.text() + "' does not match format '%Y-%m-%d'");
        // Microseconds are stored; until 18 they count in comparisons, 19 compares what it shows.
        const std::string stored = stored_time(have->text());
        order = (call.database.version >= 19 ? stored.substr(0, 19) : stored).compare(value.text());
    } else {
        const std::int64_t a = have->as_integer().value_or(0), b = value.as_integer().value_or(0);
        order = a < b ? -1 : a > b ? 1 : 0;
    }
    return op == ">" ? order > 0 : op == ">=" ? order >= 0 : op == "<" ? order < 0 : order <= 0;
}

// ---- writing
// ---------------------------------------------------------------------------------------------------

void Odoo::check(const Call& call, const std::string& model, const Json& values, bool is_new) {
    for (const auto& [name, value] : values.members()) {
        const Field* field = field_of(call, model, name);
        if (!field) value_error("Invalid field '" + name + "' on model '" + model + "'");
        if (field->is_read_only) user_error("The field '" + name + "' is computed");
        const bool is_false = value.is(Json::Kind::boolean) && !value.truth();
        const std::string& type = field->type;
        if (is_false && !field->is_required) continue;
        bool is_right = true;
        if (type == "boolean") is_right = value.is(Json::Kind::boolean);
        if (type == "float") is_right = value.is(Json::Kind::number);
        if (type == "integer" || type == "many2one") is_right = value.as_integer().has_value();
        if (type == "char" || type == "text" || type == "html") is_right = value.is(Json::Kind::string);
        if (type == "datetime") is_right = is_moment(value.text());
        if (type == "date") is_right = is_date(value.text());
        if (type == "selection")
            is_right =
                std::find(field->options.begin(), field->options.end(), value.text()) != field->options.end();
        if (!is_right) value_error("Wrong value for " + model + "." + name + ": " + value.serialize());
        if (type == "many2one") {
            const Collection* target = collection_of(field->comodel);
            if (target && !target->find(value.text())) missing(field->comodel, *value.as_integer());
            if (field->comodel == "res.country" && !countries().contains(*value.as_integer()))
                missing(field->comodel, *value.as_integer());
        }
    }
    for (const Field& field : fields_of(model)) {
        const Json* value = values.find(field.name);
        if (field.is_required && (is_new ? is_empty(value) : value && is_empty(value))) {
            throw Error(2, "odoo.exceptions.ValidationError",
                        "The operation cannot be completed: Missing required value for the field (" +
                            field.name + ").\nModel: (" + model + ")");
        }
    }
    const std::string barcode = text_in(values, "barcode");
    if (barcode.empty() || !is_new) return;
    for (const Json& other : rows_of("product.product")) {
        if (text_in(other, "barcode") == barcode)
            throw Error(2, "odoo.exceptions.ValidationError",
                        "The operation cannot be completed: Barcode " + barcode + " already exists.");
    }
}

std::int64_t Odoo::insert(const Call& call, const std::string& model, const Json& values) {
    Collection& collection = *collection_of(model);
    const std::int64_t id = collection.next_number();
    Json row = Json::object();
    row.set("create_date", str(now_text())).set("active", Json::boolean(true));
    if (model == "product.product")
        row.set("uom_id", Json::integer(1))
            .set("categ_id", Json::integer(1))
            .set("currency_id", Json::integer(1))
            .set("type", str("consu"))
            .set("tracking", str("none"));
    if (model == "product.product" && call.database.version >= 15) row.set("detailed_type", str("consu"));
    if (model == "sale.order") {
        row.set("name", str("S" + shop_data::padded(id, 5)))
            .set("state", str("draft"))
            .set("date_order", str(now_text()));
        row.set("currency_id", Json::integer(1))
            .set("warehouse_id", Json::integer(1))
            .set("invoice_status", str("no"));
    }
    if (model == "sale.order.line")
        row.set("sequence", Json::integer(10))
            .set("product_uom", Json::integer(1))
            .set("product_uom_id", Json::integer(1));
    if (model == "account.move")
        row.set("name", str("/")).set("state", str("draft")).set("currency_id", Json::integer(1));
    if (model == "account.move.line") row.set("sequence", Json::integer(10));
    if (model == "account.move.line" && call.database.version >= 16) row.set("display_type", str("product"));
    if (model != "product.product" && model != "res.partner") row.erase("active");
    const Document* document = document_of(model);
    Json commands;
    for (const auto& [name, value] : values.members()) {
        if (document && name == document->list)
            commands = value;
        else
            row.set(name, value);
    }
    if (model == "sale.order.line") {
        std::string error;
        const Record* product = products_.find(text_in(row, "product_id"));
        const Json known =
            product ? Json::parse(product->json, error).value_or(Json::object()) : Json::object();
        if (is_empty(row.find("name"))) row.set("name", str(text_in(known, "name")));
        if (!row.find("price_unit") && known.find("list_price"))
            row.set("price_unit", *known.find("list_price"));
    }
    collection.put(std::to_string(id), row);
    if (document && commands.is(Json::Kind::array)) apply_lines(call, id, commands);
    if (document) total(model, id);
    return id;
}

void Odoo::change(const Call& call, const std::string& model, std::int64_t id, const Json& values) {
    Json row = row_or_missing(model, id);
    const Document* document = document_of(model);
    Json commands;
    for (const auto& [name, value] : values.members()) {
        if (document && name == document->list)
            commands = value;
        else
            row.set(name, value);
    }
    collection_of(model)->put(std::to_string(id), row);
    if (document && commands.is(Json::Kind::array)) apply_lines(call, id, commands);
    if (document) total(model, id);
}

// [0, 0, {..}] adds, [1, id, {..}] changes, [2, id, 0] removes; others are not needed so far.
void Odoo::apply_lines(const Call& call, std::int64_t order, const Json& commands) {
    const Document& document = *document_of(call.model);
    const std::string& lines = document.line_model;
    const bool is_confirmed = text_in(row_or_missing(call.model, order), "state") == "sale";
    for (const Json& command : commands.items()) {
        if (!command.is(Json::Kind::array) || command.items().size() != 3)
            value_error("Wrong value for " + call.model + "." + document.list);
        const std::int64_t what = command.items()[0].as_integer().value_or(-1),
                           id = command.items()[1].as_integer().value_or(0);
        Json values = command.items()[2];
        if (what == 0) {
            check(call, lines, values, true);
            insert(call, lines, values.set(document.parent, Json::integer(order)));
        } else if (what == 1) {
            check(call, lines, values, false);
            change(call, lines, id, values);
        } else if (what == 2) {
            if (is_confirmed)
                user_error("You can not remove an order line once the sales order is confirmed.");
            (void)row_or_missing(lines, id);
            remove(lines, id);
        } else {
            value_error("Wrong value for " + document.list + ": " + command.serialize());
        }
    }
}

void Odoo::total(const std::string& model, std::int64_t id) {
    const Document& document = *document_of(model);
    Decimal net{0, 2};
    for (Json& line : rows_of(document.line_model)) {
        if (number_in(line, document.parent) != id) continue;
        const auto quantity = Decimal::parse(text_in(line, document.quantity)),
                   price = Decimal::parse(text_in(line, "price_unit"));
        const auto product = quantity && price ? multiply(*quantity, *price) : std::nullopt;
        if (product) net = add(net, *rescale(*product, 2)).value_or(net);
    }
    Json row = row_or_missing(model, id);
    for (const char* field : {"amount_untaxed", "amount_total"}) row.set(field, Json::number(net.text()));
    if (model == "account.move") row.set("amount_residual", Json::number(net.text()));
    collection_of(model)->put(std::to_string(id), row);
}

void Odoo::remove(const std::string& model, std::int64_t id) {
    collection_of(model)->erase(std::to_string(id));
    for (const Json& name : rows_of("ir.model.data")) {
        if (text_in(name, "model") == model && number_in(name, "res_id") == id)
            names_.erase(text_in(name, "id"));
    }
}

Odoo::Reply Odoo::write(const Call& call) {
    const Json ids = argument(call, 0, "ids"), values = argument(call, 1, "vals");
    for (const Json& id : ids.items()) (void)row_or_missing(call.model, id.as_integer().value_or(0));
    check(call, call.model, values, false);
    if (call.model == "account.move") check_posted(ids, values);
    if (call.model == "stock.quant") check_inventory(call);
    for (const Json& id : ids.items()) change(call, call.model, *id.as_integer(), values);
    return {Json::boolean(true), true};
}

Odoo::Reply Odoo::unlink(const Call& call) {
    const Json ids = argument(call, 0, "ids");
    for (const Json& id : ids.items()) (void)row_or_missing(call.model, id.as_integer().value_or(0));
    for (const Json& id : ids.items()) remove(call.model, *id.as_integer());
    return {Json::boolean(true), true};
}

Odoo::Reply Odoo::action(const Call& call) {
    const bool confirms = call.method == "action_confirm";
    const Json ids = argument(call, 0, "ids");
    for (const Json& id : ids.items()) {
        Json order = row_or_missing(call.model, id.as_integer().value_or(0));
        const std::string state = text_in(order, "state");
        if (confirms && state != "draft" && state != "sent")
            user_error("It is not allowed to confirm an order in the following states: " + state);
        const Json* flag = call.context.find("disable_cancel_warning");
        const bool asks = !confirms && call.database.version >= 16 && call.database.version <= 17 &&
                          !(flag && flag->truth());
        if (asks) {
            Json wizard = Json::object();
            return {
                wizard.set("type", str("ir.actions.act_window")).set("res_model", str("sale.order.cancel"))};
        }
        order.set("state", str(confirms ? "sale" : "cancel"));
        if (confirms) order.set("date_order", str(now_text()));
        orders_.put(id.text(), order);
    }
    return {Json::boolean(true), true, call.database.answers_none};
}

// What is posted stays; remarks do not count.
void Odoo::check_posted(const Json& ids, const Json& values) {
    for (const Json& id : ids.items()) {
        if (text_in(row_or_missing("account.move", *id.as_integer()), "state") == "draft") continue;
        for (const auto& [name, value] : values.members()) {
            if (name != "ref" && name != "narration")
                user_error("You cannot modify a posted entry of this journal (" + name + ")");
        }
    }
}

Odoo::Reply Odoo::post(const Call& call) {
    const Json ids = argument(call, 0, "ids");
    for (const Json& id : ids.items()) {
        Json invoice = row_or_missing(call.model, id.as_integer().value_or(0));
        if (text_in(invoice, "state") != "draft")
            user_error("The entry " + text_in(invoice, "name") + " (id " + id.text() + ") must be in draft.");
        bool has_lines = false;
        for (const Json& line : rows_of("account.move.line"))
            has_lines = has_lines || number_in(line, "move_id") == id.as_integer();
        if (!has_lines) user_error("You need to add a line before posting.");
        if (is_empty(invoice.find("partner_id"))) user_error("The field 'Customer' is required");
        invoice.set("state", str("posted")).set("payment_state", str("not_paid"));
        invoice.set("name", str("INV/2026/" + shop_data::padded(*id.as_integer(), 5)));
        if (is_empty(invoice.find("invoice_date")))
            invoice.set("invoice_date", str(now_text().substr(0, 10)));
        invoices_.put(id.text(), invoice);
    }
    return {Json::boolean(false), true, call.database.answers_none};
}

void Odoo::check_inventory(const Call& call) const {
    const Json* mode = call.context.find("inventory_mode");
    if (!mode || !mode->truth())
        throw Error(4, "odoo.exceptions.AccessError", "You are not allowed to change quants");
}

// A count of what is there, or of what is not there yet: the same product and place are one quant.
Odoo::Reply Odoo::count(const Call& call) {
    check_inventory(call);
    Json list = argument(call, 0, "vals_list");
    if (!list.is(Json::Kind::array)) value_error("vals_list is a list");
    Json ids = Json::array();
    for (const Json& values : list.items()) {
        check(call, "stock.quant", values, true);
        std::int64_t id = 0;
        for (const Json& quant : rows_of("stock.quant")) {
            if (text_in(quant, "product_id") == text_in(values, "product_id") &&
                text_in(quant, "location_id") == text_in(values, "location_id"))
                id = number_in(quant, "id");
        }
        if (id != 0)
            change(call, "stock.quant", id, values);
        else
            id = insert(call, "stock.quant", values);
        ids.items().push_back(Json::integer(id));
    }
    return {ids, true};
}

Odoo::Reply Odoo::apply_count(const Call& call) {
    const Json ids = argument(call, 0, "ids");
    for (const Json& id : ids.items()) {
        Json quant = row_or_missing(call.model, id.as_integer().value_or(0));
        if (const Json* counted = quant.find("inventory_quantity")) quant.set("quantity", Json(*counted));
        quant.erase("inventory_quantity");
        quants_.put(id.text(), quant);
    }
    return {Json::boolean(true), true, call.database.answers_none};
}

// ---- load(): rows of texts, by external id, all or nothing
// -------------------------------------------------------

std::optional<std::int64_t> Odoo::known_as(const std::string& external_id) {
    for (const Record* record : names_.find_by_lookup(external_id)) {
        std::string error;
        return number_in(Json::parse(record->json, error).value_or(Json::object()), "res_id");
    }
    return std::nullopt;
}

void Odoo::name_it(const std::string& model, const std::string& external_id, std::int64_t id) {
    const std::size_t dot = external_id.find('.');
    Json row = Json::object();
    row.set("complete_name", str(external_id)).set("module", str(external_id.substr(0, dot)));
    row.set("name", str(external_id.substr(dot + 1)))
        .set("model", str(model))
        .set("res_id", Json::integer(id));
    names_.put(std::to_string(names_.next_number()), row);
}

namespace {

struct Cell {
    std::string field;
    std::string subfield;  // "", "id" or ".id"
    std::string text;
};

}  // namespace

Odoo::Reply Odoo::load(const Call& call) {
    const Json columns = argument(call, 0, "fields"), rows = argument(call, 1, "data");
    Json messages = Json::array();
    const auto complain = [&](const std::string& field, const std::string& text) {
        Json message = Json::object();
        message.set("type", str("error")).set("message", str(text)).set("field", str(field));
        messages.items().push_back(message.set("record", Json::integer(0)));
    };
    // A text to what write() would take.
    const auto value_of = [&](const std::string& model, const Cell& cell) -> Json {
        const Field* field = field_of(call, model, cell.field);
        if (!field) value_error("Invalid field '" + cell.field + "' on model '" + model + "'");
        if (cell.text.empty()) return no();
        if (field->type == "boolean")
            return Json::boolean(cell.text != "0" && cell.text != "false" && cell.text != "False");
        if (field->type == "float" || field->type == "integer") {
            if (is_number(cell.text)) return Json::number(cell.text);
            complain(cell.field,
                     "'" + cell.text + "' does not seem to be a number for field '" + cell.field + "'");
        }
        if (field->type == "many2one") {
            const Collection* target = collection_of(field->comodel);
            const bool is_there =
                cell.subfield == ".id" && is_number(cell.text) && (!target || target->find(cell.text));
            if (is_there) return Json::number(cell.text);
            complain(cell.field, "No matching record found for database id '" + cell.text + "' in field '" +
                                     cell.field + "'");
            return no();
        }
        if (field->type == "date" && !is_date(cell.text))
            complain(cell.field, "'" + cell.text + "' does not seem to be a valid date");
        if (field->type == "datetime" && !is_moment(cell.text))
            complain(cell.field, "'" + cell.text + "' does not seem to be a valid datetime");
        return str(cell.text);
    };
    struct Loaded {
        std::string name;
        Json values = Json::object();
        std::vector<std::pair<std::string, Json>> lines;
    };
    const Document* document = document_of(call.model);
    const std::string list = document ? document->list + "/" : "?";
    std::vector<Loaded> all;
    if (rows.items().size() > max_records_in_a_call)
        throw Error(1, "odoo.exceptions.Timeout", "limit_time_real");
    for (const Json& row : rows.items()) {
        if (row.items().size() != columns.items().size())
            throw Error(1, "IndexError", "list index out of range");
        Loaded one;
        std::string line_name;
        Json line = Json::object();
        bool has_own = false;
        for (std::size_t i = 0; i < row.items().size(); ++i) {
            if (!row.items()[i].is(Json::Kind::string))
                throw Error(1, "AttributeError", "'int' object has no attribute 'strip'");
            std::string path = columns.items()[i].text();
            const std::string text = row.items()[i].text();
            const bool is_line = path.starts_with(list);
            if (is_line) path.erase(0, list.size());
            if (path == "id") {
                (is_line ? line_name : one.name) = text;
                has_own = has_own || (!is_line && !text.empty());
                continue;
            }
            const std::size_t slash = path.find('/');
            const Cell cell{path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1),
                            text};
            if (!is_line && !text.empty()) has_own = true;
            Json value = value_of(is_line ? document->line_model : call.model, cell);
            (is_line ? line : one.values).set(cell.field, std::move(value));
        }
        if (!has_own && all.empty()) throw Error(1, "IndexError", "the first row is empty");
        if (has_own) all.push_back(std::move(one));
        if (!line.members().empty()) all.back().lines.emplace_back(line_name, line);
    }
    try {
        for (const Loaded& one : all) {
            const auto known = known_as(one.name);
            if (messages.items().empty()) check(call, call.model, one.values, !known);
            if (known && call.model == "account.move") {
                Json ids = Json::array();
                ids.items().push_back(Json::integer(*known));
                check_posted(ids, one.values);
            }
            for (const auto& [name, line] : one.lines) {
                if (messages.items().empty()) check(call, document->line_model, line, !known_as(name));
            }
        }
    } catch (const Error& error) {
        if (error.fault != 2) throw;
        complain("", error.message);
    }
    Json answer = Json::object(), ids = Json::array();
    if (!messages.items().empty()) {
        answer.set("ids", no());
        return {answer.set("messages", std::move(messages))};
    }
    for (const Loaded& one : all) {
        const auto known = known_as(one.name);
        if (known) change(call, call.model, *known, one.values);
        if (known) ++stats_.duplicates;
        const std::int64_t id = known ? *known : insert(call, call.model, one.values);
        if (!known && !one.name.empty()) name_it(call.model, one.name, id);
        for (const auto& [name, line] : one.lines) {
            Json values = line;
            values.set(document->parent, Json::integer(id));
            if (const auto line_id = known_as(name)) {
                change(call, document->line_model, *line_id, values);
            } else {
                const std::int64_t made = insert(call, document->line_model, values);
                if (!name.empty()) name_it(document->line_model, name, made);
            }
        }
        if (document) total(call.model, id);
        ids.items().push_back(Json::integer(id));
    }
    answer.set("ids", std::move(ids)).set("messages", Json::array());
    return {answer.set("nextrow", Json::integer(0)), true};
}

// ---- seeds
// -----------------------------------------------------------------------------------------------------

Vendor::Generated Odoo::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                 std::int64_t stamp_ms) {
    ObjectWriter row;
    const std::string stamp = format_instant(stamp_ms);
    row.integer("id", number);
    if (&collection == &products_) {
        const shop_data::Product product = shop_data::product(number, seed);
        row.string("name", product.name)
            .string("default_code", product.sku)
            .raw("list_price", shop_data::cents(product.price_cents));
        row.raw("standard_price", shop_data::cents(product.cost_cents))
            .integer("uom_id", 1)
            .integer("categ_id", 1)
            .integer("currency_id", 1);
        row.string("type", "consu")
            .string("detailed_type", "consu")
            .string("tracking", "none")
            .boolean("active", true);
    } else if (&collection == &partners_) {
        row.string("name", "Hotel " + std::to_string(number))
            .boolean("is_company", true)
            .string("city", "Paris")
            .integer("country_id", 75);
        row.string("email", "info@hotel" + std::to_string(number) + ".example")
            .string("ref", "C" + std::to_string(number))
            .boolean("active", true);
    } else if (&collection == &orders_) {
        const auto partners = std::max<std::int64_t>(1, static_cast<std::int64_t>(partners_.size()));
        row.string("name", "S" + shop_data::padded(number, 5))
            .integer("partner_id", 1 + number % partners)
            .string("state", "sale");
        row.string("date_order", "2026-01-02 10:00:00")
            .integer("currency_id", 1)
            .raw("amount_untaxed", "25.0")
            .raw("amount_total", "25.0")
            .string("invoice_status", "no");
    } else if (&collection == &lines_) {
        const auto products = std::max<std::int64_t>(1, static_cast<std::int64_t>(products_.size()));
        row.integer("order_id", number)
            .integer("product_id", 1 + number % products)
            .string("name", "Goods")
            .raw("product_uom_qty", "2.0")
            .raw("price_unit", "12.5")
            .integer("sequence", 10)
            .integer("product_uom", 1)
            .integer("product_uom_id", 1);
    }
    if (&collection == &invoices_) {
        const auto partners = std::max<std::int64_t>(1, static_cast<std::int64_t>(partners_.size()));
        row.string("name", "INV/2026/" + shop_data::padded(number, 5)).string("move_type", "out_invoice");
        row.string("state", "posted").string("payment_state", "not_paid");
        row.integer("partner_id", 1 + number % partners).string("invoice_date", "2026-01-02");
        row.integer("currency_id", 1).raw("amount_untaxed", "25.0").raw("amount_tax", "5.0");
        row.raw("amount_total", "30.0").raw("amount_residual", "30.0");
    } else if (&collection == &invoice_lines_) {
        const auto products = std::max<std::int64_t>(1, static_cast<std::int64_t>(products_.size()));
        row.integer("move_id", number).integer("product_id", 1 + number % products).string("name", "Goods");
        row.raw("quantity", "2.0").raw("price_unit", "12.5").integer("sequence", 10);
    } else if (&collection == &quants_) {
        row.integer("product_id", number).integer("location_id", 8);
        row.raw("quantity", std::to_string(number % 40) + ".0").raw("reserved_quantity", "1.0");
    }
    row.string("create_date", "2026-01-01 08:00:00").string("write_date", stamp);
    return {row.take(), {}};
}

}  // namespace liaison_sim
