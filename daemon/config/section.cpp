#include "config/section.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/json.hpp"

namespace liaisond::config {
namespace json = boost::json;

Section Section::section(std::string_view key) const {
    static const json::object empty;
    const json::value* found = find(key);
    const bool usable = found != nullptr && found->is_object();
    return {document_, faults_, usable ? found->get_object() : empty, pointer_ + "/" + pointer_token(key)};
}

std::string Section::text(std::string_view key, std::string otherwise) const {
    const json::value* found = find(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::move(otherwise);
}

std::uint32_t Section::number(std::string_view key, std::uint32_t otherwise) const {
    const json::value* found = find(key);
    return found != nullptr && found->is_int64() ? static_cast<std::uint32_t>(found->get_int64()) : otherwise;
}

Milliseconds Section::duration(std::string_view key, Milliseconds otherwise, Milliseconds least) const {
    const json::value* found = find(key);
    if (found == nullptr) return otherwise;
    const std::string text = found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
    const auto parsed = parse_duration(text);
    if (!parsed) {
        if (found->is_string()) fault(key, "is wrong: " + parsed.error().message);
        return otherwise;
    }
    if (*parsed < least) {
        fault(key, "is " + text + "; at least " + format_duration(least) + " is needed");
        return otherwise;
    }
    return *parsed;
}

double Section::share(std::string_view key, double otherwise) const {
    const json::value* found = find(key);
    if (found == nullptr) return otherwise;
    const std::string text = found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
    double value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fine = error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1;
    if (fine) return value;
    fault(key, "is '" + text + "', which is no share; write a number from 0 to 1, such as 0.5");
    return otherwise;
}

void Section::fault(std::string_view key, std::string message) const {
    document_.add_fault(faults_, key.empty() ? pointer_ : pointer_ + "/" + pointer_token(key),
                        std::move(message));
}

void Section::key_fault(std::string_view key, std::string message) const {
    document_.add_fault(faults_, pointer_ + "/" + pointer_token(key), std::move(message), true);
}

Limits read_limits(const Section& parent, Limits limits) {
    const Section members = parent.section("limits");
    limits.per_second = members.number("requests_per_second", limits.per_second);
    limits.per_minute = members.number("requests_per_minute", limits.per_minute);
    limits.per_hour = members.number("requests_per_hour", limits.per_hour);
    limits.per_day = members.number("requests_per_day", limits.per_day);
    limits.burst = members.number("burst", limits.burst);
    limits.min_gap = members.duration("min_gap", limits.min_gap);
    limits.pause_after_429 = members.duration("pause_after_429", limits.pause_after_429);
    const std::string scope = members.text("scope");
    if (scope == "integration") limits.scope = Limits::Scope::integration;
    if (scope == "credential") limits.scope = Limits::Scope::credential;
    if (scope == "vendor") limits.scope = Limits::Scope::vendor;
    return limits;
}

MassDelete read_mass_delete(const Section& parent) {
    const Section limits = parent.section("guard").section("mass_delete");
    MassDelete made;
    made.share = limits.share("share", made.share);
    made.count = limits.number("count", made.count);
    made.within = limits.duration("within", made.within, Milliseconds(1000));
    return made;
}

Supervision read_supervision(const Section& parent, Supervision made) {
    const Section breaker = parent.section("circuit_breaker");
    BreakerPolicy& policy = made.breaker;
    policy.window = breaker.number("window", policy.window);
    policy.failure_rate = breaker.share("failure_rate", policy.failure_rate);
    policy.min_calls = breaker.number("min_calls", policy.min_calls);
    const Milliseconds least(1000);
    policy.open_for = breaker.duration("open_for", policy.open_for, least);
    policy.max_open_for = breaker.duration("max_open_for", policy.max_open_for, least);
    if (breaker.has("failure_rate") && policy.failure_rate == 0)
        breaker.fault("failure_rate", "is 0, which would open the breaker without any failure");
    if (policy.min_calls > policy.window) {
        breaker.fault("", "needs " + std::to_string(policy.min_calls) + " calls (min_calls) within " +
                              std::to_string(policy.window) + " (window); make the window larger");
    }
    if (policy.max_open_for < policy.open_for) {
        if (breaker.has("max_open_for"))
            breaker.fault("max_open_for",
                          "is shorter than open_for, which is " + format_duration(policy.open_for));
        policy.max_open_for = policy.open_for;
    }
    made.suspend_after = parent.number("suspend_after_failures", made.suspend_after);
    const Section alert = parent.section("alert_after_failures");
    made.alert.count = alert.number("count", made.alert.count);
    made.alert.within = alert.duration("within", made.alert.within, std::chrono::minutes(1));
    made.expect_success_within =
        parent.duration("expect_success_within", made.expect_success_within, std::chrono::minutes(1));
    made.retry_budget = parent.section("retry").share("budget", made.retry_budget);
    return made;
}

std::optional<std::size_t> parse_size(const std::string& text) {
    constexpr std::size_t most = std::size_t(1) << 40;  // bytes; below any overflow
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const std::size_t factor = unit.empty()    ? 1
                               : unit == "KiB" ? 1u << 10
                               : unit == "MiB" ? 1u << 20
                               : unit == "GiB" ? 1u << 30
                                               : 0;
    if (error != std::errc() || factor == 0 || number > most / factor) return std::nullopt;
    return number * factor;
}

}  // namespace liaisond::config
