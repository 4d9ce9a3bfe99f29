// Reader: the records of one entity, a page at a time, with what belongs to them in other models.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "invoices.hpp"

namespace odoo {

class Reader {
  public:
    Reader(Server& server, std::string entity, const Model& model)
        : server_(server), entity_(std::move(entity)), model_(model) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    const Model& model() const { return model_; }
    const Fields& fields() const { return fields_; }
    bool has_lines() const { return model_.lines != nullptr; }
    bool is_invoice() const { return entity_ == "invoice"; }
    Json filter() const {
        const auto found = server_.settings().filters.find(entity_);
        Json domain = found == server_.settings().filters.end() ? Json::array() : found->second;
        if (is_invoice()) domain.push_back(condition("move_type", "in", server_.settings().invoice_types()));
        return domain;
    }

    // What the model has here. Call first.
    Task<void> open() {
        fields_ = co_await server_.fields_of(model_.name, model_.fields);
        if (has_lines()) line_fields_ = co_await server_.fields_of(model_.lines->model, model_.lines->fields);
        if (entity_ != "customer") co_return;
        Json names = Json::array();
        names.push_back("code");
        std::vector<Json> rows = co_await server_.ask_rows(
            search(server_.settings(), "res.country", Json::array(), std::move(names)));
        for (const Json& row : rows) {
            const Row country(row);
            const std::string id = std::to_string(country.integer("id"));
            codes_[id] = country.text("code");
            ids_[country.text("code")] = id;
        }
    }
    // ISO code of a country to its number.
    const std::map<std::string, std::string>& country_ids() const { return ids_; }

    Task<std::vector<Record>> records_of(std::vector<Json> rows) {
        std::vector<Record> records;
        if (rows.empty()) co_return records;
        const std::map<std::string, std::string> references = co_await references_of(rows);
        std::vector<Json> lines;
        if (is_invoice())
            lines = co_await invoice_lines_of(rows);
        else if (has_lines())
            lines = co_await lines_of(ids_in(rows, "id"));
        InvoiceParts parts;
        for (const Json& line : lines) parts.lines[Row(line).id_of(model_.lines->parent)].push_back(&line);
        std::vector<Json> taxes;
        if (is_invoice()) taxes = co_await taxes_of(rows);
        for (const Json& tax : taxes) parts.taxes[Row(tax).id_of("move_id")].push_back(&tax);
        if (is_invoice()) parts.orders = co_await orders_named_in(rows);
        for (const Json& raw : rows) {
            const Row row(raw);
            const std::string id = std::to_string(row.integer("id"));
            const auto reference = references.find(id);
            Json payload = is_invoice()            ? invoice_of(raw, fields_, parts)
                           : has_lines()           ? order_of(row, fields_, parts.lines[id])
                           : entity_ == "customer" ? customer_of(row, fields_, codes_)
                                                   : product_of(row, fields_);
            records.push_back(record_of(
                raw, reference != references.end() ? reference->second : std::string(), std::move(payload)));
        }
        co_return records;
    }
    // The records with those ids, as rows.
    Task<std::vector<Json>> rows_of(Json ids) {
        Json domain = filter();
        domain.push_back(condition("id", "in", std::move(ids)));
        std::vector<Json> rows = co_await server_.ask_rows(
            search(server_.settings(), model_.name, std::move(domain), fields_.names()));
        co_return rows;
    }
    // In the order in which people see them.
    Task<std::vector<Json>> lines_of(Json documents) {
        if (is_invoice()) {
            std::vector<Json> rows = co_await rows_of(std::move(documents));
            std::vector<Json> lines = co_await invoice_lines_of(rows);
            co_return lines;
        }
        Json domain = Json::array();
        domain.push_back(condition(model_.lines->parent, "in", std::move(documents)));
        std::vector<Json> lines = co_await lines_in(std::move(domain));
        co_return lines;
    }
    // Which journal items are lines of an invoice, the invoice knows.
    Task<std::vector<Json>> invoice_lines_of(const std::vector<Json>& rows) {
        Json ids = Json::array();
        for (const Json& row : rows) {
            const Json* lines = row.find(model_.lines->list);
            if (lines == nullptr || !lines->is_array()) continue;
            for (const Json& id : lines->items()) ids.push_back(id);
        }
        std::vector<Json> lines;
        if (ids.items().empty()) co_return lines;
        Json domain = Json::array();
        domain.push_back(condition("id", "in", std::move(ids)));
        lines = co_await lines_in(std::move(domain));
        co_return lines;
    }
    // Numbers of the records with our references, where they are there.
    Task<std::map<std::string, std::string>> known_as(const std::vector<std::string>& references) {
        std::map<std::string, std::string> known;
        Json wanted = Json::array();
        for (const std::string& reference : references) wanted.push_back(reference);
        if (wanted.items().empty()) co_return known;
        std::vector<Json> found = co_await external_ids("name", std::move(wanted));
        for (const Json& raw : found)
            known[Row(raw).text("name")] = std::to_string(Row(raw).integer("res_id"));
        co_return known;
    }
    // The distinct ids in a field: numbers, or pairs of number and name.
    static Json ids_in(const std::vector<Json>& rows, std::string_view field) {
        std::map<std::int64_t, bool> seen;
        Json ids = Json::array();
        for (const Json& row : rows) {
            const Json* value = row.find(field);
            if (value != nullptr && value->is_array() && !value->items().empty()) value = &value->items()[0];
            const std::optional<std::int64_t> id = value != nullptr ? value->to_int() : std::nullopt;
            if (id && !std::exchange(seen[*id], true)) ids.push_back(*id);
        }
        return ids;
    }

