// Stock: quants of internal locations, summed up by product and location, and counts that are written as
// inventory.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pushing.hpp"

namespace odoo {

namespace stock_parts {

// Lots, packages and owners are quants of their own.
struct Level {
    std::string product, location, location_name;
    kit::Decimal on_hand, reserved;
    std::vector<std::int64_t> quants;
};

inline std::string key_of(const std::string& product, const std::string& location) {
    return product + "@" + location;
}

inline void add(Level& level, const Row& quant) {
    const auto sum = level.on_hand.plus(quant.decimal("quantity").value_or(kit::Decimal()));
    const auto reserved = level.reserved.plus(quant.decimal("reserved_quantity").value_or(kit::Decimal()));
    if (sum) level.on_hand = *sum;
    if (reserved) level.reserved = *reserved;
    level.product = quant.id_of("product_id");
    level.location = quant.id_of("location_id");
    level.location_name = quant.name_of("location_id");
    level.quants.push_back(quant.integer("id"));
}

}  // namespace stock_parts

class Stock {
  public:
    explicit Stock(Server& server) : server_(server), settings_(server.settings()) {}

    // All of it, each time: a quant that came to nothing leaves no trace.
    Task<void> pull(Context& context) {
        std::map<std::string, stock_parts::Level> levels;
        std::int64_t after = 0;
        bool has_more = true;
        while (has_more) {
            Json domain = internal();
            domain.push_back(condition("id", ">", after));
            std::vector<Json> rows = co_await rows_of(std::move(domain), settings_.page_size);
            has_more = static_cast<std::int64_t>(rows.size()) >= settings_.page_size;
            if (!rows.empty()) after = Row(rows.back()).integer("id");
            sum_up(rows, levels);
        }
        std::vector<Record> records;
        for (const auto& one : levels) {
            records.push_back(Record(one.first, payload_of(one.second).dump()));
            if (static_cast<std::int64_t>(records.size()) < settings_.page_size) continue;
            std::vector<Record> some = std::move(records);
            records.clear();
            co_await context.emit_pipelined(std::move(some), std::string());
        }
        co_await context.emit_pipelined(std::move(records), "{}");
    }

    // `set`: what was counted replaces what is there. Repeating it finds nothing to do.
    Task<Result> write(std::uint32_t index, const Record& record) {
        try {
            const Wanted wanted = wanted_of(record);
            Json domain = internal();
            domain.push_back(condition("product_id", "=", writing_parts::id(wanted.product, "the product")));
            domain.push_back(
                condition("location_id", "=", writing_parts::id(wanted.location, "the location")));
            std::vector<Json> rows = co_await rows_of(std::move(domain), settings_.page_size);
            std::map<std::string, stock_parts::Level> levels;
            sum_up(rows, levels);
            const std::string key = stock_parts::key_of(wanted.product, wanted.location);
            const stock_parts::Level& level = levels[key];
            if (level.quants.size() > 1)
                co_return refused(index, "it is kept in " + std::to_string(level.quants.size()) +
                                             " lots, packages or for several owners: count it in Odoo");
            if (level.on_hand == wanted.quantity && (!level.quants.empty() || wanted.quantity.is_zero()))
                co_return Result(index, LIAISON_OUTCOME_UNCHANGED).at(key);
            Result result = co_await count(index, wanted, level.quants);
            if (result.outcome == LIAISON_OUTCOME_UPDATED) result.external_id = key;
            co_return result;
        } catch (const ValueError& error) {
            co_return refused(index, error.what());
        } catch (const liaison::JsonError& error) { co_return refused(index, error.what()); }
    }
    const std::optional<Failure>& failure() const { return failure_; }

