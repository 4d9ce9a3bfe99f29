// PageWalk: where a pull stands in a paged list. Makes the requests, reads the pages, keeps the cursor.
//
// Cursor: {"since_ms", "began_ms", "high_ms", "next"}. `since_ms` moves only when the last page is committed,
// and never beyond the beginning of the pass: what changed on a page already read, while the pass was
// interrupted for hours, is older than what its last page shows. `next` is the page to go on with after a
// crash, where pages are named by the service; pages by number are read from the first one again.
//
// Of a range of dates: {"next"} while pages are left, {"done"} behind the last one.
//
// Where positions are counted, a deletion on a page already read moves the rest forward, and the next page
// would skip as many. So a page by offset begins with the last record of the page before. A page by number
// cannot: the end of the page before is read again after it (check_request). Where that is not what it was,
// the walk goes back to a record that it knows.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "known_records.hpp"
#include "settings.hpp"

namespace custom_api {

using liaison::Record;

class PageWalk {
  public:
    PageWalk(const Settings& settings, const Entity& entity, const liaison::Start& start, std::int64_t now_ms)
        : settings_(settings),
          entity_(entity),
          list_(*entity.list),
          is_range_(start.has_range()),
          from_ms_(start.from_ms),
          to_ms_(start.to_ms),
          began_ms_(now_ms) {
        size_ = list_.size;
        if (size_ == 0 && !list_.size_param.empty()) size_ = start.page_size != 0 ? start.page_size : 100;
        restart();
        if (start.cursor.empty() || start.full) return;
        const Json json = Json::parse(start.cursor);
        is_done_ = json.find("done") != nullptr;
        if (const Json* since = json.find("since_ms")) since_ms_ = since->to_int();
        // Counted positions shift: what changed meanwhile moved to the end of the list, and others took its
        // place on pages that were read already. Such a pass begins anew.
        if (counts_positions()) return;
        if (const Json* high = json.find("high_ms")) high_ms_ = high->to_int().value_or(0);
        if (const Json* next = json.find("next")) {
            next_ = next->scalar_text();
            is_resumed_ = true;
            const Json* began = json.find("began_ms");
            began_ms_ = began != nullptr ? began->to_int().value_or(0) : 0;
        }
    }

    // A stored page position can go stale; the list is then read again from its beginning.
    bool is_resumed() const { return is_resumed_; }
    // A range of which the last page is stored already.
    bool is_done() const { return is_done_; }
    void restart() {
        is_resumed_ = false;
        next_.clear();
        if (list_.paging == Paging::page) next_ = std::to_string(list_.first_page);
        if (list_.paging == Paging::offset) next_ = "0";
    }

    Request request() const {
        if (list_.paging == Paging::link && !next_.empty()) return settings_.request_to("GET", next_);
        Query query = query_of(size_);
        if (list_.paging == Paging::page) query.emplace_back(list_.page_param, next_);
        if (list_.paging == Paging::offset) query.emplace_back(list_.offset_param, next_);
        if (list_.paging == Paging::cursor && !next_.empty()) query.emplace_back(list_.cursor_param, next_);
        return settings_.request("GET", list_.path, query);
    }

    // Reads one page and moves to the next, or back when this one does not continue what was read.
    std::vector<Record> take(const Response& response) {
        const Json page = page_of(response);
        const std::vector<Json>& items = items_of(page, response);
        is_resumed_ = false;
        const std::vector<Identity> identities = identities_of(items);
        if (must_continue_ && (identities.empty() || !known_.knows(identities.front()))) {
            go_back();
            return {};
        }
        std::vector<Record> records;
        records.reserve(items.size());
        // The first of a page that must continue has been emitted.
        for (std::size_t i = must_continue_ ? 1 : 0; i < items.size(); ++i)
            records.push_back(record_of(items[i]));
        if (is_checked()) note(identities);
        advance(response, page, static_cast<std::int64_t>(items.size()));
        return records;
    }

    // What shows whether the page taken last continues the one before; nothing when there is no doubt. To be
    // sent after that page was read, and answered to take_check before anything is built on it.
    std::optional<Request> check_request() const {
        if (!expected_) return std::nullopt;
        const bool asks_for_one = !checks_whole_pages_ && !list_.size_param.empty();
        const std::int64_t pages_before = checked_page_ - list_.first_page;
        const std::int64_t last_before = (asks_for_one ? pages_before * size_ : pages_before) - 1;
        Query query = query_of(asks_for_one ? 1 : size_);
        query.emplace_back(list_.page_param, std::to_string(list_.first_page + last_before));
        return settings_.request("GET", list_.path, query);
    }
    // False: the list moved, and the walk went back. An answer to request() from before is void then.
    bool take_check(const Response& response) {
        bool stands = false;
        if (response.ok()) {
            const Json page = page_of(response);
            const std::vector<Identity> identities = identities_of(items_of(page, response));
            stands = !identities.empty() && identities.back() == *expected_;
        }
        expected_.reset();
        if (stands) {
            known_.remember(unproven_);
            known_.reached(checked_page_);
            return true;
        }
        // Not every service knows pages of one record, or counts as we do.
        checks_whole_pages_ = true;
        next_ = std::to_string(checked_page_);
        go_back();
        return false;
    }
    // How often the list moved.
    int moves() const { return known_.moves(); }
    std::string url() const { return settings_.base_url + list_.path; }
    bool has_next() const { return has_next_; }

