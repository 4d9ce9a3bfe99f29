// Lists of K-Series without a change filter: items, their prices, what is left of them, and discounts. Each
// pull shows all there is; what of it is new, the host sees.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "item.hpp"
#include "reading.hpp"

namespace lightspeed {

class Listing {
  public:
    static constexpr std::size_t largest_page = 1000, skus_at_once = 50;
    static constexpr int most_restarts = 3;

    Listing(Context& context, const Settings& settings, const Start& start)
        : context_(context),
          settings_(settings),
          page_size_(std::clamp<std::size_t>(start.page_size == 0 ? largest_page : start.page_size, 2,
                                             largest_page)) {}

    // "menu_item", "price", "stock_level" or "promotion".
    Task<void> run(const std::string& entity) {
        for (const std::string& location : settings_.locations) {
            if (entity == "promotion")
                co_await read_discounts(location);
            else if (entity == "stock_level")
                co_await read_stock(location);
            else
                co_await read_items(location, entity);
        }
    }

  private:
    std::string url_of_items(const std::string& location, std::size_t offset) const {
        return settings_.base_url + "/items/v1/items?businessLocationId=" + location +
               "&offset=" + std::to_string(offset) + "&amount=" + std::to_string(page_size_);
    }

    // Each further page begins with the item that ended the one before, so nothing is skipped unseen while
    // people work.
    Task<std::vector<Json>> next_items(const std::string& location, std::vector<Json>& all, bool& has_next) {
        const std::size_t offset = all.empty() ? 0 : all.size() - 1;
        Json body = co_await read_json(context_, settings_, url_of_items(location, offset));
        const Json::Array& rows = body.is_array() ? body.items() : rows_in(body, "/items");
        std::vector<Json> fresh;
        has_next = rows.size() >= page_size_;
        const bool is_same =
            all.empty() || (!rows.empty() && text_in(rows[0], "/id") == text_in(all.back(), "/id"));
        if (!is_same) {
            if (++restarts_ > most_restarts)
                throw Failure(ErrorKind::transient, "the list of items keeps changing while it is read");
            all.clear();
            has_next = true;
            co_return fresh;
        }
        fresh.assign(rows.begin() + (all.empty() ? 0 : 1), rows.end());
        all.insert(all.end(), fresh.begin(), fresh.end());
        co_return fresh;
    }

    Task<void> read_items(const std::string& location, const std::string& entity) {
        std::vector<Json> all;
        bool has_next = true;
        while (has_next) {
            std::vector<Json> rows = co_await next_items(location, all, has_next);
            std::vector<Record> records;
            for (const Json& item : rows) add_records(item, location, entity, records);
            co_await context_.emit_pipelined(std::move(records), std::string());
        }
    }
    void add_records(const Json& item, const std::string& location, const std::string& entity,
                     std::vector<Record>& records) const {
        ItemKey key;
        key.location = location;
        key.id = text_in(item, "/id");
        if (key.id.empty()) throw Failure(ErrorKind::permanent, "Lightspeed shows an item without id");
        if (entity == "price") {
            for (Record& record : prices_from(item, key, settings_)) records.push_back(std::move(record));
            return;
        }
        Record& record = records.emplace_back(key.text(), std::string());
        record.version = version_of(item);
        try {
            record.payload = menu_item_from(item, settings_).dump();
        } catch (const ValueError& error) { record.payload = rejection(error.what(), item); }
    }

    // What may still be sold, by SKU; where nobody counts there is no limit.
    Task<void> read_stock(const std::string& location) {
        std::vector<Json> all;
        bool has_next = true;
        while (has_next) { std::vector<Json> rows = co_await next_items(location, all, has_next); }
        std::vector<std::string> skus;
        for (const Json& item : all) {
            const std::string sku = text_in(item, "/sku");
            if (!sku.empty() && flag_in(item, "/active", true)) skus.push_back(sku);
        }
        std::sort(skus.begin(), skus.end());
        skus.erase(std::unique(skus.begin(), skus.end()), skus.end());
        for (std::size_t from = 0; from < skus.size(); from += skus_at_once) {
            std::string wanted;
            for (std::size_t i = from; i < std::min(from + skus_at_once, skus.size()); ++i)
                wanted += "&skus=" + kit::percent_encoded(skus[i]);
            Json body = co_await read_json(context_, settings_,
                                           settings_.base_url +
                                               "/o/op/1/itemAvailability?businessLocationId=" + location +
                                               wanted + "&page=0&size=" + std::to_string(skus_at_once));
            std::vector<Record> records = levels_from(body, location);
            co_await context_.emit_pipelined(std::move(records), std::string());
        }
    }
    static std::vector<Record> levels_from(const Json& body, const std::string& location) {
        std::vector<Record> records;
        for (const Json& row : rows_in(body, "/data")) {
            const std::string sku = text_in(row, "/sku"), count = text_in(row, "/count");
            if (sku.empty()) continue;
            Record& record = records.emplace_back(location + "/" + sku, std::string());
            try {
                Json made = Json::object();
                made.set("sku", sku);
                made.set("location", location);
                made.set("kind", "availability");
                made.set("available", count.empty() ? Json() : Json(hub_number(count, "count")));
                record.payload = made.dump();
            } catch (const ValueError& error) { record.payload = rejection(error.what(), row); }
        }
        return records;
    }

    Task<void> read_discounts(const std::string& location) {
        Json body =
            co_await read_json(context_, settings_,
                               settings_.base_url + "/o/op/1/menu/discounts?businessLocationId=" + location);
        const Json::Array& rows = body.is_array() ? body.items() : rows_in(body, "/discounts");
        std::vector<Record> records;
        for (const Json& row : rows) {
            const std::string code = text_in(row, "/code"), name = text_in(row, "/name");
            Record& record =
                records.emplace_back(location + "/" + (code.empty() ? name : code), std::string());
            try {
                record.payload = promotion_from(row).dump();
            } catch (const ValueError& error) { record.payload = rejection(error.what(), row); }
        }
        co_await context_.emit_pipelined(std::move(records), std::string());
    }
    Json promotion_from(const Json& row) const {
        Json made = Json::object();
        put(made, "code", kit::excerpt(text_in(row, "/code"), 100));
        made.set("name", kit::excerpt(text_in(row, "/name"), 500));
        const std::string percent = text_in(row, "/discountPercentage"),
                          amount = text_in(row, "/discountAmount");
        made.set("kind", !percent.empty() ? "percent" : !amount.empty() ? "amount" : "unknown");
        if (!percent.empty())
            made.set("value_ppm", ppm_of_percent(decimal_of(percent, "discountPercentage")));
        if (percent.empty() && !amount.empty())
            made.set("amount", money(decimal_of(amount, "discountAmount"), settings_.currency));
        made.set("status", "active");
        made.set("writable", false);
        return made;
    }

    Context& context_;
    const Settings& settings_;
    std::size_t page_size_;
    int restarts_ = 0;
};

}  // namespace lightspeed
