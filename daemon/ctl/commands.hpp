// The commands of liaisonctl. Each does one thing and returns the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/session.hpp"

namespace liaisond::ctl {

struct RunArguments {
    std::string integration, entity, from, to, record;
    bool full = false, wait = false, confirm_deletes = false, dry_run = false;
};

struct ListArguments {
    std::string integration, entity, tenant, key, record;
    std::string direction, since, until, format;  // of the log
    std::int64_t run = 0;                         // 0: any
    bool failed = false, follow = false;
    std::int64_t limit = 50;
};

struct DecisionArguments {
    std::int64_t id = 0;
    std::string take, record, exists, reason, integration, file;
    std::vector<std::string> fields;  // "/name=hub"
    bool is_new = false, resend = false, cancel = false;
};

struct ConnectArguments {
    std::string integration;
    std::int64_t port = 0;     // of this machine; 0: any free one
    std::string redirect_uri;  // empty: this machine
};

struct TokenArguments {
    std::string name, scope = "read", tenant;  // tenant empty: all
    std::int64_t days = 0;                     // 0: the usual life
    bool forget = false;
};

struct MappingArguments {
    std::string integration, entity, key, record, to, file;
    bool forget = false;
};

struct WebhookArguments {
    std::string integration;
    bool forget_old = false;
};

struct InboxArguments {
    std::string integration, status, key;
    bool with_bodies = false;
    std::int64_t limit = 50;
};

struct LocalArguments {
    std::vector<std::string> files;
    std::vector<std::string> plugin_dirs;  // empty: as the configuration says
    std::string library;
};

struct TrustArguments {
    std::vector<std::string> files;
    std::string key;  // a file, or a public key as such
    bool without_password = false;
};

struct PluginArguments {
    std::string name, dir, vendor, id;  // of a new one
    std::string library, scripts;       // of one to check; scripts: a folder
};

// ---- asking the daemon ----
int status(Session& session, bool watch);
int list_integrations(Session& session);
int show_integration(Session& session, const std::string& id);
int test_integration(Session& session, const std::string& id);
// `what`: suspend, resume or reset-breaker.
int change_integration(Session& session, const std::string& id, const std::string& what);
int show_schedule(Session& session, const std::string& id, std::int64_t next);
int run(Session& session, const RunArguments& arguments);
int list_runs(Session& session, const ListArguments& arguments);
int show_run(Session& session, std::int64_t run);
int cancel_run(Session& session, std::int64_t run);
int list_logs(Session& session, const ListArguments& arguments);
int list_records(Session& session, const ListArguments& arguments);
int show_record(Session& session, const std::string& entity, const std::string& id);
int list_mappings(Session& session, const ListArguments& arguments);
int export_mappings(Session& session, const MappingArguments& arguments);
int import_mappings(Session& session, const MappingArguments& arguments);
int repair_mapping(Session& session, const MappingArguments& arguments);
int list_dead_letters(Session& session, const ListArguments& arguments);
int show_dead_letter(Session& session, std::int64_t id);
int list_intents(Session& session, const ListArguments& arguments);
int list_conflicts(Session& session, const ListArguments& arguments);
int show_conflict(Session& session, std::int64_t id);

int list_plans(Session& session, const ListArguments& arguments);
int show_plan(Session& session, std::int64_t run, std::int64_t limit, bool with_requests);

// ---- deciding ----
// `what`: approve or discard.
int decide_plan(Session& session, std::int64_t run, const std::string& what);
int resolve_conflict(Session& session, const DecisionArguments& arguments);
int resolve_intent(Session& session, const DecisionArguments& arguments);
int replay_dead_letters(Session& session, const DecisionArguments& arguments);
int edit_dead_letter(Session& session, const DecisionArguments& arguments);

int reload(Session& session);

// ---- letting liaison in ----
int set_secret(Session& session, const std::string& name);
int list_secrets(Session& session);
int remove_secret(Session& session, const std::string& name);
int rotate_secrets(Session& session);
int connect(Session& session, const ConnectArguments& arguments);
int create_token(Session& session, const TokenArguments& arguments);
int list_tokens(Session& session);
int revoke_token(Session& session, const std::string& id);
int show_audit(Session& session);
int set_user(Session& session, const TokenArguments& arguments);
int list_users(Session& session);
int user_totp(Session& session, const TokenArguments& arguments);
int remove_user(Session& session, const std::string& name);
int show_webhook(Session& session, const std::string& integration);
int webhook_secret(Session& session, const WebhookArguments& arguments);
int list_inbox(Session& session, const InboxArguments& arguments);

// ---- what needs attention, and backups ----
// Of arguments.key the severity; `all`: the resolved ones, too.
int list_alerts(Session& session, const ListArguments& arguments, bool all);
// `what`: acknowledge or resolve.
int change_alert(Session& session, std::int64_t id, const std::string& what);
// `to`: a file; empty: the usual folder. By the daemon, or in its place while none runs.
int back_up(Session& session, const std::string& to);
// Only while no daemon runs.
int restore(Session& session, const std::string& file);

// ---- on this machine ----
int release_plugin(Session& session, const std::string& plugin);
int list_plugins(Session& session, const LocalArguments& arguments);  // asks the daemon when there is one
int run_scripts(Session& session, const LocalArguments& arguments);
int make_plugin_key(Session& session, const TrustArguments& arguments);
int sign_plugins(Session& session, const TrustArguments& arguments);
int verify_plugins(Session& session, const TrustArguments& arguments);
int accept_plugin(Session& session, const std::string& plugin);  // asks the daemon
int new_plugin(Session& session, const PluginArguments& arguments);
int check_plugin(Session& session, const PluginArguments& arguments);
int check_config(Session& session, const LocalArguments& arguments);
int show_schema(Session& session, const LocalArguments& arguments);
int show_config(Session& session, const LocalArguments& arguments);
int examine(Session& session);  // doctor

}  // namespace liaisond::ctl
