// From a request to the row and its answer, with a store and a clock that the test moves.
#include "webhooks/intake.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <deque>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "sync/sim_house.hpp"
#include "web/head.hpp"
#include "webhooks/card_data.hpp"

namespace liaisond::webhooks {
namespace {
using testing::HasSubstr;
using testing::Not;

const Instant noon = *parse_instant("2026-03-01T12:00:00Z");

// Commits when the test says so.
class HeldStore final : public store::Store {
  public:
    void scratch(Completion<Result<std::unique_ptr<Store>>>) override {}
    // What waits, in one transaction each; the number of them.
    std::size_t commit(const Status& disk = {}) {
        const std::size_t count = jobs_.size();
        for (std::deque<Job> jobs = std::exchange(jobs_, {}); Job & job : jobs) {
            EXPECT_TRUE(database->begin());
            Status status = disk ? database->atomically([&] { return job.work(*database); }) : disk;
            if (status)
                EXPECT_TRUE(database->commit());
            else
                database->rollback();
            job.done(status);
        }
        return count;
    }
    sync_test::TempDir directory;
    std::unique_ptr<store::Database> database =
        store::Database::open(directory.path() + "/liaison.db", store::Access::write, store::Durability::none)
            .value();

  private:
    void enqueue(store::Access, Job job) override { jobs_.push_back(std::move(job)); }
    std::deque<Job> jobs_;
};

class FixedClock final : public Clock {
  public:
    Instant now() const override { return at; }
    std::chrono::nanoseconds monotonic() const override { return at.time_since_epoch(); }
    Instant at = noon;
};

class Door : public testing::Test {
  protected:
    Door() { publish(); }
    void publish() {
        auto all = std::make_shared<Endpoints>();
        Endpoint endpoint;
        endpoint.tenant = "hotel";
        endpoint.integration = "till";
        endpoint.enabled = is_enabled;
        endpoint.rules = std::make_shared<const config::Webhook>(rules);
        endpoint.secrets = {Secret("till-secret"), Secret("older-secret")};
        endpoint.last_until = noon + std::chrono::hours(24);
        endpoint.counters = counters;
        all->by_integration.emplace("till", std::move(endpoint));
        intake.set_endpoints(std::move(all));
    }
    web::Request request(const std::string& body, const std::string& secret = "till-secret") const {
        web::Request made;
        made.method = "POST";
        made.target = "/api/webhooks/integrations/hotel/till";
        made.path = {"api", "webhooks", "integrations", "hotel", "till"};
        made.body = body;
        made.headers = {{"Content-Type", "application/json"},
                        {"X-Signature", to_hex(*auth::hmac("sha256", Secret(secret), body))}};
        return made;
    }
    void send(web::Request made) {
        intake.handle(std::move(made), [this](web::Answer answer) { answers.push_back(std::move(answer)); });
    }
    // The only answer, once what waits is committed.
    web::Answer answer(web::Request made) {
        answers.clear();
        send(std::move(made));
        store.commit();
        EXPECT_EQ(answers.size(), 1u);
        return answers.empty() ? web::Answer{0, {}, {}} : answers.front();
    }
    std::vector<store::InboxEvent> rows() {
        store::Filter filter;
        filter.limit = 1000;
        return store.database->inbox(filter).value();
    }

    HeldStore store;
    FixedClock clock;
    SystemRandom random;
    config::Webhook rules = [] {
        config::Webhook made = *config::webhook_preset("generic");
        made.event_id = "/id";
        made.event_type = "/event";
        return made;
    }();
    bool is_enabled = true;
    std::shared_ptr<Counters> counters = std::make_shared<Counters>();
    std::vector<std::string> arrived;
    std::vector<web::Answer> answers;
    Intake intake{store, clock, random, [](std::function<void()> call) { call(); },
                  [this](const std::string& integration) { arrived.push_back(integration); }};
};

TEST_F(Door, IsAnsweredOnceItIsDurable) {
    send(request(R"({"id":"e1","event":"payment_received","amount":"4.20"})"));
    EXPECT_TRUE(answers.empty()) << "not before the commit";
    store.commit();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].status, 200u);
    ASSERT_EQ(rows().size(), 1u);
    const store::InboxEvent row = rows()[0];
    EXPECT_EQ(row.tenant, "hotel");
    EXPECT_EQ(row.integration, "till");
    EXPECT_EQ(row.event_id, "e1");
    EXPECT_EQ(row.type, "payment_received");
    EXPECT_EQ(row.body, R"({"id":"e1","event":"payment_received","amount":"4.20"})");
    EXPECT_EQ(row.headers, R"({"content-type":"application/json"})");
    EXPECT_EQ(row.received, noon);
    EXPECT_EQ(arrived, std::vector<std::string>{"till"});
}

