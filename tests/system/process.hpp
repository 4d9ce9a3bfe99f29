// A child process of a test: what it writes on standard error is kept, and it never outlives the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "until.hpp"

namespace liaison_system {

class Process {
  public:
    // Standard error is appended to `log`, so that a restarted program goes on in the same file.
    Process(const std::vector<std::string>& arguments, std::filesystem::path log,
            const std::string& fault_points = {});  // what LIAISON_FAULT says
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    pid_t pid() const { return pid_; }
    bool is_running();
    void kill(int signal);
    // The exit code, or minus the signal's number; nothing when the process still runs at the deadline.
    std::optional<int> wait(std::chrono::milliseconds deadline = patience);
    // After its end: whether the kernel wrote, or piped to a handler, a core dump.
    bool has_dumped_core() const { return has_dumped_core_; }
    std::string standard_error() const;

  private:
    std::filesystem::path log_;
    pid_t pid_ = -1;
    std::optional<int> status_;
    bool has_dumped_core_ = false;
};

}  // namespace liaison_system
