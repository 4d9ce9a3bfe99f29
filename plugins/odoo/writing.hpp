// Canonical records to calls that write them.
//
// New records go through load(), which creates or updates by external id (module.reference) in one
// transaction: sent twice it makes one record, so the effect class is upsert. Records that Odoo has already
// are written by their number.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "invoices.hpp"

namespace odoo {

using kit::ValueError;

// Field and value, in Odoo's words; empty is false.
using Values = std::vector<std::pair<std::string, Json>>;

namespace writing_parts {

inline const Json* member(const Json& record, std::string_view key) {
    const Json* found = record.find(key);
    return found;
}
inline std::string text(const Json& record, std::string_view key) {
    const Json* found = record.find(key);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}
// Absent is unknown and stays as it is; null is none.
inline void put(Values& values, const Fields& fields, const char* field, const Json* value) {
    if (value == nullptr || !fields.has(field)) return;
    const bool is_empty = value->is_null() || (value->is_string() && value->as_string().empty());
    values.emplace_back(field, is_empty ? Json(false) : *value);
}
// Of a decimal text, as a number that Odoo takes for a float: with a point.
inline Json number(const Json& decimal) {
    const std::optional<kit::Decimal> value = kit::Decimal::parse(decimal.scalar_text());
    if (!value)
        throw ValueError("number", "'" + std::string(decimal.scalar_text()) + "' is no decimal number");
    const std::string digits = value->text();
    return Json::number(digits.find('.') == std::string::npos ? digits + ".0" : digits);
}
inline void put_number(Values& values, const Fields& fields, const char* field, const Json* value) {
    if (value != nullptr && !value->is_null() && fields.has(field))
        values.emplace_back(field, number(*value));
}
inline Json id(const std::string& text, const char* what) {
    const std::optional<kit::Decimal> number = kit::Decimal::parse(text);
    const std::optional<std::int64_t> value = number ? number->to_int() : std::nullopt;
    if (!value || *value <= 0)
        throw ValueError("reference", std::string(what) + " '" + text + "' is no id of Odoo");
    return Json(*value);
}
// A day as an instant: noon in UTC is the same day for nearly everybody.
inline Json noon(const Json& date) {
    return date.is_null() ? Json(false) : Json(std::string(date.scalar_text()) + " 12:00:00");
}

inline void put_kind(Values& values, const Fields& fields, const std::string& kind) {
    if (kind.empty() || kind == "unknown" || kind == "bundle") return;
    const bool is_stock = kind == "stock";
    if (fields.has("is_storable")) {
        values.emplace_back("type", kind == "service" ? "service" : "consu");
        values.emplace_back("is_storable", Json(is_stock));
        return;
    }
    const char* field = fields.has("detailed_type") ? "detailed_type" : "type";
    const bool can_be_stocked = fields.can_be(field, "product");
    values.emplace_back(field, kind == "service"            ? "service"
                               : is_stock && can_be_stocked ? "product"
                                                            : "consu");
}

inline std::string name_of_customer(const Json& customer) {
    for (const char* key : {"company_name", "full_name_raw"}) {
        if (!text(customer, key).empty()) return text(customer, key);
    }
    std::string name = text(customer, "given_name");
    if (!name.empty() && !text(customer, "surname").empty()) name += ' ';
    return name + text(customer, "surname");
}

inline const Json* first_of(const Json& record, const char* pointer, const char* list_pointer) {
    const Json* single = record.at(pointer);
    return single != nullptr ? single : record.at(list_pointer);
}

}  // namespace writing_parts

inline Values product_values(const Json& product, const Fields& fields, bool is_new) {
    using namespace writing_parts;
    Values values;
    put(values, fields, "name", member(product, "name"));
    put(values, fields, "default_code", member(product, "sku"));
    put(values, fields, "description_sale", member(product, "description"));
    put_number(values, fields, "list_price", member(product, "sales_price"));
    put_number(values, fields, "standard_price", member(product, "cost_price"));
    put(values, fields, "barcode", product.at("/gtins/0"));
    put(values, fields, "active", member(product, "active"));
    if (is_new) put_kind(values, fields, text(product, "kind"));
    return values;
}

// `countries`: ISO code to id.
inline Values customer_values(const Json& customer, const Fields& fields,
                              const std::map<std::string, std::string>& countries, bool is_new) {
    using namespace writing_parts;
    Values values;
    const std::string name = name_of_customer(customer);
    if (name.empty() && is_new) throw ValueError("name", "the customer has no name, which Odoo requires");
    if (!name.empty()) values.emplace_back("name", name);
    values.emplace_back("is_company", Json(text(customer, "kind") != "person"));
    put(values, fields, "email", first_of(customer, "/email", "/emails/0/value"));
    const Json* phone = first_of(customer, "/phone", "/phones/0/e164");
    put(values, fields, "phone", phone != nullptr ? phone : customer.at("/phones/0/raw"));
    put(values, fields, "vat", member(customer, "vat_id"));
    put(values, fields, "ref", member(customer, "account_no"));
    put(values, fields, "comment", member(customer, "notes"));
    put(values, fields, "active", member(customer, "active"));
    put(values, fields, "street", customer.at("/address/lines/0"));
    if (const Json* lines = customer.at("/address/lines"); lines != nullptr && lines->items().size() > 1) {
        std::string rest;
        for (std::size_t i = 1; i < lines->items().size(); ++i)
            rest += (rest.empty() ? "" : ", ") + std::string(lines->items()[i].scalar_text());
        values.emplace_back("street2", rest);
    }
    put(values, fields, "zip", customer.at("/address/postal_code"));
    put(values, fields, "city", customer.at("/address/city"));
    if (const Json* country = customer.at("/address/country"); country != nullptr && country->is_string()) {
        const auto found = countries.find(country->as_string());
        if (found == countries.end())
            throw ValueError("country", "Odoo knows no country " + country->as_string());
        values.emplace_back("country_id", id(found->second, "country"));
    }
    if (is_new && fields.has("customer_rank")) values.emplace_back("customer_rank", Json(1));
    return values;
}

inline Values order_values(const Json& order, const Fields& fields) {
    using namespace writing_parts;
    Values values;
    const std::string customer = text(order, "customer_ref");
    if (customer.empty()) throw ValueError("customer", "the order has no customer, which Odoo requires");
    values.emplace_back("partner_id", id(customer, "the customer"));
    const Json* reference = member(order, "client_ref");
    put(values, fields, "client_order_ref", reference != nullptr ? reference : member(order, "order_no"));
    if (const Json* date = member(order, "order_date")) values.emplace_back("date_order", noon(*date));
    if (const Json* date = member(order, "requested_date"))
        values.emplace_back("commitment_date", noon(*date));
    put(values, fields, "note", member(order, "notes"));
    return values;
}

inline Values invoice_values(const Json& invoice, const Fields& fields, bool is_new) {
    using namespace writing_parts;
    Values values;
    const invoices_parts::Type* type = invoice_kind(text(invoice, "kind"));
    if (type == nullptr) throw ValueError("kind", "Odoo has no '" + text(invoice, "kind") + "'");
    const std::string partner = text(invoice, type->is_customers ? "customer_ref" : "supplier_ref");
    if (is_new && partner.empty())
        throw ValueError("customer", std::string("the invoice has no ") +
                                         (type->is_customers ? "customer" : "supplier") +
                                         ", which Odoo requires");
    if (is_new) values.emplace_back("move_type", type->odoo);
    if (!partner.empty()) values.emplace_back("partner_id", id(partner, "the partner"));
    put(values, fields, "ref", member(invoice, "invoice_no"));  // Odoo numbers what it posts by itself
    put(values, fields, "invoice_date", member(invoice, "issue_date"));
    put(values, fields, "invoice_date_due", member(invoice, "due_date"));
    put(values, fields, "narration", member(invoice, "notes"));
    return values;
}

// A price that is not said is not written, and Odoo takes that of its price list. Lines of invoices need no
// product.
inline Values line_values(const Json& line, std::size_t index, const Settings& settings, const Lines& model) {
    using namespace writing_parts;
    Values values;
    const bool may_lack_product = &model == &invoice_lines() && !text(line, "text").empty();
    std::string product = text(line, "product_ref");
    if (product.empty() && settings.fallback_product) product = std::to_string(*settings.fallback_product);
    if (product.empty() && !may_lack_product) {
        throw ValueError("product", "line " + std::to_string(index + 1) +
                                        " names no product, which Odoo requires; set fallback_product_id");
    }
    if (!product.empty()) values.emplace_back("product_id", id(product, "the product"));
    if (!text(line, "text").empty()) values.emplace_back("name", text(line, "text"));
    values.emplace_back(model.quantity, number(line.get("quantity")));
    if (const Json* price = member(line, "unit_price")) values.emplace_back("price_unit", number(*price));
    if (const Json* discount = member(line, "discount_ppm")) {
        const auto percent = kit::Decimal::scaled(discount->to_int().value_or(0), 4);
        values.emplace_back("discount", number(Json(percent.text())));
    }
    return values;
}

namespace writing_parts {

// Where load() takes a number of the database: "partner_id/.id".
inline std::string column(const std::string& field) {
    const bool is_link = field.ends_with("_id");
    return is_link ? field + "/.id" : field;
}
// load() reads texts, as from a file: numbers as written, "" for empty.
inline Json cell(const Json& value) {
    if (value.is_bool()) return Json(value.as_bool() ? "1" : "");
    return Json(value.scalar_text());
}
inline Json flag_cell(const std::string& field, const Json& value) {
    const bool is_false_flag = value.is_bool() && !value.as_bool() &&
                               (field == "active" || field == "is_company" || field == "is_storable");
    return is_false_flag ? Json("0") : cell(value);
}

// Identity of a line of our own: stable while its number or its place is.
inline std::string line_name(const std::string& reference, const Json& line, std::size_t index) {
    std::string number = text(line, "line").empty() ? std::to_string(index + 1) : text(line, "line");
    for (char& c : number) {
        if (!kit::is_digit(c) && (kit::to_lower(c) < 'a' || kit::to_lower(c) > 'z')) c = '-';
    }
    return reference + "_line_" + number;
}

// The columns of all lines together; load() would empty a cell that one of them lacks.
inline std::vector<std::string> line_columns(const std::vector<Values>& lines) {
    std::vector<std::string> columns;
    std::map<std::string, std::size_t> counts;
    for (const Values& line : lines) {
        for (const auto& [field, value] : line) {
            if (counts[field]++ == 0) columns.push_back(field);
        }
    }
    if (counts["price_unit"] != 0 && counts["price_unit"] != lines.size())
        throw ValueError("price",
                         "some lines have a unit price and some have none; give all of them one, or none");
    return columns;
}
inline Json line_cell(const Values& line, const std::string& field, const Json& source) {
    for (const auto& [name, value] : line) {
        if (name == field) return cell(value);
    }
    if (field == "discount") return Json("0");
    const std::string sku = text(source, "sku");  // of a text, which the others have
    return Json(sku.empty() ? text(source, "product_ref") : sku);
}

}  // namespace writing_parts

inline Json with_context(const Settings& settings, const char* flag = nullptr) {
    Json context = settings.context();
    if (flag != nullptr) context.set(flag, true);
    return context;
}

// Creates, or writes what a first attempt created.
inline Call load_call(const Settings& settings, const std::string& model, const std::string& reference,
                      const Values& values) {
    using namespace writing_parts;
    Json columns = Json::array(), row = Json::array(), rows = Json::array();
    columns.push_back("id");
    row.push_back(settings.external_id_module + "." + reference);
    for (const auto& [field, value] : values) {
        columns.push_back(column(field));
        row.push_back(flag_cell(field, value));
    }
    rows.push_back(std::move(row));
    return Call(model, "load")
        .with("fields", std::move(columns))
        .with("data", std::move(rows))
        .option("context", with_context(settings));
}

// The same of a document: its first row holds the document and its first line, the others a line each.
inline Call load_document_call(const Settings& settings, const Model& model, const std::string& reference,
                               const Values& values, const Json& lines) {
    using namespace writing_parts;
    const std::string name = settings.external_id_module + "." + reference;
    std::vector<Values> made;
    std::set<std::string> names;
    for (std::size_t i = 0; i < lines.items().size(); ++i)
        made.push_back(line_values(lines.items()[i], i, settings, *model.lines));
    const std::string list = model.lines->list + "/";
    const std::vector<std::string> line_fields = line_columns(made);
    Json columns = Json::array(), rows = Json::array();
    columns.push_back("id");
    for (const auto& [field, value] : values) columns.push_back(column(field));
    if (!made.empty()) columns.push_back(list + "id");
    for (const std::string& field : line_fields) columns.push_back(list + column(field));
    for (std::size_t i = 0; i < std::max<std::size_t>(made.size(), 1); ++i) {
        Json row = Json::array();
        row.push_back(i == 0 ? name : std::string());
        for (const auto& [field, value] : values) row.push_back(i == 0 ? flag_cell(field, value) : Json(""));
        if (!made.empty()) {
            const std::string line = line_name(name, lines.items()[i], i);
            if (!names.insert(line).second)
                throw ValueError("line",
                                 "two lines have the number '" + text(lines.items()[i], "line") + "'");
            row.push_back(line);
            for (const std::string& field : line_fields)
                row.push_back(line_cell(made[i], field, lines.items()[i]));
        }
        rows.push_back(std::move(row));
    }
    return Call(model.name, "load")
        .with("fields", std::move(columns))
        .with("data", std::move(rows))
        .option("context", with_context(settings));
}

inline Json object_of(const Values& values) {
    Json object = Json::object();
    for (const auto& [field, value] : values) object.set(field, value);
    return object;
}
inline Json ids_of(const std::string& key) {
    Json ids = Json::array();
    ids.push_back(writing_parts::id(key, "the record"));
    return ids;
}
inline Call write_call(const Settings& settings, const std::string& model, const std::string& key,
                       Json values) {
    return Call(model, "write")
        .with("ids", ids_of(key))
        .with("vals", std::move(values))
        .option("context", with_context(settings));
}

// Commands that make the lines of an order those of the record: by their number where all are known by it,
// else by place. Repeating them changes nothing, because what they create is there by then. `present` are the
// ids in their order; lines of a confirmed order cannot be removed, so their quantity becomes zero.
inline Json line_commands(const Json& lines, const std::vector<std::int64_t>& present, bool is_confirmed,
                          const Settings& settings, const Lines& model) {
    using namespace writing_parts;
    const auto command = [](int what, std::int64_t id, Json values) {
        Json one = Json::array();
        one.push_back(what);
        one.push_back(id);
        one.push_back(std::move(values));
        return one;
    };
    std::set<std::string> ids;
    for (const std::int64_t one : present) ids.insert(std::to_string(one));
    bool by_number = !lines.items().empty();
    for (const Json& line : lines.items()) by_number = by_number && ids.contains(text(line, "line"));
    Json commands = Json::array();
    for (std::size_t i = 0; i < lines.items().size(); ++i) {
        const Json& line = lines.items()[i];
        Json values = object_of(line_values(line, i, settings, model));
        const bool is_there = by_number || i < present.size();
        const std::int64_t id = by_number ? *writing_parts::id(text(line, "line"), "the line").to_int()
                                : i < present.size() ? present[i]
                                                     : 0;
        ids.erase(std::to_string(id));
        commands.push_back(command(is_there ? 1 : 0, id, std::move(values)));
    }
    for (const std::int64_t surplus : present) {
        if (!ids.contains(std::to_string(surplus))) continue;
        Json nothing = Json::object();
        nothing.set(model.quantity, Json::number("0.0"));
        commands.push_back(is_confirmed ? command(1, surplus, std::move(nothing))
                                        : command(2, surplus, Json(0)));
    }
    return commands;
}

// What a document has to become. Odoo gets there by an action, not by writing the state.
enum class Aim { none, confirmed, cancelled, posted };

inline Aim aim_of(const Json& order, const Settings& settings) {
    const std::string status = writing_parts::text(order, "status");
    if (status == "cancelled") return Aim::cancelled;
    const bool is_binding = status == "confirmed" || status == "partially_fulfilled" ||
                            status == "fulfilled" || status == "invoiced";
    return is_binding && settings.confirms_orders ? Aim::confirmed : Aim::none;
}
inline Aim aim_of_invoice(const Json& invoice, const Settings& settings) {
    const bool is_draft = writing_parts::text(invoice, "status") == "draft";
    return is_draft || !settings.posts_invoices ? Aim::none : Aim::posted;
}
inline bool is_reached(Aim aim, const std::string& state) {
    if (aim == Aim::cancelled) return state == "cancel";
    if (aim == Aim::posted) return state == "posted";
    return aim == Aim::none || state == "sale" || state == "done";
}
inline Call aim_call(const Settings& settings, Aim aim, const std::string& model, const std::string& key) {
    const char* method = aim == Aim::cancelled ? "action_cancel"
                         : aim == Aim::posted  ? "action_post"
                                               : "action_confirm";
    return Call(model, method)
        .with("ids", ids_of(key))
        .option("context",
                with_context(settings, aim == Aim::cancelled ? "disable_cancel_warning" : nullptr));
}

}  // namespace odoo
