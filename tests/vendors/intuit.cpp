#include "intuit.hpp"

namespace liaison_sim {
namespace {

// "qb-client:qb-secret"
constexpr const char* right_client = "Basic cWItY2xpZW50OnFiLXNlY3JldA==";

}  // namespace

Intuit::Intuit(std::shared_ptr<TokenBook> tokens)
    : Vendor("intuit", "/intuit", {}), tokens_(std::move(tokens)) {
    route(http::verb::get, "connect/oauth2", &Intuit::authorize);
    route(http::verb::post, "oauth2/v1/tokens/bearer", &Intuit::token);
}

Response Intuit::authorize(const Request& request) {
    const bool is_right = parameter_of(request, "client_id") == "qb-client" &&
                          parameter_of(request, "response_type") == "code" &&
                          parameter_of(request, "scope") == "com.intuit.quickbooks.accounting" &&
                          parameter_of(request, "redirect_uri").starts_with("http") &&
                          !parameter_of(request, "state").empty();
    if (!is_right)
        return oauth_error(400, "invalid_request", "client_id, response_type, scope, redirect_uri or state");
    return let_in(*tokens_, request, std::string("&realmId=") + quickbooks_realm);
}

Response Intuit::token(const Request& request) {
    if (request.header("Authorization") != right_client)
        return oauth_error(401, "invalid_client", "the client is authenticated by HTTP Basic");
    std::optional<Form> form = form_of(request);
    if (!form || request.header("Accept").find("application/json") == std::string::npos)
        return oauth_error(400, "invalid_request", "Content-Type, Accept or the form");
    const std::string grant = (*form)["grant_type"];
    if (grant != "authorization_code" && grant != "refresh_token")
        return oauth_error(400, "unsupported_grant_type", grant);
    const std::optional<TokenBook::Pair> given = granted(*tokens_, *form);
    if (!given) {
        ++stats_.duplicates;  // of a code or token that was used up
        return oauth_error(400, "invalid_grant", "Incorrect or invalid refresh token");
    }
    ObjectWriter body;
    body.string("token_type", "bearer").string("access_token", given->access);
    body.integer("expires_in", tokens_->rules().access_s).string("refresh_token", given->refresh);
    body.integer("x_refresh_token_expires_in", tokens_->rules().refresh_s);
    if (request.header("x-include-refresh-token-hard-expires-in") == "true")
        body.integer("x_refresh_token_hard_expires_in", 157'680'000);
    Response response = json_response(200, body.take());
    response.committed = true;
    return response;
}

void Intuit::forget() { tokens_->clear(); }

bool Intuit::set_own(const std::string& name, const Json& value) {
    return set_token_switch(*tokens_, name, value);
}

void Intuit::show_own(Json& switches) const { show_token_switches(*tokens_, switches); }

}  // namespace liaison_sim
