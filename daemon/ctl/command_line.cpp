#include "ctl/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/help.hpp"

namespace liaisond::ctl {
namespace {

constexpr std::int64_t most_rows = 100'000;
constexpr std::int64_t greatest_id = 999'999'999'999'999;  // beyond any run, below any overflow

CLI::Validator whole_number(std::int64_t most) {
    const auto check = [most](std::string& word) {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (error == std::errc() && end == word.data() + word.size() && value >= 1 && value <= most)
            return std::string();
        return "'" + word + "' is not a whole number from 1" +
               (most == greatest_id ? "" : " to " + std::to_string(most));
    };
    return {check, "", ""};
}

class CommandLine {
  public:
    explicit CommandLine(const std::string& version) : app_("", "liaisonctl"), version_(version) {
        app_.require_subcommand(0, 1);
        app_.fallthrough();  // --json and the like are understood after the command too
        app_.set_help_flag("-h,--help", "What it takes");
        app_.set_version_flag("--version", "liaisonctl " + version);
        app_.add_option("--socket", globals_.socket, "The daemon's socket")->type_name("PATH");
        app_.add_option("--config", globals_.config, "The configuration")->type_name("FILE");
        app_.add_flag("--json", globals_.json, "Print JSON for programs");
        declare_now();
        declare_data();
        declare_setup();
    }

    int run(std::vector<std::string> words, const Console& console) {
        std::reverse(words.begin(), words.end());  // as CLI11 wants them
        try {
            app_.parse(std::move(words));
        } catch (const CLI::CallForHelp&) {
            console.out << help(console.look) << std::flush;
            return fine;
        } catch (const CLI::CallForVersion&) {
            console.out << "liaisonctl " << version_ << std::endl;
            return fine;
        } catch (const CLI::ParseError& error) { return misuse(error.what(), console); }
        const auto action = actions_.find(chosen());
        if (action == actions_.end()) return misuse("", console);
        if (chosen() == &app_ || chosen()->get_name() == "help") {
            console.out << help_text(version_, console.look) << std::flush;
            return fine;
        }
        Session session(globals_, version_, console);
        return action->second(session);
    }

    std::vector<KnownCommand> known() {
        std::vector<KnownCommand> all;
        collect(app_, "", all);
        return all;
    }

  private:
    static KnownOption known_option(const CLI::Option& option) {
        KnownOption known;
        for (const std::string& name : option.get_snames()) known.names.push_back("-" + name);
        for (const std::string& name : option.get_lnames()) known.names.push_back("--" + name);
        if (option.get_items_expected_max() > 0) known.value = option.get_type_name();
        known.purpose = option.get_description();
        return known;
    }

    static void collect(CLI::App& app, const std::string& path, std::vector<KnownCommand>& into) {
        KnownCommand command{path, {}, {}};
        for (const CLI::Option* option : app.get_options()) {
            if (option->get_positional())
                command.arguments.push_back({option->get_name(true), option->get_description(),
                                             option->get_items_expected_max() > 1});
            else if (option != app.get_help_ptr() || path.empty())
                command.options.push_back(known_option(*option));
        }
        into.push_back(std::move(command));
        for (CLI::App* one : app.get_subcommands({}))
            collect(*one, path + (path.empty() ? "" : " ") + one->get_name(), into);
    }

    using Action = std::function<int(Session&)>;

    CLI::App* command(CLI::App& parent, const std::string& name, Action action) {
        const std::string path = (&parent == &app_ ? "" : parent.get_name() + " ") + name;
        const Guide* words = guide(path);
        CLI::App* made = parent.add_subcommand(name, words == nullptr ? "" : std::string(words->purpose));
        if (words != nullptr)
            made->footer("Example: " + std::string(words->example) +
                         "\nOptions for every command: liaisonctl --help");
        if (action) actions_[made] = std::move(action);
        return made;
    }

