// Sales of K-Series: of each location by the time they were closed, again from a day before the last one,
// because tills that were offline send theirs late; and whole days again until the vendor says that they are
// complete.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "business_day.hpp"
#include "reading.hpp"
#include "sale.hpp"

namespace lightspeed {

// How far the sales of one location are known.
struct Place {
    std::int64_t high_ms = 0;    // the last one that was closed, of finished pulls
    std::int64_t at_ms = 0;      // in the middle of a pull: everything before is read
    std::string next_start;      // what the till said about the end of a day
    std::string checked;         // the last business day that was asked for as a whole
    std::set<std::string> open;  // days that were not complete
    bool is_done = false;        // of a range of dates

    static Place parse(const Json& from) {
        Place made;
        const auto number = [&](const char* key) {
            const Json* found = from.find(key);
            return found != nullptr ? found->to_int().value_or(0) : 0;
        };
        made.high_ms = number("high_ms");
        made.at_ms = number("at_ms");
        made.next_start = text_in(from, "/next_start");
        made.checked = text_in(from, "/checked");
        for (const Json& day : rows_in(from, "/open")) made.open.emplace(day.scalar_text());
        made.is_done = flag_in(from, "/done", false);
        return made;
    }
    Json json() const {
        Json made = Json::object(), days = Json::array();
        if (high_ms != 0) made.set("high_ms", high_ms);
        if (at_ms != 0) made.set("at_ms", at_ms);
        put(made, "next_start", next_start);
        put(made, "checked", checked);
        for (const std::string& day : open) days.push_back(day);
        if (!open.empty()) made.set("open", std::move(days));
        if (is_done) made.set("done", true);
        return made;
    }
};

using Places = std::map<std::string, Place>;  // by location

inline Places parse_places(const std::string& cursor) {
    Places places;
    if (cursor.empty()) return places;
    const Json document = Json::parse(cursor);
    for (const Json::Member& member : document.members()) places[member.key] = Place::parse(member.value);
    return places;
}
inline std::string cursor_of(const Places& places) {
    Json made = Json::object();
    for (const auto& [location, place] : places) made.set(location, place.json());
    return made.dump();
}

class SalesPull {
  public:
    static constexpr std::int64_t longest_range_ms = 364 * kit::ms_per_day;  // 365 are allowed
    static constexpr std::size_t largest_page = 100;

    SalesPull(Context& context, const Settings& settings, const Start& start)
        : context_(context),
          settings_(settings),
          start_(start),
          places_(start.full ? Places() : parse_places(start.cursor)),
          page_size_(start.page_size == 0 ? largest_page
                                          : std::min<std::size_t>(start.page_size, largest_page)) {}

    Task<void> run() {
        for (const std::string& location : settings_.locations) {
            Place& place = places_[location];
            if (place.is_done) continue;
            co_await know_days(location, place);
            if (!start_.has_range()) co_await read_days(location, place);
            co_await read_range(location, place);
        }
    }

  private:
    using Date = kit::Date;

    // ---- business days ----

    BusinessDay day_of(const Place& place) const {
        if (!settings_.day_start.empty())
            return BusinessDay::configured(settings_.day_start, settings_.summer);
        const auto learned = BusinessDay::learned(place.next_start, settings_.summer);
        if (!learned)
            throw Failure(ErrorKind::transient,
                          "the till does not say when its days begin (nextStartOfDayAsIso8601 is '" +
                              kit::excerpt(place.next_start, 40) + "'); day_start would say it");
        return *learned;
    }
    std::string url_of_day(const std::string& location, const std::string& date) const {
        return base_of(location) + "/sales-daily?date=" + date + "&include=" + include;
    }
    std::string base_of(const std::string& location) const {
        return settings_.base_url + "/f/v2/business-location/" + location;
    }

