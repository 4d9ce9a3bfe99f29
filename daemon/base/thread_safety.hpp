// Clang's thread-safety annotations; empty under other compilers. The clang preset checks them.
#pragma once

#if defined(__clang__)
#define LIAISON_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LIAISON_THREAD_ATTRIBUTE(x)
#endif

#define GUARDED_BY(mutex) LIAISON_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(mutex) LIAISON_THREAD_ATTRIBUTE(exclusive_locks_required(mutex))