    Task<Result> find(std::uint32_t index, const std::string& key) {
        const std::size_t at = key.find('@');
        Json domain = internal();
        domain.push_back(condition("product_id", "=", writing_parts::id(key.substr(0, at), "the product")));
        domain.push_back(
            condition("location_id", "=",
                      writing_parts::id(at == std::string::npos ? "" : key.substr(at + 1), "the location")));
        std::vector<Json> rows = co_await rows_of(std::move(domain), 1);
        if (rows.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        co_return Result(index, LIAISON_OUTCOME_FOUND).at(key);
    }

  private:
    struct Wanted {
        std::string product, location;
        kit::Decimal quantity;
    };

    static Result refused(std::uint32_t index, const std::string& text) {
        return Result(index, LIAISON_OUTCOME_REJECTED).because(ErrorKind::invalid_record, text);
    }
    Json internal() const {
        const auto found = settings_.filters.find(std::string_view("stock_level"));
        Json domain = found == settings_.filters.end() ? Json::array() : found->second;
        domain.push_back(condition("location_id.usage", "=", "internal"));
        return domain;
    }
    Task<std::vector<Json>> rows_of(Json domain, std::int64_t most) {
        Json names = Json::array();
        for (const char* name : {"product_id", "location_id", "quantity", "reserved_quantity"})
            names.push_back(name);
        std::vector<Json> rows =
            co_await server_.ask_rows(search(settings_, "stock.quant", std::move(domain), std::move(names))
                                          .option("order", "id asc")
                                          .option("limit", most));
        co_return rows;
    }
    static void sum_up(const std::vector<Json>& rows, std::map<std::string, stock_parts::Level>& levels) {
        for (const Json& raw : rows) {
            const Row quant(raw);
            stock_parts::add(
                levels[stock_parts::key_of(quant.id_of("product_id"), quant.id_of("location_id"))], quant);
        }
    }
    Json payload_of(const stock_parts::Level& level) const {
        Json made = Json::object();
        std::string code = level.location_name;
        for (const auto& [ours, number] : settings_.stock_locations) {
            if (std::to_string(number) == level.location) code = ours;
        }
        made.set("product_ref", level.product);
        made.set("location", kit::excerpt(code.empty() ? level.location : code, 100));
        made.set("kind", "quantity");
        made.set("on_hand", level.on_hand.text());
        made.set("reserved", level.reserved.text());
        if (const auto free = level.on_hand.plus(level.reserved.negated()))
            made.set("available", free->text());
        return made;
    }

    Wanted wanted_of(const Record& record) const {
        if (record.deleted)
            throw ValueError("deleted", "a stock level is never deleted by liaison: count it as 0");
        const Json payload = Json::parse(record.payload);
        Wanted wanted;
        if (writing_parts::text(payload, "kind") != "quantity")
            throw ValueError("kind", "only quantities are written, not what may still be sold");
        const auto quantity = kit::Decimal::parse(writing_parts::text(payload, "on_hand"));
        if (!quantity) throw ValueError("on_hand", "the stock level says no on_hand");
        wanted.quantity = *quantity;
        const std::size_t at = record.key.find('@');
        if (at != std::string::npos) {
            wanted.product = record.key.substr(0, at);
            wanted.location = record.key.substr(at + 1);
            return wanted;
        }
        const std::string code = writing_parts::text(payload, "location");
        const auto known = settings_.stock_locations.find(code);
        if (known == settings_.stock_locations.end())
            throw ValueError("location", "the location '" + code + "' is not among stock_locations");
        wanted.product = writing_parts::text(payload, "product_ref");
        wanted.location = std::to_string(known->second);
        return wanted;
    }

    // An inventory of one quant, or of one that there is not yet.
    Task<Result> count(std::uint32_t index, const Wanted& wanted, std::vector<std::int64_t> quants) {
        const Json quantity = writing_parts::number(Json(wanted.quantity.text()));
        Json values = Json::object();
        values.set("inventory_quantity", quantity);
        std::string id = quants.empty() ? std::string() : std::to_string(quants[0]);
        Call first = id.empty() ? create_call(wanted, std::move(values))
                                : inventory(write_call(settings_, "stock.quant", id, std::move(values)));
        Answer answer = co_await send(index, first);
        if (!answer.refusal && id.empty()) id = first_id(answer.result);
        if (!answer.refusal && !id.empty()) {
            Call apply = inventory(Call("stock.quant", "action_apply_inventory").with("ids", ids_of(id)));
            answer = co_await send(index, apply);
        }
        const bool is_done = !answer.refusal || answer.refusal->effect == Effect::done;
        if (is_done && !id.empty()) co_return Result(index, LIAISON_OUTCOME_UPDATED);
        if (is_done)
            co_return Result(index, LIAISON_OUTCOME_UNKNOWN)
                .because(ErrorKind::unknown_outcome, "Odoo named no quant of the count");
        co_return judged(index, *answer.refusal);
    }
    Call create_call(const Wanted& wanted, Json values) const {
        values.set("product_id", writing_parts::id(wanted.product, "the product"));
        values.set("location_id", writing_parts::id(wanted.location, "the location"));
        Json list = Json::array();
        list.push_back(std::move(values));
        return inventory(Call("stock.quant", "create").with("vals_list", std::move(list)));
    }
    // Only with this flag quantities may be counted.
    Call inventory(Call call) const {
        return std::move(call).option("context", with_context(settings_, "inventory_mode"));
    }
    static std::string first_id(const Json& result) {
        const Json* id = result.is_array() && !result.items().empty() ? &result.items()[0] : &result;
        return id->to_int() ? std::string(id->scalar_text()) : std::string();
    }
    Task<Answer> send(std::uint32_t index, const Call& call) {
        std::vector<Request> requests;
        requests.push_back(server_.request(call).mutates(static_cast<std::int32_t>(index)));
        std::vector<Response> responses = co_await server_.context().send_all(std::move(requests), 1);
        co_return server_.read(call, responses.at(0));
    }
    Result judged(std::uint32_t index, const Refusal& refusal) {
        if (refusal.stops && !failure_) failure_.emplace(refusal.failure());
        if (refusal.effect != Effect::none)
            return Result(index, LIAISON_OUTCOME_UNKNOWN).because(ErrorKind::unknown_outcome, refusal.text);
        if (refusal.stops || refusal.kind == ErrorKind::transient)
            return Result(index, LIAISON_OUTCOME_RETRY)
                .because(refusal.kind, refusal.text)
                .retry_after(refusal.wait);
        return Result(index, LIAISON_OUTCOME_REJECTED).because(refusal.kind, refusal.text);
    }

    Server& server_;
    const Settings& settings_;
    std::optional<Failure> failure_;
};

}  // namespace odoo