    std::string cursor() const {
        Json json = Json::object();
        if (is_range_) {
            if (!has_next_) json.set("done", true);
            if (has_next_ && !counts_positions()) json.set("next", next_);
            return json.dump();
        }
        if (has_next_) {
            if (since_ms_) json.set("since_ms", *since_ms_);
            if (counts_positions()) return json.dump();
            if (!list_.since_param.empty()) json.set("began_ms", began_ms_);
            if (high_ms_ != 0) json.set("high_ms", high_ms_);
            json.set("next", next_);
        } else if (!list_.since_param.empty()) {
            const std::int64_t reached = high_ms_ != 0 ? std::min(high_ms_, began_ms_) - list_.overlap_ms : 0;
            const std::int64_t since = std::max(reached, since_ms_.value_or(0));
            if (since > 0) json.set("since_ms", since);
        }
        return json.dump();
    }

  private:
    bool counts_positions() const { return list_.paging == Paging::page || list_.paging == Paging::offset; }

    bool is_checked() const { return counts_positions() && !list_.is_stable; }

    static constexpr std::size_t max_raw_bytes = 12'000;
    static constexpr std::int64_t day_ms = 86'400'000;

    Query query_of(std::int64_t size) const {
        Query query = list_.query;
        if (size != 0 && !list_.size_param.empty())
            query.emplace_back(list_.size_param, std::to_string(size));
        if (since_ms_ && !list_.since_param.empty())
            query.emplace_back(list_.since_param, time_text(*since_ms_, list_.since_format));
        if (is_range_) add_range(query);
        return query;
    }
    Json page_of(const Response& response) const { return kit::json_body(response, url()); }
    const std::vector<Json>& items_of(const Json& page, const Response& response) const {
        static const std::vector<Json> none;
        const Json* items = page.at(list_.items);
        if (items != nullptr && items->is_null()) items = nullptr;
        if (items != nullptr && !items->is_array())
            throw Failure(ErrorKind::config, "list.items is no array (" + url() + ")");
        if (items != nullptr) return items->items();
        if (!page.is_object()) throw Failure(ErrorKind::config, "list.items is not there (" + url() + ")");
        if (has_nothing(page)) return none;
        throw Failure(ErrorKind::config, "list.items is not there (" + url() + ")",
                      kit::vendor_text(response));
    }
    std::vector<Identity> identities_of(const std::vector<Json>& items) const {
        std::vector<Identity> identities;
        if (!is_checked()) return identities;
        identities.reserve(items.size());
        for (const Json& item : items) {
            std::string key = text_at(item, entity_.key);
            if (key.empty()) key = item.dump();
            identities.push_back(KnownRecords::identity_of(key, text_at(item, entity_.version),
                                                           text_at(item, entity_.changed)));
        }
        return identities;
    }

    // A page by number is proven by a check, unless it is the first or begins with a known record.
    void note(const std::vector<Identity>& identities) {
        if (list_.paging == Paging::offset) return known_.remember(identities);
        checked_page_ = std::stoll(next_);
        if (checked_page_ == list_.first_page || must_continue_) {
            known_.remember(identities);
            known_.reached(checked_page_);
        } else {
            unproven_ = identities;
            expected_ = last_;
        }
        if (!identities.empty()) last_ = identities.back();
    }
    // From the page at next_ to one that begins with a record we know, or to the beginning of the list.
    void go_back() {
        const std::int64_t step = known_.step_back(), at = std::stoll(next_);
        const std::int64_t first = list_.paging == Paging::page ? list_.first_page : 0;
        const std::int64_t to = std::max(first, at - step);
        next_ = std::to_string(to);
        must_continue_ = to > first;
        has_next_ = true;
    }
    void advance_offset(const Json& page, std::int64_t count) {
        const std::int64_t end = std::stoll(next_) + count;
        const bool is_new = count > (must_continue_ ? 1 : 0);
        has_next_ = is_new && says_more(page, count, end);
        known_.reached(end);
        must_continue_ = is_checked() && count > 1;
        next_ = std::to_string(must_continue_ ? end - 1 : end);
    }

    static std::string time_text(std::int64_t at_ms, SinceFormat format) {
        switch (format) {
            case SinceFormat::unix_s: return std::to_string(at_ms / 1000);
            case SinceFormat::unix_ms: return std::to_string(at_ms);
            case SinceFormat::date: return kit::date_text(kit::DateTime::from_unix_ms(at_ms).date);
            default: return kit::rfc3339(at_ms);
        }
    }
    // By whole days the range is widened, never cut: what comes along from beyond it is no harm.
    void add_range(Query& query) const {
        const bool by_days = list_.range_format == SinceFormat::date;
        const std::int64_t to_ms = by_days ? to_ms_ + day_ms - 1 : to_ms_;
        if (from_ms_ != 0) query.emplace_back(list_.from_param, time_text(from_ms_, list_.range_format));
        if (to_ms_ != 0) query.emplace_back(list_.to_param, time_text(to_ms, list_.range_format));
    }
    // Some services leave the array out when it would be empty, and say so in the total.
    bool has_nothing(const Json& page) const { return list_.total && text_at(page, list_.total) == "0"; }

