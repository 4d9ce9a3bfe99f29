// The sandbox of liaison-worker in two stages (reliability.md 5.2). The constructors of a plugin run while it
// is being loaded, and one that never returns stays in the first stage for ever: so that one alone must keep
// it from files, network, processes and the daemon, and lacks only what the dynamic linker needs to read
// libraries. The second takes away that, too.
//
// Not in builds with sanitizers, whose shadow memory and threads no such limit leaves room for, nor with
// LIAISON_SANDBOX=OFF (for valgrind): there has_sandbox is false and nothing is restricted.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "base/result.hpp"

namespace liaisond::plugin {

#ifdef LIAISON_NO_SANDBOX
inline constexpr bool has_sandbox = false;
#else
inline constexpr bool has_sandbox = true;
#endif

// What becomes of a worker where the kernel has no Landlock: it does not start, or the rest has to do.
enum class SandboxLevel : std::uint8_t { required, degraded };

// Of address space. A step may hold a message of 64 MiB as frame, as values and as what the plugin makes of
// it, before it answers with as much.
inline constexpr std::uint64_t default_worker_memory = 512ull << 20;

struct SandboxOptions {
    int channel = -1;  // to the daemon; -1: there is none, as with --describe
    std::uint64_t memory_bytes = default_worker_memory;
    SandboxLevel level = SandboxLevel::required;
    // For a check of the plugin: what it prints goes to a file that is open already, and an alarm ends a step
    // that does not end.
    bool is_check = false;
};

class Sandbox {
  public:
    explicit Sandbox(const SandboxOptions& options) : options_(options) {}

    // At the very start: what needs /proc, and the ties to the process that started this one. `parent` 0:
    // whoever it is. Ends the process when that one is gone already.
    void prepare(pid_t parent) const;
    // The first stage. `plugin` is the open plugin file, the only one outside the system's libraries that can
    // still be opened for reading afterwards. Errors are sentences that say what to do.
    Status before_load(int plugin) const;
    // The second stage: no more descriptors, no code that was not mapped by now, and two dozen system calls.
    Status after_load() const;

  private:
    SandboxOptions options_;
};

// What the running kernel offers, seen from a process that is not restricted itself.
struct KernelFeatures {
    int landlock = 0;  // its ABI version; 0: there is none
    bool seccomp = false;
};
KernelFeatures kernel_features();
// What to do where one of them is missing; sentences.
const char* landlock_advice();
const char* seccomp_advice();

}  // namespace liaisond::plugin
