#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

using SimFaultsTest = SimTest;

TEST_F(SimFaultsTest, ALostAnswerIsCommitted) {
    set("pms", R"({"lose_every":1})");
    EXPECT_THROW(pms().post("/pms/reservations", reservation), boost::system::system_error);
    EXPECT_EQ(pms().get("/pms/reservations?reference=L-1").json().find("reservations")->items().size(), 1u);
    EXPECT_EQ(stat("pms", "answers_lost"), 1);
    EXPECT_EQ(stat("pms", "writes_committed"), 1);
}

TEST_F(SimFaultsTest, ALostOrderIsReplayedByItsKey) {
    Client client = backoffice();
    know_references(client);
    set("backoffice", R"({"fault_after_commit_every":1})");
    EXPECT_EQ(client.post("/backoffice/v1/orders", bo_order, {{"Idempotency-Key", "k"}}).status, 500u);
    const auto again = client.post("/backoffice/v1/orders", bo_order, {{"Idempotency-Key", "k"}});
    EXPECT_EQ(again.status, 201u);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(control().get("/_sim/backoffice/orders/count").body, R"({"count":1})");
}

TEST_F(SimFaultsTest, ASearchLagsBehindWhatIsThere) {
    set("pms", R"({"index_lag_ms":600000})");
    Client client = pms();
    const std::string id = client.post("/pms/reservations", reservation).json().text_of("id");
    const std::string by_reference = "/pms/reservations?reference=L-1";
    const auto found = [&] { return client.get(by_reference).json().find("reservations")->items().size(); };
    EXPECT_EQ(found(), 0u);
    EXPECT_EQ(client.get("/pms/reservations/" + id).status, 200u);
    set("pms", R"({"index_lag_ms":null})");
    EXPECT_EQ(found(), 1u);

    Client office = backoffice();
    know_references(office);
    set("backoffice", R"({"index_lag_ms":600000})");
    ASSERT_EQ(office.post("/backoffice/v1/orders", bo_order, {{"Idempotency-Key", "k"}}).status, 201u);
    const std::string by_ref = "/backoffice/v1/orders?external_ref=X-1";
    EXPECT_EQ(office.get(by_ref).json().text_of("total"), "0");
    set("backoffice", R"({"index_lag_ms":0})");
    EXPECT_EQ(office.get(by_ref).json().text_of("total"), "1");
}

TEST_F(SimFaultsTest, AWriteExecutesAfterItsConnectionIsClosed) {
    set("pms", R"({"execute_late_every":1,"execute_late_ms":200})");
    EXPECT_THROW(pms().post("/pms/reservations", reservation), boost::system::system_error);
    EXPECT_EQ(control().get("/_sim/pms/reservations/count").body, R"({"count":0})");
    EXPECT_EQ(pms().get("/pms/ping").status, 200u) << "only writes";
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (stat("pms", "writes_committed") == 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_EQ(control().get("/_sim/pms/reservations/count").body, R"({"count":1})");
    EXPECT_EQ(stat("pms", "answers_lost"), 1);
    EXPECT_EQ(stat("pms", "in_flight"), 0);
}

TEST_F(SimFaultsTest, FailuresComeBeforeTheCommitAndOnlyWhereAsked) {
    set("pms", R"({"fail_every":2,"fail_status":502,"retry_after":7,"only":"writes"})");
    Client client = pms();
    EXPECT_EQ(client.post("/pms/reservations", reservation).status, 201u);
    EXPECT_EQ(client.get("/pms/ping").status, 200u);
    const auto failed = client.post("/pms/reservations", reservation);
    EXPECT_EQ(failed.status, 502u);
    EXPECT_EQ(failed.header("Retry-After"), "7");
    EXPECT_EQ(control().get("/_sim/pms/reservations/count").body, R"({"count":1})");
    set("pms", R"({"fail_every":null,"reset_every":1})");
    EXPECT_EQ(client.get("/pms/ping").status, 200u);
    EXPECT_THROW(client.post("/pms/reservations", reservation), boost::system::system_error);
    set("pms", R"({"reset_every":0,"down":true})");
    EXPECT_THROW(pms().get("/pms/ping"), boost::system::system_error);
    EXPECT_EQ(shop().get("/shop/v1/ping").status, 200u);
    EXPECT_EQ(stat("pms", "faults"), 3);
    EXPECT_EQ(control().put("/_sim/pms/switches", R"({"latency":1})").status, 422u);
}

TEST_F(SimFaultsTest, RateLimitSpendsItsBurst) {
    // One token every thousand seconds: the burst is all there is.
    set("shop", R"({"rate_limit":{"per_second":0.001,"burst":3}})");
    Client client = shop();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.get("/shop/v1/ping").status, 200u);
    const auto limited = client.get("/shop/v1/ping");
    EXPECT_EQ(limited.status, 429u);
    EXPECT_EQ(limited.header("Retry-After"), "1");
    EXPECT_EQ(stat("shop", "rate_limited"), 1);
}

