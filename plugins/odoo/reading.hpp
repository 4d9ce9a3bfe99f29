// Records of Odoo to canonical ones. Empty is `false` there, whatever the type of the field; what a version
// or a missing module does not have stays absent.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <liaison/kit/country.hpp>
#include <liaison/kit/money.hpp>

#include "walk.hpp"

namespace odoo {

using liaison::Record;

// The lines of a document.
struct Lines {
    std::string model, parent, list;  // the document's field for them, and theirs for it
    std::string quantity;             // what their quantity is called
    std::vector<std::string> fields;
};

struct Model {
    std::string name;
    std::vector<std::string> fields;  // those of them are read that there are
    const Lines* lines = nullptr;
};

inline const Lines& order_lines() {
    static const Lines lines = {
        "sale.order.line",
        "order_id",
        "order_line",
        "product_uom_qty",
        {"order_id", "product_id", "name", "product_uom_qty", "product_uom", "product_uom_id", "price_unit",
         "discount", "price_subtotal", "display_type", "sequence", "write_date"}};
    return lines;
}
// Journal items: those of taxes and of payments are no lines for people.
inline const Lines& invoice_lines() {
    static const Lines lines = {
        "account.move.line",
        "move_id",
        "invoice_line_ids",
        "quantity",
        {"move_id", "product_id", "name", "quantity", "product_uom_id", "price_unit", "discount",
         "price_subtotal", "tax_ids", "display_type", "sequence", "write_date"}};
    return lines;
}

inline const Model* model_of(std::string_view entity) {
    static const std::map<std::string, Model, std::less<>> models = {
        {"product",
         {"product.product",
          {"name", "default_code", "barcode", "description_sale", "list_price", "standard_price",
           "currency_id", "uom_id", "categ_id", "type", "detailed_type", "is_storable", "tracking", "active",
           "create_date", "write_date"}}},
        {"customer",
         {"res.partner",
          {"name", "is_company", "email", "phone", "mobile", "vat", "ref", "street", "street2", "zip", "city",
           "state_id", "country_id", "lang", "comment", "active", "customer_rank", "create_date",
           "write_date"}}},
        {"sales_order",
         {"sale.order",
          {"name", "client_order_ref", "partner_id", "state", "date_order", "commitment_date", "currency_id",
           "amount_untaxed", "amount_tax", "amount_total", "note", "warehouse_id", "delivery_status",
           "invoice_status", "order_line", "create_date", "write_date"},
          &order_lines()}},
        {"invoice",
         {"account.move",
          {"name", "ref", "move_type", "state", "payment_state", "partner_id", "invoice_date",
           "invoice_date_due", "currency_id", "amount_untaxed", "amount_tax", "amount_total",
           "amount_residual", "invoice_origin", "narration", "invoice_line_ids", "create_date", "write_date"},
          &invoice_lines()}},
        {"stock_level",
         {"stock.quant",
          {"product_id", "location_id", "quantity", "reserved_quantity", "inventory_quantity",
           "write_date"}}}};
    const auto found = models.find(entity);
    return found == models.end() ? nullptr : &found->second;
}

// One row of a search, read by the type of the wanted value.
class Row {
  public:
    explicit Row(const Json& row) : row_(row) {}

    std::string text(std::string_view field) const {
        const Json* value = row_.find(field);
        return value != nullptr && value->is_string() ? value->as_string() : std::string();
    }
    bool flag(std::string_view field) const {
        const Json* value = row_.find(field);
        return value != nullptr && value->is_bool() && value->as_bool();
    }
    bool has(std::string_view field) const { return row_.find(field) != nullptr; }
    std::int64_t integer(std::string_view field) const {
        const Json* value = row_.find(field);
        return value != nullptr ? value->to_int().value_or(0) : 0;
    }
    // many2one: [41, "Hotel Adler"], or false
    std::string id_of(std::string_view field) const { return std::string(part(field, 0)); }
    std::string name_of(std::string_view field) const { return std::string(part(field, 1)); }
    // Exact, of at most six decimals: what a float shows beyond them is noise.
    std::optional<kit::Decimal> decimal(std::string_view field) const {
        const Json* value = row_.find(field);
        if (value == nullptr || !value->is_number()) return std::nullopt;
        const std::optional<kit::Decimal> exact = kit::Decimal::parse(value->number_text());
        return exact ? exact->rounded(exact->scale() > 6 ? 6 : exact->scale()) : std::nullopt;
    }
    // "2026-05-01 10:00:00" in UTC; nothing when empty.
    std::optional<std::int64_t> instant(std::string_view field) const { return parse_odoo_time(text(field)); }

