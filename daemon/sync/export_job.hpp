// ExportJob: brings one entity of one integration up to what the hub has (engine.md 3, reliability.md 2.2).
// Nothing is sent before an intent with its very payload is durable; nothing is repeated that may have been
// executed unless the effect class of the operation makes that harmless; two commits a batch. Two batches are
// under way at a time, so that the vendor never waits for the store.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "sync/canonical.hpp"
#include "sync/export_plan.hpp"
#include "sync/requester.hpp"

namespace liaisond::sync {

class ExportJob {
  public:
    ExportJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
              const CanonicalSchemas& schemas, const config::Entity& entity);

    Task<Status> run();

  private:
    using Pending = std::shared_ptr<Deferred<Status>>;
    Task<Status> finish_open();
    Task<Result<bool>> knows_what_is_there();
    Task<Status> sort_out(std::vector<store::Intent>& due, std::vector<store::Intent>& send);
    Task<Status> search(std::vector<store::Intent>& intents, std::vector<store::Intent>& send_again);
    Task<Status> renew(std::vector<store::Intent>& stale, std::vector<store::Intent>& send);
    Task<Status> send_again(std::vector<store::Intent> intents);
    Task<Status> send_new();
    Task<Status> take_up(std::int64_t& cursor);
    Task<Status> prepare(store::PendingExports& pending, std::vector<store::Intent>& intents,
                         std::vector<store::DeadLetter>& refused);
    Task<Status> brake();
    Task<void> push_beside(std::vector<store::Intent> intents, Pending done);
    Task<Status> push(std::vector<store::Intent> intents);
    Task<Status> wait_for_batches(std::size_t at_most);
    bool needs_renewal(const store::Intent& intent) const;
    void count(const std::vector<store::Outcome>& outcomes);
    store::Counters& counters() {
        return control_.counters(entity_.name, store::Direction::export_).counters;
    }

    Await<Result<std::int64_t>> load_cursor();
    Await<Result<std::string>> load_read_through();
    Await<Result<std::int64_t>> pending_deletes();
    Await<Result<store::PendingExports>> load_pending(std::int64_t after);
    Await<Result<std::vector<store::Intent>>> load_due();
    Await<Result<std::vector<std::optional<store::PendingExport>>>> load_current(
        const std::vector<store::Intent>& intents);
    Await<Result<std::vector<std::string>>> externals_of(const ExportPlan& plan);
    Await<Result<std::vector<std::int64_t>>> add(const std::vector<store::Intent>& intents,
                                                 const std::vector<store::DeadLetter>& refused,
                                                 std::int64_t cursor);
    Await<Status> mark_sending(const std::vector<store::Intent>& intents);
    Await<Status> settle(std::vector<store::Outcome> outcomes);

    const Ports& ports_;
    Fibers& fibers_;
    Requester& requester_;
    RunControl& control_;
    const CanonicalSchemas& schemas_;
    const config::Entity& entity_;
    std::deque<Pending> batches_;  // under way, in order
    std::int64_t read_to_ = 0;     // how far the feed was read
    std::int64_t blocked_ = 0;     // the feed is read again from here next time; 0: nothing waits
    bool more_ = true;
};

}  // namespace liaisond::sync
