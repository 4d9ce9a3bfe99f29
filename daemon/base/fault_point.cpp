#include "base/fault_point.hpp"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace liaisond {
namespace {

enum class Mode : std::uint8_t { exit, kill, io_error, no_space, delay };

struct Fault {
    std::size_t point = 0;
    std::int64_t hit = 0;
    Mode mode = Mode::kill;
    std::int64_t delay_ms = 0;
};

constexpr int killed_status = 137;
constexpr std::string_view worker_prefix = "worker.";

// Written before any other thread runs, only counted down after that.
std::vector<Fault> armed;
std::array<std::atomic<std::int64_t>, fault_points.size()> passes{};
std::string for_workers;

std::int64_t positive(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

tl::unexpected<Error> refused(std::string_view one, const std::string& why) {
    return fail(ErrorKind::config,
                "LIAISON_FAULT: '" + std::string(one) + "' " + why +
                    "; write name:hit:mode with a name that liaisond --fault-points lists, "
                    "a hit from 1, and exit, kill, ioerr, enospc or delay:MS");
}

Result<Fault> parse(std::string_view one) {
    const std::vector<std::string> parts = split(one, ':');
    if (parts.size() < 3) return refused(one, "is incomplete");
    Fault fault;
    while (fault.point < fault_points.size() && fault_points[fault.point].name != parts[0]) ++fault.point;
    if (fault.point == fault_points.size()) return refused(one, "names no fault point");
    fault.hit = positive(parts[1]);
    if (fault.hit < 1) return refused(one, "has no hit");
    const bool is_delay = parts[2] == "delay" && parts.size() == 4;
    if (is_delay) fault.delay_ms = positive(parts[3]);
    if (parts[2] == "exit")
        fault.mode = Mode::exit;
    else if (parts[2] == "kill")
        fault.mode = Mode::kill;
    else if (parts[2] == "ioerr")
        fault.mode = Mode::io_error;
    else if (parts[2] == "enospc")
        fault.mode = Mode::no_space;
    else if (is_delay && fault.delay_ms > 0)
        fault.mode = Mode::delay;
    else
        return refused(one, "has no known mode");
    if (parts.size() != (is_delay ? 4u : 3u)) return refused(one, "has too many parts");
    const bool is_failure = fault.mode == Mode::io_error || fault.mode == Mode::no_space;
    if (is_failure && !fault_points[fault.point].can_fail)
        return refused(one, "cannot fail, only end or stall");
    return fault;
}

// Plain bytes: this may be the last thing the process does, from any thread.
void announce(const Fault& fault) {
    static constexpr std::array<const char*, 5> words{"exit", "kill", "ioerr", "enospc", "delay"};
    std::string line = "fault point ";
    line += fault_points[fault.point].name;
    line += " strikes: ";
    line += words[static_cast<std::size_t>(fault.mode)];
    line += '\n';
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

FaultFailure reach_fault_point(std::size_t index) {
    const std::int64_t pass = ++passes[index];
    for (const Fault& fault : armed) {
        if (fault.point != index || fault.hit != pass) continue;
        announce(fault);
        switch (fault.mode) {
            case Mode::exit: ::_exit(killed_status);
            case Mode::kill: ::raise(SIGKILL); break;  // a sandboxed worker may signal itself alone
            case Mode::io_error: return FaultFailure::io_error;
            case Mode::no_space: return FaultFailure::no_space;
            case Mode::delay: std::this_thread::sleep_for(std::chrono::milliseconds(fault.delay_ms)); break;
        }
    }
    return FaultFailure::none;
}

Result<bool> arm_fault_points(std::string_view specification) {
    std::vector<Fault> faults;
    for (const std::string& one : split(specification, ',')) {
        if (one.empty()) continue;
        Result<Fault> fault = parse(one);
        if (!fault) return fail(fault.error());
        faults.push_back(*fault);
        if (one.starts_with(worker_prefix)) for_workers += (for_workers.empty() ? "" : ",") + one;
    }
    armed = std::move(faults);
    for (auto& count : passes) count = 0;
    faults_armed = !armed.empty();
    return !armed.empty();
}

std::string take_worker_faults() { return std::exchange(for_workers, std::string()); }

}  // namespace liaisond