    // Before anything else: by which clock the days of this location go.
    Task<void> know_days(const std::string& location, Place& place) {
        if (!settings_.day_start.empty() || !place.next_start.empty()) co_return;
        const Date yesterday = kit::DateTime::from_unix_ms(context_.now_ms() - kit::ms_per_day).date;
        Json day = co_await read_json(context_, settings_, url_of_day(location, kit::date_text(yesterday)));
        place.next_start = text_in(day, "/nextStartOfDayAsIso8601");
    }

    // Days that ended since, and those that were not complete. Late ones are given up after a while.
    std::vector<std::string> days_to_read(Place& place) const {
        const Date today = day_of(place).of(context_.now_ms());
        std::vector<std::string> days;
        for (std::int64_t back = std::max<std::int64_t>(settings_.late_days, 1); back > 0; --back) {
            const std::string day = kit::date_text(today.plus_days(-back));
            const bool is_new = place.checked.empty() ? back == 1 : day > place.checked;
            if (is_new || place.open.contains(day)) days.push_back(day);
        }
        const std::string oldest = kit::date_text(today.plus_days(-settings_.late_days));
        while (!place.open.empty() && *place.open.begin() < oldest) {
            context_.log(LIAISON_LOG_WARNING, "not all tills have sent the sales of " + *place.open.begin() +
                                                  "; no longer waiting for them");
            place.open.erase(place.open.begin());
        }
        return days;
    }

    Task<void> read_days(const std::string& location, Place& place) {
        const std::vector<std::string> days = days_to_read(place);
        for (const std::string& date : days) {
            const std::string url = url_of_day(location, date);
            Request request = settings_.get(url);
            Response response = co_await context_.send(std::move(request));
            const bool was_closed = response.status == 400 && is_before_opening(response);
            if (!response.ok() && !was_closed) throw read_failure(response, url, context_.now_ms());
            const Json body = was_closed ? Json::object() : kit::json_body(response, url);
            const std::string next = text_in(body, "/nextStartOfDayAsIso8601");
            if (!next.empty()) place.next_start = next;
            place.open.erase(date);
            if (!flag_in(body, "/dataComplete", true)) place.open.insert(date);
            place.checked = std::max(place.checked, date);
            std::vector<Record> records = records_of(body, location, place);
            co_await context_.emit_pipelined(std::move(records), cursor_of(places_));
        }
    }

    // ---- by the time of closing ----

    struct Window {
        Window(std::int64_t from_ms, std::int64_t to_ms) : from_ms(from_ms), to_ms(to_ms) {}
        std::int64_t from_ms, to_ms;  // to_ms 0: now
    };

    // What is still to be read, in ranges that the vendor allows.
    std::vector<Window> windows(const Place& place) const {
        const std::int64_t now = context_.now_ms();
        const std::int64_t end = start_.to_ms != 0 && start_.to_ms < now ? start_.to_ms : 0;
        std::int64_t from = now - settings_.history_ms;
        if (place.high_ms != 0) from = place.high_ms - settings_.overlap_ms;
        if (start_.has_range()) from = start_.from_ms != 0 ? start_.from_ms : now - longest_range_ms;
        if (place.at_ms != 0) from = place.at_ms;
        std::vector<Window> all;
        const std::int64_t until = end != 0 ? end : now;
        for (; until - from > longest_range_ms; from += longest_range_ms)
            all.emplace_back(from, from + longest_range_ms);
        if (from < until) all.emplace_back(from, end);
        return all;
    }

    std::string url_of(const std::string& location, const Window& window, const std::string& token) const {
        std::string url =
            base_of(location) + "/sales?from=" + kit::percent_encoded(kit::rfc3339(window.from_ms));
        if (window.to_ms != 0) url += "&to=" + kit::percent_encoded(kit::rfc3339(window.to_ms));
        url += "&include=" + std::string(include) + "&pageSize=" + std::to_string(page_size_);
        return token.empty() ? url : url + "&nextPageToken=" + kit::percent_encoded(token);
    }