    void filter(CLI::App* app, const std::string& name, std::string& into, const std::string& type,
                const std::string& purpose) {
        app->add_option(name, into, purpose)->type_name(type);
    }
    void integration(CLI::App* app) {
        filter(app, "--integration", list_.integration, "ID", "Only of this integration");
    }
    void limit(CLI::App* app) {
        app->add_option("--limit", list_.limit, "At most so many (default 50)")
            ->type_name("N")
            ->check(whole_number(most_rows));
    }
    void number(CLI::App* app, const std::string& purpose) {
        app->add_option("N", number_, purpose)->required()->type_name("")->check(whole_number(greatest_id));
    }
    void id(CLI::App* app) {
        app->add_option("ID", run_.integration, "The integration")->required()->type_name("");
    }
    void plugin_dirs(CLI::App* app) {
        app->add_option("--plugin-dir", local_.plugin_dirs, "Look for plugins here instead; may be repeated")
            ->type_name("DIR")
            ->allow_extra_args(false);
    }

    void declare_now() {
        command(app_, "status", [this](Session& s) {
            return status(s, watch_);
        })->add_flag("--watch", watch_, "Draw it anew every second until Ctrl-C");
        CLI::App* integrations = command(app_, "integrations", [](Session& s) {
                                     return list_integrations(s);
                                 })->require_subcommand(0, 1);
        id(command(*integrations, "show",
                   [this](Session& s) { return show_integration(s, run_.integration); }));
        id(command(*integrations, "test",
                   [this](Session& s) { return test_integration(s, run_.integration); }));
        for (const char* what : {"suspend", "resume", "reset-breaker"}) {
            id(command(*integrations, what,
                       [this, what](Session& s) { return change_integration(s, run_.integration, what); }));
        }
        CLI::App* schedule = command(
            app_, "schedule", [this](Session& s) { return show_schedule(s, run_.integration, next_); });
        id(schedule);
        schedule->add_option("--next", next_, "So many (default 10)")
            ->type_name("N")
            ->check(whole_number(1000));

        CLI::App* one = command(app_, "run", [this](Session& s) { return ctl::run(s, run_); });
        id(one);
        one->add_flag("--full", run_.full, "Read everything, not only what changed");
        filter(one, "--entity", run_.entity, "E", "Only this entity");
        filter(one, "--from", run_.from, "DATE",
               "Back-fill: import a range of dates beside the usual runs, from this day of the tenant's on");
        filter(one, "--to", run_.to, "DATE", "Back-fill: the first day that is no longer part of the range");
        filter(one, "--record", run_.record, "FILE",
               "Stay until it ends, and write what went to and fro into FILE, without secrets; play it again "
               "with: liaisonctl plugin script FILE");
        one->add_flag("--confirm-deletes", run_.confirm_deletes,
                      "You looked: let more deletes through than guard.mass_delete does");
        one->add_flag("--dry-run", run_.dry_run, "Change nothing; write down what would be, as a plan");
        one->add_flag("--wait", run_.wait, "Stay until it ends; exit status 1 when it fails");

        CLI::App* runs = command(app_, "runs", [this](Session& s) {
                             return list_runs(s, list_);
                         })->require_subcommand(0, 1);
        integration(runs);
        limit(runs);
        number(command(*runs, "show", [this](Session& s) { return show_run(s, number_); }), "The run");
        number(command(*runs, "cancel", [this](Session& s) { return cancel_run(s, number_); }), "The run");

        CLI::App* plans = command(app_, "plans", [this](Session& s) {
                              return list_plans(s, list_);
                          })->require_subcommand(0, 1);
        integration(plans);
        limit(plans);
        CLI::App* plan = command(*plans, "show", [this](Session& s) {
            return show_plan(s, number_, list_.limit, with_requests_);
        });
        number(plan, "The run that made it");
        plan->add_flag("--requests", with_requests_, "Also the requests that would be sent");
        limit(plan);
        for (const char* what : {"approve", "discard"}) {
            number(command(*plans, what, [this, what](Session& s) { return decide_plan(s, number_, what); }),
                   "The run that made it");
        }

        CLI::App* logs = command(app_, "logs", [this](Session& s) { return list_logs(s, list_); });
        integration(logs);
        logs->add_option("--run", list_.run, "Only of this run")
            ->type_name("N")
            ->check(whole_number(greatest_id));
        filter(logs, "--entity", list_.entity, "E", "Only of this entity");
        filter(logs, "--record", list_.record, "ID", "Only of this record of the hub");
        filter(logs, "--direction", list_.direction, "WAY", "Only import or only export");
        filter(logs, "--since", list_.since, "INSTANT", "From here on, such as 2026-11-21T08:00:00Z");
        filter(logs, "--until", list_.until, "INSTANT", "Before this");
        logs->add_flag("--failed", list_.failed, "Only failures");
        logs->add_flag("-f,--follow", list_.follow, "Go on with what is new until Ctrl-C");
        filter(logs, "--export", list_.format, "FORMAT", "All of it, as csv or ndjson");
        limit(logs);
    }

