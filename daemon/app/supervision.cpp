#include "app/supervision.hpp"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace liaisond::app {
namespace {

constexpr const char* names = "FileDescriptorName= must be socket, api or webhooks";

int* slot_of(HandedSockets& sockets, std::string_view name) {
    return name == "socket"     ? &sockets.local
           : name == "api"      ? &sockets.api
           : name == "webhooks" ? &sockets.webhooks
                                : nullptr;
}

Status take(HandedSockets& sockets, const std::string& name, int descriptor) {
    int* const slot = slot_of(sockets, name);
    if (slot == nullptr)
        return fail(ErrorKind::config, "systemd hands over a socket that is called '" + name + "'; " + names);
    if (*slot >= 0)
        return fail(ErrorKind::config, "systemd hands over two sockets that are called '" + name +
                                           "'; one ListenStream= is all that a unit of that name may have");
    const bool is_local = sd_is_socket(descriptor, AF_UNIX, SOCK_STREAM, 1) > 0;
    const bool is_tcp = sd_is_socket_inet(descriptor, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0;
    if (slot == &sockets.local ? !is_local : !is_tcp)
        return fail(ErrorKind::config,
                    "what systemd hands over as '" + name +
                        "' does not listen, or not on what it should; use ListenStream= with a "
                        "path for 'socket', and with an address and port for the others");
    *slot = descriptor;
    return {};
}

}  // namespace

Result<HandedSockets> handed_sockets() {
    char** given = nullptr;
    const int count = sd_listen_fds_with_names(1, &given);
    if (count < 0)
        return fail(ErrorKind::config,
                    std::string("what systemd says about its sockets cannot be understood: ") +
                        std::strerror(-count) + "; check the variables LISTEN_FDS and LISTEN_FDNAMES");
    HandedSockets sockets;
    Status taken;
    for (int i = 0; i < count && taken; ++i) taken = take(sockets, given[i], SD_LISTEN_FDS_START + i);
    for (int i = 0; i < count; ++i) std::free(given[i]);
    std::free(given);
    if (!taken) return fail(taken.error());
    return sockets;
}

namespace supervision {
namespace {

long long monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

void report_ready(const std::string& status) { sd_notifyf(0, "READY=1\nSTATUS=%s", status.c_str()); }

void report_reloading() {
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reads its configuration again", monotonic_us());
}

void report_stopping(const std::string& status) { sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status.c_str()); }

void report_alive(const std::string& status) { sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status.c_str()); }

Milliseconds alive_every() {
    std::uint64_t limit_us = 0;
    if (sd_watchdog_enabled(0, &limit_us) <= 0) return Milliseconds(0);
    return Milliseconds(std::max<std::uint64_t>(limit_us / 2000, 1));
}

}  // namespace supervision

LongStart::LongStart(Milliseconds every, Milliseconds longest)
    : thread_([this, every, longest] { ask_again(every, longest); }) {}

LongStart::~LongStart() {
    {
        const MutexLock lock(mutex_);
        is_done_ = true;
    }
    done_.notify_one();
    thread_.join();
}

void LongStart::ask_again(Milliseconds every, Milliseconds longest) {
    const MutexLock lock(mutex_);
    for (Milliseconds passed{0}; passed < longest && !is_done_; passed += every) {
        done_.wait_for(mutex_, every);
        if (is_done_) return;
        // Twice as far as the next time it is asked.
        sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld\nSTATUS=opens its database",
                   static_cast<long long>(every.count()) * 2000);
    }
}

}  // namespace liaisond::app
