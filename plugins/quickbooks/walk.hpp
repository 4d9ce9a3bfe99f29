// Reading a whole list in the order of a date: pages that neither skip nor repeat what matters while people
// work. Instead of an offset, each page begins at the last date of the one before; only a crowd with the very
// same date is paged by position, and there each page begins with a record that is known.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "codec.hpp"
#include "settings.hpp"

namespace quickbooks {

// 'it''s' is an error here: the service escapes with a backslash.
inline std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "'";
}

// Inactive customers and items are hidden unless asked for.
inline std::string also_inactive(const std::string& type) {
    return type == "Customer" || type == "Item" ? "Active IN (true, false)" : "";
}

inline std::string query_url(const Settings& settings, const std::string& statement) {
    return settings.url("/query", "query=" + kit::percent_encoded(statement));
}

// The records in the answer to a query.
inline std::vector<Json> rows_of(const Json& body, const std::string& type) {
    const Json* response = body.find("QueryResponse");
    const Json* rows = response != nullptr ? response->find(type) : nullptr;
    return rows != nullptr && rows->is_array() ? rows->items() : std::vector<Json>();
}

class Walk {
  public:
    enum class Along { changes, documents };  // MetaData.LastUpdatedTime, TxnDate
    static constexpr std::size_t largest_page = 1000;
    static constexpr int most_restarts = 10;

    Walk(const Settings& settings, std::string type, Along along, std::size_t page_size)
        : settings_(settings),
          type_(std::move(type)),
          along_(along),
          size_(std::clamp<std::size_t>(page_size == 0 ? largest_page : page_size, 2, largest_page)) {}

    // Records of that date and later; empty: all. A date, or an instant in UTC.
    void begin_at(std::string from) { at_ = std::move(from); }
    void end_before(std::string date) { before_ = std::move(date); }
    const std::string& at() const { return at_; }
    bool has_next() const { return has_next_; }

    std::string url() const {
        const std::string field = along_ == Along::changes ? "MetaData.LastUpdatedTime" : "TxnDate";
        std::vector<std::string> conditions;
        if (!also_inactive(type_).empty()) conditions.push_back(also_inactive(type_));
        if (!at_.empty()) conditions.push_back(field + " >= " + quoted(at_));
        if (!before_.empty()) conditions.push_back(field + " < " + quoted(before_));
        std::string statement = "SELECT * FROM " + type_;
        for (std::size_t i = 0; i < conditions.size(); ++i)
            statement += (i == 0 ? " WHERE " : " AND ") + conditions[i];
        return query_url(settings_, statement + " ORDERBY " + field + " ASC STARTPOSITION " +
                                        std::to_string(position_) + " MAXRESULTS " + std::to_string(size_));
    }

    // The records of a page that were not on the one before; where to go on is known afterwards.
    std::vector<Json> take(const Json& body) {
        std::vector<Json> rows = rows_of(body, type_);
        if (position_ > 1 && (rows.empty() || id_of(rows.front()) != anchor_)) {
            begin_crowd_again();
            return {};
        }
        has_next_ = rows.size() == size_;
        std::vector<Json> fresh;
        const std::string last = rows.empty() ? at_ : date_of(rows.back());
        std::set<std::string> crowd;
        for (Json& row : rows) {
            if (date_of(row) == last) crowd.insert(id_of(row));
            if (!seen_.contains(id_of(row))) fresh.push_back(row);
        }
        if (last == at_) {
            seen_.merge(crowd);
            position_ += rows.empty() ? 0 : rows.size() - 1;
        } else {
            seen_ = std::move(crowd);
            position_ = 1;
        }
        if (!rows.empty()) anchor_ = id_of(rows.back());
        at_ = last;
        return fresh;
    }

  private:
    static std::string id_of(const Json& row) { return text_in(row, "/Id"); }
    std::string date_of(const Json& row) const {
        if (along_ == Along::documents) return text_in(row, "/TxnDate");
        return kit::rfc3339(changed_at(row));
    }
    // Somebody saved one of the crowd: it has another date now, and the others have moved.
    void begin_crowd_again() {
        if (++restarts_ > most_restarts)
            throw Failure(ErrorKind::transient, "the list of " + type_ + " keeps changing while it is read");
        position_ = 1;
        seen_.clear();
        has_next_ = true;
    }

    const Settings& settings_;
    std::string type_;
    Along along_;
    std::size_t size_, position_ = 1;
    std::string at_, before_, anchor_;
    std::set<std::string> seen_;  // with the date `at_`
    bool has_next_ = true;
    int restarts_ = 0;
};

}  // namespace quickbooks
