#include "ctl/run_view.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr std::array<const char*, 6> progress_counters = {"fetched",   "created",  "updated",
                                                          "unchanged", "exported", "rejected"};

Milliseconds length_of(const json::value& run, Instant now) {
    const auto started = instant_at(run, "started_at");
    const bool ended = run_has_ended(run);
    if (!ended && started) return std::max(Milliseconds(0), now - *started);
    return Milliseconds(number_at(run, "duration_ms"));
}

json::value totals_of(const json::value& run) {
    const json::value* totals = member(run, "totals");
    return totals == nullptr ? json::object() : *totals;
}

std::string entities_text(const json::value& run, const Look& look) {
    Table table({{"ENTITY", Align::left, true},
                 {"DIRECTION"},
                 {"FETCHED", Align::right},
                 {"CREATED", Align::right},
                 {"UPDATED", Align::right},
                 {"DELETED", Align::right, false, 1},
                 {"UNCHANGED", Align::right, false, 2},
                 {"EXPORTED", Align::right},
                 {"REJECTED", Align::right},
                 {"TIME", Align::right, false, 3}});
    const auto add = [&](const json::value& one, std::string name, std::string direction, Milliseconds time) {
        std::vector<Cell> row{std::move(name), std::move(direction)};
        for (const char* key :
             {"fetched", "created", "updated", "deleted", "unchanged", "exported", "rejected"}) {
            const std::int64_t number = number_at(one, key);
            const bool trouble = std::string_view(key) == "rejected" && number > 0;
            row.emplace_back(format_number(number), trouble       ? Tone::warning
                                                    : number == 0 ? Tone::faint
                                                                  : Tone::plain);
        }
        row.emplace_back(format_span(time));
        table.add(std::move(row));
    };
    const json::array& entities = array_at(run, "entities");
    for (const json::value& one : entities) {
        add(one, text_at(one, "entity"), text_at(one, "direction"),
            Milliseconds(number_at(one, "duration_ms")));
    }
    if (entities.size() > 1) {
        std::int64_t time = 0;
        for (const json::value& one : entities) time += number_at(one, "duration_ms");
        add(totals_of(run), "all", "", Milliseconds(time));
    }
    return table.empty() ? std::string() : table.text(look);
}

std::string counters_text(const json::value& run, Instant now, bool zeros = true) {
    const json::value totals = totals_of(run);
    std::string text;
    for (const char* key : progress_counters) {
        const std::int64_t number = number_at(totals, key);
        if (zeros || number != 0) text += std::string(key) + " " + format_number(number) + "  ";
    }
    const std::int64_t ms = length_of(run, now).count();
    const std::int64_t moved = number_at(totals, "fetched") + number_at(totals, "exported");
    if (ms >= 1000) text += format_number(moved * 1000 / ms) + "/s  ";
    return text + format_span(Milliseconds(ms));
}

std::string error_text(const json::value& run, const Look& look) {
    const std::string error = text_at(run, "error");
    return error.empty() ? std::string() : toned("Error: ", Tone::bad, look) + many_lines(error) + "\n";
}

std::string rejections_text(const json::value& run) {
    const std::int64_t rejected = number_at(totals_of(run), "rejected");
    if (rejected == 0) return {};
    return format_count(rejected, "record was", "records were") + " rejected; see " +
           (rejected == 1 ? "it" : "them") + " with: liaisonctl dead-letters --integration " +
           one_line(text_at(run, "integration")) + "\n";
}

std::string plan_hint(const json::value& run) {
    if (text_at(run, "status") != "planned") return {};
    return "Every change it would make: liaisonctl plans show " + text_at(run, "id") + "\n";
}

std::string verdict(const json::value& run) {
    const std::string status = text_at(run, "status");
    if (status == "success") return "succeeded";
    if (status == "partial")
        return run_went_well(run) ? "succeeded, but not for every record" : "succeeded in part";
    if (status == "cancelled") return "was cancelled";
    if (status == "planned") return "ended as a plan, with nothing changed,";
    if (status == "suspended") return "waits for approval";
    if (status == "interrupted")
        return "was interrupted; " + std::string(text_at(run, "trigger") == "backfill"
                                                     ? "the back-fill goes on by itself in another run"
                                                     : "the next run continues its work");
    return status;
}

}  // namespace

Tone tone_of_status(std::string_view status) {
    if (status == "running") return Tone::busy;
    if (status == "success" || status == "planned") return Tone::good;
    if (status == "failed") return Tone::bad;
    return Tone::warning;
}

bool run_has_ended(const json::value& run) { return text_at(run, "status") != "running"; }

