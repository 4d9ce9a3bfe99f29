// ImportJob: the import of one entity into the hub, by a pull or of what another job brings. Pages are
// decided while the page before is being committed; a record and the cursor behind it become durable
// together.
#pragma once

#include <optional>
#include <unordered_set>

#include "sync/canonical.hpp"
#include "sync/import_plan.hpp"
#include "sync/job_pump.hpp"

namespace liaisond::sync {

class ImportJob final : public JobListener {
  public:
    // `on_change` is told whenever hub records of the entity changed.
    ImportJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
              const CanonicalSchemas& schemas, const config::Entity& entity, std::function<void()> on_change);

    Task<Status> run();

    // Instead of run(): stores what a job brought that is no pull of this entity, the older state of a record
    // before the newer one. Answers what was refused, by place. It moves no cursor.
    Task<Result<std::vector<plugin::Rejection>>> take(std::vector<plugin::Record> records);

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;
    void on_write(const plugin::Request& request, Requester::Write what) override;

  private:
    using Pending = std::shared_ptr<Deferred<Status>>;
    using Page = std::shared_ptr<const plugin::EmitEffect>;
    // A page on its way into the store, and what is needed to decide it anew.
    struct Flight {
        Pending done;
        Page page;
        std::optional<std::string> cursor;
        store::Counters counters;
    };
    Task<Status> pull();
    Task<Status> replay();
    Task<Status> prepare_recognition();
    Task<Status> note_read_through();
    // Of a listing only this is kept of each key.
    static std::uint64_t key_hash(std::string_view key) { return std::hash<std::string_view>()(key); }
    Task<Status> bury_absent();
    Task<Result<std::vector<plugin::Record>>> absent();
    Task<Status> brake(std::int64_t deletes);
    Status stopped_by_brake() const;
    Task<void> take_in_beside(Page page, Pending decided);
    Task<Status> take_in(Page page, bool may_lag);
    Task<Status> put(Page page);
    Task<Status> settle();
    Task<Status> flush(bool with_cursor);
    Task<Status> decide(ImportPlan& plan);
    Task<Status> wait_for_exports();
    Task<Status> drain();
    void start_commit(store::ImportPage rows, Page page, const store::Counters& counters);
    void count(const store::Counters& counters);
    bool is_being_written(const std::string& entity, const std::string& external_id) const;

    Await<Result<std::string>> load_cursor();
    Await<Result<std::vector<store::ImportState>>> look_up(const std::vector<store::ImportKey>& keys);
    Await<Result<std::vector<std::string>>> records_of(const ImportPlan::Wanted& wanted);
    Await<Result<std::vector<store::Recognised>>> recognise(const ImportPlan& plan);
    Await<Result<std::vector<store::DeadLetter>>> load_letters();
    Await<Result<std::string>> recognition_ready();
    Await<Result<std::int64_t>> index_matches(std::int64_t after);
    Await<Status> save_recognition_ready();
    Await<Result<std::string>> load_read_through();
    Await<Status> save_read_through();
    Await<Result<std::vector<store::MissingKey>>> live_keys(const std::string& after);
    Await<Status> note_missing(const std::vector<store::MissingKey>& keys);

    const Ports& ports_;
    Fibers& fibers_;
    Requester& requester_;
    RunControl& control_;
    const CanonicalSchemas& schemas_;
    const config::Entity& entity_;
    std::function<void()> on_change_;

    Pending accepted_;  // the page whose emit was answered before it was decided; at most one, so memory is
                        // bounded
    std::optional<Flight> in_flight_;            // at most one
    std::vector<plugin::Rejection> rejections_;  // of the page decided last
    Instant began_{};
    bool recognisable_ = false;  // prepare_recognition() was done
    // What that commit writes: a page that meets one of these waits, so that it sees what became of them.
    std::unordered_set<std::string> writing_;
    // Hashes of all keys that a complete listing shows; two that collide hide a deletion until the next one.
    std::optional<std::unordered_set<std::uint64_t>> listed_;
    std::int64_t held_deletes_ = 0;  // beyond the brake: from here on nothing is stored, only counted
    std::int64_t delete_limit_ = 0;
    std::optional<std::string>
        held_cursor_;  // of pages without news: written with the next one that has some
};

}  // namespace liaisond::sync
