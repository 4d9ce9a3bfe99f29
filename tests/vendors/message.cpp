#include "message.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

#include "instant.hpp"

namespace liaison_sim {

std::string Request::header(std::string_view name) const {
    const auto found = headers.find(boost::beast::string_view(name.data(), name.size()));
    return found == headers.end() ? std::string{} : std::string(found->value());
}

bool Request::set_target(std::string_view text) {
    target = text;
    const auto parsed = boost::urls::parse_origin_form(target);
    if (!parsed) return false;
    for (const auto segment : parsed->segments()) segments.push_back(segment);
    for (const auto param : parsed->params()) query.emplace_back(param.key, param.value);
    return true;
}

Response& Response::with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
}

Response json_response(unsigned status, std::string body) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
}

Response error_response(unsigned status, std::string_view code, std::string_view message,
                        const std::vector<FieldError>& fields) {
    Json list = Json::array();
    for (const auto& field : fields) {
        Json item = Json::object();
        item.set("field", Json::string(field.field)).set("message", Json::string(field.message));
        list.items().push_back(std::move(item));
    }
    Json error = Json::object();
    error.set("code", Json::string(std::string(code))).set("message", Json::string(std::string(message)));
    error.set("fields", std::move(list));
    Json body = Json::object();
    body.set("error", std::move(error));
    return json_response(status, body.serialize());
}

void refuse(unsigned status, std::string_view code, std::string_view message,
            const std::vector<FieldError>& fields) {
    throw Refusal{error_response(status, code, message, fields)};
}

Json parse_body(const Request& request) {
    std::string type = request.header("Content-Type");
    type.erase(std::min(type.find(';'), type.size()));
    while (type.ends_with(' ')) type.pop_back();
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
    if (type != "application/json") {
        refuse(415, "unsupported_media_type", "Content-Type must be application/json");
    }
    std::string error;
    auto body = Json::parse(request.body, error);
    if (!body) refuse(400, "invalid_json", error);
    return std::move(*body);
}

Params::Params(const Request& request, std::initializer_list<std::string_view> allowed) : request_(request) {
    std::vector<FieldError> errors;
    std::vector<std::string_view> seen;
    for (const auto& [name, value] : request.query) {
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            errors.push_back({name, "unknown parameter"});
        } else if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
            errors.push_back({name, "given twice"});
        }
        seen.push_back(name);
    }
    if (!errors.empty()) refuse(400, "bad_parameter", "query parameters refused", errors);
}

std::optional<std::string> Params::text(std::string_view name) const {
    for (const auto& [key, value] : request_.query) {
        if (key == name && !value.empty()) return value;
    }
    return std::nullopt;
}

std::int64_t Params::integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                             std::int64_t high) const {
    const auto given = text(name);
    if (!given) return fallback;
    std::int64_t value = 0;
    const char* end = given->data() + given->size();
    const auto [stop, failure] = std::from_chars(given->data(), end, value);
    if (failure == std::errc{} && stop == end && value >= low && value <= high) return value;
    const std::string range = std::to_string(low) + " to " + std::to_string(high);
    refuse(400, "bad_parameter", "query parameters refused",
           {{std::string(name), "must be an integer from " + range}});
}

std::optional<std::int64_t> Params::instant(std::string_view name) const {
    const auto given = text(name);
    if (!given) return std::nullopt;
    const auto value = parse_instant(*given);
    if (value) return value;
    refuse(400, "bad_parameter", "query parameters refused",
           {{std::string(name), "must be an RFC 3339 instant (encode + as %2B)"}});
}

}  // namespace liaison_sim
