#include "sync/vitals.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::sync {
namespace json = boost::json;
namespace {

using store::Severity;

constexpr std::uint32_t suspicious_listings = 3;
// Dead letters that did not become more for that long are no news.
constexpr Milliseconds growth_remembered{24 * 3'600'000};
constexpr std::size_t most_failures_kept = 1000;  // as many as an alert may be configured to count

bool ever(Instant at) { return to_unix_ms(at) != 0; }

std::string moment(Instant at) { return format_instant(at).substr(0, 16) + "Z"; }

}  // namespace

void Vitals::succeeded(Instant now) {
    failures = 0;
    last_run = last_success = now;
    if (suspension == Suspension::failures) suspension = Suspension::none;
}

bool Vitals::failed(const config::Supervision& policy, Instant now) {
    ++failures;
    last_run = now;
    failed_at.push_back(now);
    const Instant since = now - policy.alert.within;
    failed_at.erase(failed_at.begin(),
                    std::find_if(failed_at.begin(), failed_at.end(), [&](Instant at) { return at > since; }));
    // One more than the alert asks for is as good as all of them.
    const std::size_t kept = std::min<std::size_t>(policy.alert.count + 1, most_failures_kept);
    if (failed_at.size() > kept) failed_at.erase(failed_at.begin());
    if (suspension != Suspension::none || failures < policy.suspend_after) return false;
    suspend(Suspension::failures, now);
    return true;
}

void Vitals::listed(const std::string& entity, bool anything) {
    const auto found = std::find_if(listings.begin(), listings.end(),
                                    [&](const Listing& one) { return one.entity == entity; });
    if (found != listings.end()) {
        found->empty = anything ? 0 : found->empty + 1;
    } else if (anything) {
        listings.push_back({entity, 0});
    }
}

void Vitals::step(Milliseconds step) {
    for (Instant* at : {&known_since, &last_run, &last_success, &suspended_at, &dead_since, &resumed_at}) {
        if (ever(*at)) *at += step;
    }
    for (Instant& at : failed_at) at += step;
}

void Vitals::suspend(Suspension why, Instant now) {
    suspension = why;
    suspended_at = now;
}

void Vitals::resume(const config::Supervision& policy, bool probed) {
    suspension = Suspension::none;
    failures = probed ? std::min(failures, policy.suspend_after - 1) : 0;
}

void Vitals::queued(const store::QueueSizes& sizes, Instant now) {
    if (sizes.dead_letters > waiting.dead_letters) dead_since = now;
    waiting = sizes;
}

std::vector<Finding> Vitals::findings(const std::string& id, const config::Supervision& policy,
                                      Milliseconds patience, Instant now) const {
    std::vector<Finding> found;
    const auto recent = std::count_if(failed_at.begin(), failed_at.end(),
                                      [&](Instant at) { return at > now - policy.alert.within; });
    if (recent > static_cast<std::int64_t>(policy.alert.count)) {
        found.push_back({"failures", "", Severity::warning,
                         "more than " + std::to_string(policy.alert.count) + " failed runs within " +
                             format_duration(policy.alert.within)});
    }
    const auto alarm = alarm_due(patience);
    if (alarm && *alarm <= now && !ever(last_run)) {
        found.push_back(
            {"never_ran", "", Severity::critical, "has never run since it is known, " + moment(known_since)});
    } else if (alarm && *alarm <= now) {
        found.push_back({"no_success", "", Severity::critical,
                         ever(last_success) ? "no success since " + moment(last_success)
                                            : "no success yet; known since " + moment(known_since)});
    }
    for (const Listing& one : listings) {
        if (one.empty >= suspicious_listings) {
            found.push_back({"empty_listing", one.entity, Severity::warning,
                             "fetches nothing any more: " + one.entity + " was empty in the last " +
                                 std::to_string(one.empty) + " complete listings"});
        }
    }
    if (ever(restored_to)) {
        found.push_back(
            {"restored", "", Severity::critical,
             "the hub is a backup made at " + moment(restored_to) +
                 ", and records that came since would be created at the vendor once more: compare "
                 "what it would send, liaisonctl run " +
                 id + " --dry-run, with what is there; then: liaisonctl integrations resume " + id});
    }
    if (waiting.in_doubt > 0) {
        found.push_back({"in_doubt", "", Severity::critical,
                         std::to_string(waiting.in_doubt) +
                             (waiting.in_doubt == 1 ? " record is" : " records are") +
                             " in doubt (sent, and nobody knows whether it arrived); see: liaisonctl intents "
                             "--integration " +
                             id});
    }
    if (waiting.twice > 0) {
        found.push_back(
            {"duplicate", "", Severity::critical,
             std::to_string(waiting.twice) + (waiting.twice == 1 ? " record is" : " records are") +
                 " at the vendor twice: it took longer than the integration's settle time to "
                 "execute what it was sent; remove all but one there; see: liaisonctl logs --failed "
                 "--integration " +
                 id});
    }
    if (waiting.oscillating > 0) {
        found.push_back(
            {"oscillation", "", Severity::warning,
             std::to_string(waiting.oscillating) +
                 (waiting.oscillating == 1 ? " record has" : " records have") +
                 " fields that systems change back and forth; they stay as they are until somebody "
                 "decides: liaisonctl conflicts --integration " +
                 id});
    }
    if (const std::int64_t rest = waiting.conflicts - waiting.oscillating; rest > 0) {
        found.push_back({"conflicts", "", Severity::warning,
                         std::to_string(rest) + (rest == 1 ? " record waits" : " records wait") +
                             " for somebody to decide which value is right; see: liaisonctl conflicts "
                             "--integration " +
                             id});
    }
    if (waiting.dead_letters > 0 && dead_since + growth_remembered > now) {
        found.push_back({"dead_letters", "", Severity::warning,
                         std::to_string(waiting.dead_letters) +
                             (waiting.dead_letters == 1 ? " record was refused and waits"
                                                        : " records were refused and wait") +
                             " as dead letters, the latest since " + moment(dead_since) +
                             "; see: liaisonctl dead-letters --integration " + id});
    }
    return found;
}

