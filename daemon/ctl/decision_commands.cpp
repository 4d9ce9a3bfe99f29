// Commands by which a person decides what the daemon may not: conflicts, sends in doubt, dead letters.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "ctl/commands.hpp"
#include "ctl/decision_views.hpp"
#include "ctl/json_view.hpp"
#include "ctl/prompt.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

int misuse(Session& session, const std::string& what) {
    session.console().complain(what);
    return misused;
}

// What the daemon made of the decision, in its own words.
int tell(Session& session, const Result<json::value>& answer) {
    return session.show(answer, [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

std::string number(std::int64_t id) { return std::to_string(id); }

}  // namespace

int list_conflicts(Session& session, const ListArguments& arguments) {
    return session.show(
        session.list({"conflicts"}, {{"integration", arguments.integration}}, arguments.limit),
        [&](const json::value& page) {
            const json::array& items = array_at(page, "items");
            return conflicts_text(items, session.look()) +
                   (items.empty() ? "" : "\nOne with both values: liaisonctl conflicts show ID\n");
        });
}

int show_conflict(Session& session, std::int64_t id) {
    return session.show(session.client().get(api_target({"conflicts", number(id)})),
                        [&](const json::value& conflict) { return conflict_text(conflict, session.look()); });
}

int resolve_conflict(Session& session, const DecisionArguments& arguments) {
    json::object body;
    if (!arguments.take.empty()) body["take"] = arguments.take;
    if (!arguments.record.empty()) body["record"] = arguments.record;
    if (arguments.is_new) body["record"] = "new";
    json::object fields;
    for (const std::string& field : arguments.fields) {
        const std::size_t at = field.rfind('=');
        if (at == std::string::npos || at == 0)
            return misuse(session,
                          "'" + field + "' is no choice; write --field /name=hub or --field /name=remote");
        fields[field.substr(0, at)] = field.substr(at + 1);
    }
    if (!fields.empty()) body["fields"] = std::move(fields);
    if (body.empty())
        return misuse(
            session,
            "say what to take: --take hub, --take remote, --field /name=remote, --record UUID or --new");
    return tell(session,
                session.client().post(api_target({"conflicts", number(arguments.id), "resolve"}), body));
}

int resolve_intent(Session& session, const DecisionArguments& arguments) {
    const int chosen =
        (arguments.exists.empty() ? 0 : 1) + (arguments.resend ? 1 : 0) + (arguments.cancel ? 1 : 0);
    if (chosen != 1)
        return misuse(session,
                      "decide one thing: --exists ID (it is there under that id), --resend or --cancel");
    json::object body{{"action", arguments.resend ? "resend" : arguments.cancel ? "cancel" : "exists"}};
    if (!arguments.exists.empty()) body["external_id"] = arguments.exists;
    return tell(session,
                session.client().post(api_target({"intents", number(arguments.id), "resolve"}), body));
}

int replay_dead_letters(Session& session, const DecisionArguments& arguments) {
    if ((arguments.id == 0) == arguments.integration.empty())
        return misuse(session, "name one dead letter, or all of an integration with --integration ID");
    const std::vector<std::string> path =
        arguments.id != 0 ? std::vector<std::string>{"dead-letters", number(arguments.id), "replay"}
                          : std::vector<std::string>{"dead-letters", "replay"};
    return tell(session, session.client().post(api_target(
                             path, {{"integration", arguments.integration}, {"reason", arguments.reason}})));
}

int edit_dead_letter(Session& session, const DecisionArguments& arguments) {
    const auto text = read_input(arguments.file);
    if (!text) return misuse(session, text.error().message);
    boost::system::error_code error;
    json::value payload = json::parse(*text, error);
    if (error || !payload.is_object())
        return misuse(session, arguments.file + " holds no JSON object: " + error.message());
    return tell(session, session.client().send("PATCH", api_target({"dead-letters", number(arguments.id)}),
                                               json::object{{"payload", std::move(payload)}}));
}

}  // namespace liaisond::ctl
