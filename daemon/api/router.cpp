#include "api/router.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <stdexcept>

#include "api/answers.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

// Whatever is kept is read again, and the parser gives up below 32: the rest is for what it is kept in.
constexpr std::size_t deepest_body = 24;

bool is_whole_number(std::string_view text, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
}

// What is wrong with a parameter's value; empty: nothing.
std::string fault_of(const Parameter& parameter, const std::string& value) {
    switch (parameter.kind) {
        case Parameter::Kind::text: break;
        case Parameter::Kind::word:
            if (std::find(parameter.words.begin(), parameter.words.end(), value) == parameter.words.end())
                return "'" + shortened(value, 40) + "' is not known; it is " + list_of(parameter.words);
            break;
        case Parameter::Kind::number:
            if (!is_whole_number(value, parameter.least, parameter.most))
                return "must be a whole number from " + std::to_string(parameter.least) + " to " +
                       std::to_string(parameter.most);
            break;
        case Parameter::Kind::flag:
            if (value != "true" && value != "false") return "must be true or false";
            break;
        case Parameter::Kind::instant:
            if (!parse_instant(value)) return "must be an instant, such as 2026-11-21T08:00:00Z";
            break;
    }
    return {};
}

json::object schema_of(const Parameter& parameter) {
    switch (parameter.kind) {
        case Parameter::Kind::word:
            return {{"type", "string"},
                    {"enum", json::array(parameter.words.begin(), parameter.words.end())}};
        case Parameter::Kind::number:
            return {{"type", "integer"}, {"minimum", parameter.least}, {"maximum", parameter.most}};
        case Parameter::Kind::flag: return {{"type", "boolean"}};
        case Parameter::Kind::instant: return {{"type", "string"}, {"format", "date-time"}};
        case Parameter::Kind::text: break;
    }
    return {{"type", "string"}};
}

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
}

}  // namespace

void Router::add(Route route) {
    for (const std::string& piece : split(std::string_view(route.pattern).substr(1), '/')) {
        Part& part = route.parts.emplace_back();
        if (!piece.starts_with('{')) {
            part.literal = piece;
            continue;
        }
        part.name = piece.substr(1, piece.size() - 2);
        if (part.name.ends_with('*')) part.is_rest = true, part.name.pop_back();
        if (const std::size_t colon = part.name.find(':'); colon != std::string::npos) {
            part.subject = part.name.substr(colon + 1);
            part.name.resize(colon);
        }
    }
    for (const auto& other : routes_) {
        if (other->method == route.method && other->pattern == route.pattern)
            throw std::logic_error(route.method + " " + route.pattern + " is routed twice");
    }
    if (!route.body.empty()) {
        auto schema = Schema::compile(json::parse(json::string_view(route.body)));
        if (!schema) throw std::logic_error(route.pattern + ": " + schema.error().message);
        route.body_schema = std::make_shared<const Schema>(std::move(*schema));
    }
    routes_.push_back(std::make_unique<const Route>(std::move(route)));
}

namespace {

bool matches(const Route& route, const std::vector<std::string>& path) {
    const std::vector<Part>& parts = route.parts;
    const bool takes_rest = !parts.empty() && parts.back().is_rest;
    if (takes_rest ? path.size() < parts.size() : path.size() != parts.size()) return false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].literal.empty() ? parts[i].literal != path[i] : path[i].empty()) return false;
        if (!parts[i].subject.empty() && !is_whole_number(path[i], 1, INT64_MAX)) return false;
    }
    return true;
}

std::map<std::string, std::string, std::less<>> parameters_in(const Route& route,
                                                              const std::vector<std::string>& path) {
    std::map<std::string, std::string, std::less<>> parameters;
    for (std::size_t i = 0; i < route.parts.size(); ++i) {
        const Part& part = route.parts[i];
        if (!part.literal.empty()) continue;
        std::string value = path[i];
        for (std::size_t more = i + 1; part.is_rest && more < path.size(); ++more) value += "/" + path[more];
        parameters[part.name] = std::move(value);
    }
    return parameters;
}

