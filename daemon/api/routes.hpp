// Routes: the administrator's API (interfaces.md) over the engine and the store, as JSON. Errors are RFC 9457
// problems.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/tokens.hpp"
#include "sync/engine.hpp"
#include "web/message.hpp"

namespace liaisond::api {

// What the routes need that only the composition root knows.
struct Backend {
    sync::Engine& engine;
    store::Store& store;
    auth::Secrets& secrets;
    access::Tokens& tokens;
    std::function<boost::json::object()> about;    // version, pid, started_at, state_dir, workers, problems
    std::function<boost::json::object()> plugins;  // items and broken
    std::function<std::vector<std::string>()> reload;  // empty: done; else every fault
    // How long each integration's vendor may still be executing a write, by integration.
    std::function<std::map<std::string, Milliseconds>()> settle_times;
    std::function<std::string(const store::Backlog&)> figures;  // for Prometheus
};

// The row of the vault that holds the key of the audit log's chain.
inline constexpr std::string_view audit_key = "key/audit";

class Routes {
  public:
    explicit Routes(Backend backend) : backend_(std::move(backend)) {}
    // Of what the API knows nothing, nobody learns whether it is there: who it is comes before what they ask
    // for.
    void handle(web::Request request, web::Reply answer);

  private:
    using Answer = web::Reply;
    using Query = std::map<std::string, std::string, std::less<>>;
    struct Call {
        std::string method;
        std::vector<std::string> path;  // below /api/v1
        Query query;
        std::string body;
        access::Principal who;
        Answer answer;
    };

    // Who asks, and whether they may (doorkeeper.cpp).
    Result<access::Principal> principal_of(const web::Request& request);
    Answer audited(const Call& call, Answer answer);

    void get(Call& call);
    void post(Call& call);
    void status(const Call& call);
    void metrics(const Answer& answer);
    // What a person decides (decision_routes.cpp).
    bool decide(const Call& call);  // false: no such path
    void show_conflict(const Call& call);
    void resolve_conflict(const Call& call, std::int64_t id);
    void resolve_intent(const Call& call, std::int64_t id);
    void edit_dead_letter(const Call& call, std::int64_t id);
    void replay(const Call& call, std::int64_t id);
    void run_soon(const std::string& integration);
    // Secrets, and connecting by hand (access_routes.cpp).
    bool manage_access(const Call& call);  // false: no such path
    void list_secrets(const Call& call);
    void set_secret(const Call& call, const std::string& name);
    void remove_secret(const Call& call, const std::string& name);
    void rotate_secrets(const Call& call);
    void connect(const Call& call);
    // Tokens and the audit log (token_routes.cpp).
    void list_tokens(const Call& call);
    void create_token(const Call& call);
    void revoke_token(const Call& call, const std::string& id);
    void show_audit(const Call& call);
    // Plans and their approval (plan_routes.cpp).
    void show_plan(const Call& call);
    void decide_plan(const Call& call, std::int64_t run);
    void carry_out(const std::shared_ptr<const store::Plan>& plan, const Answer& answer);
    void schedule(const Call& call);
    void run(const Call& call);
    void cassette(const Call& call);
    template <class Row, class ToJson>
    void list(const Call& call, Result<std::vector<Row>> (store::Database::*read)(const store::Filter&),
              store::Filter filter, ToJson to_json);
    bool filter_of(const Call& call, store::Filter& filter) const;

    Backend backend_;
};

boost::json::object to_json(const store::Run& run);
boost::json::object to_json(const store::Conflict& conflict);
boost::json::object to_json(const store::Plan& plan);
// A member of a request's body; empty where it is no text or not there.
std::string text_in(const std::string& body, std::string_view key);
// As the API writes an instant; null before the first.
boost::json::value time_or_null(Instant at);
// The JSON that a text is; the text itself where it is none.
boost::json::value parsed(const std::string& text);
web::Answer ok(const boost::json::value& body, unsigned status = 200);
web::Answer problem(const Error& error);
web::Answer problem(unsigned status, std::string_view detail);

// What somebody must be allowed to do for such a request. `path`: below /api/v1.
access::Scope scope_of(std::string_view method, const std::vector<std::string>& path);

}  // namespace liaisond::api