    void declare_data() {
        CLI::App* records = command(app_, "records", [this](Session& s) {
            return list_.record.empty() ? list_records(s, list_) : show_record(s, list_.entity, list_.record);
        });
        records->add_option("ENTITY", list_.entity, "Kind of record, such as product or reservation")
            ->required()
            ->type_name("");
        records->add_option("ID", list_.record, "One record")->type_name("");
        filter(records, "--tenant", list_.tenant, "T", "Only of this tenant");
        limit(records);

        CLI::App* mappings = command(app_, "mappings", [this](Session& s) {
                                 return list_mappings(s, list_);
                             })->require_subcommand(0, 1);
        declare_mappings(*mappings);
        integration(mappings);
        filter(mappings, "--entity", list_.entity, "E", "Only of this entity");
        filter(mappings, "--key", list_.key, "EXTERNAL", "Only this id of the vendor's");
        filter(mappings, "--record", list_.record, "ID", "Only this record of the hub");
        limit(mappings);

        CLI::App* inbox = command(app_, "inbox", [this](Session& s) { return list_inbox(s, inbox_); });
        filter(inbox, "--integration", inbox_.integration, "ID", "Only of this integration");
        filter(inbox, "--status", inbox_.status, "WORD", "waiting, done, ignored or dead");
        filter(inbox, "--key", inbox_.key, "EVENT", "Only the vendor's event of this id");
        inbox->add_flag("--bodies", inbox_.with_bodies, "With --json: headers and bodies, too");
        inbox->add_option("--limit", inbox_.limit, "At most that many (default: 50)")
            ->type_name("N")
            ->check(whole_number(most_rows));

        CLI::App* letters = command(app_, "dead-letters", [this](Session& s) {
                                return list_dead_letters(s, list_);
                            })->require_subcommand(0, 1);
        integration(letters);
        limit(letters);
        number(command(*letters, "show", [this](Session& s) { return show_dead_letter(s, number_); }),
               "The dead letter");

        CLI::App* replay =
            command(*letters, "replay", [this](Session& s) { return replay_dead_letters(s, decision_); });
        replay->add_option("N", decision_.id, "One dead letter")
            ->type_name("")
            ->check(whole_number(greatest_id));
        filter(replay, "--integration", decision_.integration, "ID", "All of this integration");
        filter(replay, "--reason", decision_.reason, "WORD", "Only those with this reason");
        CLI::App* edit =
            command(*letters, "edit", [this](Session& s) { return edit_dead_letter(s, decision_); });
        decision(edit, "The dead letter");
        edit->add_option("FILE", decision_.file, "The corrected payload, JSON; - reads standard input")
            ->required()
            ->type_name("");

        declare_decisions();
    }

    void declare_mappings(CLI::App& mappings) {
        CLI::App* out =
            command(mappings, "export", [this](Session& s) { return export_mappings(s, mapping_); });
        filter(out, "--integration", mapping_.integration, "ID", "Only of this integration");
        filter(out, "--entity", mapping_.entity, "E", "Only of this entity");
        CLI::App* in =
            command(mappings, "import", [this](Session& s) { return import_mappings(s, mapping_); });
        in->add_option("FILE", mapping_.file, "As mappings export writes it; - reads standard input")
            ->required()
            ->type_name("");
        CLI::App* repair =
            command(mappings, "repair", [this](Session& s) { return repair_mapping(s, mapping_); });
        repair->add_option("ID", mapping_.integration, "The integration")->required()->type_name("");
        repair->add_option("ENTITY", mapping_.entity, "Kind of record")->required()->type_name("");
        repair->add_option("KEY", mapping_.key, "The vendor's id")->required()->type_name("");
        filter(repair, "--record", mapping_.record, "UUID", "It is this record of the hub");
        filter(repair, "--to", mapping_.to, "KEY", "The vendor has it under another id now");
        repair->add_flag("--forget", mapping_.forget, "It is none of the hub's records");
    }

