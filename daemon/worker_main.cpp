// liaison-worker: runs one plugin apart from the daemon. Started by liaisond (which speaks frames on
// descriptor 3) and by whoever wants to know what a plugin file is: liaison-worker --describe FILE.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "base/fault_point.hpp"
#include "plugin/worker.hpp"

namespace {

constexpr int default_fd = 3;
constexpr int usage_status = 64;

int usage() {
    std::cerr
        << "usage: liaison-worker [--memory BYTES] [--degraded] [--parent PID] [--fd N | --describe FILE]\n"
           "Started by liaisond; --describe prints what a plugin says about itself, as one line of "
           "JSON.\n"
           "--memory limits the address space, --degraded runs where the kernel has no Landlock, and\n"
           "--parent ends it when that process is gone.\n";
    return usage_status;
}

struct Arguments {
    liaisond::plugin::SandboxOptions sandbox;
    pid_t parent = 0;
    const char* describe = nullptr;  // a file; else it serves
};

template <class T>
bool read_number(std::string_view text, T& number) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() && end == text.data() + text.size();
}

std::optional<Arguments> read_arguments(int count, char** words) {
    Arguments read;
    read.sandbox.channel = default_fd;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--degraded") {
            read.sandbox.level = liaisond::plugin::SandboxLevel::degraded;
            continue;
        }
        if (++i == count) return std::nullopt;
        if (word == "--describe") {
            read.describe = words[i];
            read.sandbox.channel = -1;
        } else if (word == "--fd") {
            if (!read_number(words[i], read.sandbox.channel)) return std::nullopt;
        } else if (word == "--memory") {
            if (!read_number(words[i], read.sandbox.memory_bytes)) return std::nullopt;
        } else if (word == "--parent") {
            if (!read_number(words[i], read.parent)) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    return read;
}

int describe(const Arguments& arguments) {
    const auto description = liaisond::plugin::describe_plugin(arguments.describe, arguments.sandbox);
    if (!description) {
        std::cerr << description.error().message << '\n';
        return 1;
    }
    std::cout << boost::json::serialize(*description) << '\n';
    return 0;
}

int run(int count, char** words) {
    const std::optional<Arguments> arguments = read_arguments(count, words);
    if (!arguments) return usage();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // where standard error is a file, writing fails instead
    const char* const faults = std::getenv("LIAISON_FAULT");
    const auto armed = liaisond::arm_fault_points(faults == nullptr ? "" : faults);
    if (!armed) {
        std::cerr << armed.error().message << '\n';
        return usage_status;
    }
    liaisond::plugin::Sandbox(arguments->sandbox).prepare(arguments->parent);
    if (arguments->describe != nullptr) return describe(*arguments);
    return liaisond::plugin::serve_worker(arguments->sandbox);
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
