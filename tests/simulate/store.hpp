// SimStore: the real Database on a file, reached through events instead of threads. Writes that wait together
// are committed together, as in SqliteStore; before, inside and after each commit the daemon may die or the
// disk fail.
#pragma once

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulate/world.hpp"
#include "store/store.hpp"

namespace liaisond::simulate {

class SimStore final : public store::Store {
  public:
    SimStore(World& world, const std::string& path)
        : world_(world), path_(path), own_(open(path)), database_(*own_) {}
    // On a connection that outlives this life of the daemon: opening the file and preparing statements are
    // the same in each. What this life had begun and not committed is rolled back with its end.
    SimStore(World& world, const std::string& path, store::Database& database)
        : world_(world), path_(path), database_(database) {}

    static std::unique_ptr<store::Database> open(const std::string& path) {
        return store::Database::open(path, store::Access::write, store::Durability::normal).value();
    }
    store::Database& database() { return database_; }
    std::uint64_t commits() const { return commits_; }

    // Asked at each point of a commit ("before work", "before commit", "after commit"): does the daemon die
    // here?
    std::function<bool(std::string_view)> dies_at = [](std::string_view) { return false; };
    // Asked before each commit: why it fails.
    std::function<std::optional<Error>()> disk_fault = [] { return std::optional<Error>(); };

    void scratch(Completion<Result<std::unique_ptr<store::Store>>> done) override {
        world_.after(Milliseconds(5), [this, done = std::move(done)] {
            const std::string copy = path_ + ".scratch-" + std::to_string(++copies_);
            const Status copied = store::Database::copy(path_, copy);
            if (!copied) return done(fail(copied.error()));
            auto made = std::make_unique<SimStore>(world_, copy);
            made->is_scratch_ = true;
            done(std::unique_ptr<store::Store>(std::move(made)));
        });
    }

    ~SimStore() override {
        database_.rollback();
        own_.reset();
        sqlite3_vfs* const files = sqlite3_vfs_find(nullptr);
        for (const char* part : {"", "-wal", "-shm"}) {
            if (is_scratch_) files->xDelete(files, (path_ + part).c_str(), 0);
        }
    }

  private:
    void enqueue(store::Access access, Job job) override {
        if (access == store::Access::read) {
            auto shared = std::make_shared<Job>(std::move(job));
            return world_.after(Milliseconds(1), [this, shared] { shared->done(shared->work(database_)); });
        }
        waiting_.push_back(std::move(job));
        if (waiting_.size() == 1) world_.after(Milliseconds(2), [this] { commit(); });
    }

    void commit() {
        auto batch = std::make_shared<std::vector<Job>>(std::exchange(waiting_, {}));
        if (dies_at("before work")) return;
        std::vector<Status> answers(batch->size());
        Status whole = database_.begin();
        for (std::size_t i = 0; whole && i < batch->size(); ++i)
            answers[i] = database_.atomically([&] { return (*batch)[i].work(database_); });
        const std::optional<Error> fault = disk_fault();
        if (whole && fault) whole = fail(*fault);
        const bool dies = dies_at("before commit");
        if (whole && !dies) whole = database_.commit();
        if (!whole || dies) database_.rollback();
        if (dies || dies_at("after commit")) return;
        ++commits_;
        world_.note(whole ? "commit" : "commit failed");
        world_.after(Milliseconds(1), [batch, answers = std::move(answers), whole]() mutable {
            for (std::size_t i = 0; i < batch->size(); ++i)
                (*batch)[i].done(answers[i] ? whole : std::move(answers[i]));
        });
    }

    World& world_;
    const std::string path_;
    bool is_scratch_ = false;
    int copies_ = 0;
    std::unique_ptr<store::Database> own_;
    store::Database& database_;
    std::vector<Job> waiting_;
    std::uint64_t commits_ = 0;
};

// What a reading of the store brought.
template <class T>
std::vector<T> rows_of(Result<std::vector<T>> result) {
    if (!result) throw std::runtime_error("the store cannot be read: " + result.error().message);
    return std::move(*result);
}

// A directory that is gone afterwards.
class TempDir {
  public:
    explicit TempDir(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
        std::string pattern = (parent / "liaison-test.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace liaisond::simulate
