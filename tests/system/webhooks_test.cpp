// What vendors send by webhook, taken in by the real daemon: what it answers, what it keeps, and what a crash
// leaves of it.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "hub.hpp"
#include "integrations.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

const std::string hook = "hook-secret-of-the-till", newer = "newer-secret-of-the-till",
                  timed = "secret-with-a-clock";
const std::string till = "/api/webhooks/integrations/wholesaler/shop",
                  clock_till = "/api/webhooks/integrations/wholesaler/clock";

std::string mac(const std::string& text, const std::string& secret) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes, &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        static constexpr char digits[] = "0123456789abcdef";
        hex += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
    }
    return hex;
}

Call delivery(const std::string& body, const std::string& secret = hook, const std::string& target = till) {
    return {"POST", target, body, "X-Signature: " + mac(body, secret) + "\r\n"};
}

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Call timed_delivery(const std::string& body, std::int64_t at) {
    const std::string time = std::to_string(at);
    return {"POST", clock_till, body,
            "X-Time: " + time + "\r\nX-Signature: " + mac(time + "." + body, timed) + "\r\n"};
}

class Webhooks : public testing::Test {
  protected:
    Webhooks() {
        house.write("secrets/hook", hook);
        house.write("secrets/newer", newer);
        house.write("secrets/timed", timed);
        house.daemon_section =
            "  listen: 127.0.0.1:0\n  webhooks_listen: 127.0.0.1:0\n  public_url: https://hub.example\n";
    }
    // `more`: further members of the till's webhook.
    void configure(const std::string& secret = "!file @ROOT@/secrets/hook",
                   const std::string& more = {}) const {
        const std::string first = "    webhook: { profile: generic, secret: " + secret +
                                  ", event_id: /id, event_type: /event" + more + " }\n";
        const std::string second =
            "    webhook: { profile: generic, secret: !file @ROOT@/secrets/timed, event_id: /id, "
            "timestamp_header: "
            "X-Time, signed: \"{timestamp}.{body}\" }\n";
        house.configure(shop({"[product]", "manual", first}) +
                        shop({"[product]", "manual", second}, "clock"));
    }
    void begin() {
        house.start();
        find_port();
    }
    void find_port() {
        static const std::string mark = "webhooks come in port=", api_mark = "the API listens port=";
        ASSERT_TRUE(until([&] { return house.log().rfind(mark) != std::string::npos; }));
        const std::string log = house.log();
        port = static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(mark) + mark.size())));
        api_port = static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(api_mark) + api_mark.size())));
    }
    unsigned status(const Call& call) const { return ask_port(port, call).status; }
    std::int64_t rows(const std::string& which = "1") const {
        return hub.number("SELECT count(*) FROM inbox WHERE " + which);
    }

    House house;
    Hub hub{house};
    std::uint16_t port = 0, api_port = 0;
};

TEST_F(Webhooks, ALineAMinuteTellsOfWhatIsRefused) {
    configure();
    begin();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(status(delivery(R"({"id":"e3"})", "another-secret")), 401u);
    const std::string log = house.log();
    std::size_t lines = 0;
    for (std::size_t at = log.find("a webhook was refused"); at != log.npos;
         at = log.find("a webhook was refused", at + 1))
        ++lines;
    EXPECT_GE(lines, 1u);
    EXPECT_LE(lines, 2u) << log;  // two where a minute ended meanwhile
}

