// Daemon: the composition root. Builds the parts in order, runs the core loop, and takes them down in the
// reverse order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace liaisond::app {

// Exit codes of liaisond, as in sysexits.h; systemd does not restart after exit_config.
inline constexpr int exit_fine = 0, exit_state = 73, exit_disk = 74, exit_busy = 75, exit_config = 78;

struct Options {
    std::filesystem::path config = "/etc/liaison/liaison.yaml";
};

// Runs until told to stop (SIGTERM, SIGINT); SIGHUP reloads. Returns the exit code. [main thread]
int run_daemon(const Options& options);
// Loads and checks the configuration only; prints every fault on standard error.
int check_configuration(const Options& options);

}  // namespace liaisond::app