std::ptrdiff_t literals(const Route& route) {
    return std::count_if(route.parts.begin(), route.parts.end(),
                         [](const Part& part) { return !part.literal.empty(); });
}

}  // namespace

// A literal beats a parameter: "/secrets/rotate" is no secret named "rotate".
Router::Found Router::find(std::string_view method, const std::vector<std::string>& path) const {
    Found found;
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    for (const auto& route : routes_) {
        if (!matches(*route, path)) continue;
        found.allowed.push_back(route->method);
        if (route->method == "GET") found.allowed.emplace_back("HEAD");
        const bool is_better = found.route == nullptr || literals(*route) > literals(*found.route);
        if (route->method == wanted && is_better) found.route = route.get();
    }
    if (found.route != nullptr) found.parameters = parameters_in(*found.route, path);
    return found;
}

namespace {

std::optional<web::Answer> read_query(Call& call) {
    const std::vector<Parameter>& known = call.route->query;
    json::array errors;
    const auto complain = [&](const std::string& name, std::string text) {
        errors.push_back(json::object{{"parameter", name}, {"detail", std::move(text)}});
    };
    for (const auto& [name, value] : call.request.query) {
        const auto one = std::find_if(known.begin(), known.end(),
                                      [&name = name](const Parameter& p) { return p.name == name; });
        if (one == known.end()) {
            std::vector<std::string> names;
            for (const Parameter& parameter : known) names.push_back(parameter.name);
            complain(name, "is not known here" + did_you_mean(name, names));
        } else if (call.request.query.count(name) > 1) {
            complain(name, "is given more than once");
        } else if (const std::string fault = fault_of(*one, value); !fault.empty()) {
            complain(name, fault);
        } else {
            call.parameters[name] = value;
        }
    }
    if (errors.empty()) return std::nullopt;
    const json::object& first = errors.front().get_object();
    const std::string detail =
        std::string(first.at("parameter").get_string()) + " " + std::string(first.at("detail").get_string());
    return problem(400, detail, std::move(errors));
}

std::optional<web::Answer> read_body(Call& call, const Schema& schema) {
    const std::string_view type = call.request.header("Content-Type");
    const std::string kind = lower(std::string(type.substr(0, type.find(';'))));
    if (!kind.empty() && kind != "application/json" && !kind.ends_with("+json"))
        return problem(415, "the body must be application/json, and not " + shortened(kind, 60));
    json::parse_options options;
    options.max_depth = deepest_body;
    boost::system::error_code error;
    json::value body = call.request.body.empty() ? json::value(json::object())
                                                 : json::parse(call.request.body, error, {}, options);
    if (error || !body.is_object()) return problem(400, "the request's body must be a JSON object");
    std::vector<Schema::Fault> faults = schema.check(body);
    if (const auto place = number_out_of_range(body))
        faults.push_back({*place, std::string(is_out_of_range)});
    if (!faults.empty()) {
        const Schema::Fault& first = faults.front();
        return problem(422, (first.pointer.empty() ? "the body" : first.pointer) + " " + first.message,
                       errors_of(faults));
    }
    call.body = std::move(body);
    return std::nullopt;
}

}  // namespace

std::optional<web::Answer> Router::read(Call& call) {
    if (auto fault = read_query(call)) return fault;
    if (call.route->body_schema) return read_body(call, *call.route->body_schema);
    // Some clients always send an object.
    if (!call.request.body.empty() && call.request.body != "{}")
        return problem(400, call.route->method + " " + call.route->pattern + " takes no body");
    return std::nullopt;
}

// ---- the document ----

