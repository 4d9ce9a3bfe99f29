#include "simulate/network.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

namespace liaisond::simulate {
namespace {

http::Response failure(http::Response::Failure kind, std::string why) {
    http::Response response;
    response.failure = kind;
    response.error = std::move(why);
    return response;
}

std::string http_date(Instant at) {
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const std::string iso = format_instant(at);  // 2026-03-06T19:30:00.000Z
    const auto day = std::chrono::weekday(std::chrono::floor<std::chrono::days>(at)).c_encoding();
    return std::string(days[day]) + ", " + iso.substr(8, 2) + " " + months[std::stoi(iso.substr(5, 2)) - 1] +
           " " + iso.substr(0, 4) + " " + iso.substr(11, 8) + " GMT";
}

http::Response unchanged(http::Response response) { return response; }

}  // namespace

bool SimNetwork::strikes(Fault fault) {
    const auto rate = rates.find(fault);
    if (rate == rates.end() || !world_.chance(std::min(0.6, rate->second * storm))) return false;
    ++injected[fault];
    world_.note("fault", to_string(fault));
    return true;
}

void SimNetwork::send(http::Request sent, Completion<http::Response> done) {
    using Failure = http::Response::Failure;
    if (dies_at({})) return;
    if (sent.mutates) on_write(sent);
    if (sent.mutates && dies_at("before send")) return;
    ++requests;
    const auto request = std::make_shared<http::Request>(std::move(sent));
    world_.note(request->method, request->url);
    auto flight = std::make_shared<Flight>(Flight{request->pool, generation_, std::move(done)});
    flights_.push_back(flight);
    const bool pages = request->method == "GET" && !query_of(request->url, "limit").empty();
    if (pages && strikes(Fault::moving_pages)) between_pages(*vendors_.at(http::origin_of(request->url)));
    const Milliseconds pace(world_.between(5, 25));
    auto execution = std::make_shared<Execution>(Execution{flight, request, unchanged});
    const bool update = request->method == "PUT" || request->method == "DELETE";
    if (strikes(Fault::refused)) {
        answer(pace, flight, failure(Failure::not_sent, "no connection"));
    } else if (strikes(Fault::lost_request)) {
        answer(request->timeout, flight, failure(Failure::unknown, "no answer in time"));
    } else if (request->mutates && strikes(update ? Fault::late_update : Fault::late)) {
        answer(request->timeout, flight, failure(Failure::unknown, "no answer in time"));
        execute(request->timeout + world_.between(Milliseconds(0), longest_late), execution);
    } else if (strikes(Fault::error_before)) {
        http::Response error = answer_json(static_cast<unsigned>(500 + world_.between(1, 4)), json::object());
        if (error.status == 501) error.status = 500;
        if (error.status == 503 && world_.chance(0.5)) error.headers.emplace_back("Retry-After", "3");
        answer(pace, flight, std::move(error));
    } else if (strikes(Fault::too_many)) {
        answer(pace, flight, too_many());
    } else if (strikes(Fault::portal)) {
        http::Response page;
        page.status = 200;
        page.headers.emplace_back("Content-Type", "text/html");
        page.body = "<html>Please sign in</html>";
        answer(pace, flight, std::move(page));
    } else if (strikes(Fault::lost_answer)) {
        const Milliseconds heard = world_.chance(0.5) ? request->timeout : Milliseconds(0);
        execution->on_the_way = [](const http::Response&) {
            return failure(Failure::unknown, "the connection broke before the answer was complete");
        };
        if (heard.count() != 0) {
            answer(heard, flight, failure(Failure::unknown, "no answer in time"));
            execution->flight = nullptr;
        }
        execute(pace, execution);
    } else if (strikes(Fault::error_after)) {
        execution->on_the_way = [](const http::Response&) { return answer_json(504, json::object()); };
        execute(pace, execution);
    } else if (strikes(Fault::slow)) {
        execute(world_.between(Milliseconds(50), request->timeout - Milliseconds(100)), execution);
    } else {
        if (pages && strikes(Fault::repeated_records)) {
            execution->on_the_way = [this, url = request->url](http::Response response) {
                return repeated(url, std::move(response));
            };
        }
        execute(pace, execution);
    }
    if (request->mutates) (void)dies_at("after send");
}

// A page that brings records of the page before once more, and in another order.
http::Response SimNetwork::repeated(const std::string&, http::Response response) {
    if (response.status != 200) return response;
    json::object page = json::parse(response.body).as_object();
    json::array& items = page["items"].as_array();
    json::array again = items;
    if (items.size() > 1) again.push_back(items.front());
    std::reverse(again.begin(), again.end());
    items = std::move(again);
    return answer_json(200, page);
}

http::Response SimNetwork::too_many() {
    http::Response response = answer_json(429, json::object());
    const std::int64_t seconds = world_.between(1, 20);
    // The vendor's clock is right; ours may not be.
    response.headers.emplace_back(
        "Retry-After", world_.chance(0.5) ? std::to_string(seconds)
                                          : http_date(world_.true_time() + std::chrono::seconds(seconds)));
    response.headers.emplace_back("Date", http_date(world_.true_time()));
    return response;
}

void SimNetwork::execute(Milliseconds delay, std::shared_ptr<Execution> execution) {
    executions_.push_back(execution);
    world_.outside(delay, [this, execution] {
        carry_out(*execution);
        executions_.remove(execution);
    });
}

void SimNetwork::carry_out(Execution& execution) {
    if (std::exchange(execution.is_over, true)) return;
    http::Response response =
        vendors_.at(http::origin_of(execution.request->url))->handle(*execution.request);
    world_.note("executed", execution.request->method + " " + execution.request->url + " " +
                                std::to_string(response.status) + " " + execution.request->body);
    on_executed();
    if (execution.flight)
        answer(Milliseconds(5), execution.flight, execution.on_the_way(std::move(response)));
}

void SimNetwork::answer(Milliseconds delay, const std::shared_ptr<Flight>& flight, http::Response response) {
    world_.after(delay, [this, flight, response = std::move(response)]() mutable {
        complete(*flight, std::move(response));
    });
}

void SimNetwork::complete(Flight& flight, http::Response response) {
    if (flight.generation != generation_ || !flight.done) return;
    flights_.remove_if([&](const auto& one) { return one.get() == &flight; });
    world_.note("answer", response.failure == http::Response::Failure::none ? std::to_string(response.status)
                                                                            : response.error);
    std::exchange(flight.done, nullptr)(std::move(response));
}

void SimNetwork::cancel(const std::string& pool) {
    for (const auto& flight : flights_) {
        if (flight->pool == pool)
            answer(Milliseconds(0), flight, failure(http::Response::Failure::unknown, "cancelled"));
    }
}

void SimNetwork::suspend() {
    for (const auto& execution : executions_) carry_out(*execution);
    executions_.clear();
    for (const auto& flight : flights_)
        answer(Milliseconds(0), flight, failure(http::Response::Failure::unknown, "the connection is dead"));
}

}  // namespace liaisond::simulate
