#include "ctl/list_views.hpp"

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr const char* doubt_hint =
    "\nIn doubt: sent, and no answer. Look at the vendor for the record, then\n"
    "  it is there:     liaisonctl intents resolve ID --exists EXTERNAL-ID\n"
    "  it is not there: liaisonctl intents resolve ID --resend (or --cancel)\n"
    "The record itself: liaisonctl intents --json\n";

Cell intent_state(const std::string& state) {
    if (state == "in_doubt") return {"in doubt", Tone::bad};
    return {state, state == "unknown" ? Tone::warning : Tone::plain};
}

std::string joined(const json::array& words) {
    std::string text;
    for (const json::value& word : words) {
        if (word.is_string()) text += (text.empty() ? "" : ", ") + std::string(word.get_string());
    }
    return text;
}

}  // namespace

std::string logs_text(const json::array& newest_first, const Look& look) {
    Table table({{"TIME"},
                 {"RUN", Align::right, false, 1},
                 {"INTEGRATION", Align::left, true, 4},
                 {"ENTITY", Align::left, true},
                 {"ACTION"},
                 {"STATUS"},
                 {"EXTERNAL ID", Align::left, true},
                 {"MESSAGE", Align::left, true}});
    for (auto at = newest_first.end(); at != newest_first.begin();) {
        const json::value& one = *--at;
        const std::string status = text_at(one, "status");
        const std::string id = text_at(one, "external_id");
        const std::string direction = text_at(one, "direction");
        table.add({format_local(instant_at(one, "at")),
                   text_at(one, "run"),
                   text_at(one, "integration"),
                   text_at(one, "entity"),
                   direction + (direction.empty() ? "" : " ") + text_at(one, "action"),
                   {status, status == "failed" ? Tone::bad : Tone::plain},
                   id.empty() ? text_at(one, "record") : id,
                   text_at(one, "message")});
    }
    return table.empty() ? "Nothing is logged there.\n" : table.text(look);
}

std::string records_text(const json::array& items, const Look& look) {
    constexpr std::size_t longest_summary = 160;
    Table table({{"ID"},
                 {"TENANT", Align::left, true, 2},
                 {"VERSION", Align::right, false, 3},
                 {"UPDATED", Align::left, false, 1},
                 {"RECORD", Align::left, true}});
    for (const json::value& one : items) {
        const json::value* payload = member(one, "payload");
        const bool deleted = flag_at(one, "deleted");
        const std::string words =
            (deleted ? "(deleted) " : "") + (payload == nullptr ? std::string() : summary(*payload));
        table.add({text_at(one, "id"),
                   text_at(one, "tenant"),
                   text_at(one, "version"),
                   format_local(instant_at(one, "updated_at")),
                   {fit(words, longest_summary), deleted ? Tone::faint : Tone::plain}});
    }
    return table.empty() ? "The hub holds no such records.\n" : table.text(look);
}

std::string record_text(const json::value& record, const json::array& mappings, const Look& look) {
    std::string text = details_text({{"Record", text_at(record, "id")},
                                     {"Entity", text_at(record, "entity")},
                                     {"Tenant", text_at(record, "tenant")},
                                     {"Version", text_at(record, "version")},
                                     {"Created", format_local(instant_at(record, "created_at"))},
                                     {"Updated", format_local(instant_at(record, "updated_at"))},
                                     {"Deleted", flag_at(record, "deleted") ? "yes" : ""}},
                                    look);
    if (const json::value* payload = member(record, "payload"))
        text += heading("Payload", look) + many_lines(pretty(*payload)) + "\n";
    text += heading("Mappings", look);
    return text +
           (mappings.empty() ? "No integration knows this record yet.\n" : mappings_text(mappings, look));
}

std::string mappings_text(const json::array& items, const Look& look) {
    Table table({{"INTEGRATION", Align::left, true},
                 {"ENTITY", Align::left, true},
                 {"RECORD"},
                 {"EXTERNAL ID", Align::left, true},
                 {"REMOTE VERSION", Align::left, true, 2},
                 {"SYNCED", Align::left, false, 1}});
    for (const json::value& one : items) {
        table.add({text_at(one, "integration"), text_at(one, "entity"), text_at(one, "record"),
                   text_at(one, "external_id"), text_at(one, "remote_version"),
                   format_local(instant_at(one, "synced_at"))});
    }
    return table.empty() ? "There are no such mappings.\n" : table.text(look);
}

