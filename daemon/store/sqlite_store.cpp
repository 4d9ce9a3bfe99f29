#include "store/sqlite_store.hpp"

#include <filesystem>

#include "base/fault_point.hpp"

namespace liaisond::store {
namespace fs = std::filesystem;
namespace {

// Jobs in one transaction. Enough to share a sync, few enough that nobody waits long for his.
constexpr std::size_t group_limit = 256;

constexpr const char* scratch_mark = ".scratch-";

void remove_files(const std::string& path) {
    std::error_code ignored;
    for (const char* part : {"", "-wal", "-shm"}) fs::remove(path + part, ignored);
}

// What a daemon that died left of its scratch copies.
void remove_scratch_files(const std::string& path) {
    std::error_code ignored;
    const fs::path whole(path);
    const std::string prefix = whole.filename().string() + scratch_mark;
    for (const auto& entry : fs::directory_iterator(whole.parent_path(), ignored)) {
        if (entry.path().filename().string().starts_with(prefix)) fs::remove(entry.path(), ignored);
    }
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, Durability durability,
                                                       Post post) {
    remove_scratch_files(path);
    std::unique_ptr<SqliteStore> store(new SqliteStore(path, std::move(post)));
    const Status connected = store->connect(durability);
    if (!connected) return fail(connected.error());
    store->write_thread_ = std::thread([raw = store.get()] { raw->write_loop(); });
    store->read_thread_ = std::thread([raw = store.get()] { raw->read_loop(); });
    return store;
}

Status SqliteStore::connect(Durability durability) {
    auto writer = Database::open(path_, Access::write, durability);
    if (!writer) return fail(writer.error());
    auto reader = Database::open(path_, Access::read);
    if (!reader) return fail(reader.error());
    writer_ = std::move(*writer);
    reader_ = std::move(*reader);
    return {};
}

void SqliteStore::scratch(Completion<Result<std::unique_ptr<Store>>> done) {
    static std::atomic<std::uint64_t> copies{0};
    const std::string path = path_ + scratch_mark + std::to_string(++copies);
    auto self = std::make_shared<std::unique_ptr<SqliteStore>>(new SqliteStore(path, post_));
    SqliteStore& copy = **self;
    copy.is_scratch_ = true;
    copy.write_thread_ =
        std::thread([&copy, self = std::move(self), from = path_, done = std::move(done)]() mutable {
            Status ready = Database::copy(from, copy.path_);
            if (ready) ready = copy.connect(Durability::none);
            if (ready) copy.read_thread_ = std::thread([&copy] { copy.read_loop(); });
            const Post post = copy.post_;
            // From here on whoever gets it may destroy it, which waits for this thread.
            post([self = std::move(self), ready, done = std::move(done)] {
                if (!ready) return done(fail(ready.error()));
                done(std::unique_ptr<Store>(std::move(*self)));
            });
            if (ready) copy.write_loop();
        });
}

SqliteStore::~SqliteStore() {
    for (Queue* queue : {&writes_, &reads_}) {
        const MutexLock lock(queue->mutex);
        queue->closing = true;
        queue->wake.notify_all();
    }
    if (write_thread_.joinable()) write_thread_.join();
    if (read_thread_.joinable()) read_thread_.join();
    reader_.reset();  // before the writer, whose close checkpoints
    writer_.reset();
    if (is_scratch_) remove_files(path_);
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
    const auto began = std::chrono::steady_clock::now();
    if (whole) whole = writer_->commit();
    if (whole) commits_.fetch_add(1, std::memory_order_relaxed);
    if (whole && on_commit) on_commit(std::chrono::steady_clock::now() - began);
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
