#include "ctl/help.hpp"

#include <algorithm>
#include <array>

namespace liaisond::ctl {
namespace {

constexpr std::string_view now = "What is going on", data = "Records and queues",
                           setup = "Configuration and plugins";

constexpr auto all = std::to_array<Guide>({
    {now, "status", "[--watch]", "show every integration, the workers and what needs attention",
     "liaisonctl status --watch"},
    {now, "integrations", "", "list integrations", "liaisonctl integrations"},
    {now, "integrations show", "ID", "show one integration with its last run",
     "liaisonctl integrations show paradise-booking"},
    {now, "integrations test", "ID", "test the connection to its vendor",
     "liaisonctl integrations test paradise-booking"},
    {now, "integrations suspend", "ID", "start nothing more for it until it is resumed",
     "liaisonctl integrations suspend paradise-booking"},
    {now, "integrations resume", "ID", "lift its suspension",
     "liaisonctl integrations resume paradise-booking"},
    {now, "integrations reset-breaker", "ID", "try its vendor again at once",
     "liaisonctl integrations reset-breaker paradise-booking"},
    {now, "schedule", "ID [--next N]", "the coming runs, across changes of clocks and blackouts",
     "liaisonctl schedule paradise-booking --next 20"},
    {now, "run",
     "ID [--full | --from DATE --to DATE] [--entity E] [--dry-run] [--confirm-deletes] [--record FILE] "
     "[--wait]",
     "start a run now, or a back-fill of the days from DATE up to, not including, DATE",
     "liaisonctl run paradise-booking --from 2026-01-01 --to 2026-02-01 --wait"},
    {now, "runs", "[--integration ID] [--limit N]", "list runs, the newest first",
     "liaisonctl runs --integration paradise-booking"},
    {now, "runs show", "N", "show one run", "liaisonctl runs show 17"},
    {now, "runs cancel", "N", "stop a run", "liaisonctl runs cancel 17"},
    {now, "plans", "[--integration ID] [--limit N]",
     "what runs would do: dry runs, and those that wait for approval",
     "liaisonctl plans --integration paradise-pms"},
    {now, "plans show", "N [--requests] [--limit N]", "every change that run N would make",
     "liaisonctl plans show 17 --requests"},
    {now, "plans approve", "N", "let it be done, but not more than that", "liaisonctl plans approve 17"},
    {now, "plans discard", "N", "do not do it", "liaisonctl plans discard 17"},
    {now, "logs",
     "[-f] [--integration ID] [--run N] [--entity E] [--record ID] [--direction WAY] [--since INSTANT] "
     "[--until "
     "INSTANT] [--failed] [--limit N] [--export csv|ndjson]",
     "what happened to single records, the oldest first",
     "liaisonctl logs --integration paradise-booking --failed"},
    {data, "records", "ENTITY [ID] [--tenant T] [--limit N]",
     "list records of the hub, or show one with its mappings",
     "liaisonctl records reservation --tenant paradise"},
    {data, "mappings", "[--integration ID] [--entity E] [--key EXTERNAL] [--record ID] [--limit N]",
     "which record of the hub is which at the vendor",
     "liaisonctl mappings --integration paradise-booking --key 4711"},
    {data, "mappings export", "[--integration ID] [--entity E]", "all of them as CSV",
     "liaisonctl mappings export --integration paradise-pms > mappings.csv"},
    {data, "mappings import", "FILE", "say which records are which, such as when moving to another system",
     "liaisonctl mappings import mappings.csv"},
    {data, "mappings repair", "ID ENTITY KEY --record UUID | --to KEY | --forget",
     "set one right that is wrong", "liaisonctl mappings repair paradise-pms reservation 4711 --to 4712"},
    {data, "inbox", "[--integration ID] [--status WORD] [--key EVENT] [--limit N]", "what came by webhook",
     "liaisonctl inbox --status waiting"},
    {data, "dead-letters", "[--integration ID] [--limit N]",
     "records that could not be imported or exported, and why",
     "liaisonctl dead-letters --integration paradise-booking"},
    {data, "dead-letters show", "N", "show one with its payload", "liaisonctl dead-letters show 3"},
    {data, "dead-letters replay", "N | --integration ID [--reason WORD]", "try them again after a fix",
     "liaisonctl dead-letters replay --integration paradise-booking --reason invalid_record"},
    {data, "dead-letters edit", "N FILE", "correct the payload of a refused import",
     "liaisonctl dead-letters edit 3 corrected.json"},
    {data, "intents", "[--integration ID] [--limit N]",
     "what is being sent, and what nobody knows the outcome of",
     "liaisonctl intents --integration paradise-booking"},
    {data, "intents resolve", "N --exists EXTERNAL | --resend | --cancel",
     "decide what became of a send that nobody knows the outcome of",
     "liaisonctl intents resolve 12 --exists INV-4711"},
    {data, "conflicts", "[--integration ID] [--limit N]",
     "what both sides changed, and records that may be one", "liaisonctl conflicts"},
    {data, "conflicts show", "N", "show one with both values", "liaisonctl conflicts show 5"},
    {data, "conflicts resolve", "N --take hub|remote [--field /P=SIDE] | --record UUID | --new",
     "decide whose value stays, or which record it is", "liaisonctl conflicts resolve 5 --take remote"},
    {data, "alerts", "[--integration ID] [--severity warning|critical] [--all] [--limit N]",
     "what needs somebody's attention", "liaisonctl alerts"},
    {data, "alerts acknowledge", "N", "say that somebody has seen it", "liaisonctl alerts acknowledge 7"},
    {data, "alerts resolve", "N", "say that it is over", "liaisonctl alerts resolve 7"},
    {setup, "doctor", "", "look at all that goes wrong in practice, and say what to do; no daemon needed",
     "liaisonctl doctor"},
    {setup, "backup", "[--to FILE]", "copy the hub's database, also while the daemon runs",
     "liaisonctl backup --to /mnt/usb/liaison.db"},
    {setup, "restore", "FILE", "put a backup in the place of the database; the daemon must be stopped",
     "liaisonctl restore /var/backups/liaison/liaison-20261121T033000Z.db"},
    {setup, "config check", "[FILE...] [--plugin-dir DIR]", "check configuration files; no daemon needed",
     "liaisonctl config check"},
    {setup, "config show", "[FILE...]", "print the merged configuration as JSON", "liaisonctl config show"},
    {setup, "config schema", "[--plugin-dir DIR]", "print the JSON Schema of the configuration, for editors",
     "liaisonctl config schema > /etc/liaison/schema.json"},
    {setup, "secret set", "NAME", "put a secret into the vault; it is typed without being shown, or piped in",
     "liaisonctl secret set pms-password"},
    {setup, "secret list", "", "names of the secrets in the vault", "liaisonctl secret list"},
    {setup, "secret remove", "NAME", "take a secret out of the vault",
     "liaisonctl secret remove pms-password"},
    {setup, "secret rotate", "", "seal everything in the vault with a new key", "liaisonctl secret rotate"},
    {setup, "connect", "ID [--port N | --redirect-uri URL]",
     "let liaison in at a vendor that asks a person (OAuth)", "liaisonctl connect bakery-books"},
    {setup, "token create", "NAME [--scope SCOPE] [--tenant T] [--days N]",
     "make an API token for other software; it is shown this once",
     "liaisonctl token create till --scope operate"},
    {setup, "token list", "", "list the API tokens and when they were last used", "liaisonctl token list"},
    {setup, "token revoke", "ID", "make an API token worthless at once",
     "liaisonctl token revoke 3f9a12c04b7e"},
    {setup, "user set", "NAME [--scope SCOPE] [--tenant T]",
     "let somebody sign in with a password, or change what they may",
     "liaisonctl user set marie --scope operate"},
    {setup, "user list", "", "who may sign in", "liaisonctl user list"},
    {setup, "user totp", "NAME [--forget]",
     "have somebody sign in with an authenticator's codes, too; its key is shown this once",
     "liaisonctl user totp marie"},
    {setup, "user remove", "NAME", "sign somebody out for good", "liaisonctl user remove marie"},
    {setup, "webhook show", "ID", "where an integration's webhooks come in, and how many came",
     "liaisonctl webhook show till"},
    {setup, "webhook secret", "ID [--forget-old]", "make the secret of its webhooks; it is shown this once",
     "liaisonctl webhook secret till"},
    {setup, "audit", "", "who changed what, and whether that log is whole", "liaisonctl audit"},
    {setup, "reload", "", "make the daemon read its configuration again", "liaisonctl reload"},
    {setup, "plugins", "[--plugin-dir DIR]", "list installed plugins and their connectors",
     "liaisonctl plugins"},
    {setup, "plugin script", "FILE... [--plugin LIBRARY] [--plugin-dir DIR]",
     "run connector scripts against a plugin that you trust; no daemon needed",
     "liaisonctl plugin script scripts/*.script --plugin ./acme_pos.so"},
    {setup, "plugin keygen", "[--key FILE] [--no-password]", "make a key to sign plugins with",
     "liaisonctl plugin keygen --key acme.key"},
    {setup, "plugin sign", "FILE... [--key FILE]", "sign plugins, as minisign does",
     "liaisonctl plugin sign acme_pos.so --key acme.key"},
    {setup, "plugin verify", "FILE... [--key KEY]", "check who signed plugins",
     "liaisonctl plugin verify acme_pos.so"},
    {setup, "plugin accept", "NAME", "take a plugin file that changed for what it is now",
     "liaisonctl plugin accept com.acme.pos"},
    {setup, "plugin release", "NAME", "start a plugin again that crashed too often",
     "liaisonctl plugin release csv"},
    {setup, "plugin new", "NAME [--dir DIR] [--vendor V] [--id ID]",
     "write the project of a new connector; no daemon needed", "liaisonctl plugin new acme_till"},
    {setup, "plugin check", "FILE [--scripts DIR]",
     "look for what is wrong with a plugin, in the sandbox, before a house does; no daemon needed",
     "liaisonctl plugin check build/acme_till.so --scripts scripts"},
    {"", "config", "", "check, show or describe the configuration", "liaisonctl config check"},
    {"", "secret", "", "keep secrets in the vault", "liaisonctl secret list"},
    {"", "token", "", "let other software use the API", "liaisonctl token list"},
    {"", "user", "", "let people sign in", "liaisonctl user list"},
    {"", "webhook", "", "let vendors tell what happened", "liaisonctl webhook show till"},
    {"", "plugin", "", "tools for the authors of plugins", "liaisonctl plugin script first.script"},
    {"", "help", "", "show this page", "liaisonctl help"},
});

constexpr std::string_view ending = R"(
Options for every command
  --socket PATH   the daemon's socket (default: daemon.socket of the configuration)
  --config FILE   the configuration (default: /etc/liaison/liaison.yaml)
  --json          print JSON for programs instead of text for people
  --help          this page, or after a command what it takes
  --version       the version

Environment
  LIAISON_SOCKET  the daemon's socket, where neither --socket nor --config is given
  NO_COLOR        no colours when set; TZ: the time zone of all times shown

Exit status
  0  fine
  1  the thing asked about failed: a run, a test, a check; or the daemon refused
  2  wrong usage
  3  the daemon could not be reached
  130  ended by Ctrl-C while waiting for a run, which goes on
)";

}  // namespace

const Guide* guide(std::string_view command) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Guide& one) { return one.command == command; });
    return found == all.end() ? nullptr : &*found;
}

std::string help_text(const std::string& version, const Look& look) {
    std::string text = toned("liaisonctl", Tone::strong, look) + " " + version +
                       " - looks after liaisond, the integration daemon\n\n" +
                       "Usage: liaisonctl COMMAND [ARGUMENTS] [OPTIONS]\n";
    std::string_view group;
    for (const Guide& one : all) {
        if (one.group.empty()) continue;
        if (one.group != group) text += "\n" + toned(one.group, Tone::strong, look) + "\n";
        group = one.group;
        text += "  " + toned(one.command, Tone::strong, look) + (one.usage.empty() ? "" : " ") +
                std::string(one.usage) + "\n      " + std::string(one.purpose) + "\n      " +
                toned("$ " + std::string(one.example), Tone::faint, look) + "\n";
    }
    return text + std::string(ending);
}

}  // namespace liaisond::ctl
