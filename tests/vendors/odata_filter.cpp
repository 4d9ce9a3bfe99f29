#include "odata_filter.hpp"

#include <algorithm>
#include <cstdlib>

namespace liaison_sim {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_date(const std::string& text) {
    return text.size() >= 10 && text[4] == '-' && text[7] == '-' &&
           std::isdigit(static_cast<unsigned char>(text[0]));
}

// The text up to the closing quote, with doubled quotes made single; `text` is moved behind it.
std::string quoted(std::string_view& text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] != '\'') {
            out.push_back(text[i]);
        } else if (i + 1 < text.size() && text[i + 1] == '\'') {
            out.push_back('\'');
            ++i;
        } else {
            text.remove_prefix(i + 1);
            return out;
        }
    }
    throw ODataError("a quote is not closed");
}

}  // namespace

int compare(const Json* a, const Json* b) {
    const auto is_null = [](const Json* one) { return one == nullptr || one->is(Json::Kind::null); };
    if (is_null(a) || is_null(b)) return static_cast<int>(!is_null(a)) - static_cast<int>(!is_null(b));
    if (a->is(Json::Kind::number) && b->is(Json::Kind::number)) {
        const double x = std::strtod(a->text().c_str(), nullptr), y = std::strtod(b->text().c_str(), nullptr);
        return x < y ? -1 : x > y ? 1 : 0;
    }
    if (is_date(a->text()) && is_date(b->text())) return a->text().compare(0, 10, b->text(), 0, 10);
    return a->text().compare(b->text());
}

ODataFilter::ODataFilter(std::string_view text, IsProperty is_property)
    : text_(text), is_property_(std::move(is_property)) {
    test_ = any();
    if (word(); !text_.empty())
        throw ODataError("the filter is not understood from '" + std::string(text_) + "'");
}

// Moves over blanks; what a name begins with, without taking it.
std::string_view ODataFilter::word() {
    while (text_.starts_with(' ')) text_.remove_prefix(1);
    std::size_t size = 0;
    while (size < text_.size() && is_name(text_[size])) ++size;
    return text_.substr(0, size);
}

bool ODataFilter::take(std::string_view text) {
    if (const auto next = word(); next.empty() ? !text_.starts_with(text) : next != text) return false;
    text_.remove_prefix(text.size());
    return true;
}

ODataFilter::Test ODataFilter::any() {
    Test left = all();
    while (take("or"))
        left = [left, right = all()](const Json& record) { return left(record) || right(record); };
    return left;
}

ODataFilter::Test ODataFilter::all() {
    Test left = one();
    while (take("and"))
        left = [left, right = one()](const Json& record) { return left(record) && right(record); };
    return left;
}

ODataFilter::Test ODataFilter::one() {
    if (take("(")) {
        Test inner = any();
        if (!take(")")) throw ODataError("a parenthesis is not closed");
        return inner;
    }
    const std::string name(word());
    if (!is_property_(name)) throw ODataError("Property '" + name + "' is invalid");
    text_.remove_prefix(name.size());
    const std::string operation(word());
    static constexpr std::string_view known[] = {"eq", "ne", "gt", "ge", "lt", "le"};
    const auto found = std::find(std::begin(known), std::end(known), operation);
    if (found == std::end(known)) throw ODataError("'" + operation + "' is no comparison");
    text_.remove_prefix(operation.size());
    return [name, which = found - std::begin(known), value = literal()](const Json& record) {
        const Json* member = record.find(name);
        const bool is_null = member == nullptr || member->is(Json::Kind::null);
        if (is_null && !value.is(Json::Kind::null)) return which == 1;  // unknown but for ne
        const int order = compare(member, &value);
        const bool results[] = {order == 0, order != 0, order > 0, order >= 0, order < 0, order <= 0};
        return results[which];
    };
}

Json ODataFilter::literal() {
    word();
    if (text_.starts_with('\'')) return Json::string(quoted(text_));
    if (take("null")) return Json();
    std::size_t size = 0;
    while (size < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[size])) ||
                                   text_[size] == '.' || text_[size] == '-'))
        ++size;
    if (size == 0) throw ODataError("a value is expected at '" + std::string(text_) + "'");
    const std::string digits(text_.substr(0, size));
    text_.remove_prefix(size);
    return Json::number(digits);
}

std::vector<std::pair<std::string, bool>> parse_order(std::string_view text, const IsProperty& is_property) {
    std::vector<std::pair<std::string, bool>> order;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string part(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        const std::size_t blank = part.find(' ');
        const std::string direction = blank == std::string::npos ? "asc" : part.substr(blank + 1);
        part = part.substr(0, blank);
        if (!is_property(part)) throw ODataError("Property '" + part + "' is invalid");
        if (direction != "asc" && direction != "desc")
            throw ODataError("'" + direction + "' is no direction");
        order.emplace_back(part, direction == "asc");
    }
    return order;
}

Address parse_address(std::string_view segment) {
    Address address;
    const std::size_t open = segment.find('(');
    address.set = segment.substr(0, open);
    if (open == std::string_view::npos) return address;
    if (!segment.ends_with(')')) throw ODataError("the key is not closed");
    std::string_view key = segment.substr(open + 1, segment.size() - open - 2);
    address.is_quoted = key.starts_with('\'');
    address.key = address.is_quoted ? quoted(key) : std::string(key);
    if (address.is_quoted && !key.empty()) throw ODataError("something follows the key");
    return address;
}

}  // namespace liaison_sim