TEST_F(Webhooks, TakesInWhatIsTheVendorsOwnAndNothingElse) {
    configure();
    begin();
    const std::string body = R"({"id":"e1","event":"payment_received"})";
    EXPECT_EQ(status(delivery(body)), 200u);
    EXPECT_EQ(status(delivery(body)), 200u) << "the same event";
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(ask_port(api_port, delivery(R"({"id":"e2"})")).status, 200u) << "beside the API, too";

    const Reply wrong = ask_port(port, delivery(R"({"id":"e3"})", "another-secret"));
    EXPECT_EQ(wrong.status, 401u);
    Call altered = delivery(R"({"id":"e3"})");
    altered.body = R"({"id":"e4"})";
    EXPECT_EQ(status(altered), 401u);
    Call windows = delivery("{\n\"id\":\"e3\"}");
    windows.body = "{\r\n\"id\":\"e3\"}";
    EXPECT_EQ(status(windows), 401u) << "line ends made to fit";
    Call cut = delivery(R"({"id":"e3"})");
    cut.headers = cut.headers.substr(0, 40) + "\r\n";
    EXPECT_EQ(status(cut), 401u);
    Call missing = delivery(R"({"id":"e3"})");
    missing.headers.clear();
    EXPECT_EQ(status(missing), 401u);
    Call twice = delivery(R"({"id":"e3"})");
    twice.headers += twice.headers;
    EXPECT_EQ(status(twice), 401u);
    const Reply unknown =
        ask_port(port, delivery(R"({"id":"e3"})", hook, "/api/webhooks/integrations/hotel/shop"));
    EXPECT_EQ(unknown.status, 401u);
    EXPECT_EQ(unknown.body, wrong.body);
    EXPECT_EQ(status(delivery("{\"id\":")), 400u);
    EXPECT_EQ(status({"GET", till, ""}), 405u);
    Call packed = delivery(R"({"id":"e3"})");
    packed.headers += "Content-Encoding: gzip\r\n";
    EXPECT_EQ(status(packed), 415u);
    EXPECT_EQ(rows(), 2);
}

TEST_F(Webhooks, OldAndFutureDeliveriesAreRefused) {
    configure();
    begin();
    EXPECT_EQ(status(timed_delivery(R"({"id":"1"})", now_s())), 200u);
    EXPECT_EQ(status(timed_delivery(R"({"id":"2"})", now_s() - 400)), 401u);
    EXPECT_EQ(status(timed_delivery(R"({"id":"3"})", now_s() + 400)), 401u);
    EXPECT_EQ(status(timed_delivery(R"({"id":"1"})", now_s() - 1)), 200u) << "the same event, sent again";
    EXPECT_EQ(rows(), 1);
}

TEST_F(Webhooks, SizesHaveBounds) {
    configure("!file @ROOT@/secrets/hook", ", max_body: 64KiB");
    begin();
    EXPECT_EQ(status(delivery(R"({"id":")" + std::string(60'000, 'x') + "\"}")), 200u);
    EXPECT_EQ(status(delivery(R"({"id":")" + std::string(70'000, 'x') + "\"}")), 413u);
    const unsigned told = status(delivery(std::string(5u << 20, ' ')));
    EXPECT_TRUE(told == 413u || told == 0u)
        << told << ": the answer may be lost while the body is still sent";
    EXPECT_EQ(status(delivery(R"({"id":"after"})")), 200u);
    EXPECT_EQ(rows(), 2);
}

TEST_F(Webhooks, TheirListenerHasNothingElse) {
    configure();
    begin();
    EXPECT_EQ(status({"GET", "/healthz", ""}), 200u);
    EXPECT_EQ(status({"GET", "/api/v1/status", ""}), 404u);
    EXPECT_EQ(ask_port(api_port, {"GET", "/api/v1/status", ""}).status, 401u);
    Call elsewhere = delivery(R"({"id":"1"})");
    elsewhere.host = "evil.example";
    EXPECT_EQ(status(elsewhere), 421u);
    elsewhere.host = "hub.example";
    EXPECT_EQ(status(elsewhere), 200u);
}

TEST_F(Webhooks, ASecretIsReplacedWithoutAGap) {
    configure("[!file @ROOT@/secrets/newer, !file @ROOT@/secrets/hook]");
    begin();
    EXPECT_EQ(status(delivery(R"({"id":"1"})", hook)), 200u);
    EXPECT_EQ(status(delivery(R"({"id":"2"})", newer)), 200u);
    configure("!file @ROOT@/secrets/newer");
    EXPECT_EQ(house.api("POST", "/api/v1/reload").status, 200u);
    EXPECT_EQ(status(delivery(R"({"id":"3"})", hook)), 401u);
    EXPECT_EQ(status(delivery(R"({"id":"3"})", newer)), 200u);
}

