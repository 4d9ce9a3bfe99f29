#include "api/api.hpp"

#include <boost/json/serialize.hpp>

#include "access/audit.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::string_view bearer = "Bearer ";

web::Answer nothing_at(const std::string& target) {
    return problem(
        404, "there is nothing at " + shortened(target, 200) + "; GET /api/openapi.json says what there is");
}

bool is_reading(const std::string& method) { return method == "GET" || method == "HEAD"; }

}  // namespace

Api::Api(Backend backend) : backend_(std::move(backend)), entrance_(backend_) {
    router_.add({.method = "GET",
                 .pattern = "/openapi.json",
                 .summary = "This document",
                 .handle = [this](Call& call) { call.answer(ok(router_.openapi())); }});
    add_house_routes(router_, backend_);
    add_integration_routes(router_, backend_);
    add_config_routes(router_, backend_);
    add_run_routes(router_, backend_);
    add_log_routes(router_, backend_);
    add_record_routes(router_, backend_);
    add_decision_routes(router_, backend_);
    add_plan_routes(router_, backend_);
    add_secret_routes(router_, backend_);
    add_token_routes(router_, backend_);
    add_user_routes(router_, backend_);
    add_upkeep_routes(router_, backend_);
}

void Api::handle(web::Request request, web::Reply answer) {
    std::vector<std::string>& path = request.path;
    if (path == std::vector<std::string>{"healthz"}) return answer(ok({{"ok", true}}));
    if (path == std::vector<std::string>{"readyz"}) return show_readiness(request, answer);
    if (entrance_.handle(request, answer)) return;
    const auto who = principal_of(request);
    if (!who) {
        web::Answer refused = problem(who.error().kind == ErrorKind::auth ? 401 : 403, who.error().message);
        if (refused.status == 401)
            refused.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"liaison\"");
        return answer(std::move(refused));
    }
    request.recognise();
    if (path == std::vector<std::string>{"metrics"}) return metrics(*who, answer);
    Call call;
    call.tenant = who->tenant;
    call.who = *who;
    call.answer = std::move(answer);
    // /api/openapi.json, /api/v1/..., and the same below /api/admin/{tenant}
    const bool is_api = path.size() >= 2 && path[0] == "api";
    if (is_api && path.size() >= 4 && path[1] == "admin") {
        if (!call.sees(path[2])) return call.answer(nothing_at(request.target));
        call.tenant = path[2];
        path.erase(path.begin(), path.begin() + 3);
    } else if (is_api && path.size() >= 3 && path[1] == "v1") {
        path.erase(path.begin(), path.begin() + 2);
    } else if (is_api && path[1] == "openapi.json") {
        path.erase(path.begin());
    } else if (path != std::vector<std::string>{"metrics"}) {
        return call.answer(nothing_at(request.target));
    }
    call.request = std::move(request);
    dispatch(std::move(call));
}

// The figures are about the whole house.
void Api::metrics(const access::Principal& who, const web::Reply& answer) {
    if (!who.tenant.empty())
        return answer(
            problem(403, who.name + " sees tenant " + who.tenant + " only, and the figures are of all"));
    backend_.store.read(
        [](store::Database& database) { return database.backlog(); },
        [this, answer](Result<store::Backlog> backlog) {
            if (!backlog) return answer(problem(backlog.error()));
            answer({200, "text/plain; version=0.0.4; charset=utf-8", backend_.figures(*backlog)});
        });
}

void Api::dispatch(Call call) {
    Router::Found found = router_.find(call.request.method, call.request.path);
    if (found.route == nullptr && found.allowed.empty()) return call.answer(nothing_at(call.request.target));
    if (found.route == nullptr) {
        web::Answer refused =
            problem(405, call.request.method + " is not known here; " + list_of(found.allowed) + " is");
        std::string allowed;
        for (const std::string& method : found.allowed) allowed += (allowed.empty() ? "" : ", ") + method;
        refused.headers.emplace_back("Allow", allowed);
        return call.answer(std::move(refused));
    }
    call.route = found.route;
    call.parameters = std::move(found.parameters);
    if (!call.who.may(call.route->scope))
        return call.answer(
            problem(403, call.who.name + " may " + std::string(access::to_string(call.who.scope)) +
                             ", and this needs " + std::string(access::to_string(call.route->scope))));
    if (call.route->whole_house && !call.tenant.empty())
        return call.answer(
            problem(403, "this is about the house as a whole, and not for tenant " + call.tenant + " alone"));
    if (auto fault = Router::read(call)) return call.answer(std::move(*fault));
    if (const std::string wanted = call.text("tenant"); !wanted.empty() && !call.sees(wanted))
        return call.answer(problem(403, "only tenant " + call.tenant + " is to be seen here"));
    serve(std::move(call));
}

