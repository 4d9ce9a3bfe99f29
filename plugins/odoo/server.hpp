// Server: the Odoo of one job. Knows which transport it speaks and which fields its models have.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <liaison/sdk/context.hpp>

#include "call.hpp"

namespace odoo {

using liaison::Context;
using liaison::Task;

// Fields of a model in this version with these modules: name to type, "char", "many2one", ...
class Fields {
  public:
    void add(std::string name, std::string type, Json options) {
        types_[name] = std::move(type);
        options_[std::move(name)] = std::move(options);
    }
    bool has(std::string_view name) const { return types_.contains(name); }
    std::string_view type(std::string_view name) const {
        const auto found = types_.find(name);
        return found == types_.end() ? std::string_view() : std::string_view(found->second);
    }
    // Whether a selection field knows the word.
    bool can_be(std::string_view name, std::string_view word) const {
        const auto found = options_.find(name);
        if (found == options_.end() || !found->second.is_array()) return false;
        for (const Json& option : found->second.items()) {
            if (option.is_array() && !option.items().empty() && option.items()[0].scalar_text() == word)
                return true;
        }
        return false;
    }
    Json names() const {
        Json names = Json::array();
        for (const auto& [name, type] : types_) names.push_back(name);
        return names;
    }

  private:
    std::map<std::string, std::string, std::less<>> types_;
    std::map<std::string, Json, std::less<>> options_;
};

class Server {
  public:
    Server(Context& context, const Settings& settings) : context_(context), settings_(settings) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    const Settings& settings() const { return settings_; }
    Context& context() const { return context_; }
    // "17.0+e"; empty unless asked.
    const std::string& version() const { return version_; }
    // By the server's own clock where its answers show it, Unix milliseconds.
    std::int64_t now_ms() const { return server_ms_ != 0 ? server_ms_ : context_.now_ms(); }

    // Settles the transport. Call first.
    Task<void> open() {
        uses_json2_ = settings_.transport == Transport::json2;
        if (settings_.transport != Transport::automatic) co_return;
        co_await ask_version();
        const int major = std::atoi(version_.c_str());
        uses_json2_ = major >= 19;
        if (!uses_json2_ && settings_.login.empty())
            throw Failure(ErrorKind::config, "Odoo " + version_ + " speaks XML-RPC only: 'login' is missing");
    }
    // The version needs no credentials.
    Task<void> ask_version() {
        const std::string url = settings_.url + "/xmlrpc/2/common";
        Request request = Request("POST", url).content("text/xml", kit::xmlrpc::MethodCall("version").text());
        Response response = co_await context_.send(std::move(request));
        Answer answer = read_xmlrpc(response, url, context_.now_ms());
        if (answer.refusal) throw answer.refusal->failure();
        const Json* version = answer.result.find("server_version");
        if (version == nullptr)
            throw Failure(ErrorKind::config, "the server does not tell its version (" + url + ")");
        version_ = version->scalar_text();
        if (version_.starts_with("saas~")) version_ = version_.substr(5);
    }

    Request request(const Call& call) const {
        if (uses_json2_)
            return Request("POST", url_of(call)).auth("json2").content("application/json", call.json2());
        Request request =
            Request("POST", url_of(call)).auth("xmlrpc").content("text/xml", call.xmlrpc(settings_.database));
        request.flags |= LIAISON_REQUEST_BODY_IS_TEMPLATE;
        return request;
    }
    Answer read(const Call& call, const Response& response) const {
        return uses_json2_ ? read_json2(response, url_of(call), context_.now_ms())
                           : read_xmlrpc(response, url_of(call), context_.now_ms());
    }
    // For reads. Throws Failure for everything but a result.
    Task<Json> ask(Call call) {
        Response response = co_await context_.send(request(call));
        if (const auto date = kit::parse_http_date(kit::trimmed(response.header("Date")))) server_ms_ = *date;
        Answer answer = read(call, response);
        if (answer.refusal) throw answer.refusal->failure();
        co_return std::move(answer.result);
    }
    Task<std::vector<Json>> ask_rows(Call call) {
        const std::string what = call.model() + "." + call.method();
        Json result = co_await ask(std::move(call));
        if (!result.is_array()) throw Failure(ErrorKind::permanent, "Odoo: " + what + " answered no list");
        co_return std::move(result.items());
    }
    // Which of these fields there are: versions and modules differ. Asked for by name, because the whole list
    // of some modules cannot be sent by XML-RPC.
    Task<Fields> fields_of(std::string model, std::vector<std::string> wanted) {
        Json names = Json::array(), attributes = Json::array();
        for (const std::string& name : wanted) names.push_back(name);
        attributes.push_back("type");
        attributes.push_back("selection");
        Json known = co_await ask(Call(model, "fields_get")
                                      .with("allfields", std::move(names))
                                      .option("attributes", std::move(attributes)));
        Fields fields;
        if (!known.is_object())
            throw Failure(ErrorKind::permanent, "Odoo: fields_get of " + model + " answered no fields");
        for (const Json::Member& field : known.members()) {
            const Json *type = field.value.find("type"), *options = field.value.find("selection");
            if (type != nullptr)
                fields.add(field.key, std::string(type->scalar_text()),
                           options != nullptr ? *options : Json());
        }
        co_return fields;
    }

  private:
    std::string url_of(const Call& call) const {
        return uses_json2_ ? settings_.url + "/json/2/" + call.model() + "/" + call.method()
                           : settings_.url + "/xmlrpc/2/object";
    }

    Context& context_;
    const Settings& settings_;
    bool uses_json2_ = false;
    std::string version_;
    std::int64_t server_ms_ = 0;
};

// [["id", "in", ids]]
inline Json condition(std::string field, std::string op, Json value) {
    Json one = Json::array();
    one.push_back(std::move(field));
    one.push_back(std::move(op));
    one.push_back(std::move(value));
    return one;
}

// A search that sees archived records too.
inline Call search(const Settings& settings, std::string model, Json domain, Json fields) {
    Json context = settings.context();
    context.set("active_test", false);
    return Call(std::move(model), "search_read")
        .with("domain", std::move(domain))
        .option("fields", std::move(fields))
        .option("context", std::move(context));
}

}  // namespace odoo
