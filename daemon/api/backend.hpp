// Backend: what the API stands on, put together by the composition root.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "access/sessions.hpp"
#include "access/throttle.hpp"
#include "access/tokens.hpp"
#include "api/answers.hpp"
#include "api/router.hpp"
#include "config/managed.hpp"
#include "store/backup.hpp"
#include "sync/engine.hpp"

namespace liaisond::api {

struct Backend {
    sync::Engine& engine;
    store::Store& store;
    auth::Secrets& secrets;
    sync::Timers& timers;
    const Clock& clock;
    Random& random;
    access::Tokens& tokens;
    access::Sessions& sessions;
    access::Throttle& throttle;
    std::function<boost::json::object()> about;    // version, pid, started_at, state_dir, workers, problems
    std::function<boost::json::object()> plugins;  // items and broken
    std::function<std::vector<std::string>()> reload;  // empty: done; else every fault
    // How long each integration's vendor may still be executing a write, by integration.
    std::function<std::map<std::string, Milliseconds>()> settle_times;
    config::Managed configuration;
    // With what would stand in the place of an integration (null: nothing): checks the whole configuration
    // and puts it in force, or says every fault and changes nothing.
    std::function<Result<std::vector<config::Fault>>(const std::string& id,
                                                     const boost::json::object* content)>
        configure;
    // Runs `work` beside the core, and `then` on it: for what takes long, such as checking a password.
    std::function<void(std::function<void()> work, std::function<void()> then)> beside;
    std::function<std::string(const store::Backlog&)> figures;  // for Prometheus
    // Copies the database to that file; empty: where the usual backups are.
    std::function<void(const std::string& to, Completion<Result<store::Backup>> done)> back_up;
    // Takes a plugin file that changed for what it is now; by its id, path or name.
    std::function<Status(const std::string& plugin)> accept_plugin;
    // Lets a plugin's workers start again that crashed too often; how many there were.
    std::function<std::size_t(const std::string& plugin)> release_plugin = {};
};

// The row of the vault that holds the key of the audit log's chain.
inline constexpr std::string_view audit_key = "key/audit";

// Each adds the routes of one topic; the backend outlives the router.
void add_house_routes(Router& router, const Backend& backend);
void add_integration_routes(Router& router, const Backend& backend);
void add_config_routes(Router& router, const Backend& backend);
void add_run_routes(Router& router, const Backend& backend);
void add_log_routes(Router& router, const Backend& backend);
void add_record_routes(Router& router, const Backend& backend);
void add_decision_routes(Router& router, const Backend& backend);
void add_plan_routes(Router& router, const Backend& backend);
void add_secret_routes(Router& router, const Backend& backend);
void add_token_routes(Router& router, const Backend& backend);
void add_upkeep_routes(Router& router, const Backend& backend);

// ---- what several topics share ----

// What was decided is sent soon, schedule or not.
void run_soon(const Backend& backend, const std::string& integration);

boost::json::object to_json(const store::Run& run);
boost::json::object to_json(const store::Conflict& conflict);
boost::json::object to_json(const store::Plan& plan);

// A row's place in its list, for the next page.
template <class Row>
std::int64_t position(const Row& row) {
    if constexpr (requires { row.row; })
        return row.row;
    else if constexpr (requires { row.id; })
        return row.id;
    else
        return row.run;
}

template <class Row, class ToJson>
web::Answer page(const std::vector<Row>& rows, std::uint32_t limit, ToJson convert) {
    boost::json::array items;
    for (const Row& row : rows) items.push_back(convert(row));
    boost::json::value next;
    if (rows.size() == limit) next = std::to_string(position(rows.back()));
    return ok({{"items", std::move(items)}, {"next", std::move(next)}});
}

// Answers with a page of what `read` finds by the call's filter.
template <class Row, class ToJson>
void list(const Backend& backend, const Call& call,
          Result<std::vector<Row>> (store::Database::*read)(const store::Filter&), ToJson convert) {
    const store::Filter filter = call.filter();
    backend.store.read([read, filter](store::Database& database) { return (database.*read)(filter); },
                       [answer = call.answer, convert, limit = filter.limit](Result<std::vector<Row>> rows) {
                           answer(rows ? page(*rows, limit, convert) : problem(rows.error()));
                       });
}

}  // namespace liaisond::api
