#include "switches.hpp"

#include <algorithm>
#include <cstdlib>

#include "decimal.hpp"
#include "message.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t max_latency_ms = 600'000;
constexpr std::int64_t max_count = 1'000'000'000;

[[noreturn]] void refuse_switch(const std::string& name, const std::string& message) {
    refuse(422, "bad_switch", "the switches are refused", {{"/" + name, message}});
}

std::int64_t integer(const std::string& name, const Json& value, std::int64_t low, std::int64_t high) {
    const auto number = value.as_integer();
    if (number && *number >= low && *number <= high) return *number;
    refuse_switch(name, "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
}

double positive(const std::string& name, const Json* value) {
    const bool is_number = value && value->is(Json::Kind::number) && is_plain_decimal(value->text());
    const double number = is_number ? std::strtod(value->text().c_str(), nullptr) : 0;
    if (number <= 0) refuse_switch(name, "must be a number above 0");
    return number;
}

Every every(const std::string& name, const Json& value) {
    return {static_cast<std::uint64_t>(integer(name, value, 0, max_count)), 0};
}

RateLimit rate_limit(const Json& value) {
    RateLimit limit{positive("rate_limit/per_second", value.find("per_second")), 0};
    limit.burst = value.find("burst") ? positive("rate_limit/burst", value.find("burst")) : limit.per_second;
    limit.burst = std::max(limit.burst, 1.0);
    return limit;
}

constexpr const char* only_names[] = {"all", "reads", "writes"};
constexpr const char* edit_names[] = {"delete", "touch", "add"};

template <class E>
E choice(const std::string& name, const Json& value, const char* const (&names)[3]) {
    for (int i = 0; i < 3; ++i) {
        if (value.is(Json::Kind::string) && value.text() == names[i]) return static_cast<E>(i);
    }
    refuse_switch(name, std::string("must be ") + names[0] + ", " + names[1] + " or " + names[2]);
}

void merge_auth(const Json& value, Credentials& credentials) {
    for (const auto& [key, secret] : value.members()) {
        const bool is_known = credentials.contains(key);
        if (!is_known || !secret.is(Json::Kind::string))
            refuse_switch("auth/" + key, "must be a known string");
        credentials[key] = secret.text();
    }
}

// Sets a switch by name; false when there is none of that name.
bool set(Switches& switches, const std::string& name, const Json& value) {
    if (name == "latency_ms") {
        switches.latency_ms = integer(name, value, 0, max_latency_ms);
    } else if (name == "down") {
        if (!value.is(Json::Kind::boolean)) refuse_switch(name, "must be true or false");
        switches.is_down = value.truth();
    } else if (name == "fail_every") {
        switches.fail = every(name, value);
    } else if (name == "fail_status") {
        switches.fail_status = static_cast<unsigned>(integer(name, value, 400, 599));
    } else if (name == "retry_after") {
        switches.retry_after = integer(name, value, 0, max_count);
    } else if (name == "lose_every") {
        switches.lose = every(name, value);
    } else if (name == "reset_every") {
        switches.reset = every(name, value);
    } else if (name == "fault_after_commit_every") {
        switches.fault_after_commit = every(name, value);
    } else if (name == "execute_late_every") {
        switches.execute_late = every(name, value);
    } else if (name == "execute_late_ms") {
        switches.execute_late_ms = integer(name, value, 0, max_latency_ms);
    } else if (name == "index_lag_ms") {
        switches.index_lag_ms = integer(name, value, 0, max_latency_ms);
    } else if (name == "rate_limit") {
        switches.rate_limit = rate_limit(value);
    } else if (name == "slow_body_bytes_per_second") {
        switches.slow_body_bytes_per_second = integer(name, value, 0, max_count);
    } else if (name == "only") {
        switches.only = choice<Switches::Only>(name, value, only_names);
    } else if (name == "edit_pages_every") {
        switches.edit_pages = every(name, value);
    } else if (name == "edit") {
        switches.edit = choice<Switches::Edit>(name, value, edit_names);
    } else {
        return false;
    }
    return true;
}

// The JSON a default switch shows, which is also what sets it back.
void set_default(Switches& switches, const std::string& name) {
    const Json shown = Switches{}.to_json({});
    const Json* value = shown.find(name);
    if (name == "rate_limit") {
        switches.rate_limit.reset();
    } else if (!value || !set(switches, name, *value)) {
        refuse_switch(name, "is unknown");
    }
}

}  // namespace