    Record record_of(const Json& item) {
        Record record(text_at(item, entity_.key), {});
        record.version = text_at(item, entity_.version);
        if (entity_.create) record.reference = text_at(item, entity_.create->reference_field);
        const std::string changed = text_at(item, entity_.changed);
        if (!changed.empty()) record.changed_ms = kit::changed_ms(changed);
        high_ms_ = std::max(high_ms_, record.changed_ms);
        const Json* deleted = entity_.deleted ? item.at(*entity_.deleted) : nullptr;
        record.deleted =
            deleted != nullptr && !deleted->is_null() && !(deleted->is_bool() && !deleted->as_bool());
        if (record.deleted && !record.key.empty()) return record;
        record.deleted = false;
        std::string fault = record.key.empty() ? "the item has no key" : "";
        if (!entity_.changed || changed.empty() || record.changed_ms != 0) {
            // nothing to complain about
        } else {
            fault = "'changed' is no time: " + kit::excerpt(changed, 80);
        }
        if (fault.empty()) {
            try {
                record.payload.reserve(usual_payload_bytes_);
                entity_.mapping.read(item).dump_to(record.payload);
                usual_payload_bytes_ =
                    std::min(record.payload.size() + record.payload.size() / 8, max_raw_bytes);
                return record;
            } catch (const kit::ValueError& error) {
                fault = error.what();
            } catch (const liaison::JsonError& error) { fault = error.what(); }
        }
        reject(record, item, fault);
        return record;
    }

    // The host makes a dead letter of a payload with "$rejected".
    static void reject(Record& record, const Json& item, const std::string& fault) {
        std::string raw = item.dump();
        if (record.key.empty()) record.key = "item-" + kit::Hash128().add(raw).hex(16);
        Json payload = Json::object();
        payload.set("$rejected", fault);
        payload.set("$raw", raw.size() <= max_raw_bytes ? item : Json(kit::excerpt(raw, max_raw_bytes)));
        record.payload = payload.dump();
    }

    void advance(const Response& response, const Json& page, std::int64_t count) {
        const std::string before = next_;
        has_next_ = false;
        switch (list_.paging) {
            case Paging::none: return;
            case Paging::page: {
                const std::int64_t number = std::stoll(before);
                const std::int64_t read = number - list_.first_page + 1;
                const auto pages = kit::Decimal::parse(text_at(page, list_.total_pages));
                has_next_ =
                    count > 0 && (pages ? kit::Decimal(read) < *pages : says_more(page, count, read * size_));
                next_ = std::to_string(number + 1);
                must_continue_ = false;
                return;
            }
            case Paging::offset: return advance_offset(page, count);
            case Paging::cursor: next_ = text_at(page, list_.next); break;
            case Paging::link: {
                const std::string target =
                    list_.next ? text_at(page, list_.next) : kit::link_target(response, "next");
                next_ = target.empty() ? target : kit::resolve_url(settings_.base_url + list_.path, target);
                if (!next_.empty() && kit::origin_of(next_) != kit::origin_of(settings_.base_url)) {
                    throw Failure(ErrorKind::config,
                                  "the next page is at another origin: " + kit::excerpt(next_, 200));
                }
                break;
            }
        }
        has_next_ = !next_.empty() && (!list_.has_more || text_at(page, list_.has_more) == "true");
        if (has_next_ && next_ == before)
            throw Failure(ErrorKind::permanent, "the list answers the same next page for ever");
    }
    // For pages and offsets: what the page says itself, else whether it was a full one.
    bool says_more(const Json& page, std::int64_t count, std::int64_t read) const {
        const std::string more = text_at(page, list_.has_more);
        if (!more.empty()) return more == "true";
        const auto total = kit::Decimal::parse(text_at(page, list_.total));
        if (total && read > 0) return kit::Decimal(read) < *total;
        return size_ == 0 || count >= size_;
    }

    const Settings& settings_;
    const Entity& entity_;
    const List& list_;
    const bool is_range_;
    const std::int64_t from_ms_, to_ms_;
    bool is_done_ = false;
    std::int64_t size_ = 0;
    std::optional<std::int64_t> since_ms_;
    std::int64_t high_ms_ = 0, began_ms_;
    std::size_t usual_payload_bytes_ = 0;  // what the last record needed and a little more
    std::string next_;                     // page number, offset, cursor or URL
    bool is_resumed_ = false, has_next_ = false;

    KnownRecords known_;
    bool must_continue_ = false;        // the next page must begin with a record that was read
    bool checks_whole_pages_ = false;   // not by pages of one record
    std::optional<Identity> expected_;  // at the end of the page before `checked_page_`
    Identity last_ = 0;                 // of the page taken last
    std::int64_t checked_page_ = 0;
    std::vector<Identity> unproven_;  // on `checked_page_`
};

}  // namespace custom_api