TEST_F(Door, TheSameEventIsStoredOnce) {
    EXPECT_EQ(answer(request(R"({"id":"e1"})")).body, R"({"ok":true})");
    const web::Answer again = answer(request(R"({"id":"e1","attempt":2})", "older-secret"));
    EXPECT_EQ(again.status, 200u);
    EXPECT_THAT(again.body, HasSubstr("duplicate"));
    EXPECT_EQ(rows().size(), 1u);
    EXPECT_EQ(arrived.size(), 1u) << "nothing new";
    EXPECT_EQ(counters->duplicates, 1u);
    EXPECT_EQ(counters->received, 1u);
}

TEST_F(Door, WhatComesDuringACommitSharesTheNextOne) {
    for (int i = 0; i < 10; ++i) send(request(R"({"id":")" + std::to_string(i) + R"("})"));
    EXPECT_EQ(store.commit(), 2u) << "those under way";
    EXPECT_EQ(answers.size(), 2u);
    EXPECT_EQ(store.commit(), 1u) << "and one for all the others";
    EXPECT_EQ(answers.size(), 10u);
    EXPECT_EQ(rows().size(), 10u);
    EXPECT_EQ(arrived.size(), 3u) << "told once for each commit";
}

TEST_F(Door, NobodyLearnsWhetherThereIsSuchAnEndpoint) {
    const web::Answer wrong = answer(request("{}", "wrong-secret"));
    web::Request elsewhere = request("{}");
    elsewhere.path[3] = "other";
    const web::Answer unknown = answer(elsewhere);
    elsewhere.path[4] = "nobody";
    const web::Answer nobody = answer(elsewhere);
    EXPECT_EQ(wrong.status, 401u);
    for (const web::Answer& other : {unknown, nobody}) {
        EXPECT_EQ(other.status, wrong.status);
        EXPECT_EQ(other.body, wrong.body);
        EXPECT_EQ(other.headers, wrong.headers);
    }
    EXPECT_TRUE(rows().empty());
    EXPECT_EQ(counters->refused, 1u);
}

TEST_F(Door, OnlyWhoSignsIsRecognisedAndThatAtOnce) {
    int times = 0;
    const auto counted = [&](web::Request made) {
        made.on_recognised = [&] { ++times; };
        return made;
    };
    answer(counted(request("{}", "wrong-secret")));
    web::Request elsewhere = request("{}");
    elsewhere.path[4] = "nobody";
    answer(counted(elsewhere));
    EXPECT_EQ(times, 0);
    send(counted(request(R"({"id":"e1"})")));
    EXPECT_EQ(times, 1) << "before it is durable";
    store.commit();
    is_enabled = false;
    publish();
    answer(counted(request(R"({"id":"e2"})")));
    EXPECT_EQ(times, 2) << "it is the vendor all the same";
}

TEST_F(Door, ARotatedSecretHasItsEnd) {
    clock.at = noon + std::chrono::hours(24) - Milliseconds(1);
    EXPECT_EQ(answer(request(R"({"id":"1"})", "older-secret")).status, 200u);
    clock.at = noon + std::chrono::hours(24);
    EXPECT_EQ(answer(request(R"({"id":"2"})", "older-secret")).status, 401u);
    EXPECT_EQ(answer(request(R"({"id":"2"})")).status, 200u);
}

