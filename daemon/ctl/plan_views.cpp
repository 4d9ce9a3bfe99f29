#include "ctl/plan_views.hpp"

#include <boost/json/serialize.hpp>

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

Tone tone_of_state(const std::string& state) {
    return state == "waiting" ? Tone::warning : state == "approved" ? Tone::good : Tone::plain;
}

// "2 creates, 14 updates"; "nothing".
std::string tally_text(const json::value& plan, std::string_view side) {
    std::string text;
    const json::value* tally = member(plan, side);
    if (tally == nullptr || !tally->is_object()) return "nothing";
    for (const auto& [what, count] : tally->get_object()) {
        if (what.find(' ') != std::string_view::npos) continue;  // of a field that a guard counts
        const std::int64_t number = count.to_number<std::int64_t>();
        const std::string one(what.substr(0, what.size() - 1));
        text += (text.empty() ? "" : ", ") + format_count(number, one, std::string(what));
    }
    return text.empty() ? "nothing" : text;
}

std::string value_text(const json::value* value) {
    if (value == nullptr) return "(nothing)";
    return one_line(value->is_string() ? std::string(value->get_string()) : json::serialize(*value));
}

std::string fields_text(const json::value& item, const Look& look) {
    std::string text;
    const bool is_new = text_at(item, "action") == "created";
    for (const json::value& field : array_at(item, "fields")) {
        std::string line = "      " + one_line(text_at(field, "pointer")) + "  ";
        if (!is_new) line += value_text(member(field, "from")) + " -> ";
        line += value_text(member(field, "to"));
        text += (look.width == 0 ? line : fit(line, look.width)) + "\n";
    }
    return text;
}

std::string requests_text(const json::value& item, const Look& look) {
    std::string text;
    for (const json::value& request : array_at(item, "requests")) {
        const std::string auth = text_at(request, "auth");
        text +=
            "      " +
            toned(one_line(text_at(request, "method") + " " + text_at(request, "url")), Tone::strong, look) +
            (auth.empty() ? "" : "  (credentials: " + one_line(auth) + ")") + "\n";
        if (const json::value* headers = member(request, "headers");
            headers != nullptr && headers->is_object()) {
            for (const auto& [name, value] : headers->get_object())
                text += "        " + one_line(std::string(name)) + ": " + value_text(&value) + "\n";
        }
        const std::string body = text_at(request, "body");
        if (!body.empty()) text += "        " + one_line(body) + "\n";
    }
    return text;
}

}  // namespace

std::string plans_text(const json::array& items, const Look& look) {
    Table table({{"RUN", Align::right},
                 {"AT"},
                 {"INTEGRATION", Align::left, true},
                 {"STATE"},
                 {"IN THE HUB", Align::left, true},
                 {"AT THE VENDOR", Align::left, true}});
    for (const json::value& plan : items) {
        const std::string state = text_at(plan, "state");
        table.add({text_at(plan, "run"),
                   format_local(instant_at(plan, "at")),
                   text_at(plan, "integration"),
                   {state, tone_of_state(state)},
                   tally_text(plan, "hub"),
                   tally_text(plan, "vendor")});
    }
    return table.empty() ? "There are no plans. Make one with: liaisonctl run ID --dry-run\n"
                         : table.text(look);
}

std::string plan_text(const json::value& plan, const Look& look) {
    const std::string state = text_at(plan, "state"), run = text_at(plan, "run");
    std::string text = details_text({{"Plan of run", run},
                                     {"Integration", text_at(plan, "integration")},
                                     {"Entity", text_at(plan, "entity")},
                                     {"Made", format_local(instant_at(plan, "at"))},
                                     {"State", {state, tone_of_state(state)}},
                                     {"In the hub", tally_text(plan, "hub")},
                                     {"At the vendor", tally_text(plan, "vendor")},
                                     {"Waits because", {text_at(plan, "reason"), Tone::warning}}},
                                    look);
    if (state == "waiting")
        text += "\nLet it be done: liaisonctl plans approve " + run +
                "\nDo not do it:   liaisonctl plans discard " + run + "\n";
    return text;
}

std::string plan_items_text(const json::array& items, bool with_requests, const Look& look) {
    std::string text, side;
    for (const json::value& item : items) {
        const std::string here = text_at(item, "side");
        if (here != side) text += heading(here == "hub" ? "In the hub" : "At the vendor", look);
        side = here;
        const std::string action = text_at(item, "action"), key = text_at(item, "external_id");
        const Tone tone = action == "created" ? Tone::good : action == "deleted" ? Tone::bad : Tone::busy;
        text += "  " + toned(action, tone, look) + " " + one_line(text_at(item, "entity")) +
                (key.empty() ? "" : " " + one_line(key)) + "  " +
                toned(one_line(text_at(item, "record")), Tone::faint, look) + "\n";
        text += fields_text(item, look);
        if (with_requests) text += requests_text(item, look);
    }
    return text;
}

}  // namespace liaisond::ctl
