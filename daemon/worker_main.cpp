// liaison-worker: runs one plugin apart from the daemon. Started by liaisond (which speaks frames on
// descriptor 3) and by whoever wants to know what a plugin file is: liaison-worker --describe FILE.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include <sys/prctl.h>
#include <boost/json/serialize.hpp>

#include "base/fault_point.hpp"
#include "plugin/worker.hpp"

namespace {

constexpr int default_fd = 3;
constexpr int usage_status = 64;

int usage() {
    std::cerr
        << "usage: liaison-worker [--fd N] | --describe FILE\n"
           "Started by liaisond; --describe prints what a plugin says about itself, as one line of JSON.\n";
    return usage_status;
}

int describe(const char* path) {
    const auto description = liaisond::plugin::describe_plugin(path);
    if (!description) {
        std::cerr << description.error().message << '\n';
        return 1;
    }
    std::cout << boost::json::serialize(*description) << '\n';
    return 0;
}

int run(int count, char** arguments) {
    if (count == 3 && std::string_view(arguments[1]) == "--describe") return describe(arguments[2]);
    int fd = default_fd;
    if (count == 3 && std::string_view(arguments[1]) == "--fd") {
        fd = std::atoi(arguments[2]);
    } else if (count != 1) {
        return usage();
    }
    // The end of the socket is the real end; this also covers a plugin that never reads it again.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // where standard error is a file, writing fails instead
    const char* const faults = std::getenv("LIAISON_FAULT");
    const auto armed = liaisond::arm_fault_points(faults == nullptr ? "" : faults);
    if (!armed) {
        std::cerr << armed.error().message << '\n';
        return usage_status;
    }
    return liaisond::plugin::serve_worker(fd);
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return run(count, arguments);
    } catch (const std::exception& error) {
        std::cerr << "liaison-worker: " << error.what() << '\n';
        return 1;
    }
}
