// Walk: where a pull stands in a set. Pages are asked for by the last key of the page before (or by the
// service's own links), so that rows which come and go meanwhile move nothing.
//
//  - everything, by key: the first run, full runs and ranges of dates;
//  - what changed, by UpdateDate and key, from the day of the last change minus `overlap`; then what was
//  never
//    updated and has no UpdateDate, by CreateDate. Days are read again as a whole, since SAP's clock repeats
//    an hour in autumn, has seconds at best, and commits late; what was emitted in that very state is left
//    out.
//
// Cursor: {"since", "seen"} between passes; within one also {"phase", "date", "key", "high", "began"}.
// Of a range: {"phase": "range", "key"} or {"phase": "done"}.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "seen_states.hpp"
#include "service.hpp"
#include "sets.hpp"

namespace sap_b1 {

class Walk {
  public:
    Walk(const Settings& settings, const Set& set, const liaison::Start& start, std::int64_t now_ms)
        : settings_(settings), set_(set) {
        if (start.has_range()) begin_range(start);
        const Json stored = start.cursor.empty() ? Json::object() : Json::parse(start.cursor);
        const bool goes_on = stored.find("phase") != nullptr;
        if (phase_ == Phase::range) {
            key_ = text_of(stored, "key");
            if (text_of(stored, "phase") == "done") phase_ = Phase::done;
            return;
        }
        began_ = clock_text(settings.time.shown_at(now_ms));
        if (start.full) return;
        since_ = text_of(stored, "since");
        if (const Json* seen = stored.find("seen")) seen_.read(*seen);
        if (!since_.empty()) phase_ = Phase::updated;
        if (!goes_on) return;
        phase_ = phase_of(text_of(stored, "phase"));
        date_ = text_of(stored, "date");
        key_ = text_of(stored, "key");
        high_ = text_of(stored, "high");
        began_ = text_of(stored, "began");
    }

    bool is_done() const { return phase_ == Phase::done; }

    liaison::Request request() {
        std::string path = set_.name + odata::Query()
                                           .filter(filter())
                                           .order_by(order())
                                           .select(settings_.selects ? set_.fields : std::string())
                                           .text();
        url_ = link_.empty() ? settings_.url(path) : odata::resolve_link(url_, link_);
        return liaison::Request("GET", url_)
            .auth(std::string(scheme))
            .header("Accept", "application/json")
            .header("Prefer", "odata.maxpagesize=" + std::to_string(settings_.page_size));
    }
    const std::string& url() const { return url_; }

    // Reads one page and moves on.
    std::vector<Record> take(const Response& response) {
        const Json page = liaison::kit::json_body(response, url_);
        const std::vector<Json>* items = odata::entities(page);
        if (items == nullptr)
            throw Failure(ErrorKind::permanent, "SAP answered without a list (" + url_ + ")",
                          liaison::kit::vendor_text(response));
        const std::string before = date_ + " " + key_;
        std::vector<Record> records;
        for (const Json& item : *items) take_one(item, records);
        const std::string link = odata::next_link(page);
        const bool has_more = !items->empty() && !link.empty();
        if (has_more && before == date_ + " " + key_)
            throw Failure(ErrorKind::permanent, "SAP shows the same page again and again (" + url_ + ")");
        link_ = has_more && settings_.follows_links ? link : std::string();
        if (!has_more) end_phase();
        return records;
    }

    std::string cursor() const {
        Json json = Json::object();
        if (is_range_) {
            json.set("phase", phase_ == Phase::done ? "done" : "range");
            if (phase_ != Phase::done) json.set("key", key_);
            return json.dump();
        }
        if (!since_.empty()) json.set("since", since_);
        if (set_.kind != Kind::stock) json.set("seen", seen_.to_json());
        if (phase_ == Phase::done) return json.dump();
        json.set("phase", phase_name());
        if (!date_.empty()) json.set("date", date_);
        json.set("key", key_);
        if (!high_.empty()) json.set("high", high_);
        json.set("began", began_);
        return json.dump();
    }

  private:
    enum class Phase { keys, updated, created, range, done };

    static constexpr std::size_t most_seen = 1000;

