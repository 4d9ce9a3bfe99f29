// A mutex that clang's thread-safety analysis understands, and the annotations for what it guards. Other
// compilers see an ordinary mutex; the clang preset checks the annotations.
#pragma once

#include <mutex>

#if defined(__clang__)
#define LIAISON_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LIAISON_THREAD_ATTRIBUTE(x)
#endif

#define GUARDED_BY(mutex) LIAISON_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(mutex) LIAISON_THREAD_ATTRIBUTE(requires_capability(mutex))

namespace liaisond {

class LIAISON_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
  public:
    void lock() LIAISON_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
    void unlock() LIAISON_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  private:
    std::mutex mutex_;
};

class LIAISON_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) LIAISON_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;
    ~MutexLock() LIAISON_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  private:
    Mutex& mutex_;
};

}  // namespace liaisond