namespace {

json::object reference(std::string_view name) {
    return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

json::object answer_schema(std::string_view answers) {
    if (answers.empty()) return {{"type", "object"}};
    if (!answers.starts_with('[')) return reference(answers);
    return {{"type", "object"},
            {"required", json::array{"items", "next"}},
            {"properties",
             {{"items", {{"type", "array"}, {"items", reference(answers.substr(1, answers.size() - 2))}}},
              {"next",
               {{"type", json::array{"string", "null"}},
                {"description",
                 "Give it as `before` (or `after`, `since`) for the next page; null: this is the last"}}}}}};
}

json::object content(json::object schema, const char* type = "application/json") {
    return {{type, {{"schema", std::move(schema)}}}};
}

json::array parameters_of(const std::string& path, const Route& route) {
    json::array all;
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
        const std::string name = path.substr(at + 1, path.find('}', at) - at - 1);
        all.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    for (const Parameter& parameter : route.query)
        all.push_back({{"name", parameter.name},
                       {"in", "query"},
                       {"description", parameter.description},
                       {"schema", schema_of(parameter)}});
    return all;
}

json::object operation(const std::string& path, const Route& route) {
    const json::object refused{{"description", "A problem (RFC 9457)"},
                               {"content", content(reference("Problem"), "application/problem+json")}};
    json::object answers;
    json::object good{{"description", "Done"}};
    if (route.status != 204) good["content"] = content(answer_schema(route.answers));
    answers[std::to_string(route.status)] = std::move(good);
    answers["default"] = refused;
    json::object made{{"summary", route.summary},
                      {"tags", json::array{split(path, '/')[1]}},
                      {"x-scope", access::to_string(route.scope)},
                      {"parameters", parameters_of(path, route)},
                      {"responses", std::move(answers)}};
    if (!route.body.empty())
        made["requestBody"] = json::object{
            {"required", true}, {"content", content(json::parse(json::string_view(route.body)).as_object())}};
    if (route.whole_house) made["x-whole-house"] = true;
    return made;
}

}  // namespace

json::object Router::openapi() const {
    json::object paths;
    for (const auto& route : routes_) {
        std::string path;
        for (const Part& part : route->parts)
            path += "/" + (part.literal.empty() ? "{" + part.name + "}" : part.literal);
        json::value& item = paths[path];
        if (!item.is_object()) item = json::object();
        item.get_object()[lower(route->method)] = operation(path, *route);
    }
    return {
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "liaison"},
          {"version", LIAISON_VERSION},
          {"description",
           "The administrator's API of liaisond. On the unix socket no token is needed; elsewhere show one: "
           "Authorization: Bearer liaison_... Every path is there below /api/admin/{tenant}, too, where it "
           "sees "
           "that tenant only."}}},
        {"servers", json::array{json::object{{"url", "/api/v1"}}}},
        {"security",
         json::array{json::object{{"token", json::array()}}, json::object{{"session", json::array()}}}},
        {"paths", std::move(paths)},
        {"components",
         {{"securitySchemes",
           {{"token", {{"type", "http"}, {"scheme", "bearer"}}},
            {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "__Host-liaison"}}}}},
          {"schemas", answer_schemas()}}}};
}

Parameter limit_parameter() { return {Parameter::Kind::number, "limit", "Rows of a page", {}, 1, 1000}; }
Parameter before_parameter() { return {Parameter::Kind::number, "before", "The `next` of the page before"}; }
Parameter text_parameter(std::string name, std::string description) {
    return {Parameter::Kind::text, std::move(name), std::move(description)};
}
Parameter flag_parameter(std::string name, std::string description) {
    return {Parameter::Kind::flag, std::move(name), std::move(description)};
}
std::vector<Parameter> list_parameters(std::vector<Parameter> more) {
    std::vector<Parameter> all{text_parameter("integration", "Only of this integration"),
                               text_parameter("tenant", "Only of this tenant"), limit_parameter(),
                               before_parameter()};
    for (Parameter& one : more) all.push_back(std::move(one));
    return all;
}

}  // namespace liaisond::api
