// Database: everything the store can do, synchronously, on one connection. Which thread calls it, and when a
// transaction is committed, is the business of Store (store.hpp). One Database may write; any number may read
// beside it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/types.hpp"

namespace liaisond::store {

enum class Access : std::uint8_t { write, read };

class Database {
  public:
    // Creates and migrates the file when opened for writing. `full`: commits survive a power cut. An error
    // names the file and what to do.
    static Result<std::unique_ptr<Database>> open(const std::string& path, Access access, bool full = true);
    ~Database();

    // ---- transactions (writer only) ----
    Status begin();
    Status commit();
    void rollback();
    // Runs `work` inside a savepoint: what fails leaves nothing behind.
    template <class Work>
    auto atomically(Work work) -> decltype(work()) {
        if (auto begun = savepoint(); !begun) return fail(begun.error());
        auto result = work();
        auto released = release(result.has_value());
        if (result && !released) return fail(released.error());
        return result;
    }

    // ---- import ----
    Result<std::vector<ImportState>> look_up(const std::string& integration, const std::string& entity,
                                             const std::vector<ImportKey>& keys);
    // UUIDs of external ids; empty where unknown.
    Result<std::vector<std::string>> records_of(const std::string& integration, const std::string& entity,
                                                const std::vector<std::string>& external_ids);
    // Everything of the page or nothing. A `conflict` error: somebody else changed a record since look_up;
    // look again.
    Status commit_page(const ImportPage& page);
    Result<std::string> cursor(const std::string& integration, const std::string& entity);

    // ---- export ----
    // Changes after `after`, one entry per record, at most `limit`; left out are what the integration knows
    // already, what it refused in this version, and records with an open intent.
    Result<PendingExports> pending(const std::string& integration, const std::string& tenant,
                                   const std::string& entity, std::int64_t after, std::uint32_t limit);
    Result<std::int64_t> export_cursor(const std::string& integration, const std::string& entity);
    // External ids of records (UUIDs) at an integration; empty where unmapped.
    Result<std::vector<std::string>> externals_of(const std::string& integration,
                                                  const std::vector<std::string>& records);
    // Writes intents in their given state and moves the export cursor with them; returns their ids.
    Result<std::vector<std::int64_t>> add_intents(const std::string& integration, const std::string& entity,
                                                  const std::vector<Intent>& intents, std::int64_t cursor);
    Status mark_sending(const std::vector<Intent>& intents);
    Status settle(std::int64_t run, const std::string& integration, const std::string& entity,
                  const std::vector<Outcome>& outcomes, Instant at);
    // Open intents that are due; `sending` ones are left over from a crash when no run is in flight.
    Result<std::vector<Intent>> due_intents(const std::string& integration, const std::string& entity,
                                            Instant now, std::uint32_t limit);
    // When the next open intent of the integration is due.
    Result<std::optional<Instant>> next_intent(const std::string& integration);
    Status add_dead_letters(const std::vector<DeadLetter>& letters);

    // ---- runs ----
    Result<std::int64_t> begin_run(const Run& run);
    Status save_run(const Run& run);  // progress or end
    // Runs that a crash left open become `interrupted`; returns how many.
    Result<std::int64_t> interrupt_runs(Instant now);
    Status add_log(const LogEntry& entry);

    // ---- states ----
    // What must outlive a restart and is no record (breakers, quotas, planned runs): JSON of a kind, by key.
    Result<std::map<std::string, std::string>> states(const std::string& kind);
    Status save_state(const std::string& kind, const std::string& key,
                      const std::string& value);  // empty: forgotten

    // ---- lists ----
    Result<std::vector<Run>> runs(const Filter& filter);
    Result<std::vector<LogEntry>> logs(const Filter& filter);
    Result<std::vector<RecordRow>> records(const Filter& filter);
    Result<std::vector<MappingRow>> mappings(const Filter& filter);
    Result<std::vector<DeadLetter>> dead_letters(const Filter& filter);
    Result<std::vector<Intent>> intents(const Filter& filter);
    Result<IntegrationTotals> totals(const std::string& integration);
    Result<std::int64_t> count_records(const std::string& tenant, const std::string& entity);

    struct Impl;  // shared by the parts of the implementation

  private:
    explicit Database(std::unique_ptr<Impl> impl);
    Status savepoint();
    Status release(bool keep);
    std::unique_ptr<Impl> impl_;
};

}  // namespace liaisond::store