std::optional<Instant> Vitals::next_look(const config::Supervision& policy, Milliseconds patience,
                                         Instant now) const {
    std::optional<Instant> next;
    const auto consider = [&](std::optional<Instant> at) {
        if (at && *at > now && (!next || *at < *next)) next = at;
    };
    consider(alarm_due(patience));
    const auto count = static_cast<std::size_t>(policy.alert.count);
    if (failed_at.size() > count) consider(failed_at[failed_at.size() - count - 1] + policy.alert.within);
    if (waiting.dead_letters > 0) consider(dead_since + growth_remembered);
    return next;
}

std::optional<Instant> Vitals::alarm_due(Milliseconds patience) const {
    if (patience.count() == 0 || suspension == Suspension::by_operator) return std::nullopt;
    return std::max({last_success, known_since, resumed_at}) + patience;
}

std::string Vitals::to_json() const {
    json::object made{{"known_since", to_unix_ms(known_since)}};
    if (failures != 0) made["failures"] = failures;
    if (ever(last_run)) made["last_run"] = to_unix_ms(last_run);
    if (ever(last_success)) made["last_success"] = to_unix_ms(last_success);
    if (ever(resumed_at)) made["resumed_at"] = to_unix_ms(resumed_at);
    if (ever(restored_to)) made["restored_to"] = to_unix_ms(restored_to);
    if (waiting.in_doubt != 0) made["in_doubt"] = waiting.in_doubt;
    if (waiting.conflicts != 0) made["conflicts"] = waiting.conflicts;
    if (waiting.twice != 0) made["twice"] = waiting.twice;
    if (waiting.oscillating != 0) made["oscillating"] = waiting.oscillating;
    if (waiting.dead_letters != 0) {
        made["dead_letters"] = waiting.dead_letters;
        made["dead_since"] = to_unix_ms(dead_since);
    }
    if (suspension != Suspension::none) {
        made["suspended"] = suspension == Suspension::failures ? "failures" : "operator";
        made["suspended_at"] = to_unix_ms(suspended_at);
    }
    if (!failed_at.empty()) {
        json::array list;
        for (const Instant at : failed_at) list.emplace_back(to_unix_ms(at));
        made["failed_at"] = std::move(list);
    }
    if (!listings.empty()) {
        json::object list;
        for (const Listing& one : listings) list[one.entity] = one.empty;
        made["listings"] = std::move(list);
    }
    return json::serialize(made);
}

Vitals Vitals::from_json(std::string_view text) {
    Vitals made;
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return made;
    const json::object& from = value.get_object();
    const auto number = [](const json::value& of) { return of.is_int64() ? of.get_int64() : 0; };
    const auto moment_at = [&](const char* key) {
        const json::value* found = from.if_contains(key);
        return from_unix_ms(found != nullptr ? number(*found) : 0);
    };
    made.known_since = moment_at("known_since");
    made.last_run = moment_at("last_run");
    made.last_success = moment_at("last_success");
    made.suspended_at = moment_at("suspended_at");
    made.dead_since = moment_at("dead_since");
    made.resumed_at = moment_at("resumed_at");
    made.restored_to = moment_at("restored_to");
    const auto count_at = [&](const char* key) {
        const json::value* found = from.if_contains(key);
        return found != nullptr ? number(*found) : 0;
    };
    made.waiting = {count_at("dead_letters"), count_at("in_doubt"), count_at("conflicts"),
                    count_at("oscillating"), count_at("twice")};
    if (const json::value* failures = from.if_contains("failures"))
        made.failures = static_cast<std::uint32_t>(number(*failures));
    if (const json::value* why = from.if_contains("suspended"))
        made.suspension = *why == "operator" ? Suspension::by_operator : Suspension::failures;
    if (const json::value* list = from.if_contains("failed_at"); list != nullptr && list->is_array()) {
        for (const json::value& at : list->get_array()) made.failed_at.push_back(from_unix_ms(number(at)));
    }
    if (const json::value* list = from.if_contains("listings"); list != nullptr && list->is_object()) {
        for (const auto& [entity, empty] : list->get_object())
            made.listings.push_back({std::string(entity), static_cast<std::uint32_t>(number(empty))});
    }
    return made;
}

}  // namespace liaisond::sync
