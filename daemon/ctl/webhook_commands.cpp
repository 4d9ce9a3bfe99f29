// Commands about webhooks: where they come in, their secrets, and what came.
#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

std::string secret_line(const json::value& secret) {
    if (text_at(secret, "from") != "liaison") return "from the configuration";
    const std::string until = text_at(secret, "until");
    return "made " + format_local(instant_at(secret, "made_at")) +
           (until.empty() ? "" : ", accepted until " + format_local(instant_at(secret, "until")));
}

std::string webhook_text(const json::value& webhook) {
    std::string text =
        "URL         " + text_at(webhook, "url") + "\nprofile     " + text_at(webhook, "profile") + "\n";
    for (const json::value& secret : array_at(webhook, "secrets"))
        text += "secret      " + secret_line(secret) + "\n";
    for (const char* count : {"received", "duplicates", "refused", "waiting"})
        text += std::string(count) + std::string(12 - std::string_view(count).size(), ' ') +
                format_count(number_at(webhook, count), "event") + "\n";
    const std::string problem = text_at(webhook, "problem");
    return problem.empty() ? text : text + "\nNothing can come in: " + problem + "\n";
}

std::string made_text(const json::value& made) {
    const std::string until = text_at(made, "old_until");
    return "Tell the vendor; the secret is shown this once:\n\n  URL     " + text_at(made, "url") +
           "\n  secret  " + text_at(made, "secret") + "\n" +
           (until.empty()
                ? ""
                : "\nThe one before is accepted until " + format_local(instant_at(made, "old_until")) +
                      ".\nTo end that sooner: liaisonctl webhook secret ID --forget-old\n");
}

std::string inbox_text(const json::array& items, const Look& look) {
    Table table({{"NO", Align::right},
                 {"RECEIVED"},
                 {"INTEGRATION", Align::left, true, 4},
                 {"STATUS"},
                 {"TYPE", Align::left, true},
                 {"EVENT", Align::left, true},
                 {"ERROR", Align::left, true}});
    for (const json::value& one : items) {
        const std::string status = text_at(one, "status");
        table.add({std::to_string(number_at(one, "id")),
                   format_local(instant_at(one, "received_at")),
                   text_at(one, "integration"),
                   {status, status == "dead" ? Tone::bad : Tone::plain},
                   text_at(one, "type"),
                   text_at(one, "event_id"),
                   text_at(one, "error")});
    }
    return table.empty() ? "Nothing came by webhook.\n" : table.text(look);
}

}  // namespace

int show_webhook(Session& session, const std::string& integration) {
    return session.show(session.client().get(api_target({"integrations", integration, "webhook"})),
                        webhook_text);
}

int webhook_secret(Session& session, const WebhookArguments& arguments) {
    const std::vector<std::string> path{"integrations", arguments.integration, "webhook", "secret"};
    if (arguments.forget_old)
        return session.show(session.client().send("DELETE", api_target(path, {{"old", "true"}})),
                            [](const json::value& told) { return text_at(told, "detail") + "\n"; });
    return session.show(session.client().post(api_target(path)), made_text);
}

int list_inbox(Session& session, const InboxArguments& arguments) {
    const Parameters parameters{{"integration", arguments.integration},
                                {"status", arguments.status},
                                {"key", arguments.key},
                                {"body", arguments.with_bodies ? "true" : ""}};
    const auto page = session.list({"inbox"}, parameters, arguments.limit);
    const int code = session.show(
        page, [&](const json::value& all) { return inbox_text(array_at(all, "items"), session.look()); });
    if (page && !session.json() && !text_at(*page, "next").empty())
        session.console().note("There are more; --limit N shows them.");
    return code;
}

}  // namespace liaisond::ctl