std::string dead_letters_text(const json::array& items, const Look& look) {
    Table table({{"ID", Align::right},
                 {"LAST TRIED", Align::left, false, 3},
                 {"INTEGRATION", Align::left, true, 1, 16},
                 {"ENTITY", Align::left, true, 2, 12},
                 {"DIRECTION", Align::left, false, 5},
                 {"KEY", Align::left, true, 0, 12},
                 {"TRIES", Align::right, false, 4},
                 {"REASON", Align::left, true, 0, 20},
                 {"MESSAGE", Align::left, true, 0, 28}});
    for (const json::value& one : items) {
        table.add({text_at(one, "id"),
                   format_local(instant_at(one, "last_at")),
                   text_at(one, "integration"),
                   text_at(one, "entity"),
                   text_at(one, "direction"),
                   text_at(one, "key"),
                   text_at(one, "attempts"),
                   {text_at(one, "reason"), Tone::warning},
                   text_at(one, "message")});
    }
    if (table.empty()) return "There are no dead letters.\n";
    return table.text(look);
}

std::string dead_letter_text(const json::value& letter, const Look& look) {
    std::string text = details_text({{"Dead letter", text_at(letter, "id")},
                                     {"Integration", text_at(letter, "integration")},
                                     {"Entity", text_at(letter, "entity")},
                                     {"Direction", text_at(letter, "direction")},
                                     {"Key", text_at(letter, "key")},
                                     {"Run", text_at(letter, "run")},
                                     {"Reason", {text_at(letter, "reason"), Tone::warning}},
                                     {"Message", text_at(letter, "message")},
                                     {"Tries", text_at(letter, "attempts")},
                                     {"First tried", format_local(instant_at(letter, "first_at"))},
                                     {"Last tried", format_local(instant_at(letter, "last_at"))}},
                                    look);
    if (const json::value* payload = member(letter, "payload"))
        text += heading("Payload", look) + many_lines(pretty(*payload)) + "\n";
    return text;
}

std::string intents_text(const json::array& items, const Look& look, Instant now) {
    Table table({{"ID", Align::right},
                 {"INTEGRATION", Align::left, true, 1, 16},
                 {"ENTITY", Align::left, true, 0, 12},
                 {"RECORD", Align::left, false, 6},
                 {"EXTERNAL ID", Align::left, true, 4, 12},
                 {"REFERENCE", Align::left, false, 5},
                 {"STATE"},
                 {"TRIES", Align::right, false, 2},
                 {"NEXT", Align::left, false, 3},
                 {"LAST ERROR", Align::left, true, 0, 28}});
    bool is_any_in_doubt = false;
    for (const json::value& one : items) {
        const auto next = instant_at(one, "next_at");
        is_any_in_doubt |= text_at(one, "state") == "in_doubt";
        table.add({text_at(one, "id"), text_at(one, "integration"), text_at(one, "entity"),
                   text_at(one, "record"), text_at(one, "external_id"), text_at(one, "reference"),
                   intent_state(text_at(one, "state")), text_at(one, "attempt"),
                   next ? Cell(format_until(*next, now)) : Cell("-", Tone::faint),
                   text_at(one, "last_error")});
    }
    if (table.empty()) return "There are no open intents: everything sent is settled.\n";
    return table.text(look) + (is_any_in_doubt ? doubt_hint : "");
}

std::string plugins_text(const json::value& answer, const Look& look) {
    Table table({{"PLUGIN", Align::left, true},
                 {"VERSION"},
                 {"VENDOR", Align::left, true, 2},
                 {"ABI", Align::left, false, 1},
                 {"CONNECTOR", Align::left, true},
                 {"TITLE", Align::left, true, 3},
                 {"JOBS", Align::left, true}});
    std::string remarks;
    for (const json::value& one : array_at(answer, "items")) {
        std::string name = text_at(one, "id");
        for (const json::value& connector : array_at(one, "connectors")) {
            const bool first = !name.empty();  // the plugin's own columns stand once
            const auto once = [&](std::string_view key) { return first ? text_at(one, key) : std::string(); };
            table.add({name, once("version"), once("vendor"), once("abi"), text_at(connector, "name"),
                       text_at(connector, "title"), joined(array_at(connector, "jobs"))});
            name.clear();
        }
        for (const json::value& warning : array_at(one, "warnings")) {
            if (warning.is_string())
                remarks += toned("Warning: ", Tone::warning, look) + one_line(warning.get_string()) + "\n";
        }
    }
    for (const json::value& one : array_at(answer, "broken")) {
        const std::string path = one_line(text_at(one, "path")), error = one_line(text_at(one, "error"));
        remarks +=
            toned("Cannot be used: ", Tone::bad, look) + path + (error.empty() ? "" : ": " + error) + "\n";
    }
    const std::string text = table.empty() ? "No plugins are installed.\n" : table.text(look);
    return remarks.empty() ? text : text + "\n" + remarks;
}

}  // namespace liaisond::ctl
