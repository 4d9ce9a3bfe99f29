#include "store/sqlite_store.hpp"

#include "base/fault_point.hpp"

namespace liaisond::store {
namespace {

// Jobs in one transaction. Enough to share a sync, few enough that nobody waits long for his.
constexpr std::size_t group_limit = 256;

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, bool full_durability,
                                                       Post post) {
    std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(post)));
    auto writer = Database::open(path, Access::write, full_durability);
    if (!writer) return fail(writer.error());
    auto reader = Database::open(path, Access::read);
    if (!reader) return fail(reader.error());
    store->writer_ = std::move(*writer);
    store->reader_ = std::move(*reader);
    store->write_thread_ = std::thread([raw = store.get()] { raw->write_loop(); });
    store->read_thread_ = std::thread([raw = store.get()] { raw->read_loop(); });
    return store;
}

SqliteStore::SqliteStore(Post post) : post_(std::move(post)) {}

SqliteStore::~SqliteStore() {
    for (Queue* queue : {&writes_, &reads_}) {
        const MutexLock lock(queue->mutex);
        queue->closing = true;
        queue->wake.notify_all();
    }
    if (write_thread_.joinable()) write_thread_.join();
    if (read_thread_.joinable()) read_thread_.join();
    reader_.reset();  // before the writer, whose close checkpoints
}

void SqliteStore::enqueue(Access access, Job job) {
    Queue& queue = access == Access::write ? writes_ : reads_;
    const MutexLock lock(queue.mutex);
    queue.jobs.push_back(std::move(job));
    queue.wake.notify_one();
}

bool SqliteStore::take(Queue& queue, std::vector<Job>& into, std::size_t most) {
    const MutexLock lock(queue.mutex);
    while (queue.jobs.empty() && !queue.closing) queue.wake.wait(queue.mutex);
    while (!queue.jobs.empty() && into.size() < most) {
        into.push_back(std::move(queue.jobs.front()));
        queue.jobs.pop_front();
    }
    return !into.empty();
}

void SqliteStore::write_loop() {
    std::vector<Job> batch;
    while (take(writes_, batch, group_limit)) {
        commit(batch);
        batch.clear();
    }
}

// One transaction for all; each job in a savepoint, so that a refused one does not take the others with it.
void SqliteStore::commit(std::vector<Job>& batch) {
    std::vector<Status> answers(batch.size());
    Status whole = writer_->begin();
    for (std::size_t i = 0; whole && i < batch.size(); ++i) {
        LIAISON_FAULT_POINT("store.before_work");
        answers[i] = writer_->atomically([&] { return batch[i].work(*writer_); });
        // SQLite may have rolled back the whole transaction: going on would commit the rest on its own.
        if (!answers[i] &&
            (answers[i].error().code == "disk_full" || answers[i].error().code == "disk_error")) {
            whole = fail(answers[i].error());
        }
    }
    if (whole) whole = writer_->commit();
    if (whole) commits_.fetch_add(1, std::memory_order_relaxed);
    if (!whole) {
        writer_->rollback();
        if (whole.error().code == "disk_error" && on_disk_failure) on_disk_failure(whole.error());
    }
    LIAISON_FAULT_POINT("store.before_answer");
    auto shared = std::make_shared<std::vector<Job>>(std::move(batch));
    post_([shared, answers = std::move(answers), whole]() mutable {
        for (std::size_t i = 0; i < shared->size(); ++i) {
            (*shared)[i].done(answers[i] ? whole : std::move(answers[i]));
        }
    });
}

void SqliteStore::read_loop() {
    std::vector<Job> one;
    while (take(reads_, one, 1)) {
        auto job = std::make_shared<Job>(std::move(one.front()));
        one.clear();
        LIAISON_FAULT_POINT("store.read");
        auto status = job->work(*reader_);
        post_([job, status = std::move(status)]() mutable { job->done(std::move(status)); });
    }
}

}  // namespace liaisond::store