TEST_F(Door, WhatCannotBeReadIsSaid) {
    web::Request get = request("");
    get.method = "GET";
    const web::Answer refused = answer(get);
    EXPECT_EQ(refused.status, 405u);
    EXPECT_EQ(refused.headers.at(0).second, "POST");
    web::Request picture = request("{}");
    picture.headers[0].second = "image/png";
    EXPECT_EQ(answer(picture).status, 415u);
    EXPECT_EQ(answer(request("{\"id\":")).status, 400u);
    EXPECT_EQ(answer(request("{\"id\":\"\xff\"}")).status, 400u);
    EXPECT_EQ(answer(request("{\"id\":", "wrong-secret")).status, 401u) << "strangers hear nothing of that";
    rules.max_body = 20;
    publish();
    EXPECT_EQ(answer(request(R"({"id":"12345678901234567890"})")).status, 413u);
    EXPECT_TRUE(rows().empty());
}

TEST_F(Door, AFullBacklogAsksForPatience) {
    rules.max_waiting = 4;
    publish();
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(answer(request(R"({"id":")" + std::to_string(i) + R"("})")).status, 200u);
    const web::Answer full = answer(request(R"({"id":"5"})"));
    EXPECT_EQ(full.status, 429u);
    EXPECT_EQ(full.headers.at(0), (std::pair<std::string, std::string>("Retry-After", "10")));
    std::vector<store::EventOutcome> outcomes;
    for (const store::InboxEvent& row : rows()) outcomes.push_back({row.id, store::EventState::done, {}, {}});
    ASSERT_TRUE(store.database->settle_events(outcomes));
    clock.at += Milliseconds(1000);
    (void)answer(request(R"({"id":"6"})"));  // it is counted again
    EXPECT_EQ(answer(request(R"({"id":"7"})")).status, 200u);
}

TEST_F(Door, AFullDiskIsNoSuccess) {
    send(request(R"({"id":"1"})"));
    store.commit(fail({ErrorKind::transient, "the disk is full", {}, "disk_full"}));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].status, 503u);
    EXPECT_EQ(answers[0].headers.at(0).first, "Retry-After");
    EXPECT_TRUE(arrived.empty());
    EXPECT_EQ(answer(request(R"({"id":"1"})")).status, 200u) << "and goes on when there is room again";
}

TEST_F(Door, ADisabledIntegrationKeepsTheVendorWaiting) {
    is_enabled = false;
    publish();
    EXPECT_EQ(answer(request("{}")).status, 503u);
    EXPECT_EQ(answer(request("{}", "wrong-secret")).status, 401u);
}

TEST_F(Door, UnwantedEventsAreAnsweredAndPutAside) {
    rules.events = {"payment_received"};
    publish();
    EXPECT_EQ(answer(request(R"({"id":"1","event":"shift_closed"})")).status, 200u);
    ASSERT_EQ(rows().size(), 1u);
    EXPECT_EQ(rows()[0].state, store::EventState::ignored);
    EXPECT_TRUE(arrived.empty());
}

TEST_F(Door, EventsWithoutAnIdAreKnownByWhatWasSigned) {
    rules.event_id.clear();
    publish();
    EXPECT_EQ(answer(request(R"({"a":1})")).status, 200u);
    web::Request again = request(R"({"a":1})");
    for (char& c : again.headers[1].second) c = static_cast<char>(std::toupper(c));
    EXPECT_THAT(answer(again).body, HasSubstr("duplicate")) << "another writing of the signature";
    EXPECT_EQ(answer(request(R"({"a":2})")).status, 200u);
    EXPECT_EQ(rows().size(), 2u);
    EXPECT_THAT(rows()[0].event_id, testing::StartsWith("sha256:"));
    rules.event_id = config::each_delivery;
    publish();
    EXPECT_EQ(answer(request(R"({"a":2})")).body, R"({"ok":true})") << "each delivery is one";
    EXPECT_EQ(rows().size(), 3u);
}

