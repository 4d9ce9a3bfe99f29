#include "webhooks/intake.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "base/log.hpp"
#include "webhooks/signature.hpp"

namespace liaisond::webhooks {
namespace json = boost::json;
namespace {

// Events of one commit, and commits under way: while the disk syncs one, the next is handed over.
constexpr std::size_t most_in_batch = 256, most_in_flight = 2;
constexpr std::chrono::seconds retry_when_full{10}, retry_when_broken{5}, retry_when_disabled{300};
constexpr std::chrono::milliseconds count_pause{100};
constexpr std::chrono::minutes between_refusals{1};

web::Answer problem(unsigned status, const std::string& detail) {
    return {status, "application/problem+json",
            json::serialize(json::object{{"type", "about:blank"}, {"status", status}, {"detail", detail}})};
}

web::Answer problem(unsigned status, const std::string& detail, std::chrono::seconds retry_after) {
    web::Answer answer = problem(status, detail);
    answer.headers.emplace_back("Retry-After", std::to_string(retry_after.count()));
    return answer;
}

// Whoever asks learns nothing: not whether there is such an endpoint, nor what was wrong.
web::Answer unauthenticated() { return problem(401, "the delivery is not authenticated"); }

web::Answer taken(bool is_known) {
    return {200, "application/json", is_known ? R"({"ok":true,"duplicate":true})" : R"({"ok":true})"};
}

Endpoint make_decoy() {
    Endpoint decoy;
    decoy.rules = std::make_shared<const config::Webhook>(*config::webhook_preset("generic"));
    decoy.secrets.emplace_back("nobody's");
    return decoy;
}

}  // namespace

Intake::Intake(store::Store& store, const Clock& clock, Random& random, Post post, Arrived arrived)
    : store_(store),
      clock_(clock),
      random_(random),
      post_(std::move(post)),
      arrived_(std::move(arrived)),
      decoy_(make_decoy()),
      endpoints_(std::make_shared<const Endpoints>()) {}

bool Intake::is_for(const web::Request& request) {
    return request.path.size() >= 2 && request.path[0] == "api" && request.path[1] == "webhooks";
}

std::shared_ptr<const Endpoints> Intake::endpoints() const {
    const MutexLock lock(mutex_);
    return endpoints_;
}

void Intake::set_endpoints(std::shared_ptr<const Endpoints> endpoints) {
    const MutexLock lock(mutex_);
    endpoints_ = std::move(endpoints);
}

void Intake::handle(web::Request request, web::Reply reply) {
    if (request.method != "POST") {
        web::Answer answer = problem(405, "webhooks come with POST");
        answer.headers.emplace_back("Allow", "POST");
        return reply(std::move(answer));
    }
    const Media media = media_of(request.header("Content-Type"));
    if (media == Media::other || (media == Media::none && !request.body.empty()))
        return reply(problem(415, "what is read here is JSON, a form, or XML, with its Content-Type"));
    const auto endpoints = this->endpoints();
    const auto& all = endpoints->by_integration;
    const auto found =
        request.path.size() == 5 && request.path[2] == "integrations" ? all.find(request.path[4]) : all.end();
    const bool is_known = found != all.end() && found->second.tenant == request.path[3];
    const Endpoint& endpoint = is_known ? found->second : decoy_;
    const Instant now = clock_.now();
    const Verdict verdict =
        verify(endpoint.rules->profile, {request, endpoints->public_url}, endpoint.secrets_at(now), now);
    if (!is_known || verdict != Verdict::accepted) {
        if (is_known) {
            ++endpoint.counters->refused;
            tell_refusal(endpoint, to_string(verdict), now);
        }
        return reply(unauthenticated());
    }
    request.recognise();
    store::InboxEvent event;
    web::Answer refusal = refuse_or_take(endpoint, request, event);
    if (refusal.status != 200) return reply(std::move(refusal));
    waiting_.push_back({endpoint.counters, std::move(event), std::move(reply)});
    flush();
}

void Intake::tell_refusal(const Endpoint& endpoint, std::string_view why, Instant now) {
    const auto [told, is_first] = told_.try_emplace(endpoint.integration, now);
    if (!is_first && now - told->second < between_refusals && now >= told->second) return;
    told->second = now;
    log(LogLevel::info, "a webhook was refused: " + std::string(why),
        {{"integration", endpoint.integration},
         {"profile", endpoint.rules->profile.name},
         {"refused", std::to_string(endpoint.counters->refused)}});
}

// The answer of a delivery that is the vendor's own and still cannot be taken; 200 where it can.
web::Answer Intake::refuse_or_take(const Endpoint& endpoint, const web::Request& request,
                                   store::InboxEvent& event) {
    const auto counted = [&](web::Answer answer) {
        ++endpoint.counters->refused;
        return answer;
    };
    // The vendor keeps it and comes again, so that a short pause loses nothing.
    if (!endpoint.enabled) return counted(problem(503, "this integration is disabled", retry_when_disabled));
    if (request.body.size() > endpoint.rules->max_body)
        return counted(
            problem(413, "the body is larger than " + std::to_string(endpoint.rules->max_body) + " bytes"));
    if (!has_room(endpoint))
        return counted(
            problem(429, "too many events wait to be processed; send this one again later", retry_when_full));
    auto read = read_event(endpoint, request, clock_.now(), random_);
    if (!read) return counted(problem(400, read.error().message));
    event = std::move(*read);
    return taken(false);
}

bool Intake::has_room(const Endpoint& endpoint) {
    const Backlog& backlog = backlogs_[endpoint.integration];
    const std::uint64_t most = endpoint.rules->max_waiting;
    if (backlog.waiting >= most / 2 && !is_counting_ && clock_.monotonic() >= next_count_) count_backlogs();
    return backlog.waiting < most;
}

// What was processed meanwhile only the store knows.
void Intake::count_backlogs() {
    is_counting_ = true;
    store_.read([](store::Database& database) { return database.waiting_event_counts(); },
                [this](Result<std::map<std::string, std::uint64_t>> counts) {
                    post_([this, counts = std::move(counts)] {
                        is_counting_ = false;
                        next_count_ = clock_.monotonic() + count_pause;
                        if (!counts) return;
                        for (auto& [integration, backlog] : backlogs_) {
                            const auto counted = counts->find(integration);
                            backlog.waiting = counted == counts->end() ? 0 : counted->second;
                        }
                    });
                });
}

void Intake::flush() {
    if (in_flight_ >= most_in_flight || waiting_.empty()) return;
    auto batch = std::make_shared<Batch>();
    if (waiting_.size() <= most_in_batch) {
        batch->swap(waiting_);
    } else {
        const auto end = waiting_.begin() + most_in_batch;
        std::move(waiting_.begin(), end, std::back_inserter(*batch));
        waiting_.erase(waiting_.begin(), end);
    }
    ++in_flight_;
    store_.write([batch](store::Database& database) { return write(database, *batch); },
                 [this, batch](Result<std::vector<Outcome>> outcomes) {
                     if (outcomes) tell(*batch, *outcomes);
                     post_([this, batch, outcomes = std::move(outcomes)] {
                         settle(*batch, outcomes);
                         --in_flight_;
                         flush();
                     });
                 });
}

// All in one, and one by one where that fails, so that a refused one does not take the others with it.
Result<std::vector<Intake::Outcome>> Intake::write(store::Database& database, const Batch& batch) {
    std::vector<Outcome> outcomes(batch.size(), Outcome::failed);
    const auto add = [&](std::size_t i) -> Status {
        const auto added = database.add_event(batch[i].event);
        if (!added) return fail(added.error());
        outcomes[i] = *added ? Outcome::added : Outcome::known;
        return {};
    };
    const Status whole = database.atomically([&]() -> Status {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (const Status status = add(i); !status) return status;
        }
        return {};
    });
    if (whole) return outcomes;
    for (const char* code : {"disk_full", "disk_error", "corrupt", "not_writable"}) {
        if (whole.error().code == code) return fail(whole.error());  // of the disk, not of an event
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        outcomes[i] = Outcome::failed;
        const Status alone = database.atomically([&] { return add(i); });
        if (!alone) outcomes[i] = Outcome::failed;
    }
    return outcomes;
}

void Intake::tell(const Batch& batch, const std::vector<Outcome>& outcomes) const {
    std::set<std::string_view> integrations;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const store::InboxEvent& event = batch[i].event;
        const bool is_new = outcomes[i] == Outcome::added && event.state == store::EventState::waiting;
        if (is_new && integrations.insert(event.integration).second) arrived_(event.integration);
    }
}

void Intake::settle(Batch& batch, const Result<std::vector<Outcome>>& outcomes) {
    if (!outcomes) log(LogLevel::error, "webhooks could not be stored: " + outcomes.error().message);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        Pending& one = batch[i];
        const Outcome outcome = outcomes ? (*outcomes)[i] : Outcome::failed;
        if (outcome == Outcome::failed) {
            one.reply(problem(503, "the event could not be stored; send it again", retry_when_broken));
            continue;
        }
        ++(outcome == Outcome::added ? one.counters->received : one.counters->duplicates);
        if (outcome == Outcome::added && one.event.state == store::EventState::waiting)
            ++backlogs_[one.event.integration].waiting;
        one.reply(taken(outcome == Outcome::known));
    }
}

}  // namespace liaisond::webhooks
