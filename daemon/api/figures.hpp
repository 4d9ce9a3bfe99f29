// Figures: what Prometheus is told (interfaces.md, Observability). Runs, requests and commits are counted as
// they happen; what merely is, is asked for when somebody looks.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "store/types.hpp"
#include "sync/engine.hpp"
#include "sync/observer.hpp"

namespace liaisond::api {

class Figures final : public sync::Observer {
  public:
    // `version`: of this liaison.
    explicit Figures(std::string_view version);

    void ended(const store::Run& run) override;
    void answered(const std::string& integration, const http::Response& answer) override;
    void began(const std::string& integration, Milliseconds late) override;
    // A durable commit of the store. [any thread]
    void committed(std::chrono::nanoseconds took);

    // Since the daemon began.
    struct Deliveries {
        std::uint64_t received = 0, duplicates = 0, refused = 0;
    };
    // What is so at the moment of looking.
    struct Now {
        std::vector<sync::IntegrationStatus> integrations;
        store::Backlog backlog;
        std::map<std::string, std::uint64_t> worker_restarts;  // by plugin
        std::map<std::string, Deliveries> webhooks;            // by integration
        Instant started{};                                     // this process
    };
    // The text of all of it. [core thread]
    std::string text(const Now& now);

  private:
    Metrics metrics_;
};

}  // namespace liaisond::api
