// booking_com: reservations from Booking.com's queues, availability and rates to it (Connectivity APIs, OTA).
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "availability.hpp"
#include "polling.hpp"
#include "reading.hpp"
#include "settings.hpp"
#include "wire.hpp"

namespace booking_com {
namespace {

using liaison::Context;
using liaison::Start;
using liaison::Task;

class BookingConnector : public liaison::Connector {
  public:
    explicit BookingConnector(std::string_view config) : settings_(read_settings(config)) {}

    // Thirty tokens an hour and account: asked for once, never repeated here.
    Task<std::string> login(Context& context, const Start&) override {
        const std::string url = settings_.token_url + "/token-based-authentication/exchange";
        Request request("POST", url);
        request.headers.emplace_back("Content-Type", "application/json");
        request.headers.emplace_back("Accept", "application/json");
        request.body = R"({"client_id":"{{secret:client_id}}","client_secret":"{{secret:client_secret}}"})";
        request.flags = LIAISON_REQUEST_BODY_IS_TEMPLATE | LIAISON_REQUEST_MUTATES;
        std::vector<Request> requests;
        requests.push_back(std::move(request));
        std::vector<Response> answers = co_await context.send_all(std::move(requests), 1);
        const Response& answer = answers.at(0);
        if (answer.error != LIAISON_ERROR_NONE) {
            const auto kind = static_cast<ErrorKind>(answer.error);
            throw Failure(kind == ErrorKind::unknown_outcome ? ErrorKind::transient : kind,
                          answer.error_text);
        }
        if (answer.status == 401 || answer.status == 403)
            throw Failure(ErrorKind::auth, "Booking.com refuses the client id or the client secret", {},
                          "HTTP " + std::to_string(answer.status));
        if (!answer.ok()) throw kit::read_failure(answer, url, context.now_ms());
        const Json body = kit::json_body(answer, url);
        const Json* token = body.find("jwt");
        if (token == nullptr || !token->is_string() || token->as_string().empty())
            throw Failure(ErrorKind::config, "no token came; is 'token_url' Booking.com's? (" + url + ")");
        Json output = Json::object();
        output.set("jwt", token->as_string());
        co_return output.dump();
    }

    // The list of rooms consumes no messages, and shows whether the codes in the settings are right.
    Task<std::string> test(Context& context) override {
        Json houses = Json::array();
        const std::string url = settings_.supply_url + "/hotels/xml/roomrates";
        for (const auto& one : settings_.properties) {
            Response answer = co_await context.send(room_list(url, one.first));
            if (!answer.ok()) throw refusal(answer, url, context.now_ms());
            houses.push_back(house(answer, url, one.second));
        }
        Json output = Json::object();
        output.set("account", "Booking.com");
        output.set("properties", std::move(houses));
        co_return output.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        Poll poll(settings_, start, context.now_ms());
        if (start.full || start.has_range()) co_await read_history(context, poll, start);
        if (start.has_range()) co_return;
        if (poll.needs_recovery(context.now_ms())) co_await list_missed(context, poll);
        for (std::size_t i = 0; i < settings_.recover_per_run && !poll.missed.empty(); ++i)
            co_await recover(context, poll, poll.missed.front());
        co_await take_queue(context, poll, Queue::fresh);
        co_await take_queue(context, poll, Queue::changed);
        poll.succeeded_ms = context.now_ms();
        std::vector<Record> none;
        co_await context.emit(std::move(none), poll.dump());
        if (poll.denied) throw *poll.denied;
    }

    Task<void> push(Context& context, const Start& start) override {
        Outgoing outgoing(settings_, start.entity == "rate", start.records, context.now_ms());
        std::optional<Failure> failure;
        for (std::size_t i = 0; i < outgoing.requests() && !failure; ++i) {
            std::vector<Request> requests;
            requests.push_back(outgoing.request(i, context.now_ms()));
            std::vector<Response> answers = co_await context.send_all(std::move(requests), 1);
            failure = outgoing.take_answer(i, answers.at(0), context.now_ms());
            if (failure) outgoing.abandon(i + 1, *failure);
        }
        co_await context.result(outgoing.results());
        if (failure) throw *failure;
    }

