// Requester: sends what connectors ask for, under one integration's limits: authentication, allowed places,
// the gate of its vendor, the circuit breaker, time limits, and the repetition of reads that failed. Writes
// are never repeated here. Made for one run or test and gone with it: ten thousand idle integrations need
// none.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plugin/messages.hpp"
#include "sync/breaker.hpp"
#include "sync/fiber.hpp"
#include "sync/gate.hpp"
#include "sync/logins.hpp"
#include "sync/run_control.hpp"

namespace liaisond::sync {

class Requester {
  public:
    // `breaker` and `logins` outlive the requester.
    Requester(const Ports& ports, Fibers& fibers, std::shared_ptr<const Link> link,
              std::shared_ptr<Gate> gate, Breaker& breaker, Logins& logins,
              store::Lane lane = store::Lane::live);
    // What the transport knows its requests by: cancelling one lane leaves the other alone.
    static std::string pool_of(const Link& link, store::Lane lane);

    // Answers in the order of the requests; at most `max_parallel` of them at once (0: one), and over all
    // batches as many as its gate lets through.
    // `on_write` is told of each write when it is handed to the transport, or when a plan holds it back.
    enum class Write : std::uint8_t { sent, held };
    using OnWrite = std::function<void(const plugin::Request&, Write)>;
    Await<std::vector<plugin::Response>> send_all(RunControl& control, std::vector<plugin::Request> requests,
                                                  std::uint32_t max_parallel, OnWrite on_write = {});

  private:
    struct Batch;
    Task<void> lane(RunControl& control, std::shared_ptr<Batch> batch);
    Task<plugin::Response> send_one(RunControl& control, const plugin::Request& request,
                                    const OnWrite& on_write);
    // What one attempt came to, besides its answer.
    struct Attempt {
        bool worth_repeating = false;
        bool expired = false;     // the token or session it was sent with is no longer accepted
        bool is_patient = false;  // in: the token is new; refused, it is tried once more
        Milliseconds advised{0};  // by the vendor, before the next one
    };
    Task<plugin::Response> attempt(RunControl& control, const plugin::Request& request,
                                   const OnWrite& on_write, Attempt& attempt);
    Task<Result<Logins::Live>> sign_in(RunControl& control, const auth::Scheme* scheme);
    void keep_cookies(RunControl& control, const auth::Scheme* scheme, http::Response& answer);
    Task<std::optional<plugin::Response>> pass_gate(RunControl& control);
    std::optional<plugin::Response> held_by_breaker(RunControl& control) const;
    void learn(RunControl& control, const http::Response& answer, Milliseconds advised);
    void keep_quota();
    bool may_repeat(const RunControl& control, const plugin::Request& request, std::uint32_t tries) const;
    Result<http::Request> prepare(const plugin::Request& request, const auth::Live& live) const;
    Await<http::Response> transport(http::Request request);

    Ports ports_;
    Fibers& fibers_;
    std::shared_ptr<const Link> link_;
    std::shared_ptr<Gate> gate_;
    Breaker& breaker_;
    Logins& logins_;
    store::Lane lane_;
};

// Retry-After, in seconds or as an HTTP date (RFC 9110 10.2.3); zero when absent or not understood.
Milliseconds retry_after(const http::Headers& headers, Instant now);

}  // namespace liaisond::sync
