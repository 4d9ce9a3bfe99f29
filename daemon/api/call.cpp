#include "api/call.hpp"

#include <boost/json/object.hpp>
#include <charconv>

namespace liaisond::api {

std::string Call::text(std::string_view name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
}

std::int64_t Call::number(std::string_view name, std::int64_t otherwise) const {
    const std::string text = this->text(name);
    std::int64_t value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Instant Call::instant(std::string_view name) const {
    const auto at = parse_instant(text(name));
    return at ? *at : Instant();
}

std::string Call::body_text(std::string_view key) const {
    const boost::json::value* found = body.is_object() ? body.get_object().if_contains(key) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

store::Filter Call::filter() const {
    store::Filter filter;
    filter.integration = text("integration");
    filter.tenant = tenant.empty() ? text("tenant") : tenant;
    filter.entity = text("entity");
    filter.status = text("status");
    filter.record = text("record");
    filter.key = text("key");
    filter.direction = text("direction");
    filter.since = instant("since");
    filter.until = instant("until");
    filter.run = number("run");
    filter.before = number("before");
    filter.limit = static_cast<std::uint32_t>(number("limit", filter.limit));
    return filter;
}

}  // namespace liaisond::api