bool run_went_well(const json::value& run) {
    const std::string status = text_at(run, "status");
    return status == "success" || status == "planned" ||
           (status == "partial" && text_at(run, "error").empty());
}

std::string runs_text(const json::array& items, const Look& look, Instant now) {
    Table table({{"RUN", Align::right},
                 {"STARTED"},
                 {"INTEGRATION", Align::left, true},
                 {"TRIGGER", Align::left, false, 4},
                 {"STATUS"},
                 {"TIME", Align::right, false, 2},
                 {"FETCHED", Align::right},
                 {"CHANGED", Align::right, false, 1},
                 {"EXPORTED", Align::right},
                 {"REJECTED", Align::right},
                 {"ERROR", Align::left, true, 3}});
    for (const json::value& run : items) {
        const std::string status = text_at(run, "status");
        const json::value totals = totals_of(run);
        const std::int64_t changed =
            number_at(totals, "created") + number_at(totals, "updated") + number_at(totals, "deleted");
        const std::int64_t rejected = number_at(totals, "rejected");
        table.add({text_at(run, "id"),
                   format_local(instant_at(run, "started_at")),
                   text_at(run, "integration"),
                   text_at(run, "trigger"),
                   {status, tone_of_status(status)},
                   format_span(length_of(run, now)),
                   format_number(number_at(totals, "fetched")),
                   format_number(changed),
                   format_number(number_at(totals, "exported")),
                   {format_number(rejected), rejected > 0 ? Tone::warning : Tone::plain},
                   text_at(run, "error")});
    }
    return table.empty() ? "There are no runs yet.\n" : table.text(look);
}

std::string run_text(const json::value& run, const Look& look, Instant now) {
    const std::string status = text_at(run, "status");
    const auto started = instant_at(run, "started_at");
    std::string text = details_text(
        {{"Run", text_at(run, "id")},
         {"Integration", text_at(run, "integration")},
         {"Trigger", text_at(run, "trigger")},
         {"Status", {status, tone_of_status(status)}},
         {"Started", started ? format_local(*started) + " (" + format_age(*started, now) + ")" : ""},
         {"Took", format_span(length_of(run, now))},
         {"Working on", text_at(run, "working_on")},
         {"Requests", format_number(number_at(run, "requests"))},
         {"Transferred", format_bytes(number_at(run, "bytes"))}},
        look);
    const std::string entities = entities_text(run, look);
    if (!entities.empty()) text += "\n" + entities;
    const std::string rest = error_text(run, look) + rejections_text(run) + plan_hint(run);
    return rest.empty() ? text : text + "\n" + rest;
}

std::string run_summary(const json::value& run, const Look& look, Instant now) {
    const std::string status = text_at(run, "status");
    const std::string entities = entities_text(run, look);
    std::string text = "Run " + text_at(run, "id") + " of " + one_line(text_at(run, "integration")) + " " +
                       toned(one_line(verdict(run)), tone_of_status(status), look) + " after " +
                       format_span(length_of(run, now)) + " (" +
                       format_count(number_at(run, "requests"), "request") + ", " +
                       format_bytes(number_at(run, "bytes")) + ").\n";
    if (!entities.empty()) text += "\n" + entities;
    const std::string rest = error_text(run, look) + rejections_text(run) + plan_hint(run);
    return rest.empty() ? text : text + "\n" + rest;
}

std::string progress_text(const json::value& run, const Look& look, Instant now, std::size_t frame) {
    static constexpr std::array<const char*, 10> spinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    constexpr std::size_t beside = 5;  // spinner, blank, and what the terminal echoes for Ctrl-C
    constexpr std::size_t least_work = 12;
    const std::string said = one_line(text_at(run, "working_on"));
    const std::string work = said.empty() ? "working" : said;
    std::string counters = counters_text(run, now);
    const std::size_t room = look.width == 0 ? display_width(work + "  " + counters) : look.width - beside;
    // The counters matter most: counters at nought give way first, then what it is working on.
    if (display_width(work + "  " + counters) > room) counters = counters_text(run, now, false);
    const std::size_t used = display_width(counters) + 2;
    const std::string shown =
        fit(fit(work, std::max(least_work, room > used ? room - used : 0)) + "  " + counters, room);
    return toned(spinner[frame % spinner.size()], Tone::busy, look) + " " + shown;
}

std::string progress_line(const json::value& run, Instant now) {
    const std::string work = one_line(text_at(run, "working_on"));
    return "run " + text_at(run, "id") + ": " + (work.empty() ? "working" : work) + "  " +
           counters_text(run, now);
}

}  // namespace liaisond::ctl
