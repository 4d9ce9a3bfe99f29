#include "ctl/status_view.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/run_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

Tone tone_of_state(std::string_view state) {
    if (state == "running" || state == "busy" || state == "starting") return Tone::busy;
    if (state == "waiting" || state == "held") return Tone::warning;
    if (state == "failing" || state == "suspended" || state == "unusable" || state == "dead" ||
        state == "failed" || state == "quarantine")
        return Tone::bad;
    if (state == "disabled") return Tone::faint;
    return Tone::plain;
}

Cell state_cell(const json::value& integration) {
    const std::string state = text_at(integration, "state");
    return {state, tone_of_state(state)};
}

// "success, 2 min ago"; while one runs, for how long.
Cell last_run_cell(const json::value& integration, Instant now) {
    if (const json::value* current = member(integration, "current_run")) {
        const auto started = instant_at(*current, "started_at");
        return {started ? "running for " + format_span(std::max(Milliseconds(0), now - *started)) : "running",
                Tone::busy};
    }
    const json::value* last = member(integration, "last_run");
    if (last == nullptr) return {"never", Tone::faint};
    const std::string status = text_at(*last, "status");
    const auto ended = instant_at(*last, "ended_at");
    return {status + (ended ? ", " + format_age(*ended, now) : ""), tone_of_status(status)};
}

Cell next_run_cell(const json::value& integration, Instant now) {
    const auto next = instant_at(integration, "next_run");
    return next ? Cell(format_until(*next, now)) : Cell("-", Tone::faint);
}

// A number that should be nought.
Cell trouble_cell(const json::value& value, std::string_view key, Tone tone) {
    const std::int64_t number = number_at(value, key);
    return {format_number(number), number > 0 ? tone : Tone::plain};
}

std::string header(const json::value& status, const Look& look, Instant now) {
    std::string line = toned("liaisond " + one_line(text_at(status, "version")), Tone::strong, look);
    if (const auto started = instant_at(status, "started_at"))
        line += ", up for " + format_span(std::max(Milliseconds(0), now - *started));
    line += " (pid " + text_at(status, "pid") + ")";
    const std::int64_t running = number_at(status, "running");
    line += running > 0 ? ", " + format_count(running, "run") + " in progress" : ", no run in progress";
    const std::string state_dir = one_line(text_at(status, "state_dir"));
    return wrapped(line + (state_dir.empty() ? "" : ", state in " + state_dir), "  ", look.width) + "\n";
}

std::string workers_text(const json::array& workers, const Look& look) {
    Table table({{"WORKER"},
                 {"FOR", Align::left, true},
                 {"PID", Align::right},
                 {"JOBS", Align::right},
                 {"RESTARTS", Align::right},
                 {"STATE"}});
    for (const json::value& one : workers) {
        const std::string state = text_at(one, "state");
        table.add({text_at(one, "plugin"),
                   text_at(one, "key"),
                   number_at(one, "pid") > 0 ? text_at(one, "pid") : "-",
                   format_number(number_at(one, "jobs")),
                   trouble_cell(one, "restarts", Tone::warning),
                   {state, tone_of_state(state)}});
    }
    return table.empty() ? std::string() : "\n" + table.text(look);
}

// One line for each; the latest run's number is what cancels it.
std::string backfills_text(const json::value& integration, const std::string& id) {
    std::string text;
    for (const json::value& one : array_at(integration, "backfills")) {
        const std::string entity = text_at(one, "entity"), run = text_at(one, "run");
        const std::string error = text_at(one, "error");
        text += "  " + id + ": back-fill" + (entity.empty() ? "" : " of " + one_line(entity)) + " from " +
                text_at(one, "from") + " to " + text_at(one, "to") + " is " + text_at(one, "state") +
                (run.empty() ? "" : " (run " + run + ")") + (error.empty() ? "" : ": " + one_line(error)) +
                "\n";
    }
    return text;
}

// What an administrator should read besides the table.
std::string remarks_text(const json::value& status, const Look& look) {
    std::string doing, problems;
    const auto add = [&](std::string& to, const std::string& id, const std::string& text) {
        to += wrapped("  " + id + (id.empty() ? "" : ": ") + text, "    ", look.width) + "\n";
    };
    for (const json::value& one : array_at(status, "integrations")) {
        const std::string id = one_line(text_at(one, "id")), detail = one_line(text_at(one, "detail"));
        const std::string work = one_line(text_at(one, "working_on"));
        if (!detail.empty()) add(problems, id, detail);
        for (const json::value& problem : array_at(one, "problems")) {
            if (problem.is_string()) add(problems, id, one_line(problem.get_string()));
        }
        doing += backfills_text(one, id);
        if (!work.empty()) add(doing, id, work);
    }
    for (const json::value& one : array_at(status, "problems")) {
        if (one.is_string()) add(problems, "", one_line(one.get_string()));
    }
    std::string text;
    if (!doing.empty()) text += "\n" + toned("Working on", Tone::strong, look) + "\n" + doing;
    if (!problems.empty()) text += "\n" + toned("Needs attention", Tone::bad, look) + "\n" + problems;
    return text;
}

}  // namespace

