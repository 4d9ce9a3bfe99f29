// The intake between its threads: deliveries on the server's, commits on the store's, arrivals on the core's,
// endpoints that change meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/system.hpp"
#include "simulate/store.hpp"
#include "store/sqlite_store.hpp"
#include "webhooks/intake.hpp"

namespace liaisond::webhooks {
namespace {

namespace asio = boost::asio;

constexpr int deliveries = 1000;

std::shared_ptr<Endpoints> endpoints() {
    auto all = std::make_shared<Endpoints>();
    Endpoint endpoint;
    endpoint.tenant = "hotel";
    endpoint.integration = "till";
    config::Webhook rules = *config::webhook_preset("generic");
    rules.event_id = "/id";
    endpoint.rules = std::make_shared<const config::Webhook>(rules);
    endpoint.secrets = {Secret("till-secret")};
    all->by_integration.emplace("till", std::move(endpoint));
    return all;
}

web::Request delivery(int number) {
    web::Request made;
    made.method = "POST";
    made.target = "/api/webhooks/integrations/hotel/till";
    made.path = {"api", "webhooks", "integrations", "hotel", "till"};
    made.body = R"({"id":"e)" + std::to_string(number) + R"("})";
    made.headers = {{"Content-Type", "application/json"},
                    {"X-Signature", to_hex(*auth::hmac("sha256", Secret("till-secret"), made.body))}};
    return made;
}

// A loop on a thread of its own, until it goes.
struct Loop {
    Loop() : thread([this] { io.run(); }) {}
    ~Loop() {
        guard.reset();
        io.stop();
        thread.join();
    }
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
    std::thread thread;
};

TEST(StoreIntake, EveryDeliveryIsAnsweredOnceWhateverChangesMeanwhile) {
    simulate::TempDir directory;
    SystemClock clock;
    SystemRandom random;
    std::atomic<int> taken{0}, others{0}, arrivals{0};
    std::promise<void> all_answered;
    Loop server, core;
    auto store =
        store::SqliteStore::open(directory.path() + "/liaison.db", store::Durability::normal,
                                 [&](std::function<void()> call) { asio::post(core.io, std::move(call)); });
    ASSERT_TRUE(store);
    Intake intake(
        **store, clock, random, [&](std::function<void()> call) { asio::post(server.io, std::move(call)); },
        [&](const std::string&) { ++arrivals; });
    intake.set_endpoints(endpoints());
    for (int i = 0; i < deliveries; ++i) {
        asio::post(server.io, [&, i] {
            intake.handle(delivery(i), [&](web::Answer answer) {
                ++(answer.status == 200 ? taken : others);
                if (taken + others == deliveries) all_answered.set_value();
            });
        });
        if (i % 50 == 0) intake.set_endpoints(endpoints());
    }
    all_answered.get_future().wait();
    EXPECT_EQ(taken, deliveries);
    std::promise<std::size_t> stored;
    (*store)->read(
        [](store::Database& database) {
            store::Filter filter;
            filter.limit = 2 * deliveries;
            return database.inbox(filter);
        },
        [&](Result<std::vector<store::InboxEvent>> rows) { stored.set_value(rows ? rows->size() : 0); });
    EXPECT_EQ(stored.get_future().get(), static_cast<std::size_t>(deliveries));
    EXPECT_GT(arrivals, 0);
    store->reset();
}

}  // namespace
}  // namespace liaisond::webhooks
