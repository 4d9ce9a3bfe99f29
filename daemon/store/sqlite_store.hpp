// SqliteStore: the Store of one machine. One thread owns the only connection that writes or checkpoints;
// whatever waits for it is committed together. A second thread owns a read-only connection. Completions are
// posted to the core.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_safety.hpp"
#include "store/store.hpp"

namespace liaisond::store {

class SqliteStore final : public Store {
  public:
    using Post = std::function<void(std::function<void()>)>;  // [any thread]

    // Opens, creates and migrates `path`. `post` runs a function on the core thread.
    static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, Durability durability,
                                                     Post post);
    // Finishes what is queued, commits it, joins the threads. Completions not yet run are dropped by the
    // owner of `post`.
    ~SqliteStore() override;

    // Copied beside the file by a thread of its own.
    void scratch(Completion<Result<std::unique_ptr<Store>>> done) override;

    // After a failed sync nothing in memory can be trusted: called once on the writer thread, before the
    // completions.
    std::function<void(const Error&)> on_disk_failure;
    // Told of each durable commit: how long it took. [writer thread] Set it before the first job.
    std::function<void(std::chrono::nanoseconds)> on_commit;
    // Durable commits so far. [any thread]
    std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

  private:
    SqliteStore(std::string path, Post post) : path_(std::move(path)), post_(std::move(post)) {}
    Status connect(Durability durability);
    void enqueue(Access access, Job job) override;

    struct Queue {
        Mutex mutex;
        std::condition_variable_any wake;
        std::deque<Job> jobs GUARDED_BY(mutex);
        bool closing GUARDED_BY(mutex) = false;
    };
    // Waits for work; false once closing and empty.
    static bool take(Queue& queue, std::vector<Job>& into, std::size_t most);
    void write_loop();
    void read_loop();
    void commit(std::vector<Job>& batch);

    const std::string path_;
    Post post_;
    bool is_scratch_ = false;  // its file goes with it
    std::unique_ptr<Database> writer_, reader_;
    Queue writes_, reads_;
    std::atomic<std::uint64_t> commits_{0};
    std::thread write_thread_, read_thread_;
};

}  // namespace liaisond::store
