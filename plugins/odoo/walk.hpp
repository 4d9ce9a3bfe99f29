// Walk: where a pull stands in the records of one model, by the time of their last change.
//
// Odoo stores write_date with microseconds, shows seconds, and its versions disagree on whether a record
// changed at 10:00:00.5 is later than 10:00:00. So nothing here compares with anything but whole seconds,
// from below: a page that is full gives up its last second, which the next page begins with; a second that
// fills a page by itself (an import of a thousand records is one transaction, with one time) is read in the
// order of ids.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server.hpp"

namespace odoo {

inline constexpr char time_format[] = "%Y-%m-%d %H:%M:%S";

// "2026-05-01 10:00:00", UTC.
inline std::string odoo_time(std::int64_t unix_ms) {
    return kit::format_time(time_format, kit::DateTime::from_unix_ms(unix_ms));
}
inline std::optional<std::int64_t> parse_odoo_time(std::string_view text) {
    const std::optional<kit::DateTime> time = kit::parse_time(time_format, text);
    return time ? std::optional<std::int64_t>(time->unix_ms()) : std::nullopt;
}

class Walk {
  public:
    // From `since` on, which is inclusive.
    Walk(const Settings& settings, std::string model, Json filter, Json fields, std::int64_t since_ms)
        : settings_(settings),
          model_(std::move(model)),
          filter_(std::move(filter)),
          fields_(std::move(fields)),
          at_ms_(since_ms / 1000 * 1000) {}

    bool has_next() const { return has_next_; }
    // Everything that changed before is read, and where the next pull goes on.
    std::int64_t at_ms() const { return at_ms_; }

    Call page() const {
        Json domain = filter_;
        domain.push_back(condition("write_date", ">=", odoo_time(at_ms_)));
        if (by_id_) {
            domain.push_back(condition("write_date", "<", odoo_time(at_ms_ + 1000)));
            domain.push_back(condition("id", ">", after_id_));
        }
        return search(settings_, model_, std::move(domain), fields_)
            .option("order", by_id_ ? "id asc" : "write_date asc, id asc")
            .option("limit", settings_.page_size);
    }

    // What of the page is settled.
    std::vector<Json> take(std::vector<Json> rows) {
        const bool is_full = static_cast<std::int64_t>(rows.size()) >= settings_.page_size;
        if (by_id_) return take_by_id(std::move(rows), is_full);
        has_next_ = is_full;
        if (rows.empty()) return rows;
        const std::int64_t last = time_of(rows.back());
        if (!is_full) {
            at_ms_ = last;
            return rows;
        }
        if (time_of(rows.front()) == last) {
            at_ms_ = last;
            by_id_ = true;
            after_id_ = 0;
            return {};
        }
        while (time_of(rows.back()) == last) rows.pop_back();
        at_ms_ = last;
        return rows;
    }

  private:
    std::vector<Json> take_by_id(std::vector<Json> rows, bool is_full) {
        if (is_full) {
            after_id_ = id_of(rows.back());
        } else {
            by_id_ = false;
            at_ms_ += 1000;
        }
        return rows;
    }
    static std::int64_t id_of(const Json& row) {
        const Json* id = row.find("id");
        const std::optional<std::int64_t> value = id != nullptr ? id->to_int() : std::nullopt;
        if (!value) throw Failure(ErrorKind::permanent, "Odoo: a record without an id");
        return *value;
    }
    static std::int64_t time_of(const Json& row) {
        const Json* time = row.find("write_date");
        const std::optional<std::int64_t> value =
            time != nullptr ? parse_odoo_time(time->scalar_text()) : std::nullopt;
        if (!value) throw Failure(ErrorKind::permanent, "Odoo: a record without a write_date");
        return *value;
    }

    const Settings& settings_;
    std::string model_;
    Json filter_, fields_;
    std::int64_t at_ms_;
    std::int64_t after_id_ = 0;
    bool by_id_ = false, has_next_ = true;
};

}  // namespace odoo
