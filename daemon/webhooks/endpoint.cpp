#include "webhooks/endpoint.hpp"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"
#include "webhooks/card_data.hpp"
#include "webhooks/signature.hpp"

namespace liaisond::webhooks {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_id = 255, longest_type = 200, longest_header = 1000;

std::string lower(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return made;
}

// What a pointer of the rules is followed in: the body, the JSON in a form's `payload`, or the form's fields.
Result<json::value> document_of(Media media, const std::string& body, const json::storage_ptr& memory) {
    boost::system::error_code error;
    if (media == Media::json && !body.empty()) {
        json::value parsed = json::parse(body, error, memory);
        if (error) return fail(ErrorKind::invalid_record, "the body is no JSON: " + error.message());
        return parsed;
    }
    if (media != Media::form) return json::value(memory);
    json::object fields(memory);
    for (const auto& [name, value] : parse_form(body)) {
        if (name == "payload") {
            json::value payload = json::parse(value, error, memory);
            if (!error) return payload;
        }
        fields[name] = value;
    }
    return json::value(std::move(fields), memory);
}

// The text or the number at a pointer, or the header of that name.
std::string found_at(const std::string& place, const json::value& document, const web::Request& request) {
    if (place.empty()) return {};
    if (!place.starts_with('/')) return std::string(request.header(place));
    boost::system::error_code error;
    const json::value* found = document.find_pointer(place, error);
    if (error || found == nullptr) return {};
    if (found->is_string()) return std::string(found->get_string());
    return found->is_number() ? json::serialize(*found) : std::string();
}

std::string digest_of(std::string_view text) { return "sha256:" + to_hex(*auth::digest("sha256", text)); }

bool is_usable(std::string_view id) {
    return !id.empty() && id.size() <= longest_id && valid_utf8(id) &&
           std::none_of(id.begin(), id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Where the vendor gives no id, what was signed tells events apart: never the signature itself, which can be
// written in several ways.
std::string id_of(const config::Webhook& rules, const json::value& document, const web::Request& request,
                  Instant now, Random& random) {
    if (rules.event_id == config::each_delivery) return uuid_v7(now, random);
    std::string id = found_at(rules.event_id, document, request);
    if (id.empty() && rules.profile.scheme == config::WebhookProfile::Scheme::standard)
        id = std::string(request.header("svix-id"));
    if (!id.empty()) return is_usable(id) ? id : digest_of(id);
    const std::string time(rules.profile.timestamp_header.empty()
                               ? std::string_view()
                               : request.header(rules.profile.timestamp_header));
    return digest_of(time + "\n" + request.body);
}

bool holds(std::string_view name, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return name.find(part) != name.npos; });
}

// What tells a connector about the event; nothing that proves who sent it.
bool is_shown(const std::string& name, const config::Webhook& rules) {
    if (holds(name, {"signature", "authorization", "hmac", "token", "secret", "cookie"})) return false;
    if (name == "content-type" || name.starts_with("ce-")) return true;
    if (name.starts_with("x-") && holds(name, {"topic", "event", "delivery"})) return true;
    for (const std::string* known :
         {&rules.event_id, &rules.event_type, &rules.profile.timestamp_header, &rules.profile.id_header}) {
        if (equals_ignoring_case(*known, name)) return true;
    }
    return name == "svix-id" || name == "svix-timestamp";
}

std::string shown_headers(const web::Request& request, const config::Webhook& rules) {
    json::object shown;
    for (const auto& [name, value] : request.headers) {
        std::string small = lower(name);
        if (value.size() <= longest_header && valid_utf8(value) && is_shown(small, rules))
            shown[std::move(small)] = value;
    }
    return without_card_data(json::serialize(shown));
}

bool is_wanted(const config::Webhook& rules, const std::string& type) {
    if (rules.profile.name == "github" && type == "ping") return false;  // it only asks whether we are here
    return rules.events.empty() ||
           std::find(rules.events.begin(), rules.events.end(), type) != rules.events.end();
}

// Digits written as \u0034 would hide a card number.
std::string stored_body(Media media, const json::value& document, const std::string& body) {
    if (media == Media::form) return form_without_card_data(body);
    const bool hides_digits = media == Media::json && body.find("\\u003") != std::string::npos;
    return without_card_data(hides_digits ? json::serialize(document) : body);
}

}  // namespace

Media media_of(std::string_view content_type) {
    std::string type = lower(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    if (type.empty()) return Media::none;
    if (type == "application/json" || type.ends_with("+json")) return Media::json;
    if (type == "application/x-www-form-urlencoded") return Media::form;
    if (type == "application/xml" || type == "text/xml" || type.ends_with("+xml")) return Media::xml;
    return Media::other;
}

Result<store::InboxEvent> read_event(const Endpoint& endpoint, const web::Request& request, Instant now,
                                     Random& random) {
    const config::Webhook& rules = *endpoint.rules;
    const Media media = media_of(request.header("Content-Type"));
    if (!valid_utf8(request.body)) return fail(ErrorKind::invalid_record, "the body is no UTF-8");
    json::monotonic_resource memory;
    const auto document = document_of(media, request.body, &memory);
    if (!document) return fail(document.error());
    store::InboxEvent event;
    event.tenant = endpoint.tenant;
    event.integration = endpoint.integration;
    event.event_id = id_of(rules, *document, request, now, random);
    event.type = found_at(rules.event_type, *document, request);
    if (!valid_utf8(event.type)) event.type.clear();
    event.state = is_wanted(rules, event.type) ? store::EventState::waiting : store::EventState::ignored;
    event.type = shortened(event.type, longest_type);
    event.headers = shown_headers(request, rules);
    event.body = stored_body(media, *document, request.body);
    event.received = event.next_at = now;
    return event;
}

}  // namespace liaisond::webhooks
