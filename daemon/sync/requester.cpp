#include "sync/requester.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <liaison/kit/xml_elements.hpp>

#include "base/fault_point.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/backoff.hpp"

namespace liaisond::sync {
namespace {

constexpr std::uint32_t reads_repeated_at_most = 4;
constexpr double repeats_free_of_budget = 10;

plugin::Response failed(std::uint32_t category, std::string text) {
    plugin::Response response;
    response.error = category;
    response.error_text = std::move(text);
    return response;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form that may be sent today
std::optional<Instant> http_date(const std::string& value) {
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (value.size() != 29) return std::nullopt;
    const auto month = std::find(months.begin(), months.end(), std::string_view(value).substr(8, 3));
    if (month == months.end()) return std::nullopt;
    const auto number = static_cast<int>(month - months.begin()) + 1;
    return parse_instant(value.substr(12, 4) + "-" + (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                         value.substr(5, 2) + "T" + value.substr(17, 8) + "Z");
}

std::string pause_in_seconds(const config::Limits& limits) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(limits.pause_after_429).count());
}

}  // namespace

Milliseconds retry_after(const http::Headers& headers, Instant now) {
    const auto find = [&](std::string_view wanted) -> const std::string* {
        const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
            return equals_ignoring_case(header.first, wanted);
        });
        return found != headers.end() ? &found->second : nullptr;
    };
    const std::string* value = find("Retry-After");
    if (value == nullptr) return Milliseconds(0);
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (error == std::errc() && end == value->data() + value->size())
        return Milliseconds(std::clamp<std::int64_t>(seconds, 0, 86'400) * 1000);
    const std::optional<Instant> at = http_date(*value);
    if (!at) return Milliseconds(0);
    // By the vendor's own clock, where it tells: this machine's may be wrong.
    const std::string* date = find("Date");
    const Instant there = (date != nullptr ? http_date(*date) : std::nullopt).value_or(now);
    return std::clamp<Milliseconds>(*at - there, Milliseconds(0), std::chrono::hours(24));
}

struct Requester::Batch {
    std::vector<plugin::Request> requests;
    std::vector<plugin::Response> responses;
    OnWrite on_write;
    std::size_t next = 0, finished = 0;
    Completion<std::vector<plugin::Response>> done;
};

Requester::Requester(const Ports& ports, Fibers& fibers, std::shared_ptr<const Link> link,
                     std::shared_ptr<Gate> gate, Breaker& breaker, Logins& logins, store::Lane lane)
    : ports_(ports),
      fibers_(fibers),
      link_(std::move(link)),
      gate_(std::move(gate)),
      breaker_(breaker),
      logins_(logins),
      lane_(lane) {}

std::string Requester::pool_of(const Link& link, store::Lane lane) {
    switch (lane) {
        case store::Lane::live: break;
        case store::Lane::backfill: return link.config.id + " (back-fill)";
        case store::Lane::events: return link.config.id + " (webhooks)";
    }
    return link.config.id;
}

Await<std::vector<plugin::Response>> Requester::send_all(RunControl& control,
                                                         std::vector<plugin::Request> requests,
                                                         std::uint32_t max_parallel, OnWrite on_write) {
    auto batch = std::make_shared<Batch>();
    batch->responses.resize(requests.size());
    batch->requests = std::move(requests);
    batch->on_write = std::move(on_write);
    return Await<std::vector<plugin::Response>>([this, &control, batch, max_parallel](
                                                    Completion<std::vector<plugin::Response>> done) {
        if (batch->requests.empty()) return ports_.timers.post([done = std::move(done)] { done({}); });
        batch->done = std::move(done);
        const std::size_t lanes = std::min<std::size_t>(std::max(1u, max_parallel), batch->requests.size());
        for (std::size_t i = 0; i < lanes; ++i) fibers_.spawn(lane(control, batch));
    });
}

Task<void> Requester::lane(RunControl& control, std::shared_ptr<Batch> batch) {
    while (batch->next < batch->requests.size()) {
        const std::size_t index = batch->next++;
        plugin::Response response = co_await send_one(control, batch->requests[index], batch->on_write);
        batch->responses[index] = std::move(response);
        if (++batch->finished == batch->requests.size()) {
            ports_.timers.post([batch] { batch->done(std::move(batch->responses)); });
        }
    }
}

Task<plugin::Response> Requester::send_one(RunControl& control, const plugin::Request& request,
                                           const OnWrite& on_write) {
    plugin::Response response;
    bool signed_in_anew = false, has_settled = false;
    const auth::Scheme* scheme = request.auth.empty() ? nullptr : link_->authorizer->scheme(request.auth);
    const Milliseconds settle =
        scheme != nullptr && scheme->oauth2 ? scheme->oauth2->settle : Milliseconds(0);
    for (std::uint32_t tries = 1;; ++tries) {
        Attempt made;
        made.is_patient = signed_in_anew && !has_settled && settle.count() != 0;
        response = co_await attempt(control, request, on_write, made);
        // What the vendor refused for its token it has not executed: once more, with a new one.
        if (made.expired && !std::exchange(signed_in_anew, true) && control.stop == Stop::none) continue;
        // The new one may not have reached all of the vendor's servers: yet another would not help.
        if (made.expired && made.is_patient && control.stop == Stop::none) {
            has_settled = true;
            co_await pause(ports_.timers, settle);
            continue;
        }
        if (!made.worth_repeating || !may_repeat(control, request, tries)) break;
        if (made.advised > longest_wait_in_run) break;
        const Milliseconds wait = std::max(
            made.advised, std::min(backoff(link_->config.retry, tries, ports_.random), longest_wait_in_run));
        ++control.repeated;
        co_await pause(ports_.timers, wait);
    }
    co_return response;
}

// A run whose requests keep failing is not helped by sending each of them four times.
bool Requester::may_repeat(const RunControl& control, const plugin::Request& request,
                           std::uint32_t tries) const {
    if (request.mutates() || control.stop != Stop::none) return false;
    if (tries >= std::min(link_->config.retry.attempts, reads_repeated_at_most)) return false;
    const double budget = repeats_free_of_budget +
                          link_->config.supervision.retry_budget * static_cast<double>(control.run.requests);
    return control.repeated < budget;
}

// An answer where the request may not go.
Task<std::optional<plugin::Response>> Requester::pass_gate(RunControl& control) {
    std::optional<plugin::Response> refused = held_by_breaker(control);
    if (refused) co_return refused;
    Gate::Admission admission = co_await gate_->enter(control);
    if (admission.admitted && control.stop != Stop::cancel) {
        refused = held_by_breaker(control);  // opened while this one waited
        if (refused) gate_->leave();
        co_return refused;
    }
    if (admission.admitted) gate_->leave();
    if (admission.wait.count() == 0) {
        co_return failed(LIAISON_ERROR_TRANSIENT, "the run was stopped before the request was sent");
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(admission.wait);
    control.held_back = Error{ErrorKind::rate_limited,
                              "the vendor's limits are used up; the next request may go in " +
                                  format_duration(std::chrono::duration_cast<Milliseconds>(seconds)),
                              admission.wait, "limit"};
    co_return failed(LIAISON_ERROR_RATE_LIMITED, control.held_back->message);
}

std::optional<plugin::Response> Requester::held_by_breaker(RunControl& control) const {
    if (control.probing || breaker_.state() != Breaker::State::open) return std::nullopt;
    const Milliseconds wait = std::max(Milliseconds(1), breaker_.open_until() - ports_.clock.now());
    control.held_back = Error{ErrorKind::transient,
                              "too many requests to the vendor failed; it is left alone until " +
                                  format_instant(breaker_.open_until()) + " (circuit breaker)",
                              wait, "breaker"};
    return failed(LIAISON_ERROR_TRANSIENT, control.held_back->message);
}

// What an answer says about the vendor: is it there, does it want fewer requests?
void Requester::learn(RunControl& control, const http::Response& answer, Milliseconds advised) {
    using Failure = http::Response::Failure;
    if (answer.failure == Failure::refused || control.stop == Stop::cancel) return;
    const bool too_many = answer.failure == Failure::none && answer.status == 429;
    gate_->answered(too_many, advised);
    if (too_many || control.probing) return;
    const bool failed = answer.failure != Failure::none || answer.status >= 500;
    const bool opened = breaker_.record(link_->config.supervision.breaker, failed, ports_.clock.now());
    if (!opened) return;
    // At once: the run may end long after, or in a crash.
    const auto work = [id = link_->config.id, kept = breaker_.to_json()](store::Database& database) {
        return database.save_state("breaker", id, kept);
    };
    ports_.store.write(work, [](Status) {});
}

// Quotas must survive a crash in the middle of a long run, too; the end of the run keeps them anyway.
void Requester::keep_quota() {
    if (!gate_->needs_keeping()) return;
    const auto work = [key = Gates::key_of(*link_), kept = gate_->kept()](store::Database& database) {
        return database.save_state("quota", key, kept);
    };
    ports_.store.write(work, [](Status) {});
}

Task<plugin::Response> Requester::attempt(RunControl& control, const plugin::Request& request,
                                          const OnWrite& on_write, Attempt& attempt) {
    const auth::Scheme* scheme = request.auth.empty() ? nullptr : link_->authorizer->scheme(request.auth);
    Result<Logins::Live> live = co_await sign_in(control, scheme);
    if (!live) co_return failed(static_cast<std::uint32_t>(live.error().kind), live.error().message);
    auto prepared = prepare(request, **live);
    if (!prepared)
        co_return failed(static_cast<std::uint32_t>(prepared.error().kind), prepared.error().message);
    if (request.mutates() && control.dry_run) {
        if (on_write) on_write(request, Write::held);
        co_return failed(LIAISON_ERROR_TRANSIENT, "this is a plan: the request was not sent");
    }
    std::optional<plugin::Response> held = co_await pass_gate(control);
    if (held) co_return std::move(*held);
    if (request.mutates() && on_write) on_write(request, Write::sent);
    keep_quota();
    if (request.mutates())
        LIAISON_FAULT_POINT("request.before_write");
    else
        LIAISON_FAULT_POINT("request.before_read");
    http::Response answer = co_await transport(std::move(*prepared));
    ports_.observer.answered(link_->config.id, answer);
    if (request.mutates())
        LIAISON_FAULT_POINT("request.after_write");
    else
        LIAISON_FAULT_POINT("request.after_read");
    attempt.advised = retry_after(answer.headers, ports_.clock.now());
    // As the vendor would say itself; the connector reads it, too.
    const bool pauses = answer.status == 429 && attempt.advised.count() == 0 &&
                        link_->config.limits.pause_after_429.count() != 0;
    if (pauses) attempt.advised = link_->config.limits.pause_after_429;
    learn(control, answer, attempt.advised);
    keep_cookies(control, scheme, answer);
    gate_->leave();
    ++control.run.requests;
    control.run.bytes += static_cast<std::int64_t>(answer.bytes);
    using Failure = http::Response::Failure;
    if (answer.failure == Failure::refused) co_return failed(LIAISON_ERROR_CONFIG, std::move(answer.error));
    if (answer.failure != Failure::none) {
        attempt.worth_repeating = true;
        const bool doubtful = request.mutates() && answer.failure == Failure::unknown;
        co_return failed(doubtful ? LIAISON_ERROR_UNKNOWN_OUTCOME : LIAISON_ERROR_TRANSIENT,
                         std::move(answer.error));
    }
    if (scheme != nullptr && (*live)->generation != 0 &&
        std::find(scheme->expired.begin(), scheme->expired.end(), answer.status) != scheme->expired.end()) {
        if (!attempt.is_patient) logins_.refused(*link_, *scheme, (*live)->generation);
        attempt.expired = true;
    }
    attempt.worth_repeating =
        answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
    plugin::Response response;
    response.status = answer.status;
    response.body = link_->dropped_elements.empty()
                        ? std::move(answer.body)
                        : liaison::kit::without_elements(answer.body, link_->dropped_elements);
    for (auto& [name, value] : answer.headers)
        response.headers.push_back({std::move(name), std::move(value)});
    if (pauses) response.headers.push_back({"Retry-After", pause_in_seconds(link_->config.limits)});
    co_return response;
}

// What the scheme's requests are sent with; nothing where it needs nothing, and for a login itself.
Task<Result<Logins::Live>> Requester::sign_in(RunControl& control, const auth::Scheme* scheme) {
    static const auto nothing = std::make_shared<const auth::Live>();
    if (scheme == nullptr || !scheme->needs_login() || control.login) co_return nothing;
    Result<Logins::Live> live = co_await logins_.of(link_, *scheme);
    if (!live) control.held_back = live.error();
    co_return live;
}

// A session's cookies stay here; the connector does not see them.
void Requester::keep_cookies(RunControl& control, const auth::Scheme* scheme, http::Response& answer) {
    if (control.login) scheme = control.login->scheme;
    if (scheme == nullptr || !scheme->session) return;
    const std::vector<std::string>& names = scheme->session->cookies;
    std::erase_if(answer.headers, [&](const auto& header) {
        if (!equals_ignoring_case(header.first, "Set-Cookie")) return false;
        const auto [name, value] = cookie_in(header.second);
        if (std::find(names.begin(), names.end(), name) == names.end()) return false;
        redactor().add(value);
        if (control.login)
            control.login->session[name] = Secret(value);
        else
            logins_.learn(*link_, *scheme, name, value);
        return true;
    });
}

Result<http::Request> Requester::prepare(const plugin::Request& request, const auth::Live& live) const {
    http::Request made;
    made.method = request.method;
    made.url = request.url;
    for (const plugin::Header& header : request.headers) made.headers.emplace_back(header.name, header.value);
    made.body = request.body;
    made.mutates = request.mutates();
    made.connect_timeout = link_->config.timeouts.connect;
    made.timeout = request.timeout_ms != 0
                       ? std::min(Milliseconds(request.timeout_ms), link_->config.timeouts.request)
                       : link_->config.timeouts.request;
    if (request.max_body != 0) made.max_body = std::min(made.max_body, request.max_body);
    made.ca_file = link_->config.ca_file;
    made.pool = pool_of(*link_, lane_);
    made.egress = link_->egress;
    // Secrets only ever travel to the integration's own origins.
    const bool secret = !request.auth.empty() || (request.flags & LIAISON_REQUEST_BODY_IS_TEMPLATE) != 0;
    if (!secret) return made;
    if (!http::may_send(*link_->egress, request.url)) {
        return fail(ErrorKind::config, "the connector wants to send credentials to " +
                                           shortened(http::origin_of(request.url), 200) +
                                           ", which is not among the origins of this integration");
    }
    const Instant now = ports_.clock.now();
    const auto applied = link_->authorizer->apply(request.auth, made, live, now, ports_.random);
    if (!applied) return fail(applied.error());
    if ((request.flags & LIAISON_REQUEST_BODY_IS_TEMPLATE) != 0) {
        const auto body = link_->authorizer->expand_body(made, live, now);
        if (!body) return fail(body.error());
    }
    return made;
}

Await<http::Response> Requester::transport(http::Request request) {
    auto shared = std::make_shared<http::Request>(std::move(request));
    return Await<http::Response>([this, shared](Completion<http::Response> done) {
        ports_.transport.send(std::move(*shared), std::move(done));
    });
}

}  // namespace liaisond::sync