std::string status_text(const json::value& status, const Look& look, Instant now) {
    Table table({{"INTEGRATION", Align::left, true, 0, 24},
                 {"TENANT", Align::left, true, 3, 12},
                 {"CONNECTOR", Align::left, true, 4, 12},
                 {"STATE"},
                 {"LAST RUN"},
                 {"NEXT RUN", Align::left, false, 1},
                 {"MAPPED", Align::right, false, 2},
                 {"DEAD LETTERS", Align::right},
                 {"IN DOUBT", Align::right}});
    for (const json::value& one : array_at(status, "integrations")) {
        table.add({text_at(one, "id"), text_at(one, "tenant"), text_at(one, "connector"), state_cell(one),
                   last_run_cell(one, now), next_run_cell(one, now),
                   format_number(number_at(one, "mappings")),
                   trouble_cell(one, "dead_letters", Tone::warning),
                   trouble_cell(one, "intents_in_doubt", Tone::bad)});
    }
    std::string text = header(status, look, now) + "\n";
    text += table.empty() ? "No integrations are configured; describe one in /etc/liaison/conf.d/ and run: "
                            "liaisonctl reload\n"
                          : table.text(look);
    return text + workers_text(array_at(status, "workers"), look) + remarks_text(status, look);
}

std::string integrations_text(const json::array& items, const Look& look, Instant now) {
    Table table({{"INTEGRATION", Align::left, true, 0, 24},
                 {"TENANT", Align::left, true, 2},
                 {"CONNECTOR", Align::left, true, 1},
                 {"STATE"},
                 {"LAST RUN"},
                 {"NEXT RUN"},
                 {"DETAIL", Align::left, true, 3, 24}});
    for (const json::value& one : items) {
        table.add({text_at(one, "id"), text_at(one, "tenant"), text_at(one, "connector"), state_cell(one),
                   last_run_cell(one, now), next_run_cell(one, now), text_at(one, "detail")});
    }
    return table.empty() ? "No integrations are configured.\n" : table.text(look);
}

std::string integration_text(const json::value& one, const Look& look, Instant now) {
    const auto next = instant_at(one, "next_run");
    const std::string state = text_at(one, "state");
    const auto counted = [&](std::string_view key) {
        return member(one, key) == nullptr ? std::string() : format_number(number_at(one, key));
    };
    std::string problems;
    for (const json::value& problem : array_at(one, "problems")) {
        if (problem.is_string())
            problems += (problems.empty() ? "" : "; ") + std::string(problem.get_string());
    }
    std::string text =
        details_text({{"Integration", text_at(one, "id")},
                      {"Tenant", text_at(one, "tenant")},
                      {"Connector", text_at(one, "connector")},
                      {"State", {state, tone_of_state(state)}},
                      {"Detail", text_at(one, "detail")},
                      {"Working on", text_at(one, "working_on")},
                      {"Failures in a row", counted("failures")},
                      {"Last success", format_local(instant_at(one, "last_success"))},
                      {"Circuit breaker", text_at(one, "breaker") == "closed" ? "" : text_at(one, "breaker")},
                      {"Problems", problems},
                      {"Next run", next ? Cell(format_local(*next) + " (" + format_until(*next, now) + ")")
                                        : Cell("none planned", Tone::faint)},
                      {"Records mapped", counted("mappings")},
                      {"Dead letters", counted("dead_letters")},
                      {"Open intents", counted("intents_open")},
                      {"In doubt", counted("intents_in_doubt")}},
                     look);
    if (const std::string backfills = backfills_text(one, one_line(text_at(one, "id"))); !backfills.empty())
        text += heading("Back-fills", look) + backfills;
    if (const json::value* run = member(one, "current_run"))
        text += "\n" + run_text(*run, look, now);
    else if (const json::value* last = member(one, "last_run"))
        text += "\n" + run_text(*last, look, now);
    return text;
}

std::string test_text(const std::string& id, const json::value& answer, const Look& look) {
    if (!flag_at(answer, "ok")) {
        const std::string error = text_at(answer, "error");
        return one_line(id) + ": " + toned("failed", Tone::bad, look) +
               (error.empty() ? "" : ": " + many_lines(error)) + "\n";
    }
    const json::value* output = member(answer, "output");
    return one_line(id) + ": " + toned("the connection works", Tone::good, look) + "\n" +
           (output == nullptr ? "" : many_lines(pretty(*output)) + "\n");
}

std::string heading(std::string_view text, const Look& look) {
    return "\n" + toned(text, Tone::strong, look) + "\n";
}

std::string schedule_text(const json::value& answer, const Look& look, Instant now) {
    const std::string note = one_line(text_at(answer, "note"));
    std::string text = details_text({{"Integration", text_at(answer, "integration")},
                                     {"Schedule", text_at(answer, "schedule")},
                                     {"Time zone", text_at(answer, "timezone")}},
                                    look);
    if (!note.empty()) text += "Nothing is started now: " + note + ".\n";
    Table table({{"LOCAL TIME"}, {"OFFSET"}, {"RUN"}, {"IN"}, {"WHY THEN", Align::left, true}});
    for (const json::value& one : array_at(answer, "items")) {
        std::string local = text_at(one, "local"), offset;
        if (local.size() > 19)
            offset = local.substr(19), local = local.substr(0, 10) + " " + local.substr(11, 8);
        const auto at = instant_at(one, "at");
        table.add(
            {local, offset, text_at(one, "kind"), at ? format_until(*at, now) : "", text_at(one, "why")});
    }
    return table.empty() ? text : text + "\n" + table.text(look);
}

std::string details_text(const std::vector<std::pair<std::string, Cell>>& details, const Look& look) {
    std::size_t width = 0;
    for (const auto& [name, value] : details)
        width = value.text.empty() ? width : std::max(width, display_width(name));
    std::string text;
    for (const auto& [name, value] : details) {
        if (value.text.empty()) continue;
        text += toned(name + ":", Tone::faint, look) + std::string(width - display_width(name) + 2, ' ') +
                toned(one_line(value.text), value.tone, look) + "\n";
    }
    return text;
}

}  // namespace liaisond::ctl