    static Phase phase_of(const std::string& name) {
        return name == "updated" ? Phase::updated : name == "created" ? Phase::created : Phase::keys;
    }
    const char* phase_name() const {
        return phase_ == Phase::updated ? "updated" : phase_ == Phase::created ? "created" : "keys";
    }
    static std::string clock_text(std::int64_t shown_ms) {
        return liaison::kit::format_time("%Y-%m-%d %H:%M:%S", liaison::kit::DateTime::from_unix_ms(shown_ms));
    }
    void begin_range(const liaison::Start& start) {
        if (set_.date.empty())
            throw Failure(ErrorKind::config, set_.entity + " has no date by which SAP could be asked");
        is_range_ = true;
        phase_ = Phase::range;
        if (start.from_ms != 0) range_ = set_.date + " ge '" + settings_.time.date_at(start.from_ms) + "'";
        if (start.to_ms != 0)
            range_ = odata::both(range_, set_.date + " lt '" + settings_.time.date_at(start.to_ms) + "'");
    }

    const char* date_field() const { return phase_ == Phase::updated ? "UpdateDate" : "CreateDate"; }
    const char* time_field() const { return phase_ == Phase::updated ? "UpdateTime" : "CreateTime"; }

    std::string order() const {
        const bool by_date = phase_ == Phase::updated || phase_ == Phase::created;
        return (by_date ? std::string(date_field()) + " asc," : std::string()) + set_.key + " asc";
    }
    std::string filter() const {
        const std::string position = key_.empty() ? std::string() : set_.key + " gt " + set_.literal(key_);
        if (phase_ == Phase::keys) return odata::both(set_.filter, position);
        if (phase_ == Phase::range) return odata::both(odata::both(set_.filter, range_), position);
        std::string changes = since();
        if (!key_.empty()) {
            const std::string further =
                odata::behind(date_field(), "'" + date_ + "'", set_.key, set_.literal(key_));
            changes = settings_.time_filter == TimeFilter::none ? further : odata::both(changes, further);
        }
        if (phase_ == Phase::created) changes = odata::both("UpdateDate eq null", changes);
        return odata::both(set_.filter, changes);
    }
    // Never `date ge D and time ge T`, which loses the mornings of all later days.
    std::string since() const {
        const std::string date = since_.substr(0, 10), field = date_field();
        if (settings_.time_filter == TimeFilter::none) return field + " ge '" + date + "'";
        std::string time = since_.substr(std::min<std::size_t>(since_.size(), 11));
        if (settings_.time_filter == TimeFilter::number)
            std::erase(time, ':');
        else
            time = "'" + time + "'";
        return "(" + field + " gt '" + date + "') or (" + field + " eq '" + date + "' and " + time_field() +
               " ge " + time + ")";
    }

    void take_one(const Json& item, std::vector<Record>& records) {
        key_ = text_of(item, set_.key);
        if (key_.empty())
            throw Failure(ErrorKind::permanent, "SAP shows a record without " + set_.key + " (" + url_ + ")");
        const bool by_date = phase_ == Phase::updated || phase_ == Phase::created;
        if (by_date) date_ = date_of(item, date_field());
        if (is_range_ || set_.kind == Kind::stock) return read_records(settings_, set_, item, records);
        const std::string changed = changed_text(item);
        high_ = std::max(high_, changed);
        const std::string identity = SeenStates::identity(key_, changed, item.dump());
        if (by_date && seen_.knows(identity)) return;
        seen_.add(identity, changed.substr(0, 10));
        read_records(settings_, set_, item, records);
    }

    void end_phase() {
        date_.clear();
        key_.clear();
        if (phase_ == Phase::updated && settings_.reads_created) {
            phase_ = Phase::created;
            return;
        }
        phase_ = Phase::done;
        if (is_range_ || set_.kind == Kind::stock) return;
        // Not beyond the beginning of this pass: what changed on a page already read is older than what its
        // last page shows.
        const std::string reached = high_.empty() ? began_ : std::min(high_, began_);
        const auto moment = liaison::kit::parse_time("%Y-%m-%d %H:%M:%S", reached);
        if (moment) since_ = std::max(since_, clock_text(moment->unix_ms() - settings_.overlap_ms));
        seen_.forget_before(since_.substr(0, 10));
    }

    const Settings& settings_;
    const Set& set_;
    Phase phase_ = Phase::keys;
    bool is_range_ = false;
    SeenStates seen_{most_seen};
    std::string since_, date_, key_, high_, began_, range_, link_, url_;
};

}  // namespace sap_b1