bool Switches::concerns(bool is_write) const {
    return only == Only::all || (only == Only::writes) == is_write;
}

void Switches::merge(const Json& patch, Credentials& credentials, const Credentials& defaults) {
    if (!patch.is(Json::Kind::object)) refuse_switch("", "must be an object");
    Switches merged = *this;
    Credentials merged_credentials = credentials;
    for (const auto& [name, value] : patch.members()) {
        if (name == "auth" && value.is(Json::Kind::null)) {
            merged_credentials = defaults;
        } else if (name == "auth") {
            merge_auth(value, merged_credentials);
        } else if (value.is(Json::Kind::null)) {
            set_default(merged, name);
        } else if (!set(merged, name, value)) {
            refuse_switch(name, "is unknown");
        }
    }
    *this = merged;
    credentials = merged_credentials;
}

Json Switches::to_json(const Credentials& credentials) const {
    const auto count = [](std::uint64_t value) { return Json::integer(static_cast<std::int64_t>(value)); };
    Json json = Json::object();
    json.set("latency_ms", Json::integer(latency_ms)).set("down", Json::boolean(is_down));
    json.set("fail_every", count(fail.period)).set("fail_status", count(fail_status));
    json.set("retry_after", Json::integer(retry_after)).set("lose_every", count(lose.period));
    json.set("reset_every", count(reset.period));
    json.set("fault_after_commit_every", count(fault_after_commit.period));
    json.set("execute_late_every", count(execute_late.period));
    json.set("execute_late_ms", Json::integer(execute_late_ms))
        .set("index_lag_ms", Json::integer(index_lag_ms));
    json.set("rate_limit", Json());
    if (rate_limit) {
        Json limit = Json::object();
        limit.set("per_second", Json::number(std::to_string(rate_limit->per_second)));
        limit.set("burst", Json::number(std::to_string(rate_limit->burst)));
        json.set("rate_limit", std::move(limit));
    }
    json.set("slow_body_bytes_per_second", Json::integer(slow_body_bytes_per_second));
    json.set("only", Json::string(only_names[static_cast<int>(only)]));
    json.set("edit_pages_every", count(edit_pages.period));
    json.set("edit", Json::string(edit_names[static_cast<int>(edit)]));
    Json auth = Json::object();
    for (const auto& [key, secret] : credentials) auth.set(key, Json::string(secret));
    return std::move(json.set("auth", std::move(auth)));
}

void Stats::count_answer(unsigned status) {
    ++by_status[status];
    if (status == 401) {
        ++unauthorized;
    } else if (status == 429) {
        ++rate_limited;
    } else if (status >= 400 && status < 500) {
        ++refused;
    }
}

void Stats::add(const Stats& other) {
    reads += other.reads;
    writes += other.writes;
    writes_committed += other.writes_committed;
    answers_lost += other.answers_lost;
    duplicates += other.duplicates;
    unauthorized += other.unauthorized;
    refused += other.refused;
    rate_limited += other.rate_limited;
    logins += other.logins;
    logouts += other.logouts;
    faults += other.faults;
    in_flight += other.in_flight;
    in_flight_max += other.in_flight_max;
    for (const auto& [status, count] : other.by_status) by_status[status] += count;
}

void Stats::clear() {
    const std::uint64_t now = in_flight;
    *this = Stats{};
    in_flight = in_flight_max = now;
}

Json Stats::to_json() const {
    const auto count = [](std::uint64_t value) { return Json::integer(static_cast<std::int64_t>(value)); };
    Json json = Json::object();
    json.set("reads", count(reads)).set("writes", count(writes));
    json.set("writes_committed", count(writes_committed)).set("answers_lost", count(answers_lost));
    json.set("duplicates", count(duplicates)).set("unauthorized", count(unauthorized));
    json.set("refused", count(refused)).set("rate_limited", count(rate_limited));
    json.set("logins", count(logins)).set("logouts", count(logouts));
    json.set("faults", count(faults)).set("in_flight", count(in_flight));
    json.set("in_flight_max", count(in_flight_max));
    Json statuses = Json::object();
    for (const auto& [status, times] : by_status) statuses.set(std::to_string(status), count(times));
    return std::move(json.set("by_status", std::move(statuses)));
}

}  // namespace liaison_sim
