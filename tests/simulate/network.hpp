// SimNetwork: the transport between the engine and the vendors. Draws the fate of each request; what has left
// the house may be executed although nobody hears of it any more - also after the daemon died.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "http/transport.hpp"
#include "simulate/faults.hpp"
#include "simulate/vendor.hpp"

namespace liaisond::simulate {

// The longest a vendor still executes what we gave up on (reliability.md 2.2, M).
inline constexpr Milliseconds longest_late{120'000};

class SimNetwork final : public http::Transport {
  public:
    SimNetwork(World& world, std::map<std::string, Vendor*> vendors)  // by origin
        : world_(world), vendors_(std::move(vendors)) {}

    void send(http::Request request, Completion<http::Response> done) override;
    void cancel(const std::string& pool) override;

    // The daemon is gone: nobody waits for answers any more.
    void forget() { ++generation_, flights_.clear(); }
    // The machine slept: vendors have finished what they had, connections are dead.
    void suspend();

    FaultRates rates;
    double storm = 1;  // a factor on all rates
    std::function<void(const http::Request&)> on_write = [](const http::Request&) {};
    std::function<void()> on_executed = [] {};
    std::function<void(Vendor&)> between_pages = [](Vendor&) {};
    std::function<bool(std::string_view)> dies_at = [](std::string_view) { return false; };
    std::uint64_t requests = 0;
    std::map<Fault, std::uint64_t> injected;

  private:
    struct Flight {
        std::string pool;
        std::uint64_t generation = 0;
        Completion<http::Response> done;
    };
    struct Execution {
        std::shared_ptr<Flight> flight;
        std::shared_ptr<http::Request> request;
        std::function<http::Response(http::Response)> on_the_way;  // what becomes of the answer
        bool is_over = false;
    };
    bool strikes(Fault fault);
    void execute(Milliseconds delay, std::shared_ptr<Execution> execution);
    void carry_out(Execution& execution);
    void answer(Milliseconds delay, const std::shared_ptr<Flight>& flight, http::Response response);
    void complete(Flight& flight, http::Response response);
    http::Response too_many();
    http::Response repeated(const std::string& url, http::Response response);

    World& world_;
    std::map<std::string, Vendor*> vendors_;
    std::uint64_t generation_ = 0;
    std::list<std::shared_ptr<Flight>> flights_;
    std::list<std::shared_ptr<Execution>> executions_;
    json::array last_items_;
};

}  // namespace liaisond::simulate
