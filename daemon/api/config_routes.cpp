// Integrations as configuration: made, shown, changed and taken away over the API. What is written is YAML in
// conf.d/managed; what people wrote by hand is shown and never touched.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "api/backend.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_id = 64;

bool is_id(std::string_view id) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !id.empty() && id.size() <= longest_id && plain(id.front()) &&
           std::all_of(id.begin(), id.end(), [&](char c) { return plain(c) || c == '-' || c == '_'; });
}

// The first text that would have the daemon read a file or its environment; over the network there are only
// secrets.
std::string local_source(const json::value& value, const std::string& at = {}) {
    if (const json::string* text = value.if_string())
        return text->starts_with("!file ") || text->starts_with("!env ") ? at : std::string();
    if (const json::object* members = value.if_object()) {
        for (const auto& [name, member] : *members) {
            if (std::string found = local_source(member, at + "/" + std::string(name)); !found.empty())
                return found;
        }
    }
    if (const json::array* items = value.if_array()) {
        for (std::size_t i = 0; i < items->size(); ++i) {
            if (std::string found = local_source((*items)[i], at + "/" + std::to_string(i)); !found.empty())
                return found;
        }
    }
    return {};
}

// "integrations.shop.schedule.every" as "/schedule/every" of the shop's own body; empty: it stands elsewhere.
std::string pointer_of(const config::Fault& fault, const std::string& id) {
    const std::string mine = "integrations." + id;
    if (!fault.path.starts_with(mine)) return {};
    std::string pointer = fault.path.substr(mine.size());
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    return pointer;
}

web::Answer faulty(const std::vector<config::Fault>& faults, const std::string& id) {
    json::array errors;
    for (const config::Fault& fault : faults) {
        const std::string pointer = pointer_of(fault, id);
        errors.push_back(
            json::object{{"pointer", pointer}, {"detail", pointer.empty() ? fault.text() : fault.message}});
    }
    const std::string first = pointer_of(faults.front(), id);
    return problem(
        422,
        "nothing was changed: " +
            (first.empty() ? faults.front().text() : first.substr(1) + ": " + faults.front().message),
        std::move(errors));
}

json::object to_json(const std::string& id, const config::Managed::Shown& shown) {
    return {
        {"id", id}, {"managed", shown.is_managed}, {"place", shown.place.text()}, {"config", shown.content}};
}

void show(const Backend& backend, const Call& call, unsigned status = 200) {
    const std::string id = call.text("integration");
    const auto shown = backend.configuration.find(id);
    if (!shown) return call.answer(problem(404, "there is no integration '" + id + "' in the configuration"));
    web::Answer answer = ok(to_json(id, *shown), status);
    answer.headers.emplace_back("ETag", shown->etag);
    if (status == 201) answer.headers.emplace_back("Location", "/api/v1/integrations/" + id);
    call.answer(std::move(answer));
}

// Whoever sees one tenant only may use integrations, and not make them: they name hosts, folders and secrets
// of the house.
bool may_configure(const Call& call) {
    if (call.who.tenant.empty()) return true;
    call.answer(problem(403, "integrations are configured by those who may see the whole house"));
    return false;
}

// Says what is in the way of changing it; false: nothing is.
bool is_kept(const Call& call, const std::optional<config::Managed::Shown>& shown, const std::string& id) {
    if (!shown) return call.answer(problem(404, "there is no integration '" + id + "'")), true;
    if (!shown->is_managed)
        return call.answer(problem(409, "'" + id + "' is written by hand in " + shown->place.text() +
                                            ": change it there, then POST /api/v1/reload")),
               true;
    const std::string_view match = call.request.header("If-Match");
    if (match.empty() && call.request.method == "PUT")
        return call.answer(
                   problem(428, "send If-Match with the ETag of GET /api/v1/integrations/" + id + "/config")),
               true;
    if (!match.empty() && match != shown->etag)
        return call.answer(problem(412, "'" + id + "' has changed meanwhile; read it again")), true;
    return false;
}

void put(const Backend& backend, Call& call, const std::string& id, unsigned status) {
    json::object content = call.body.get_object();
    content.stable_erase("id");
    if (!call.tenant.empty()) {
        const json::value* named = content.if_contains("tenant");
        if (named != nullptr && *named != json::value(call.tenant))
            return call.answer(problem(422, "/tenant must be " + call.tenant + " here"));
        content["tenant"] = call.tenant;
    }
    if (const std::string at = local_source(content); !at.empty())
        return call.answer(
            problem(422, at + " reads from this machine: over the API only !secret NAME is possible"));
    const auto faults = backend.configure(id, &content);
    if (!faults) return call.answer(problem(faults.error()));
    if (!faults->empty()) return call.answer(faulty(*faults, id));
    call.parameters["integration"] = id;
    show(backend, call, status);
}

void create(const Backend& backend, Call& call) {
    if (!may_configure(call)) return;
    const std::string id = call.body_text("id");
    if (!is_id(id))
        return call.answer(problem(
            422,
            "an id has small letters, digits, '-' and '_', at most 64, and begins with a letter or digit"));
    if (const auto shown = backend.configuration.find(id))
        return call.answer(
            problem(409, "there is an integration '" + id + "' already, in " + shown->place.text()));
    put(backend, call, id, 201);
}

void change(const Backend& backend, Call& call) {
    const std::string id = call.text("integration");
    if (!may_configure(call) || is_kept(call, backend.configuration.find(id), id)) return;
    put(backend, call, id, 200);
}

void remove(const Backend& backend, const Call& call) {
    const std::string id = call.text("integration");
    if (!may_configure(call) || is_kept(call, backend.configuration.find(id), id)) return;
    const auto faults = backend.configure(id, nullptr);
    if (!faults) return call.answer(problem(faults.error()));
    if (!faults->empty()) return call.answer(faulty(*faults, id));
    call.answer(ok({{"ok", true},
                    {"detail", "'" + id +
                                   "' is taken away; its log, mappings and records stay, and an integration "
                                   "with the same id goes on with them"}}));
}

constexpr std::string_view integration_body = R"({"type":"object","required":["connector"],
    "properties":{"id":{"type":"string"},"tenant":{"type":"string"},"connector":{"type":"string"}}})";

}  // namespace

void add_config_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "POST",
                .pattern = "/integrations",
                .scope = Scope::admin,
                .summary = "A new integration: its id, and what liaison.yaml(5) says of integrations",
                .body = integration_body,
                .answers = "IntegrationConfig",
                .status = 201,
                .handle = [&backend](Call& call) { create(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/integrations/{integration}/config",
                .scope = Scope::admin,
                .summary = "How it is configured, and where; secrets are shown as references",
                .answers = "IntegrationConfig",
                .handle = [&backend](Call& call) { show(backend, call); }});
    router.add({.method = "PUT",
                .pattern = "/integrations/{integration}",
                .scope = Scope::admin,
                .summary = "Configures it anew, under If-Match; only where it was made over the API",
                .body = integration_body,
                .answers = "IntegrationConfig",
                .handle = [&backend](Call& call) { change(backend, call); }});
    router.add({.method = "DELETE",
                .pattern = "/integrations/{integration}",
                .scope = Scope::admin,
                .summary = "Takes it away; its log and mappings stay",
                .answers = "Done",
                .handle = [&backend](Call& call) { remove(backend, call); }});
}

}  // namespace liaisond::api
