#include "connectors/worker_program.hpp"

#include <filesystem>

#include <unistd.h>

namespace liaisond::connectors {
namespace fs = std::filesystem;

std::string worker_program(const std::string& configured) {
    if (!configured.empty()) return configured;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) return {};
    const fs::path folder = self.parent_path();
    for (const fs::path& candidate :
         {folder / "liaison-worker", folder.parent_path() / "libexec/liaison/liaison-worker"}) {
        if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
    }
    return {};
}

plugin::SandboxOptions sandbox_of(const config::Config& config) {
    plugin::SandboxOptions options;
    options.memory_bytes = config.worker_memory;
    if (config.degraded_sandbox) options.level = plugin::SandboxLevel::degraded;
    return options;
}

}  // namespace liaisond::connectors
