// ExportJob: brings one entity of one integration up to what the hub has (engine.md 3, reliability.md 2.2).
// Nothing is sent before an intent with its very payload is durable; nothing is repeated that may have been
// executed unless the effect class of the operation makes that harmless; two commits a batch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sync/canonical.hpp"
#include "sync/job_pump.hpp"

namespace liaisond::sync {

class ExportJob final : public JobListener {
  public:
    ExportJob(const Ports& ports, Requester& requester, RunControl& control, const CanonicalSchemas& schemas,
              std::string entity);

    Task<Status> run();

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;

  private:
    // What is being sent, or looked up, and what is known of it so far.
    struct Item {
        store::Intent intent;
        std::optional<plugin::PushResult> result;
    };

    Task<Status> finish_open();
    Task<Status> send_new();
    Task<Status> look_for(std::vector<store::Intent>& intents, std::vector<store::Intent>& send_again);
    Task<Status> push(std::vector<store::Intent>& intents);
    Task<Status> prepare(store::PendingExports& pending, std::vector<store::Intent>& intents,
                         std::vector<store::DeadLetter>& refused);
    Task<Result<std::string>> run_job(plugin::JobKind kind, plugin::StartEvent&& start);

    store::Outcome judge(const Item& item, bool sent, const Status& job) const;
    store::Outcome judge_result(const store::Intent& intent, const plugin::PushResult& result) const;
    // `is_doubtful`: the attempt may have been executed.
    store::Outcome later(const store::Intent& intent, const std::string& why, Milliseconds advised,
                         bool is_doubtful = false) const;
    store::Outcome doubtful(const store::Intent& intent, const std::string& why) const;
    bool was_sent(std::size_t index) const;
    std::string reference_of(const store::Intent& intent) const;
    EffectClass effect_of(const store::Intent& intent) const;
    store::Counters& counters() { return control_.counters(entity_, store::Direction::export_).counters; }

    Await<Result<std::int64_t>> load_cursor();
    Await<Result<store::PendingExports>> load_pending(std::int64_t after);
    Await<Result<std::vector<store::Intent>>> load_due();
    Await<Result<std::vector<std::string>>> externals_of(std::vector<std::string> records);
    Await<Result<std::vector<std::int64_t>>> add(const std::vector<store::Intent>& intents,
                                                 const std::vector<store::DeadLetter>& refused,
                                                 std::int64_t cursor);
    Await<Status> mark_sending(const std::vector<store::Intent>& intents);
    Await<Status> settle(std::vector<store::Outcome> outcomes);

    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    const CanonicalSchemas& schemas_;
    std::string entity_;
    std::vector<Item> items_;  // of the job that runs
};

}  // namespace liaisond::sync
