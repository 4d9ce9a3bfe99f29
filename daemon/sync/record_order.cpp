#include "sync/record_order.hpp"

#include <algorithm>

#include "base/time.hpp"

namespace liaisond::sync {
namespace {

bool is_number(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_less(std::string_view number, std::string_view other) {
    const auto significant = [](std::string_view text) {
        return text.substr(std::min(text.find_first_not_of('0'), text.size()));
    };
    const std::string_view a = significant(number), b = significant(other);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

bool is_older_version(std::string_view one, std::string_view than) {
    if (is_number(one) && is_number(than)) return is_less(one, than);
    const auto first = parse_instant(one), second = parse_instant(than);
    return first && second && *first < *second;
}

}  // namespace

bool is_older(const RecordAge& one, const RecordAge& than) {
    const bool both_dated = one.changed_ms != 0 && than.changed_ms != 0;
    return (both_dated && one.changed_ms < than.changed_ms) || is_older_version(one.version, than.version);
}

}  // namespace liaisond::sync