TEST_F(Webhooks, CardDataIsNowhere) {
    configure();
    house.write("secrets/card", "4111 1111 1111 1111");  // looked for in whatever was written
    house.write("secrets/bare-card", "4111111111111111");
    begin();
    EXPECT_EQ(
        status(delivery(R"({"id":"1","card":"4111 1111 1111 1111","pan":4111111111111111,"cvc":"123"})")),
        200u);
    EXPECT_EQ(hub.text("SELECT body FROM inbox"),
              R"({"id":"1","card":"9000 0000 0000 1111","pan":9000000000001111,"cvc":"000"})");
}

// Every event that was answered with 200 is there once, however often and wherever the daemon was killed.
TEST_F(Webhooks, AKilledDaemonHasKeptWhatItAnswered) {
    configure("!file @ROOT@/secrets/hook", ", max_waiting: 1000000");
    constexpr int rounds = 20, senders = 8;
    std::mutex mutex;
    std::set<std::string> answered;
    std::atomic<int> next{0};
    for (int round = 0; round < rounds; ++round) {
        begin();
        std::atomic<int> taken{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < senders; ++i) {
            threads.emplace_back([&] {
                for (std::string id;;) {
                    id = std::to_string(++next);
                    const unsigned told = status(delivery("{\"id\":\"" + id + "\"}"));
                    if (told != 200) return;
                    ++taken;
                    const std::lock_guard lock(mutex);
                    answered.insert(id);
                }
            });
        }
        EXPECT_TRUE(until([&] { return taken > 40 + 13 * round; }, patience, std::chrono::milliseconds(1)));
        house.kill_daemon();
        for (std::thread& thread : threads) thread.join();
    }
    begin();
    std::set<std::string> kept;
    for (const auto& [id, body] : hub.pairs("SELECT event_id, body FROM inbox")) {
        EXPECT_TRUE(kept.insert(id).second) << id << " twice";
        EXPECT_EQ(body, "{\"id\":\"" + id + "\"}");
    }
    for (const std::string& id : answered) EXPECT_TRUE(kept.contains(id)) << id << " is lost";
    EXPECT_LE(kept.size(), answered.size() + rounds * senders);
    // The vendor comes again with what it heard nothing about.
    for (int id = 1; id <= next; ++id) {
        if (answered.contains(std::to_string(id))) continue;
        EXPECT_EQ(status(delivery("{\"id\":\"" + std::to_string(id) + "\"}")), 200u);
    }
    EXPECT_EQ(rows(), next);
    EXPECT_EQ(hub.number("SELECT count(DISTINCT event_id) FROM inbox"), next);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// ---- from the vendor into the hub: the examples as they are installed
// ---------------------------------------

class WebhookExamples : public testing::Test {
  protected:
    WebhookExamples() { house.daemon_section = "  listen: 127.0.0.1:0\n  public_url: https://hub.example\n"; }
    // The daemon with that example, and the secret that it made for the vendor.
    void begin(const std::string& file, const std::string& tenant, const std::string& id) {
        house.write("conf.d/" + file, read_file(paths::source("etc/examples/" + file)));
        house.configure(shop({"[product]"}));
        house.start();
        find_port();
        const House::Told told = house.ctl("--json webhook secret " + id);
        ASSERT_EQ(told.code, 0) << told.text;
        const json::object made = json::parse(told.text).as_object();
        target = "/api/webhooks/integrations/" + tenant + "/" + id;
        EXPECT_EQ(text_of(made, "url"), "https://hub.example" + target);
        secret = text_of(made, "secret");
    }
    void find_port() {
        static const std::string mark = "the API listens port=";
        ASSERT_TRUE(until([&] { return house.log().rfind(mark) != std::string::npos; }));
        const std::string log = house.log();
        port = static_cast<std::uint16_t>(std::stoi(log.substr(log.rfind(mark) + mark.size())));
    }
    unsigned tell(const std::string& body, const std::string& headers = {}) const {
        Call call = delivery(body, secret, target);
        call.headers += headers;
        return ask_port(port, call).status;
    }
    json::array records(const std::string& entity) const {
        return house.get("/api/v1/records/" + entity).at("items").as_array();
    }
    bool until_records(const std::string& entity, std::size_t count) const {
        return until([&] { return records(entity).size() == count; });
    }
    House house;
    std::string target, secret;
    std::uint16_t port = 0;
};

TEST_F(WebhookExamples, ATillTellsWhatWasPaidAndGivenBack) {
    begin("webhook_till.yaml", "vieux-port", "vieux-port-till");
    const std::string paid =
        R"({"event":"payment_received","data":{"id":"tx-1001","revision":1,"receipt":"A-778","register":"bar-1",)"
        R"("at":"2026-03-01T19:04:12Z","total":4250,"currency":"EUR","payments":[{"id":"p-1","method":"CARD",)"
        R"("amount":4250,"currency":"EUR"}]}})";
    EXPECT_EQ(tell(paid), 200u);
    ASSERT_TRUE(until_records("pos_transaction", 1)) << house.last_lines();
    const json::value sale = records("pos_transaction")[0].at("payload");
    EXPECT_EQ(sale.at("kind"), "sale");
    EXPECT_EQ(json::serialize(sale.at("total")), R"({"amount":4250,"currency":"EUR"})");
    EXPECT_EQ(tell(paid), 200u) << "sent again";
    EXPECT_EQ(tell(R"({"event":"drawer_opened","data":{}})"), 200u);
    // A daemon that dies right after its 200 has it all the same.
    EXPECT_EQ(
        tell(R"({"event":"refund_processed","data":{"id":"rf-17","revision":2,"at":"2026-03-01T20:00:00Z",)"
             R"("total":-1250,"currency":"EUR","payments":[{"id":"p-3","method":"CARD","amount":-1250,)"
             R"("currency":"EUR"}]}})"),
        200u);
    house.kill_daemon();
    house.start();
    find_port();
    ASSERT_TRUE(until_records("pos_transaction", 2)) << house.last_lines();

    EXPECT_EQ(tell(R"({"event":"payment_received","data":{"id":"tx-9","revision":1,"total":"much"}})"), 200u);
    ASSERT_TRUE(until([&] { return house.ctl("dead-letters").text.find("event") != std::string::npos; }))
        << house.ctl("dead-letters").text;
    EXPECT_EQ(records("pos_transaction").size(), 2u);
    const std::string inbox = house.ctl("inbox").text;
    for (const char* state : {"done", "ignored", "dead"}) EXPECT_THAT(inbox, HasSubstr(state));
    EXPECT_THAT(house.ctl("status").text, Not(HasSubstr("never ran")));
    EXPECT_THAT(house.api("GET", "/metrics").text,
                HasSubstr(R"(liaison_webhooks_total{integration="vieux-port-till",outcome="received"} 1)"))
        << "since the daemon was started again";
}

TEST_F(WebhookExamples, ReservationsArriveInAnyOrder) {
    begin("webhook_reservations.yaml", "lagon", "lagon-bookings");
    const auto booking = [](int revision, const std::string& more) {
        return R"({"reservation":{"id":"R-77","revision":)" + std::to_string(revision) + more + "}}";
    };
    const std::string stay =
        R"(,"state":"BOOKED","arrival":"2026-07-01","departure":"2026-07-04","total":"42000","updated":"2026-03-01T09:00:00Z")";
    EXPECT_EQ(tell(booking(1, stay), "X-Event: new_reservation\r\n"), 200u);
    ASSERT_TRUE(until_records("reservation", 1)) << house.last_lines();
    EXPECT_EQ(tell(booking(3, R"(,"updated":"2026-03-01T11:00:00Z")"), "X-Event: cancelled_reservation\r\n"),
              200u);
    const auto status_now = [&] {
        return json::serialize(records("reservation")[0].at("payload").at("status"));
    };
    ASSERT_TRUE(until([&] { return status_now() == "\"cancelled\""; })) << house.last_lines();
    EXPECT_EQ(tell(booking(2, stay), "X-Event: modified_reservation\r\n"), 200u) << "too late";
    ASSERT_TRUE(
        until([&] { return house.ctl("inbox --status waiting").text.find("R-77") == std::string::npos; }));
    ASSERT_TRUE(until([&] {
        return house.get("/api/v1/inbox?status=done").at("items").as_array().size() == 3;
    })) << house.ctl("inbox").text;
    EXPECT_EQ(status_now(), "\"cancelled\"");
}

}  // namespace
}  // namespace liaison_system
