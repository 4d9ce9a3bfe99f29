// Writes menu items and prices into K-Series. A write replaces the whole item, so each begins with a read;
// nothing of ours can be kept in an item, so before one is made its SKU is looked for.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "item.hpp"
#include "reading.hpp"

namespace lightspeed {

class Writer {
  public:
    Writer(Context& context, const Settings& settings) : context_(context), settings_(settings) {}

    // The result of each is durable before the next one is begun.
    Task<void> push(const Start& start) {
        for (std::size_t i = 0; i < start.records.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            const Record& record = start.records[i];
            Verdict verdict = co_await write(start.entity, index, record);
            std::vector<Result> results;
            results.push_back(std::move(verdict.result));
            co_await context_.result(std::move(results));
            if (verdict.stops_job) throw *verdict.stops_job;
        }
    }

    // By id: what version it has. An item has no place for our reference: one that was to be made is known by
    // its SKU.
    Task<void> find(const Start& start) {
        if (start.entity != "menu_item" && start.entity != "price")
            throw Failure(ErrorKind::config,
                          "Lightspeed shows its " + start.entity + " records only all together");
        std::vector<Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            const std::string& key = start.queries[i].key;
            if (key.empty()) {
                const std::string payload =
                    start.entity == "menu_item" ? start.queries[i].payload : std::string();
                Result result = co_await find_created(index, payload);
                results.push_back(std::move(result));
                continue;
            }
            const std::string url = url_of(ItemKey::parse(key));
            Request request = settings_.get(url);
            Response response = co_await context_.send(std::move(request));
            if (response.status == 404) {
                results.emplace_back(index, LIAISON_OUTCOME_NOT_FOUND);
                continue;
            }
            if (!response.ok()) throw read_failure(response, url, context_.now_ms());
            const Json item = kit::json_body(response, url);
            const ItemKey named = ItemKey::parse(key);
            const bool is_price = !named.list.empty();
            const std::string price =
                is_price && has_fixed_price(item) ? price_version(item, named.list) : "";
            if (is_price && price.empty()) {
                results.emplace_back(index, LIAISON_OUTCOME_NOT_FOUND);
                continue;
            }
            const std::string version = is_price ? price : version_of(item);
            results.push_back(Result(index, LIAISON_OUTCOME_FOUND).at(key, version));
        }
        co_await context_.result(std::move(results));
    }

  private:
    std::string url_of(const ItemKey& key) const {
        return settings_.base_url + "/items/v1/items/" + key.id + "?businessLocationId=" + key.location;
    }
    static std::string price_version(const Json& item, const std::string& list) {
        const std::string amount = price_in(item, list);
        return amount.empty() ? std::string() : hub_number(amount, "the price");
    }

    // One record's fault is its own.
    Task<Verdict> write(const std::string& entity, std::uint32_t index, const Record& record) {
        std::optional<Verdict> refusal;
        try {
            if (entity == "promotion")
                throw ValueError("not_supported",
                                 "Lightspeed K-Series lets no app make or change discounts; "
                                 "change them in the back office, or change prices");
            Json payload = record.deleted ? Json::object() : Json::parse(record.payload);
            if (entity == "price") {
                Verdict verdict = co_await write_price(index, record, payload);
                co_return verdict;
            }
            if (record.key.empty() && !record.deleted) {
                Verdict verdict = co_await create(index, payload);
                co_return verdict;
            }
            Verdict verdict = co_await update(index, record, payload);
            co_return verdict;
        } catch (const ValueError& error) {
            const bool is_unable = error.code == "not_supported";
            refusal.emplace(
                refused(index, is_unable ? ErrorKind::permanent : ErrorKind::invalid_record, error.what()));
        } catch (const liaison::JsonError& error) {
            refusal.emplace(refused(index, ErrorKind::invalid_record, error.what()));
        } catch (const Failure& failure) { refusal.emplace(judge_silence(index, failure)); }
        co_return std::move(*refusal);
    }

    // ---- by SKU ----

