// Upkeep: what the daemon does for itself, decided in the engine's time: a backup a day, letting go of what
// is no longer kept, and looking at the house it lives in (its disk, its certificate). One thing at a time,
// in small steps. [core thread]
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/upkeep.hpp"
#include "store/backup.hpp"
#include "sync/alerts.hpp"
#include "sync/fiber.hpp"

namespace liaisond::sync {

// The house, behind a seam: what takes long is done beside the core and completes on it.
class Premises {
  public:
    // Something that may not be what it seems: a plugin file that changed.
    struct Suspect {
        std::string path, text;
    };
    struct Facts {
        std::string certificate;  // file of our own; empty: there is none
        std::optional<Instant> certificate_end;
        std::string disk;                              // the folder of the store
        std::uint64_t free_bytes = 0, disk_bytes = 0;  // 0: not known
        std::vector<Suspect> suspects;
    };

    virtual ~Premises() = default;
    virtual Facts look() = 0;
    virtual void back_up(const config::BackupPlan& plan, Instant at,
                         Completion<Result<store::Backup>> done) = 0;
    // Appends lines to the archive of a day ("2026-11-21"); durable when it completes.
    virtual void archive(const std::string& day, std::string lines, Completion<Status> done) = 0;
    // Forgets archives of days before that one; completes with how many.
    virtual void drop_archives(const std::string& before, Completion<Result<std::int64_t>> done) = 0;
};

class Upkeep {
  public:
    // All outlive it. `alerts`: of the engine, which has started.
    Upkeep(const Ports& ports, Alerts& alerts, Premises& premises);

    void configure(const config::Upkeep& wanted);
    // At the house, before its time: something about it is known to have changed. Does nothing before the
    // start.
    void look_again();
    // Takes up where the last life stopped.
    void start(Completion<Status> done);
    // Nothing new begins.
    void stop() { stopped_ = true; }

  private:
    struct Kept {
        Instant backed_up{}, swept{};  // last; epoch: never
        std::string backup_error;      // empty: the last one was made
        Instant failed{};
    };
    void arm();
    void wake();
    Task<void> work();
    Task<Status> back_up();
    Task<Status> sweep();
    Task<Status> sweep_logs();
    using Sweep = Result<std::int64_t> (store::Database::*)(Instant before, std::uint32_t limit);
    Task<Status> sweep_rows(Sweep what, Milliseconds age);
    // Takes out of records whose business is long over what tells of a person.
    Task<Status> sweep_personal_data(const std::string& entity, Milliseconds age);
    Await<Result<std::vector<store::Rid>>> records_over(const std::string& entity, Instant before,
                                                        store::Rid after);
    Await<Result<std::int64_t>> erase(const std::string& entity, std::vector<store::Rid> records);
    Await<Result<store::Backup>> make_backup();
    Await<Result<std::int64_t>> drop(Sweep what, Instant before);
    Await<Result<std::vector<store::LogEntry>>> old_logs(Instant before);
    Await<Status> archive(std::vector<store::LogEntry> rows);
    Await<Result<std::int64_t>> drop_logs(const std::vector<store::LogEntry>& rows);
    Await<Result<std::int64_t>> drop_archives(Instant before);
    void look_at_the_house();
    void keep();
    // The latest such moment that is not after `now`.
    Instant latest(std::chrono::minutes at, Instant now) const;
    bool is_due(std::chrono::minutes at, Instant last, Instant now) const;

    Ports ports_;
    Alerts& alerts_;
    Premises& premises_;
    config::Upkeep wanted_;
    Kept kept_;
    bool started_ = false, is_working_ = false, stopped_ = false;
    Fibers fibers_;
};

}  // namespace liaisond::sync
