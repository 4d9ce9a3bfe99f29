// Plugin code called directly: one instance, one job, synchronous steps. Used inside a worker, by the
// in-process runtime and by the script runner.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <liaison/plugin.h>

#include "base/result.hpp"
#include "plugin/library.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

// One opened integration; closed when the last owner lets go. Its jobs must be gone by then: they own it too.
class LocalInstance {
  public:
    using Log = std::function<void(std::uint32_t level, std::string_view text)>;

    static Result<std::shared_ptr<LocalInstance>> open(std::shared_ptr<const Library> library,
                                                       const std::string& config, Log log);
    ~LocalInstance();
    LocalInstance(const LocalInstance&) = delete;
    LocalInstance& operator=(const LocalInstance&) = delete;

    const Library& library() const { return *library_; }

  private:
    friend class LocalJob;
    LocalInstance(std::shared_ptr<const Library> library, Log log);
    static void write_log(void* context, std::uint32_t level, liaison_str text);

    std::shared_ptr<const Library> library_;
    Log log_;
    liaison_host host_{};
    liaison_instance* instance_ = nullptr;
};

class LocalJob {
  public:
    static Result<std::unique_ptr<LocalJob>> create(std::shared_ptr<LocalInstance> instance, JobKind kind);
    ~LocalJob();
    LocalJob(const LocalJob&) = delete;
    LocalJob& operator=(const LocalJob&) = delete;

    // After DONE, FAIL or an error the plugin is not called again: a further step is an error.
    Result<Effect> step(const Event& event);

  private:
    LocalJob(std::shared_ptr<LocalInstance> instance, liaison_job* job)
        : instance_(std::move(instance)), job_(job) {}

    std::shared_ptr<LocalInstance> instance_;
    liaison_job* job_;
    bool over_ = false;
};

}  // namespace liaisond::plugin