    // The items of the location that new ones are made at; the vendor's search finds parts of SKUs, too.
    Task<std::vector<Json>> items_with(const std::string& sku) {
        const std::string url = settings_.base_url +
                                "/items/v1/items?businessLocationId=" + settings_.locations.front() +
                                "&sku=" + kit::percent_encoded(sku);
        Json found = co_await read_json(context_, settings_, url);
        std::vector<Json> same;
        for (const Json& item : found.is_array() ? found.items() : rows_in(found, "/items")) {
            if (text_in(item, "/sku") == sku) same.push_back(item);
        }
        co_return same;
    }
    static std::string several(std::size_t count, const std::string& sku) {
        return std::to_string(count) + " items there have the SKU '" + sku +
               "': give all but one another in the back office";
    }

    // An item that was to be made, after an answer was lost.
    Task<Result> find_created(std::uint32_t index, const std::string& payload) {
        const std::string sku = payload.empty() ? std::string() : text_in(Json::parse(payload), "/sku");
        if (sku.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        const std::vector<Json> same = co_await items_with(sku);
        if (same.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (same.size() > 1)
            co_return Result(index, LIAISON_OUTCOME_UNKNOWN)
                .because(ErrorKind::conflict, several(same.size(), sku));
        co_return Result(index, LIAISON_OUTCOME_FOUND)
            .at(settings_.locations.front() + "/" + text_in(same[0], "/id"), version_of(same[0]));
    }

    // ---- new items ----

    Task<Verdict> create(std::uint32_t index, const Json& payload) {
        const std::string sku = text_in(payload, "/sku"), location = settings_.locations.front();
        if (sku.empty())
            throw ValueError("sku",
                             "a new item needs a sku: without one nobody could say whether it is there");
        Json body = Json::object();
        body.set("businessLocationId", Json::number(location));
        change(body, payload, settings_, true, true);
        const std::vector<Json> same = co_await items_with(sku);
        if (same.size() == 1)
            co_return Verdict(Result(index, LIAISON_OUTCOME_DUPLICATE)
                                  .at(location + "/" + text_in(same[0], "/id"), version_of(same[0])));
        if (same.size() > 1)
            co_return Verdict(refused(index, ErrorKind::conflict, several(same.size(), sku)));
        Request request = write_request("POST", settings_.base_url + "/items/v1/items", body, index);
        Response response = co_await context_.send(std::move(request));
        if (!response.ok()) co_return judge_failure(index, response, "create the item", context_.now_ms());
        co_return written(index, response, location, LIAISON_OUTCOME_CREATED);
    }

    // ---- items that are there ----

    Task<Verdict> update(std::uint32_t index, const Record& record, const Json& payload) {
        const std::string url = url_of(ItemKey::parse(record.key));
        Response seen = co_await look_at(url);
        if (seen.status == 404) co_return judge_missing(index, record);
        const Json item = kit::json_body(seen, url);
        const std::string version = version_of(item);
        const bool is_stale = !record.version.empty() && record.version != version;
        if (is_stale && !record.deleted)
            co_return Verdict(
                Result(index, LIAISON_OUTCOME_CONFLICT)
                    .because(ErrorKind::conflict, "the item was changed at Lightspeed meanwhile"));
        Json body = body_of(item, ItemKey::parse(record.key).location, settings_);
        const Json before = body;
        if (record.deleted)
            body.set("active", false);  // there is no way to remove an item
        else
            change(body, payload, settings_, false, has_fixed_price(item));
        const std::uint32_t done = record.deleted ? LIAISON_OUTCOME_DELETED : LIAISON_OUTCOME_UPDATED;
        if (body == before) {
            const std::uint32_t same = record.deleted ? done : LIAISON_OUTCOME_UNCHANGED;
            co_return Verdict(Result(index, same).at(record.key, version));
        }
        Verdict verdict = co_await replace(index, record.key, item, body, done);
        co_return verdict;
    }

    // Only the price list that the API can write.
    Task<Verdict> write_price(std::uint32_t index, const Record& record, const Json& payload) {
        if (record.deleted)
            throw ValueError("not_supported",
                             "an item of Lightspeed has a price always: it cannot be removed");
        std::string list = text_in(payload, "/price_list");
        if (list.empty()) list = settings_.default_price_list;
        const std::string named = record.key.empty() ? text_in(payload, "/menu_item_ref") : record.key;
        ItemKey key = ItemKey::parse(named);
        if (!key.list.empty()) list = key.list;
        check_price(payload, list);
        key.list.clear();
        const std::string id = key.text(), url = url_of(key), id_of_price = id + "/" + list;
        Response seen = co_await look_at(url);
        if (seen.status == 404) co_return judge_missing(index, record);
        const Json item = kit::json_body(seen, url);
        if (!has_fixed_price(item))
            throw ValueError("not_supported", "the item has no fixed price (" + text_in(item, "/priceMode") +
                                                  "): none is written to it");
        const std::string now = price_version(item, list),
                          wanted = hub_number(text_in(payload, "/unit_price"), "unit_price");
        if (now == wanted) co_return Verdict(Result(index, LIAISON_OUTCOME_UNCHANGED).at(id_of_price, now));
        if (!record.version.empty() && record.version != now)
            co_return Verdict(
                Result(index, LIAISON_OUTCOME_CONFLICT)
                    .because(ErrorKind::conflict, "the price is " + now + " at Lightspeed meanwhile"));
        Json body = body_of(item, ItemKey::parse(id).location, settings_);
        body.set("defaultPrice", number_json(wanted, "unit_price"));
        Verdict verdict = co_await replace(index, id, item, body, LIAISON_OUTCOME_UPDATED);
        const bool is_done = verdict.result.outcome == LIAISON_OUTCOME_UPDATED;
        if (is_done) verdict.result = Result(index, LIAISON_OUTCOME_UPDATED).at(id_of_price, wanted);
        co_return verdict;
    }
    void check_price(const Json& payload, const std::string& list) const {
        if (list != settings_.default_price_list)
            throw ValueError("not_supported", "the price list '" + kit::excerpt(list, 60) +
                                                  "' is read-only; only '" + settings_.default_price_list +
                                                  "' can be written");
        if (text_in(payload, "/kind") != "list")
            throw ValueError("kind", "only prices of kind 'list' belong to an item of Lightspeed");
        item_parts::check_currency(payload, settings_);
    }

    Task<Response> look_at(const std::string& url) {
        Request request = settings_.get(url);
        Response response = co_await context_.send(std::move(request));
        if (!response.ok() && response.status != 404) throw read_failure(response, url, context_.now_ms());
        co_return response;
    }

    Task<Verdict> replace(std::uint32_t index, const std::string& id, const Json& item, const Json& body,
                          std::uint32_t outcome) {
        if (body.find("accountingGroupId") == nullptr || body.find("sku") == nullptr)
            throw ValueError("item",
                             "the item has no accounting group or no SKU, without which Lightspeed takes "
                             "no change; add it in the back office");
        if (is_shared(item))
            context_.log(LIAISON_LOG_WARNING, "the item '" + kit::excerpt(text_in(item, "/name"), 60) +
                                                  "' is shared: other locations may see this change");
        const ItemKey key = ItemKey::parse(id);
        Request request = write_request("PUT", settings_.base_url + "/items/v1/items/" + key.id, body, index);
        Response response = co_await context_.send(std::move(request));
        if (!response.ok()) co_return judge_failure(index, response, "change the item", context_.now_ms());
        co_return written(index, response, key.location, outcome);
    }

    Request write_request(const char* method, const std::string& url, const Json& body,
                          std::uint32_t index) const {
        return settings_.request(method, url)
            .content("application/json", body.dump())
            .mutates(static_cast<std::int32_t>(index));
    }

    static Verdict judge_missing(std::uint32_t index, const Record& record) {
        if (record.deleted) return Verdict(Result(index, LIAISON_OUTCOME_DELETED).at(record.key));
        return Verdict(refused(index, ErrorKind::permanent, "there is no such item at Lightspeed any more"));
    }
    static Verdict written(std::uint32_t index, const Response& response, const std::string& location,
                           std::uint32_t outcome) {
        std::string id;
        Json item;
        try {
            item = Json::parse(response.body);
            id = text_in(item, "/id");
        } catch (const liaison::JsonError&) {}
        if (id.empty())
            return Verdict(Result(index, LIAISON_OUTCOME_UNKNOWN)
                               .because(ErrorKind::unknown_outcome, "accepted, but the answer names no id: " +
                                                                        kit::vendor_text(response)));
        return Verdict(Result(index, outcome).at(location + "/" + id, version_of(item)));
    }

    Context& context_;
    const Settings& settings_;
};

}  // namespace lightspeed
