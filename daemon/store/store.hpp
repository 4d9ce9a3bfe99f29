// Store: the port through which the engine reaches the Database. Work is a function run on the database's
// thread; its answer comes back on the core thread. Writes that wait together are committed together (group
// commit), and a write is answered only once it is durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/completion.hpp"
#include "store/database.hpp"

namespace liaisond::store {

class Store {
  public:
    virtual ~Store() = default;

    // A copy of everything as it is now. What is done to it reaches nobody, and it is gone with the object;
    // it answers as this one does. Destroy it before this one.
    virtual void scratch(Completion<Result<std::unique_ptr<Store>>> done) = 0;

    // `work(Database&)` returns a Result<T>; `done` gets it, or the reason why the commit failed.
    template <class Work>
    void write(Work work, Completion<std::invoke_result_t<Work, Database&>> done) {
        submit(Access::write, std::move(work), std::move(done));
    }
    template <class Work>
    void read(Work work, Completion<std::invoke_result_t<Work, Database&>> done) {
        submit(Access::read, std::move(work), std::move(done));
    }

  protected:
    // Runs `work` with a database; for writes inside the current transaction, in a savepoint that is kept
    // when it returns success. Then `done` on the core thread, with the status of the commit.
    struct Job {
        std::function<Status(Database&)> work;
        std::function<void(Status)> done;
    };
    virtual void enqueue(Access access, Job job) = 0;

  private:
    template <class Work, class R = std::invoke_result_t<Work, Database&>>
    void submit(Access access, Work work, Completion<R> done) {
        auto slot = std::make_shared<std::optional<R>>();
        Job job;
        job.work = [work = std::move(work), slot](Database& database) mutable -> Status {
            slot->emplace(work(database));
            if (!slot->value()) return fail(slot->value().error());
            return {};
        };
        job.done = [done = std::move(done), slot](Status status) {
            if (!status) return done(R(tl::unexpected<Error>(std::move(status.error()))));
            done(std::move(slot->value()));
        };
        enqueue(access, std::move(job));
    }
};

}  // namespace liaisond::store
