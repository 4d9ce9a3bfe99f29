#include "intuit.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/parse_query.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "instant.hpp"
#include "ledger.hpp"

namespace liaison_sim {
namespace {

// "qb-client:qb-secret"
constexpr const char* right_client = "Basic cWItY2xpZW50OnFiLXNlY3JldA==";
constexpr const char* rotate_names[] = {"always", "daily", "never"};
constexpr std::int64_t day_ms = 86'400'000;

Response oauth_error(unsigned status, const std::string& error, const std::string& description) {
    ObjectWriter body;
    body.string("error", error).string("error_description", description);
    return json_response(status, body.take());
}

std::string encoded(const std::string& text) {
    return boost::urls::encode(text, boost::urls::unreserved_chars);
}

std::string parameter(const Request& request, const std::string& name) {
    for (const auto& [key, value] : request.query) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace

// ---- tokens ----

std::string TokenBook::made(const char* kind) {
    return secret(kind + std::to_string(++count_) + "-" + std::to_string(now_ms() % 1'000'000'007));
}

std::string TokenBook::new_code(const std::string& redirect_uri) {
    const std::scoped_lock lock(mutex_);
    const std::string code = made("code");
    codes_[code] = redirect_uri;
    return code;
}

std::string TokenBook::new_refresh() {
    const std::string token = made("refresh");
    refresh_[token] = {now_ms(), now_ms() + rules_.refresh_s * 1000, true};
    return token;
}

TokenBook::Pair TokenBook::give(const std::string& refresh) {
    const std::string access = made("access");
    access_[access] = {now_ms() + rules_.lag_ms, now_ms() + rules_.access_s * 1000};
    return {access, refresh};
}

std::optional<TokenBook::Pair> TokenBook::exchange(const std::string& code, const std::string& redirect_uri) {
    const std::scoped_lock lock(mutex_);
    const auto found = codes_.find(code);
    if (found == codes_.end() || found->second != redirect_uri) return std::nullopt;
    codes_.erase(found);
    return give(new_refresh());
}

std::optional<TokenBook::Pair> TokenBook::refresh(const std::string& token) {
    const std::scoped_lock lock(mutex_);
    const std::int64_t now = now_ms();
    const auto found = refresh_.find(token);
    if (found == refresh_.end() || found->second.to_ms <= now) return std::nullopt;
    std::string current = token;
    if (!found->second.is_current) {
        for (const auto& [name, one] : refresh_) {
            if (one.is_current) current = name;
        }
    }
    const bool old_enough = now - refresh_.at(current).born_ms >= day_ms;
    if (rules_.rotate == Rotate::always || (rules_.rotate == Rotate::daily && old_enough)) {
        refresh_.at(current).is_current = false;
        refresh_.at(current).to_ms = now + rules_.grace_s * 1000;
        current = new_refresh();
    }
    return give(current);
}

bool TokenBook::may_read(const std::string& access) const {
    const std::scoped_lock lock(mutex_);
    const auto found = access_.find(access);
    return found != access_.end() && found->second.from_ms <= now_ms() && now_ms() < found->second.to_ms;
}

void TokenBook::revoke() {
    const std::scoped_lock lock(mutex_);
    codes_.clear();
    access_.clear();
    refresh_.clear();
}

void TokenBook::expire_access() {
    const std::scoped_lock lock(mutex_);
    access_.clear();
}

void TokenBook::clear() {
    revoke();
    const std::scoped_lock lock(mutex_);
    rules_ = {};
}

TokenBook::Rules TokenBook::rules() const {
    const std::scoped_lock lock(mutex_);
    return rules_;
}

void TokenBook::set_rules(const Rules& rules) {
    const std::scoped_lock lock(mutex_);
    rules_ = rules;
}

// ---- the service ----

Intuit::Intuit(std::shared_ptr<TokenBook> tokens)
    : Vendor("intuit", "/intuit", {}), tokens_(std::move(tokens)) {
    route(http::verb::get, "connect/oauth2", &Intuit::authorize);
    route(http::verb::post, "oauth2/v1/tokens/bearer", &Intuit::token);
}

// The person at the browser agrees at once.
Response Intuit::authorize(const Request& request) {
    const std::string redirect = parameter(request, "redirect_uri"), state = parameter(request, "state");
    const bool is_right = parameter(request, "client_id") == "qb-client" &&
                          parameter(request, "response_type") == "code" &&
                          parameter(request, "scope") == "com.intuit.quickbooks.accounting" &&
                          redirect.starts_with("http") && !state.empty();
    if (!is_right)
        return oauth_error(400, "invalid_request", "client_id, response_type, scope, redirect_uri or state");
    Response response;
    response.status = 302;
    response.with("Location", redirect + "?code=" + encoded(tokens_->new_code(redirect)) +
                                  "&state=" + encoded(state) + "&realmId=" + quickbooks_realm);
    return response;
}

Response Intuit::token(const Request& request) {
    if (request.header("Authorization") != right_client)
        return oauth_error(401, "invalid_client", "the client is authenticated by HTTP Basic");
    if (request.header("Content-Type") != "application/x-www-form-urlencoded" ||
        request.header("Accept").find("application/json") == std::string::npos)
        return oauth_error(400, "invalid_request", "Content-Type or Accept");
    std::map<std::string, std::string> form;
    const auto parsed = boost::urls::parse_query(request.body);
    if (!parsed) return oauth_error(400, "invalid_request", "the form");
    for (const auto& one : *parsed) {
        const auto text = one.key.decode();
        form[std::string(text)] = one.value.decode();
    }
    std::optional<TokenBook::Pair> given;
    const std::string grant = form["grant_type"];
    if (grant == "authorization_code") given = tokens_->exchange(form["code"], form["redirect_uri"]);
    if (grant == "refresh_token") given = tokens_->refresh(form["refresh_token"]);
    if (grant != "authorization_code" && grant != "refresh_token")
        return oauth_error(400, "unsupported_grant_type", grant);
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
    TokenBook::Rules rules = tokens_->rules();
    const auto number = value.as_integer();
    if (name == "revoke") {
        tokens_->revoke();
    } else if (name == "expire") {
        tokens_->expire_access();
    } else if (name == "rotate") {
        for (int i = 0; i < 3; ++i) {
            if (value.text() == rotate_names[i]) rules.rotate = static_cast<TokenBook::Rotate>(i);
        }
    } else if (name == "grace_s" && number) {
        rules.grace_s = *number;
    } else if (name == "access_s" && number) {
        rules.access_s = *number;
    } else if (name == "refresh_s" && number) {
        rules.refresh_s = *number;
    } else if (name == "lag_ms" && number) {
        rules.lag_ms = *number;
    } else {
        return false;
    }
    tokens_->set_rules(rules);
    return true;
}

void Intuit::show_own(Json& switches) const {
    const TokenBook::Rules rules = tokens_->rules();
    switches.set("rotate", Json::string(rotate_names[static_cast<int>(rules.rotate)]));
    switches.set("grace_s", Json::integer(rules.grace_s)).set("access_s", Json::integer(rules.access_s));
    switches.set("refresh_s", Json::integer(rules.refresh_s)).set("lag_ms", Json::integer(rules.lag_ms));
}

}  // namespace liaison_sim
