// A host that checks what a plugin does with everything a host may say: raw events in, judged effects out.
// Unlike LocalJob it can send what no correct host sends, and it remembers the time and size of each step.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "plugin/library.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

class BareInstance {
  public:
    BareInstance(std::shared_ptr<const Library> library, const std::string& config);
    ~BareInstance();
    BareInstance(const BareInstance&) = delete;
    BareInstance& operator=(const BareInstance&) = delete;

    const Library& library() const { return *library_; }
    liaison_instance* get() const { return instance_; }
    const std::string& problem() const { return problem_; }  // of open; empty: none

  private:
    std::shared_ptr<const Library> library_;
    liaison_host host_{};
    liaison_instance* instance_ = nullptr;
    std::string problem_;
};

// A job of an instance that outlives it. Errors are "threw an exception out of step" and the like.
class BareJob {
  public:
    BareJob(const BareInstance& instance, std::uint32_t kind);
    ~BareJob();
    BareJob(const BareJob&) = delete;
    BareJob& operator=(const BareJob&) = delete;

    bool is_refused() const { return job_ == nullptr; }
    Result<Effect> step(const Event& event);
    // A step that takes longer ends the process by SIGALRM.
    static constexpr std::chrono::duration<unsigned> step_patience{10};
    // The bytes that all events share and nothing more, of any type there is or is not.
    Result<Effect> step_head(std::uint32_t type, std::int64_t now_ms);

    static std::chrono::nanoseconds slowest_step();  // of this process, in processor time

  private:
    Result<Effect> step_raw(const liaison_event* event);

    const BareInstance& instance_;
    liaison_job* job_ = nullptr;
};

bool is_end(const Effect& effect);

}  // namespace liaisond::plugin
