// Fault points: named places where a test may end, stall or fail this process, to prove that what follows is
// found right again. They are compiled in everywhere and inert: unless the environment variable LIAISON_FAULT
// was set when the process started, passing one costs a relaxed load of a flag.
//
//   LIAISON_FAULT=name:hit:mode[,name:hit:mode...]      strikes when the point is passed for the hit-th time
//
// Modes: exit (at once, status 137), kill (SIGKILL), delay:MS (the thread stands still), and where the point
// can fail also ioerr and enospc. Each strikes once and says so on standard error.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace liaisond {

struct FaultPoint {
    std::string_view name;
    bool can_fail = false;  // used with LIAISON_FAULT_FAILS
};

// Every one there is, in the order of a record's life. `worker.` ones are passed in the workers, all others
// in the daemon. A name that is not here does not compile; one that is used nowhere fails a test.
inline constexpr std::array fault_points{
    FaultPoint{"daemon.loaded"},
    FaultPoint{"daemon.locked"},
    FaultPoint{"daemon.listening"},
    FaultPoint{"daemon.reload"},
    FaultPoint{"daemon.reloaded"},
    FaultPoint{"daemon.stopping"},
    FaultPoint{"daemon.stopped"},
    FaultPoint{"store.open"},
    FaultPoint{"store.migrate"},
    FaultPoint{"store.migrated"},
    FaultPoint{"store.begin", true},
    FaultPoint{"store.before_work"},
    FaultPoint{"store.after_work", true},
    FaultPoint{"store.before_commit", true},
    FaultPoint{"store.after_commit"},
    FaultPoint{"store.before_answer"},
    FaultPoint{"store.read"},
    FaultPoint{"store.page_half", true},
    FaultPoint{"store.intents_half", true},
    FaultPoint{"store.settle_half", true},
    FaultPoint{"engine.interrupted"},
    FaultPoint{"engine.started"},
    FaultPoint{"engine.change_due"},
    FaultPoint{"run.before_begin"},
    FaultPoint{"run.begun"},
    FaultPoint{"run.entity"},
    FaultPoint{"run.before_save"},
    FaultPoint{"run.saved"},
    FaultPoint{"login.before_refresh"},
    FaultPoint{"login.refreshed"},
    FaultPoint{"import.start"},
    FaultPoint{"import.emit"},
    FaultPoint{"import.decided"},
    FaultPoint{"import.before_page"},
    FaultPoint{"import.page_enqueued"},
    FaultPoint{"import.page_answered"},
    FaultPoint{"import.before_cursor"},
    FaultPoint{"import.end"},
    FaultPoint{"event.before_settle"},
    FaultPoint{"event.settled"},
    FaultPoint{"export.due"},
    FaultPoint{"export.before_doubt"},
    FaultPoint{"export.before_find"},
    FaultPoint{"export.after_find"},
    FaultPoint{"export.found_settled"},
    FaultPoint{"export.before_mark"},
    FaultPoint{"export.after_mark"},
    FaultPoint{"export.before_intents"},
    FaultPoint{"export.after_intents"},
    FaultPoint{"export.before_push"},
    FaultPoint{"export.result"},
    FaultPoint{"export.after_push"},
    FaultPoint{"export.before_settle"},
    FaultPoint{"export.after_settle"},
    FaultPoint{"request.before_read"},
    FaultPoint{"request.after_read"},
    FaultPoint{"request.before_write"},
    FaultPoint{"request.after_write"},
    FaultPoint{"transport.write_leaves"},
    FaultPoint{"transport.answered"},
    FaultPoint{"supervisor.before_spawn"},
    FaultPoint{"supervisor.spawned"},
    FaultPoint{"supervisor.ready"},
    FaultPoint{"supervisor.stepped"},
    FaultPoint{"supervisor.lost"},
    FaultPoint{"worker.hello"},
    FaultPoint{"worker.open"},
    FaultPoint{"worker.step"},
    FaultPoint{"worker.stepped"},
    FaultPoint{"worker.sent"},
    FaultPoint{"worker.destroy"},
};

constexpr std::size_t fault_index(std::string_view name) {
    for (std::size_t i = 0; i < fault_points.size(); ++i) {
        if (fault_points[i].name == name) return i;
    }
    throw "no such fault point: add it to the table in base/fault_point.hpp";
}

enum class FaultFailure : std::uint8_t { none, io_error, no_space };

// Set while any fault is armed. [any thread]
inline std::atomic<bool> faults_armed{false};

// Counts the pass and strikes when it is the armed one. [any thread]
FaultFailure reach_fault_point(std::size_t index);

template <std::size_t index>
FaultFailure pass_fault_point() {
    if (!faults_armed.load(std::memory_order_relaxed)) [[likely]]
        return FaultFailure::none;
    return reach_fault_point(index);
}

// Arms what LIAISON_FAULT says; once, before other threads start. True when anything is armed. The error of
// an unknown name, mode or count says what is known.
Result<bool> arm_fault_points(std::string_view specification);
// The part of the specification that concerns workers, given out once: the worker that follows a killed one
// shall live.
std::string take_worker_faults();

}  // namespace liaisond

#define LIAISON_FAULT_POINT(name) (void)::liaisond::pass_fault_point<::liaisond::fault_index(name)>()
// The same where an operation may also fail: which failure to play, nearly always none.
#define LIAISON_FAULT_FAILS(name) ::liaisond::pass_fault_point<::liaisond::fault_index(name)>()
