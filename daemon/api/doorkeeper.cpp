// Routes: who asks, whether they may, and the audit log of what they did.
#include <boost/json/serialize.hpp>

#include "access/audit.hpp"
#include "api/routes.hpp"
#include "base/log.hpp"
#include "base/system.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::string_view bearer = "Bearer ";

// Looking again and again is no act.
bool is_act(std::string_view method, const std::vector<std::string>& path) {
    return method != "GET" && method != "HEAD" && !(path.size() == 3 && path[2] == "test");
}

}  // namespace

access::Scope scope_of(std::string_view method, const std::vector<std::string>& path) {
    const std::string& what = path.front();
    const bool is_connecting = what == "integrations" && path.size() >= 3 && path[2] == "connect";
    if (what == "secrets" || what == "tokens" || what == "audit" || what == "reload" || is_connecting)
        return access::Scope::admin;
    return method == "GET" || method == "HEAD" ? access::Scope::read : access::Scope::operate;
}

// The unix socket lets in whom its file permission lets in; everybody else shows a token.
Result<access::Principal> Routes::principal_of(const web::Request& request) {
    if (request.peer.is_local) return access::Principal{"local", access::Scope::admin, ""};
    const std::string_view shown = request.header("Authorization");
    if (!shown.starts_with(bearer))
        return fail(ErrorKind::auth,
                    "a token is needed: Authorization: Bearer liaison_...; make one with liaisonctl token "
                    "create NAME");
    auto who = backend_.tokens.check(shown.substr(bearer.size()), SystemClock().now());
    if (!who) return fail(ErrorKind::auth, "this token is not known here, or has expired");
    return std::move(*who);
}

// What was done is written down before its success is told.
Routes::Answer Routes::audited(const Call& call, Answer answer) {
    if (!is_act(call.method, call.path)) return answer;
    store::AuditRow entry;
    entry.actor = call.who.name;
    for (const std::string& part : call.path) entry.target += "/" + part;
    entry.action = call.method;
    json::object detail;
    for (const auto& [name, value] : call.query) detail[name] = value;
    entry.detail = json::serialize(detail);
    return [this, answer = std::move(answer), entry = std::move(entry)](web::Answer told) {
        const auto key = backend_.secrets.find(audit_key);
        if (told.status >= 400 || !key) return answer(std::move(told));
        const auto work = [entry, key = *key](store::Database& database) mutable {
            entry.at = SystemClock().now();
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
