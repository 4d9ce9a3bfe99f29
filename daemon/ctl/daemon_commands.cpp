// Commands that ask the daemon one thing and print its answer.
#include <boost/json/serialize.hpp>
#include <set>

#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/interrupt.hpp"
#include "ctl/json_view.hpp"
#include "ctl/list_views.hpp"
#include "ctl/run_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr Milliseconds watch_period{1000};
constexpr std::int64_t follow_at_once = 10'000;

// Says so when a list was cut, so that nobody takes a part for the whole.
int show_list(Session& session, const Result<json::value>& answer,
              const std::function<std::string(const json::array&)>& text) {
    const int code =
        session.show(answer, [&](const json::value& page) { return text(array_at(page, "items")); });
    if (answer && !session.json() && !text_at(*answer, "next").empty())
        session.console().note("There are more; --limit N shows them.");
    return code;
}

std::string number_or_nothing(std::int64_t number) {
    return number == 0 ? std::string() : std::to_string(number);
}

Parameters filters(const ListArguments& arguments) {
    return {{"integration", arguments.integration},
            {"entity", arguments.entity},
            {"tenant", arguments.tenant},
            {"key", arguments.key},
            {"record", arguments.record},
            {"direction", arguments.direction},
            {"since", arguments.since},
            {"until", arguments.until},
            {"run", number_or_nothing(arguments.run)},
            {"status", arguments.failed ? "failed" : ""}};
}

int watch_status(Session& session) {
    const Interrupt interrupt;
    const Console& console = session.console();
    while (!interrupt.raised()) {
        const auto answer = session.client().get(api_target({"status"}));
        if (session.json()) {
            if (!answer) return session.report(answer.error());
            session.print_json(*answer);
        } else {
            // The daemon may be away for a moment; who watches wants to see it come back.
            const std::string text =
                answer ? status_text(*answer, session.look(), Session::now())
                       : toned(many_lines(answer.error().message), Tone::bad, session.look()) + "\n";
            const std::string clear = console.interactive ? "\x1b[H\x1b[2J\x1b[3J" : "";
            const std::string end =
                console.interactive ? "\n" + toned("Ctrl-C ends this.", Tone::faint, session.look()) + "\n"
                                    : "\n";
            console.out << clear + text + end << std::flush;
        }
        interrupt.wait(watch_period);
    }
    return fine;
}

}  // namespace

int status(Session& session, bool watch) {
    if (watch) return watch_status(session);
    return session.show(session.client().get(api_target({"status"})), [&](const json::value& answer) {
        return status_text(answer, session.look(), Session::now());
    });
}

int list_integrations(Session& session) {
    return session.show(session.client().get(api_target({"integrations"})), [&](const json::value& answer) {
        return integrations_text(array_at(answer, "items"), session.look(), Session::now());
    });
}

int show_integration(Session& session, const std::string& id) {
    return session.show(
        session.client().get(api_target({"integrations", id})),
        [&](const json::value& answer) { return integration_text(answer, session.look(), Session::now()); });
}

int test_integration(Session& session, const std::string& id) {
    // As slow as the vendor is; the daemon has its own limits for that.
    const auto answer = session.client().post(api_target({"integrations", id, "test"}), Client::no_limit);
    const int code = session.show(
        answer, [&](const json::value& result) { return test_text(id, result, session.look()); });
    return answer && !flag_at(*answer, "ok") ? failed : code;
}

int change_integration(Session& session, const std::string& id, const std::string& what) {
    const bool reset = what == "reset-breaker";
    const auto target =
        reset ? api_target({"integrations", id, "breaker", "reset"}) : api_target({"integrations", id, what});
    return session.show(session.client().post(target), [&](const json::value&) {
        if (what == "suspend")
            return id + " is suspended; to go on: liaisonctl integrations resume " + id + "\n";
        if (what == "resume") return id + " is resumed.\n";
        return "The circuit breaker of " + id + " is closed; the vendor is tried again.\n";
    });
}

int show_schedule(Session& session, const std::string& id, std::int64_t next) {
    return session.show(
        session.client().get(api_target({"integrations", id, "schedule"}, {{"next", std::to_string(next)}})),
        [&](const json::value& answer) { return schedule_text(answer, session.look(), Session::now()); });
}

int list_runs(Session& session, const ListArguments& arguments) {
    return show_list(
        session, session.list({"runs"}, filters(arguments), arguments.limit),
        [&](const json::array& items) { return runs_text(items, session.look(), Session::now()); });
}

int show_run(Session& session, std::int64_t run) {
    return session.show(
        session.client().get(api_target({"runs", std::to_string(run)})),
        [&](const json::value& answer) { return run_text(answer, session.look(), Session::now()); });
}