  private:
    Request room_list(const std::string& url, const std::string& hotel) const {
        return Request("POST", url)
            .auth(settings_.auth)
            .content("application/xml", "<request><hotel_id>" + escaped(hotel) + "</hotel_id></request>");
    }
    static Json house(const Response& answer, const std::string& url, const Property& property) {
        pugi::xml_document document;
        load(document, answer, url);
        const std::vector<Fault> faults = faults_of(document);
        if (!faults.empty()) throw fault_failure(faults.front(), url);
        std::set<std::string> rooms, rates;
        for (const pugi::xml_node& room : children(document.document_element(), "room")) {
            rooms.insert(attribute(room, "id"));
            for (const pugi::xml_node& rate : children(child(room, "rates"), "rate"))
                rates.insert(attribute(rate, "id"));
        }
        const auto check = [&](const auto& codes, const std::set<std::string>& there, const char* what) {
            for (const auto& [id, code] : codes) {
                if (!there.contains(id))
                    throw Failure(ErrorKind::config, std::string(what) + " " + id + " (" + code +
                                                         ") is none of property " + property.hotel_id +
                                                         " at Booking.com; see the setting 'properties'");
            }
        };
        check(property.rooms, rooms, "room");
        check(property.rate_plans, rates, "rate plan");
        Json made = Json::object();
        made.set("hotel_id", property.hotel_id);
        made.set("rooms", static_cast<std::int64_t>(rooms.size()));
        made.set("rooms_without_code", static_cast<std::int64_t>(rooms.size() - property.rooms.size()));
        return made;
    }

    // One GET of a queue, at the pace that Booking.com wants. `query` with its question mark.
    Task<std::vector<Message>> ask(Context& context, Poll& poll, Queue queue, const std::string& query,
                                   bool may_be_absent) const {
        const std::chrono::milliseconds wait = poll.wait(queue, context.now_ms());
        if (wait.count() > 0) { co_await context.sleep(wait); }
        const std::string url = queue_url(queue) + query;
        poll.asked(queue, context.now_ms());
        Response answer = co_await context.send(Request("GET", url).auth(settings_.auth));
        poll.asked(queue, context.now_ms());
        if (answer.status == 404 && may_be_absent) co_return std::vector<Message>();
        if (!answer.ok()) {
            std::vector<Record> none;
            co_await context.emit(std::move(none), poll.dump());  // when it was asked counts anyway
            throw refusal(answer, url, context.now_ms());
        }
        std::vector<Message> messages = read_messages(settings_, queue, answer, url);
        const std::string others = leave_others(messages);
        if (!others.empty()) context.log(LIAISON_LOG_WARNING, others);
        co_return messages;
    }
    // The queues hold the messages of all houses of the account. Those of houses that are not this
    // integration's are neither stored nor acknowledged: somebody else's, perhaps another tenant's. Returns
    // what to say about it.
    std::string leave_others(std::vector<Message>& messages) const {
        std::set<std::string> hotels;
        const std::size_t left = std::erase_if(messages, [&](const Message& one) {
            const bool is_ours = one.hotel.empty() || settings_.property(one.hotel) != nullptr;
            if (!is_ours) hotels.insert(one.hotel);
            return !is_ours;
        });
        if (left == 0) return {};
        std::string names;
        for (const std::string& one : hotels) names += (names.empty() ? "" : ", ") + one;
        return std::to_string(left) +
               " messages of properties that are not in 'properties' were left in the queue (" +
               kit::excerpt(names, 200) + "); after half an hour Booking.com mails them to the property";
    }
    Task<void> emit_all(Context& context, const Poll& poll, std::vector<Record> records) const {
        for (std::size_t from = 0; from < records.size(); from += most_emitted) {
            const std::size_t to = std::min(records.size(), from + most_emitted);
            std::vector<Record> some(
                std::make_move_iterator(records.begin() + static_cast<std::ptrdiff_t>(from)),
                std::make_move_iterator(records.begin() + static_cast<std::ptrdiff_t>(to)));
            co_await context.emit_pipelined(std::move(some), poll.dump());
        }
    }