TEST_F(Door, OddIdsAreKeptShort) {
    EXPECT_EQ(answer(request(R"({"id":12345})")).status, 200u);
    EXPECT_EQ(rows()[0].event_id, "12345");
    EXPECT_EQ(answer(request(R"({"id":")" + std::string(300, 'x') + R"("})")).status, 200u);
    EXPECT_THAT(rows()[0].event_id, testing::StartsWith("sha256:"));
    EXPECT_EQ(answer(request(R"({"id":{"a":1}})")).status, 200u);
    EXPECT_THAT(rows()[0].event_id, testing::StartsWith("sha256:"));
}

TEST_F(Door, ConnectorsSeeWhatTheEventIsAndNotWhoProvedIt) {
    rules = *config::webhook_preset("shopify");
    publish();
    web::Request made = request("{}");
    made.headers = {{"Content-Type", "application/json"},
                    {"X-Shopify-Hmac-SHA256", to_base64(*auth::hmac("sha256", Secret("till-secret"), "{}"))},
                    {"X-Shopify-Topic", "orders/create"},
                    {"X-Shopify-Event-Id", "ev-1"},
                    {"X-Event-Token", "abc"},
                    {"Cookie", "a=b"},
                    {"User-Agent", "x"}};
    EXPECT_EQ(answer(made).status, 200u);
    EXPECT_EQ(rows()[0].type, "orders/create");
    EXPECT_EQ(rows()[0].event_id, "ev-1");
    EXPECT_EQ(
        rows()[0].headers,
        R"({"content-type":"application/json","x-shopify-topic":"orders/create","x-shopify-event-id":"ev-1"})");
}

TEST_F(Door, GithubsPingIsAnswered) {
    rules = *config::webhook_preset("github");
    publish();
    web::Request made = request(R"({"zen":"x"})");
    made.headers[1] = {"X-Hub-Signature-256", "sha256=" + made.headers[1].second};
    made.headers.emplace_back("X-GitHub-Event", "ping");
    made.headers.emplace_back("X-GitHub-Delivery", "d-1");
    EXPECT_EQ(answer(made).status, 200u);
    EXPECT_EQ(rows()[0].state, store::EventState::ignored);
}

// ---- card data ----

TEST_F(Door, CardNumbersDoNotReachTheDisk) {
    const std::string body =
        R"({"id":"1","card":"4111 1111 1111 1111","number":5555555555554444,"cvc":"123","at":1767225600126,"hidden":"\u0034111111111111111"})";
    EXPECT_EQ(answer(request(body)).status, 200u);
    const std::string stored = rows()[0].body;
    EXPECT_THAT(stored, Not(HasSubstr("4111 1111 1111 1111")));
    EXPECT_THAT(stored, Not(HasSubstr("5555555555554444")));
    EXPECT_THAT(stored, Not(HasSubstr("4111111111111111")));
    EXPECT_THAT(stored, Not(HasSubstr("\"123\"")));
    boost::system::error_code error;
    const auto parsed = boost::json::parse(stored, error);
    ASSERT_FALSE(error) << stored;
    EXPECT_EQ(parsed.at("at"), 1767225600126) << "a time is no card, whatever its check digit";
    EXPECT_EQ(parsed.at("number").as_int64() % 10000, 4444);
}

TEST(CardData, InFormsAndXml) {
    const std::string form = "domain=demo&payload=%7B%22card%22%3A%224111111111111111%22%7D&n=1+2";
    EXPECT_THAT(form_without_card_data(form), Not(HasSubstr("4111111111111111")));
    EXPECT_THAT(form_without_card_data(form), HasSubstr("domain=demo"));
    EXPECT_EQ(form_without_card_data("a=1+2&b=%7e"), "a=1+2&b=%7e") << "what has none stays as it was";
    EXPECT_EQ(form_without_card_data("cvv=987"), "cvv=000");
    EXPECT_EQ(without_card_data("<CVC>987</CVC><n>987</n>"), "<CVC>000</CVC><n>987</n>");
    EXPECT_EQ(without_card_data(R"({"cvv": 987, "cvvs": 987})"), R"({"cvv": 999, "cvvs": 987})");
    EXPECT_EQ(without_card_data("820982911946154508"), "820982911946154508") << "the number of an order";
}

}  // namespace
}  // namespace liaisond::webhooks
