// Requester: sends what connectors ask for, under one integration's limits: authentication, allowed places,
// requests at once, time limits, and the repetition of reads that failed. Writes are never repeated here.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plugin/messages.hpp"
#include "sync/fiber.hpp"
#include "sync/run_control.hpp"

namespace liaisond::sync {

class Requester {
  public:
    Requester(const Ports& ports, Fibers& fibers, std::shared_ptr<const Link> link);

    // Answers in the order of the requests; at most `max_parallel` of them at once (0: one), and over all
    // batches of the integration at most its `concurrent`.
    // `on_write` is told the record index of each write when it is handed to the transport, -1 for a write of
    // no record in particular.
    using OnWrite = std::function<void(std::int32_t)>;
    Await<std::vector<plugin::Response>> send_all(RunControl& control, std::vector<plugin::Request> requests,
                                                  std::uint32_t max_parallel, OnWrite on_write = {});

  private:
    struct Batch;
    Task<void> lane(RunControl& control, std::shared_ptr<Batch> batch);
    Task<plugin::Response> send_one(RunControl& control, const plugin::Request& request,
                                    const OnWrite& on_write);
    Task<plugin::Response> attempt(RunControl& control, const plugin::Request& request,
                                   const OnWrite& on_write, bool& worth_repeating, Milliseconds& advised);
    Result<http::Request> prepare(const plugin::Request& request) const;
    Await<http::Response> transport(http::Request request);

    Ports ports_;
    Fibers& fibers_;
    std::shared_ptr<const Link> link_;
    Slots slots_;
};

// Retry-After, in seconds or as an HTTP date (RFC 9110 10.2.3); zero when absent or not understood.
Milliseconds retry_after(const http::Headers& headers, Instant now);

}  // namespace liaisond::sync