    void decision(CLI::App* app, const std::string& purpose) {
        app->add_option("N", decision_.id, purpose)
            ->required()
            ->type_name("")
            ->check(whole_number(greatest_id));
    }

    void declare_decisions() {
        CLI::App* intents = command(app_, "intents", [this](Session& s) {
                                return list_intents(s, list_);
                            })->require_subcommand(0, 1);
        integration(intents);
        limit(intents);
        CLI::App* intent =
            command(*intents, "resolve", [this](Session& s) { return resolve_intent(s, decision_); });
        decision(intent, "The intent in doubt");
        filter(intent, "--exists", decision_.exists, "EXTERNAL", "It is at the vendor, under this id");
        intent->add_flag("--resend", decision_.resend, "It is not there: send it again");
        intent->add_flag("--cancel", decision_.cancel, "It shall not be sent");

        CLI::App* conflicts = command(app_, "conflicts", [this](Session& s) {
                                  return list_conflicts(s, list_);
                              })->require_subcommand(0, 1);
        integration(conflicts);
        limit(conflicts);
        number(command(*conflicts, "show", [this](Session& s) { return show_conflict(s, number_); }),
               "The conflict");
        CLI::App* conflict =
            command(*conflicts, "resolve", [this](Session& s) { return resolve_conflict(s, decision_); });
        decision(conflict, "The conflict");
        filter(conflict, "--take", decision_.take, "SIDE", "hub or remote");
        conflict
            ->add_option("--field", decision_.fields,
                         "Another side for one field: /name=remote; may be repeated")
            ->type_name("POINTER=SIDE")
            ->allow_extra_args(false);
        filter(conflict, "--record", decision_.record, "UUID", "It is this record of the hub");
        conflict->add_flag("--new", decision_.is_new, "It is a record of its own");
    }

    void declare_authoring(CLI::App& plugin) {
        CLI::App* made = command(plugin, "new", [this](Session& s) { return new_plugin(s, plugin_); });
        made->add_option("NAME", plugin_.name, "The connector, such as acme_till")->required()->type_name("");
        filter(made, "--dir", plugin_.dir, "DIR", "Where its folder is made (default: here)");
        filter(made, "--vendor", plugin_.vendor, "V", "Who offers it");
        filter(made, "--id", plugin_.id, "ID", "Unique for ever, such as com.acme.till");
        CLI::App* checked = command(plugin, "check", [this](Session& s) { return check_plugin(s, plugin_); });
        checked->add_option("FILE", plugin_.library, "The plugin")->required()->type_name("");
        filter(checked, "--scripts", plugin_.scripts, "DIR", "The folder of its scripts, for a deeper check");
    }

