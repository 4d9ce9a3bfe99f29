// Who sends slowly, and who comes in a crowd, before anybody knows who it is.
#include <condition_variable>
#include <mutex>

#include "web_fixture.hpp"

namespace liaisond::web {
namespace {

// What came buys time for what is to come: a byte now and then buys none.
TEST_F(Web, ABodyThatDripsIsDroppedLongBeforeItsTime) {
    policy.limits.body_time = std::chrono::hours(1);
    policy.limits.body_grace = std::chrono::milliseconds(100);
    start();
    Tcp::socket dripping = connected();
    asio::write(dripping, asio::buffer(plain("POST", "Content-Length: 100000\r\n")));
    asio::steady_timer next(clients);
    std::string heard;
    bool is_answered = false;
    int left = 10'000;
    const std::function<void()> drip = [&] {
        if (is_answered) return;
        if (--left == 0) return dripping.close();
        boost::system::error_code error;
        asio::write(dripping, asio::buffer("x", 1), error);
        next.expires_after(std::chrono::milliseconds(20));
        next.async_wait([&](boost::system::error_code stopped) {
            if (!stopped) drip();
        });
    };
    asio::async_read(dripping, asio::dynamic_buffer(heard), [&](boost::system::error_code, std::size_t) {
        is_answered = true;
        next.cancel();
    });
    drip();
    clients.run();
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 408"));
}

TEST_F(Web, ABodyThatComesFastEnoughHasAllItsTime) {
    policy.limits.body_time = std::chrono::hours(1);
    policy.limits.body_grace = std::chrono::milliseconds(200);
    policy.limits.body_bytes_per_second = 10;
    start();
    Tcp::socket steady = connected();
    asio::write(steady, asio::buffer(plain("POST", "Content-Length: 20000\r\n") + std::string(10'000, 'x')));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 2\r\n", "x")), StartsWith("HTTP/1.1 408"))
        << "which began later, and is over before";
    asio::write(steady, asio::buffer(std::string(10'000, 'y')));
    EXPECT_THAT(rest(steady), HasSubstr("xy"));
}

// A server that answers nothing before it is told to.
class WebCrowd : public Web {
  protected:
    WebCrowd() {
        policy.limits.strangers_per_address = 2;
        policy.limits.turn_time = std::chrono::hours(1);
        handle = [this](Request request, Reply reply) {
            const std::lock_guard lock(mutex);
            if (knows_all) request.recognise();
            if (asked.size() >= most_held) return reply({200, "text/plain", "at once"});
            asked.emplace_back(std::move(request), std::move(reply));
            one_more.notify_all();
        };
    }
    Tcp::socket asking(const std::string& more = {}) {
        Tcp::socket socket = connected();
        asio::write(socket, asio::buffer(plain("GET", more)));
        return socket;
    }
    // Whether so many have come to the handler so far.
    bool has_come(std::size_t count, std::chrono::milliseconds deadline = std::chrono::minutes(3)) {
        std::unique_lock lock(mutex);
        return one_more.wait_for(lock, deadline, [&] { return asked.size() >= count; });
    }
    void answer(std::size_t which) {
        const std::lock_guard lock(mutex);
        asked.at(which).second({200, "text/plain", "at last"});
    }
    std::mutex mutex;
    std::condition_variable one_more;
    bool knows_all = false;
    std::size_t most_held = 100;  // what comes after these is answered at once
    std::vector<std::pair<Request, Reply>> asked;
};

TEST_F(WebCrowd, OfStrangersAtOneAddressFewAreServedAtATime) {
    policy.limits.turn_time = std::chrono::milliseconds(50);
    most_held = 2;
    start();
    const std::vector<Tcp::socket> before = [&] {
        std::vector<Tcp::socket> two;
        two.push_back(asking());
        two.push_back(asking("X-Forwarded-For: 203.0.113.7\r\n"));
        return two;
    }();
    ASSERT_TRUE(has_come(2));
    const std::string refused = ask(plain("GET"));
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 429"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 2\r\n"));
    EXPECT_THAT(refused, HasSubstr("Content-Type: application/problem+json"));
    EXPECT_THAT(refused, HasSubstr("Connection: close"));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 9\r\n")), StartsWith("HTTP/1.1 429"))
        << "not a byte of its body is waited for";
    std::promise<std::uint64_t> count;
    asio::post(io, [&] { count.set_value(server->counts().refused); });
    EXPECT_EQ(count.get_future().get(), 2u);
}

TEST_F(WebCrowd, OneMoreWaitsForThePlaceOfAnother) {
    start();
    Tcp::socket first = asking(), second = asking();
    ASSERT_TRUE(has_come(2));
    Tcp::socket third = asking();
    EXPECT_FALSE(has_come(3, std::chrono::milliseconds(50)));
    answer(0);
    ASSERT_TRUE(has_come(3));
    Tcp::socket fourth = asking();
    EXPECT_FALSE(has_come(4, std::chrono::milliseconds(50)));
    {
        const std::lock_guard lock(mutex);
        asked[1].first.recognise();  // and is still without an answer
        asked[1].first.recognise();  // twice is once
    }
    ASSERT_TRUE(has_come(4));
    Tcp::socket fifth = asking();
    EXPECT_FALSE(has_come(5, std::chrono::milliseconds(50)));
    for (const std::size_t which : {1u, 2u, 3u}) answer(which);
    ASSERT_TRUE(has_come(5));
    answer(4);
    for (Tcp::socket* one : {&first, &second, &third, &fourth, &fifth})
        EXPECT_THAT(rest(*one), HasSubstr("at last"));
}

TEST_F(WebCrowd, WhoHasBeenAnsweredMayStay) {
    policy.limits.idle_time = std::chrono::hours(1);
    start();
    std::vector<Tcp::socket> staying;
    for (std::size_t i = 0; i < 5; ++i) {
        asio::write(staying.emplace_back(connected()),
                    asio::buffer(std::string("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")));
        ASSERT_TRUE(has_come(i + 1)) << i;
        answer(i);
    }
}

TEST_F(WebCrowd, WhoeverIsKnownTakesNoPlace) {
    knows_all = true;
    start();
    std::vector<Tcp::socket> many;
    for (int i = 0; i < 10; ++i) many.push_back(asking());
    ASSERT_TRUE(has_come(10));
    for (std::size_t i = 0; i < 10; ++i) answer(i);
    for (Tcp::socket& one : many) EXPECT_THAT(rest(one), HasSubstr("at last"));
}

// Who leaves leaves a place, or the queue.
TEST_F(WebCrowd, WhoGivesUpHoldsNothing) {
    policy.limits.body_time = std::chrono::hours(1);
    policy.limits.body_grace = std::chrono::hours(1);
    start();
    const std::string promise = plain("POST", "Content-Length: 9\r\nExpect: 100-continue\r\n");
    std::vector<Tcp::socket> promising;
    for (int i = 0; i < 2; ++i) {
        asio::write(promising.emplace_back(connected()), asio::buffer(promise));
        std::string go_on(25, ' ');
        asio::read(promising.back(), asio::buffer(go_on));
    }
    Tcp::socket gone = asking(), patient = asking();
    EXPECT_FALSE(has_come(1, std::chrono::milliseconds(50)));
    gone.close();
    promising.clear();
    ASSERT_TRUE(has_come(2)) << "nobody notices that one of them has left before it is answered";
    answer(0);
    answer(1);
    EXPECT_THAT(rest(patient), HasSubstr("at last"));
    Tcp::socket next = asking();
    ASSERT_TRUE(has_come(3));
    answer(2);
    EXPECT_THAT(rest(next), HasSubstr("at last"));
}

TEST_F(WebCrowd, BehindATrustedProxyEveryClientHasPlacesOfItsOwn) {
    policy.trusted_proxies = {"127.0.0.1"};
    start();
    std::vector<Tcp::socket> crowd;
    for (const char* client : {"203.0.113.7", "203.0.113.8", "203.0.113.9"}) {
        for (int i = 0; i < 2; ++i)
            crowd.push_back(asking("X-Forwarded-For: " + std::string(client) + "\r\n"));
    }
    ASSERT_TRUE(has_come(6));
    crowd.push_back(asking("X-Forwarded-For: 203.0.113.8\r\n"));
    EXPECT_FALSE(has_come(7, std::chrono::milliseconds(50)));
}

TEST_F(WebCrowd, OnTheUnixSocketNobodyIsAStranger) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("liaison-crowd." + std::to_string(::getpid()));
    const std::string path = (folder / "socket").string();
    server = std::make_unique<Server>(io, policy, handle);
    ASSERT_TRUE(server->listen_local(path));
    thread = std::thread([this] { io.run(); });
    std::vector<asio::local::stream_protocol::socket> many;
    for (int i = 0; i < 10; ++i) {
        many.emplace_back(clients).connect(asio::local::stream_protocol::endpoint(path));
        asio::write(many.back(), asio::buffer(plain("GET")));
    }
    EXPECT_TRUE(has_come(10));
    for (std::size_t i = 0; i < 10; ++i) answer(i);
    for (auto& one : many) EXPECT_THAT(rest(one), HasSubstr("at last"));
    stop();
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace liaisond::web
