// What needs attention, and backups.
#include "api/backend.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

json::object to_json(const store::Alert& a) {
    return {{"id", a.id},
            {"tenant", a.tenant},
            {"integration", a.integration},
            {"kind", a.kind},
            {"subject", a.subject},
            {"severity", store::to_string(a.severity)},
            {"text", a.text},
            {"state", store::to_string(a.state)},
            {"count", a.count},
            {"opened_at", format_instant(a.opened)},
            {"last_at", format_instant(a.last)},
            {"resolved_at", time_or_null(a.resolved)},
            {"acknowledged_by", text_or_null(a.acknowledged_by)}};
}

// One alert, and what a person makes of it: who has seen it (acknowledge), or that it is over (resolve).
Status decide_alert(store::Database& database, std::int64_t id, bool acknowledges, const std::string& who,
                    Instant now) {
    store::Filter filter;
    filter.id = id;
    auto found = database.alerts(filter);
    if (!found) return fail(found.error());
    if (found->empty()) return fail(ErrorKind::permanent, "there is no alert " + std::to_string(id));
    if (found->front().state == store::AlertState::resolved)
        return fail(ErrorKind::config, "alert " + std::to_string(id) + " is over already, since " +
                                           format_instant(found->front().resolved));
    return acknowledges ? database.acknowledge_alert(id, who) : database.resolve_alert(id, now);
}

void list_alerts(const Backend& backend, const Call& call) {
    store::Filter filter = call.filter();
    filter.status = call.text("state");
    filter.severity = call.text("severity");
    filter.kind = call.text("kind");
    backend.store.read([filter](store::Database& database) { return database.alerts(filter); },
                       [answer = call.answer, limit = filter.limit](Result<std::vector<store::Alert>> rows) {
                           if (!rows) return answer(problem(rows.error()));
                           answer(page(*rows, limit, [](const store::Alert& row) { return to_json(row); }));
                       });
}

void change_alert(const Backend& backend, const Call& call, bool acknowledges) {
    const std::int64_t id = call.number("alert");
    const auto work = [id, acknowledges, who = call.who.name,
                       now = backend.clock.now()](store::Database& database) {
        return decide_alert(database, id, acknowledges, who, now);
    };
    backend.store.write(work, [answer = call.answer, id, acknowledges](const Status& done) {
        if (!done) return answer(problem(done.error()));
        answer(ok({{"ok", true},
                   {"detail", "alert " + std::to_string(id) +
                                  (acknowledges ? " is acknowledged; it stays until what it tells is over"
                                                : " is resolved; it opens again when it is found again")}}));
    });
}

// Where a backup goes may be said on this machine only: a token gives nobody the daemon's files.
void back_up(const Backend& backend, const Call& call) {
    const std::string to = call.body_text("to");
    if (!to.empty() && (!call.request.peer.is_local || !to.starts_with('/')))
        return call.answer(problem(403,
                                   "where a backup goes can be said on the daemon's machine only, as an "
                                   "absolute path"));
    backend.back_up(to, [answer = call.answer](Result<store::Backup> made) {
        if (!made) return answer(problem(made.error()));
        answer(ok({{"file", made->file.string()},
                   {"made_at", format_instant(made->at)},
                   {"bytes", made->bytes},
                   {"sha256", made->sha256},
                   {"vault_keys", json::array(made->keys.begin(), made->keys.end())}}));
    });
}

constexpr std::string_view backup_body = R"({"type": "object", "additionalProperties": false, "properties": {
  "to": {"type": "string", "description": "A file, absolute; without it one more of the daily ones"}}})";

}  // namespace

void add_upkeep_routes(Router& router, const Backend& backend) {
    using access::Scope;
    using Kind = Parameter::Kind;
    router.add({.method = "GET",
                .pattern = "/alerts",
                .summary = "What needs somebody's attention, newest first",
                .query = list_parameters({{Kind::word,
                                           "state",
                                           "unresolved: open or acknowledged",
                                           {"open", "acknowledged", "resolved", "unresolved"}},
                                          {Kind::word, "severity", "How bad", {"warning", "critical"}},
                                          text_parameter("kind", "failures, in_doubt, ...")}),
                .answers = "[Alert]",
                .handle = [&backend](Call& call) { list_alerts(backend, call); }});
    for (const bool acknowledges : {true, false}) {
        router.add(
            {.method = "POST",
             .pattern = acknowledges ? "/alerts/{alert:alert}/acknowledge" : "/alerts/{alert:alert}/resolve",
             .scope = Scope::operate,
             .summary = acknowledges ? "Somebody has seen it" : "It is over",
             .answers = "Done",
             .handle = [&backend, acknowledges](Call& call) { change_alert(backend, call, acknowledges); }});
    }
    router.add({.method = "POST",
                .pattern = "/backup",
                .scope = Scope::admin,
                .summary = "Copies the hub's database, which goes on working meanwhile",
                .body = backup_body,
                .answers = "Backup",
                .whole_house = true,
                .handle = [&backend](Call& call) { back_up(backend, call); }});
}

}  // namespace liaisond::api
