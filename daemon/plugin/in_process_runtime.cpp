#include "plugin/in_process_runtime.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "plugin/local_job.hpp"

namespace liaisond::plugin {

// Opened integrations, kept for the jobs to come until they are forgotten.
class InProcessRuntime::Instances {
  public:
    explicit Instances(LogSink log) : log_(std::move(log)) {}

    Result<std::shared_ptr<LocalInstance>> get(const InstanceSpec& spec) {
        for (const auto& [known, instance] : open_) {
            if (known == spec) return instance;
        }
        auto library = Library::load(spec.library, spec.library_digest);
        if (!library) return fail(library.error());
        auto instance = LocalInstance::open(*library, spec.config, log_for(spec));
        if (instance) open_.emplace_back(spec, *instance);
        return instance;
    }
    void forget(const std::string& integration) {
        std::erase_if(open_, [&](const auto& one) { return one.first.integration == integration; });
    }

  private:
    LocalInstance::Log log_for(const InstanceSpec& spec) const {
        if (!log_) return {};
        return [sink = log_, plugin = library_name(spec.library), integration = spec.integration](
                   std::uint32_t level, std::string_view text) {
            sink({level, plugin, integration, std::string(text)});
        };
    }

    LogSink log_;
    std::vector<std::pair<InstanceSpec, std::shared_ptr<LocalInstance>>> open_;
};

class InProcessRuntime::InProcessJob : public Job {
  public:
    InProcessJob(Post post, std::shared_ptr<Instances> instances, InstanceSpec spec, JobKind kind)
        : post_(std::move(post)), state_(std::make_shared<State>()) {
        state_->instances = std::move(instances);
        state_->spec = std::move(spec);
        state_->kind = kind;
    }

    void step(Event event, Completion<Result<Effect>> done) override {
        post_([weak = std::weak_ptr(state_), event = std::move(event), done = std::move(done)] {
            const std::shared_ptr<State> state = weak.lock();
            if (state) done(run(*state, event));
        });
    }

  private:
    // Only the job owns it, so what was posted for a destroyed job finds nothing.
    struct State {
        std::shared_ptr<Instances> instances;
        InstanceSpec spec;
        JobKind kind{};
        std::unique_ptr<LocalJob> job;
    };
    static Result<Effect> run(State& state, const Event& event) {
        if (!state.job) {
            auto instance = state.instances->get(state.spec);
            if (!instance) return fail(instance.error());
            auto job = LocalJob::create(*instance, state.kind);
            if (!job) return fail(job.error());
            state.job = std::move(*job);
        }
        return state.job->step(event);
    }

    Post post_;
    std::shared_ptr<State> state_;
};

InProcessRuntime::InProcessRuntime(Post post, LogSink log)
    : post_(std::move(post)), instances_(std::make_shared<Instances>(std::move(log))) {}

InProcessRuntime::~InProcessRuntime() = default;

std::unique_ptr<Job> InProcessRuntime::create_job(const InstanceSpec& spec, JobKind kind) {
    return std::make_unique<InProcessJob>(post_, instances_, spec, kind);
}

void InProcessRuntime::forget(const std::string& integration) { instances_->forget(integration); }

}  // namespace liaisond::plugin
