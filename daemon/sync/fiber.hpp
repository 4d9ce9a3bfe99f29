// The engine's coroutines: the SDK's Task and driver (one implementation in the house), plus Await, which
// turns a port's completion into something to co_await. Everything here lives on the core thread.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <liaison/sdk/task.hpp>

#include "base/completion.hpp"
#include "sync/ports.hpp"

namespace liaisond::sync {

using liaison::Driver;
using liaison::Task;

namespace fiber_parts {
// Stands in Driver::effect while a fiber waits for a completion.
inline constexpr liaison_effect parked{sizeof(liaison_effect), 0};
}  // namespace fiber_parts

// Awaits one completion. Make it with await<T>() in a function that is no coroutine, or name the lambda
// first: a lambda inside a co_await statement is what g++ 12 miscompiles.
template <class T>
class [[nodiscard]] Await {
  public:
    using Start = std::function<void(Completion<T>)>;
    explicit Await(Start start) : start_(std::move(start)) {}
    Await(Await&&) = default;
    Await(const Await&) = delete;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        Driver* driver = frame.promise().driver;
        driver->current = frame;
        driver->effect = &fiber_parts::parked;
        start_([this, driver](T value) {
            value_.emplace(std::move(value));
            driver->run();
        });
    }
    T await_resume() { return std::move(*value_); }

  private:
    Start start_;
    std::optional<T> value_;
};

struct Nothing {};

inline Await<Nothing> pause(Timers& timers, Milliseconds duration) {
    return Await<Nothing>([&timers, duration](Completion<Nothing> done) {
        timers.after(duration, [done = std::move(done)] { done(Nothing{}); });
    });
}

// A value that one party makes and another awaits, whichever comes first. Both share it; it is awaited at
// most once.
template <class T>
class Deferred {
  public:
    explicit Deferred(Timers& timers) : timers_(timers) {}
    void set(T value) {
        value_.emplace(std::move(value));
        hand_over();
    }
    static Await<T> wait(std::shared_ptr<Deferred> self) {
        return Await<T>([self = std::move(self)](Completion<T> done) {
            self->waiting_ = std::move(done);
            self->hand_over();
        });
    }

  private:
    void hand_over() {
        if (!value_ || !waiting_) return;
        timers_.post(
            [done = std::move(waiting_), value = std::move(*value_)]() mutable { done(std::move(value)); });
    }
    Timers& timers_;
    std::optional<T> value_;
    Completion<T> waiting_;
};

// Runs tasks to their end side by side. Destroying it destroys what is left, at whatever it waits for.
class Fibers {
  public:
    explicit Fibers(Timers& timers) : timers_(timers) {}
    Fibers(const Fibers&) = delete;
    Fibers& operator=(const Fibers&) = delete;

    // Starts the task from the event loop, not from inside this call.
    void spawn(Task<void> body) {
        Fiber& fiber = fibers_.emplace_back();
        const auto self = std::prev(fibers_.end());
        fiber.root = std::make_unique<Task<void>>(run(std::move(body), self));
        fiber.root->start(fiber.driver);
        timers_.post([&fiber] { fiber.driver.run(); });
    }
    std::size_t count() const { return fibers_.size(); }

  private:
    struct Fiber {
        Driver driver;
        std::unique_ptr<Task<void>> root;
    };
    using Position = std::list<Fiber>::iterator;

    Task<void> run(Task<void> body, Position self) {
        const int local = 0;
        (void)local;
        co_await std::move(body);
        // The frame cannot free itself while it runs.
        timers_.post([this, self] { fibers_.erase(self); });
    }

    Timers& timers_;
    std::list<Fiber> fibers_;
};

}  // namespace liaisond::sync