    // Durable first, acknowledged then: the host holds the acknowledgement until the records are stored. What
    // it refuses to store is a dead letter, which it holds as well.
    Task<void> keep(Context& context, Poll& poll, Queue queue, std::vector<Message> messages) const {
        std::vector<std::string> ids;
        std::vector<Record> records;
        for (Message& one : messages) {
            if (!one.id.empty()) ids.push_back(one.id);
            records.push_back(std::move(one.record));
        }
        co_await emit_all(context, poll, std::move(records));
        for (std::size_t from = 0; from < ids.size(); from += most_acknowledged) {
            const std::size_t to = std::min(ids.size(), from + most_acknowledged);
            std::vector<std::string> some(ids.begin() + static_cast<std::ptrdiff_t>(from),
                                          ids.begin() + static_cast<std::ptrdiff_t>(to));
            const bool is_taken = co_await acknowledge(context, poll, queue, some);
            if (is_taken || some.size() == 1) continue;
            for (const std::string& one : some) {  // which of them it was does not show in the answer
                const std::vector<std::string> alone{one};
                const bool is_this_taken = co_await acknowledge(context, poll, queue, alone);
                (void)is_this_taken;  // it says so in the log
            }
        }
    }
    // False: refused. Whatever is not acknowledged comes again.
    Task<bool> acknowledge(Context& context, Poll& poll, Queue queue,
                           const std::vector<std::string>& ids) const {
        Acknowledged verdict;
        for (int tries = 0; tries < most_tries; ++tries) {
            if (verdict.again.count() > 0) { co_await context.sleep(verdict.again); }
            std::vector<Request> requests;
            requests.push_back(acknowledging(queue, ids, context.now_ms()));
            std::vector<Response> answers = co_await context.send_all(std::move(requests), 1);
            poll.posted_ms = context.now_ms();
            verdict = poll.judge(answers.at(0), ids, queue_url(queue), context.now_ms());
            if (verdict.again.count() == 0) break;
        }
        if (!verdict.note.empty()) context.log(LIAISON_LOG_WARNING, verdict.note);
        if (verdict.failure) {
            std::vector<Record> none;
            co_await context.emit(std::move(none), poll.dump());
            throw *verdict.failure;
        }
        co_return verdict.is_taken;
    }
    std::string queue_url(Queue queue) const { return settings_.reservations_url + names_of(queue).path; }
    Request acknowledging(Queue queue, const std::vector<std::string>& ids, std::int64_t now_ms) const {
        return Request("POST", queue_url(queue))
            .auth(settings_.auth)
            .content("application/xml", acknowledgement(settings_, queue, ids, now_ms))
            .mutates();
    }

    Task<void> take_queue(Context& context, Poll& poll, Queue queue) const {
        std::vector<Message> messages = co_await ask(context, poll, queue, "", false);
        if (messages.empty()) co_return;
        co_await keep(context, poll, queue, std::move(messages));
    }

    // ---- after an outage ----

    // Messages that nobody fetched in time left the queues.
    Task<void> list_missed(Context& context, Poll& poll) const {
        std::string cursor;
        do {
            const std::string url = poll.missed_url(context.now_ms(), cursor);
            Response answer = co_await context.send(Request("GET", url).auth(settings_.auth));
            if (answer.status == 403 || answer.status == 404) {
                context.log(LIAISON_LOG_WARNING,
                            "missed reservations cannot be listed; is the Reservation Recovery API enabled "
                            "for this account? Compare with the extranet by hand");
                co_return;
            }
            if (!answer.ok()) throw refusal(answer, url, context.now_ms());
            cursor = poll.take_missed(kit::json_body(answer, url), url);
        } while (!cursor.empty());
    }
    Task<void> recover(Context& context, Poll& poll, std::string id) const {
        const std::string query = "?id=" + kit::percent_encoded(id);
        for (const Queue queue : both_queues) {
            std::vector<Message> messages = co_await ask(context, poll, queue, query, true);
            if (messages.empty()) continue;
            poll.found(id);
            co_await keep(context, poll, queue, std::move(messages));
            co_return;
        }
        context.log(LIAISON_LOG_WARNING, "reservation " + id +
                                             " was missed, and Booking.com shows it no more; look for it in "
                                             "the extranet");
        poll.found(id);
    }

    // ---- everything that changed since a day ----

    // Acknowledged messages come again here, and are not acknowledged: what still waits in a queue is taken
    // there. The newest state of each reservation counts, and changes are newer than what is new.
    Task<void> read_history(Context& context, Poll& poll, const Start& start) const {
        const std::string query =
            "?last_change=" + kit::percent_encoded(poll.history_begin(start, context.now_ms()));
        std::map<std::string, Record> newest;
        for (const Queue queue : both_queues) {
            std::vector<Message> messages = co_await ask(context, poll, queue, query, false);
            for (Message& one : messages) {
                std::string key = one.record.key;
                newest.insert_or_assign(std::move(key), std::move(one.record));
            }
        }
        std::vector<Record> records;
        for (auto& [key, record] : newest) records.push_back(std::move(record));
        co_await emit_all(context, poll, std::move(records));
    }

    static constexpr std::size_t most_acknowledged = 50, most_emitted = 500;
    static constexpr int most_tries = 3;  // of an acknowledgement, which may be repeated
    static constexpr std::array both_queues{Queue::fresh, Queue::changed};
    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<BookingConnector>(config);
}

}  // namespace
}  // namespace booking_com

LIAISON_PLUGIN(booking_com::make)
