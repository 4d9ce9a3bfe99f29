// ExportBatch: one push or find job over some intents, and what it said of each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sync/job_pump.hpp"

namespace liaisond::sync {

class ExportBatch final : public JobListener {
  public:
    ExportBatch(const Ports& ports, Requester& requester, RunControl& control, std::string entity,
                std::vector<store::Intent> intents);

    // Sends them; they must be durable as `sending`. One outcome for each.
    Task<Status> push(std::vector<store::Outcome>& outcomes);
    // Asks the vendor for them by our reference, or by their id there. What is certainly not there, and what
    // is there and was to be changed, comes back in `send_again`; the rest in `outcomes`.
    Task<Status> search(std::vector<store::Outcome>& outcomes, std::vector<store::Intent>& send_again);

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;
    void on_write(const plugin::Request& request, Requester::Write what) override;

  private:
    struct Item {
        store::Intent intent;
        std::optional<plugin::PushResult> result;
        bool sent = false;
    };
    Task<Result<std::string>> run_job(plugin::JobKind kind, plugin::StartEvent&& start);

    const Ports& ports_;
    Requester& requester_;
    RunControl& control_;
    std::string entity_;
    std::vector<Item> items_;
};

}  // namespace liaisond::sync
