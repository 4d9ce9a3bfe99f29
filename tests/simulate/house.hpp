// House: one life of the daemon - the real engine on the real store with real connectors in process - made,
// run, and destroyed in the middle of anything.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/system.hpp"
#include "paths.hpp"
#include "plugin/in_process_runtime.hpp"
#include "simulate/network.hpp"
#include "simulate/store.hpp"
#include "sync/engine.hpp"

namespace liaisond::simulate {

// A runtime whose jobs break now and then, as a worker process does that crashes.
class BreakableRuntime final : public plugin::Runtime {
  public:
    explicit BreakableRuntime(World& world)
        : world_(world), real_([&world](std::function<void()> call) { world.post(std::move(call)); }) {}

    std::function<bool()> breaks = [] { return false; };

    std::unique_ptr<plugin::Job> create_job(const plugin::InstanceSpec& spec, plugin::JobKind kind) override {
        // custom_api takes no events: a connector that does what they say stands in for it.
        plugin::InstanceSpec used = spec;
        if (kind == plugin::JobKind::webhook) used.library = paths::test_plugin("webhook_sample.so");
        return std::make_unique<BreakableJob>(*this, real_.create_job(used, kind));
    }
    void forget(const std::string& integration) override { real_.forget(integration); }

  private:
    class BreakableJob final : public plugin::Job {
      public:
        BreakableJob(BreakableRuntime& runtime, std::unique_ptr<plugin::Job> real)
            : runtime_(runtime), real_(std::move(real)) {}
        void step(plugin::Event event, Completion<Result<plugin::Effect>> done) override {
            if (!runtime_.breaks()) return real_->step(std::move(event), std::move(done));
            runtime_.world_.post([alive = std::weak_ptr(alive_), done = std::move(done)] {
                if (!alive.expired()) done(fail(ErrorKind::internal, "the connector crashed"));
            });
        }

      private:
        BreakableRuntime& runtime_;
        std::unique_ptr<plugin::Job> real_;
        std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    };

    World& world_;
    plugin::InProcessRuntime real_;
};

class House {
  public:
    House(World& world, SimNetwork& network, const TimeZones& zones, const std::string& path,
          store::Database& database)
        : world_(world),
          network_(network),
          store(world, path, database),
          runtime(world),
          secrets(auth::Vault::of_key(Secret(std::string(32, 'k'))), world),
          engine(std::make_unique<sync::Engine>(
              sync::Ports{world, zones, world, world, network, store, runtime, secrets},
              sync::CanonicalSchemas::embedded())) {}
    House(const House&) = delete;
    House& operator=(const House&) = delete;
    ~House() {
        world_.forget();  // nothing that was under way happens any more
        network_.forget();
        engine.reset();
    }

  private:
    World& world_;
    SimNetwork& network_;

  public:
    SimStore store;
    BreakableRuntime runtime;
    auth::Secrets secrets;
    std::unique_ptr<sync::Engine> engine;
};

}  // namespace liaisond::simulate