// What belongs to another tenant is not there.
void Api::serve(Call call) {
    call.answer = audited(call);
    std::vector<std::pair<std::string, std::int64_t>> rows;
    for (const Part& part : call.route->parts) {
        if (!part.subject.empty()) rows.emplace_back(part.subject, call.number(part.name));
        if (part.name != "integration" || call.tenant.empty()) continue;
        const std::string id = call.text("integration");
        const std::optional<std::string> tenant = backend_.engine.tenant_of(id);
        if (!tenant || !call.sees(*tenant))
            return call.answer(problem(404, "there is no integration '" + id + "'"));
    }
    if (call.tenant.empty() || rows.empty()) return call.route->handle(call);
    const auto work = [rows](store::Database& database) -> Result<std::vector<std::string>> {
        std::vector<std::string> tenants;
        for (const auto& [kind, number] : rows) {
            auto tenant = database.owner_of(kind, number);
            if (!tenant) return fail(tenant.error());
            tenants.push_back(std::move(*tenant));
        }
        return tenants;
    };
    auto shared = std::make_shared<Call>(std::move(call));
    backend_.store.read(work, [shared, rows](Result<std::vector<std::string>> tenants) {
        if (!tenants) return shared->answer(problem(tenants.error()));
        for (const std::string& tenant : *tenants) {
            if (!shared->sees(tenant))
                return shared->answer(
                    problem(404, "there is no " + rows[0].first + " " + std::to_string(rows[0].second)));
        }
        shared->route->handle(*shared);
    });
}

// Ready is who can store something. Reasons are for those who may know them.
void Api::show_readiness(const web::Request& request, const web::Reply& answer) {
    const bool may_know = principal_of(request).has_value();
    backend_.store.write(
        [](store::Database&) { return Status(); },
        [answer, may_know](Status stored) {
            json::array reasons;
            if (!stored && may_know) reasons.emplace_back(redactor().scrub(stored.error().message));
            answer(ok({{"ready", stored.has_value()}, {"reasons", std::move(reasons)}}, stored ? 200 : 503));
        });
}

// The unix socket lets in whom its file permission lets in; everybody else shows a token, or is signed in.
Result<access::Principal> Api::principal_of(const web::Request& request) {
    if (request.peer.is_local) return access::Principal{"local", access::Scope::admin, ""};
    const std::string_view shown = request.header("Authorization");
    if (shown.empty()) {
        if (auto session = entrance_.session_of(request)) {
            const std::string wrong =
                is_reading(request.method)
                    ? std::string()
                    : Entrance::forgery(request, session->csrf, request.header("X-CSRF-Token"));
            if (!wrong.empty()) return fail(ErrorKind::permanent, wrong);
            return std::move(session->principal);
        }
    }
    if (!shown.starts_with(bearer))
        return fail(ErrorKind::auth,
                    "a token is needed: Authorization: Bearer liaison_...; make one with liaisonctl token "
                    "create NAME");
    auto who = backend_.tokens.check(shown.substr(bearer.size()), backend_.clock.now());
    if (!who) return fail(ErrorKind::auth, "this token is not known here, or has expired");
    return std::move(*who);
}

// What was done is written down before its success is told.
web::Reply Api::audited(const Call& call) {
    if (is_reading(call.request.method) || !call.route->is_act) return call.answer;
    store::AuditRow entry;
    entry.actor = call.who.name;
    for (const std::string& part : call.request.path) entry.target += "/" + part;
    entry.action = call.request.method;
    json::object detail;
    for (const auto& [name, value] : call.request.query) detail[name] = value;
    if (!call.tenant.empty()) detail["tenant"] = call.tenant;
    entry.detail = json::serialize(detail);
    return [this, answer = call.answer, entry = std::move(entry)](web::Answer told) {
        const auto key = backend_.secrets.find(audit_key);
        if (told.status >= 400 || !key) return answer(std::move(told));
        const auto work = [entry, key = *key, now = backend_.clock.now()](store::Database& database) mutable {
            entry.at = now;
            return database.add_audit(entry, [&](const std::string& previous, const store::AuditRow& row) {
                return access::audit_digest(key, previous, row);
            });
        };
        backend_.store.write(work, [answer, told = std::move(told)](Status written) {
            if (!written)
                log(LogLevel::error, "the audit log could not be written: " + written.error().message);
            answer(told);
        });
    };
}

}  // namespace liaisond::api
