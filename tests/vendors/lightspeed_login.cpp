#include "lightspeed_login.hpp"

#include <set>
#include <sstream>

namespace liaison_sim {
namespace {

const std::set<std::string> known_scopes{"orders-api", "financial-api", "items", "staff-api",
                                         "offline_access"};

std::set<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::set<std::string> words;
    for (std::string word; stream >> word;) words.insert(word);
    return words;
}

bool has_unknown(const std::set<std::string>& scopes) {
    for (const std::string& scope : scopes) {
        if (!known_scopes.contains(scope)) return true;
    }
    return scopes.empty();
}

}  // namespace

// Access tokens last ten minutes; what was replaced is no longer good.
std::shared_ptr<TokenBook> LightspeedLogin::new_book(const std::string& environment) {
    TokenBook::Rules rules;
    rules.rotate = TokenBook::Rotate::always;
    rules.grace_s = 0;
    rules.access_s = 600;
    return std::make_shared<TokenBook>(environment + "-", rules);
}

// "devp-v2-prod:ls-secret", "devp-v2-demo:ls-secret"
LightspeedLogin::LightspeedLogin(std::shared_ptr<TokenBook> production)
    : Vendor("lightspeed_login", "/lightspeed_login", {}),
      production_{std::move(production), "devp-v2-prod", "Basic ZGV2cC12Mi1wcm9kOmxzLXNlY3JldA=="},
      trial_{new_book("demo"), "devp-v2-demo", "Basic ZGV2cC12Mi1kZW1vOmxzLXNlY3JldA=="} {
    route(http::verb::get, "*/realms/k-series/protocol/openid-connect/auth", &LightspeedLogin::authorize);
    route(http::verb::post, "*/realms/k-series/protocol/openid-connect/token", &LightspeedLogin::token);
}

LightspeedLogin::Realm& LightspeedLogin::realm_of(const Request& request) {
    if (request.segments[0] == "prod") return production_;
    if (request.segments[0] == "demo") return trial_;
    throw Refusal{oauth_error(404, "not_found", "Realm does not exist")};
}

Response LightspeedLogin::authorize(const Request& request) {
    Realm& realm = realm_of(request);
    if (parameter_of(request, "client_id") != realm.client)
        return oauth_error(400, "invalid_request", "Client not found.");
    if (!parameter_of(request, "redirect_uri").starts_with("https://"))
        return oauth_error(400, "invalid_request", "Invalid parameter: redirect_uri");
    const std::set<std::string> scopes = words_of(parameter_of(request, "scope"));
    if (parameter_of(request, "response_type") != "code" || parameter_of(request, "state").empty() ||
        has_unknown(scopes))
        return oauth_error(400, "invalid_scope", "response_type, state or scope");
    return let_in(*realm.tokens, request);
}

Response LightspeedLogin::token(const Request& request) {
    Realm& realm = realm_of(request);
    std::optional<Form> form = form_of(request);
    if (!form || !request.query.empty())
        return oauth_error(400, "invalid_request", "Missing form parameter: grant_type");
    if (form->contains("client_secret") || request.header("Authorization") != realm.basic)
        return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials");
    const std::optional<TokenBook::Pair> given = granted(*realm.tokens, *form);
    if (!given) {
        ++stats_.duplicates;  // of a code or token that was used up
        return oauth_error(400, "invalid_grant", "Token is not active");
    }
    ObjectWriter body;
    body.string("access_token", given->access).integer("expires_in", realm.tokens->rules().access_s);
    body.integer("refresh_expires_in", 0).string("refresh_token", given->refresh);
    body.string("token_type", "Bearer").string("scope", "financial-api orders-api items offline_access");
    Response response = json_response(200, body.take());
    response.committed = true;
    return response;
}

void LightspeedLogin::forget() {
    production_.tokens->clear();
    trial_.tokens->clear();
}

// Of production.
bool LightspeedLogin::set_own(const std::string& name, const Json& value) {
    return set_token_switch(*production_.tokens, name, value);
}

void LightspeedLogin::show_own(Json& switches) const { show_token_switches(*production_.tokens, switches); }

}  // namespace liaison_sim