TEST_F(SimFaultsTest, TwoHundredRequestsWaitAtOnce) {
    set("shop", R"({"latency_ms":500})");
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<Client>(server_.port(), "Authorization", "Bearer shop-token"));
    }
    const auto start = std::chrono::steady_clock::now();
    for (auto& client : clients) client->send("GET", "/shop/v1/ping", "");
    for (auto& client : clients) EXPECT_EQ(client->receive().status, 200u);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_GE(elapsed, std::chrono::milliseconds(500));
    EXPECT_LT(elapsed, std::chrono::seconds(20));  // one after the other would be 100 s
    EXPECT_GT(stat("shop", "in_flight_max"), 50);
    EXPECT_EQ(stat("shop", "in_flight"), 0);
}

TEST_F(SimFaultsTest, ASlowBodyArrivesWhole) {
    seed("shop/products", 5);
    const std::string whole = shop().get("/shop/v1/products").body;
    set("shop", R"({"slow_body_bytes_per_second":20000})");
    Client client = shop();
    EXPECT_EQ(client.get("/shop/v1/products").body, whole);
    EXPECT_EQ(client.get("/shop/v1/ping").status, 200u);
}

TEST_F(SimFaultsTest, AListIsEditedBetweenItsPages) {
    Client client = shop();
    const auto first_of = [&](const std::string& page) {
        return client.get("/shop/v1/products?limit=2&page=" + page)
            .json()
            .find("items")
            ->items()[0]
            .text_of("id");
    };
    seed("shop/products", 6);
    set("shop", R"({"edit_pages_every":2})");
    EXPECT_EQ(first_of("1"), "1") << "a first page is not edited under";
    EXPECT_EQ(first_of("2"), "3");
    EXPECT_EQ(first_of("3"), "6") << "record 1 went and 5 moved to page 2";
    set("shop", R"({"edit_pages_every":1,"edit":"touch"})");
    EXPECT_EQ(first_of("2"), "5") << "record 2 moved to the end";
    EXPECT_EQ(control().get("/_sim/shop/products/count").body, R"({"count":5})");
    set("shop", R"({"edit":"add"})");
    EXPECT_EQ(first_of("2"), "5") << "what is new stands at the end";
    EXPECT_EQ(control().get("/_sim/shop/products/count").body, R"({"count":6})");
    EXPECT_EQ(control().put("/_sim/shop/switches", R"({"edit":"burn"})").status, 422u);
}

TEST_F(SimFaultsTest, ControlListsCountsAndResets) {
    seed("backoffice/products", 3);
    const Json index = control().get("/_sim").json();
    EXPECT_EQ(index.find("vendors")->items().size(), 5u);
    EXPECT_EQ(backoffice().get("/backoffice/v1/products?limit=2").json().text_of("total"), "3");
    const Json stats = control().get("/_sim/stats").json();
    EXPECT_EQ(stats.text_of("reads"), "1");
    EXPECT_EQ(stats.find("by_status")->text_of("200"), "1");
    EXPECT_EQ(control().post("/_sim/stats/reset", "").status, 204u);
    EXPECT_EQ(stat("backoffice", "reads"), 0);
    EXPECT_EQ(control().get("/_sim/nobody/stats").status, 404u);
    EXPECT_EQ(control().get("/_sim/shop/nothing").status, 404u);
    EXPECT_EQ(control().post("/_sim/shop/products/seed", R"({"count":0})").status, 422u);
    EXPECT_EQ(control().post("/_sim/shop/products", R"({"id":5})").status, 201u);
    EXPECT_EQ(control().post("/_sim/shop/products", R"({"id":5})").status, 409u);
}

TEST(ServerTest, RefusesATakenPortAndRunsOnSeveralThreads) {
    Server server("127.0.0.1", 0, 3);
    EXPECT_THROW(Server("127.0.0.1", server.port()), boost::system::system_error);
    std::thread thread([&] { server.run(); });
    EXPECT_EQ(Client(server.port()).get("/_sim").status, 200u);
    server.stop();
    thread.join();
}

TEST(ServerTest, FourThreadsLoseNothing) {
    constexpr int writers = 4, writes = 50;
    Server server("127.0.0.1", 0, 4);
    std::thread thread([&] { server.run(); });
    {
        std::vector<std::jthread> clients;
        for (int i = 0; i < writers; ++i) {
            clients.emplace_back([&] {
                Client client(server.port(), "Authorization", "Basic cG1zOnBtcy1wYXNzd29yZA==");
                for (int n = 0; n < writes; ++n) {
                    EXPECT_EQ(client.post("/pms/reservations", reservation).status, 201u);
                    EXPECT_EQ(client.get("/pms/reservations?per_page=5").status, 200u);
                }
            });
        }
    }
    EXPECT_EQ(Client(server.port()).get("/_sim/pms/reservations/count").body, R"({"count":200})");
    server.stop();
    thread.join();
}

}  // namespace
}  // namespace liaison_sim
