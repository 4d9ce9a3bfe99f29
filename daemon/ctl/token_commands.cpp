// Commands about API tokens, and the audit log of what was done with them.
#include <boost/json/serialize.hpp>

#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/prompt.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

int create_token(Session& session, const TokenArguments& arguments) {
    json::object wanted{{"name", arguments.name}, {"scope", arguments.scope}};
    if (!arguments.tenant.empty()) wanted["tenant"] = arguments.tenant;
    if (arguments.days != 0) wanted["days"] = arguments.days;
    return session.show(session.client().post(api_target({"tokens"}), wanted), [&](const json::value& made) {
        return "Token " + text_at(made, "id") + " of '" + one_line(text_at(made, "name")) + "' may " +
               text_at(made, "scope") + ", until " + format_local(instant_at(made, "expires_at")) +
               ".\nIt is shown this once; keep it where it is used:\n\n  " + text_at(made, "token") + "\n";
    });
}

int list_tokens(Session& session) {
    return session.show(session.client().get(api_target({"tokens"})), [&](const json::value& page) {
        Table table({{"ID"}, {"NAME", Align::left, true}, {"SCOPE"}, {"TENANT"}, {"EXPIRES"}, {"LAST USED"}});
        for (const json::value& one : array_at(page, "items")) {
            const bool used = !text_at(one, "last_used_at").empty();
            table.add({text_at(one, "id"), text_at(one, "name"), text_at(one, "scope"),
                       text_at(one, "tenant").empty() ? std::string("all") : text_at(one, "tenant"),
                       format_local(instant_at(one, "expires_at")),
                       used ? format_local(instant_at(one, "last_used_at")) : std::string("never")});
        }
        return table.empty() ? std::string(
                                   "There are no tokens; only the unix socket lets in. Make one with: "
                                   "liaisonctl token create NAME\n")
                             : table.text(session.look());
    });
}

int revoke_token(Session& session, const std::string& id) {
    return session.show(session.client().send("DELETE", api_target({"tokens", id})),
                        [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

// All of it, from the first entry on, so that the chain is checked from its beginning.
int show_audit(Session& session) {
    json::array items;
    json::value fault;
    for (std::string after = "0"; !after.empty();) {
        const auto page = session.client().get(api_target({"audit"}, {{"after", after}}));
        if (!page) return session.report(page.error());
        for (const json::value& one : array_at(*page, "items")) items.push_back(one);
        if (fault.is_null() && !text_at(*page, "fault").empty()) fault = text_at(*page, "fault");
        after = text_at(*page, "next");
    }
    const bool is_whole = fault.is_null();
    const Result<json::value> all(json::object{{"items", items}, {"fault", fault}});
    const int shown = session.show(all, [&](const json::value& log) {
        Table table({{"NO"},
                     {"TIME"},
                     {"WHO", Align::left, true},
                     {"WHAT", Align::left, true},
                     {"HOW", Align::left, true}});
        for (const json::value& one : array_at(log, "items")) {
            const json::value* detail = member(one, "detail");
            const bool plain = detail == nullptr || !detail->is_object() || detail->get_object().empty();
            table.add({std::to_string(number_at(one, "seq")), format_local(instant_at(one, "at")),
                       text_at(one, "actor"), text_at(one, "action") + " " + text_at(one, "target"),
                       plain ? std::string() : json::serialize(*detail)});
        }
        return (table.empty() ? std::string("Nothing has been done yet.\n") : table.text(session.look())) +
               (is_whole ? "" : "\n" + text_at(log, "fault") + ".\n");
    });
    return shown == 0 && !is_whole ? failed : shown;
}

// ---- people who sign in ----

int set_user(Session& session, const TokenArguments& arguments) {
    const Secret password = read_secret("Password of " + arguments.name + " (is not shown): ");
    json::object wanted{{"password", password.reveal()}, {"scope", arguments.scope}};
    if (!arguments.tenant.empty()) wanted["tenant"] = arguments.tenant;
    return session.show(session.client().send("PUT", api_target({"users", arguments.name}), wanted),
                        [&](const json::value& user) {
                            return one_line(text_at(user, "name")) + " may sign in, and " +
                                   text_at(user, "scope") + ".\n";
                        });
}

int list_users(Session& session) {
    return session.show(session.client().get(api_target({"users"})), [&](const json::value& page) {
        Table table({{"NAME", Align::left, true}, {"SCOPE"}, {"TENANT"}, {"AUTHENTICATOR"}, {"SINCE"}});
        for (const json::value& one : array_at(page, "items"))
            table.add({text_at(one, "name"), text_at(one, "scope"),
                       text_at(one, "tenant").empty() ? std::string("all") : text_at(one, "tenant"),
                       flag_at(one, "totp") ? "yes" : "no", format_local(instant_at(one, "created_at"))});
        return table.empty()
                   ? std::string("Nobody may sign in. Let somebody in with: liaisonctl user set NAME\n")
                   : table.text(session.look());
    });
}

int user_totp(Session& session, const TokenArguments& arguments) {
    const std::string target = api_target({"users", arguments.name, "totp"});
    if (arguments.forget) {
        return session.show(session.client().send("DELETE", target),
                            [](const json::value& told) { return text_at(told, "detail") + "\n"; });
    }
    return session.show(session.client().send("POST", target), [&](const json::value& made) {
        return one_line(arguments.name) +
               " signs in with a code of an authenticator, too, from now on.\n\n  Key:  " +
               text_at(made, "secret") + "\n  Link: " + text_at(made, "link") +
               "\n\nType the key into the app, or scan the link (qrencode -t ansiutf8 draws it); it is shown "
               "this once.\n"
               "Should the app be lost: liaisonctl user totp " +
               one_line(arguments.name) + " --forget\n";
    });
}

int remove_user(Session& session, const std::string& name) {
    return session.show(session.client().send("DELETE", api_target({"users", name})),
                        [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

}  // namespace liaisond::ctl
