// Task<T>: the lazy coroutine a connector is written in, and the driver that runs a stack of them.
//
// The driver is a trampoline: awaiting a child never calls it, so the native stack stays flat however deep or
// long the chain (symmetric transfer is no tail call below -O2 on g++ 12). Nothing here is thread-local or
// allocates besides the coroutine frames. Destroying the root task destroys whatever it waits for.
//
// House rule for authors: A CO_AWAIT STANDS ALONE - a statement of its own, or the whole right-hand side of
// `=` or `return`; no braces, lambda, ternary or condition in the same statement. g++ 12 silently miscompiles
// the rest.
#pragma once

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <liaison/plugin.h>

namespace liaison {

template <class T>
class Task;

// What one job has in flight. Owned by the job; every frame of the job points to it.
struct Driver {
    std::coroutine_handle<> current;         // resumed next; null once the root has finished
    const liaison_event* event = nullptr;    // valid during step() only
    const liaison_effect* effect = nullptr;  // set by the frame that waits; lives in that frame

    // Resumes frames until one of them wants an effect or the root is done.
    void run() {
        effect = nullptr;
        while (effect == nullptr && current) {
            const std::coroutine_handle<> next = std::exchange(current, nullptr);
            next.resume();
        }
    }
};

namespace task_parts {

// g++ 12 lays out a frame wrongly when a coroutine without local variables awaits inside a condition: its
// handle is then off by eight bytes. Comparing here turns silent corruption into a message.
template <class Promise>
struct CheckedStart {
    Promise* promise;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
        if (handle.address() == std::coroutine_handle<Promise>::from_promise(*promise).address()) return;
        std::fputs(
            "liaison SDK: this compiler laid out a coroutine frame wrongly. Declare a local variable in the "
            "coroutine, and let every co_await stand alone.\n",
            stderr);
        std::abort();
    }
    void await_resume() const noexcept {}
};

struct ReturnToParent {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
        handle.promise().driver->current = handle.promise().parent;
    }
    void await_resume() const noexcept {}
};

struct PromiseBase {
    Driver* driver = nullptr;
    std::coroutine_handle<> parent;
    std::exception_ptr error;

    ReturnToParent final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object() noexcept;
    CheckedStart<Promise> initial_suspend() noexcept { return {this}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    T take() {
        if (error) std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    CheckedStart<Promise> initial_suspend() noexcept { return {this}; }
    void return_void() const noexcept {}
    void take() const {
        if (error) std::rethrow_exception(error);
    }
};

// Copying a non-trivial aggregate into a coroutine frame is what g++ 12 gets wrong; give such a type a
// constructor.
template <class Argument>
inline constexpr bool safe_parameter =
    std::is_reference_v<Argument> || !std::is_aggregate_v<std::remove_cv_t<Argument>> ||
    std::is_trivially_copyable_v<std::remove_cv_t<Argument>>;

}  // namespace task_parts

template <class T = void>
class [[nodiscard]] Task {
  public:
    using promise_type = task_parts::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    // Makes this the root of `driver`; the next Driver::run() starts it.
    void start(Driver& driver) noexcept {
        handle_.promise().driver = &driver;
        driver.current = handle_;
    }
    bool done() const noexcept { return handle_.done(); }
    // The result, or the exception, of a finished task.
    T take() { return handle_.promise().take(); }

    struct Awaiter {
        Handle child;
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
            child.promise().driver = parent.promise().driver;
            child.promise().parent = parent;
            parent.promise().driver->current = child;
        }
        T await_resume() const { return child.promise().take(); }
    };
    Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }

  private:
    Handle handle_;
};

namespace task_parts {
template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
}  // namespace task_parts

}  // namespace liaison

template <class T, class... Arguments>
struct std::coroutine_traits<liaison::Task<T>, Arguments...> {
    static_assert(
        (liaison::task_parts::safe_parameter<Arguments> && ...),
        "a coroutine parameter is an aggregate: give its type a constructor, or pass it by reference");
    using promise_type = liaison::task_parts::Promise<T>;
};