    void declare_setup() {
        CLI::App* config = command(app_, "config", nullptr)->require_subcommand(0, 1);
        CLI::App* check = command(*config, "check", [this](Session& s) { return check_config(s, local_); });
        check
            ->add_option("FILE", local_.files,
                         "Instead of the configuration and its conf.d; - reads standard input")
            ->type_name("");
        plugin_dirs(check);
        plugin_dirs(command(*config, "schema", [this](Session& s) { return show_schema(s, local_); }));
        CLI::App* shown = command(*config, "show", [this](Session& s) { return show_config(s, local_); });
        shown->add_option("FILE", local_.files, "Instead of the configuration and its conf.d")->type_name("");
        CLI::App* secret = command(app_, "secret", nullptr)->require_subcommand(0, 1);
        const auto named = [&](const char* name, int (*action)(Session&, const std::string&)) {
            CLI::App* made = command(*secret, name, [this, action](Session& s) { return action(s, name_); });
            made->add_option("NAME", name_, "The secret")->required()->type_name("");
        };
        named("set", set_secret);
        command(*secret, "list", [](Session& s) { return list_secrets(s); });
        named("remove", remove_secret);
        command(*secret, "rotate", [](Session& s) { return rotate_secrets(s); });
        CLI::App* token = command(app_, "token", nullptr)->require_subcommand(0, 1);
        CLI::App* made = command(*token, "create", [this](Session& s) { return create_token(s, token_); });
        made->add_option("NAME", token_.name, "Who uses it")->required()->type_name("");
        made->add_option("--scope", token_.scope, "read, operate or admin (default: read)")
            ->type_name("SCOPE");
        made->add_option("--days", token_.days, "How long it is good (default: 90)")
            ->type_name("N")
            ->check(whole_number(3650));
        filter(made, "--tenant", token_.tenant, "T", "Sees this tenant only (default: all)");
        command(*token, "list", [](Session& s) { return list_tokens(s); });
        CLI::App* revoked = command(*token, "revoke", [this](Session& s) { return revoke_token(s, name_); });
        revoked->add_option("ID", name_, "The token's id, as listed")->required()->type_name("");
        CLI::App* user = command(app_, "user", nullptr)->require_subcommand(0, 1);
        CLI::App* person = command(*user, "set", [this](Session& s) { return set_user(s, token_); });
        person->add_option("NAME", token_.name, "Who signs in")->required()->type_name("");
        person->add_option("--scope", token_.scope, "read, operate or admin (default: read)")
            ->type_name("SCOPE");
        filter(person, "--tenant", token_.tenant, "T", "Sees this tenant only (default: all)");
        command(*user, "list", [](Session& s) { return list_users(s); });
        CLI::App* totp = command(*user, "totp", [this](Session& s) { return user_totp(s, token_); });
        totp->add_option("NAME", token_.name, "Whose authenticator")->required()->type_name("");
        totp->add_flag("--forget", token_.forget, "None: the password alone is enough");
        CLI::App* gone = command(*user, "remove", [this](Session& s) { return remove_user(s, name_); });
        gone->add_option("NAME", name_, "Who signs in no longer")->required()->type_name("");
        CLI::App* webhook = command(app_, "webhook", nullptr)->require_subcommand(0, 1);
        CLI::App* shown_hook =
            command(*webhook, "show", [this](Session& s) { return show_webhook(s, webhook_.integration); });
        CLI::App* made_secret =
            command(*webhook, "secret", [this](Session& s) { return webhook_secret(s, webhook_); });
        for (CLI::App* one : {shown_hook, made_secret})
            one->add_option("ID", webhook_.integration, "The integration")->required()->type_name("");
        made_secret->add_flag("--forget-old", webhook_.forget_old,
                              "Make none: the one before the last is not accepted any longer");
        command(app_, "audit", [](Session& s) { return show_audit(s); });
        CLI::App* link = command(app_, "connect", [this](Session& s) { return ctl::connect(s, connect_); });
        link->add_option("ID", connect_.integration, "The integration")->required()->type_name("");
        link->add_option("--port", connect_.port, "Port of this machine to come back to (default: any)")
            ->type_name("N")
            ->check(whole_number(65'535));
        filter(link, "--redirect-uri", connect_.redirect_uri, "URL",
               "As registered at the vendor; you then paste where it led");
        command(app_, "reload", [](Session& s) { return reload(s); });

        declare_upkeep();
        plugin_dirs(command(app_, "plugins", [this](Session& s) { return list_plugins(s, local_); }));
        CLI::App* plugin = command(app_, "plugin", nullptr)->require_subcommand(0, 1);
        CLI::App* script = command(*plugin, "script", [this](Session& s) { return run_scripts(s, local_); });
        script->add_option("FILE", local_.files, "Connector scripts")->required()->type_name("");
        script
            ->add_option("--plugin", local_.library,
                         "The plugin; by default the installed one with the script's connector")
            ->type_name("LIBRARY");
        plugin_dirs(script);
        declare_trust(*plugin);
        CLI::App* release =
            command(*plugin, "release", [this](Session& s) { return release_plugin(s, run_.integration); });
        release->add_option("NAME", run_.integration, "The plugin, as liaisonctl status names it")
            ->required()
            ->type_name("");
        declare_authoring(*plugin);
        command(app_, "doctor", [](Session& s) { return examine(s); });
        command(app_, "help", [](Session&) { return fine; });
    }

    void declare_trust(CLI::App& plugin) {
        CLI::App* keygen =
            command(plugin, "keygen", [this](Session& s) { return make_plugin_key(s, trust_); });
        filter(keygen, "--key", trust_.key, "FILE", "The new secret key (default minisign.key)");
        keygen->add_flag("--no-password", trust_.without_password, "Do not encrypt it");
        CLI::App* sign = command(plugin, "sign", [this](Session& s) { return sign_plugins(s, trust_); });
        filter(sign, "--key", trust_.key, "FILE", "The secret key (default minisign.key)");
        CLI::App* verify =
            command(plugin, "verify", [this](Session& s) { return verify_plugins(s, trust_); });
        filter(verify, "--key", trust_.key, "KEY",
               "A public key or its file, instead of those in daemon.plugin_trust");
        for (CLI::App* one : {sign, verify})
            one->add_option("FILE", trust_.files, "Plugin files")->required()->type_name("");
        CLI::App* accept = command(plugin, "accept", [this](Session& s) { return accept_plugin(s, name_); });
        accept->add_option("NAME", name_, "The plugin's id, path or file name")->required()->type_name("");
    }

    void declare_upkeep() {
        CLI::App* alerts = command(app_, "alerts", [this](Session& s) {
                               return list_alerts(s, list_, all_);
                           })->require_subcommand(0, 1);
        integration(alerts);
        limit(alerts);
        alerts->add_option("--severity", list_.key, "warning or critical")
            ->type_name("SEVERITY")
            ->check(CLI::IsMember({"warning", "critical"}));
        alerts->add_flag("--all", all_, "Those that are over, too");
        for (const char* what : {"acknowledge", "resolve"}) {
            number(
                command(*alerts, what, [this, what](Session& s) { return change_alert(s, number_, what); }),
                "The alert");
        }
        CLI::App* backup = command(app_, "backup", [this](Session& s) { return back_up(s, name_); });
        filter(backup, "--to", name_, "FILE", "There, instead of the backups folder of the state directory");
        CLI::App* restored = command(app_, "restore", [this](Session& s) { return restore(s, name_); });
        restored->add_option("FILE", name_, "The backup")->required()->type_name("");
    }

    // The innermost command that was named; the whole program when none was.
    CLI::App* chosen() {
        CLI::App* app = &app_;
        while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
        return app;
    }

    std::string path(const CLI::App* app) const {
        if (app == &app_) return "liaisonctl";
        return path(app->get_parent()) + " " + app->get_name();
    }

    std::string help(const Look& look) { return chosen() == &app_ ? help_text(version_, look) : app_.help(); }

    int misuse(const std::string& what, const Console& console) {
        CLI::App* app = chosen();
        std::vector<std::string> known;
        for (const CLI::App* one : app->get_subcommands({})) known.push_back(one->get_name());
        const std::vector<std::string> extra = app_.remaining(true);
        const auto word = std::find_if(extra.begin(), extra.end(),
                                       [](const std::string& one) { return !one.starts_with("-"); });
        if (!known.empty() && word != extra.end()) {
            const std::string hint = did_you_mean(*word, known);
            console.complain("there is no command '" +
                             path(app).substr(std::min(path(app).size(), std::string("liaisonctl ").size())) +
                             (app == &app_ ? "" : " ") + *word + "'" +
                             (hint.empty() ? "; known: " + list_of(known, " and ") : hint));
        } else if (what.empty()) {
            console.complain("a command is missing; known: " + list_of(known, " and "));
        } else {
            console.complain(what);
        }
        console.note("Try: " + path(app) + " --help");
        return misused;
    }

    CLI::App app_;
    std::string version_;
    std::map<const CLI::App*, Action> actions_;
    Globals globals_;
    RunArguments run_;
    ListArguments list_;
    LocalArguments local_;
    TrustArguments trust_;
    PluginArguments plugin_;
    DecisionArguments decision_;
    ConnectArguments connect_;
    std::string name_;
    TokenArguments token_;
    MappingArguments mapping_;
    WebhookArguments webhook_;
    InboxArguments inbox_;
    bool all_ = false;
    std::int64_t number_ = 0, next_ = 10;
    bool watch_ = false, with_requests_ = false;
};

}  // namespace

int run_command_line(const std::vector<std::string>& words, const std::string& version,
                     const Console& console) {
    return CommandLine(version).run(words, console);
}

std::vector<KnownCommand> known_commands() { return CommandLine("").known(); }

}  // namespace liaisond::ctl
