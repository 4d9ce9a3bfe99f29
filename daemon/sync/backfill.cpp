#include "sync/backfill.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::sync {
namespace json = boost::json;
namespace {

std::string text_of(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}
std::int64_t number_of(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

}  // namespace

std::string range_text(const DateRange& range) {
    return format_day(range.from) + " to " + format_day(range.to);
}

std::string backfills_to_json(const std::vector<Backfill>& list) {
    json::array all;
    for (const Backfill& one : list) {
        if (one.cancelled) continue;
        all.push_back(json::object{{"from", format_day(one.request.range->from)},
                                   {"to", format_day(one.request.range->to)},
                                   {"entity", one.request.entity},
                                   {"confirm_deletes", one.request.confirm_deletes ? 1 : 0},
                                   {"done", json::array(one.done.begin(), one.done.end())},
                                   {"run", one.run},
                                   {"failures", one.failures},
                                   {"error", one.error}});
    }
    return all.empty() ? std::string() : json::serialize(all);
}

std::vector<Backfill> backfills_from_json(std::string_view text) {
    std::vector<Backfill> list;
    boost::system::error_code error;
    const json::value all = text.empty() ? json::value(json::array()) : json::parse(text, error);
    if (error || !all.is_array()) return list;
    for (const json::value& value : all.get_array()) {
        if (!value.is_object()) continue;
        const json::object& one = value.get_object();
        const auto range = parse_range(text_of(one, "from"), text_of(one, "to"));
        if (!range) continue;
        Backfill& made = list.emplace_back();
        made.request.trigger = backfill_trigger;
        made.request.range = *range;
        made.request.entity = text_of(one, "entity");
        made.request.confirm_deletes = number_of(one, "confirm_deletes") != 0;
        const json::value* done = one.if_contains("done");
        if (done != nullptr && done->is_array()) {
            for (const json::value& entity : done->get_array())
                if (entity.is_string()) made.done.emplace_back(entity.get_string());
        }
        made.run = number_of(one, "run");
        made.failures = static_cast<std::uint32_t>(number_of(one, "failures"));
        made.error = text_of(one, "error");
    }
    return list;
}

}  // namespace liaisond::sync