    Task<void> read_range(const std::string& location, Place& place) {
        const std::vector<Window> all = windows(place);
        bool is_finished = false;
        for (std::size_t i = 0; i < all.size(); ++i) {
            Window window = all[i];
            std::string token;
            bool has_next = true, has_moved = false;
            while (has_next) {
                const std::string url = url_of(location, window, token);
                Request request = settings_.get(url);
                Response response = co_await context_.send(std::move(request));
                if (response.status == 400 && !has_moved && is_before_opening(response)) {
                    has_moved = true;
                    has_next = move_to_opening(response, window);
                    continue;
                }
                if (!response.ok()) throw read_failure(response, url, context_.now_ms());
                const Json body = kit::json_body(response, url);
                const std::string next = text_in(body, "/nextPageToken");
                if (!next.empty() && next == token)
                    throw Failure(ErrorKind::transient,
                                  "the list of sales does not end: its page token comes again");
                token = next;
                has_next = !token.empty();
                is_finished = !has_next && i + 1 == all.size();
                std::vector<Record> records = records_of(body, location, place);
                advance(body, place, is_finished);
                co_await context_.emit_pipelined(std::move(records), cursor_of(places_));
            }
        }
        if (all.empty() || is_finished) co_return;
        // The last range was before the location existed.
        finish(place);
        std::vector<Record> none;
        co_await context_.emit_pipelined(std::move(none), cursor_of(places_));
    }

    void advance(const Json& body, Place& place, bool is_end) const {
        for (const Json& sale : rows_in(body, "/sales")) place.at_ms = std::max(place.at_ms, closed_ms(sale));
        if (is_end) finish(place);
    }
    void finish(Place& place) const {
        place.high_ms = std::max(place.high_ms, place.at_ms);
        place.at_ms = 0;
        place.is_done = start_.has_range();
    }

    // "... was not operational on the provided date. Please specify a date and time after: ..., which is"
    static bool is_before_opening(const Response& response) {
        return said_in(response).find("not operational") != std::string::npos;
    }
    // False: the location exists only since after the range.
    static bool move_to_opening(const Response& response, Window& window) {
        static constexpr std::string_view before = "after: ";
        const std::string said = said_in(response);
        const std::size_t at = said.find(before);
        std::string when = at == std::string::npos ? "" : said.substr(at + before.size());
        when = std::string(kit::trimmed(when.substr(0, when.find(','))));
        auto opened = kit::parse_rfc3339(when);
        if (!opened) opened = kit::parse_rfc3339(when + "T00:00:00Z");
        if (!opened)
            throw Failure(ErrorKind::config,
                          "the location did not exist yet when the history begins; set a "
                          "shorter history: " +
                              said);
        window.from_ms = *opened;
        return window.to_ms == 0 || window.from_ms < window.to_ms;
    }

    // ---- records ----

    std::vector<Record> records_of(const Json& body, const std::string& location, const Place& place) const {
        std::vector<Record> records;
        if (rows_in(body, "/sales").empty()) return records;
        const BusinessDay day = day_of(place);
        for (const Json& sale : rows_in(body, "/sales")) {
            const std::string id = text_in(sale, "/accountFiscId");
            if (id.empty())
                throw Failure(ErrorKind::permanent, "Lightspeed shows a sale without accountFiscId");
            Record& record = records.emplace_back(location + "/" + id, std::string());
            record.changed_ms = closed_ms(sale);
            const std::string date =
                record.changed_ms != 0 ? kit::date_text(day.of(record.changed_ms)) : std::string();
            // A range of dates does not know which days are open.
            std::optional<bool> is_complete = !place.open.contains(date);
            if (start_.has_range()) is_complete.reset();
            try {
                record.payload = SaleReader(sale, settings_).read(location, date, is_complete).dump();
            } catch (const ValueError& error) { record.payload = rejection(error.what(), sale); }
        }
        return records;
    }

    static constexpr std::string_view include_list = "payments,staff,table";
    static inline const std::string include = kit::percent_encoded(include_list);

    Context& context_;
    const Settings& settings_;
    const Start& start_;
    Places places_;
    std::size_t page_size_;
};

}  // namespace lightspeed
