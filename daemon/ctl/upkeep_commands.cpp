// Commands about what needs attention, and about backups.
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "base/system.hpp"
#include "ctl/commands.hpp"
#include "ctl/config_view.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/table.hpp"
#include "store/backup.hpp"
#include "store/state_lock.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

std::string alerts_text(const json::value& page, const Look& look) {
    Table table({{"ID"},
                 {"SEVERITY"},
                 {"STATE"},
                 {"INTEGRATION", Align::left, true},
                 {"KIND"},
                 {"SINCE"},
                 {"TIMES", Align::right},
                 {"WHAT", Align::left, true, 0, 40}});
    for (const json::value& one : array_at(page, "items")) {
        const std::string severity = text_at(one, "severity");
        const auto opened = instant_at(one, "opened_at");
        table.add({std::to_string(number_at(one, "id")),
                   {severity, severity == "critical" ? Tone::bad : Tone::warning},
                   text_at(one, "state"),
                   text_at(one, "integration"),
                   text_at(one, "kind"),
                   format_local(opened),
                   format_number(number_at(one, "count")),
                   text_at(one, "text")});
    }
    return table.empty() ? std::string("Nothing needs attention.\n") : table.text(look);
}

json::object to_json(const store::Backup& backup) {
    return {{"file", backup.file.string()},
            {"made_at", format_instant(backup.at)},
            {"bytes", backup.bytes},
            {"sha256", backup.sha256},
            {"vault_keys", json::array(backup.keys.begin(), backup.keys.end())}};
}

std::string backup_text(const json::value& made) {
    return "Backed up to " + text_at(made, "file") + " (" + format_number(number_at(made, "bytes")) +
           " bytes), checked.\nThe key of the vault is not in it: keep a copy of the key file elsewhere.\n";
}

// What root makes in the state directory belongs to that directory's owner afterwards, however it ended: the
// daemon has to be able to open it.
class HandedOver {
  public:
    explicit HandedOver(fs::path folder) : folder_(std::move(folder)) {}
    HandedOver(const HandedOver&) = delete;
    HandedOver& operator=(const HandedOver&) = delete;
    ~HandedOver() {
        struct stat owner {};
        if (::geteuid() != 0 || ::stat(folder_.c_str(), &owner) != 0 || owner.st_uid == 0) return;
        std::error_code ignored;
        for (const auto& entry : fs::recursive_directory_iterator(folder_, ignored)) {
            struct stat facts {};
            // Not what has another name elsewhere: that may be anybody's.
            if (::lstat(entry.path().c_str(), &facts) == 0 && facts.st_uid == 0 &&
                (S_ISDIR(facts.st_mode) || facts.st_nlink == 1))
                (void)!::lchown(entry.path().c_str(), owner.st_uid, owner.st_gid);
        }
    }

  private:
    const fs::path folder_;
};

// While no daemon runs: nobody else works on the database meanwhile.
Result<json::value> back_up_directly(const Session& session, const std::string& to) {
    const std::string state_dir = daemon_section(session).state_dir;
    const HandedOver handed(state_dir);
    store::StateLock lock;
    if (const Status held = lock.acquire(state_dir); !held) return fail(held.error());
    const Instant now = Session::now();
    const std::string database = state_dir + "/liaison.db";
    auto made = to.empty() ? store::make_daily_backup(database, state_dir + "/backups", {}, now)
                           : store::make_backup(database, to, now);
    if (!made) return fail(made.error());
    return json::value(to_json(*made));
}

std::string restored_text(const store::Restored& restored) {
    const store::Backup& backup = restored.backup;
    std::string keys;
    for (const std::string& key : backup.keys) keys += (keys.empty() ? "" : ", ") + key;
    std::string text = "Restored " + backup.file.string() + ", made at " + format_instant(backup.at) + ".\n";
    if (!restored.aside.empty())
        text += "What was there before is " + restored.aside.string() + "; delete it when all is well.\n";
    if (!keys.empty())
        text += "\nBefore you start the daemon:\n- Its secrets are sealed with the vault key " + keys +
                "; the key file (daemon.vault_key, by default vault.key in the state directory) must be the "
                "one that has it.\n";
    text +=
        "\nAfter its start:\n- Integrations that export stay suspended: what they sent after the backup was "
        "made is not in it. "
        "For each, compare liaisonctl run ID --dry-run with what is at the vendor, then: liaisonctl "
        "integrations resume ID. Until such a run has succeeded the vendor is asked for each record before "
        "it is sent.\n";
    text += "- " + format_number(restored.doubtful) +
            " sends were open when it was made; they are asked for first, and where the vendor cannot be "
            "asked you decide: liaisonctl intents.\n"
            "- Records that came from a vendor since then come again with the next run; those that the hub "
            "alone had are lost.\n";
    return text;
}

}  // namespace

int list_alerts(Session& session, const ListArguments& arguments, bool all) {
    const auto page = session.list({"alerts"},
                                   {{"integration", arguments.integration},
                                    {"severity", arguments.key},
                                    {"state", all ? "" : "unresolved"}},
                                   arguments.limit);
    return session.show(page, [&](const json::value& found) { return alerts_text(found, session.look()); });
}

int change_alert(Session& session, std::int64_t id, const std::string& what) {
    const auto told = session.client().post(api_target({"alerts", std::to_string(id), what}));
    return session.show(told, [](const json::value& answer) { return text_at(answer, "detail") + "\n"; });
}

int back_up(Session& session, const std::string& to) {
    // The daemon's working directory is another one.
    const std::string file = to.empty() ? to : fs::absolute(to).string();
    Result<json::value> made = session.client().post(api_target({"backup"}), json::object{{"to", file}});
    if (!made && made.error().code == Client::unreachable) made = back_up_directly(session, file);
    return session.show(made, backup_text);
}

int restore(Session& session, const std::string& file) {
    const std::string state_dir = daemon_section(session).state_dir;
    const HandedOver handed(state_dir);
    store::StateLock lock;
    if (const Status held = lock.acquire(state_dir); !held) return session.report(held.error());
    const std::string database = state_dir + "/liaison.db";
    const auto restored = store::restore_backup(file, database, Session::now());
    if (!restored) return session.report(restored.error());
    json::object told = to_json(restored->backup);
    told["aside"] = restored->aside.string();
    told["doubtful"] = restored->doubtful;
    const Result<json::value> answer{json::value(std::move(told))};
    return session.show(answer, [&](const json::value&) { return restored_text(*restored); });
}

}  // namespace liaisond::ctl
