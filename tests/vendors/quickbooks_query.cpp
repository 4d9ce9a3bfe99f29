#include <algorithm>
#include <charconv>
#include <set>

#include "instant.hpp"
#include "quickbooks.hpp"

namespace liaison_sim {
namespace {

std::string lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

[[noreturn]] void refuse_statement(const std::string& what) {
    refuse_quickbooks(400, "4000", "Error parsing query", "QueryParserError: " + what);
}

// Notes are not among them: nobody can search for what is written there.
const std::set<std::string>& searchable() {
    static const std::set<std::string> fields{"Id",
                                              "DisplayName",
                                              "CompanyName",
                                              "GivenName",
                                              "FamilyName",
                                              "Active",
                                              "Name",
                                              "Sku",
                                              "Type",
                                              "DocNumber",
                                              "TxnDate",
                                              "TxnStatus",
                                              "CustomerRef",
                                              "TotalAmt",
                                              "MetaData.LastUpdatedTime",
                                              "MetaData.CreateTime"};
    return fields;
}

class Words {
  public:
    explicit Words(const std::string& text) : text_(text) { advance(); }
    const std::string& word() const { return word_; }
    bool is_text() const { return is_text_; }
    bool is(const std::string& keyword) const { return !is_text_ && lowered(word_) == lowered(keyword); }
    bool at_end() const { return word_.empty() && !is_text_; }
    bool take(const std::string& keyword) {
        if (!is(keyword)) return false;
        advance();
        return true;
    }
    void need(const std::string& keyword) {
        if (!take(keyword)) refuse_statement("expected " + keyword + ", found '" + word_ + "'");
    }
    std::string next() {
        std::string taken = word_;
        advance();
        return taken;
    }

  private:
    void advance() {
        word_.clear();
        is_text_ = false;
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
        if (at_ == text_.size()) return;
        if (text_[at_] == '\'') return text();
        static const std::string marks = "(),*";
        if (marks.find(text_[at_]) != std::string::npos) {
            word_ = text_[at_++];
            return;
        }
        const auto is_sign = [](char c) { return c == '<' || c == '>' || c == '='; };
        const bool sign = is_sign(text_[at_]);
        while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\'' &&
               marks.find(text_[at_]) == std::string::npos && is_sign(text_[at_]) == sign)
            word_ += text_[at_++];
    }
    void text() {
        is_text_ = true;
        for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            word_ += text_[at_];
        }
        if (at_++ >= text_.size()) refuse_statement("a text does not end");
    }
    const std::string& text_;
    std::size_t at_ = 0;
    std::string word_;
    bool is_text_ = false;
};

std::size_t number(Words& words, std::size_t low, std::size_t high) {
    std::size_t value = 0;
    const std::string text = words.next();
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || stop != text.data() + text.size() || value < low || value > high)
        refuse_statement("'" + text + "' is no number from " + std::to_string(low) + " to " +
                         std::to_string(high));
    return value;
}

QuickBooksQuery::Condition condition(Words& words) {
    QuickBooksQuery::Condition made;
    made.field = words.next();
    if (!searchable().contains(made.field))
        refuse_quickbooks(400, "4001", "Invalid query",
                          "QueryValidationError: property " + made.field + " is not queryable");
    made.operation = words.is("in") ? "IN" : words.is("like") ? "LIKE" : words.word();
    static const std::set<std::string> operations{"=", "<", ">", "<=", ">=", "IN", "LIKE"};
    if (!operations.contains(made.operation)) refuse_statement("'" + made.operation + "' is no operator");
    (void)words.next();
    const bool is_list = made.operation == "IN";
    if (is_list) words.need("(");
    do made.values.push_back(words.next());
    while (is_list && words.take(","));
    if (is_list) words.need(")");
    return made;
}

std::string value_at(const Json& row, const std::string& field) {
    const std::size_t point = field.find('.');
    const Json* found = row.find(field.substr(0, point));
    if (found != nullptr && point != std::string::npos) found = found->find(field.substr(point + 1));
    if (found == nullptr) return {};
    if (found->is(Json::Kind::object)) return found->text_of("value");
    return found->is(Json::Kind::boolean) ? (found->truth() ? "true" : "false") : found->text();
}

// Instants by their moment, ids by their number, everything else as text without case.
int compare(const std::string& field, const std::string& a, const std::string& b) {
    const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
    if (field.starts_with("MetaData.")) {
        const auto wanted = parse_instant(b);
        if (!wanted)
            refuse_quickbooks(400, "4001", "Invalid query",
                              "QueryValidationError: '" + b + "' is no date time");
        return sign(parse_instant(a).value_or(0), *wanted);
    }
    if (field == "Id") return sign(std::atoll(a.c_str()), std::atoll(b.c_str()));
    return sign(lowered(a), lowered(b));
}

bool holds(const QuickBooksQuery::Condition& condition, const std::string& value) {
    const auto is = [&](const std::string& other) { return compare(condition.field, value, other) == 0; };
    const std::string& operation = condition.operation;
    if (operation == "IN") return std::any_of(condition.values.begin(), condition.values.end(), is);
    const std::string& wanted = condition.values[0];
    if (operation == "LIKE") return lowered(value).starts_with(lowered(wanted.substr(0, wanted.find('%'))));
    const int order = compare(condition.field, value, wanted);
    if (operation == "=") return order == 0;
    if (operation == "<") return order < 0;
    if (operation == ">") return order > 0;
    return operation == "<=" ? order <= 0 : order >= 0;
}

}  // namespace

QuickBooksQuery QuickBooksQuery::parse(const std::string& statement) {
    QuickBooksQuery made;
    Words words(statement);
    words.need("select");
    if (words.take("count")) {
        made.is_count = true;
        words.need("(");
        words.need("*");
        words.need(")");
    } else if (!words.take("*")) {
        do (void)words.next();
        while (words.take(","));
    }
    words.need("from");
    made.type = words.next();
    if (words.take("where")) {
        do made.conditions.push_back(condition(words));
        while (words.take("and"));
    }
    if (words.take("orderby")) {
        made.order_by = words.next();
        if (!searchable().contains(made.order_by)) refuse_statement("cannot order by " + made.order_by);
        made.is_descending = words.take("desc");
        if (!made.is_descending) (void)words.take("asc");
    }
    if (words.take("startposition")) made.start = number(words, 1, 1'000'000'000);
    if (words.take("maxresults")) made.most = number(words, 1, 1000);
    if (!words.at_end()) refuse_statement("did not expect '" + words.word() + "'");
    return made;
}

bool QuickBooksQuery::matches(const Json& row) const {
    const bool asks_active = std::any_of(conditions.begin(), conditions.end(),
                                         [](const Condition& one) { return one.field == "Active"; });
    if (!asks_active && value_at(row, "Active") == "false") return false;
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const Condition& one) { return holds(one, value_at(row, one.field)); });
}

std::vector<Json> QuickBooksQuery::page(std::vector<Json> rows) const {
    std::erase_if(rows, [&](const Json& row) { return !matches(row); });
    const std::string field = order_by.empty() ? "Id" : order_by;
    std::stable_sort(rows.begin(), rows.end(), [&](const Json& a, const Json& b) {
        const int order = compare(field, value_at(a, field), value_at(b, field));
        return is_descending ? order > 0 : order < 0;
    });
    const std::size_t from = std::min(start - 1, rows.size()), to = std::min(from + most, rows.size());
    return {rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(to)};
}

}  // namespace liaison_sim
