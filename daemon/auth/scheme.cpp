#include "auth/scheme.hpp"

#include <algorithm>
#include <boost/json/value.hpp>

namespace liaisond::auth {
namespace json = boost::json;
namespace {

// Reads the members of one object; keys that nobody read are mistakes.
class Reader {
  public:
    Reader(const json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

    void text(const char* key, std::string& into) {
        if (const json::value* value = take(key)) {
            if (value->is_string())
                into = value->get_string();
            else
                complain(key, "is no text");
        }
    }
    void flag(const char* key, bool& into) {
        if (const json::value* value = take(key)) {
            if (value->is_bool())
                into = value->get_bool();
            else
                complain(key, "is neither true nor false");
        }
    }
    void duration(const char* key, Milliseconds& into) {
        std::string word;
        text(key, word);
        if (word.empty()) return;
        const auto parsed = parse_duration(word);
        if (parsed)
            into = *parsed;
        else
            complain(key, "is '" + word + "', which is no duration such as 25m");
    }
    void texts(const char* key, std::map<std::string, std::string>& into) {
        const json::value* value = take(key);
        if (value == nullptr) return;
        if (!value->is_object()) return complain(key, "is no object");
        for (const auto& [name, member] : value->get_object()) {
            if (member.is_string())
                into[std::string(name)] = member.get_string();
            else
                complain(key, "has members that are no texts");
        }
    }
    void list(const char* key, std::vector<std::string>& into) {
        const json::value* value = take(key);
        if (value == nullptr) return;
        if (!value->is_array()) return complain(key, "is no list");
        into.clear();
        for (const json::value& item : value->get_array()) {
            if (item.is_string())
                into.emplace_back(item.get_string());
            else
                complain(key, "has members that are no texts");
        }
    }
    void statuses(const char* key, std::vector<unsigned>& into) {
        const json::value* value = take(key);
        if (value == nullptr) return;
        if (!value->is_array()) return complain(key, "is no list");
        into.clear();
        for (const json::value& item : value->get_array()) {
            if (item.is_int64())
                into.push_back(static_cast<unsigned>(item.get_int64()));
            else
                complain(key, "has members that are no HTTP statuses");
        }
    }
    const json::object* object(const char* key) {
        const json::value* value = take(key);
        if (value != nullptr && !value->is_object()) complain(key, "is no object");
        return value != nullptr ? value->if_object() : nullptr;
    }
    std::string path(const char* key) const { return path_ + "." + key; }
    void complain(const std::string& key, const std::string& what) {
        if (fault_.empty()) fault_ = path_ + "." + key + " " + what;
    }
    void need(const char* key, const std::string& value) {
        if (value.empty()) complain(key, "is missing");
    }
    // What is wrong; empty: nothing.
    std::string finish() {
        for (const auto& [key, value] : object_) {
            if (std::find(taken_.begin(), taken_.end(), key) == taken_.end())
                complain(std::string(key), "is not known");
        }
        return fault_;
    }

  private:
    const json::value* take(const char* key) {
        taken_.emplace_back(key);
        return object_.if_contains(key);
    }
    const json::object& object_;
    std::string path_, fault_;
    std::vector<std::string> taken_;
};

std::string read(const json::object& object, const std::string& path, OAuth2& made) {
    Reader reader(object, path);
    std::string grant, client;
    reader.text("grant", grant);
    if (grant == "authorization_code")
        made.grant = Grant::authorization_code;
    else if (grant == "client_credentials")
        made.grant = Grant::client_credentials;
    else if (grant == "jwt_bearer")
        made.grant = Grant::jwt_bearer;
    else
        reader.complain(
            "grant", "is '" + grant + "'; known are authorization_code, client_credentials and jwt_bearer");
    reader.text("token_url", made.token_url);
    reader.need("token_url", made.token_url);
    reader.text("authorize_url", made.authorize_url);
    if (made.grant == Grant::authorization_code) reader.need("authorize_url", made.authorize_url);
    reader.text("client_id", made.client_id);
    reader.text("client_secret", made.client_secret);
    reader.text("client_auth", client);
    if (!client.empty() && client != "basic" && client != "body" && client != "assertion")
        reader.complain("client_auth", "is '" + client + "'; known are basic, body and assertion");
    made.client_in_body = client == "body";
    made.assertion_is_client = client == "assertion";
    reader.flag("pkce", made.pkce);
    reader.text("scope", made.scope);
    reader.texts("parameters", made.parameters);
    reader.texts("authorize_parameters", made.authorize_parameters);
    reader.texts("headers", made.headers);
    reader.duration("early", made.early);
    reader.duration("settle", made.settle);
    reader.text("private_key", made.private_key);
    reader.text("key_id", made.key_id);
    reader.texts("claims", made.claims);
    return reader.finish();
}

std::string read(const json::object& object, const std::string& path, OAuth1& made) {
    Reader reader(object, path);
    for (const auto& [key, into] :
         {std::pair("consumer_key", &made.consumer_key), std::pair("consumer_secret", &made.consumer_secret),
          std::pair("token", &made.token), std::pair("token_secret", &made.token_secret)}) {
        reader.text(key, *into);
        reader.need(key, *into);
    }
    reader.text("realm", made.realm);
    return reader.finish();
}

std::string read(const json::object& object, const std::string& path, Session& made) {
    Reader reader(object, path);
    reader.list("cookies", made.cookies);
    reader.duration("idle", made.idle);
    reader.flag("logout", made.logout);
    return reader.finish();
}

}  // namespace

Result<Scheme> parse_scheme(const std::string& name, const json::object& definition) {
    Scheme scheme;
    scheme.name = name;
    Reader reader(definition, "auth." + name);
    reader.texts("headers", scheme.headers);
    reader.texts("query", scheme.query);
    reader.texts("when", scheme.when);
    reader.statuses("expired", scheme.expired);
    std::string fault;
    const auto part = [&](const char* key, auto& into) {
        const json::object* object = reader.object(key);
        if (object == nullptr) return;
        const std::string wrong = read(*object, reader.path(key), into.emplace());
        if (fault.empty()) fault = wrong;
    };
    part("oauth2", scheme.oauth2);
    part("oauth1", scheme.oauth1);
    part("session", scheme.session);
    if (fault.empty()) fault = reader.finish();
    if (!fault.empty()) return fail(ErrorKind::config, "the connector's manifest is wrong: " + fault);
    return scheme;
}

}  // namespace liaisond::auth