int cancel_run(Session& session, std::int64_t run) {
    const std::string id = std::to_string(run);
    return session.show(session.client().post(api_target({"runs", id, "cancel"})), [&](const json::value&) {
        return "Run " + id + " is asked to stop; see how it ends with: liaisonctl runs show " + id + "\n";
    });
}

namespace {

// Whatever is new, oldest first, until Ctrl-C.
int follow_log(Session& session, const ListArguments& arguments) {
    const Interrupt interrupt;
    Parameters parameters = filters(arguments);
    parameters.emplace_back("since", format_instant(Session::now() - std::chrono::minutes(1)));
    std::set<std::string> seen;
    while (!interrupt.raised()) {
        const auto page = session.list({"logs"}, parameters, follow_at_once);
        if (!page) return session.report(page.error());
        json::array fresh;
        for (const json::value& one : array_at(*page, "items")) {
            if (seen.insert(text_at(one, "at") + json::serialize(one)).second) fresh.push_back(one);
        }
        // What is older than the newest by a minute does not come again.
        if (!fresh.empty()) {
            const std::string from =
                format_instant(instant_at(fresh.front(), "at").value_or(Instant()) - std::chrono::minutes(1));
            parameters.back().second = from;
            seen.erase(seen.begin(), seen.lower_bound(from));
            if (session.json())
                for (const json::value& one : fresh) session.print_json(one);
            else
                session.console().out << logs_text(fresh, session.look()) << std::flush;
        }
        interrupt.wait(watch_period);
    }
    return interrupted;
}

}  // namespace

int list_logs(Session& session, const ListArguments& arguments) {
    if (arguments.follow) return follow_log(session, arguments);
    if (!arguments.format.empty()) {
        Parameters parameters = filters(arguments);
        parameters.emplace_back("format", arguments.format);
        const auto text = session.client().text(api_target({"logs"}, parameters));
        if (!text) return session.report(text.error());
        session.console().out << *text << std::flush;
        return fine;
    }
    return show_list(session, session.list({"logs"}, filters(arguments), arguments.limit),
                     [&](const json::array& items) { return logs_text(items, session.look()); });
}

int list_records(Session& session, const ListArguments& arguments) {
    return show_list(
        session, session.list({"records", arguments.entity}, {{"tenant", arguments.tenant}}, arguments.limit),
        [&](const json::array& items) { return records_text(items, session.look()); });
}

int show_record(Session& session, const std::string& entity, const std::string& id) {
    const auto record = session.client().get(api_target({"records", entity, id}));
    if (!record) return session.report(record.error());
    const auto mappings = session.client().get(api_target({"mappings"}, {{"record", id}}));
    if (!mappings) return session.report(mappings.error());
    if (!session.json()) {
        session.console().out << record_text(*record, array_at(*mappings, "items"), session.look())
                              << std::flush;
        return fine;
    }
    json::value both = *record;
    if (both.is_object()) both.get_object()["mappings"] = array_at(*mappings, "items");
    session.print_json(both);
    return fine;
}

int list_mappings(Session& session, const ListArguments& arguments) {
    return show_list(session, session.list({"mappings"}, filters(arguments), arguments.limit),
                     [&](const json::array& items) { return mappings_text(items, session.look()); });
}

int list_dead_letters(Session& session, const ListArguments& arguments) {
    return show_list(session, session.list({"dead-letters"}, filters(arguments), arguments.limit),
                     [&](const json::array& items) {
                         const std::string hint =
                             items.empty() ? "" : "\nOne with its payload: liaisonctl dead-letters show ID\n";
                         return dead_letters_text(items, session.look()) + hint;
                     });
}

int show_dead_letter(Session& session, std::int64_t id) {
    // The list is in falling order of ids: the one wanted is the first below its successor.
    const auto page = session.client().get(
        api_target({"dead-letters"}, {{"before", std::to_string(id + 1)}, {"limit", "1"}}));
    if (!page) return session.report(page.error());
    const json::array& items = array_at(*page, "items");
    if (items.empty() || number_at(items.front(), "id") != id) {
        return session.report(
            {ErrorKind::permanent, "there is no dead letter " + std::to_string(id), {}, {}});
    }
    return session.show(items.front(),
                        [&](const json::value& letter) { return dead_letter_text(letter, session.look()); });
}

int list_intents(Session& session, const ListArguments& arguments) {
    return show_list(
        session, session.list({"intents"}, filters(arguments), arguments.limit),
        [&](const json::array& items) { return intents_text(items, session.look(), Session::now()); });
}

int release_plugin(Session& session, const std::string& plugin) {
    return session.show(
        session.client().post(api_target({"plugins", plugin, "release"})), [&](const json::value&) {
            return "Plugin " + plugin + " may be started again; see how it fares with: liaisonctl status\n";
        });
}

int reload(Session& session) {
    return session.show(session.client().post(api_target({"reload"})),
                        [](const json::value&) { return std::string("The configuration was reloaded.\n"); });
}

}  // namespace liaisond::ctl