  private:
    std::string_view part(std::string_view field, std::size_t index) const {
        const Json* value = row_.find(field);
        if (value == nullptr || !value->is_array() || value->items().size() <= index) return {};
        return value->items()[index].scalar_text();
    }
    const Json& row_;
};

namespace reading_parts {

inline void put_text(Json& into, const char* key, const std::string& text, std::size_t most) {
    if (!text.empty()) into.set(key, kit::excerpt(text, most));
}
// With its line breaks, which excerpt() makes blanks.
inline void put_long_text(Json& into, const char* key, std::string text, std::size_t most) {
    if (text.empty()) return;
    if (text.size() > most) {
        text.resize(most);
        while (kit::utf8_fault(text) != std::string::npos) text.pop_back();
    }
    into.set(key, std::move(text));
}
inline void put_decimal(Json& into, const char* key, const std::optional<kit::Decimal>& value) {
    if (value) into.set(key, value->text());
}
inline void put_instant(Json& into, const char* key, const std::optional<std::int64_t>& ms) {
    if (ms) into.set(key, kit::rfc3339(*ms));
}
inline std::string date_of(std::int64_t ms) { return kit::date_text(kit::DateTime::from_unix_ms(ms).date); }

inline void put_money(Json& into, const char* key, const Row& row, const char* field,
                      const std::string& currency) {
    const std::optional<kit::Decimal> value = row.decimal(field);
    if (!value || !kit::currency_exponent(currency)) return;
    Json money = Json::object();
    money.set("amount", kit::to_minor(*value, currency, kit::Rounding::half_up));
    money.set("currency", currency);
    into.set(key, std::move(money));
}

// "<p>Ring <b>twice</b></p>" to "Ring twice": what was typed into an HTML field.
inline std::string without_tags(const std::string& html) {
    std::string text;
    bool in_tag = false;
    for (const char c : html) {
        if (c == '<') in_tag = true;
        if (!in_tag) text.push_back(c);
        if (c == '>') in_tag = false;
    }
    const std::pair<const char*, const char*> entities[] = {{"&lt;", "<"},    {"&gt;", ">"},  {"&nbsp;", " "},
                                                            {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
    for (const auto& [entity, plain] : entities) {
        for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; ++at)
            text.replace(at, std::string_view(entity).size(), plain);
    }
    return std::string(kit::trimmed(text));
}

inline std::string long_text(const Row& row, const Fields& fields, const char* field) {
    return fields.type(field) == "html" ? without_tags(row.text(field)) : row.text(field);
}

// The hub's units, for the English names that Odoo comes with; else Odoo's own, cut.
inline std::string unit_of(const std::string& name) {
    static const std::map<std::string, const char*, std::less<>> units = {
        {"units", "pc"}, {"unit", "pc"}, {"kg", "kg"}, {"g", "g"},
        {"l", "l"},      {"liter", "l"}, {"ml", "ml"}, {"hours", "h"}};
    const auto found = units.find(kit::lowered(name));
    return found != units.end() ? found->second : kit::excerpt(name, 10);
}

inline const char* kind_of(const Row& row) {
    const std::string type = row.has("detailed_type") ? row.text("detailed_type") : row.text("type");
    if (type == "product") return "stock";
    if (type == "service") return "service";
    if (type == "combo") return "bundle";
    if (type == "consu") return row.flag("is_storable") ? "stock" : "consumable";
    return "unknown";
}

// Sections and notes among the lines are no goods; newer invoices say of the others that they are products.
inline bool is_goods(const Row& line) {
    const std::string display = line.text("display_type");
    return display != "line_section" && display != "line_note";
}

inline const char* status_of(const Row& order) {
    const std::string state = order.text("state");
    if (state == "draft" || state == "sent") return "draft";
    if (state == "cancel") return "cancelled";
    if (state != "sale" && state != "done") return "unknown";
    if (order.text("invoice_status") == "invoiced") return "invoiced";
    const std::string delivery = order.text("delivery_status");
    if (delivery == "full" || state == "done") return "fulfilled";
    return delivery == "partial" || delivery == "started" ? "partially_fulfilled" : "confirmed";
}

}  // namespace reading_parts

inline Json product_of(const Row& row, const Fields& fields) {
    using namespace reading_parts;
    Json product = Json::object();
    put_text(product, "sku", row.text("default_code"), 100);
    put_text(product, "name", row.text("name"), 500);
    put_long_text(product, "description", long_text(row, fields, "description_sale"), 10'000);
    product.set("kind", kind_of(row));
    put_text(product, "base_unit", unit_of(row.name_of("uom_id")), 10);
    const std::string barcode = row.text("barcode");
    if (barcode.size() >= 8 && barcode.size() <= 14 &&
        barcode.find_first_not_of("0123456789") == std::string::npos) {
        Json gtins = Json::array();
        gtins.push_back(barcode);
        product.set("gtins", std::move(gtins));
    }
    put_text(product, "category", row.name_of("categ_id"), 500);
    put_decimal(product, "sales_price", row.decimal("list_price"));
    put_decimal(product, "cost_price", row.decimal("standard_price"));
    put_text(product, "currency", row.name_of("currency_id"), 3);
    product.set("active", row.flag("active"));
    if (row.has("tracking"))
        product.set("track_lots", row.text("tracking") == "lot" || row.text("tracking") == "serial");
    put_instant(product, "created_at", row.instant("create_date"));
    return product;
}

// `countries`: id to ISO code.
inline Json customer_of(const Row& row, const Fields& fields,
                        const std::map<std::string, std::string>& countries) {
    using namespace reading_parts;
    Json customer = Json::object();
    const bool is_company = row.flag("is_company");
    customer.set("kind", is_company ? "company" : "person");
    put_text(customer, is_company ? "company_name" : "full_name_raw", row.text("name"), 300);
    put_text(customer, "email", row.text("email"), 320);
    put_text(customer, "phone", row.text("phone").empty() ? row.text("mobile") : row.text("phone"), 60);
    std::string language = row.text("lang");
    if (language.size() > 2 && language[2] == '_') language[2] = '-';
    put_text(customer, "language", language, 35);
    Json address = Json::object(), lines = Json::array();
    for (const char* street : {"street", "street2"}) {
        if (!row.text(street).empty()) lines.push_back(kit::excerpt(row.text(street), 200));
    }
    if (!lines.items().empty()) address.set("lines", std::move(lines));
    put_text(address, "city", row.text("city"), 200);
    put_text(address, "region", row.name_of("state_id"), 200);
    put_text(address, "postal_code", row.text("zip"), 40);
    const auto country = countries.find(row.id_of("country_id"));
    if (country != countries.end()) address.set("country", country->second);
    if (!address.members().empty()) customer.set("address", std::move(address));
    customer.set("vat_id", row.text("vat").empty() ? Json() : Json(kit::excerpt(row.text("vat"), 50)));
    put_text(customer, "account_no", row.text("ref"), 100);
    put_long_text(customer, "notes", long_text(row, fields, "comment"), 4000);
    customer.set("active", row.flag("active"));
    put_instant(customer, "created_at", row.instant("create_date"));
    return customer;
}

inline Json line_of(const Row& row, const Lines& model) {
    using namespace reading_parts;
    Json line = Json::object();
    line.set("line", std::to_string(row.integer("id")));
    put_text(line, "product_ref", row.id_of("product_id"), 200);
    put_text(line, "text", row.text("name"), 1000);
    line.set("quantity", row.decimal(model.quantity).value_or(kit::Decimal()).text());
    const std::string unit =
        row.has("product_uom_id") ? row.name_of("product_uom_id") : row.name_of("product_uom");
    put_text(line, "unit", unit_of(unit), 10);
    put_decimal(line, "unit_price", row.decimal("price_unit"));
    if (const auto discount = row.decimal("discount"); discount && !discount->is_zero()) {
        const auto ppm = discount->times(kit::Decimal(10'000));
        if (const auto whole = ppm ? ppm->rounded(0) : std::nullopt)
            line.set("discount_ppm", whole->to_int().value_or(0));
    }
    return line;
}

// `lines` are rows of sale.order.line of this order.
inline Json order_of(const Row& row, const Fields& fields, const std::vector<const Json*>& lines) {
    using namespace reading_parts;
    Json order = Json::object();
    put_text(order, "order_no", row.text("name"), 100);
    put_text(order, "client_ref", row.text("client_order_ref"), 100);
    put_text(order, "customer_ref", row.id_of("partner_id"), 200);
    order.set("status", status_of(row));
    put_text(order, "status_raw", row.text("state"), 100);
    if (const auto ordered = row.instant("date_order")) order.set("order_date", date_of(*ordered));
    if (row.has("commitment_date")) {
        const auto requested = row.instant("commitment_date");
        order.set("requested_date", requested ? Json(date_of(*requested)) : Json());
    }
    const std::string currency = row.name_of("currency_id");
    put_text(order, "currency", currency, 3);
    Json made = Json::array();
    for (const Json* line : lines) {
        Json one = line_of(Row(*line), order_lines());
        if (is_goods(Row(*line))) made.push_back(std::move(one));
    }
    order.set("lines", std::move(made));
    put_money(order, "total_net", row, "amount_untaxed", currency);
    put_money(order, "total_tax", row, "amount_tax", currency);
    put_money(order, "total", row, "amount_total", currency);
    put_long_text(order, "notes", long_text(row, fields, "note"), 4000);
    put_text(order, "warehouse", row.name_of("warehouse_id"), 100);
    put_instant(order, "created_at", row.instant("create_date"));
    return order;
}

// With its identity and the reference that we gave it, if any.
inline Record record_of(const Json& raw, const std::string& reference, Json payload) {
    const Row row(raw);
    Record record(std::to_string(row.integer("id")), payload.dump());
    record.version = row.text("write_date");
    record.changed_ms = row.instant("write_date").value_or(0);
    record.reference = reference;
    return record;
}

}  // namespace odoo