  private:
    Task<std::vector<Json>> lines_in(Json domain) {
        const std::string order = model_.lines->parent + ", sequence, id";
        std::vector<Json> lines = co_await server_.ask_rows(
            search(server_.settings(), model_.lines->model, std::move(domain), line_fields_.names())
                .option("order", order));
        co_return lines;
    }
    // What invoices charge of each tax is a journal item of its own.
    Task<std::vector<Json>> taxes_of(const std::vector<Json>& rows) {
        Json domain = Json::array(), names = Json::array();
        domain.push_back(condition("move_id", "in", ids_in(rows, "id")));
        domain.push_back(condition("tax_line_id", "!=", Json(false)));
        for (const char* name : {"move_id", "tax_line_id", "amount_currency"}) names.push_back(name);
        std::vector<Json> taxes = co_await server_.ask_rows(
            search(server_.settings(), model_.lines->model, std::move(domain), std::move(names)));
        co_return taxes;
    }
    // Invoices name their orders; not every Odoo has some, and not everybody may read them.
    Task<std::map<std::string, std::string>> orders_named_in(const std::vector<Json>& rows) {
        std::map<std::string, std::string> orders;
        Json wanted = Json::array(), names = Json::array(), domain = Json::array();
        for (const Json& row : rows) {
            for (const std::string& name : invoices_parts::origins_of(Row(row))) wanted.push_back(name);
        }
        if (wanted.items().empty() || !may_read_orders_) co_return orders;
        domain.push_back(condition("name", "in", std::move(wanted)));
        names.push_back("name");
        try {
            std::vector<Json> found = co_await server_.ask_rows(
                search(server_.settings(), "sale.order", std::move(domain), std::move(names)));
            for (const Json& raw : found)
                orders[Row(raw).text("name")] = std::to_string(Row(raw).integer("id"));
        } catch (const Failure& failure) {
            if (failure.kind == ErrorKind::transient || failure.kind == ErrorKind::rate_limited) throw;
            may_read_orders_ = false;
        }
        co_return orders;
    }
    // Ours, by the number of the record.
    Task<std::map<std::string, std::string>> references_of(const std::vector<Json>& rows) {
        std::map<std::string, std::string> references;
        std::vector<Json> found = co_await external_ids("res_id", ids_in(rows, "id"));
        for (const Json& raw : found)
            references[std::to_string(Row(raw).integer("res_id"))] = Row(raw).text("name");
        co_return references;
    }
    // Not everybody may read external ids: then none are known.
    Task<std::vector<Json>> external_ids(std::string field, Json values) {
        std::vector<Json> found;
        if (!may_read_references_) co_return found;
        Json domain = Json::array(), names = Json::array();
        domain.push_back(condition("module", "=", server_.settings().external_id_module));
        domain.push_back(condition("model", "=", model_.name));
        domain.push_back(condition(std::move(field), "in", std::move(values)));
        names.push_back("name");
        names.push_back("res_id");
        try {
            found = co_await server_.ask_rows(
                search(server_.settings(), "ir.model.data", std::move(domain), std::move(names)));
        } catch (const Failure& failure) {
            if (failure.kind != ErrorKind::auth) throw;
            may_read_references_ = false;
            server_.context().log(
                LIAISON_LOG_WARNING,
                std::string("the user may not read external ids (ir.model.data), so records that we "
                            "created are not recognised by them: ") +
                    failure.what());
        }
        co_return found;
    }

    Server& server_;
    std::string entity_;
    const Model& model_;
    Fields fields_, line_fields_;
    std::map<std::string, std::string> codes_, ids_;  // of countries
    bool may_read_references_ = true, may_read_orders_ = true;
};

// How far the walks over the records and over their lines have come.
struct Position {
    std::int64_t at_ms = 0, lines_at_ms = 0;

    static Position read(const std::string& cursor) {
        Position position;
        if (cursor.empty()) return position;
        const Json stored = Json::parse(cursor);
        const Json *at = stored.find("at_ms"), *lines_at = stored.find("lines_at_ms");
        if (at != nullptr) position.at_ms = at->to_int().value_or(0);
        if (lines_at != nullptr) position.lines_at_ms = lines_at->to_int().value_or(0);
        return position;
    }
    std::string text(bool has_lines) const {
        Json cursor = Json::object();
        cursor.set("at_ms", at_ms);
        if (has_lines) cursor.set("lines_at_ms", lines_at_ms);
        return cursor.dump();
    }
};

}  // namespace odoo
